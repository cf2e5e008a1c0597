#include <stdlib.h>
#include <string.h>

#include "feishu_private.h"
#include "multipart.h"

enum {
	UPLOAD_MS = 120000,
	SURE_ATTEMPTS = 3, /* after these the next one comes within the hour of the uuid */
};

static bool is_private(const struct channel *channel)
{
	const struct feishu_settings *settings = feishu_host()->channel_settings(channel);

	return strcmp(settings->api_base, FEISHU_PROVIDER) != 0 &&
	       strcmp(settings->api_base, "https://open.larksuite.com") != 0;
}

static struct access_token *token_of(struct channel *channel)
{
	struct feishu_state *state = feishu_host()->channel_state(channel);

	return &state->token;
}

/* ---- the token, and what is fetched and sent with it ---- */

static void ask_token(struct channel *channel, struct arena *arena, struct host_http *ret)
{
	static const char *const fields[] = { "content-type", "application/json", NULL };
	const struct feishu_settings *settings = feishu_host()->channel_settings(channel);

	ret->method = "POST";
	ret->url = feishu_host()->format(arena, "%s/open-apis/auth/v3/tenant_access_token/internal",
					 settings->api_base);
	ret->fields = fields;
	ret->body = feishu_host()->format(arena, "{\"app_id\":%s,\"app_secret\":%s}",
					  feishu_host()->json_quote(arena, settings->app_id),
					  feishu_host()->json_quote(arena, settings->app_secret));
	ret->body_len = strlen(ret->body);
	ret->allow_private = is_private(channel);
}

static void read_token(struct json_object *body, struct arena *arena,
		       struct access_token_answer *ret)
{
	int64_t code = feishu_host()->json_int(body, "code", -1);

	ret->token = code == 0 ? feishu_host()->json_text(body, "tenant_access_token") : NULL;
	ret->life_s = feishu_host()->json_int(body, "expire", 0);
	if (ret->token)
		return;
	ret->failure = SEND_REAUTH;
	ret->code = feishu_host()->format(arena, "%lld", (long long)code);
	ret->why = provider_text(feishu_host(), body, "msg", "refused");
}

static const struct access_token_source token_source = { ask_token, read_token };

static bool is_token_refused(const struct host_answer *answer, struct json_object *body,
			     void *context)
{
	int64_t code = body ? feishu_host()->json_int(body, "code", 0) : 0;

	(void)context;
	return answer->status == 401 || code == 99991661 || code == 99991663 || code == 99991664 ||
	       code == 99991668;
}

struct search {
	struct channel *channel;
	struct media_search *media;
	char *path;
};

static void on_media_token(const struct access_token_answer *answer, void *context)
{
	struct search *search = context;
	const struct feishu_settings *settings = feishu_host()->channel_settings(search->channel);
	struct arena *arena = feishu_host()->arena_new();

	if (answer->token) {
		const char *const fields[] = {
			"authorization", feishu_host()->format(arena, "Bearer %s", answer->token),
			NULL
		};
		const struct media_request request = {
			.url = feishu_host()->format(arena, "%s/open-apis/im/v1/messages/%s",
						     settings->api_base, search->path),
			.fields = fields,
			.allow_private = is_private(search->channel),
		};

		feishu_host()->media_found(search->media, &request);
	} else {
		feishu_host()->media_lost(search->media, false, answer->why);
	}
	free(search->path);
	free(search);
	feishu_host()->arena_free(arena);
}

void feishu_find_media(struct channel *channel, const struct attachment *attachment,
		       struct media_search *media)
{
	struct search *search;

	if (strncmp(attachment->url, "media:", 6) != 0) {
		feishu_host()->media_lost(media, true, "not a file of Feishu");
		return;
	}
	search = malloc(sizeof(*search));
	if (!search)
		abort();
	*search = (struct search){ channel, media, strdup(attachment->url + 6) };
	if (!search->path)
		abort();
	access_token_get(token_of(channel), on_media_token, search);
}

/* ---- sends ---- */

struct sending {
	struct channel *channel;
	struct delivery *delivery;
	struct arena *arena;
	const char *path; /* of the call under way */
	const char *type; /* of its body */
	const void *body;
	size_t body_len;
	const char *to;
	bool is_group;
	bool is_sure; /* a repetition is still dropped by the uuid */
	const char *uuid;
	const struct attachment *file;
	bool is_image;
};

static void sending_free(struct sending *sending)
{
	feishu_host()->arena_free(sending->arena);
	free(sending);
}

static void make_call(const char *token, struct arena *arena, struct host_http *ret, void *context)
{
	const struct host *host = feishu_host();
	struct sending *sending = context;
	const struct feishu_settings *settings = host->channel_settings(sending->channel);
	const char **fields = host->alloc(arena, 5 * sizeof(*fields));

	fields[0] = "content-type";
	fields[1] = sending->type;
	fields[2] = "authorization";
	fields[3] = host->format(arena, "Bearer %s", token);
	fields[4] = NULL;
	ret->method = "POST";
	ret->url = host->format(arena, "%s%s", settings->api_base, sending->path);
	ret->fields = fields;
	ret->body = sending->body;
	ret->body_len = sending->body_len;
	ret->timeout_ms = sending->file ? UPLOAD_MS : 0;
	ret->allow_private = is_private(sending->channel);
}

static enum send_failure failure_of(const struct host_answer *answer, struct json_object *body)
{
	int64_t code = body ? feishu_host()->json_int(body, "code", 0) : 0;

	if (is_token_refused(answer, body, NULL))
		return SEND_REAUTH;
	if (answer->status == 429 || answer->status >= 500 || code == 99991400 || code == 230020 ||
	    code == 11232)
		return SEND_RETRY;
	return SEND_PERMANENT;
}

/* True: the call went well; else the send has ended. */
static bool went_well(struct sending *sending, const struct token_call_end *end)
{
	const struct host *host = feishu_host();
	int64_t code = end->body ? host->json_int(end->body, "code", -1) : -1;

	if (!end->answer || end->answer->error) {
		token_call_unreached(host, sending->delivery, end,
				     sending->is_sure || sending->file != NULL);
		return false;
	}
	if (code == 0 && end->answer->status < 300)
		return true;
	if (!end->body && end->answer->status == 200) { /* not Feishu's answer */
		host->failed(sending->delivery,
			     sending->is_sure || sending->file ? SEND_RETRY : SEND_UNKNOWN,
			     "unreadable", "no readable answer", -1);
		return false;
	}
	host->failed(sending->delivery, failure_of(end->answer, end->body),
		     code > 0 ? host->format(end->arena, "%lld", (long long)code)
			      : host->format(end->arena, "http_%ld", end->answer->status),
		     provider_text(host, end->body, "msg", "refused"), end->answer->retry_after_ms);
	return false;
}

static void on_sent(const struct token_call_end *end, void *context)
{
	struct sending *sending = context;

	if (went_well(sending, end))
		feishu_host()->sent(sending->delivery, provider_text(feishu_host(), end->body,
								     "data.message_id", NULL));
	sending_free(sending);
}

static void call(struct sending *sending, void (*done)(const struct token_call_end *, void *))
{
	const struct token_call call = { make_call, is_token_refused, done, sending };

	token_call(token_of(sending->channel), &call);
}

/* content: the JSON that Feishu wants as a text within the JSON. */
static void post_message(struct sending *sending, const char *type, const char *content)
{
	const struct host *host = feishu_host();
	const char *body =
		host->format(sending->arena,
			     "{\"receive_id\":%s,\"msg_type\":\"%s\",\"content\":%s,\"uuid\":%s}",
			     host->json_quote(sending->arena, sending->to), type,
			     host->json_quote(sending->arena, content),
			     host->json_quote(sending->arena, sending->uuid));

	sending->path = host->format(sending->arena, "/open-apis/im/v1/messages?receive_id_type=%s",
				     sending->is_group ? "chat_id" : "open_id");
	sending->type = "application/json; charset=utf-8";
	sending->body = body;
	sending->body_len = strlen(body);
	sending->file = NULL;
	call(sending, on_sent);
}

/* Which of Feishu's own kinds of file this is: how it is shown. */
static const char *file_type(const char *type)
{
	static const char *const types[][2] = {
		{ "audio/ogg", "opus" },
		{ "audio/opus", "opus" },
		{ "video/mp4", "mp4" },
		{ "application/pdf", "pdf" },
		{ "application/msword", "doc" },
		{ "application/vnd.ms-excel", "xls" },
		{ "application/vnd.ms-powerpoint", "ppt" },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i][0], type) == 0)
			return types[i][1];
	return "stream";
}

static void on_uploaded(const struct token_call_end *end, void *context)
{
	const struct host *host = feishu_host();
	struct sending *sending = context;
	const char *member = sending->is_image ? "image_key" : "file_key";
	const char *kind = file_type(sending->file->type);
	const char *key;

	if (!went_well(sending, end)) {
		sending_free(sending);
		return;
	}
	key = provider_text(host, end->body, sending->is_image ? "data.image_key" : "data.file_key",
			    "");
	if (strcmp(kind, "opus") == 0)
		kind = "audio";
	else
		kind = strcmp(kind, "mp4") == 0 ? "media" : "file";
	post_message(sending, sending->is_image ? "image" : kind,
		     host->format(sending->arena, "{\"%s\":%s}", member,
				  host->json_quote(sending->arena, key)));
}

