#include "store/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "services/loop.h"
#include "store/log_tail.h"

enum { BATCH_DEFAULT = 500, AGAIN_MS = 200 };

static void catch_up(struct log_reader *reader);

void reader_unref(struct log_reader *reader)
{
	struct log_tail *tail = reader->tail;

	if (--reader->refs > 0)
		return;
	free(reader);
	tail_unref(tail);
}

static void set_cursor(struct log_reader *reader, struct log_id id)
{
	reader->cursor = id;
	log_position_format(reader->tail->generation, id, reader->position);
}

static void go_live(struct log_reader *reader)
{
	if (log_id_compare(reader->cursor, reader->tail->cursor) < 0)
		set_cursor(reader, reader->tail->cursor);
	reader->state = READER_LIVE;
}

void reader_reset(struct log_reader *reader)
{
	reader->turn++;
	set_cursor(reader, reader->tail->cursor);
	reader->state = READER_LIVE;
	if (reader->on_reset != NULL)
		reader->on_reset(reader->position, reader->context);
}

void reader_take(struct log_reader *reader, const struct log_batch *batch)
{
	bool is_any = false;

	for (size_t i = 0; i < batch->count && !reader->is_closed; i++) {
		if (log_id_compare(batch->rows[i].id, reader->cursor) <= 0)
			continue;
		is_any = true;
		set_cursor(reader, batch->rows[i].id);
		reader->on_entry(&batch->rows[i].entry, reader->context);
	}
	if (is_any && !reader->is_closed && reader->on_batch != NULL)
		reader->on_batch(reader->position, reader->context);
}

/* --- catching up --- */

struct question {
	struct log_reader *reader;
	int turn;
};

static struct question *ask(struct log_reader *reader)
{
	struct question *question = memory_new(sizeof(*question));

	question->reader = reader;
	question->turn = reader->turn;
	reader->refs++;
	return question;
}

/* The reader if the answer still means something to it, else NULL; it keeps its reference. */
static struct log_reader *answered(void *context, struct log_reader **ret_reader)
{
	struct question question = *(struct question *)context;

	free(context);
	*ret_reader = question.reader;
	return question.reader->is_closed || question.turn != question.reader->turn
		       ? NULL
		       : question.reader;
}

/* The store is away: the tail starts its readers again when it reads again. Or only this question
 * was refused (too many wait), of which the tail knows nothing. */
static void wait_for_store(struct log_reader *reader)
{
	struct log_id none = { 0, 0 };

	reader->state = READER_STARTING;
	if (log_id_compare(reader->cursor, none) > 0)
		memcpy(reader->after, reader->position, sizeof(reader->after));
	loop_timer_start(reader->again, AGAIN_MS);
}

static void on_older(const struct store_reply *reply, const struct error *err, void *context)
{
	struct log_reader *any;
	struct log_reader *reader = answered(context, &any);
	size_t count = err == NULL ? reply_count(reply) : 0;
	struct log_batch *batch;

	if (reader != NULL && err != NULL) {
		wait_for_store(reader);
	} else if (reader != NULL) {
		struct log_id last = reader->cursor;

		batch = log_batch_new(reply, reader->tail->generation);
		reader_take(reader, batch);
		free(batch);
		if (count > 0)
			log_id_parse(reply_text(reply_item(reply_item(reply, count - 1), 0), NULL),
				     &last);
		if (reader->is_closed || reader->state != READER_CATCHING_UP) {
			/* freed or reset inside a callback */
		} else if (count < reader->batch ||
			   log_id_compare(last, reader->tail->cursor) >= 0) {
			set_cursor(reader, last);
			go_live(reader);
		} else {
			set_cursor(reader, last);
			catch_up(reader);
		}
	}
	reader_unref(any);
}

static void catch_up(struct log_reader *reader)
{
	struct store_call *call = store_command("XRANGE");
	char after[LOG_ID_BYTES + 1] = "(";

	log_id_format(reader->cursor, after + 1);
	store_arg_key(call, reader->tail->workspace, "log");
	store_arg_text(call, after);
	store_arg_text(call, "+");
	store_arg_text(call, "COUNT");
	store_arg_int(call, (int64_t)reader->batch);
	reader->state = READER_CATCHING_UP;
	store_read(reader->tail->store, call, on_older, ask(reader));
}

static void on_state(const struct store_reply *reply, const struct error *err, void *context)
{
	struct log_reader *any;
	struct log_reader *reader = answered(context, &any);

	if (reader != NULL) {
		const char *word = reply_text(reply_item(reply, 3), NULL);

		if (err != NULL)
			wait_for_store(reader);
		else if (word == NULL || strcmp(word, "here") != 0)
			reader_reset(reader);
		else
			catch_up(reader);
	}
	reader_unref(any);
}

static void ask_for_position(struct log_reader *reader)
{
	struct store_call *call = store_script("log_state", reader->tail->workspace);
	char id[LOG_ID_BYTES];

	log_id_format(reader->cursor, id);
	store_key(call, "log");
	store_arg_text(call, id);
	reader->state = READER_ASKING;
	store_read(reader->tail->store, call, on_state, ask(reader));
}

void reader_start(struct log_reader *reader)
{
	int64_t generation;
	struct log_id id = { 0, 0 };

	if (reader->after[0] == '\0') {
		set_cursor(reader, reader->tail->cursor);
		reader->state = READER_LIVE;
		if (reader->on_batch != NULL)
			reader->on_batch(reader->position, reader->context);
	} else if (strcmp(reader->after, "0") == 0) {
		set_cursor(reader, id);
		catch_up(reader);
	} else if (!log_position_parse(reader->after, &generation, &id) ||
		   generation != reader->tail->generation) {
		reader_reset(reader);
	} else {
		set_cursor(reader, id);
		ask_for_position(reader);
	}
}

static void start_soon(void *context)
{
	struct log_reader *reader = context;

	if (!reader->is_closed && reader->state == READER_STARTING && reader->tail->is_known)
		reader_start(reader);
	reader_unref(reader);
}

/* Not at once: it may free the reader, and the timer with it. */
static void on_again(void *context)
{
	struct log_reader *reader = context;

	reader->refs++;
	loop_soon(reader->tail->loop, start_soon, reader);
}

/* --- public --- */

struct log_reader *log_reader_new(struct loop *loop, struct store *store,
				  const struct log_reader_options *options, log_entry_fn *on_entry,
				  log_reset_fn *on_reset, log_batch_fn *on_batch, void *context)
{
	struct log_reader *reader = memory_new(sizeof(*reader));

	reader->tail = tail_ref(loop, store, options->workspace);
	reader->on_entry = on_entry;
	reader->on_reset = on_reset;
	reader->on_batch = on_batch;
	reader->context = context;
	reader->batch = options->batch == 0 ? BATCH_DEFAULT : options->batch;
	/* A text too long to be a position is none: it ends in a reset. */
	if (options->after != NULL)
		snprintf(reader->after, sizeof(reader->after), "%s", options->after);
	snprintf(reader->position, sizeof(reader->position), "%s", reader->after);
	LIST_INSERT_HEAD(&reader->tail->readers, reader, link);
	reader->again = loop_timer_new(loop, on_again, reader);
	reader->refs = 2;
	loop_soon(loop, start_soon, reader);
	return reader;
}

void log_reader_free(struct log_reader **pointer)
{
	struct log_reader *reader = *pointer;

	if (reader == NULL)
		return;
	*pointer = NULL;
	reader->is_closed = true;
	LIST_REMOVE(reader, link);
	loop_timer_free(&reader->again);
	if (LIST_EMPTY(&reader->tail->readers))
		tail_close(reader->tail);
	reader_unref(reader);
}

const char *log_reader_position(const struct log_reader *reader)
{
	return reader->position;
}
