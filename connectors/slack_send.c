#include <stdlib.h>
#include <string.h>

#include "slack_private.h"

enum { UPLOAD_MS = 120000 };

struct sending {
	struct channel *channel;
	struct delivery *delivery;
	struct arena *arena;
	const char *place;  /* of Slack: C..., D..., or U... of the person */
	const char *thread; /* "" none */
	const struct attachment *attachment;
	const void *bytes;
	size_t len;
	const char *file;
};

static void sending_free(struct sending *sending)
{
	slack_host()->arena_free(sending->arena);
	free(sending);
}

static void api_call(struct sending *sending, const char *method, const char *type,
		     const char *body, provider_answered *done)
{
	const struct host *host = slack_host();
	const struct slack_settings *settings = host->channel_settings(sending->channel);
	const char *const fields[] = { "content-type", type, "authorization",
				       slack_bearer(sending->channel, sending->arena), NULL };
	const struct host_http call = {
		.method = "POST",
		.url = host->format(sending->arena, "%s/api/%s", settings->api_base, method),
		.fields = fields,
		.body = body,
		.body_len = strlen(body),
		.allow_private = slack_is_private(sending->channel),
	};

	provider_call(host, sending->channel, &call, done, sending);
}

static enum send_failure failure_of(const char *error)
{
	static const struct {
		const char *error;
		enum send_failure failure;
	} known[] = {
		{ "ratelimited", SEND_RETRY },         { "rate_limited", SEND_RETRY },
		{ "internal_error", SEND_RETRY },      { "fatal_error", SEND_RETRY },
		{ "service_unavailable", SEND_RETRY }, { "request_timeout", SEND_RETRY },
		{ "invalid_auth", SEND_REAUTH },       { "not_authed", SEND_REAUTH },
		{ "account_inactive", SEND_REAUTH },   { "token_revoked", SEND_REAUTH },
		{ "token_expired", SEND_REAUTH },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(error, known[i].error) == 0)
			return known[i].failure;
	return SEND_PERMANENT;
}

/* True: the call did what it should. Else the send has ended. is_last: a lost
 * answer leaves a message that may be there. */
static bool went_well(struct sending *sending, const struct host_answer *answer,
		      struct json_object *body, bool is_last)
{
	const struct host *host = slack_host();
	const char *error = provider_text(host, body, "error", "no readable answer");

	if (answer->error)
		provider_unreached(host, sending->delivery, answer, !is_last);
	else if (body && host->json_bool(body, "ok", false))
		return true;
	else if (answer->status == 429 || answer->status >= 500)
		host->failed(sending->delivery, SEND_RETRY, "busy", error, answer->retry_after_ms);
	else if (!body && is_last && answer->status == 200)
		host->failed(sending->delivery, SEND_UNKNOWN, "unreadable", error, -1);
	else
		host->failed(sending->delivery, failure_of(error), error, error,
			     answer->retry_after_ms);
	sending_free(sending);
	return false;
}

static void on_posted(const struct host_answer *answer, struct json_object *body,
		      struct arena *arena, void *context)
{
	struct sending *sending = context;
	const struct host *host = slack_host();

	if (!went_well(sending, answer, body, true))
		return;
	host->sent(sending->delivery,
		   host->format(arena, "%s:%s",
				provider_text(host, body, "channel", sending->place),
				provider_text(host, body, "ts", "")));
	sending_free(sending);
}

/* What Slack would read as markup. */
static const char *escaped(struct arena *arena, const char *text)
{
	char *out = slack_host()->alloc(arena, 5 * strlen(text) + 1);
	char *at = out;

	for (; *text; text++) {
		const char *entity = *text == '&'   ? "&amp;"
				     : *text == '<' ? "&lt;"
				     : *text == '>' ? "&gt;"
						    : NULL;

		if (entity) {
			memcpy(at, entity, strlen(entity));
			at += strlen(entity);
		} else {
			*at++ = *text;
		}
	}
	return out;
}

static const char *thread_json(struct sending *sending)
{
	if (!sending->thread[0])
		return "";
	return slack_host()->format(sending->arena, ",\"thread_ts\":%s",
				    slack_host()->json_quote(sending->arena, sending->thread));
}

static void post_words(struct sending *sending, const char *text)
{
	const struct host *host = slack_host();

	api_call(sending, "chat.postMessage", "application/json; charset=utf-8",
		 host->format(sending->arena, "{\"channel\":%s,\"text\":%s%s}",
			      host->json_quote(sending->arena, sending->place),
			      host->json_quote(sending->arena, escaped(sending->arena, text)),
			      thread_json(sending)),
		 on_posted);
}

/* ---- a file: ask where to put it, put it there, say that it is done ---- */

static void on_shared(const struct host_answer *answer, struct json_object *body,
		      struct arena *arena, void *context)
{
	struct sending *sending = context;
	const struct host *host = slack_host();

	(void)arena;
	if (!went_well(sending, answer, body, true))
		return;
	host->sent(sending->delivery, sending->file);
	sending_free(sending);
}

