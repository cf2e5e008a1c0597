#include "delivery/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "conversation/conversation.h"
#include "conversation/threading.h"
#include "delivery/codes.h"
#include "delivery/part.h"
#include "delivery/window.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "workspace.h"

enum {
	ATTEMPT_MS = 120 * 1000, /* an attempt that is older counts as lost */
	DEADLINE_MS = ATTEMPT_MS + 1000,
	PARKED_MS = 15 * 1000,
	LOOK_AGAIN_MS = 3600 * 1000,
	REFERENCES = 20,
	JITTER_PERCENT = 10,
	TOKEN_BYTES = 12,
};

/* Standard Webhooks' schedule: 10 attempts over about 75 hours. */
static const int64_t default_schedule[] = {
	0,           5000,         5 * 60000,    30 * 60000,   2 * 3600000,
	5 * 3600000, 10 * 3600000, 14 * 3600000, 20 * 3600000, 24 * 3600000,
	-1,
};

struct attempt {
	struct delivery delivery; /* first: what the connector is given */
	struct parts *parts;
	struct arena *arena;
	const char *workspace;
	const char *fence;
	const char *conversation;
	char token[2 * TOKEN_BYTES + 1];
	struct outbox_message message; /* copied */
	struct outbound outbound;      /* the whole */
	struct part_list parts_of_it;
	size_t part; /* the one under way */
	void (*done)(const char *conversation, bool look_again, void *context);
	void *context;
	struct loop_timer *deadline; /* for a connector that never says how it ended */
	bool is_ended;
	bool is_late; /* given up: done has been called */
};

static void attempt_free(void *object)
{
	struct attempt *attempt = object;
	struct arena *arena = attempt->arena;

	if (attempt->delivery.channel != NULL)
		channel_drop(attempt->delivery.channel);
	arena_free(&arena);
}

static void attempt_done(struct attempt *attempt, bool look_again)
{
	loop_timer_free(&attempt->deadline);
	if (!attempt->is_late)
		attempt->done(attempt->conversation, look_again, attempt->context);
	loop_defer_free(attempt->parts->loop, attempt, attempt_free);
}

/* The connector still holds the attempt, so only its conversation goes on: the message is
 * recovered like one whose sender crashed, and a late answer finds another token. */
static void on_deadline(void *context)
{
	struct attempt *attempt = context;

	if (attempt->is_late)
		return;
	attempt->is_late = true;
	log_warn(attempt->message.id, "stage=deliver channel=%s event=no_answer waited_s=%d",
		 attempt->message.channel, DEADLINE_MS / 1000);
	attempt->done(attempt->conversation, true, attempt->context);
}

/* ---- how it ended ---- */

static void on_ended(const struct outbox_result *result, const struct error *err, void *context)
{
	struct attempt *attempt = context;

	if (result->code == OUTBOX_FAILED)
		/* The store was away: the message stays `sending` until its time is up and is then
		 * recovered, as after a crash. */
		log_warn(attempt->outbound.id, "stage=deliver event=end_not_written error=%s",
			 log_quote(err->text));
	attempt_done(attempt, result->code == OUTBOX_OK);
}

static void attempt_end(struct attempt *attempt, struct outbox_ending ending)
{
	static const char *const names[] = {
		[OUTCOME_SENT] = "sent",           [OUTCOME_RETRY] = "retry",
		[OUTCOME_LATER] = "later",         [OUTCOME_FAILED] = "failed",
		[OUTCOME_UNCERTAIN] = "uncertain", [OUTCOME_EXPIRED] = "expired",
	};

	if (attempt->is_ended)
		return;
	attempt->is_ended = true;
	ending.workspace = attempt->workspace;
	ending.conversation = attempt->conversation;
	ending.message = attempt->message.id;
	ending.token = attempt->token;
	log_info(attempt->message.id,
		 "stage=deliver channel=%s result=%s attempt=%d code=%s retry_ms=%lld",
		 attempt->message.channel, names[ending.outcome], attempt->message.attempt,
		 ending.code == NULL ? "-" : ending.code, (long long)ending.retry_ms);
	outbox_end(attempt->parts->store, &ending, on_ended, attempt);
}

