#include "services/password.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "services/worker.h"

enum { HASH_MAX = 256 };

struct call {
	password_hash_done *hash;
	password_verify_done *verify;
	void *context;
};

static void on_hash(const void *answer, size_t len, const struct error *err, void *context)
{
	struct call *call = context;
	char *hash = err == NULL ? memory_copy(answer, len) : NULL;

	call->hash(hash, err, call->context);
	free(hash);
	free(call);
}

static void on_verify(const void *answer, size_t len, const struct error *err, void *context)
{
	struct call *call = context;

	call->verify(err == NULL && len == 1 && *(const char *)answer == '1', err, call->context);
	free(call);
}

/* Hands the job over and forgets it: nothing of a password stays in our memory. */
static int submit(struct worker_pool *pool, struct buf *job, const struct call *with,
		  struct error *err)
{
	struct call *call = memory_new(sizeof(*call));
	int rc;

	*call = *with;
	rc = worker_submit(pool, 0, job->data, job->len, call->hash != NULL ? on_hash : on_verify,
			   call, err);
	if (rc < 0)
		free(call);
	explicit_bzero(job->data, job->len);
	buf_clear(job);
	return rc;
}

static int check(const char *password, struct error *err)
{
	if (password == NULL || password[0] == '\0')
		return error_set(err, ERROR_MISUSE, "the password is empty");
	if (strlen(password) > PASSWORD_MAX_BYTES)
		return error_set(err, ERROR_MISUSE, "the password is over %d bytes",
				 PASSWORD_MAX_BYTES);
	return 0;
}

int password_hash(struct worker_pool *pool, const char *password, password_hash_done *done,
		  void *context, struct error *err)
{
	struct call call = { .hash = done, .context = context };
	struct buf job = { 0 };

	if (check(password, err) < 0)
		return -1;
	buf_reserve(&job, PASSWORD_MAX_BYTES + 1); /* so that it never moves and leaves a copy */
	buf_byte(&job, 'h');
	buf_text(&job, password);
	return submit(pool, &job, &call, err);
}

int password_verify(struct worker_pool *pool, const char *hash, const char *password,
		    password_verify_done *done, void *context, struct error *err)
{
	struct call call = { .verify = done, .context = context };
	struct buf job = { 0 };

	if (check(password, err) < 0)
		return -1;
	if (hash == NULL || strlen(hash) > HASH_MAX)
		return error_set(err, ERROR_MISUSE, "not a password hash");
	buf_reserve(&job, PASSWORD_MAX_BYTES + HASH_MAX + 2);
	buf_byte(&job, 'v');
	buf_add(&job, hash, strlen(hash) + 1);
	buf_text(&job, password);
	return submit(pool, &job, &call, err);
}
