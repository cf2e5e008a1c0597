/* A roster out of texts, as if the store had answered HGETALL. */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "routing/roster.h"
#include "store/reply.h"

enum { ROSTER_PAIRS = 20 };

/* "id", "{json}", "id", "{json}" ... NULL */
struct roster_hash {
	struct store_reply texts[ROSTER_PAIRS * 2];
	const struct store_reply *items[ROSTER_PAIRS * 2];
	struct store_reply reply;
};

static inline const struct store_reply *roster_hash(struct roster_hash *hash,
						    const char *const *pairs)
{
	size_t count = 0;

	for (; pairs != NULL && pairs[count] != NULL; count++) {
		hash->texts[count] = (struct store_reply){ .kind = REPLY_TEXT,
							   .len = strlen(pairs[count]),
							   .as.text = pairs[count] };
		hash->items[count] = &hash->texts[count];
	}
	hash->reply =
		(struct store_reply){ .kind = REPLY_ARRAY, .len = count, .as.items = hash->items };
	return &hash->reply;
}

/* Pairs of the kinds that are not NULL, in the order of enum roster_kind; calls as in roster_new().
 */
static inline struct roster *roster_with_calls(const char *const *const *pairs,
					       const char *const *calls, struct error *err)
{
	struct roster_hash kinds[ROSTER_KINDS];
	const struct store_reply *items[ROSTER_KINDS];
	struct store_reply all = { .kind = REPLY_ARRAY, .len = ROSTER_KINDS, .as.items = items };

	*err = (struct error){ 0 };
	for (size_t i = 0; i < ROSTER_KINDS; i++)
		items[i] = roster_hash(&kinds[i], pairs[i]);
	return roster_new(&all, calls, err);
}

static inline struct roster *roster_of_kinds(const char *const *const *pairs, struct error *err)
{
	return roster_with_calls(pairs, NULL, err);
}

static inline struct roster *roster_of(const char *const *queues, const char *const *agents,
				       const char *const *rules, struct error *err)
{
	const char *const *kinds[ROSTER_KINDS] = {
		[ROSTER_QUEUES] = queues, [ROSTER_AGENTS] = agents, [ROSTER_RULES] = rules
	};

	return roster_of_kinds(kinds, err);
}

static inline struct roster *roster_with_channels(const char *const *queues,
						  const char *const *agents,
						  const char *const *channels, struct error *err)
{
	const char *const *kinds[ROSTER_KINDS] = { [ROSTER_QUEUES] = queues,
						   [ROSTER_AGENTS] = agents,
						   [ROSTER_CHANNEL_COSTS] = channels };

	return roster_of_kinds(kinds, err);
}

#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })
