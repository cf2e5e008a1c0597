#include <stdlib.h>
#include <string.h>

#include "dingtalk_private.h"
#include "multipart.h"

enum {
	UPLOAD_MS = 120000,
	SPARE_MS = 5000, /* of a session that is about to end */
	LINK_S = 7 * 24 * 3600,
};

static struct access_token *token_of(struct channel *channel)
{
	struct dingtalk_state *state = dingtalk_host()->channel_state(channel);

	return &state->token;
}

static const char *robot_code(const struct channel *channel)
{
	const struct dingtalk_settings *settings = dingtalk_host()->channel_settings(channel);
	bool is_set = settings->robot_code && settings->robot_code[0];

	return is_set ? settings->robot_code : settings->app_key;
}

/* ---- the token ---- */

static void ask_token(struct channel *channel, struct arena *arena, struct host_http *ret)
{
	static const char *const fields[] = { "content-type", "application/json", NULL };
	const struct host *host = dingtalk_host();
	const struct dingtalk_settings *settings = host->channel_settings(channel);

	ret->method = "POST";
	ret->url = host->format(arena, "%s/v1.0/oauth2/accessToken", settings->api_base);
	ret->fields = fields;
	ret->body = host->format(arena, "{\"appKey\":%s,\"appSecret\":%s}",
				 host->json_quote(arena, settings->app_key),
				 host->json_quote(arena, settings->app_secret));
	ret->body_len = strlen(ret->body);
	ret->allow_private = dingtalk_is_private(channel);
}

static void read_token(struct json_object *body, struct arena *arena,
		       struct access_token_answer *ret)
{
	const struct host *host = dingtalk_host();

	(void)arena;
	ret->token = host->json_text(body, "accessToken");
	ret->life_s = host->json_int(body, "expireIn", 0);
	if (ret->token)
		return;
	ret->failure = SEND_REAUTH;
	ret->code = provider_text(host, body, "code", "token");
	ret->why = provider_text(host, body, "message", "refused");
}

static const struct access_token_source token_source = { ask_token, read_token };

/* The new API has words, the old one numbers. */
static bool is_token_refused(const struct host_answer *answer, struct json_object *body,
			     void *context)
{
	int64_t number = body ? dingtalk_host()->json_int(body, "errcode", 0) : 0;

	(void)context;
	return answer->status == 401 || number == 88 || number == 40014 || number == 42001 ||
	       strcmp(provider_text(dingtalk_host(), body, "code", ""), "InvalidAuthentication") ==
		       0;
}

/* ---- a call with the token in a header field ---- */

struct sending {
	struct channel *channel;
	struct delivery *delivery;
	struct arena *arena;
	const char *to;
	const char *group; /* "" in one-to-one talk */
	const char *text;
	const struct attachment *file;
	const char *path; /* of the call under way */
	const char *body;
	struct multipart upload;
	const char *upload_type;
};

static void sending_free(struct sending *sending)
{
	dingtalk_host()->arena_free(sending->arena);
	free(sending);
}

static void make_call(const char *token, struct arena *arena, struct host_http *ret, void *context)
{
	const struct host *host = dingtalk_host();
	struct sending *sending = context;
	const struct dingtalk_settings *settings = host->channel_settings(sending->channel);
	const char **fields = host->alloc(arena, 5 * sizeof(*fields));

	fields[0] = "content-type";
	fields[1] = "application/json";
	fields[2] = "x-acs-dingtalk-access-token";
	fields[3] = host->text(arena, token);
	fields[4] = NULL;
	ret->method = "POST";
	ret->url = host->format(arena, "%s%s", settings->api_base, sending->path);
	ret->fields = fields;
	ret->body = sending->body;
	ret->body_len = strlen(sending->body);
	ret->allow_private = dingtalk_is_private(sending->channel);
}

static enum send_failure failure_of(const struct host_answer *answer, struct json_object *body)
{
	const struct host *host = dingtalk_host();
	int64_t number = body ? host->json_int(body, "errcode", 0) : 0;
	const char *word = provider_text(host, body, "code", "");

