#include "store/log_tail.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "services/loop.h"
#include "store/bell.h"
#include "store/store_internal.h"

enum {
	BATCH = 500,
	LINGER_MS = 1, /* between reads while entries come: cheaper than a ring for each */
	POLL_MS = 1000,
	POLL_IDLE_MS = 15 * 1000,
	POLLS_BEFORE_IDLE = 10,
};

/* All tails of one store. */
struct log_hub {
	struct store *store;
	LIST_HEAD(, log_tail) tails;
};

static void tail_step(struct log_tail *tail);

/* --- readers --- */

struct log_reader **tail_readers(struct log_tail *tail)
{
	struct log_reader **all;
	struct log_reader *reader;
	size_t count = 0;

	LIST_FOREACH (reader, &tail->readers, link)
		count++;
	all = memory_new((count + 1) * sizeof(all[0]));
	count = 0;
	LIST_FOREACH (reader, &tail->readers, link) {
		reader->refs++;
		all[count++] = reader;
	}
	return all;
}

static void start_readers(struct log_tail *tail)
{
	struct log_reader **all = tail_readers(tail);

	for (size_t i = 0; all[i] != NULL; i++) {
		if (!all[i]->is_closed && all[i]->state == READER_STARTING)
			reader_start(all[i]);
		reader_unref(all[i]);
	}
	free(all);
}

static void reset_readers(struct log_tail *tail)
{
	struct log_reader **all = tail_readers(tail);

	for (size_t i = 0; all[i] != NULL; i++) {
		if (!all[i]->is_closed && all[i]->state != READER_STARTING)
			reader_reset(all[i]);
		reader_unref(all[i]);
	}
	free(all);
}

static void hand_out(struct log_tail *tail, const struct log_batch *batch)
{
	struct log_reader **all = tail_readers(tail);

	for (size_t i = 0; all[i] != NULL; i++) {
		if (!all[i]->is_closed && all[i]->state == READER_LIVE)
			reader_take(all[i], batch);
		reader_unref(all[i]);
	}
	free(all);
}

/* --- one thing at a time --- */

static void call_starts(struct log_tail *tail)
{
	loop_timer_stop(tail->timer);
	tail->is_busy = true;
	tail->is_asleep = false;
	tail->refs++;
}

/* False where nobody waits for the answer any more; tail_unref() is due in any case. */
static bool call_ended(struct log_tail *tail)
{
	tail->is_busy = false;
	return !tail->is_closed;
}

static void pause_for(struct log_tail *tail, int64_t ms, bool until_bell)
{
	tail->is_asleep = until_bell;
	loop_timer_start(tail->timer, ms);
}

static void poll_later(struct log_tail *tail)
{
	bool is_idle = tail->bell_is_up && tail->polls >= POLLS_BEFORE_IDLE;

	pause_for(tail, is_idle ? POLL_IDLE_MS : POLL_MS, true);
}

/* A connection that came up since the log was last found to go on: look again first. */
static bool is_sure(const struct log_tail *tail)
{
	return tail->is_known && tail->connection == store_connection(tail->store);
}

/* --- reading --- */

static void on_asleep(const struct store_reply *reply, const struct error *err, void *context)
{
	struct log_tail *tail = context;
	struct log_id newest;

	if (!call_ended(tail)) {
		/* nothing more */
	} else if (err != NULL) {
		poll_later(tail);
	} else if (reply_int(reply_item(reply, 1)) != tail->generation) {
		tail->connection = 0;
		tail_step(tail);
	} else if (tail->has_rung || !is_sure(tail) ||
		   (log_id_parse(reply_text(reply_item(reply, 2), NULL), &newest) &&
		    log_id_compare(newest, tail->cursor) > 0)) {
		tail_step(tail);
	} else {
		poll_later(tail);
	}
	tail_unref(tail);
}

/* The flag is set and the newest entry looked at in one step: either the reader
 * sees that entry, or whoever appends the next one sees the flag. */
static void tail_sleep(struct log_tail *tail)
{
	struct store_call *call = store_script("bell_sleep", tail->workspace);

	store_key(call, "log");
	call_starts(tail);
	store_run(tail->store, call, on_asleep, tail);
}

