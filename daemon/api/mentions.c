#include "api/mentions.h"

#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/text.h"
#include "parts.h"
#include "routing/roster.h"
#include "store/store.h"

bool mentions_read(struct api_call *call, bool is_note, const char **ret)
{
	struct json_object *list = json_at(call->body, "mentions");
	const struct roster *roster;
	struct buf named = { 0 };

	*ret = NULL;
	if (json_count(list) == 0)
		return true;
	if (!is_note) {
		api_invalid(call, "#/body/mentions",
			    "only a note names agents: a reply goes to the customer");
		return false;
	}
	roster = api_roster(call);
	if (roster == NULL)
		return false;
	for (size_t i = 0; i < json_count(list); i++) {
		const char *agent = json_string(json_item(list, i));

		if (agent == NULL || roster_agent(roster, agent) == NULL) {
			api_invalid(call, "#/body/mentions", "entry %zu is no agent's id", i);
			buf_clear(&named);
			return false;
		}
		buf_format(&named, "%s%s", i == 0 ? "" : " ", agent);
	}
	*ret = arena_text(call->arena, buf_string(&named));
	buf_clear(&named);
	return true;
}

/* ---- GET /v1/me/mentions ---- */

static void write_mention(struct json_out *out, char *member, const char *score)
{
	char *rest = member;
	const char *message = strsep(&rest, " ");
	const char *conversation = strsep(&rest, " ");

	if (conversation == NULL)
		return;
	jw_object(out, NULL);
	jw_text(out, "message", message);
	jw_text(out, "conversation", conversation);
	jw_text(out, "by", rest == NULL ? "" : rest);
	jw_time(out, "at", strtoll(score, NULL, 10));
	jw_object_end(out);
}

static void on_mentions(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 0; i + 1 < reply_count(reply); i += 2)
		write_mention(&out, arena_text(call->arena, reply_text_at(reply, i)),
			      reply_text_at(reply, i + 1));
	page_end_whole(call, &out, &body);
}

void handle_mentions(struct api_call *call)
{
	struct store_call *read = store_command("ZREVRANGE");

	store_arg_key(read, call->who.workspace, "mn:%s", call->who.agent);
	store_arg_text(read, "0");
	store_arg_text(read, "-1");
	store_arg_text(read, "WITHSCORES");
	store_read(call->parts->store, read, on_mentions, call);
}

/* ---- POST /v1/me/mentions/seen ---- */

static void on_seen(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	if (err != NULL)
		api_fail(context, err);
	else
		api_empty(context, 204);
}

void handle_mentions_seen(struct api_call *call)
{
	const char *message = json_text(call->body, "message");
	struct store_call *seen = store_script("mention_seen", call->who.workspace);

	store_key(seen, "mn:%s", call->who.agent);
	store_arg_text(seen, message == NULL ? "" : message);
	store_run(call->parts->store, seen, on_seen, call);
}