static void attempt_fail(struct attempt *attempt, const char *code, const char *why)
{
	attempt_end(attempt,
		    (struct outbox_ending){ .outcome = OUTCOME_FAILED, .code = code, .why = why });
}

/* ---- one part after the other ---- */

static void part_send(struct attempt *attempt)
{
	struct channel *channel = attempt->delivery.channel;

	channel_connector(channel)->send(channel, &attempt->parts_of_it.items[attempt->part],
					 &attempt->delivery);
}

static void on_part_written(const struct outbox_result *result, const struct error *err,
			    void *context)
{
	struct attempt *attempt = context;

	(void)err;
	/* Not written, or not ours any more: it is found as `sending` and told as uncertain. */
	if (result->code != OUTBOX_OK || attempt->is_late || attempt->parts->store == NULL) {
		attempt_done(attempt, false);
		return;
	}
	attempt->part++;
	loop_timer_start(attempt->deadline, DEADLINE_MS);
	part_send(attempt);
}

static void part_left(struct attempt *attempt)
{
	const struct outbox_progress progress = { .workspace = attempt->workspace,
						  .conversation = attempt->conversation,
						  .message = attempt->message.id,
						  .token = attempt->token,
						  .parts_sent = attempt->part + 1,
						  .timeout_ms = ATTEMPT_MS };

	outbox_part(attempt->parts->store, &progress, on_part_written, attempt);
}

void delivery_on_sent(struct delivery *delivery, const char *provider_id, void *context)
{
	struct attempt *attempt = (struct attempt *)(void *)delivery;
	struct identity_place place = { .mac = attempt->parts->key,
					.workspace = attempt->workspace,
					.channel = attempt->message.channel };
	struct identity_key reference;

	(void)context;
	if (attempt->part + 1 < attempt->parts_of_it.count) {
		part_left(attempt);
		return;
	}
	if (provider_id == NULL || *provider_id == '\0') {
		attempt_end(attempt, (struct outbox_ending){ .outcome = OUTCOME_SENT });
		return;
	}
	identity_reference(&place, provider_id, &reference);
	attempt_end(attempt, (struct outbox_ending){ .outcome = OUTCOME_SENT,
						     .provider_id = provider_id,
						     .reference = &reference });
}

/* Spread out, so that what failed together does not come back together. */
static int64_t with_jitter(int64_t delay_ms)
{
	unsigned char byte;
	int64_t span = delay_ms * 2 * JITTER_PERCENT / 100;

	crypto_random(&byte, sizeof(byte));
	return delay_ms - span / 2 + span * byte / 255;
}

/* The delay before the next attempt; -1 when the schedule is used up. */
static int64_t next_delay(const struct connector *connector, int attempts)
{
	const int64_t *schedule =
		connector->retry_ms == NULL ? default_schedule : connector->retry_ms;

	for (int i = 0; i <= attempts; i++)
		if (schedule[i] < 0)
			return -1;
	return with_jitter(schedule[attempts]);
}

static void attempt_retry(struct attempt *attempt, const char *code, const char *why,
			  int64_t retry_after_ms)
{
	int64_t delay =
		next_delay(channel_connector(attempt->delivery.channel), attempt->message.attempt);

	if (delay < 0) {
		attempt_fail(attempt, code == NULL ? "gave_up" : code, why);
		return;
	}
	attempt_end(attempt, (struct outbox_ending){
				     .outcome = OUTCOME_RETRY,
				     .code = code,
				     .why = why,
				     .retry_ms = retry_after_ms > delay ? retry_after_ms : delay });
}

