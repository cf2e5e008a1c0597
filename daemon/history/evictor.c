#include "history/evictor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config.h"
#include "history/evict_internal.h"
#include "history/history.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum {
	TICK_MS = 1000,
	AFTER_FAILURE_MS = 5 * 1000,
	LOOK_AGAIN_MS = 60 * 1000,
	REFUSED_AGAIN_MS = 3600 * 1000,
	RECEIPTS = 100,
	PAIRS = 30, /* of one reference_drop */
};

/* ---- life ---- */

static void evictor_unref(void *object)
{
	struct evictor *evictor = object;

	if (--evictor->refs > 0)
		return;
	arena_free(&evictor->arena);
	buf_clear(&evictor->rows);
	free(evictor->cursor);
	free(evictor->fence);
	free(evictor);
}

bool evict_answered(struct evictor *evictor)
{
	bool is_dead = evictor->is_dead;

	evictor_unref(evictor);
	return !is_dead;
}

const char *evict_workspace(const struct evictor *evictor)
{
	return workspace_name(evictor->workspace);
}

void evict_round_end(struct evictor *evictor, int64_t next_ms)
{
	harvest_free(&evictor->harvest);
	arena_free(&evictor->arena);
	buf_clear(&evictor->rows);
	evictor->count = 0;
	evictor->late_count = 0;
	loop_timer_start(evictor->timer, next_ms);
}

static int64_t keep_ms(const struct evictor *evictor)
{
	return evictor->parts->config->history.keep_hot_ms;
}

/* When one that something holds is looked at again. */
static int64_t look_again_ms(const struct evictor *evictor)
{
	return keep_ms(evictor) < LOOK_AGAIN_MS ? keep_ms(evictor) : LOOK_AGAIN_MS;
}

/* ---- out of the store ---- */

static void take_outcome(struct evictor *evictor, const struct evict_one *one,
			 const struct store_reply *reply)
{
	if (!reply_is(reply, "ok")) {
		log_debug("history", "event=stays workspace=%s id=%s why=%s",
			  evict_workspace(evictor), one->id,
			  reply_text(reply_item(reply, 1), NULL));
		return;
	}
	evictor->moved++;
	if (one->is_item)
		evictor->counts->work_items++;
	else
		evictor->counts->conversations++;
}

static void on_evicted(const struct store_reply *reply, const struct error *err, void *context)
{
	struct evict_one *one = context;
	struct evictor *evictor = one->evictor;

	if (!evict_answered(evictor))
		return;
	if (err == NULL)
		take_outcome(evictor, one, reply);
	if (--evictor->left == 0)
		evict_round_end(evictor, evictor->is_full && evictor->moved > 0 ? 0 : TICK_MS);
}

static void on_dropped(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)err; /* dropped the next time: then evict has refused it too */
	evict_answered(context);
}

static void references_drop(struct evictor *evictor, const struct evict_one *one)
{
	for (size_t first = 0; first < one->reference_count; first += PAIRS) {
		struct store_call *call = store_script("reference_drop", evict_workspace(evictor));

		store_arg_text(call, one->id + strlen("cnv_"));
		for (size_t i = first; i < one->reference_count && i < first + PAIRS; i++) {
			char bucket[16];

			snprintf(bucket, sizeof(bucket), "%x", one->references[i].bucket);
			store_arg_text(call, bucket);
			store_arg(call, one->references[i].field, sizeof(one->references[i].field));
		}
		evictor->refs++;
		store_run(evictor->parts->store, call, on_dropped, evictor);
	}
}

static void one_evict(struct evictor *evictor, struct evict_one *one)
{
	struct store_call *call =
		store_script(one->is_item ? "evict_item" : "evict", evict_workspace(evictor));

	if (one->is_item) {
		store_key(call, "w:%s", one->id);
	} else {
		store_key(call, "c:%s", one->id);
		store_key(call, "m:%s", one->id);
		store_key(call, "y:%s", one->id);
		store_key(call, "oq:%s", one->id);
	}
	store_arg_text(call, evictor->fence);
	store_arg_text(call, one->id);
	store_arg_text(call, one->is_written ? one->digest : "");
	store_arg_int(call, one->read_ms);
	store_arg_int(call, keep_ms(evictor));
	store_arg_int(call, look_again_ms(evictor));
	if (!one->is_item) {
		store_arg_int(call, (int64_t)one->media_count);
		for (size_t i = 0; i < one->media_count; i++)
			store_arg_text(call, one->media[i]);
		for (size_t i = 0; i < one->dead_count; i++)
			store_arg_text(call, one->dead[i]);
	}
	evictor->refs++;
	store_run(evictor->parts->store, call, on_evicted, one);
}

static void one_put_off(struct evictor *evictor, struct evict_one *one, int64_t after_ms)
{
	struct store_call *call = store_script("evict_later", evict_workspace(evictor));

	store_key(call, "rest");
	store_arg_text(call, one->id);
	store_arg_int(call, keep_ms(evictor));
	store_arg_int(call, after_ms);
	evictor->refs++;
	store_run(evictor->parts->store, call, on_evicted, one);
}

