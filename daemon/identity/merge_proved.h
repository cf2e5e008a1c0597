/* A person proved (T2) an address that another customer had proved before: the
 * two are one, and nobody needs to decide it. */
#pragma once

#include "base/error.h"

struct store;

struct proved_pair {
	const char *workspace;
	const char *customer; /* who proved it now */
	const char *other;    /* whose it was */
	const char *channel;  /* on which it was proved */
	const char *record;   /* the identifier's, as identity_record() writes it */
};
/* customer: who both are now; NULL where they stay two (too many identifiers for one customer, say:
 * their suggestion of each other stands), and with err. */
typedef void merge_proved_fn(const char *customer, const struct error *err, void *context);
/* The older record stays and the other leads to it. done comes exactly once, never before the call
 * has returned. */
void customer_merge_proved(struct store *store, const struct proved_pair *pair,
			   merge_proved_fn *done, void *context);