void delivery_on_failed(struct delivery *delivery, enum send_failure failure, const char *code,
			const char *why, int64_t retry_after_ms, void *context)
{
	struct attempt *attempt = (struct attempt *)(void *)delivery;

	(void)context;
	switch (failure) {
	case SEND_REAUTH:
		/* Whoever can ask for another token has done so: it would fail for everybody. */
		channel_park(delivery->channel,
			     why == NULL ? "the provider does not accept the token" : why);
		attempt_retry(attempt, code, why, retry_after_ms);
		return;
	case SEND_RETRY:
		attempt_retry(attempt, code, why, retry_after_ms);
		return;
	case SEND_WINDOW:
		attempt_fail(attempt, "window_closed",
			     code == NULL ? why
					  : arena_format(attempt->arena, "%s: %s", code,
							 why == NULL ? "" : why));
		return;
	case SEND_PERMANENT:
		attempt_fail(attempt, code == NULL ? "refused" : code, why);
		return;
	case SEND_UNKNOWN:
		break;
	}
	if ((channel_connector(delivery->channel)->abilities & IDEMPOTENT_SEND) != 0)
		attempt_retry(attempt, code, why, retry_after_ms);
	else
		attempt_end(attempt, (struct outbox_ending){ .outcome = OUTCOME_UNCERTAIN,
							     .code = code,
							     .why = why });
}

/* ---- building what the connector is given ---- */

static void read_attachments(struct attempt *attempt, struct json_object *list)
{
	size_t count = json_count(list);
	struct attachment *attachments =
		arena_alloc(attempt->arena, (count + 1) * sizeof(*attachments));

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_item(list, i);

		attachments[i].name = json_text_copy(item, "name", attempt->arena);
		attachments[i].type = json_text_copy(item, "type", attempt->arena);
		attachments[i].blob = json_text_copy(item, "id", attempt->arena);
		attachments[i].url = json_text_copy(item, "url", attempt->arena);
		attachments[i].size = json_int(item, "size", -1);
	}
	attempt->outbound.attachments = attachments;
	attempt->outbound.attachment_count = count;
}

/* A one-time code is nowhere but in what leaves. An answer to it proves nothing and belongs
 * nowhere, so no reply token goes with it. */
static void code_fill(struct attempt *attempt, struct json_object *stored)
{
	const struct identity_place place = { .mac = attempt->parts->key,
					      .workspace = attempt->workspace };

	if (!json_bool(stored, "extra.one_time_code", false) ||
	    !text_equal(json_text(stored, "author.type"), "system"))
		return;
	attempt->outbound.text =
		code_text(&place, attempt->outbound.id, attempt->outbound.text, attempt->arena);
	attempt->outbound.reply_token = NULL;
	attempt->outbound.extra = NULL;
}

static bool outbound_build(struct attempt *attempt)
{
	const struct outbox_message *message = &attempt->message;
	struct outbound *outbound = &attempt->outbound;
	struct json_object *stored = json_read(message->stored, message->stored_len, NULL);
	struct buf extra = { 0 };
	char *token = arena_alloc(attempt->arena, REPLY_TOKEN_BYTES);
	const char *author = json_text(stored, "author.type");

	if (stored == NULL)
		return false;
	reply_token_make(attempt->parts->key, attempt->workspace, attempt->conversation, token);
	if (json_has(stored, "extra"))
		json_append(json_at(stored, "extra"), &extra);
	*outbound = (struct outbound){
		.id = message->id,
		.conversation = attempt->conversation,
		.kind = MESSAGE_TEXT,
		.text = json_text_copy(stored, "text", attempt->arena),
		.html = json_text_copy(stored, "html", attempt->arena),
		.to = message->address,
		.to_name = message->name == NULL ? "" : message->name,
		.subject = json_has(stored, "subject")
				   ? json_text_copy(stored, "subject", attempt->arena)
				   : message->subject,
		.thread = message->thread == NULL ? "" : message->thread,
		.reply_token = token,
		.in_reply_to = message->in_reply_to,
		.extra = extra.len == 0 ? NULL : arena_text(attempt->arena, buf_string(&extra)),
		.created_ms = text_parse_time(json_text(stored, "created_at")),
		.attempt = message->attempt,
		.last_inbound_ms = message->last_inbound_ms,
		.reply_context =
			text_equal(message->reply_context, "") ? NULL : message->reply_context,
		.automatic = text_equal(author, "bot") || text_equal(author, "system"),
	};
	code_fill(attempt, stored);
	read_attachments(attempt, json_at(stored, "attachments"));
	buf_clear(&extra);
	json_free(&stored);
	return true;
}

