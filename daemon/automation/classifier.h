/* Classifiers: programs elsewhere that look at a new work item and say what it
 * is (an HTTP hook). Their configuration and what they are asked and answer;
 * pure but for the reading of the store. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

struct store_reply;

struct classifier {
	const char *id;
	const char *url;
	const char *secret; /* whsec_... */
	int64_t deadline_ms;
	int64_t min_confidence;      /* percent */
	const char *const *queues;   /* NULL-terminated; empty: all */
	const char *const *channels; /* likewise */
	bool only_by_rule;
};

struct classifier_list {
	struct arena *arena;
	struct classifier *rows; /* in order */
	size_t count;
};

/* HGETALL of cfg:classifiers. */
struct classifier_list *classifier_list_new(const struct store_reply *reply, struct error *err);
void classifier_list_free(struct classifier_list **list);
/* The one that a rule named; NULL. */
const struct classifier *classifier_named(const struct classifier_list *list, const char *id);
/* The first one that wants such an item; NULL. */
const struct classifier *classifier_find(const struct classifier_list *list, const char *queue,
					 const char *channel);

/* What it is asked. Texts are not NULL; message is the stored JSON. */
struct classifier_question {
	const char *work_item;
	const char *conversation;
	const char *channel;
	const char *queue;
	const char *type;
	const char *topic;
	const char *urgency;
	const char *message;
	int64_t now_ms;
};
void classifier_body(const struct classifier_question *question, struct buf *out);

/* What it answers. Texts are "" where it says nothing of them, and live in the arena. */
struct classifier_answer {
	const char *type;
	const char *topic;
	const char *urgency;
	const char *queue;
	int64_t confidence; /* percent */
	bool needs_human;
};
/* -1 with what is wrong: it is not followed in parts. */
int classifier_read(const char *json, size_t len, struct arena *arena,
		    struct classifier_answer *ret, struct error *err);
