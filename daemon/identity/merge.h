/* Customers who are one person, and those who turned out not to be. A merge
 * moves identifiers and leaves a redirect; what a customer knew beside them
 * stays in its own record. So a revert moves them back, with the conversations
 * that came since, and one identifier can be split off. done comes exactly
 * once, never before the call has returned; results are borrowed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct store;

enum merge_code {
	MERGE_OK,
	MERGE_REFUSED,  /* refusal says why; who and detail belong to it */
	MERGE_CONFLICT, /* the idempotency key was used with another request */
	MERGE_FAILED,
};

struct merge_result {
	enum merge_code code;
	bool replayed;
	/* not_found (who), moved (who, whom it is part of), version (who, what it has), self,
	 * too_many, reverted, gone, no_identifier, last; dismissed and distinct of an automatic
	 * one; no_suggestion and decided (who, state) of a suggested one */
	const char *refusal;
	const char *who;
	const char *detail;
	const char *merge;    /* mrg_ */
	const char *customer; /* who has the identifiers now */
	int64_t version;
	const char *other; /* who had them */
	int64_t other_version;
	int64_t identifiers; /* that moved */
	int64_t conversations;
};
typedef void merge_done_fn(const struct merge_result *result, const struct error *err,
			   void *context);

/* Who does it, and what repeats it. */
struct merge_act {
	struct store *store;
	const char *workspace;
	const char *key;     /* hash of the idempotency key, hex; NULL or "": none */
	const char *request; /* hash of the request */
	const char *by;      /* agent:..., token:..., code, jwt */
};

/* Only where both proved the same identifier, a person proved one, or a person decided (evidence, a
 * JSON object, says which). versions: 0 whichever. */
struct merge {
	struct merge_act act;
	const char *into;
	const char *from;
	int64_t into_version;
	int64_t from_version;
	const char *evidence;
	/* A proof decided it: refused where a person said no before, or where a person proved two
	 * identifiers of one kind and scope, of each customer another one. */
	bool is_automatic;
	bool is_suggested; /* only where an open suggestion says that the two are one */
};
void customer_merge(const struct merge *merge, merge_done_fn *done, void *context);

/* Of a merge or of a split. */
struct merge_revert {
	struct merge_act act;
	const char *merge;
	int64_t version;       /* of who has the identifiers; 0 whichever */
	int64_t other_version; /* of who gets them back */
};
void customer_merge_revert(const struct merge_revert *revert, merge_done_fn *done, void *context);

struct split {
	struct merge_act act;
	const char *customer;
	int64_t version;
	const char *identifier; /* its hash, hex */
	const char *name;       /* of the new customer */
	const char *evidence;
};
void customer_split(const struct split *split, merge_done_fn *done, void *context);

/* Says that an identifier does not tell who writes, or that it does again. Only code, refusal, who,
 * detail and version are of use in the result. */
struct share {
	struct merge_act act;
	const char *customer;
	int64_t version;
	const char *identifier;
	const char *record; /* as it is */
	bool is_shared;
};
void identifier_share(const struct share *share, merge_done_fn *done, void *context);