/* The daemon ends, and the store with it. Nothing has left: after the start the message is
 * recovered as one whose sender is gone. */
static bool is_stopping(struct attempt *attempt)
{
	if (attempt->parts->store != NULL)
		return false;
	attempt_done(attempt, false);
	return true;
}

static void on_named(const struct outbox_result *result, const struct error *err, void *context)
{
	struct attempt *attempt = context;

	if (is_stopping(attempt))
		return;
	if (result->code == OUTBOX_OK)
		part_send(attempt);
	else if (result->code == OUTBOX_REFUSED)
		attempt_done(attempt, true); /* it took too long: somebody else has the message */
	else
		attempt_retry(attempt, "store", err->text, -1);
}

static void send_now(struct attempt *attempt)
{
	struct channel *channel = attempt->delivery.channel;
	const struct connector *connector = channel_connector(channel);
	const char *why =
		part_list_make(channel, &attempt->outbound, attempt->arena, &attempt->parts_of_it);
	const struct identity_place place = { .mac = attempt->parts->key,
					      .workspace = attempt->workspace,
					      .channel = attempt->message.channel };
	struct identity_key reference;
	struct outbox_ending name = { .workspace = attempt->workspace,
				      .conversation = attempt->conversation,
				      .message = attempt->message.id,
				      .token = attempt->token,
				      .reference = &reference };

	if (why != NULL) {
		attempt_fail(attempt, "no_media", why);
		return;
	}
	attempt->part = attempt->message.parts_sent < attempt->parts_of_it.count
				? attempt->message.parts_sent
				: attempt->parts_of_it.count - 1;
	if (connector->sent_as == NULL) {
		part_send(attempt);
		return;
	}
	name.provider_id = connector->sent_as(channel, &attempt->outbound, attempt->arena);
	identity_reference(&place, name.provider_id, &reference);
	outbox_name(attempt->parts->store, &name, on_named, attempt);
}

/* The id a message is known by in its thread: the customer's side gave its own; the connector
 * makes one of ours from what it was sent as. NULL: nobody outside knows it. */
static const char *thread_id(const struct attempt *attempt, struct json_object *message)
{
	const char *id = json_text(message, "provider_id");
	const char *own = json_text(message, "id");

	if (text_equal(own, attempt->message.id))
		return NULL;
	return id == NULL && text_equal(json_text(message, "direction"), "out") ? own : id;
}

/* Mail wants the ids of the thread. */
static void on_thread(const struct message_page *page, const struct error *err, void *context)
{
	struct attempt *attempt = context;
	struct buf text = { 0 };
	struct json_object *list = NULL;
	const char **ids;
	size_t count = 0;

	if (is_stopping(attempt))
		return;
	if (err == NULL && page != NULL) {
		buf_byte(&text, '[');
		buf_add(&text, page->json, page->len);
		buf_byte(&text, ']');
		list = json_read(text.data, text.len, NULL);
	}
	ids = arena_alloc(attempt->arena, (json_count(list) + 1) * sizeof(*ids));
	for (size_t i = json_count(list); i > 0; i--) {
		const char *id = thread_id(attempt, json_item(list, i - 1));

		if (id != NULL)
			ids[count++] = arena_text(attempt->arena, id);
	}
	attempt->outbound.references = ids;
	attempt->outbound.reference_count = count;
	json_free(&list);
	buf_clear(&text);
	send_now(attempt);
}

