#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/work_item.h"
#include "store/store.h"

/* How many items one page looks at: a filter that few pass cannot make it read on and on. */
enum { PAGE_MAX = 200, LOOK_AT = 400, SCORE_BYTES = 24 };

struct list_run {
	struct store *store;
	work_page_fn *done;
	void *context;
	struct arena *arena;
	char workspace[48];
	const char *state;
	const char *queue;
	const char *agent;
	size_t limit;
	bool ascending;
	char after_score[SCORE_BYTES]; /* "": the first page */
	char after_id[ID_BYTES];
	char ids[LOOK_AT][ID_BYTES];
	char scores[LOOK_AT][SCORE_BYTES];
	char last[SCORE_BYTES + ID_BYTES];
	size_t id_count;
	size_t waiting;                  /* answers still to come */
	struct work_item items[LOOK_AT]; /* without an id: not there, or filtered out */
	struct error err;
	bool failed;
	bool at_end;
};

struct list_one {
	struct list_run *run;
	size_t place;
	bool is_name;
};

static void list_end(struct list_run *run, const struct work_page *page, const struct error *err)
{
	run->done(page, err, run->context);
	arena_free(&run->arena);
	free(run);
}

static bool passes(const struct list_run *run, const struct work_item *item)
{
	if (run->state ? !text_equal(run->state, item->state) : text_equal("closed", item->state))
		return false;
	if (run->queue && !text_equal(run->queue, item->queue))
		return false;
	return !run->agent || text_equal(run->agent, item->agent);
}

static void list_show(struct list_run *run)
{
	struct work_page page = { .items = run->items, .more = !run->at_end };
	size_t i;

	if (run->failed) {
		list_end(run, NULL, &run->err);
		return;
	}
	for (i = 0; i < run->id_count && page.count < run->limit; i++) {
		if (run->items[i].id)
			run->items[page.count++] = run->items[i];
	}
	if (i < run->id_count)
		page.more = true;
	if (page.more && i > 0) {
		snprintf(run->last, sizeof(run->last), "%s:%s", run->scores[i - 1],
			 run->ids[i - 1]);
		page.last = run->last;
	}
	list_end(run, &page, NULL);
}

static void on_one(const struct store_reply *reply, const struct error *err, void *context);

static void read_name(struct list_run *run, size_t place)
{
	struct store_call *call = store_command("HGET");
	struct list_one *one = memory_new(sizeof(*one));

	one->run = run;
	one->place = place;
	one->is_name = true;
	run->waiting++;
	store_arg_key(call, run->workspace, "u:%s", run->items[place].customer);
	store_arg_text(call, "nm");
	store_read(run->store, call, on_one, one);
}

static void take_item(struct list_run *run, size_t place, const struct store_reply *reply)
{
	struct work_item *item = &run->items[place];

	if (!work_item_from_reply(reply, run->ids[place], run->arena, item) || !passes(run, item))
		item->id = NULL;
	else if (item->customer)
		read_name(run, place);
}

static void on_one(const struct store_reply *reply, const struct error *err, void *context)
{
	struct list_one *one = context;
	struct list_run *run = one->run;

	if (err) {
		run->failed = true;
		run->err = *err;
	} else if (one->is_name) {
		run->items[one->place].customer_name =
			arena_text(run->arena, reply_text(reply, NULL));
	} else {
		take_item(run, one->place, reply);
	}
	free(one);
	if (--run->waiting == 0)
		list_show(run);
}

/* The set is ordered by score, then id; the page before ended at one of these pairs. */
static bool is_before(const struct list_run *run, const char *score, const char *id)
{
	int order = strcmp(id, run->after_id);

	if (strcmp(score, run->after_score) != 0)
		return false;
	return run->ascending ? order <= 0 : order >= 0;
}

static void on_ids(const struct store_reply *reply, const struct error *err, void *context)
{
	struct list_run *run = context;
	const struct work_page nothing = { .items = run->items };

	if (err) {
		list_end(run, NULL, err);
		return;
	}
	run->at_end = reply_count(reply) / 2 < LOOK_AT;
	for (size_t i = 0; i + 1 < reply_count(reply) && run->id_count < LOOK_AT; i += 2) {
		const char *id = reply_text(reply_item(reply, i), NULL);
		const char *score = reply_text(reply_item(reply, i + 1), NULL);

		if (is_before(run, score, id))
			continue;
		snprintf(run->ids[run->id_count], ID_BYTES, "%s", id);
		snprintf(run->scores[run->id_count++], SCORE_BYTES, "%s", score);
	}
	if (run->id_count == 0) {
		list_end(run, &nothing, NULL);
		return;
	}
	run->waiting = run->id_count;
	for (size_t i = 0; i < run->id_count; i++) {
		struct store_call *call = store_command("HGETALL");
		struct list_one *one = memory_new(sizeof(*one));

		one->run = run;
		one->place = i;
		store_arg_key(call, run->workspace, "w:%s", run->ids[i]);
		store_read(run->store, call, on_one, one);
	}
}

static void read_ids(struct list_run *run)
{
	struct store_call *call = store_command("ZRANGE");
	const char *from = run->ascending ? "-inf" : "+inf";

	store_arg_key(call, run->workspace, "wx");
	store_arg_text(call, run->after_score[0] ? run->after_score : from);
	store_arg_text(call, run->ascending ? "+inf" : "-inf");
	store_arg_text(call, "BYSCORE");
	if (!run->ascending)
		store_arg_text(call, "REV");
	store_arg_text(call, "LIMIT");
	store_arg_int(call, 0);
	store_arg_int(call, LOOK_AT);
	store_arg_text(call, "WITHSCORES");
	store_read(run->store, call, on_ids, run);
}

void work_item_list(struct store *store, const struct work_query *query, work_page_fn *done,
		    void *context)
{
	struct list_run *run = memory_new(sizeof(*run));

	run->store = store;
	run->done = done;
	run->context = context;
	run->arena = arena_new(0);
	snprintf(run->workspace, sizeof(run->workspace), "%s", query->workspace);
	run->state = arena_text(run->arena, query->state);
	run->queue = arena_text(run->arena, query->queue);
	run->agent = arena_text(run->arena, query->agent);
	run->limit = query->limit > 0 && query->limit <= PAGE_MAX ? query->limit : PAGE_MAX;
	run->ascending = query->ascending;
	if (query->after)
		sscanf(query->after, "%23[0-9]:%31[0-9A-Za-z_]", run->after_score, run->after_id);
	read_ids(run);
}
