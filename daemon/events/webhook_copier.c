/* Two batches: one collects what the log says, the other is being copied. Where the first is full
 * the log's reader goes, and comes back where it stopped. */
#include "events/webhook_copier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "events/expand.h"
#include "services/loop.h"
#include "store/log.h"
#include "store/store.h"

enum { ROWS_MAX = 1000, POSITION_BYTES = 64, PASS_TICKS = 8 };

/* Texts in the batch's arena. */
struct copy_row {
	const char *webhook;
	int64_t max_waiting;
	const char *event;
	const char *type;
	const char *json;
};

struct copy_batch {
	struct arena *arena;
	struct copy_row *rows;
	size_t count, room;
	char position[POSITION_BYTES]; /* once it is closed */
};

struct webhook_copier {
	struct webhook_copier_options options; /* its texts outlive the owner of this */
	const struct webhook_list *list;       /* NULL: not known, nothing is read */
	struct log_reader *reader;
	struct copy_batch *collected; /* NULL: nothing */
	struct copy_batch *sending;   /* NULL: nothing */
	char handed[POSITION_BYTES];  /* up to here the log was read */
	char stored[POSITION_BYTES];  /* the cursor in the store */
	char passing[POSITION_BYTES]; /* ... as it will be */
	bool is_known;                /* where the cursor stands */
	bool is_asking;               /* for it */
	bool is_writing;              /* a copy or the cursor */
	int ticks;
	int refs; /* its owner, answers under way */
	bool is_dead;
};

static void batch_free(struct copy_batch **batch)
{
	if (*batch == NULL)
		return;
	arena_free(&(*batch)->arena);
	free((*batch)->rows);
	free(*batch);
	*batch = NULL;
}

static void copier_unref(void *object)
{
	struct webhook_copier *copier = object;

	if (--copier->refs > 0)
		return;
	batch_free(&copier->collected);
	batch_free(&copier->sending);
	free(copier);
}

/* An answer came: false where nobody wants it any more. */
static bool answer_taken(struct webhook_copier *copier)
{
	bool is_dead = copier->is_dead;

	copier_unref(copier);
	return !is_dead;
}

static void position_set(char held[POSITION_BYTES], const char *position)
{
	snprintf(held, POSITION_BYTES, "%s", position);
}

static void go_on(struct webhook_copier *copier);

/* Another reader was here: where it stands is where this one goes on. */
static void start_over(struct webhook_copier *copier)
{
	log_reader_free(&copier->reader);
	batch_free(&copier->collected);
	batch_free(&copier->sending);
	copier->is_known = false;
}

/* ---- into the store ---- */

/* The script's three first arguments, which both scripts share. */
static struct store_call *step_call(const struct webhook_copier *copier, const char *script,
				    const char *position)
{
	struct store_call *call = store_script(script, copier->options.workspace);

	store_key(call, "lease:steward");
	store_key(call, "cur:webhooks");
	store_arg_text(call, copier->options.fence);
	store_arg_text(call, copier->stored);
	store_arg_text(call, position);
	return call;
}

/* False after a failure, which the next tick looks after. */
static bool step_taken(struct webhook_copier *copier, const struct store_reply *reply,
		       const struct error *err)
{
	copier->is_writing = false;
	if (err != NULL)
		return false;
	if (reply_is(reply, "ok"))
		return true;
	if (text_equal(reply_text(reply_item(reply, 1), NULL), "cursor"))
		start_over(copier);
	return false;
}

static void on_copied(const struct store_reply *reply, const struct error *err, void *context)
{
	struct webhook_copier *copier = context;

	if (!answer_taken(copier) || !step_taken(copier, reply, err))
		return;
	position_set(copier->stored, copier->sending->position);
	batch_free(&copier->sending);
	copier->options.counts->copied += reply_int(reply_item(reply, 1));
	copier->options.counts->dead += reply_int(reply_item(reply, 2));
	copier->options.on_copied(copier->options.context);
	go_on(copier);
}

static void batch_send(struct webhook_copier *copier)
{
	const struct copy_batch *batch = copier->sending;
	struct store_call *call = step_call(copier, "webhook_copy", batch->position);

	for (size_t i = 0; i < batch->count; i++) {
		store_arg_text(call, batch->rows[i].webhook);
		store_arg_int(call, batch->rows[i].max_waiting);
		store_arg_text(call, batch->rows[i].event);
		store_arg_text(call, batch->rows[i].type);
		store_arg_text(call, batch->rows[i].json);
	}
	copier->is_writing = true;
	copier->refs++;
	store_run(copier->options.parts->store, call, on_copied, copier);
}

static void on_passed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct webhook_copier *copier = context;

	if (!answer_taken(copier) || !step_taken(copier, reply, err))
		return;
	position_set(copier->stored, copier->passing);
	go_on(copier);
}

static void cursor_pass(struct webhook_copier *copier)
{
	position_set(copier->passing, copier->handed);
	copier->is_writing = true;
	copier->refs++;
	store_run(copier->options.parts->store, step_call(copier, "webhook_pass", copier->passing),
		  on_passed, copier);
}

/* ---- the log ---- */