static void on_bytes(const void *bytes, size_t len, const char *error, bool gone, void *context)
{
	const struct host *host = feishu_host();
	struct sending *sending = context;
	const struct attachment *file = sending->file;
	const char *name = file->name[0] ? file->name : "file";
	const char *const image_fields[] = { "image_type", "message", NULL };
	const char *const file_fields[] = { "file_type", file_type(file->type), "file_name", name,
					    NULL };
	const struct multipart_file part = { sending->is_image ? "image" : "file", name, file->type,
					     bytes, len };
	struct multipart upload;

	if (error) {
		host->failed(sending->delivery, gone ? SEND_PERMANENT : SEND_RETRY, "attachment",
			     error, -1);
		sending_free(sending);
		return;
	}
	upload = multipart_build(host, sending->arena,
				 sending->is_image ? image_fields : file_fields, &part);
	sending->path = sending->is_image ? "/open-apis/im/v1/images" : "/open-apis/im/v1/files";
	sending->type = upload.content_type;
	sending->body = upload.body;
	sending->body_len = upload.len;
	call(sending, on_uploaded);
}

static bool is_picture(const char *type)
{
	static const char *const types[] = { "image/jpeg", "image/png", "image/gif", "image/webp",
					     "image/bmp" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

void feishu_send(struct channel *channel, const struct outbound *message, struct delivery *delivery)
{
	const struct host *host = feishu_host();
	struct sending *sending = calloc(1, sizeof(*sending));

	if (!sending)
		abort();
	sending->channel = channel;
	sending->delivery = delivery;
	sending->arena = host->arena_new();
	sending->is_group = message->thread && message->thread[0];
	sending->to = host->text(sending->arena, sending->is_group ? message->thread : message->to);
	sending->uuid = host->text(sending->arena, message->id);
	sending->is_sure = message->attempt <= SURE_ATTEMPTS;
	if (message->attachment_count) {
		sending->file = provider_attachment(host, sending->arena, &message->attachments[0]);
		sending->is_image = is_picture(sending->file->type);
		host->attachment(channel, sending->file, on_bytes, sending);
		return;
	}
	post_message(sending, "text",
		     host->format(sending->arena, "{\"text\":%s}",
				  host->json_quote(sending->arena, message->text)));
}

/* ---- a try ---- */

struct trial {
	struct channel *channel;
	void (*done)(bool ok, const char *phrase, void *context);
	void *context;
};

static void ask_bot(const char *token, struct arena *arena, struct host_http *ret, void *context)
{
	const struct host *host = feishu_host();
	const struct trial *trial = context;
	const struct feishu_settings *settings = host->channel_settings(trial->channel);
	const char **fields = host->alloc(arena, 3 * sizeof(*fields));

	fields[0] = "authorization";
	fields[1] = host->format(arena, "Bearer %s", token);
	fields[2] = NULL;
	ret->method = "GET";
	ret->url = host->format(arena, "%s/open-apis/bot/v3/info", settings->api_base);
	ret->fields = fields;
	ret->allow_private = is_private(trial->channel);
}

static void on_bot(const struct token_call_end *end, void *context)
{
	const struct host *host = feishu_host();
	struct trial trial = *(struct trial *)context;
	bool is_ok = end->answer && !end->answer->error && end->body &&
		     host->json_int(end->body, "code", -1) == 0;
	const char *phrase = NULL;

	free(context);
	if (is_ok)
		phrase = host->format(end->arena, "the bot is %s",
				      provider_text(host, end->body, "bot.app_name", "?"));
	else if (!end->answer)
		phrase = end->no_token->why;
	else
		phrase = end->answer->error ? end->answer->error
					    : provider_text(host, end->body, "msg", "refused");
	trial.done(is_ok, phrase, trial.context);
}

void feishu_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
		 void *context)
{
	struct trial *trial = malloc(sizeof(*trial));
	struct token_call call = { ask_bot, is_token_refused, on_bot, trial };

	if (!trial)
		abort();
	*trial = (struct trial){ channel, done, context };
	token_call(token_of(channel), &call);
}

/* ---- life ---- */

void feishu_start(struct channel *channel)
{
	access_token_open(token_of(channel), feishu_host(), channel, &token_source);
}

void feishu_stop(struct channel *channel)
{
	access_token_close(token_of(channel));
}
