#include "api/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit.h"
#include "api/handlers.h"
#include "base/id.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/history.h"
#include "parts.h"
#include "services/loop.h"

enum { ROW_BYTES = 40, UNSENT_MAX = 64 * 1024, SLICE = 16 * 1024, PAUSE_MS = 20 };

/* ---- ids ---- */

void person_ids_add(struct person_ids *ids, const char *id)
{
	char row[ROW_BYTES] = "";

	snprintf(row, sizeof(row), "%s", id);
	buf_add(&ids->rows, row, sizeof(row));
}

const char *person_ids_at(const struct person_ids *ids, size_t index)
{
	return (index + 1) * ROW_BYTES > ids->rows.len ? NULL : ids->rows.data + index * ROW_BYTES;
}

bool person_ids_have(const struct person_ids *ids, const char *id)
{
	const char *one;

	for (size_t i = 0; (one = person_ids_at(ids, i)) != NULL; i++)
		if (text_equal(one, id))
			return true;
	return false;
}

bool person_know(struct person *person, const char *id)
{
	if (map_get(person->known, id) != NULL)
		return false;
	map_put(person->known, id, person);
	return true;
}

/* ---- life ---- */

static void person_unref(struct person *person)
{
	if (--person->refs > 0)
		return;
	loop_timer_free(&person->timer);
	buf_clear(&person->us.rows);
	buf_clear(&person->keys.rows);
	buf_clear(&person->talks.rows);
	buf_clear(&person->items.rows);
	buf_clear(&person->cases.rows);
	buf_clear(&person->out);
	map_free(&person->known);
	arena_free(&person->arena);
	free(person);
}

void person_hold(struct person *person)
{
	person->refs++;
}

bool person_is_wanted(struct person *person)
{
	bool is_gone = person->is_gone;

	person_unref(person);
	return !is_gone;
}

static void on_gone(void *context)
{
	struct person *person = context;

	person->stream = NULL;
	person->is_gone = true;
	loop_timer_stop(person->timer);
	person_unref(person);
}

static void person_over(struct person *person)
{
	person->is_gone = true;
	person_unref(person);
}

void person_fail(struct person *person, const struct error *err)
{
	struct error none = { 0 };

	if (err == NULL) {
		error_set(&none, ERROR_PERMANENT, "it changed meanwhile");
		err = &none;
	}
	log_warn(person->id, "event=export_ended error=%s", log_quote(err->text));
	if (person->call != NULL)
		api_fail(person->call, err);
	else
		http_stream_end(&person->stream);
	person_over(person);
}

/* ---- at the reader's pace ---- */

static void pump(void *context)
{
	struct person *person = context;

	while (person->stream != NULL && person->sent < person->out.len) {
		size_t left = person->out.len - person->sent;
		size_t len = left < SLICE ? left : SLICE;

		if (http_stream_unsent(person->stream) > UNSENT_MAX) {
			loop_timer_start(person->timer, PAUSE_MS);
			return;
		}
		if (!http_stream_write(person->stream, person->out.data + person->sent, len))
			return; /* on_gone follows */
		person->sent += len;
	}
	buf_reset(&person->out);
	person->sent = 0;
	person->next(person);
}

void person_go_on(struct person *person, person_step_fn *next)
{
	person->next = next;
	pump(person);
}

static void answer_preview(struct person *person)
{
	static const char *const names[PERSON_COUNTS] = {
		"identifiers",   "notes",    "orders",      "merges",     "business_events",
		"conversations", "messages", "attachments", "work_items", "events",
	};
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_bool(&out, "preview", true);
	jw_text(&out, "customer_id", person->id);
	for (size_t i = 0; i < PERSON_COUNTS; i++)
		jw_int(&out, names[i], person->counts[i]);
	jw_object_end(&out);
	api_answer(person->call, 200, &body);
}

void person_end(struct person *person)
{
	if (person->is_preview)
		answer_preview(person);
	else
		http_stream_end(&person->stream);
	person_over(person);
}

/* ---- the request ---- */

static void begin(struct person *person)
{
	struct api_call *call = person->call;
	struct buf name = { 0 };

	if (!person->is_preview) {
		buf_format(&name, "attachment; filename=%s.json", person->id);
		http_request_add_field(call->request, "Content-Disposition", buf_string(&name));
		http_request_add_field(call->request, "Cache-Control", "private, no-store");
		audit_end(call, 200, NULL);
		json_free(&call->body);
		person->call = NULL;
		person->stream =
			http_stream_start(call->request, "application/json", on_gone, person);
		buf_clear(&name);
	}
	person_go_on(person, person_write);
}

static struct person *person_new(struct api_call *call, const char *id)
{
	struct person *person = memory_new(sizeof(*person));

	person->parts = call->parts;
	person->call = call;
	person->refs = 1;
	person->arena = arena_new(0);
	person->known = map_new();
	person->timer = loop_timer_new(call->parts->loop, pump, person);
	person->id = arena_text(person->arena, id);
	person->is_preview = text_equal(api_query(call, "preview"), "true");
	person->has_notes = !text_equal(api_query(call, "notes"), "false");
	snprintf(person->workspace, sizeof(person->workspace), "%s", call->who.workspace);
	jw_start(&person->json, &person->out);
	return person;
}

static void on_customer(const struct customer *customer, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct person *person;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (customer == NULL) {
		api_problem(call, 404, "no_such_customer", "there is no such customer");
		return;
	}
	person = person_new(call, customer->id);
	person_write_customer(person, customer);
	person_gather(person, customer, begin);
}

void handle_customer_export(struct api_call *call)
{
	customer_read(call->parts->store, call->who.workspace, call->params[0], on_customer, call);
}
