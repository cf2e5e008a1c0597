/* Objects of the business configuration: agents, queues, skills, rules ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/in_force.h"
#include "api/in_use.h"
#include "api/keep.h"
#include "api/names.h"
#include "api/page.h"
#include "base/problems.h"
#include "base/text.h"
#include "business/business.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

enum { KIND_BYTES = 64, ID_MAX = 64 };

/* "agents" of "/v1/agents/{id}". */
static const char *kind_of(struct api_call *call)
{
	const char *start = call->route->pattern + strlen("/v1/");

	return arena_copy(call->arena, start, strcspn(start, "/"));
}

static void read_one(struct api_call *call, store_done_fn *done)
{
	struct store_call *read = store_command("HGET");

	store_arg_key(read, call->who.workspace, "cfg:%s", kind_of(call));
	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, done, call);
}

/* {"version":N, ... as config_put keeps it; 0 where nothing is stored. */
static int64_t version_of(const char *stored)
{
	static const char start[] = "{\"version\":";

	return stored == NULL || !text_starts(stored, start)
		       ? 0
		       : strtoll(stored + sizeof(start) - 1, NULL, 10);
}

/* What is stored, but for secrets. */
static const char *shown(struct api_call *call, const char *stored)
{
	struct json_object *object;
	struct buf text = { 0 };
	const char *copy;

	if (!business_has_secrets(kind_of(call)))
		return stored;
	object = json_read(stored, strlen(stored), NULL);
	business_mask(kind_of(call), object, &text);
	json_free(&object);
	copy = arena_text(call->arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

static void write_object(struct json_out *out, const struct page_row *row)
{
	const char *text = row->what;

	jw_raw(out, NULL, text, strlen(text));
}

static void on_list(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	size_t count = reply_count(reply) / 3;
	struct page_row *rows;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	rows = arena_alloc(call->arena, (count + 1) * sizeof(*rows));
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct page_row){
			.id = reply_text(reply_item(reply, 3 * i), NULL),
			.place = reply_int(reply_item(reply, 3 * i + 2)),
			.what = shown(call, reply_text(reply_item(reply, 3 * i + 1), NULL)),
		};
	page_answer(call, rows, count, write_object);
}

void handle_config_list(struct api_call *call)
{
	struct store_call *read = store_script("config_list", call->who.workspace);

	store_key(read, "cfg:%s", kind_of(call));
	store_key(read, "born:%s", kind_of(call));
	store_read(call->parts->store, read, on_list, call);
}

static void answer_with(struct api_call *call, const char *stored, const char *text)
{
	char etag[32];

	snprintf(etag, sizeof(etag), "\"%lld\"", (long long)version_of(stored));
	http_request_add_field(call->request, "ETag", etag);
	api_answer_text(call, 200, text);
}

static void answer_stored(struct api_call *call, const char *stored)
{
	answer_with(call, stored, shown(call, stored));
}

static void on_others(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	size_t count = reply_count(reply);
	const char **known = arena_alloc(call->arena, (count + 1) * sizeof(*known));

	for (size_t i = 0; err == NULL && i < count; i++)
		known[i] = reply_text(reply_item(reply, i), NULL);
	api_problem(call, 404, "no_such_object", "there is no \"%s\" here%s", call->params[0],
		    name_hint(call, call->params[0], known));
}

static void answer_absent(struct api_call *call)
{
	struct store_call *read = store_command("HKEYS");

	store_arg_key(read, call->who.workspace, "cfg:%s", kind_of(call));
	store_read(call->parts->store, read, on_others, call);
}

static void on_one(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *stored = err == NULL ? reply_text(reply, NULL) : NULL;

	if (err != NULL)
		api_fail(call, err);
	else if (stored == NULL)
		answer_absent(call);
	else
		answer_stored(call, stored);
}

void handle_config_get(struct api_call *call)
{
	read_one(call, on_one);
}

/* ---- writing: read the version, write the next one ---- */

struct putting {
	const char *canonical; /* the object without its version */
	const char *stored;    /* what was asked to be stored */
	int64_t replaces;
	bool shows_made; /* a secret was made: shown in this answer and never again */
};

/* The answer that shows a secret that was made. */
static const char *shown_once(struct api_call *call, const char *stored)
{
	struct json_object *object = json_read(stored, strlen(stored), NULL);
	struct buf text = { 0 };
	const char *copy;

	business_show_made(kind_of(call), object, &text);
	json_free(&object);
	copy = arena_text(call->arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

static void answer_put(struct api_call *call)
{
	const struct putting *putting = call->state;

	if (putting->shows_made)
		answer_with(call, putting->stored, shown_once(call, putting->stored));
	else
		answer_stored(call, putting->stored);
}

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "ok"))
		in_force_then(call, answer_put);
	else
		api_problem(call, 412, "version", "the object has changed meanwhile: version %lld",
			    (long long)reply_int(reply_item(reply, 2)));
}

static bool match_fits(struct api_call *call, int64_t version)
{
	if (call->if_match == 0 || call->if_match == version ||
	    (call->if_match == IF_MATCH_ANY && version > 0))
		return true;
	api_problem(call, 412, "version", "the object is at version %lld", (long long)version);
	return false;
}

