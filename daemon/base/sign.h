/* Signatures on HTTP requests that we send (Standard Webhooks, v1 HMAC). */
#pragma once

#include <stdint.h>

#include "base/buf.h"

enum { SIGNATURE_TEXT_BYTES = 64 };

/* "v1,<base64>" over "id.timestamp.body", for webhook-signature. secret: whsec_ and base64 of its
 * bytes. -1 where it is none. */
int sign_webhook(const char *secret, const char *id, int64_t timestamp_s, const struct buf *body,
		 char out[SIGNATURE_TEXT_BYTES]);
