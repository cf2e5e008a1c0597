/* The Standard Webhooks rules for whoever signs an HTTP request with them
 * (github.com/standard-webhooks/standard-webhooks, v1 HMAC). */
#pragma once

#include "converge/connector.h"

enum { STANDARD_WEBHOOK_KEYS = 2, STANDARD_WEBHOOK_KEY_BYTES = 64 };

/* Zeroed at first. The first key signs, any fits. */
struct standard_webhook {
	struct {
		unsigned char bytes[STANDARD_WEBHOOK_KEY_BYTES];
		size_t len;
	} keys[STANDARD_WEBHOOK_KEYS];
	size_t count;
};

/* secret: whsec_ and the base64 of 24 to 64 bytes, at most two of them; -1: it is none. */
int standard_webhook_add(const struct host *host, struct standard_webhook *keys,
			 const char *secret);
/* Do webhook-id, webhook-timestamp (at most five minutes off) and webhook-signature, or their svix-
 * twins, prove this request? */
bool standard_webhook_fits(const struct host *host, const struct standard_webhook *keys,
			   const struct inbound *in, struct arena *arena);
/* The request's id, where it is a usable one; NULL. */
const char *standard_webhook_id(const struct host *host, const struct inbound *in);

/* A request that we send. */
struct standard_webhook_post {
	const char *id;
	const char *timestamp; /* unix seconds */
	const char *body;
};
/* What its webhook-signature says. */
const char *standard_webhook_sign(const struct host *host, const struct standard_webhook *keys,
				  struct arena *arena, const struct standard_webhook_post *post);