static void on_current(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct putting *putting = call->state;
	const char *stored = err == NULL ? reply_text(reply, NULL) : NULL;
	const char *rest = stored == NULL ? NULL : strchr(stored, ',');

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	putting->replaces = version_of(stored);
	if (!match_fits(call, putting->replaces))
		return;
	/* The same again changes nothing, so that applying a file twice is quiet. */
	if (rest != NULL && text_equal(rest + 1, putting->canonical + 1)) {
		answer_stored(call, stored);
		return;
	}
	putting->stored = arena_format(call->arena, "{\"version\":%lld,%s",
				       (long long)putting->replaces + 1, putting->canonical + 1);
	config_put(&(struct keeper){ call->parts->store, call->who.workspace },
		   &(struct config_write){ kind_of(call), call->params[0], putting->stored,
					   putting->replaces },
		   on_put, call);
}

static bool id_is_good(struct api_call *call)
{
	const char *given = json_text(call->body, "id");
	size_t len = strlen(call->params[0]);

	if (len > ID_MAX) {
		api_problem(call, 400, "bad_id", "an id has at most %d bytes", ID_MAX);
		return false;
	}
	if (given == NULL || text_equal(given, call->params[0]))
		return true;
	api_invalid(call, "#/body/id", "id \"%s\" is not the one of the path", given);
	return false;
}

/* The path names the object; a body without "id" gets it from there. */
static int object_check(struct api_call *call, struct buf *canonical, struct problems *problems)
{
	struct buf text = { 0 };
	struct buf rest = { 0 };
	struct json_object *object;
	struct json_out out;
	int result;

	if (json_has(call->body, "id"))
		return business_judge(kind_of(call), call->body, canonical, problems);
	json_append(call->body, &rest);
	jw_start(&out, &text);
	jw_object(&out, NULL);
	jw_text(&out, "id", call->params[0]);
	/* "{" and "}" of the body fall away; what is between goes behind the id. */
	if (strspn(buf_string(&rest) + 1, " }") < rest.len - 1)
		buf_format(&text, ",%s", rest.data + 1);
	else
		jw_object_end(&out);
	buf_clear(&rest);
	object = json_read(text.data, text.len, NULL);
	buf_clear(&text);
	result = business_judge(kind_of(call), object, canonical, problems);
	json_free(&object);
	return result;
}

static void put_after_names(struct api_call *call)
{
	read_one(call, on_current);
}

/* What the object names must be there. Objects that name each other come in one request
 * (POST /v1/configuration). */
static void put_check_names(struct api_call *call)
{
	size_t count;
	const struct business_reference *references =
		business_references(kind_of(call), call->body, call->arena, &count);
	struct name_given *names = arena_alloc(call->arena, (count + 1) * sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = (struct name_given){ name_kind_of(&references[i]), references[i].name,
						references[i].field, references[i].at.file };
	names_check(call, names, count, put_after_names);
}

static void put_begin(struct api_call *call, bool shows_made)
{
	struct putting *putting = arena_alloc(call->arena, sizeof(*putting));
	struct buf canonical = { 0 };
	struct problems *problems;
	bool is_good;

	if (!id_is_good(call) || !webhook_address_check(call, kind_of(call), call->body, "#/body"))
		return;
	problems = problems_new();
	is_good = object_check(call, &canonical, problems) == 0;
	if (!is_good)
		api_invalid_object(call, problems);
	problems_free(&problems);
	if (!is_good)
		return;
	putting->canonical = arena_text(call->arena, buf_string(&canonical));
	putting->shows_made = shows_made;
	buf_clear(&canonical);
	call->state = putting;
	put_check_names(call);
}

/* Clears the text. */
static void body_replace(struct api_call *call, struct buf *text)
{
	json_free(&call->body);
	call->body = json_read(text->data, text->len, NULL);
	buf_clear(text);
}

/* Secrets that are not given stay as they are, or are made. */
static void on_secrets(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *text = err == NULL ? reply_text(reply, NULL) : NULL;
	struct json_object *stored = text == NULL ? NULL : json_read(text, strlen(text), NULL);
	struct buf whole = { 0 };
	bool is_made;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	business_keep_secrets(kind_of(call), call->body, stored, &whole);
	body_replace(call, &whole);
	is_made = business_roll_secret(kind_of(call), call->body, stored,
				       loop_unix_ms(call->parts->loop), &whole);
	body_replace(call, &whole);
	json_free(&stored);
	put_begin(call, is_made);
}

void handle_config_put(struct api_call *call)
{
	if (business_has_secrets(kind_of(call)))
		read_one(call, on_secrets);
	else
		put_begin(call, false);
}

static void answer_deleted(struct api_call *call)
{
	api_empty(call, 204);
}

static void on_deleted(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "ok"))
		in_force_then(call, answer_deleted);
	else
		api_problem(call, 412, "version", "the object has changed meanwhile");
}

static void delete_unused(struct api_call *call)
{
	const char *version =
		call->if_match <= 0 ? ""
				    : arena_format(call->arena, "%lld", (long long)call->if_match);

	config_delete(&(struct keeper){ call->parts->store, call->who.workspace },
		      &(struct config_write){ .kind = kind_of(call), .id = call->params[0] },
		      version, on_deleted, call);
}

void handle_config_delete(struct api_call *call)
{
	struct removal *removal = arena_alloc(call->arena, sizeof(*removal));

	*removal = (struct removal){ kind_of(call), call->params[0] };
	in_use_check(call, removal, 1, delete_unused);
}

void handle_config_kinds(struct api_call *call)
{
	struct buf body = { 0 };
	struct json_out out;

	page_start(&out, &body);
	business_describe(&out);
	page_end_whole(call, &out, &body);
}