static void on_put(const struct host_answer *answer, struct json_object *body, struct arena *arena,
		   void *context)
{
	struct sending *sending = context;
	const struct host *host = slack_host();

	(void)body;
	(void)arena;
	if (answer->error || answer->status < 200 || answer->status > 299) {
		host->failed(sending->delivery, SEND_RETRY, "upload",
			     answer->error ? answer->error : "the upload was refused",
			     answer->retry_after_ms);
		sending_free(sending);
		return;
	}
	api_call(sending, "files.completeUploadExternal", "application/json; charset=utf-8",
		 host->format(sending->arena,
			      "{\"files\":[{\"id\":%s,\"title\":%s}],\"channel_id\":%s%s}",
			      host->json_quote(sending->arena, sending->file),
			      host->json_quote(sending->arena, sending->attachment->name),
			      host->json_quote(sending->arena, sending->place),
			      thread_json(sending)),
		 on_shared);
}

static void on_place(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct sending *sending = context;
	const struct host *host = slack_host();
	const char *const fields[] = { "content-type", "application/octet-stream", NULL };
	struct host_http call = { .method = "POST",
				  .fields = fields,
				  .timeout_ms = UPLOAD_MS,
				  .allow_private = slack_is_private(sending->channel) };

	(void)arena;
	if (!went_well(sending, answer, body, false))
		return;
	sending->file = host->text(sending->arena, provider_text(host, body, "file_id", ""));
	call.url = provider_text(host, body, "upload_url", "");
	call.body = sending->bytes;
	call.body_len = sending->len;
	provider_call(host, sending->channel, &call, on_put, sending);
}

static void on_attachment(const void *bytes, size_t len, const char *error, bool gone,
			  void *context)
{
	struct sending *sending = context;
	const struct host *host = slack_host();
	const char *name = sending->attachment->name;

	if (error) {
		host->failed(sending->delivery, gone ? SEND_PERMANENT : SEND_RETRY, "attachment",
			     error, -1);
		sending_free(sending);
		return;
	}
	sending->bytes = host->copy(sending->arena, bytes, len);
	sending->len = len;
	api_call(sending, "files.getUploadURLExternal", "application/x-www-form-urlencoded",
		 host->format(sending->arena, "filename=%s&length=%zu",
			      host->url_escape(sending->arena, name[0] ? name : "file"), len),
		 on_place);
}

/* The thread's place, else where the person wrote last, else the person. */
static void find_place(struct sending *sending, const struct outbound *message)
{
	const struct host *host = slack_host();
	const char *from =
		message->thread && message->thread[0] ? message->thread : message->reply_context;
	char *place = host->text(sending->arena, from ? from : "");
	char *colon = strchr(place, ':');

	sending->place = place;
	sending->thread = "";
	if (colon) {
		*colon = 0;
		sending->thread = colon + 1;
	}
	if (!place[0])
		sending->place = host->text(sending->arena, message->to);
}

void slack_send(struct channel *channel, const struct outbound *message, struct delivery *delivery)
{
	const struct host *host = slack_host();
	struct sending *sending = calloc(1, sizeof(*sending));

	if (!sending)
		abort();
	sending->channel = channel;
	sending->delivery = delivery;
	sending->arena = host->arena_new();
	find_place(sending, message);
	if (message->attachment_count == 0) {
		post_words(sending, message->text);
		return;
	}
	sending->attachment = provider_attachment(host, sending->arena, message->attachments);
	host->attachment(channel, sending->attachment, on_attachment, sending);
}

/* ---- a try ---- */

static void on_tried(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct provider_trial *trial = context;
	const struct host *host = slack_host();
	bool is_ok = body && host->json_bool(body, "ok", false);
	const char *phrase =
		answer->error ? answer->error : provider_text(host, body, "error", "refused");

	if (is_ok)
		phrase = host->format(arena, "the app is %s in %s",
				      provider_text(host, body, "user", "?"),
				      provider_text(host, body, "team", "?"));
	provider_tried(trial, is_ok, phrase);
}

void slack_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
		void *context)
{
	const struct host *host = slack_host();
	const struct slack_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	struct provider_trial *trial = provider_trial_new(done, context);
	const char *const fields[] = { "authorization", slack_bearer(channel, arena), NULL };
	const struct host_http call = { .method = "POST",
					.url = host->format(arena, "%s/api/auth.test",
							    settings->api_base),
					.fields = fields,
					.body = "",
					.allow_private = slack_is_private(channel) };

	provider_call(host, channel, &call, on_tried, trial);
	host->arena_free(arena);
}

/* Needs the scope users:read. */
void slack_find_name(struct channel *channel, const char *who,
		     void (*done)(const char *name, void *context), void *context)
{
	static const char *const paths[] = { "user.profile.display_name", "user.real_name",
					     "user.name", NULL };
	const struct host *host = slack_host();
	const struct slack_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	const char *const fields[] = { "authorization", slack_bearer(channel, arena), NULL };
	const struct host_http call = { .method = "GET",
					.url = host->format(arena, "%s/api/users.info?user=%s",
							    settings->api_base,
							    host->url_escape(arena, who)),
					.fields = fields,
					.allow_private = slack_is_private(channel) };

	provider_find_name(host, channel, &call, paths, &(struct provider_named){ done, context });
	host->arena_free(arena);
}