static void send_with_thread(struct attempt *attempt)
{
	struct message_query query = {
		.workspace = attempt->workspace,
		.conversation = attempt->conversation,
		.from = attempt->message.index,
		.limit = REFERENCES,
		.is_index = true,
		.descending = true,
		.without_notes = true,
	};

	conversation_messages(attempt->parts, &query, on_thread, attempt);
}

static void copy_message(struct attempt *attempt, const struct outbox_message *message)
{
	struct arena *arena = attempt->arena;

	attempt->message = *message;
	attempt->message.id = arena_text(arena, message->id);
	attempt->message.stored = arena_copy(arena, message->stored, message->stored_len);
	attempt->message.channel = arena_text(arena, message->channel);
	attempt->message.address = arena_text(arena, message->address);
	attempt->message.name = arena_text(arena, message->name);
	attempt->message.thread = arena_text(arena, message->thread);
	attempt->message.subject = arena_text(arena, message->subject);
	attempt->message.in_reply_to = arena_text(arena, message->in_reply_to);
	attempt->message.customer = arena_text(arena, message->customer);
	attempt->message.window = arena_text(arena, message->window);
	attempt->message.reply_context = arena_text(arena, message->reply_context);
}

/* When machines may write again; 0: now. */
static int64_t quiet_until(const struct attempt *attempt)
{
	const struct workspace *workspace =
		workspace_get(attempt->parts->workspaces, attempt->workspace);
	const char *calendar = channel_sending(attempt->delivery.channel)->automatic_hours;

	if (calendar == NULL || workspace == NULL || workspace_roster(workspace) == NULL)
		return 0;
	return window_quiet_until(roster_calendar(workspace_roster(workspace), calendar),
				  loop_unix_ms(attempt->parts->loop));
}

/* It may have waited longer than the window. */
static struct window_answer window_of(const struct attempt *attempt)
{
	struct window_facts facts = { .kept = attempt->message.window,
				      .last_inbound_ms = attempt->message.last_inbound_ms,
				      .now_ms = loop_unix_ms(attempt->parts->loop),
				      .opted_out_ms = attempt->message.opted_out_ms };
	bool is_begun = attempt->message.parts_sent > 0 || attempt->message.is_exempt;

	struct json_object *extra =
		attempt->outbound.extra == NULL
			? NULL
			: json_read(attempt->outbound.extra, strlen(attempt->outbound.extra), NULL);

	channel_window(attempt->delivery.channel, &facts.rules);
	facts.is_template = json_has(extra, "template");
	facts.is_automatic = attempt->outbound.automatic && !is_begun;
	facts.quiet_until_ms = quiet_until(attempt);
	json_free(&extra);
	return window_judge(&facts);
}

/* Not tried: asked again when it may leave, and now and then before, for what is configured may
 * change. */
static void attempt_put_off(struct attempt *attempt, const char *code, const char *why,
			    int64_t wait_ms)
{
	attempt_end(attempt,
		    (struct outbox_ending){ .outcome = OUTCOME_LATER,
					    .code = code,
					    .why = why,
					    .retry_ms = wait_ms < LOOK_AGAIN_MS ? wait_ms
										: LOOK_AGAIN_MS });
}

static void send_counted(struct attempt *attempt)
{
	if ((channel_connector(attempt->delivery.channel)->abilities & HAS_EMAIL_THREADS) != 0)
		send_with_thread(attempt);
	else
		send_now(attempt);
}

static void on_counted(const struct outbox_result *result, const struct error *err, void *context)
{
	struct attempt *attempt = context;

	if (is_stopping(attempt))
		return;
	if (result->code == OUTBOX_WAIT)
		attempt_put_off(attempt, "recipient_cap",
				"the address has had as many messages as the channel allows",
				result->due_ms);
	else if (result->code == OUTBOX_OK)
		send_counted(attempt);
	else if (result->code == OUTBOX_FAILED)
		attempt_retry(attempt, "store", err->text, -1);
	else
		attempt_done(attempt, true); /* it took too long: somebody else has the message */
}

