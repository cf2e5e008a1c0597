#include "history/retention.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/history.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { FIRST_MS = 60 * 1000, EVERY_MS = 6 * 3600 * 1000, RULES_MAX = 100 };

const char *const retain_whats[RETAIN_WHATS] = { "conversation", "messages", "attachments" };

/* ---- rules ---- */

static int in_order(const void *a, const void *b)
{
	const struct retain_rule *left = a, *right = b;

	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return strcmp(left->id, right->id);
}

static void rule_read(const char *text, struct arena *arena, struct retain_rules *rules)
{
	struct json_object *json = json_read(text, strlen(text), NULL);
	struct retain_rule rule = {
		.id = json_text_copy(json, "id", arena),
		.what = json_text_copy(json, "what", arena),
		.channel = json_text_copy(json, "channel", arena),
		.type = json_text_copy(json, "type", arena),
		.topic = json_text_copy(json, "topic", arena),
		.keep_ms = json_int(json, "keep_ms", 0),
		.order = json_int(json, "order", 0),
	};

	if (rule.id != NULL && rule.what != NULL && rule.keep_ms > 0)
		rules->list[rules->count++] = rule;
	json_free(&json);
}

void retain_rules_take(const struct store_reply *reply, struct arena *arena,
		       struct retain_rules *ret)
{
	size_t count = reply_count(reply) < RULES_MAX ? reply_count(reply) : RULES_MAX;

	ret->list = arena_alloc(arena, (count + 1) * sizeof(*ret->list));
	ret->count = 0;
	for (size_t i = 0; i < count; i++)
		rule_read(reply_text(reply_item(reply, i), NULL), arena, ret);
	if (ret->count > 0)
		qsort(ret->list, ret->count, sizeof(*ret->list), in_order);
}

static void text_if(struct json_out *out, const char *name, const char *text)
{
	if (text != NULL)
		jw_text(out, name, text);
}

void retain_rules_write(struct json_out *out, const struct retain_rules *rules, int64_t now_ms)
{
	jw_array(out, "rules");
	for (size_t i = 0; i < rules->count; i++) {
		const struct retain_rule *rule = &rules->list[i];

		jw_object(out, NULL);
		jw_text(out, "what", rule->what);
		text_if(out, "channel", rule->channel);
		text_if(out, "type", rule->type);
		text_if(out, "topic", rule->topic);
		jw_int(out, "before_ms", now_ms - rule->keep_ms);
		jw_object_end(out);
	}
	jw_array_end(out);
}

/* ---- is anything due? ---- */

struct retention {
	struct parts *parts;
	struct workspace *workspace;
	struct loop_timer *tick;
	int refs;
	bool is_dead;
};

static void retention_unref(void *object)
{
	struct retention *retention = object;

	if (--retention->refs == 0)
		free(retention);
}

/* The end of a look, whatever came of it. */
static void look_end(struct retention *retention, const struct error *err)
{
	if (err != NULL)
		log_warn("retention", "event=retention_not_looked workspace=%s error=%s",
			 retention->is_dead ? "" : workspace_name(retention->workspace),
			 log_quote(err->text));
	if (!retention->is_dead)
		loop_timer_start(retention->tick, err == NULL ? EVERY_MS : FIRST_MS);
	retention_unref(retention);
}

static void on_opened(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	look_end(context, err);
}

static void on_counted(struct json_object *answer, const struct error *err, void *context)
{
	struct retention *retention = context;
	struct json_object *due = json_at(answer, "due");
	struct store_call *open;
	int64_t count = 0;
	char job[ID_BYTES];

	for (size_t i = 0; i < json_count(due); i++)
		count += json_int(json_item(due, i), "conversations", 0);
	if (err != NULL || count == 0 || retention->is_dead) {
		look_end(retention, err);
		return;
	}
	id_new("job_", job);
	open = store_script("retain_open", workspace_name(retention->workspace));
	store_key(open, "j:%s", job);
	store_arg_once(open, NULL, NULL);
	store_arg_text(open, job);
	store_arg_text(open, "retention");
	store_run(retention->parts->store, open, on_opened, retention);
}

static void on_rules(const struct store_reply *reply, const struct error *err, void *context)
{
	struct retention *retention = context;
	struct arena *arena = arena_new(0);
	struct retain_rules rules = { 0 };
	struct buf fields = { 0 };
	struct json_out out;

	if (err == NULL)
		retain_rules_take(reply, arena, &rules);
	if (err != NULL || rules.count == 0 || retention->is_dead) {
		look_end(retention, err);
	} else {
		jw_start(&out, &fields);
		out.need_comma = true;
		retain_rules_write(&out, &rules, loop_unix_ms(retention->parts->loop));
		history_ask(retention->parts->history, "retain_count",
			    workspace_name(retention->workspace), &fields, on_counted, retention);
	}
	buf_clear(&fields);
	arena_free(&arena);
}

static void on_tick(void *context)
{
	struct retention *retention = context;
	struct store_call *read = store_command("HVALS");

	store_arg_key(read, workspace_name(retention->workspace), "cfg:retention");
	retention->refs++;
	store_read(retention->parts->store, read, on_rules, retention);
}

struct retention *retention_new(struct parts *parts, struct workspace *workspace)
{
	struct retention *retention = memory_new(sizeof(*retention));

	retention->parts = parts;
	retention->workspace = workspace;
	retention->refs = 1;
	retention->tick = loop_timer_new(parts->loop, on_tick, retention);
	loop_timer_start(retention->tick, FIRST_MS);
	return retention;
}

void retention_free(struct retention **retention)
{
	struct retention *held = *retention;

	*retention = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_timer_free(&held->tick);
	loop_defer_free(held->parts->loop, held, retention_unref);
}
