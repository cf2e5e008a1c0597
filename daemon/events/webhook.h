/* Outgoing webhooks: endpoints elsewhere that are told of events. Their
 * configuration, which events they want, and when a failed attempt is made
 * again. Pure but for the reading of the store. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/sign.h"

struct store_reply;

struct webhook {
	const char *id;
	const char *url;
	const char *secret;          /* whsec_... */
	const char *secret_previous; /* signs beside it until previous_until_ms; NULL: none */
	int64_t previous_until_ms;
	const char *const *types;  /* NULL-terminated; empty: all */
	const char *const *queues; /* likewise */
	int64_t timeout_ms;
	int64_t max_waiting;
	int64_t disable_after_ms;
	int64_t version; /* of the configuration */
	bool is_enabled;
};

struct webhook_list {
	struct arena *arena;
	struct webhook *rows; /* in order */
	size_t count;
};

/* HGETALL of cfg:webhooks. */
struct webhook_list *webhook_list_new(const struct store_reply *reply, struct error *err);
void webhook_list_free(struct webhook_list **list);
const struct webhook *webhook_named(const struct webhook_list *list, const char *id); /* or NULL */

/* An event of a type, of a queue (NULL: of none). */
bool webhook_wants(const struct webhook *webhook, const char *type, const char *queue);

/* What webhook-signature says at that time: one signature, or two parted by a space. -1 where the
 * secret is none. */
enum { WEBHOOK_SIGNATURE_BYTES = 2 * SIGNATURE_TEXT_BYTES };
int webhook_sign(const struct webhook *webhook, const char *event, int64_t now_ms,
		 const struct buf *body, char out[WEBHOOK_SIGNATURE_BYTES]);

/* How long to wait after so many failed attempts, by a random number; -1: there is no further one.
 */
int64_t webhook_retry_ms(int64_t attempts, uint32_t random);
/* How long an endpoint is left alone after so many failures in a row; 0: not at all. */
int64_t webhook_hold_ms(int64_t failures);

/* What happened to events, since the daemon started; kept by the workspace. */
struct webhook_counts {
	int64_t copied;    /* into outboxes */
	int64_t delivered; /* answered with 2xx */
	int64_t failed;    /* attempts */
	int64_t dead;      /* given up */
	int64_t waiting;   /* right now, where this instance is the steward */
};
