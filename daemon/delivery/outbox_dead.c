#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/memory.h"
#include "delivery/outbox.h"
#include "store/store.h"

enum { PAGE_MAX = 200, SCORE_BYTES = 24 };

struct dead_run {
	struct store *store;
	dead_page_fn *done;
	void *context;
	struct arena *arena;
	char workspace[48];
	char after_score[SCORE_BYTES]; /* "": the first page */
	char after_id[ID_BYTES];
	size_t limit;
	struct dead_letter letters[PAGE_MAX];
	size_t count;
	char last[SCORE_BYTES + ID_BYTES];
	size_t waiting;
	struct error err;
	bool failed;
};

struct dead_one {
	struct dead_run *run;
	size_t place;
};

static void dead_end(struct dead_run *run)
{
	struct dead_page page = { .letters = run->letters, .count = run->count };

	/* A full page may be the last one: then the next is empty. */
	if (run->count == run->limit)
		page.last = run->last;
	run->done(run->failed ? NULL : &page, run->failed ? &run->err : NULL, run->context);
	arena_free(&run->arena);
	free(run);
}

static const char *text_of(struct dead_run *run, const struct store_reply *reply, const char *name)
{
	const char *text = reply_field(reply, name);

	return text && *text ? arena_text(run->arena, text) : NULL;
}

static int64_t int_of(const struct store_reply *reply, const char *name)
{
	const char *text = reply_field(reply, name);

	return text ? strtoll(text, NULL, 10) : 0;
}

static void on_letter(const struct store_reply *reply, const struct error *err, void *context)
{
	struct dead_one *one = context;
	struct dead_run *run = one->run;
	struct dead_letter *letter = &run->letters[one->place];

	if (err) {
		run->failed = true;
		run->err = *err;
	} else {
		letter->conversation = text_of(run, reply, "c");
		letter->channel = text_of(run, reply, "ch");
		letter->what = text_of(run, reply, "m");
		letter->code = text_of(run, reply, "code");
		letter->why = text_of(run, reply, "why");
		letter->index = int_of(reply, "n");
		letter->attempts = int_of(reply, "at");
	}
	free(one);
	if (--run->waiting == 0)
		dead_end(run);
}

static void read_letter(struct dead_run *run, size_t place)
{
	struct store_call *call = store_command("HGETALL");
	struct dead_one *one = memory_new(sizeof(*one));

	one->run = run;
	one->place = place;
	store_arg_key(call, run->workspace, "dead:%s", run->letters[place].message);
	store_read(run->store, call, on_letter, one);
}

/* The set is ordered by time, then id; the page before ended at one of these pairs. */
static bool was_shown(const struct dead_run *run, const char *score, const char *id)
{
	return strcmp(score, run->after_score) == 0 && strcmp(id, run->after_id) >= 0;
}

static void on_ids(const struct store_reply *reply, const struct error *err, void *context)
{
	struct dead_run *run = context;

	if (err) {
		run->failed = true;
		run->err = *err;
	}
	for (size_t i = 0; !err && i + 1 < reply_count(reply) && run->count < run->limit; i += 2) {
		const char *id = reply_text(reply_item(reply, i), NULL);
		const char *score = reply_text(reply_item(reply, i + 1), NULL);
		struct dead_letter *letter = &run->letters[run->count];

		if (was_shown(run, score, id))
			continue;
		letter->message = arena_text(run->arena, id);
		letter->died_ms = strtoll(score, NULL, 10);
		snprintf(run->last, sizeof(run->last), "%.23s:%.31s", score, id);
		run->count++;
	}
	run->waiting = run->count;
	for (size_t i = 0; i < run->count; i++)
		read_letter(run, i);
	if (run->count == 0)
		dead_end(run);
}

void outbox_read_dead(struct store *store, const struct dead_query *query, dead_page_fn *done,
		      void *context)
{
	struct dead_run *run = memory_new(sizeof(*run));
	struct store_call *call = store_command("ZRANGE");

	run->store = store;
	run->done = done;
	run->context = context;
	run->arena = arena_new(0);
	snprintf(run->workspace, sizeof(run->workspace), "%s", query->workspace);
	run->limit = query->limit > 0 && query->limit <= PAGE_MAX ? query->limit : PAGE_MAX;
	if (query->after)
		sscanf(query->after, "%23[0-9]:%31[0-9A-Za-z_]", run->after_score, run->after_id);
	store_arg_key(call, run->workspace, "dead");
	store_arg_text(call, run->after_score[0] ? run->after_score : "+inf");
	store_arg_text(call, "-inf");
	store_arg_text(call, "BYSCORE");
	store_arg_text(call, "REV");
	store_arg_text(call, "LIMIT");
	store_arg_int(call, 0);
	/* Some of those with the last page's time may have been shown. */
	store_arg_int(call, 2 * PAGE_MAX);
	store_arg_text(call, "WITHSCORES");
	store_read(store, call, on_ids, run);
}
