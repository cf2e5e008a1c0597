/* Receipts for ids that the store does not know (receipt_keep.lua): where the history has the
 * message, its mark moves on there, or in the store where the message stayed after all. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/evict_internal.h"
#include "history/history.h"
#include "parts.h"
#include "store/store.h"

enum { FIELD_HEX = 32, NAME_BYTES = 48 };

/* "<field> <channel> <mark>" and what the history knows of it. */
struct late {
	struct evictor *evictor;
	void (*done)(struct evictor *evictor);
	const char *stored;
	char channel[NAME_BYTES];
	const char *mark;
	char state[NAME_BYTES];
	const char *why;
	const char *conversation; /* NULL: it knows nothing */
	const char *message;
	int64_t index;
};

struct lates {
	struct evictor *evictor;
	void (*done)(struct evictor *evictor);
	struct late *list;
};

static void late_read(struct late *late, const char *stored)
{
	const char *channel = strchr(stored, ' ');
	const char *mark = channel == NULL ? NULL : strchr(channel + 1, ' ');
	const char *why;

	late->stored = stored;
	if (mark == NULL)
		return;
	snprintf(late->channel, sizeof(late->channel), "%.*s", (int)(mark - channel - 1),
		 channel + 1);
	late->mark = mark + 1;
	why = strchr(late->mark, ' ');
	snprintf(late->state, sizeof(late->state), "%.*s", (int)strcspn(late->mark, " "),
		 late->mark);
	late->why = why == NULL ? "" : why + 1;
}

static void late_done(struct late *late)
{
	if (--late->evictor->left == 0)
		late->done(late->evictor);
}

/* ---- the end of one ---- */

static void on_ended(const struct store_reply *reply, const struct error *err, void *context)
{
	struct late *late = context;

	(void)reply;
	(void)err; /* looked at again in the next round */
	if (evict_answered(late->evictor))
		late_done(late);
}

static void late_end(struct late *late, const char *from, const char *to)
{
	struct store_call *call = store_script("late_end", evict_workspace(late->evictor));

	store_key(call, "late");
	store_arg_text(call, late->stored);
	if (from != NULL) {
		late->evictor->counts->receipts++;
		store_arg_text(call, late->conversation);
		store_arg_text(call, late->message);
		store_arg_int(call, late->index);
		store_arg_text(call, late->channel);
		store_arg_text(call, from);
		store_arg_text(call, to);
	}
	late->evictor->refs++;
	store_run(late->evictor->parts->store, call, on_ended, late);
}

/* ---- in the history ---- */

static void on_marked(struct json_object *answer, const struct error *err, void *context)
{
	struct late *late = context;

	if (!evict_answered(late->evictor))
		return;
	if (err != NULL)
		late_done(late);
	else
		late_end(late, json_text(answer, "from"), json_text(answer, "to"));
}

static void history_mark(struct late *late)
{
	struct buf fields = { 0 };
	struct json_out out;

	jw_start(&out, &fields);
	out.need_comma = true;
	jw_text(&out, "message", late->message);
	jw_text(&out, "state", late->state);
	jw_text(&out, "mark", late->mark);
	late->evictor->refs++;
	history_tell(late->evictor->parts->history, "receipt", evict_workspace(late->evictor),
		     &fields, on_marked, late);
	buf_clear(&fields);
}

/* ---- in the store ---- */

static void on_tried(const struct store_reply *reply, const struct error *err, void *context)
{
	struct late *late = context;

	if (!evict_answered(late->evictor))
		return;
	if (err != NULL)
		late_done(late);
	else if (reply_is(reply, "refused"))
		history_mark(late);
	else
		late_end(late, NULL, NULL);
}

static void store_mark(struct late *late)
{
	struct store_call *call = store_script("admit_receipt", evict_workspace(late->evictor));

	store_key(call, "y:%s", late->conversation);
	store_arg_text(call, late->conversation);
	store_arg_text(call, late->message);
	store_arg_int(call, late->index);
	store_arg_text(call, late->state);
	store_arg_text(call, late->why);
	store_arg_text(call, late->channel);
	late->evictor->refs++;
	store_run(late->evictor->parts->store, call, on_tried, late);
}

/* ---- whose they are ---- */

static void take_reference(struct lates *lates, struct json_object *row)
{
	struct evictor *evictor = lates->evictor;
	const char *field = json_text(row, "field");

	for (size_t i = 0; field != NULL && i < evictor->late_count; i++) {
		struct late *late = &lates->list[i];

		if (late->mark == NULL || !text_starts(late->stored, field))
			continue;
		late->conversation = arena_text(evictor->arena, json_text(row, "conversation"));
		late->message = arena_text(evictor->arena, json_text(row, "message"));
		late->index = json_int(row, "index", 0);
	}
}

static void on_references(struct json_object *answer, const struct error *err, void *context)
{
	struct lates *lates = context;
	struct evictor *evictor = lates->evictor;
	struct json_object *rows = json_at(answer, "references");

	if (!evict_answered(evictor))
		return;
	if (err != NULL) {
		lates->done(evictor);
		return;
	}
	for (size_t i = 0; i < json_count(rows); i++)
		take_reference(lates, json_item(rows, i));
	evictor->left = evictor->late_count;
	for (size_t i = 0; i < evictor->late_count; i++) {
		if (lates->list[i].message != NULL)
			store_mark(&lates->list[i]);
		else
			late_end(&lates->list[i], NULL, NULL);
	}
}

void evict_late_start(struct evictor *evictor, void (*done)(struct evictor *evictor))
{
	struct lates *lates = arena_alloc(evictor->arena, sizeof(*lates));
	struct buf fields = { 0 };
	struct json_out out;

	*lates = (struct lates){ .evictor = evictor, .done = done };
	lates->list = arena_alloc(evictor->arena, evictor->late_count * sizeof(*lates->list));
	jw_start(&out, &fields);
	out.need_comma = true;
	jw_array(&out, "fields");
	for (size_t i = 0; i < evictor->late_count; i++) {
		lates->list[i].evictor = evictor;
		lates->list[i].done = done;
		late_read(&lates->list[i], evictor->late[i]);
		jw_textn(&out, NULL, evictor->late[i], strcspn(evictor->late[i], " "));
	}
	jw_array_end(&out);
	evictor->refs++;
	history_ask(evictor->parts->history, "past_references", evict_workspace(evictor), &fields,
		    on_references, lates);
	buf_clear(&fields);
}
