#include <stdlib.h>
#include <string.h>

#include "provider_call.h"
#include "wecom_private.h"

enum { MSGID_MAX = 32, STATE_NEW = 0, STATE_ROBOT = 1 };

/* What an administrator must mend parks the channel: the messages are good,
 * the account is not. */
static const struct weixin_error errors[] = {
	{ -1, SEND_RETRY, WEIXIN_BY_SCHEDULE, "WeCom is busy" },
	{ 6000, SEND_RETRY, WEIXIN_BY_SCHEDULE, "WeCom is busy with the same data" },
	{ 40001, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeCom does not accept the app_secret" },
	{ 40013, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeCom does not know this corp_id" },
	{ 40014, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeCom does not accept the access token" },
	{ 41001, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeCom does not accept the access token" },
	{ 42001, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "WeCom does not accept the access token" },
	{ 60020, SEND_REAUTH, WEIXIN_BY_SCHEDULE,
	  "the address of this server is not among the app's trusted ones" },
	{ 60030, SEND_REAUTH, WEIXIN_BY_SCHEDULE, "the app may not call this API" },
	{ 48002, SEND_REAUTH, WEIXIN_BY_SCHEDULE,
	  "the app is not among those that may call the customer-service API" },
	{ 45009, SEND_RETRY, WEIXIN_NEXT_MINUTE, "too many calls" },
	{ 45033, SEND_RETRY, WEIXIN_NEXT_MINUTE, "too many calls at once" },
	{ 95001, SEND_WINDOW, WEIXIN_BY_SCHEDULE,
	  "the reply window is used up or has closed: the customer must write again" },
	{ 95013, SEND_WINDOW, WEIXIN_BY_SCHEDULE, "the reply window has closed: session ended" },
	{ 95018, SEND_WINDOW, WEIXIN_BY_SCHEDULE,
	  "the reply window is closed: a servicer has the session, or it has ended" },
	{ 40007, SEND_RETRY, WEIXIN_BY_SCHEDULE, "WeCom does not know the file any more" },
	{ 95000, SEND_PERMANENT, WEIXIN_BY_SCHEDULE, "there is no such customer-service account" },
	{ 0, SEND_PERMANENT, WEIXIN_BY_SCHEDULE, NULL },
};

static struct wecom_state *state_of(struct channel *channel)
{
	return wecom_host()->channel_state(channel);
}

/* ---- the token ---- */

static void token_request(struct channel *channel, struct arena *arena, struct host_http *ret)
{
	const struct host *host = wecom_host();
	const struct wecom_settings *settings = host->channel_settings(channel);

	ret->method = "GET";
	ret->url = host->format(arena, "%s/cgi-bin/gettoken?corpid=%s&corpsecret=%s",
				settings->api_base, host->url_escape(arena, settings->corp_id),
				host->url_escape(arena, settings->app_secret));
	ret->allow_private = strcmp(settings->api_base, WECOM_PROVIDER) != 0;
}

static void token_read(struct json_object *body, struct arena *arena,
		       struct access_token_answer *ret)
{
	const struct weixin judge = { .host = wecom_host(), .errors = errors };

	weixin_token_read(&judge, body, arena, ret);
}

static const struct access_token_source token_source = { token_request, token_read };

void wecom_api_open(struct channel *channel)
{
	const struct host *host = wecom_host();
	const struct wecom_settings *settings = host->channel_settings(channel);
	struct weixin *api = &state_of(channel)->api;

	api->host = host;
	api->channel = channel;
	api->base = settings->api_base;
	api->is_private = strcmp(settings->api_base, WECOM_PROVIDER) != 0;
	api->errors = errors;
	access_token_open(&api->token, host, channel, &token_source);
}

/* ---- a message ---- */

struct sending {
	struct channel *channel;
	struct delivery *delivery;
	struct arena *arena;
	const char *who;  /* "open_kfid":...,"external_userid":... */
	const char *head; /* "touser":...,"open_kfid":...,"msgid":... */
	const char *body; /* of send_msg */
	const struct attachment *attachment;
	weixin_answered *sent;
	bool is_taken_over; /* the session was put into our hands for this send */
};

static void sending_free(struct sending *sending)
{
	wecom_host()->arena_free(sending->arena);
	free(sending);
}

static void fail(struct sending *sending, const struct weixin_answer *answer)
{
	wecom_host()->failed(sending->delivery, answer->failure, answer->code, answer->why,
			     answer->retry_after_ms);
	sending_free(sending);
}

static void call(struct sending *sending, const char *path, const char *body, weixin_answered *done)
{
	const struct weixin_request request = {
		.method = "POST", .path = path, .body = body, .len = strlen(body)
	};

	weixin_call(&state_of(sending->channel)->api, &request, done, sending);
}

static void send_body(struct sending *sending)
{
	call(sending, "/cgi-bin/kf/send_msg", sending->body, sending->sent);
}

/* ---- whose session it is: the API may write in a new one and in its own ---- */

static void refuse_session(struct sending *sending)
{
	wecom_host()->failed(sending->delivery, SEND_WINDOW, "95018",
			     "the reply window is closed: a servicer has the session, or it has "
			     "ended",
			     -1);
	sending_free(sending);
}

static void on_taken_over(const struct weixin_answer *answer, void *context)
{
	struct sending *sending = context;

	if (!answer->is_ok)
		fail(sending, answer);
	else
		send_body(sending);
}

static void on_session(const struct weixin_answer *answer, void *context)
{
	struct sending *sending = context;
	const struct host *host = wecom_host();
	int64_t session = answer->is_ok ? host->json_int(answer->body, "service_state", -1) : -1;

	if (!answer->is_ok)
		fail(sending, answer);
	else if (session == STATE_ROBOT)
		send_body(sending); /* it was given to us meanwhile */
	else if (session == STATE_NEW)
		call(sending, "/cgi-bin/kf/service_state/trans",
		     host->format(sending->arena, "{%s,\"service_state\":%d}", sending->who,
				  STATE_ROBOT),
		     on_taken_over);
	else
		refuse_session(sending);
}

static void on_sent(const struct weixin_answer *answer, void *context)
{
	struct sending *sending = context;
	const struct host *host = wecom_host();
	bool is_of_others = !answer->is_ok && strcmp(answer->code, "95018") == 0;

	if (answer->is_ok) {
		host->sent(sending->delivery, provider_text(host, answer->body, "msgid", NULL));
		sending_free(sending);
	} else if (is_of_others && !sending->is_taken_over) {
		sending->is_taken_over = true;
		call(sending, "/cgi-bin/kf/service_state/get",
		     host->format(sending->arena, "{%s}", sending->who), on_session);
	} else {
		fail(sending, answer);
	}
}

/* ---- what is written ---- */

static void send_kind(struct sending *sending, const char *kind, const char *inside)
{
	sending->body = wecom_host()->format(sending->arena, "{%s,\"msgtype\":\"%s\",\"%s\":%s}",
					     sending->head, kind, kind, inside);
	send_body(sending);
}

static void send_text(struct sending *sending, const char *text)
{
	const struct host *host = wecom_host();

	send_kind(sending, "text",
		  host->format(sending->arena, "{\"content\":%s}",
			       host->json_quote(sending->arena, text)));
}

static const char *number_at(struct arena *arena, struct json_object *place, const char *name)
{
	struct json_object *number = wecom_host()->json_at(place, name);

	return number ? wecom_host()->json_print(number, arena) : "0";
}

/* True: it was a place, and is on its way. */
static bool send_place(struct sending *sending, const char *extra)
{
	const struct host *host = wecom_host();
	struct arena *arena = sending->arena;
	struct json_object *json =
		extra ? host->json_read(extra, strlen(extra), arena, NULL) : NULL;
	struct json_object *place = json ? host->json_at(json, "location") : NULL;
	bool is_place = place && host->json_kind(place, "") == HOST_JSON_OBJECT;

	if (is_place)
		send_kind(
			sending, "location",
			host->format(
				arena,
				"{\"name\":%s,\"address\":%s,\"latitude\":%s,\"longitude\":%s}",
				host->json_quote(arena, provider_text(host, place, "name", "")),
				host->json_quote(arena, provider_text(host, place, "address", "")),
				number_at(arena, place, "latitude"),
				number_at(arena, place, "longitude")));
	if (json)
		host->json_free(json);
	return is_place;
}

static void on_uploaded(const char *media_id, const char *kind, const struct weixin_answer *answer,
			void *context)
{
	struct sending *sending = context;
	const struct host *host = wecom_host();

	if (media_id) {
		send_kind(sending, kind,
			  host->format(sending->arena, "{\"media_id\":%s}",
				       host->json_quote(sending->arena, media_id)));
	} else if (kind) {
		fail(sending, answer);
	} else {
		host->failed(sending->delivery, SEND_PERMANENT, "file_size",
			     "WeCom takes files of 5 bytes to 20 MB", -1);
		sending_free(sending);
	}
}

/* Our own id, which WeCom allows 32 letters, digits, "_" and "-". */
static const char *msgid_of(const struct outbound *message, struct arena *arena)
{
	const struct host *host = wecom_host();
	unsigned char hash[32];

	if (strlen(message->id) <= MSGID_MAX)
		return host->text(arena, message->id);
	host->sha256(message->id, strlen(message->id), hash);
	return host->hex(arena, hash, MSGID_MAX / 2);
}

const char *wecom_sent_as(const struct channel *channel, const struct outbound *message,
			  struct arena *arena)
{
	(void)channel;
	return msgid_of(message, arena);
}

void wecom_send(struct channel *channel, const struct outbound *message, struct delivery *delivery)
{
	const struct host *host = wecom_host();
	struct sending *sending = calloc(1, sizeof(*sending));
	struct weixin_upload upload = { .has_files = true,
					.done = on_uploaded,
					.context = sending };
	const char *account, *to;

	if (!sending)
		abort();
	sending->channel = channel;
	sending->delivery = delivery;
	sending->sent = on_sent;
	sending->arena = host->arena_new();
	to = host->json_quote(sending->arena, message->to);
	account = host->json_quote(sending->arena, message->thread ? message->thread : "");
	sending->who = host->format(sending->arena, "\"open_kfid\":%s,\"external_userid\":%s",
				    account, to);
	sending->head = host->format(
		sending->arena, "\"touser\":%s,\"open_kfid\":%s,\"msgid\":%s", to, account,
		host->json_quote(sending->arena, msgid_of(message, sending->arena)));
	if (message->attachment_count > 0) {
		sending->attachment =
			provider_attachment(host, sending->arena, &message->attachments[0]);
		upload.attachment = sending->attachment;
		weixin_upload(&state_of(channel)->api, &upload);
	} else if (!send_place(sending, message->extra)) {
		send_text(sending, message->text);
	}
}

/* ---- a try ---- */

static void on_tried(const struct weixin_answer *answer, void *context)
{
	struct provider_trial *trial = context;
	const struct host *host = wecom_host();
	struct json_object *list =
		answer->is_ok ? host->json_at(answer->body, "account_list") : NULL;
	size_t count = provider_count(host, list);

	if (answer->is_ok)
		provider_tried(trial, count > 0,
			       host->format(answer->arena, "%zu customer-service accounts", count));
	else
		provider_tried(trial, false,
			       host->format(answer->arena, "%s: %s", answer->code, answer->why));
}

void wecom_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
		void *context)
{
	static const char body[] = "{\"offset\":0,\"limit\":100}";
	static const struct weixin_request request = { .method = "POST",
						       .path = "/cgi-bin/kf/account/list",
						       .body = body,
						       .len = sizeof(body) - 1 };
	struct provider_trial *trial = provider_trial_new(done, context);

	weixin_call(&state_of(channel)->api, &request, on_tried, trial);
}