static void attempt_count(struct attempt *attempt)
{
	const struct sending_rules *rules = channel_sending(attempt->delivery.channel);
	const struct outbox_count count = { .workspace = attempt->workspace,
					    .conversation = attempt->conversation,
					    .message = attempt->message.id,
					    .token = attempt->token,
					    .per_hour = rules->per_recipient_hour,
					    .per_day = rules->per_recipient_day };

	if (attempt->message.is_exempt || (count.per_hour == 0 && count.per_day == 0))
		send_counted(attempt);
	else
		outbox_count(attempt->parts->store, &count, on_counted, attempt);
}

static void attempt_send(struct attempt *attempt)
{
	struct channel *channel = channel_find(attempt->parts->channels, attempt->workspace,
					       attempt->message.channel);
	const struct connector *connector;
	struct window_answer window;

	attempt->delivery.channel = channel;
	if (channel == NULL) {
		attempt_fail(attempt, "no_channel", "the channel is not configured any more");
		return;
	}
	channel_hold(channel);
	connector = channel_connector(channel);
	if ((connector->abilities & CAN_SEND) == 0)
		attempt_fail(attempt, "cannot_send", "this channel cannot send");
	else if (channel_parked(channel) != NULL)
		attempt_end(attempt, (struct outbox_ending){ .outcome = OUTCOME_RETRY,
							     .code = "parked",
							     .why = channel_parked(channel),
							     .retry_ms = PARKED_MS });
	else if (!outbound_build(attempt))
		attempt_fail(attempt, "unreadable", "the stored message cannot be read");
	else if (window = window_of(attempt), !window.may && window.from_ms > 0)
		attempt_put_off(attempt, window.code, window.why,
				window.from_ms - loop_unix_ms(attempt->parts->loop));
	else if (!window.may)
		attempt_fail(attempt, window.code, window.why);
	else
		attempt_count(attempt);
}

static void on_recovered(const struct outbox_result *result, const struct error *err, void *context)
{
	(void)err;
	attempt_done(context, result->code == OUTBOX_OK);
}

static void on_begun(const struct outbox_result *result, const struct error *err, void *context)
{
	struct attempt *attempt = context;
	struct outbox_claim claim = { .workspace = attempt->workspace,
				      .fence = attempt->fence,
				      .conversation = attempt->conversation,
				      .dead = attempt->parts->forerunners };

	(void)err;
	if (result->code == OUTBOX_SENDING) {
		outbox_recover(attempt->parts->store, &claim, on_recovered, attempt);
		return;
	}
	if (result->code != OUTBOX_OK || result->message == NULL) {
		attempt_done(attempt, false);
		return;
	}
	copy_message(attempt, result->message);
	attempt->deadline = loop_timer_new(attempt->parts->loop, on_deadline, attempt);
	loop_timer_start(attempt->deadline, DEADLINE_MS);
	attempt_send(attempt);
}

void delivery_start(const struct delivery_start *start)
{
	struct arena *arena = arena_new(8 * 1024);
	struct attempt *attempt = arena_alloc(arena, sizeof(*attempt));
	unsigned char random[TOKEN_BYTES];
	struct outbox_claim claim = { .timeout_ms = ATTEMPT_MS };

	attempt->arena = arena;
	attempt->parts = start->parts;
	attempt->workspace = arena_text(arena, start->workspace);
	attempt->fence = arena_text(arena, start->fence);
	attempt->conversation = arena_text(arena, start->conversation);
	attempt->done = start->done;
	attempt->context = start->context;
	crypto_random(random, sizeof(random));
	text_hex(random, sizeof(random), attempt->token);
	claim.workspace = attempt->workspace;
	claim.fence = attempt->fence;
	claim.conversation = attempt->conversation;
	claim.token = attempt->token;
	outbox_begin(attempt->parts->store, &claim, on_begun, attempt);
}
