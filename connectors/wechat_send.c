#include <stdlib.h>
#include <string.h>

#include "provider_call.h"
#include "wechat_private.h"

enum { LINK_S = 7 * 24 * 3600 };

/* "Retry" without a number is the core's schedule. What an administrator must
 * mend parks the channel: the messages are good, the account is not. */
static const struct weixin_error errors[] = {
	{ -1, SEND_RETRY, WEIXIN_BY_SCHEDULE, "WeChat is busy" },
	{ 40001, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeChat does not accept the access token" },
	{ 40014, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeChat does not accept the access token" },
	{ 41001, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeChat does not accept the access token" },
	{ 42001, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeChat does not accept the access token" },
	{ 40013, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeChat does not know this app_id" },
	{ 40125, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeChat does not accept the app_secret" },
	{ 40164, SEND_REAUTH, WEIXIN_BY_SCHEDULE,
	  "the address of this server is not on the account's IP whitelist" },
	{ 48001, SEND_REAUTH, WEIXIN_BY_SCHEDULE,
	  "the account has no permission for customer-service messages" },
	{ 48004, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeChat has blocked this API for the account" },
	{ 50002, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeChat has frozen the account" },
	{ 45009, SEND_RETRY, WEIXIN_NEXT_DAY, "the day's quota of calls is used up" },
	{ 45011, SEND_RETRY, WEIXIN_NEXT_MINUTE, "too many calls in this minute" },
	{ 45015, SEND_WINDOW, WEIXIN_BY_SCHEDULE,
	  "the reply window has closed, or the customer does not follow the account" },
	{ 45047, SEND_WINDOW, WEIXIN_BY_SCHEDULE,
	  "the reply window is used up: too many since the customer wrote last" },
	{ 40007, SEND_RETRY, WEIXIN_BY_SCHEDULE, "WeChat does not know the file any more" },
	{ 40003, SEND_PERMANENT, WEIXIN_BY_SCHEDULE, "there is no such customer" },
	{ 43004, SEND_PERMANENT, WEIXIN_BY_SCHEDULE, "the customer does not follow the account" },
	{ 43019, SEND_PERMANENT, WEIXIN_BY_SCHEDULE, "the customer is on the blacklist" },
	{ 45002, SEND_PERMANENT, WEIXIN_BY_SCHEDULE, "the text is too long" },
	{ 0, SEND_PERMANENT, WEIXIN_BY_SCHEDULE, NULL },
};

static struct wechat_state *state_of(struct channel *channel)
{
	return wechat_host()->channel_state(channel);
}

/* ---- the token ---- */

static void token_request(struct channel *channel, struct arena *arena, struct host_http *ret)
{
	static const char *const fields[] = { "content-type", "application/json", NULL };
	const struct host *host = wechat_host();
	const struct wechat_settings *settings = host->channel_settings(channel);

	/* The stable token is the same for all who ask, so that instances do not put out each
	 * other's. */
	ret->method = "POST";
	ret->url = host->format(arena, "%s/cgi-bin/stable_token", settings->api_base);
	ret->fields = fields;
	ret->body = host->format(arena,
				 "{\"grant_type\":\"client_credential\",\"appid\":%s,\"secret\":%s,"
				 "\"force_refresh\":false}",
				 host->json_quote(arena, settings->app_id),
				 host->json_quote(arena, settings->app_secret));
	ret->body_len = strlen(ret->body);
	ret->allow_private = strcmp(settings->api_base, WECHAT_PROVIDER) != 0;
}

static void token_read(struct json_object *body, struct arena *arena,
		       struct access_token_answer *ret)
{
	const struct weixin judge = { .host = wechat_host(), .errors = errors };

	weixin_token_read(&judge, body, arena, ret);
}

static const struct access_token_source token_source = { token_request, token_read };

void wechat_api_open(struct channel *channel)
{
	const struct host *host = wechat_host();
	const struct wechat_settings *settings = host->channel_settings(channel);
	struct weixin *api = &state_of(channel)->api;

	api->host = host;
	api->channel = channel;
	api->base = settings->api_base;
	api->is_private = strcmp(settings->api_base, WECHAT_PROVIDER) != 0;
	api->errors = errors;
	access_token_open(&api->token, host, channel, &token_source);
}

/* ---- a message ---- */

struct sending {
	struct channel *channel;
	struct delivery *delivery;
	struct arena *arena;
	const char *to; /* as a JSON text */
	const struct attachment *attachment;
	const char *link; /* to the attachment; NULL */
	bool is_template;
};

static void sending_free(struct sending *sending)
{
	wechat_host()->arena_free(sending->arena);
	free(sending);
}

static void fail(struct sending *sending, const struct weixin_answer *answer)
{
	wechat_host()->failed(sending->delivery, answer->failure, answer->code, answer->why,
			      answer->retry_after_ms);
	sending_free(sending);
}

/* A customer-service message has no id; a template's is a number, by which its
 * receipt comes. */
static void on_sent(const struct weixin_answer *answer, void *context)
{
	struct sending *sending = context;
	const struct host *host = wechat_host();
	struct json_object *id = answer->body ? host->json_at(answer->body, "msgid") : NULL;

	if (!answer->is_ok) {
		fail(sending, answer);
		return;
	}
	host->sent(sending->delivery,
		   sending->is_template && id ? host->json_print(id, answer->arena) : NULL);
	sending_free(sending);
}

static void post(struct sending *sending, const char *path, const char *body)
{
	const struct weixin_request request = {
		.method = "POST", .path = path, .body = body, .len = strlen(body)
	};

	weixin_call(&state_of(sending->channel)->api, &request, on_sent, sending);
}

static void post_custom(struct sending *sending, const char *kind, const char *inside)
{
	post(sending, "/cgi-bin/message/custom/send",
	     wechat_host()->format(sending->arena, "{\"touser\":%s,\"msgtype\":\"%s\",\"%s\":%s}",
				   sending->to, kind, kind, inside));
}

static void post_text(struct sending *sending, const char *text)
{
	const struct host *host = wechat_host();

	post_custom(sending, "text",
		    host->format(sending->arena, "{\"content\":%s}",
				 host->json_quote(sending->arena, text)));
}

/* ---- files ---- */

/* What WeChat does not carry goes as a link. */
static void post_link(struct sending *sending)
{
	const struct host *host = wechat_host();

	if (sending->link && strncmp(sending->link, "http", 4) == 0) {
		post_text(sending, host->format(sending->arena, "%s %s", sending->attachment->name,
						sending->link));
		return;
	}
	host->failed(sending->delivery, SEND_PERMANENT, "no_public_url",
		     "WeChat carries no such file and there is no link to it: set public_url", -1);
	sending_free(sending);
}

static void on_uploaded(const char *media_id, const char *kind, const struct weixin_answer *answer,
			void *context)
{
	struct sending *sending = context;
	const struct host *host = wechat_host();
	const char *id = media_id ? host->json_quote(sending->arena, media_id) : NULL;

	if (!kind)
		post_link(sending);
	else if (!id)
		fail(sending, answer);
	else if (strcmp(kind, "video") == 0)
		post_custom(
			sending, kind,
			host->format(sending->arena,
				     "{\"media_id\":%s,\"thumb_media_id\":%s,\"title\":%s,"
				     "\"description\":\"\"}",
				     id, id,
				     host->json_quote(sending->arena, sending->attachment->name)));
	else
		post_custom(sending, kind, host->format(sending->arena, "{\"media_id\":%s}", id));
}

/* ---- templates ---- */

/* {"name":"thing1","value":"..."}, ... as WeChat's {"thing1":{"value":"..."}}; an object is that
 * already. */
static const char *template_data(struct arena *arena, struct json_object *parameters)
{
	const struct host *host = wechat_host();
	enum host_json_kind kind = host->json_kind(parameters, "");
	const char *data = "";

	if (kind == HOST_JSON_OBJECT)
		return host->json_print(parameters, arena);
	for (size_t i = 0; kind == HOST_JSON_ARRAY && i < host->json_count(parameters); i++) {
		struct json_object *item = host->json_item(parameters, i);

		data = host->format(
			arena, "%s%s%s:{\"value\":%s}", data, i ? "," : "",
			host->json_quote(arena, provider_text(host, item, "name", "")),
			host->json_quote(arena, provider_text(host, item, "value", "")));
	}
	return host->format(arena, "{%s}", data);
}

static void post_template(struct sending *sending, struct json_object *template)
{
	const struct host *host = wechat_host();
	struct arena *arena = sending->arena;
	const char *url = provider_text(host, template, "url", "");

	sending->is_template = true;
	post(sending, "/cgi-bin/message/template/send",
	     host->format(arena, "{\"touser\":%s,\"template_id\":%s,\"url\":%s,\"data\":%s}",
			  sending->to,
			  host->json_quote(arena, provider_text(host, template, "name", "")),
			  host->json_quote(arena, url),
			  template_data(arena, host->json_at(template, "parameters"))));
}

/* True: it was one, and is on its way. */
static bool send_template(struct sending *sending, const char *extra)
{
	const struct host *host = wechat_host();
	struct json_object *json =
		extra ? host->json_read(extra, strlen(extra), sending->arena, NULL) : NULL;
	struct json_object *template = json ? host->json_at(json, "template") : NULL;
	bool is_template = template && host->json_kind(template, "") == HOST_JSON_OBJECT;

	if (is_template)
		post_template(sending, template);
	if (json)
		host->json_free(json);
	return is_template;
}

void wechat_send(struct channel *channel, const struct outbound *message, struct delivery *delivery)
{
	const struct host *host = wechat_host();
	struct sending *sending = calloc(1, sizeof(*sending));
	struct weixin_upload upload = { .done = on_uploaded, .context = sending };

	if (!sending)
		abort();
	sending->channel = channel;
	sending->delivery = delivery;
	sending->arena = host->arena_new();
	sending->to = host->json_quote(sending->arena, message->to);
	if (message->attachment_count > 0) {
		const struct attachment *file = &message->attachments[0];

		sending->attachment = provider_attachment(host, sending->arena, file);
		sending->link = host->attachment_url(
			channel, file, message->created_ms / 1000 + LINK_S, sending->arena);
		upload.attachment = sending->attachment;
		weixin_upload(&state_of(channel)->api, &upload);
	} else if (!send_template(sending, message->extra)) {
		post_text(sending, message->text);
	}
}

/* ---- a try ---- */

static void on_tried(const struct weixin_answer *answer, void *context)
{
	struct provider_trial *trial = context;

	provider_tried(trial, answer->is_ok,
		       answer->is_ok ? "WeChat accepts the app_id, its secret and this server"
				     : wechat_host()->format(answer->arena, "%s: %s", answer->code,
							     answer->why));
}

void wechat_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
		 void *context)
{
	static const struct weixin_request request = { .method = "GET",
						       .path = "/cgi-bin/get_api_domain_ip" };
	struct provider_trial *trial = provider_trial_new(done, context);

	weixin_call(&state_of(channel)->api, &request, on_tried, trial);
}
