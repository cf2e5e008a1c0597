/* Retention: what is over is kept so long as the rules of the business configuration say
 * (cfg:retention), then taken by a job (erase_retain.c). The rules, and the steward's look for
 * whether anything is due, which opens the job. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"

struct parts;
struct retention;
struct store_reply;
struct workspace;

struct retain_rule {
	const char *id;
	const char *what; /* conversation, messages, attachments */
	const char *channel;
	const char *type;
	const char *topic; /* NULL: any, as the two before */
	int64_t keep_ms;
	int64_t order;
};

struct retain_rules {
	struct retain_rule *list; /* in the order in which they are asked */
	size_t count;
};

/* Of HVALS cfg:retention. */
void retain_rules_take(const struct store_reply *reply, struct arena *arena,
		       struct retain_rules *ret);
/* As "rules" of a question to the history. */
void retain_rules_write(struct json_out *out, const struct retain_rules *rules, int64_t now_ms);

/* Kept by the workspace, over the stewardships of this instance: conversations of which a rule took
 * something, and those it passed by for a legal hold. */
enum retain_what { RETAIN_CONVERSATION, RETAIN_MESSAGES, RETAIN_ATTACHMENTS, RETAIN_WHATS };
extern const char *const retain_whats[RETAIN_WHATS];
struct retain_counts {
	int64_t of[RETAIN_WHATS];
	int64_t held;
};

struct retention *retention_new(struct parts *parts, struct workspace *workspace);
void retention_free(struct retention **retention);
