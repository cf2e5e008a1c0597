/* Writing about a customer: own fields, notes, consent. */
#include <stdio.h>
#include <string.h>

#include "api/customer_view.h"
#include "api/handlers.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "identity/customer_compose.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

/* Each time somebody else has come further, so that it ends; an edit without If-Match is not told
 * of versions. */
enum { TRIES_MAX = 100 };
enum { NAME_MAX_BYTES = 200, PURPOSE_MAX = 40 };

void customer_refused(struct api_call *call, const struct store_reply *reply)
{
	static const struct {
		const char *word;
		int status;
		const char *code;
		const char *detail;
	} refusals[] = {
		{ "not_found", 404, "no_such_customer", "there is no such customer" },
		{ "no_such_note", 404, "no_such_note", "the customer has no such note" },
		{ "no_such_order", 404, "no_such_order", "the customer has no such order" },
		{ "version", 412, "version", "it has changed meanwhile: it is at version" },
		{ "moved", 409, "merged", "this customer is now part of" },
		{ "erasing", 409, "erasing", "this customer is being erased by job" },
		{ "full", 409, "full", "there is no room for more: at most" },
	};
	const char *word = reply_text(reply_item(reply, 1), NULL);
	const char *what = reply_text(reply_item(reply, 2), NULL);

	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		if (!text_equal(refusals[i].word, word))
			continue;
		api_problem(call, refusals[i].status, refusals[i].code, "%s%s%s",
			    refusals[i].detail, what == NULL ? "" : " ", what == NULL ? "" : what);
		return;
	}
	api_problem(call, 409, "refused", "the store refused it");
}

const char *api_source(struct api_call *call)
{
	const struct principal *who = &call->who;

	if (!text_starts(who->agent, "token:"))
		return arena_format(call->arena, "agent:%s", who->agent);
	return arena_format(call->arena, "%s:%s",
			    who->role == ROLE_INTEGRATION ? "integration" : "admin", who->name);
}

/* ---- own fields: read, merged, written if nobody was faster ---- */

struct editing {
	struct api_call *call;
	int tries;
};

static void edit_read(struct editing *editing);

/* Somebody was faster: with an edit, or by merging the customer into another. */
static bool is_overtaken(struct api_call *call, const struct store_reply *reply)
{
	const char *word = reply_text_at(reply, 1);

	if (word == NULL || call->if_match > 0)
		return false;
	if (text_equal(word, "moved"))
		call->params[0] = arena_text(call->arena, reply_text_at(reply, 2));
	return text_equal(word, "moved") || text_equal(word, "version");
}

static void on_edited(const struct store_reply *reply, const struct error *err, void *context)
{
	struct editing *editing = context;
	struct api_call *call = editing->call;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "ok"))
		handle_customer_get(call);
	else if (is_overtaken(call, reply) && editing->tries++ < TRIES_MAX)
		edit_read(editing);
	else
		customer_refused(call, reply);
}

static void add_text(struct api_call *call, struct store_call *edit, const char *key,
		     const char *field)
{
	const char *text = json_text(call->body, key);

	if (json_at(call->body, key) == NULL && text == NULL)
		return;
	store_arg_text(edit, field);
	store_arg_text(edit, text == NULL ? ""
					  : text_clean_line(call->arena, text, strlen(text),
							    NAME_MAX_BYTES));
}

static void add_json(struct api_call *call, struct store_call *edit, const char *key,
		     const char *field)
{
	struct json_object *value = json_at(call->body, key);
	struct buf text = { 0 };

	if (value == NULL)
		return;
	json_append(value, &text);
	store_arg_text(edit, field);
	store_arg(edit, text.data, text.len);
	buf_clear(&text);
}

/* What is stored: v, at, as, mf, to. */
static void edit_write(struct editing *editing, const struct store_reply *stored,
		       const struct buf *attributes)
{
	struct api_call *call = editing->call;
	struct store_call *edit = store_script("customer_put", call->who.workspace);
	const struct customer_writing writing = { api_source(call), loop_unix_ms(call->parts->loop),
						  reply_text_at(stored, 3) };
	struct buf sources = { 0 };

	store_key(edit, "u:%s", call->params[0]);
	store_arg_text(edit, call->params[0]);
	store_arg_int(edit, call->if_match > 0 ? call->if_match : reply_int_at(stored, 0));
	add_text(call, edit, "name", "nm");
	add_text(call, edit, "tier", "tier");
	add_json(call, edit, "tags", "tg");
	if (attributes->len > 0) {
		store_arg_text(edit, "at");
		store_arg(edit, attributes->data, attributes->len);
	}
	customer_sources_merge(reply_text_at(stored, 2), call->body, &writing, &sources);
	store_arg_text(edit, "as");
	store_arg(edit, sources.data, sources.len);
	buf_clear(&sources);
	store_run(call->parts->store, edit, on_edited, editing);
}

