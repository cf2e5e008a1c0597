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

static void tail_read(struct log_tail *tail);
static void tail_check(struct log_tail *tail);

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

/* --- reading --- */

static void poll_later(struct log_tail *tail)
{
	bool is_idle = tail->bell_is_up && tail->polls >= POLLS_BEFORE_IDLE;

	tail->state = TAIL_SLEEPING;
	loop_timer_start(tail->timer, is_idle ? POLL_IDLE_MS : POLL_MS);
}

static void on_asleep(const struct store_reply *reply, const struct error *err, void *context)
{
	struct log_tail *tail = context;
	struct log_id newest;

	if (tail->is_closed) {
		/* nothing more */
	} else if (err != NULL) {
		poll_later(tail);
	} else if (reply_int(reply_item(reply, 1)) != tail->generation) {
		tail_check(tail);
	} else if (tail->has_rung ||
		   (log_id_parse(reply_text(reply_item(reply, 2), NULL), &newest) &&
		    log_id_compare(newest, tail->cursor) > 0)) {
		tail_read(tail);
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
	tail->refs++;
	store_run(tail->store, call, on_asleep, tail);
}

static void on_read(const struct store_reply *reply, const struct error *err, void *context)
{
	struct log_tail *tail = context;
	struct log_batch *batch = NULL;
	size_t count = err == NULL ? reply_count(reply) : 0;

	if (!tail->is_closed && count > 0) {
		tail->polls = 0;
		batch = log_batch_new(reply, tail->generation);
		log_id_parse(reply_text(reply_item(reply_item(reply, count - 1), 0), NULL),
			     &tail->cursor);
		hand_out(tail, batch);
		free(batch);
	}
	if (tail->is_closed) {
		/* nothing more */
	} else if (err != NULL) {
		poll_later(tail);
	} else if (count == 0) {
		tail->polls++;
		start_readers(tail);
		tail_sleep(tail);
	} else if (count == BATCH) {
		tail_read(tail);
	} else {
		tail->state = TAIL_LINGERING;
		loop_timer_start(tail->timer, LINGER_MS);
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
	tail->state = TAIL_READING;
	tail->has_rung = false;
	loop_timer_stop(tail->timer);
	tail->refs++;
	store_read(tail->store, call, on_read, tail);
}

/* --- where the log stands --- */

static void take_state(struct log_tail *tail, const struct store_reply *reply)
{
	int64_t generation = reply_int(reply_item(reply, 1));
	bool is_first = !tail->is_known;
	bool is_new =
		tail->is_known && (generation != tail->generation ||
				   text_equal(reply_text(reply_item(reply, 3), NULL), "gone"));

	if (is_first || is_new) {
		tail->generation = generation;
		log_id_parse(reply_text(reply_item(reply, 2), NULL), &tail->cursor);
	}
	tail->is_known = true;
	if (is_new) {
		log_warn("log", "event=reset workspace=%s generation=%lld", tail->workspace,
			 (long long)generation);
		reset_readers(tail);
	}
	start_readers(tail);
	if (!tail->is_closed && tail->state != TAIL_READING)
		tail_read(tail);
}

static void on_next_generation(const struct store_reply *reply, const struct error *err,
			       void *context)
{
	struct log_tail *tail = context;

	(void)reply;
	tail->is_checking = false;
	if (!tail->is_closed && err == NULL)
		tail_check(tail);
	tail_unref(tail);
}

static void on_checked(const struct store_reply *reply, const struct error *err, void *context)
{
	struct log_tail *tail = context;

	tail->is_checking = false;
	if (tail->is_closed) {
		/* nothing more */
	} else if (err != NULL) {
		loop_timer_start(tail->timer, POLL_MS);
	} else if (tail->is_known && reply_int(reply_item(reply, 1)) == tail->generation &&
		   text_equal(reply_text(reply_item(reply, 3), NULL), "lost")) {
		struct store_call *call = store_script("gen_next", tail->workspace);

		store_arg_int(call, tail->generation);
		tail->is_checking = true;
		tail->refs++;
		store_run(tail->store, call, on_next_generation, tail);
	} else {
		take_state(tail, reply);
	}
	tail_unref(tail);
}

/* At the start and after each reconnect: is what was read last still there? */
static void tail_check(struct log_tail *tail)
{
	struct store_call *call;
	char id[LOG_ID_BYTES];

	if (tail->is_checking)
		return;
	call = store_script("log_state", tail->workspace);
	log_id_format(tail->cursor, id);
	store_key(call, "log");
	store_arg_text(call, id);
	tail->is_checking = true;
	tail->refs++;
	store_read(tail->store, call, on_checked, tail);
}

static void on_timer(void *context)
{
	struct log_tail *tail = context;

	if (tail->is_known)
		tail_read(tail);
	else
		tail_check(tail);
}

static void on_bell(enum bell_sound sound, void *context)
{
	struct log_tail *tail = context;

	tail->bell_is_up = sound != BELL_DOWN;
	/* The ring may overtake the answer that says we are asleep: they come by different ways. */
	tail->has_rung = true;
	if (tail->state == TAIL_SLEEPING)
		tail_read(tail);
}

/* --- the hub --- */

static void on_store_change(bool up, void *context)
{
	struct log_hub *hub = context;
	struct log_tail *tail;

	if (!up)
		return;
	LIST_FOREACH (tail, &hub->tails, link)
		tail_check(tail);
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