static void take_entries(struct log_tail *tail, const struct store_reply *reply)
{
	const struct store_reply *last = reply_item(reply, reply_count(reply) - 1);
	struct log_batch *batch = log_batch_new(reply, tail->generation);

	tail->polls = 0;
	log_id_parse(reply_text(reply_item(last, 0), NULL), &tail->cursor);
	tail->witness = log_entry_digest(last);
	hand_out(tail, batch);
	free(batch);
}

static void on_read(const struct store_reply *reply, const struct error *err, void *context)
{
	struct log_tail *tail = context;
	size_t count = err == NULL ? reply_count(reply) : 0;

	if (!call_ended(tail)) {
		tail_unref(tail);
		return;
	}
	/* The answer of a store that may know less than we do says nothing. */
	if (err == NULL && is_sure(tail) && count > 0)
		take_entries(tail, reply);
	if (tail->is_closed) {
		/* inside a callback */
	} else if (err != NULL) {
		poll_later(tail);
	} else if (!is_sure(tail) || count == BATCH) {
		tail_step(tail);
	} else if (count > 0) {
		pause_for(tail, LINGER_MS, false);
	} else {
		tail->polls++;
		start_readers(tail);
		if (!tail->is_closed)
			tail_sleep(tail);
	}
	tail_unref(tail);
}

static void tail_read(struct log_tail *tail)
{
	struct store_call *call = store_command("XRANGE");
	char after[LOG_ID_BYTES + 1] = "(";

	log_id_format(tail->cursor, after + 1);
	store_arg_key(call, tail->workspace, "log");
	store_arg_text(call, after);
	store_arg_text(call, "+");
	store_arg_text(call, "COUNT");
	store_arg_int(call, BATCH);
	tail->has_rung = false;
	call_starts(tail);
	store_read(tail->store, call, on_read, tail);
}

/* --- where the log stands --- */

/* Answers of log_state.lua. */
enum { STATE_GENERATION = 1, STATE_NEWEST, STATE_WORD, STATE_ASKED_ENTRY, STATE_NEWEST_ENTRY };

static void take_state(struct log_tail *tail, const struct store_reply *reply)
{
	int64_t generation = reply_int(reply_item(reply, STATE_GENERATION));
	bool is_first = !tail->is_known;
	bool is_new = tail->is_known &&
		      (generation != tail->generation ||
		       text_equal(reply_text(reply_item(reply, STATE_WORD), NULL), "gone"));

	if (is_first || is_new) {
		tail->generation = generation;
		log_id_parse(reply_text(reply_item(reply, STATE_NEWEST), NULL), &tail->cursor);
		tail->witness = log_entry_digest(reply_item(reply, STATE_NEWEST_ENTRY));
	}
	tail->is_known = true;
	tail->connection = store_connection(tail->store);
	tail->promotions = store_promotions(tail->store);
	if (is_new) {
		log_warn("log", "event=reset workspace=%s generation=%lld", tail->workspace,
			 (long long)generation);
		reset_readers(tail);
	}
	start_readers(tail);
}

/* Why what readers have seen may not be in the log any more; NULL: it is. */
static const char *why_broken(const struct log_tail *tail, const struct store_reply *reply)
{
	uint64_t witness = log_entry_digest(reply_item(reply, STATE_ASKED_ENTRY));

	if (!tail->is_known || reply_int(reply_item(reply, STATE_GENERATION)) > tail->generation)
		return NULL;
	if (reply_int(reply_item(reply, STATE_GENERATION)) < tail->generation)
		return "older_copy";
	if (text_equal(reply_text(reply_item(reply, STATE_WORD), NULL), "lost"))
		return "entries_lost";
	if (witness != 0 && tail->witness != 0 && witness != tail->witness)
		return "other_entries";
	/* What its master had in advance of it nobody can tell. */
	if (tail->promotions != store_promotions(tail->store))
		return "replica_promoted";
	return NULL;
}