/* References first: the history has them by now, and a conversation that stays after all is found
 * there. */
static void evict_all(struct evictor *evictor)
{
	evictor->left = evictor->count;
	evictor->moved = 0;
	for (size_t i = 0; i < evictor->count; i++) {
		struct evict_one *one = &evictor->ones[i];

		if (one->has_too_many) {
			one_put_off(evictor, one, look_again_ms(evictor));
			continue;
		}
		if (one->is_written)
			references_drop(evictor, one);
		one_evict(evictor, one);
	}
}

/* ---- into the history ---- */

/* It says what it did not take, but not which of them that belongs to: one at a time then. */
static void not_taken(struct evictor *evictor, const char *why)
{
	evictor->has_failed = true;
	if (evictor->count > 1) {
		evictor->batch_max = 1;
		evict_round_end(evictor, 0);
		return;
	}
	evictor->counts->refused++;
	log_error("history", "event=not_taken workspace=%s id=%s error=%s",
		  evict_workspace(evictor), evictor->ones[0].id, log_quote(why));
	evictor->left = 1;
	one_put_off(evictor, &evictor->ones[0], REFUSED_AGAIN_MS);
}

static void on_written(struct json_object *answer, const struct error *err, void *context)
{
	struct evictor *evictor = context;
	struct json_object *skipped = json_at(answer, "skipped");

	if (!evict_answered(evictor))
		return;
	if (err != NULL && strstr(err->text, "poison job") != NULL) {
		not_taken(evictor, err->text);
	} else if (err != NULL) {
		evict_round_end(evictor, AFTER_FAILURE_MS);
	} else if (json_count(skipped) > 0) {
		not_taken(evictor, json_text(json_item(skipped, 0), "error"));
	} else {
		if (!evictor->has_failed)
			evictor->batch_max = EVICT_BATCH;
		evictor->has_failed = false;
		evict_all(evictor);
	}
}

static void on_harvest(const struct buf *rows, const struct error *err, void *context)
{
	struct evictor *evictor = context;

	if (err != NULL) {
		evict_round_end(evictor, AFTER_FAILURE_MS);
		return;
	}
	buf_reset(&evictor->rows);
	buf_add(&evictor->rows, rows->data, rows->len);
	evict_rows_read(evictor, &evictor->rows);
	evictor->refs++;
	history_tell(evictor->parts->history, "write", evict_workspace(evictor), &evictor->rows,
		     on_written, evictor);
}

static void write_all(struct evictor *evictor)
{
	bool is_any = false;

	evictor->harvest = harvest_new(evictor->parts->store, evict_workspace(evictor));
	for (size_t i = 0; i < evictor->count; i++) {
		struct evict_one *one = &evictor->ones[i];

		if (!one->is_written)
			continue;
		is_any = true;
		if (one->is_item)
			harvest_work_item(evictor->harvest, one->id);
		else
			harvest_all_messages(evictor->harvest, one->id);
	}
	if (is_any)
		harvest_run(evictor->harvest, on_harvest, evictor);
	else
		evict_all(evictor);
}

/* ---- what may leave ---- */

/* Not worth writing where evict will refuse it anyway. */
static bool is_ripe(const struct evictor *evictor, const struct evict_one *one,
		    const struct store_reply *hash)
{
	const char *work_item = reply_field(hash, "w");
	int64_t changed = reply_field_int(hash, one->is_item ? "st" : "ut");

	return changed <= one->read_ms - keep_ms(evictor) &&
	       (one->is_item || work_item == NULL || *work_item == '\0');
}

/* A batch has room for one long conversation, or for several short ones. */
static void cut_batch(struct evictor *evictor)
{
	int64_t messages = 0;
	size_t kept = 0;

	while (kept < evictor->count && kept < evictor->batch_max &&
	       (kept == 0 || messages + evictor->ones[kept].messages <= EVICT_MESSAGES))
		messages += evictor->ones[kept++].messages;
	evictor->is_full = evictor->is_full || kept < evictor->count;
	evictor->count = kept;
}

static void on_read(const struct store_reply *reply, const struct error *err, void *context)
{
	struct evict_one *one = context;
	struct evictor *evictor = one->evictor;

	if (!evict_answered(evictor))
		return;
	if (err == NULL && reply_is(reply, "ok") && reply_count(reply) >= 5) {
		snprintf(one->digest, sizeof(one->digest), "%s",
			 reply_text(reply_item(reply, 1), NULL));
		one->read_ms = reply_int(reply_item(reply, 2));
		one->messages = reply_int(reply_item(reply, 4));
		one->is_written = is_ripe(evictor, one, reply_item(reply, 3));
	}
	if (--evictor->left > 0)
		return;
	cut_batch(evictor);
	for (size_t i = 0; i < evictor->count; i++)
		evictor->ones[i].references =
			arena_alloc(evictor->arena, (size_t)(2 * evictor->ones[i].messages + 2) *
							    sizeof(*evictor->ones[i].references));
	write_all(evictor);
}

