#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "multipart.h"
#include "telegram_private.h"

enum { UPLOAD_MS = 120000 };

static bool is_private(const struct channel *channel)
{
	const struct telegram_settings *settings = telegram_host()->channel_settings(channel);

	return strcmp(settings->api_base, TELEGRAM_PROVIDER) != 0;
}

void telegram_call(struct channel *channel, const struct telegram_call *call,
		   provider_answered *done, void *context)
{
	const struct host *host = telegram_host();
	const struct telegram_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	const char *const fields[] = { "content-type", call->type ? call->type : "application/json",
				       NULL };
	const struct host_http http = {
		.method = "POST",
		.url = host->format(arena, "%s/bot%s/%s", settings->api_base, settings->bot_token,
				    call->method),
		.fields = fields,
		.body = call->body,
		.body_len = call->type ? call->len : strlen(call->body),
		.timeout_ms = call->timeout_ms,
		.allow_private = is_private(channel),
		.answer_max = call->answer_max,
	};

	provider_call(host, channel, &http, done, context);
	host->arena_free(arena);
}

int64_t telegram_retry_ms(struct json_object *answer, int64_t fallback_ms)
{
	const struct host *host = telegram_host();
	int64_t seconds = answer ? host->json_int(answer, "parameters.retry_after", -1) : -1;

	return seconds >= 0 && seconds < 86400 ? seconds * 1000 : fallback_ms;
}

struct sending {
	struct channel *channel;
	struct delivery *delivery;
	struct arena *arena;
	const char *chat;
	const struct attachment *attachment;
};

static void sending_free(struct sending *sending)
{
	telegram_host()->arena_free(sending->arena);
	free(sending);
}

static enum send_failure failure_of(long status)
{
	if (status == 401 || status == 404)
		return SEND_REAUTH;
	if (status == 429 || status >= 500)
		return SEND_RETRY;
	return SEND_PERMANENT;
}

static void on_refused(struct sending *sending, const struct host_answer *answer,
		       struct json_object *body)
{
	const struct host *host = telegram_host();
	char code[24];

	snprintf(code, sizeof(code), "http_%ld", answer->status);
	if (answer->status < 300)
		host->failed(sending->delivery, SEND_UNKNOWN, code, "the answer cannot be read",
			     -1);
	else
		host->failed(sending->delivery, failure_of(answer->status), code,
			     provider_text(host, body, "description", "refused"),
			     telegram_retry_ms(body, answer->retry_after_ms));
}

static void on_sent(const struct host_answer *answer, struct json_object *body, struct arena *arena,
		    void *context)
{
	struct sending *sending = context;
	const struct host *host = telegram_host();
	int64_t id = body ? host->json_int(body, "result.message_id", 0) : 0;

	if (answer->error)
		provider_unreached(host, sending->delivery, answer, false);
	else if (body && host->json_bool(body, "ok", false))
		host->sent(sending->delivery,
			   host->format(arena, "%s:%lld", sending->chat, (long long)id));
	else
		on_refused(sending, answer, body);
	sending_free(sending);
}

/* A chat id is a number; a public name is a text. */
static const char *chat_json(struct sending *sending)
{
	const char *digits = sending->chat[0] == '-' ? sending->chat + 1 : sending->chat;

	if (digits[0] && strspn(digits, "0123456789") == strlen(digits) && strlen(digits) < 19)
		return sending->chat;
	return telegram_host()->json_quote(sending->arena, sending->chat);
}

static const struct upload {
	const char *type; /* "": anything else */
	const char *method;
	const char *field;
} uploads[] = {
	{ "image/jpeg", "sendPhoto", "photo" }, { "image/png", "sendPhoto", "photo" },
	{ "image/webp", "sendPhoto", "photo" }, { "audio/ogg", "sendVoice", "voice" },
	{ "video/mp4", "sendVideo", "video" },  { "", "sendDocument", "document" },
};

static const struct upload *upload_of(const char *type)
{
	const struct upload *upload = uploads;

	while (upload->type[0] && strcmp(upload->type, type) != 0)
		upload++;
	return upload;
}

