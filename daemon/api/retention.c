/* /v1/retention: what the rules would take now, and taking it now. */
#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/id.h"
#include "base/text.h"
#include "history/history.h"
#include "history/retention.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

static void text_if(struct json_out *out, const char *name, const char *text)
{
	if (text != NULL)
		jw_text(out, name, text);
}

static void on_counted(struct json_object *answer, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct retain_rules *rules = call->state;
	struct json_object *due = json_at(answer, "due");
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 0; i < rules->count && i < json_count(due); i++) {
		const struct retain_rule *rule = &rules->list[i];
		struct json_object *row = json_item(due, i);

		jw_object(&out, NULL);
		jw_text(&out, "id", rule->id);
		jw_text(&out, "what", rule->what);
		text_if(&out, "channel", rule->channel);
		text_if(&out, "type", rule->type);
		text_if(&out, "topic", rule->topic);
		jw_time(&out, "before", loop_unix_ms(call->parts->loop) - rule->keep_ms);
		jw_int(&out, "conversations", json_int(row, "conversations", 0));
		jw_text(&out, "oldest", json_text(row, "oldest"));
		jw_object_end(&out);
	}
	page_end_whole(call, &out, &body);
}

static void on_rules(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct retain_rules *rules = arena_alloc(call->arena, sizeof(*rules));
	struct buf fields = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	retain_rules_take(reply, call->arena, rules);
	call->state = rules;
	jw_start(&out, &fields);
	out.need_comma = true;
	retain_rules_write(&out, rules, loop_unix_ms(call->parts->loop));
	history_ask(call->parts->history, "retain_count", call->who.workspace, &fields, on_counted,
		    call);
	buf_clear(&fields);
}

/* False after having answered. */
static bool has_history(struct api_call *call)
{
	if (history_is_kept(call->parts->history))
		return true;
	api_problem(call, 501, "no_history",
		    "this installation keeps no history, and retention finds in it what is over: "
		    "set history in converged.yaml to sqlite:/path or postgresql://...");
	return false;
}

void handle_retention_preview(struct api_call *call)
{
	struct store_call *read;

	if (!has_history(call))
		return;
	read = store_command("HVALS");
	store_arg_key(read, call->who.workspace, "cfg:retention");
	store_read(call->parts->store, read, on_rules, call);
}

static void on_opened(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "conflict"))
		api_key_conflict(call);
	else
		api_job(call, arena_text(call->arena,
					 reply_text_at(reply, reply_is(reply, "replay") ? 2 : 1)));
}

void handle_retention_run(struct api_call *call)
{
	struct store_call *open;
	char job[ID_BYTES];

	if (!has_history(call))
		return;
	id_new("job_", job);
	open = store_script("retain_open", call->who.workspace);
	store_key(open, "j:%s", job);
	store_arg_once(open, *call->idempotency_key == '\0' ? NULL : call->idempotency_key,
		       call->request_hash);
	store_arg_text(open, job);
	store_arg_text(open, call->who.agent);
	store_run(call->parts->store, open, on_opened, call);
}