static void read_all(struct evictor *evictor)
{
	evictor->left = evictor->count;
	if (evictor->count == 0)
		evict_round_end(evictor, TICK_MS);
	for (size_t i = 0; i < evictor->count; i++) {
		struct store_call *call = store_script("evict_read", evict_workspace(evictor));

		store_arg_text(call, evictor->ones[i].id);
		evictor->refs++;
		store_read(evictor->parts->store, call, on_read, &evictor->ones[i]);
	}
}

static void ones_take(struct evictor *evictor, const struct store_reply *ids)
{
	for (size_t i = 0; i < reply_count(ids) && i < EVICT_BATCH; i++) {
		struct evict_one *one = &evictor->ones[evictor->count++];

		*one = (struct evict_one){ .evictor = evictor };
		snprintf(one->id, sizeof(one->id), "%s", reply_text(reply_item(ids, i), NULL));
		one->is_item = text_starts(one->id, "wrk_");
	}
	evictor->is_full = reply_count(ids) == EVICT_BATCH;
}

static void late_take(struct evictor *evictor, const struct store_reply *receipts)
{
	evictor->late_count = reply_count(receipts);
	evictor->late =
		arena_alloc(evictor->arena, (evictor->late_count + 1) * sizeof(*evictor->late));
	for (size_t i = 0; i < evictor->late_count; i++)
		evictor->late[i] =
			arena_text(evictor->arena, reply_text(reply_item(receipts, i), NULL));
}

static void on_rest(const struct store_reply *reply, const struct error *err, void *context)
{
	struct evictor *evictor = context;

	if (!evict_answered(evictor))
		return;
	evictor->arena = arena_new(0);
	if (err != NULL || !reply_is(reply, "ok") || reply_count(reply) < 5) {
		evict_round_end(evictor, TICK_MS);
		return;
	}
	evictor->counts->at_rest = reply_int(reply_item(reply, 1));
	ones_take(evictor, reply_item(reply, 2));
	late_take(evictor, reply_item(reply, 3));
	if (evictor->late_count > 0)
		evict_late_start(evictor, read_all);
	else
		read_all(evictor);
}

static void rest_read(struct evictor *evictor)
{
	struct store_call *call = store_script("rest_read", evict_workspace(evictor));

	store_arg_int(call, keep_ms(evictor));
	store_arg_int(call, EVICT_BATCH);
	store_arg_int(call, RECEIPTS);
	store_arg_int(call, 0);
	evictor->refs++;
	store_read(evictor->parts->store, call, on_rest, evictor);
}

/* ---- a store that lost everything ---- */

static void on_known(struct json_object *answer, const struct error *err, void *context)
{
	struct evictor *evictor = context;

	if (!evict_answered(evictor))
		return;
	if (err == NULL && json_count(json_at(answer, "rows")) > 0)
		log_warn("history",
			 "event=store_is_empty workspace=%s place=%s hint=\"the history knows "
			 "customers: convergectl history restore brings them and open work back, "
			 "best "
			 "before new messages come in\"",
			 evict_workspace(evictor), history_place(evictor->parts->history));
	rest_read(evictor);
}

static void on_numbered(const struct store_reply *reply, const struct error *err, void *context)
{
	struct evictor *evictor = context;
	struct buf fields = { 0 };

	if (!evict_answered(evictor))
		return;
	if (err != NULL || reply_int(reply) > 0) {
		rest_read(evictor);
		return;
	}
	buf_text(&fields, ",\"what\":\"customer\",\"limit\":1");
	evictor->refs++;
	history_ask(evictor->parts->history, "restore", evict_workspace(evictor), &fields, on_known,
		    evictor);
	buf_clear(&fields);
}

/* Nothing ever had a number here. */
static void empty_look(struct evictor *evictor)
{
	struct store_call *call = store_command("HGET");

	evictor->has_looked = true;
	store_arg_key(call, evict_workspace(evictor), "meta");
	store_arg_text(call, "num");
	evictor->refs++;
	store_read(evictor->parts->store, call, on_numbered, evictor);
}

static void on_tick(void *context)
{
	struct evictor *evictor = context;

	if (!store_is_up(evictor->parts->store))
		loop_timer_start(evictor->timer, TICK_MS);
	else if (evictor->is_swept && !evictor->has_looked)
		empty_look(evictor);
	else if (evictor->is_swept)
		rest_read(evictor);
	else
		evict_sweep_start(evictor, empty_look);
}

struct evictor *evictor_new(struct parts *parts, struct workspace *workspace, const char *fence,
			    struct evict_counts *counts)
{
	struct evictor *evictor = memory_new(sizeof(*evictor));

	evictor->parts = parts;
	evictor->workspace = workspace;
	evictor->counts = counts;
	evictor->fence = memory_text(fence);
	evictor->batch_max = EVICT_BATCH;
	evictor->refs = 1;
	evictor->timer = loop_timer_new(parts->loop, on_tick, evictor);
	loop_timer_start(evictor->timer, TICK_MS);
	return evictor;
}

void evictor_free(struct evictor **evictor)
{
	struct evictor *held = *evictor;

	*evictor = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	harvest_free(&held->harvest);
	loop_timer_free(&held->timer);
	loop_defer_free(held->parts->loop, held, evictor_unref);
}
