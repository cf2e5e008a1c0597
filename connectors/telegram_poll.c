#include <stdlib.h>
#include <string.h>

#include "telegram_private.h"

enum {
	POLL_S = 50,
	POLL_LIMIT = 100,
	POLL_AGAIN_MS = 3000,
	POLL_CONFLICT_MS = 30000,
	POLL_ANSWER_BYTES = 8 * 1024 * 1024,
};

struct batch {
	struct channel *channel;
	const struct host *host;
	struct arena *arena;
	struct json_object *answer;
	struct json_object *updates;
	size_t next;
};

static void batch_free(struct batch *batch)
{
	batch->host->json_free(batch->answer);
	batch->host->arena_free(batch->arena);
	free(batch);
}

static void poll_ended(const struct host *host, struct channel *channel, int64_t again_ms)
{
	struct telegram_state *state = host->channel_state(channel);

	state->is_asking = false;
	if (state->is_mine)
		host->wake(channel, again_ms);
}

static void batch_keep(struct batch *batch, host_received *done)
{
	const struct host *host = batch->host;
	struct inbound in = { .method = "", .target = "" };

	in.body = host->json_print(host->json_item(batch->updates, batch->next), batch->arena);
	in.body_len = strlen(in.body);
	in.now_s = host->unix_ms() / 1000;
	host->receive(batch->channel, &in, done, batch);
}

static void batch_end(struct batch *batch, int64_t again_ms)
{
	poll_ended(batch->host, batch->channel, again_ms);
	batch_free(batch);
}

/* One after the other, so that a person's messages keep their order. Only what
 * is stored is confirmed; the rest comes again. */
static void on_kept(bool durable, const char *error, void *context)
{
	struct batch *batch = context;
	const struct host *host = batch->host;
	struct telegram_state *state = host->channel_state(batch->channel);
	struct json_object *update = host->json_item(batch->updates, batch->next);

	if (!durable) {
		host->log(batch->channel, 1, "event=update_not_kept error=\"%s\"",
			  error ? error : "");
		batch_end(batch, POLL_AGAIN_MS);
		return;
	}
	state->offset = host->json_int(update, "update_id", 0) + 1;
	batch->next++;
	if (state->is_mine && batch->next < host->json_count(batch->updates))
		batch_keep(batch, on_kept);
	else
		batch_end(batch, 0);
}

static void on_refused(struct channel *channel, const struct host *host,
		       const struct host_answer *answer, struct json_object *body)
{
	int64_t again_ms = POLL_CONFLICT_MS / 3;

	host->log(channel, 1, "event=poll_refused status=%ld why=\"%s\"", answer->status,
		  provider_text(host, body, "description", "no readable answer"));
	if (answer->status == 401 || answer->status == 404)
		host->park(channel, "Telegram does not know this bot_token any more");
	/* 409: somebody else polls with this token, or a webhook is set. */
	if (answer->status == 409 || answer->status == 429)
		again_ms = telegram_retry_ms(body, POLL_CONFLICT_MS);
	poll_ended(host, channel, again_ms);
}

static void on_updates(const struct host_answer *answer, struct json_object *body,
		       struct arena *arena, void *context)
{
	struct channel *channel = context;
	/* The answer is kept beyond this call, so it is read once more into the batch. */
	struct batch *batch;
	const struct host *host = telegram_host();

	(void)arena;
	if (answer->error) {
		host->log(channel, 3, "event=poll_failed why=\"%s\"", answer->error);
		poll_ended(host, channel, POLL_AGAIN_MS);
		return;
	}
	if (!body || !host->json_bool(body, "ok", false)) {
		on_refused(channel, host, answer, body);
		return;
	}
	host->unpark(channel);
	if (host->json_count(host->json_at(body, "result")) == 0) {
		poll_ended(host, channel, 0);
		return;
	}
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		abort();
	*batch = (struct batch){ .channel = channel, .host = host, .arena = host->arena_new() };
	batch->answer = host->json_read(answer->body, answer->body_len, batch->arena, NULL);
	batch->updates = host->json_at(batch->answer, "result");
	batch_keep(batch, on_kept);
}

void telegram_poll(struct channel *channel, bool lost)
{
	const struct host *host = telegram_host();
	struct telegram_state *state = host->channel_state(channel);
	struct telegram_call call = { .method = "getUpdates",
				      .timeout_ms = (POLL_S + 10) * 1000,
				      .answer_max = POLL_ANSWER_BYTES };
	struct arena *arena;

	state->is_mine = !lost;
	if (lost)
		state->offset = 0; /* another one may confirm more meanwhile */
	if (lost || state->is_asking || telegram_is_webhook(channel))
		return;
	state->is_asking = true;
	arena = host->arena_new();
	call.body = host->format(
		arena,
		"{\"offset\":%lld,\"limit\":%d,\"timeout\":%d,\"allowed_updates\":[\"message\","
		"\"edited_message\",\"callback_query\",\"my_chat_member\",\"business_message\","
		"\"edited_business_message\"]}",
		(long long)state->offset, POLL_LIMIT, POLL_S);
	telegram_call(channel, &call, on_updates, channel);
	host->arena_free(arena);
}