	if (is_token_refused(answer, body, NULL))
		return SEND_REAUTH;
	if (answer->status == 429 || answer->status >= 500 || number == -1 || number == 130101 ||
	    number == 90030 || strncmp(word, "Throttling", 10) == 0 ||
	    strcmp(word, "ServiceUnavailable") == 0)
		return SEND_RETRY;
	return !body && answer->status == 200 ? SEND_UNKNOWN : SEND_PERMANENT;
}

static void refuse(struct sending *sending, const struct host_answer *answer,
		   struct json_object *body, struct arena *arena)
{
	const struct host *host = dingtalk_host();
	int64_t number = body ? host->json_int(body, "errcode", 0) : 0;
	const char *code = provider_text(host, body, "code", NULL);
	const char *why = provider_text(host, body, "message", NULL);

	if (!code)
		code = number ? host->format(arena, "%lld", (long long)number)
			      : host->format(arena, "http_%ld", answer->status);
	if (!why)
		why = provider_text(host, body, "errmsg", "refused");
	host->failed(sending->delivery, failure_of(answer, body), code, why,
		     answer->retry_after_ms);
}

static bool has_items(struct json_object *body, const char *path)
{
	const struct host *host = dingtalk_host();

	return host->json_kind(body, path) == HOST_JSON_ARRAY &&
	       host->json_count(host->json_at(body, path)) > 0;
}

static void on_sent(const struct token_call_end *end, void *context)
{
	const struct host *host = dingtalk_host();
	struct sending *sending = context;

	if (!end->answer || end->answer->error)
		token_call_unreached(host, sending->delivery, end, false);
	else if (end->answer->status != 200 || !end->body)
		refuse(sending, end->answer, end->body, end->arena);
	else if (has_items(end->body, "invalidStaffIdList"))
		host->failed(sending->delivery, SEND_PERMANENT, "invalid_staff_id",
			     "DingTalk does not know this person, or the robot may not write", -1);
	else if (has_items(end->body, "flowControlledStaffIdList"))
		host->failed(sending->delivery, SEND_RETRY, "flow_controlled",
			     "too many messages to this person", -1);
	else
		host->sent(sending->delivery,
			   provider_text(host, end->body, "processQueryKey", NULL));
	sending_free(sending);
}

/* param: the JSON that DingTalk wants as a text within the JSON. */
static void send_by_api(struct sending *sending, const char *key, const char *param)
{
	const struct host *host = dingtalk_host();
	struct arena *arena = sending->arena;
	const struct token_call call = { make_call, is_token_refused, on_sent, sending };
	bool is_group = sending->group[0] != '\0';

	sending->path =
		is_group ? "/v1.0/robot/groupMessages/send" : "/v1.0/robot/oToMessages/batchSend";
	sending->body =
		host->format(arena, "{\"robotCode\":%s,%s%s%s,\"msgKey\":\"%s\",\"msgParam\":%s}",
			     host->json_quote(arena, robot_code(sending->channel)),
			     is_group ? "\"openConversationId\":" : "\"userIds\":[",
			     host->json_quote(arena, is_group ? sending->group : sending->to),
			     is_group ? "" : "]", key, host->json_quote(arena, param));
	token_call(token_of(sending->channel), &call);
}

/* Who is not of the company has no staff id: only the session reaches them. */
static bool is_outsider(const struct sending *sending)
{
	return !sending->group[0] && strncmp(sending->to, "$:", 2) == 0;
}

static void send_text_by_api(struct sending *sending)
{
	const struct host *host = dingtalk_host();

	if (!is_outsider(sending)) {
		send_by_api(sending, "sampleText",
			    host->format(sending->arena, "{\"content\":%s}",
					 host->json_quote(sending->arena, sending->text)));
		return;
	}
	host->failed(sending->delivery, SEND_WINDOW, "session_ended",
		     "the session has ended, and the person is not of the company", -1);
	sending_free(sending);
}

/* ---- the session's webhook ---- */

static void on_session(const struct host_answer *answer, struct json_object *body,
		       struct arena *arena, void *context)
{
	const struct host *host = dingtalk_host();
	struct sending *sending = context;
	int64_t number = body ? host->json_int(body, "errcode", -1) : -1;

