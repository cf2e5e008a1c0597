#include <stdlib.h>
#include <string.h>

#include "multipart.h"
#include "x_private.h"

enum { UPLOAD_MS = 120000, NONCE_BYTES = 16, SHA1_BYTES = 20 };

/* ---- OAuth 1.0a ---- */

static const char *signature_of(const struct x_settings *settings, struct arena *arena,
				const char *base)
{
	const struct host *host = x_host();
	const char *key =
		host->format(arena, "%s&%s", host->url_escape(arena, settings->app_secret),
			     host->url_escape(arena, settings->access_token_secret));
	unsigned char mac[SHA1_BYTES];

	host->hmac_sha1(key, strlen(key), base, strlen(base), mac);
	return host->url_escape(arena, host->base64(arena, mac, sizeof(mac)));
}

static const char *oauth1(const struct x_settings *settings, struct arena *arena,
			  const char *method, const char *url)
{
	const struct host *host = x_host();
	const char *key = host->url_escape(arena, settings->app_key);
	const char *token = host->url_escape(arena, settings->access_token);
	long long now_s = host->unix_ms() / 1000;
	unsigned char random[NONCE_BYTES];
	const char *nonce, *parameters, *base;

	host->random(random, sizeof(random));
	nonce = host->hex(arena, random, sizeof(random));
	/* Sorted by name; bodies that are no forms are not signed. */
	parameters = host->format(arena,
				  "oauth_consumer_key=%s&oauth_nonce=%s&oauth_signature_method="
				  "HMAC-SHA1&oauth_timestamp=%lld&oauth_token=%s&oauth_version=1.0",
				  key, nonce, now_s, token);
	base = host->format(arena, "%s&%s&%s", method, host->url_escape(arena, url),
			    host->url_escape(arena, parameters));
	return host->format(arena,
			    "OAuth oauth_consumer_key=\"%s\", oauth_nonce=\"%s\", "
			    "oauth_signature=\"%s\", oauth_signature_method=\"HMAC-SHA1\", "
			    "oauth_timestamp=\"%lld\", oauth_token=\"%s\", oauth_version=\"1.0\"",
			    key, nonce, signature_of(settings, arena, base), now_s, token);
}

const char *x_authorization(const struct channel *channel, struct arena *arena, const char *method,
			    const char *url)
{
	const struct x_settings *settings = x_host()->channel_settings(channel);

	if (settings->access_token_secret && settings->access_token_secret[0])
		return oauth1(settings, arena, method, url);
	return x_host()->format(arena, "Bearer %s", settings->access_token);
}

/* ---- a message ---- */

struct sending {
	struct channel *channel;
	struct delivery *delivery;
	struct arena *arena;
	const char *to;
	const struct attachment *attachment;
};

static void sending_free(struct sending *sending)
{
	x_host()->arena_free(sending->arena);
	free(sending);
}

struct post {
	const char *path;
	const char *type;
	const void *body;
	size_t len;
	int64_t timeout_ms;
	provider_answered *done;
};

static void post(struct sending *sending, const struct post *post)
{
	const struct host *host = x_host();
	const struct x_settings *settings = host->channel_settings(sending->channel);
	const char *url = host->format(sending->arena, "%s%s", settings->api_base, post->path);
	const char *const fields[] = {
		"content-type", post->type, "authorization",
		x_authorization(sending->channel, sending->arena, "POST", url), NULL
	};
	const struct host_http call = { .method = "POST",
					.url = url,
					.fields = fields,
					.body = post->body,
					.body_len = post->len,
					.timeout_ms = post->timeout_ms,
					.allow_private = x_is_private(sending->channel) };

	provider_call(host, sending->channel, &call, post->done, sending);
}

static enum send_failure failure_of(long status)
{
	if (status == 401)
		return SEND_REAUTH;
	if (status == 429 || status >= 500)
		return SEND_RETRY;
	return SEND_PERMANENT; /* 403: the person takes no messages of ours */
}