static void on_attachment(const void *bytes, size_t len, const char *error, bool gone,
			  void *context)
{
	struct sending *sending = context;
	const struct host *host = telegram_host();
	const struct upload *upload = upload_of(sending->attachment->type);
	const char *const fields[] = { "chat_id", sending->chat, NULL };
	const struct multipart_file file = { .field = upload->field,
					     .name = sending->attachment->name,
					     .type = sending->attachment->type,
					     .bytes = bytes,
					     .len = len };
	struct telegram_call call = { .method = upload->method, .timeout_ms = UPLOAD_MS };
	struct multipart body;

	if (error) {
		host->failed(sending->delivery, gone ? SEND_PERMANENT : SEND_RETRY, "attachment",
			     error, -1);
		sending_free(sending);
		return;
	}
	body = multipart_build(host, sending->arena, fields, &file);
	call.type = body.content_type;
	call.body = body.body;
	call.len = body.len;
	telegram_call(sending->channel, &call, on_sent, sending);
}

static void send_words(struct sending *sending, const struct outbound *message)
{
	const struct host *host = telegram_host();
	struct json_object *extra = NULL;
	struct telegram_call call = { .method = "sendMessage" };

	if (message->extra)
		extra = host->json_read(message->extra, strlen(message->extra), sending->arena,
					NULL);
	if (extra && host->json_kind(extra, "location") == HOST_JSON_OBJECT) {
		call.method = "sendLocation";
		call.body = host->format(
			sending->arena, "{\"chat_id\":%s,\"latitude\":%s,\"longitude\":%s}",
			chat_json(sending),
			telegram_number(extra, sending->arena, "location.latitude"),
			telegram_number(extra, sending->arena, "location.longitude"));
	} else {
		call.body = host->format(sending->arena, "{\"chat_id\":%s,\"text\":%s}",
					 chat_json(sending),
					 host->json_quote(sending->arena, message->text));
	}
	if (extra)
		host->json_free(extra);
	telegram_call(sending->channel, &call, on_sent, sending);
}

void telegram_send(struct channel *channel, const struct outbound *message,
		   struct delivery *delivery)
{
	const struct host *host = telegram_host();
	struct sending *sending = calloc(1, sizeof(*sending));
	bool is_group = message->thread && message->thread[0];

	if (!sending)
		abort();
	sending->channel = channel;
	sending->delivery = delivery;
	sending->arena = host->arena_new();
	sending->chat = host->text(sending->arena, is_group ? message->thread : message->to);
	if (message->attachment_count == 0) {
		send_words(sending, message);
		return;
	}
	sending->attachment = provider_attachment(host, sending->arena, message->attachments);
	host->attachment(channel, sending->attachment, on_attachment, sending);
}

/* ---- files of customers ---- */

struct finding {
	struct channel *channel;
	struct media_search *search;
};

static void on_found(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct finding finding = *(struct finding *)context;
	const struct host *host = telegram_host();
	const struct telegram_settings *settings = host->channel_settings(finding.channel);
	const char *path = provider_text(host, body, "result.file_path", NULL);
	struct media_request request = { .allow_private = is_private(finding.channel) };

	free(context);
	if (!path) {
		host->media_lost(finding.search, answer->status == 400,
				 answer->error
					 ? answer->error
					 : provider_text(host, body, "description", "refused"));
		return;
	}
	request.url = host->format(arena, "%s/file/bot%s/%s", settings->api_base,
				   settings->bot_token, path);
	host->media_found(finding.search, &request);
}

void telegram_find_media(struct channel *channel, const struct attachment *attachment,
			 struct media_search *search)
{
	const struct host *host = telegram_host();
	struct arena *arena = host->arena_new();
	struct finding *finding = malloc(sizeof(*finding));
	struct telegram_call call = { .method = "getFile" };

	if (!finding)
		abort();
	*finding = (struct finding){ channel, search };
	call.body = host->format(arena, "{\"file_id\":%s}",
				 host->json_quote(arena, attachment->url + strlen("media:")));
	telegram_call(channel, &call, on_found, finding);
	host->arena_free(arena);
}

/* ---- a try ---- */

static void on_tried(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct provider_trial *trial = context;
	const struct host *host = telegram_host();
	bool is_ok = body && host->json_bool(body, "ok", false);
	const char *phrase;

	if (is_ok)
		phrase = host->format(arena, "the bot is @%s",
				      provider_text(host, body, "result.username", "?"));
	else
		phrase = answer->error ? answer->error
				       : provider_text(host, body, "description", "refused");
	provider_tried(trial, is_ok, phrase);
}

void telegram_test(struct channel *channel,
		   void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	struct provider_trial *trial = provider_trial_new(done, context);
	const struct telegram_call call = { .method = "getMe", .body = "{}" };

	telegram_call(channel, &call, on_tried, trial);
}