	if (!answer->error && number == 300001) {
		send_text_by_api(sending); /* it ended earlier than it was said */
		return;
	}
	if (answer->error)
		provider_unreached(host, sending->delivery, answer, false);
	else if (answer->status == 200 && number == 0)
		host->sent(sending->delivery, NULL);
	else
		refuse(sending, answer, body, arena);
	sending_free(sending);
}

/* reply_context is "<until, unix ms> <url>". NULL: there is none, or it has ended. */
static const char *session_of(const struct outbound *message)
{
	const char *context = message->reply_context ? message->reply_context : "";
	const char *space = strchr(context, ' ');

	if (!space || strtoll(context, NULL, 10) < dingtalk_host()->unix_ms() + SPARE_MS)
		return NULL;
	return space + 1;
}

static void send_by_session(struct sending *sending, const char *url)
{
	static const char *const fields[] = { "content-type", "application/json", NULL };
	const struct host *host = dingtalk_host();
	struct host_http call = { .method = "POST",
				  .url = url,
				  .fields = fields,
				  .allow_private = dingtalk_is_private(sending->channel) };

	call.body = host->format(sending->arena, "{\"msgtype\":\"text\",\"text\":{\"content\":%s}}",
				 host->json_quote(sending->arena, sending->text));
	call.body_len = strlen(call.body);
	provider_call(host, sending->channel, &call, on_session, sending);
}

/* ---- files ---- */

static void make_upload(const char *token, struct arena *arena, struct host_http *ret,
			void *context)
{
	const struct host *host = dingtalk_host();
	struct sending *sending = context;
	const char **fields = host->alloc(arena, 3 * sizeof(*fields));

	fields[0] = "content-type";
	fields[1] = sending->upload.content_type;
	fields[2] = NULL;
	ret->method = "POST";
	ret->url = host->format(arena, "%s/media/upload?access_token=%s&type=%s",
				dingtalk_old_base(sending->channel), host->url_escape(arena, token),
				sending->upload_type);
	ret->fields = fields;
	ret->body = sending->upload.body;
	ret->body_len = sending->upload.len;
	ret->timeout_ms = UPLOAD_MS;
	ret->allow_private = dingtalk_is_private(sending->channel);
}

static void on_uploaded(const struct token_call_end *end, void *context)
{
	const struct host *host = dingtalk_host();
	struct sending *sending = context;
	struct arena *arena = sending->arena;
	const char *id = provider_text(host, end->body, "media_id", NULL);
	const char *name = sending->file->name;
	const char *dot = strrchr(name, '.');

	if (!end->answer || end->answer->error) {
		token_call_unreached(host, sending->delivery, end, true);
		sending_free(sending);
	} else if (!id) {
		refuse(sending, end->answer, end->body, end->arena);
		sending_free(sending);
	} else if (strcmp(sending->upload_type, "image") == 0) {
		send_by_api(sending, "sampleImageMsg",
			    host->format(arena, "{\"photoURL\":%s}", host->json_quote(arena, id)));
	} else {
		send_by_api(sending, "sampleFile",
			    host->format(arena, "{\"mediaId\":%s,\"fileName\":%s,\"fileType\":%s}",
					 host->json_quote(arena, id),
					 host->json_quote(arena, name[0] ? name : "file"),
					 host->json_quote(arena, dot ? dot + 1 : "bin")));
	}
}

static void on_bytes(const void *bytes, size_t len, const char *error, bool gone, void *context)
{
	static const char *const no_fields[] = { NULL };
	const struct host *host = dingtalk_host();
	struct sending *sending = context;
	const struct token_call call = { make_upload, is_token_refused, on_uploaded, sending };
	const struct attachment *file = sending->file;
	const struct multipart_file part = { "media", file->name, file->type, bytes, len };

	if (error) {
		host->failed(sending->delivery, gone ? SEND_PERMANENT : SEND_RETRY, "attachment",
			     error, -1);
		sending_free(sending);
		return;
	}
	sending->upload = multipart_build(host, sending->arena, no_fields, &part);
	sending->upload_type = strncmp(file->type, "image/", 6) == 0 ? "image" : "file";
	token_call(token_of(sending->channel), &call);
}