static void on_stored(const struct store_reply *reply, const struct error *err, void *context)
{
	struct editing *editing = context;
	struct api_call *call = editing->call;
	struct json_object *given = json_at(call->body, "attributes");
	struct buf attributes = { 0 };
	struct error wrong;

	/* An old id leads to whom it is part of now, as it does for reading. */
	const char *into = err == NULL && call->if_match <= 0 ? reply_text_at(reply, 4) : NULL;

	if (err != NULL) {
		api_fail(call, err);
	} else if (into != NULL && editing->tries++ < TRIES_MAX) {
		call->params[0] = arena_text(call->arena, into);
		edit_read(editing);
	} else if (json_kind(given) == JSON_OBJECT &&
		   customer_attributes_merge(reply_text_at(reply, 1), given, &attributes, &wrong) !=
			   0) {
		api_invalid(call, "#/body/attributes", "%s", wrong.text);
	} else {
		edit_write(editing, reply, &attributes);
	}
	buf_clear(&attributes);
}

static void edit_read(struct editing *editing)
{
	static const char *const fields[] = { "v", "at", "as", "mf", "to" };
	struct api_call *call = editing->call;
	struct store_call *read = store_command("HMGET");

	store_arg_key(read, call->who.workspace, "u:%s", call->params[0]);
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		store_arg_text(read, fields[i]);
	store_read(call->parts->store, read, on_stored, editing);
}

void handle_customer_patch(struct api_call *call)
{
	struct editing *editing = arena_alloc(call->arena, sizeof(*editing));

	editing->call = call;
	edit_read(editing);
}

/* ---- notes ---- */

static void on_noted(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *json = call->state;

	if (err != NULL) {
		api_fail(call, err);
	} else if (reply_is(reply, "conflict")) {
		api_key_conflict(call);
	} else if (reply_is(reply, "refused")) {
		customer_refused(call, reply);
	} else if (json == NULL) {
		api_empty(call, 204);
	} else {
		if (reply_is(reply, "replay"))
			api_replayed(call);
		api_answer_text(call, 201, json);
	}
}

static void note_run(struct api_call *call, const char *note, const char *json)
{
	struct store_call *put = store_script("customer_note", call->who.workspace);

	store_key(put, "u:%s", call->params[0]);
	store_arg_once(put, call->idempotency_key, call->request_hash);
	store_arg_text(put, call->params[0]);
	store_arg_text(put, note);
	store_arg_text(put, json);
	store_run(call->parts->store, put, on_noted, call);
}

void handle_customer_note_add(struct api_call *call)
{
	const char *text = json_text(call->body, "text");
	struct buf json = { 0 };
	struct json_out out;
	char id[ID_BYTES];

	id_new("nte_", id);
	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "id", id);
	jw_text(&out, "text", text_clean(call->arena, text, strlen(text), strlen(text)));
	jw_object(&out, "author");
	jw_text(&out, "id", call->who.agent);
	jw_text(&out, "name", api_agent_name(call, call->who.agent));
	jw_object_end(&out);
	jw_time(&out, "created_at", loop_unix_ms(call->parts->loop));
	jw_object_end(&out);
	call->state = arena_text(call->arena, json.data);
	buf_clear(&json);
	note_run(call, id, call->state);
}

void handle_customer_note_delete(struct api_call *call)
{
	note_run(call, call->params[1], "");
}

/* ---- consent ---- */

static bool is_word(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

	return *text != '\0' && strlen(text) <= PURPOSE_MAX && text[strspn(text, allowed)] == '\0';
}

static void on_consent(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "refused"))
		customer_refused(call, reply);
	else
		api_answer_text(call, 200, call->state);
}

static void consent_put(struct api_call *call, const char *channel, const char *members)
{
	struct store_call *put = store_script("consent_put", call->who.workspace);

	store_key(put, "u:%s", call->params[0]);
	store_arg_text(put, call->params[0]);
	store_arg_text(put, arena_format(call->arena, "k:%s:%s", call->params[1],
					 channel == NULL ? "*" : channel));
	store_arg_text(put, arena_format(call->arena, "{%s}", members));
	store_run(call->parts->store, put, on_consent, call);
}

void handle_customer_consent(struct api_call *call)
{
	const char *channel = json_text(call->body, "channel");
	const char *source = json_text(call->body, "source");
	const char *at = json_text(call->body, "at");
	struct buf members = { 0 };
	struct buf shown = { 0 };
	struct json_out out;

	if (!is_word(call->params[1]) || (channel != NULL && !is_word(channel))) {
		api_problem(call, 400, "bad_purpose",
			    "a purpose and a channel have 1 to 40 of a-z, 0-9, \"-\" and \"_\"");
		return;
	}
	if (text_equal(call->params[1], "messages")) {
		api_problem(call, 400, "bad_purpose",
			    "whether somebody wants messages is told of an address: PUT "
			    "/v1/conversations/{id}/opt-out");
		return;
	}
	jw_start(&out, &members);
	jw_text(&out, "state", json_text(call->body, "state"));
	jw_text(&out, "source", source == NULL ? api_source(call) : source);
	jw_time(&out, "at", at == NULL ? loop_unix_ms(call->parts->loop) : text_parse_time(at));
	jw_text(&out, "by", api_source(call));
	jw_start(&out, &shown);
	jw_object(&out, NULL);
	jw_text(&out, "purpose", call->params[1]);
	jw_text(&out, "channel", channel);
	buf_format(&shown, ",%s}", members.data);
	call->state = arena_text(call->arena, shown.data);
	consent_put(call, channel, members.data);
	buf_clear(&members);
	buf_clear(&shown);
}
