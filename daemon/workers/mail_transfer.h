/* Mail over libcurl inside the mail worker: implicit TLS and XOAUTH2, which
 * libesmtp does not have. Here because libcurl blocks while it waits for the
 * answer to the data and to QUIT. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

struct json_object;

/* The envelope has url, tls, ca_file, user, password, bearer, from, to, timeout_ms. The answer
 * is that of mail_handle(), without recipients: one refused recipient refuses the mail. */
int mail_transfer(struct json_object *envelope, const char *message, size_t len, struct buf *answer,
		  struct error *err);
