/* What the connector tests share: a channel opened from settings written as
 * JSON, requests from a table of fields, and hooks that count. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "connectors.h"
#include "fake_store.h"
#include "services/loop.h"
#include "services/transfer.h"
#include "services/worker.h"

#ifndef BUILD_DIR /* fuzz targets send no mail */
#define BUILD_DIR "."
#endif

struct fixture {
	struct loop *loop;
	struct transfers *transfers;
	struct channels *channels;
	struct arena *arena;
	struct channel *channel;
	struct store store;
	struct worker_pool *mail;
	bool is_store_away; /* what is received is not durable */
	int sent, failed, received;
	enum send_failure failure;
	char code[64];
	char provider_id[256];
	int64_t retry_after_ms;
	char *received_body; /* the newest */
	struct buf received_all;
};

/* ---- settings rows over JSON ---- */

static int64_t fixture_scaled(const char *text)
{
	char *end;
	double number = strtod(text, &end);
	static const struct {
		const char *unit;
		double factor;
	} units[] = { { "ms", 1 },       { "s", 1000 }, { "m", 60000 },  { "h", 3600000 },
		      { "d", 86400000 }, { "k", 1024 }, { "M", 1048576 } };

	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (strcmp(end, units[i].unit) == 0)
			return (int64_t)(number * units[i].factor);
	return (int64_t)number;
}

static int fixture_choice(const struct setting *row, const char *text)
{
	for (int i = 0; row->choices && row->choices[i]; i++)
		if (strcmp(row->choices[i], text) == 0)
			return i;
	return 0;
}

static void fixture_texts(struct arena *arena, struct json_object *list, struct setting_texts *out)
{
	out->count = json_count(list);
	out->items = arena_alloc(arena, (out->count + 1) * sizeof(*out->items));
	for (size_t i = 0; i < out->count; i++)
		out->items[i] = arena_text(arena, json_string(json_item(list, i)));
}

static void fixture_fill(struct arena *arena, const struct setting *rows, struct json_object *from,
			 void *out);

static void fixture_row(struct arena *arena, const struct setting *row, struct json_object *value,
			char *at)
{
	const char *text = value ? json_string(value) : row->fallback;
	struct buf plain = { 0 };

	if (value && json_kind(value) != JSON_TEXT) {
		json_append(value, &plain);
		text = arena_text(arena, buf_string(&plain));
		buf_clear(&plain);
	}
	switch (row->kind) {
	case SETTING_BOOL:
		*(bool *)(void *)at = text && strcmp(text, "true") == 0;
		break;
	case SETTING_COUNT:
	case SETTING_SIZE:
	case SETTING_TIME:
		*(int64_t *)(void *)at = text ? fixture_scaled(text) : 0;
		break;
	case SETTING_CHOICE:
		*(int *)(void *)at = text ? fixture_choice(row, text) : 0;
		break;
	case SETTING_LIST:
		fixture_texts(arena, value, (struct setting_texts *)(void *)at);
		break;
	case SETTING_GROUP:
		fixture_fill(arena, row->rows, value, at);
		break;
	default:
		*(char **)(void *)at = arena_text(arena, text);
	}
}

static void fixture_fill(struct arena *arena, const struct setting *rows, struct json_object *from,
			 void *out)
{
	for (; rows && rows->name; rows++)
		fixture_row(arena, rows, from ? json_at(from, rows->name) : NULL,
			    (char *)out + rows->offset);
}

/* ---- hooks ---- */

/* Answered on the next turn, as the contract says. */
struct fixture_promise {
	host_received *received;
	bool is_lost;
	host_attached *attached;
	const void *bytes;
	size_t len;
	void *context;
};

static void fixture_keep(void *context)
{
	struct fixture_promise *promise = context;

	if (promise->received)
		promise->received(!promise->is_lost, promise->is_lost ? "the store is away" : NULL,
				  promise->context);
	else
		promise->attached(promise->bytes, promise->len, NULL, false, promise->context);
	free(promise);
}

static struct fixture_promise *fixture_promise(struct fixture *fixture, void *context)
{
	struct fixture_promise *promise = memory_new(sizeof(*promise));

	promise->context = context;
	promise->is_lost = fixture->is_store_away;
	loop_soon(fixture->loop, fixture_keep, promise);
	return promise;
}

static void fixture_receive(struct channel *channel, const struct inbound *in, host_received *done,
			    void *done_context, void *context)
{
	struct fixture *fixture = context;

	(void)channel;
	fixture->received++;
	free(fixture->received_body);
	fixture->received_body = memory_copy(in->body, in->body_len);
	buf_add(&fixture->received_all, in->body, in->body_len);
	buf_text(&fixture->received_all, "\n====\n");
	fixture_promise(fixture, done_context)->received = done;
}

