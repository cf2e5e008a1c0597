/* That two customers may be one person: written on both sides, never acted upon
 * without a person or a proof (scripts/suggest.lua). done comes exactly once,
 * never before the call has returned; what it gets is borrowed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "converge/message.h"
#include "identity/identity.h"

struct store;

enum {
	SUGGESTIONS_MAX = 16, /* of one customer; the weakest give way */
	SCORE_CLAIMED = 50,   /* somebody claims an address that the other one proved */
	SCORE_SAME_NAME = 20, /* more where both have the same name */
	SCORE_PROVED = 80,    /* both were proved in one message by the channel */
	SCORE_PERSON = 100,   /* a person proved an address that the other one proved */
};

struct suggestion {
	const char *other;    /* where it was merged since, whom into */
	const char *name;     /* the other's; "" */
	int64_t version;      /* the other's */
	const char *state;    /* open, accepted, dismissed */
	int64_t score;        /* 0-100 */
	int64_t at_ms;        /* since when */
	const char *by;       /* who decided; NULL while open */
	const char *evidence; /* JSON array of {channel, kind, scope, value, proof, by, at} */
};
typedef void customer_suggestions_fn(const struct suggestion *suggestions, size_t count,
				     const struct error *err, void *context);
/* Strongest first, those that were decided last. customer is one that was not merged away. */
void customer_suggestions_read(struct store *store, const char *workspace, const char *customer,
			       customer_suggestions_fn *done, void *context);
/* As the API shows them: an array under key. */
void customer_suggestions_write(struct json_out *out, const char *key,
				const struct suggestion *suggestions, size_t count);

/* What a merge keeps of the suggestion it followed (the stored JSON): {score, at, evidence}. */
void suggestion_stored_write(struct json_out *out, const char *key, const char *text);

/* One piece of evidence as it is stored: what was shown of whom, and on which channel. */
void suggestion_evidence(struct buf *out, const struct identifier *identifier, const char *channel,
			 int64_t at_ms);