static void row_add(struct webhook_copier *copier, const struct webhook *webhook,
		    const struct public_event *event)
{
	struct copy_batch *batch = copier->collected;
	struct copy_row *row;

	if (batch == NULL) {
		batch = copier->collected = memory_new(sizeof(*batch));
		batch->arena = arena_new(0);
	}
	if (batch->count == batch->room) {
		batch->room = batch->room == 0 ? 64 : 2 * batch->room;
		batch->rows = memory_grow(batch->rows, batch->room, sizeof(*batch->rows));
	}
	row = &batch->rows[batch->count++];
	row->webhook = arena_text(batch->arena, webhook->id);
	row->max_waiting = webhook->max_waiting;
	row->event = arena_text(batch->arena, event->id);
	row->type = event->type;
	row->json = arena_copy(batch->arena, event->data.data, event->data.len);
}

static void entry_take(struct webhook_copier *copier, const struct log_entry *entry)
{
	struct public_event events[EXPANDED_MAX];
	size_t count = copier->list->count == 0 ? 0 : event_expand(entry, events);

	for (size_t i = 0; i < count; i++) {
		for (size_t at = 0; at < copier->list->count; at++)
			if (webhook_wants(&copier->list->rows[at], events[i].type, events[i].queue))
				row_add(copier, &copier->list->rows[at], &events[i]);
		buf_clear(&events[i].data);
	}
}

static bool is_ours(const struct log_entry *entry)
{
	return text_equal(entry->type, "config.changed") && entry->object != NULL &&
	       (text_starts(entry->object, "webhooks:") || text_equal(entry->object, "apply"));
}

static void on_entry(const struct log_entry *entry, void *context)
{
	struct webhook_copier *copier = context;

	entry_take(copier, entry);
	position_set(copier->handed, entry->position);
	if (is_ours(entry)) {
		log_reader_free(&copier->reader);
		copier->list = NULL;
		copier->options.on_config(copier->options.context);
		go_on(copier);
	} else if (copier->collected != NULL && copier->collected->count >= ROWS_MAX) {
		log_reader_free(&copier->reader);
		go_on(copier);
	}
}

static void on_reset(const char *position, void *context)
{
	struct webhook_copier *copier = context;

	log_warn("webhooks",
		 "event=log_lost workspace=%s consequence=\"endpoints are not told of what it "
		 "held\"",
		 copier->options.workspace);
	position_set(copier->handed, position);
}

static void on_batch(const char *position, void *context)
{
	struct webhook_copier *copier = context;

	position_set(copier->handed, position);
	go_on(copier);
}

static void reader_open(struct webhook_copier *copier)
{
	const struct log_reader_options options = {
		.workspace = copier->options.workspace,
		.after = copier->handed[0] == '\0' ? NULL : copier->handed,
	};

	copier->reader = log_reader_new(copier->options.parts->loop, copier->options.parts->store,
					&options, on_entry, on_reset, on_batch, copier);
}

static void on_cursor(const struct store_reply *reply, const struct error *err, void *context)
{
	struct webhook_copier *copier = context;
	const char *position = err == NULL ? reply_text(reply, NULL) : NULL;

	copier->is_asking = false;
	if (!answer_taken(copier) || err != NULL)
		return; /* asked again at the next tick */
	position_set(copier->stored, position == NULL ? "" : position);
	position_set(copier->handed, copier->stored);
	copier->is_known = true;
	go_on(copier);
}

static void cursor_ask(struct webhook_copier *copier)
{
	struct store_call *call = store_command("GET");

	store_arg_key(call, copier->options.workspace, "cur:webhooks");
	copier->is_asking = true;
	copier->refs++;
	store_read(copier->options.parts->store, call, on_cursor, copier);
}

/* What comes next; harmless where everything is under way. */
static void go_on(struct webhook_copier *copier)
{
	if (!copier->is_known)
		return;
	if (!copier->is_writing && copier->sending == NULL && copier->collected != NULL) {
		copier->sending = copier->collected;
		copier->collected = NULL;
		position_set(copier->sending->position, copier->handed);
		batch_send(copier);
	}
	/* The first place counts at once: what comes after it is copied, whoever dies. */
	if (!copier->is_writing && copier->sending == NULL && copier->stored[0] == '\0' &&
	    copier->handed[0] != '\0')
		cursor_pass(copier);
	if (copier->reader == NULL && copier->list != NULL &&
	    (copier->collected == NULL || copier->collected->count < ROWS_MAX))
		reader_open(copier);
}

void webhook_copier_tick(struct webhook_copier *copier)
{
	if (!copier->is_known && !copier->is_asking) {
		cursor_ask(copier);
		return;
	}
	if (copier->is_known && !copier->is_writing) {
		if (copier->sending != NULL)
			batch_send(copier);
		else if (copier->collected == NULL && copier->ticks++ % PASS_TICKS == 0 &&
			 !text_equal(copier->handed, copier->stored))
			cursor_pass(copier);
	}
	go_on(copier);
}

void webhook_copier_set_list(struct webhook_copier *copier, const struct webhook_list *list)
{
	copier->list = list;
	go_on(copier);
}

struct webhook_copier *webhook_copier_new(const struct webhook_copier_options *options)
{
	struct webhook_copier *copier = memory_new(sizeof(*copier));

	copier->options = *options;
	copier->refs = 1;
	cursor_ask(copier);
	return copier;
}

void webhook_copier_free(struct webhook_copier **copier)
{
	struct webhook_copier *held = *copier;

	*copier = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	held->list = NULL;
	log_reader_free(&held->reader);
	loop_defer_free(held->options.parts->loop, held, copier_unref);
}