static void on_next_generation(const struct store_reply *reply, const struct error *err,
			       void *context)
{
	struct log_tail *tail = context;

	(void)reply;
	if (call_ended(tail) && err == NULL)
		tail_step(tail);
	else if (!tail->is_closed)
		pause_for(tail, POLL_MS, false);
	tail_unref(tail);
}

static void start_generation(struct log_tail *tail, const char *why)
{
	struct store_call *call = store_script("gen_next", tail->workspace);

	log_warn("log", "event=new_generation workspace=%s after=%lld why=%s", tail->workspace,
		 (long long)tail->generation, why);
	store_arg_int(call, tail->generation);
	call_starts(tail);
	store_run(tail->store, call, on_next_generation, tail);
}

static void on_checked(const struct store_reply *reply, const struct error *err, void *context)
{
	struct log_tail *tail = context;
	const char *why;

	if (!call_ended(tail)) {
		/* nothing more */
	} else if (err != NULL) {
		pause_for(tail, POLL_MS, false);
	} else if ((why = why_broken(tail, reply)) != NULL) {
		start_generation(tail, why);
	} else {
		take_state(tail, reply);
		if (!tail->is_closed)
			tail_step(tail);
	}
	tail_unref(tail);
}

/* At the start and after each reconnect: is what was read last still there? */
static void tail_check(struct log_tail *tail)
{
	struct store_call *call = store_script("log_state", tail->workspace);
	char id[LOG_ID_BYTES];

	log_id_format(tail->cursor, id);
	store_key(call, "log");
	store_arg_text(call, id);
	call_starts(tail);
	store_read(tail->store, call, on_checked, tail);
}

static void tail_step(struct log_tail *tail)
{
	if (is_sure(tail))
		tail_read(tail);
	else
		tail_check(tail);
}

static void on_timer(void *context)
{
	tail_step(context);
}

static void on_bell(enum bell_sound sound, void *context)
{
	struct log_tail *tail = context;

	tail->bell_is_up = sound != BELL_DOWN;
	/* The ring may overtake the answer that says we are asleep: they come by different ways. */
	tail->has_rung = true;
	if (tail->is_asleep)
		tail_step(tail);
}

/* --- the hub --- */

static void on_store_change(bool up, void *context)
{
	struct log_hub *hub = context;
	struct log_tail *tail;

	if (!up)
		return;
	/* One that waits for an answer finds out by that. */
	LIST_FOREACH (tail, &hub->tails, link)
		if (!tail->is_busy)
			tail_step(tail);
}

static struct log_hub *hub_of(struct store *store)
{
	struct log_hub **slot = store_log_hub(store);

	if (*slot == NULL) {
		*slot = memory_new(sizeof(**slot));
		(*slot)->store = store;
		store_on_change(store, on_store_change, *slot);
	}
	return *slot;
}

static void hub_release(struct log_hub *hub)
{
	if (!LIST_EMPTY(&hub->tails))
		return;
	store_off_change(hub->store, on_store_change, hub);
	*store_log_hub(hub->store) = NULL;
	free(hub);
}

struct log_tail *tail_ref(struct loop *loop, struct store *store, const char *workspace)
{
	struct log_hub *hub = hub_of(store);
	struct log_tail *tail;

	LIST_FOREACH (tail, &hub->tails, link)
		if (strcmp(tail->workspace, workspace) == 0)
			break;
	if (tail == NULL) {
		tail = memory_new(sizeof(*tail));
		tail->hub = hub;
		tail->loop = loop;
		tail->store = store;
		tail->workspace = memory_text(workspace);
		tail->timer = loop_timer_new(loop, on_timer, tail);
		LIST_INSERT_HEAD(&hub->tails, tail, link);
		tail->ear = bell_listen(store_bell(store), workspace, on_bell, tail);
		tail_check(tail);
	}
	tail->refs++;
	return tail;
}

void tail_unref(struct log_tail *tail)
{
	if (--tail->refs > 0)
		return;
	free(tail->workspace);
	free(tail);
}

void tail_close(struct log_tail *tail)
{
	tail->is_closed = true;
	bell_ear_free(&tail->ear);
	loop_timer_free(&tail->timer);
	LIST_REMOVE(tail, link);
	hub_release(tail->hub);
}