/* True: 2xx with a readable body. Else the send has ended. */
static bool went_well(struct sending *sending, const struct host_answer *answer,
		      struct json_object *body, bool is_last)
{
	const struct host *host = x_host();
	bool is_ok = !answer->error && answer->status >= 200 && answer->status < 300;
	const char *why = provider_text(host, body, "detail", "refused");

	if (is_ok && body)
		return true;
	if (answer->error)
		provider_unreached(host, sending->delivery, answer, !is_last);
	else if (is_ok)
		host->failed(sending->delivery, is_last ? SEND_UNKNOWN : SEND_RETRY, "unreadable",
			     "the answer cannot be read", -1);
	else
		host->failed(sending->delivery, failure_of(answer->status),
			     host->format(sending->arena, "http_%ld", answer->status), why,
			     answer->retry_after_ms);
	sending_free(sending);
	return false;
}

static void on_sent(const struct host_answer *answer, struct json_object *body, struct arena *arena,
		    void *context)
{
	struct sending *sending = context;

	(void)arena;
	if (!went_well(sending, answer, body, true))
		return;
	x_host()->sent(sending->delivery, provider_text(x_host(), body, "data.dm_event_id", NULL));
	sending_free(sending);
}

static void send_json(struct sending *sending, const char *json)
{
	const struct post call = {
		.path = x_host()->format(sending->arena, "/2/dm_conversations/with/%s/messages",
					 x_host()->url_escape(sending->arena, sending->to)),
		.type = "application/json",
		.body = json,
		.len = strlen(json),
		.done = on_sent,
	};

	post(sending, &call);
}

static void on_uploaded(const struct host_answer *answer, struct json_object *body,
			struct arena *arena, void *context)
{
	struct sending *sending = context;
	const struct host *host = x_host();

	(void)arena;
	if (!went_well(sending, answer, body, false))
		return;
	send_json(sending,
		  host->format(sending->arena, "{\"attachments\":[{\"media_id\":%s}]}",
			       host->json_quote(sending->arena,
						provider_text(host, body, "data.id", ""))));
}

static void on_attachment(const void *bytes, size_t len, const char *error, bool gone,
			  void *context)
{
	struct sending *sending = context;
	const struct host *host = x_host();
	bool is_video = strncmp(sending->attachment->type, "video/", 6) == 0;
	const char *const fields[] = { "media_category", is_video ? "dm_video" : "dm_image", NULL };
	const struct multipart_file file = { .field = "media",
					     .name = sending->attachment->name,
					     .type = sending->attachment->type,
					     .bytes = bytes,
					     .len = len };
	struct post call = { .path = "/2/media/upload",
			     .timeout_ms = UPLOAD_MS,
			     .done = on_uploaded };
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
	post(sending, &call);
}

void x_send(struct channel *channel, const struct outbound *message, struct delivery *delivery)
{
	const struct host *host = x_host();
	struct sending *sending = calloc(1, sizeof(*sending));

	if (!sending)
		abort();
	sending->channel = channel;
	sending->delivery = delivery;
	sending->arena = host->arena_new();
	sending->to = host->text(sending->arena, message->to);
	if (message->attachment_count == 0) {
		send_json(sending, host->format(sending->arena, "{\"text\":%s}",
						host->json_quote(sending->arena, message->text)));
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
	const struct host *host = x_host();
	bool is_ok = !answer->error && answer->status == 200;
	const char *phrase =
		answer->error ? answer->error : provider_text(host, body, "detail", "refused");

	if (is_ok)
		phrase = host->format(arena, "the account is @%s",
				      provider_text(host, body, "data.username", "?"));
	provider_tried(trial, is_ok, phrase);
}

void x_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
	    void *context)
{
	const struct host *host = x_host();
	const struct x_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	struct provider_trial *trial = provider_trial_new(done, context);
	const char *url = host->format(arena, "%s/2/users/me", settings->api_base);
	const char *const fields[] = { "authorization", x_authorization(channel, arena, "GET", url),
				       NULL };
	const struct host_http call = { .method = "GET",
					.url = url,
					.fields = fields,
					.allow_private = x_is_private(channel) };

	provider_call(host, channel, &call, on_tried, trial);
	host->arena_free(arena);
}