static void fixture_sent(struct delivery *delivery, const char *provider_id, void *context)
{
	struct fixture *fixture = context;

	(void)delivery;
	fixture->sent++;
	snprintf(fixture->provider_id, sizeof(fixture->provider_id), "%s",
		 provider_id ? provider_id : "");
}

static void fixture_failed(struct delivery *delivery, enum send_failure failure, const char *code,
			   const char *why, int64_t retry_after_ms, void *context)
{
	struct fixture *fixture = context;

	(void)delivery;
	(void)why;
	fixture->failed++;
	fixture->failure = failure;
	fixture->retry_after_ms = retry_after_ms;
	snprintf(fixture->code, sizeof(fixture->code), "%s", code ? code : "");
}

static void fixture_attachment(struct channel *channel, const struct attachment *attachment,
			       host_attached *done, void *done_context, void *context)
{
	struct fixture_promise *promise = fixture_promise(context, done_context);

	(void)channel;
	promise->attached = done;
	promise->bytes = attachment->bytes;
	promise->len = attachment->size > 0 ? (size_t)attachment->size : 0;
}

/* ---- requests ---- */

__attribute__((unused)) static const char *fixture_field(void *context, const char *name)
{
	struct json_object *fields = json_at(context, "headers");
	struct json_object *value = fields ? json_at(fields, name) : NULL;

	return value ? json_string(value) : NULL;
}

__attribute__((unused)) static const char *fixture_query(void *context, const char *name)
{
	struct json_object *query = json_at(context, "query");
	struct json_object *value = query ? json_at(query, name) : NULL;

	return value ? json_string(value) : NULL;
}

/* ---- life ---- */

/* with_mail: a mail worker of the daemon that was built beside the tests. */
__attribute__((unused)) static void fixture_begin(struct fixture *fixture, bool with_mail)
{
	const struct worker_options mail = { .name = "mail",
					     .processes = 1,
					     .queue_max = 10,
					     .deadline_ms = 60000,
					     .once = true,
					     .executable = BUILD_DIR "/converged" };
	struct channels_options options = { 0 };

	memset(fixture, 0, sizeof(*fixture));
	fixture->loop = loop_new();
	fixture->transfers = transfers_new(fixture->loop);
	fixture->arena = arena_new(0);
	options.loop = fixture->loop;
	options.transfers = fixture->transfers;
	fixture->store.loop = fixture->loop;
	options.store = &fixture->store;
	if (with_mail)
		fixture->mail = worker_pool_new(fixture->loop, &mail);
	options.mail = fixture->mail;
	options.hooks.receive = fixture_receive;
	options.hooks.sent = fixture_sent;
	options.hooks.failed = fixture_failed;
	options.hooks.attachment = fixture_attachment;
	options.hooks.context = fixture;
	fixture->channels = channels_new(&options);
}

__attribute__((unused)) static void fixture_start(struct fixture *fixture)
{
	fixture_begin(fixture, false);
}

/* 0, or -1 where the connector refused these settings. */
__attribute__((unused)) static int fixture_open(struct fixture *fixture, const char *connector,
						const char *settings_json)
{
	const struct connector *found = connector_find(connector);
	struct error err = { 0 };
	struct json_object *json = json_read(settings_json, strlen(settings_json), &err);
	struct channel_options options = { .workspace = "main",
					   .name = "shop",
					   .connector = found };
	void *settings;
	int status;

	if (!found || !json) {
		fprintf(stderr, "fixture: %s: %s\n", connector, err.text);
		abort();
	}
	settings = arena_alloc(fixture->arena, found->settings_size + 1);
	fixture_fill(fixture->arena, found->settings, json, settings);
	json_free(&json);
	options.settings = settings;
	status = channel_open(fixture->channels, &options, &err);
	fixture->channel = channel_find(fixture->channels, "main", "shop");
	return status;
}

__attribute__((unused)) static void fixture_stop(struct fixture *fixture)
{
	channels_free(&fixture->channels);
	if (fixture->mail)
		worker_pool_free(&fixture->mail);
	transfers_free(&fixture->transfers);
	loop_turn(fixture->loop, false);
	loop_turn(fixture->loop, false);
	loop_free(&fixture->loop);
	arena_free(&fixture->arena);
	free(fixture->received_body);
	buf_clear(&fixture->received_all);
}

__attribute__((unused)) static char *fixture_read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct buf buf = { 0 };
	char chunk[4096];
	size_t len;
	char *text;

	if (!file)
		return NULL;
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&buf, chunk, len);
	fclose(file);
	text = memory_copy(buf_string(&buf), buf.len);
	buf_clear(&buf);
	return text;
}
