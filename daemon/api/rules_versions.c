/* GET /v1/rules/versions: the sets of rules that were in force, the last 50. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/text.h"
#include "parts.h"
#include "routing/objects.h"
#include "store/store.h"

static void write_version(struct json_out *out, const struct page_row *row)
{
	jw_object(out, NULL);
	jw_text(out, "id", row->id);
	jw_int(out, "version", strtoll(row->id, NULL, 10));
	jw_time(out, "since", *(const int64_t *)row->what);
	jw_object_end(out);
}

static void on_versions(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	size_t count = reply_count(reply) / 2;
	struct page_row *rows = arena_alloc(call->arena, (count + 1) * sizeof(*rows));
	int64_t *times = arena_alloc(call->arena, (count + 1) * sizeof(*times));

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const char *id = reply_text(reply_item(reply, 2 * i), NULL);

		times[i] = strtoll(reply_text(reply_item(reply, 2 * i + 1), NULL), NULL, 10);
		rows[i].id = arena_text(call->arena, id);
		rows[i].place = strtoll(id, NULL, 10);
		rows[i].what = &times[i];
	}
	page_answer(call, rows, count, write_version);
}

void handle_rules_versions(struct api_call *call)
{
	struct store_call *read = store_command("ZRANGE");

	store_arg_key(read, call->who.workspace, "rules");
	store_arg_int(read, 0);
	store_arg_int(read, -1);
	store_arg_text(read, "WITHSCORES");
	store_read(call->parts->store, read, on_versions, call);
}

static void answer_version(struct api_call *call, const struct store_reply *rules, int64_t since_ms)
{
	struct ordered *list;
	struct error err = { 0 };
	size_t count = objects_read(rules, call->arena, &list, &err);
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "id", call->params[0]);
	jw_int(&out, "version", strtoll(call->params[0], NULL, 10));
	jw_time(&out, "since", since_ms);
	jw_array(&out, "rules");
	for (size_t i = 0; i < count; i++) {
		struct buf rule = { 0 };

		json_append(list[i].object, &rule);
		jw_raw(&out, NULL, buf_string(&rule), rule.len);
		buf_clear(&rule);
	}
	jw_array_end(&out);
	jw_object_end(&out);
	objects_free(list, count);
	api_answer(call, 200, &body);
}

static void on_rules(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else
		answer_version(call, reply, *(const int64_t *)call->state);
}

/* A version without any rule has no copy, but it has its place in the list. */
static void on_since(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	int64_t *since = arena_alloc(call->arena, sizeof(*since));
	struct store_call *read;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (reply_text(reply, NULL) == NULL) {
		api_problem(call, 404, "no_such_version",
			    "there is no version \"%s\" of the rules, or it is no longer kept",
			    call->params[0]);
		return;
	}
	*since = strtoll(reply_text(reply, NULL), NULL, 10);
	call->state = since;
	read = store_command("HGETALL");
	store_arg_key(read, call->who.workspace, "rules:%s", call->params[0]);
	store_read(call->parts->store, read, on_rules, call);
}

void handle_rules_version(struct api_call *call)
{
	struct store_call *read = store_command("ZSCORE");

	store_arg_key(read, call->who.workspace, "rules");
	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, on_since, call);
}
