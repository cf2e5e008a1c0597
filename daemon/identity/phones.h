/* National phone numbers, read by the phone worker. The process is started at
 * the first one that is asked for; answers are remembered for a while. */
#pragma once

#include "base/error.h"
#include "services/worker.h"

struct loop;
struct phones;

/* e164: "" where it is no number of that country. NULL with err (temporary): ask again later. */
typedef void phones_fn(const char *e164, const struct error *err, void *context);

/* executable: as of struct worker_options, NULL for the daemon's own. */
struct phones *phones_new(struct loop *loop, const char *executable);
void phones_free(struct phones **phones); /* waiting questions end with an error first */
/* What is known already; NULL: ask. region: two upper-case letters, or NULL: the number must say
 * its country itself. number: of address_normalise(). */
const char *phones_known(struct phones *phones, const char *region, const char *number);
/* done exactly once and never before the return, unless -1 with err (too many are waiting). */
int phones_read(struct phones *phones, const char *region, const char *number, phones_fn *done,
		void *context, struct error *err);
struct worker_stats phones_stats(const struct phones *phones);