/* A session takes no files: who has nothing else gets the link. */
static void send_link(struct sending *sending, const struct outbound *message)
{
	const struct host *host = dingtalk_host();
	const char *session = session_of(message);
	const char *link =
		host->attachment_url(sending->channel, sending->file,
				     message->created_ms / 1000 + LINK_S, sending->arena);

	if (!link || strncmp(link, "http", 4) != 0) {
		host->failed(sending->delivery, SEND_PERMANENT, "no_public_url",
			     "a session takes only links: set public_url of the channel", -1);
		sending_free(sending);
		return;
	}
	sending->text = host->format(sending->arena, "%s %s", sending->file->name, link);
	if (session)
		send_by_session(sending, session);
	else
		send_text_by_api(sending);
}

void dingtalk_send(struct channel *channel, const struct outbound *message,
		   struct delivery *delivery)
{
	const struct host *host = dingtalk_host();
	struct sending *sending = calloc(1, sizeof(*sending));
	const char *session = session_of(message);

	if (!sending)
		abort();
	sending->channel = channel;
	sending->delivery = delivery;
	sending->arena = host->arena_new();
	sending->to = host->text(sending->arena, message->to);
	sending->group = host->text(sending->arena, message->thread ? message->thread : "");
	sending->text = host->text(sending->arena, message->text);
	if (message->attachment_count) {
		sending->file = provider_attachment(host, sending->arena, &message->attachments[0]);
		if (is_outsider(sending))
			send_link(sending, message);
		else
			host->attachment(channel, sending->file, on_bytes, sending);
	} else if (session) {
		send_by_session(sending, session);
	} else {
		send_text_by_api(sending);
	}
}

/* ---- files that came in ---- */

struct search {
	struct sending call; /* only the channel, the path and the body */
	struct media_search *media;
};

static void on_found(const struct token_call_end *end, void *context)
{
	const struct host *host = dingtalk_host();
	struct search *search = context;
	const char *url = provider_text(host, end->body, "downloadUrl", NULL);
	const struct media_request request = { .url = url,
					       .allow_private =
						       dingtalk_is_private(search->call.channel) };

	if (url)
		host->media_found(search->media, &request);
	else if (!end->answer)
		host->media_lost(search->media, false, end->no_token->why);
	else if (end->answer->error)
		host->media_lost(search->media, false, end->answer->error);
	else
		host->media_lost(search->media,
				 failure_of(end->answer, end->body) == SEND_PERMANENT,
				 provider_text(host, end->body, "message", "refused"));
	host->arena_free(search->call.arena);
	free(search);
}

void dingtalk_find_media(struct channel *channel, const struct attachment *attachment,
			 struct media_search *media)
{
	const struct host *host = dingtalk_host();
	struct search *search;
	struct token_call call = { make_call, is_token_refused, on_found, NULL };

	if (strncmp(attachment->url, "media:", 6) != 0) {
		host->media_lost(media, true, "not a file of DingTalk");
		return;
	}
	search = calloc(1, sizeof(*search));
	if (!search)
		abort();
	search->media = media;
	search->call.channel = channel;
	search->call.arena = host->arena_new();
	search->call.path = "/v1.0/robot/messageFiles/download";
	search->call.body =
		host->format(search->call.arena, "{\"downloadCode\":%s,\"robotCode\":%s}",
			     host->json_quote(search->call.arena, attachment->url + 6),
			     host->json_quote(search->call.arena, robot_code(channel)));
	call.context = search; /* its first member is what make_call() reads */
	token_call(token_of(channel), &call);
}

/* ---- a try ---- */

static void on_tried(const struct access_token_answer *answer, void *context)
{
	struct provider_trial *trial = context;

	provider_tried(trial, answer->token != NULL,
		       answer->token ? "DingTalk gives a token for this app" : answer->why);
}

void dingtalk_test(struct channel *channel,
		   void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	struct provider_trial *trial = provider_trial_new(done, context);

	access_token_get(token_of(channel), on_tried, trial);
}

/* ---- life ---- */

void dingtalk_start(struct channel *channel)
{
	access_token_open(token_of(channel), dingtalk_host(), channel, &token_source);
}

void dingtalk_stop(struct channel *channel)
{
	access_token_close(token_of(channel));
}
