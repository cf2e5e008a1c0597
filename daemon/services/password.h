/* Agents' passwords: argon2id by the password worker (a sixth of a second and
 * 64 MiB each, so never on the loop). */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct worker_pool;

enum { PASSWORD_MAX_BYTES = 1024 }; /* longer ones are refused: ERROR_MISUSE */

typedef void password_hash_done(const char *hash, const struct error *err, void *context);
typedef void password_verify_done(bool matches, const struct error *err, void *context);

/* done exactly once and never before the return, unless -1 with err. */
int password_hash(struct worker_pool *pool, const char *password, password_hash_done *done,
		  void *context, struct error *err);
int password_verify(struct worker_pool *pool, const char *hash, const char *password,
		    password_verify_done *done, void *context, struct error *err);
