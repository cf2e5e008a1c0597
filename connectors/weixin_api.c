#include "weixin_api.h"

#include <stdlib.h>
#include <string.h>

#include "multipart.h"

enum {
	MINUTE_MS = 60000,
	DAY_MS = 86400000,
	BEIJING_MS = 8 * 3600000, /* quotas start anew at midnight there */
	UPLOAD_MS = 120000,
	MEBIBYTE = 1024 * 1024,
	FILE_MIN = 5,
	PROBE_BYTES = 4096,
};

#define UNKNOWN_MEDIA "40007" /* it never was, or is older than three days */

/* ---- judging answers ---- */

static int64_t wait_ms(const struct host *host, enum weixin_wait wait)
{
	int64_t now_ms = host->unix_ms();

	if (wait == WEIXIN_NEXT_MINUTE)
		return MINUTE_MS - now_ms % MINUTE_MS;
	if (wait == WEIXIN_NEXT_DAY)
		return DAY_MS - (now_ms + BEIJING_MS) % DAY_MS;
	return -1;
}

static const struct weixin_error *error_find(const struct weixin *weixin, int64_t code)
{
	static const struct weixin_error unknown = { .failure = SEND_PERMANENT };
	const struct weixin_error *error = weixin->errors;

	for (; error->code; error++)
		if (error->code == code)
			return error;
	return &unknown;
}

void weixin_judge(const struct weixin *weixin, struct json_object *body, struct arena *arena,
		  struct weixin_answer *ret)
{
	const struct host *host = weixin->host;
	int64_t code = host->json_int(body, "errcode", 0);
	const struct weixin_error *error = error_find(weixin, code);
	const char *said = host->json_text(body, "errmsg");

	ret->is_ok = code == 0;
	ret->failure = error->failure;
	ret->code = host->format(arena, "%lld", (long long)code);
	ret->why = error->why ? error->why : said ? said : "refused";
	if (ret->retry_after_ms < 0)
		ret->retry_after_ms = wait_ms(host, error->wait);
}

void weixin_token_read(const struct weixin *weixin, struct json_object *body, struct arena *arena,
		       struct access_token_answer *ret)
{
	const struct host *host = weixin->host;
	const char *token = host->json_text(body, "access_token");
	struct weixin_answer judged = { .retry_after_ms = -1 };

	if (token && token[0]) {
		ret->token = host->text(arena, token);
		ret->life_s = host->json_int(body, "expires_in", 0);
		return;
	}
	weixin_judge(weixin, body, arena, &judged);
	ret->failure = judged.is_ok ? SEND_RETRY : judged.failure;
	ret->code = judged.code;
	ret->why = judged.is_ok ? "the answer has no access_token" : judged.why;
	ret->retry_after_ms = judged.retry_after_ms;
}

static void judge_http(const struct weixin *weixin, const struct token_call_end *end,
		       struct weixin_answer *ret)
{
	const struct host_answer *answer = end->answer;
	const struct host *host = weixin->host;
	bool is_busy = answer->status == 429 || answer->status >= 500;
	bool has_code = end->body && host->json_int(end->body, "errcode", 0) != 0;

	ret->status = answer->status;
	ret->retry_after_ms = answer->retry_after_ms;
	if (end->body && (has_code || (answer->status >= 200 && answer->status < 300)) &&
	    !(is_busy && !has_code)) {
		weixin_judge(weixin, end->body, end->arena, ret);
		return;
	}
	ret->code = host->format(end->arena, "http_%ld", answer->status);
	ret->why = "the provider's answer cannot be read";
	ret->failure = answer->status >= 200 && answer->status < 300 ? SEND_UNKNOWN : SEND_RETRY;
}

static void judge(const struct weixin *weixin, const struct token_call_end *end,
		  struct weixin_answer *ret)
{
	*ret = (struct weixin_answer){ .body = end->body,
				       .arena = end->arena,
				       .retry_after_ms = -1 };
	if (!end->answer) {
		ret->failure = end->no_token->failure;
		ret->code = end->no_token->code;
		ret->why = end->no_token->why;
		ret->retry_after_ms = end->no_token->retry_after_ms;
	} else if (end->answer->error) {
		ret->failure = end->answer->maybe_received ? SEND_UNKNOWN : SEND_RETRY;
		ret->code = end->answer->maybe_received ? "timeout" : "network";
		ret->why = end->answer->error;
	} else {
		judge_http(weixin, end, ret);
	}
}

/* ---- calls ---- */

struct call {
	struct weixin *weixin;
	struct weixin_request request;
	weixin_answered *done;
	void *context;
};

static void fill_request(const char *token, struct arena *arena, struct host_http *ret,
			 void *context)
{
	const struct call *call = context;
	const struct weixin *weixin = call->weixin;
	const struct host *host = weixin->host;
	const struct weixin_request *request = &call->request;
	const char **fields = host->alloc(arena, 3 * sizeof(*fields));

	fields[0] = "content-type";
	fields[1] = request->type ? request->type : "application/json; charset=utf-8";
	fields[2] = NULL;
	*ret = (struct host_http){
		.method = request->method,
		.url = host->format(arena, "%s%s%caccess_token=%s", weixin->base, request->path,
				    strchr(request->path, '?') ? '&' : '?',
				    host->url_escape(arena, token)),
		.fields = request->body ? fields : NULL,
		.body = request->body,
		.body_len = request->len,
		.timeout_ms = request->timeout_ms,
		.allow_private = weixin->is_private,
		.answer_max = request->answer_max,
	};
}

static bool is_token_refused(const struct host_answer *answer, struct json_object *body,
			     void *context)
{
	static const int64_t codes[] = { 40001, 40014, 41001, 42001 };
	const struct call *call = context;
	int64_t code = body ? call->weixin->host->json_int(body, "errcode", 0) : 0;

	(void)answer;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static void on_end(const struct token_call_end *end, void *context)
{
	struct call call = *(struct call *)context;
	struct weixin_answer answer;

	free(context);
	judge(call.weixin, end, &answer);
	call.done(&answer, call.context);
}

void weixin_call(struct weixin *weixin, const struct weixin_request *request, weixin_answered *done,
		 void *context)
{
	struct call *call = malloc(sizeof(*call));
	struct token_call with_token = { fill_request, is_token_refused, on_end, call };

	if (!call)
		abort();
	*call = (struct call){ weixin, *request, done, context };
	token_call(&weixin->token, &with_token);
}

/* ---- files out ---- */

const char *weixin_media_kind(const char *type, size_t len, bool has_files)
{
	static const struct {
		const char *type;
		const char *kind;
		size_t max;
	} rows[] = {
		{ "image/jpeg", "image", 10 * MEBIBYTE }, { "image/png", "image", 10 * MEBIBYTE },
		{ "image/gif", "image", 10 * MEBIBYTE },  { "image/bmp", "image", 10 * MEBIBYTE },
		{ "audio/amr", "voice", 2 * MEBIBYTE },   { "audio/mpeg", "voice", 2 * MEBIBYTE },
		{ "video/mp4", "video", 10 * MEBIBYTE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].type, type) == 0 && len <= rows[i].max &&
		    !(has_files && strcmp(type, "audio/mpeg") == 0))
			return rows[i].kind;
	return has_files && len >= FILE_MIN && len <= (size_t)20 * MEBIBYTE ? "file" : NULL;
}

struct upload {
	struct weixin *weixin;
	struct weixin_upload wanted;
	struct arena *arena;
	const char *kind;
};

static void upload_end(struct upload *upload, const char *media_id,
		       const struct weixin_answer *answer)
{
	const struct weixin_upload wanted = upload->wanted;
	const struct host *host = upload->weixin->host;

	wanted.done(media_id, upload->kind, answer, wanted.context);
	host->arena_free(upload->arena);
	free(upload);
}

static void on_uploaded(const struct weixin_answer *answer, void *context)
{
	struct upload *upload = context;
	const struct host *host = upload->weixin->host;
	const char *id = answer->is_ok ? host->json_text(answer->body, "media_id") : NULL;
	struct weixin_answer judged = *answer;

	if (answer->is_ok && !id) {
		judged.failure = SEND_RETRY;
		judged.why = "the upload's answer has no media_id";
	}
	/* Nobody has seen it: once more does no harm. */
	if (judged.failure == SEND_UNKNOWN)
		judged.failure = SEND_RETRY;
	upload_end(upload, id, &judged);
}

static void upload_bytes(struct upload *upload, const void *bytes, size_t len)
{
	struct weixin *weixin = upload->weixin;
	const struct host *host = weixin->host;
	const struct multipart_file file = { .field = "media",
					     .name = upload->wanted.attachment->name,
					     .type = upload->wanted.attachment->type,
					     .bytes = bytes,
					     .len = len };
	struct multipart body = multipart_build(host, upload->arena, NULL, &file);
	const struct weixin_request request = {
		.method = "POST",
		.path = host->format(upload->arena, "/cgi-bin/media/upload?type=%s", upload->kind),
		.type = body.content_type,
		.body = body.body,
		.len = body.len,
		.timeout_ms = UPLOAD_MS,
	};

	weixin_call(weixin, &request, on_uploaded, upload);
}

static void on_bytes(const void *bytes, size_t len, const char *error, bool gone, void *context)
{
	struct upload *upload = context;
	struct weixin_answer none = { .failure = gone ? SEND_PERMANENT : SEND_RETRY,
				      .code = "attachment",
				      .why = error,
				      .retry_after_ms = -1,
				      .arena = upload->arena };

	if (!error)
		upload->kind = weixin_media_kind(upload->wanted.attachment->type, len,
						 upload->wanted.has_files);
	if (error) {
		upload->kind = "file";
		upload_end(upload, NULL, &none);
	} else if (!upload->kind) {
		upload_end(upload, NULL, &none);
	} else {
		upload_bytes(upload, bytes, len);
	}
}

void weixin_upload(struct weixin *weixin, const struct weixin_upload *wanted)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	if (!upload)
		abort();
	upload->weixin = weixin;
	upload->wanted = *wanted;
	upload->arena = weixin->host->arena_new();
	weixin->host->attachment(weixin->channel, wanted->attachment, on_bytes, upload);
}

/* ---- files in ---- */

struct search {
	struct weixin *weixin;
	struct media_search *search;
	struct arena *arena;
	const char *path;
};

static void search_free(struct search *search)
{
	search->weixin->host->arena_free(search->arena);
	free(search);
}

static void on_address_token(const struct access_token_answer *answer, void *context)
{
	struct search *search = context;
	struct weixin *weixin = search->weixin;
	const struct host *host = weixin->host;
	struct media_request request = { .allow_private = weixin->is_private };

	if (answer->token) {
		request.url =
			host->format(search->arena, "%s%s&access_token=%s", weixin->base,
				     search->path, host->url_escape(search->arena, answer->token));
		host->media_found(search->search, &request);
	} else {
		host->media_lost(search->search, false, answer->why ? answer->why : answer->code);
	}
	search_free(search);
}

/* An error and a video come as JSON in the place of bytes, so the address is
 * tried first. Bytes do not fit into what the probe takes, or are no JSON. */
static void on_probed(const struct weixin_answer *answer, void *context)
{
	struct search *search = context;
	struct weixin *weixin = search->weixin;
	const struct host *host = weixin->host;
	const char *video = answer->body ? host->json_text(answer->body, "video_url") : NULL;
	struct media_request request = { .url = video, .allow_private = weixin->is_private };
	bool is_refused = answer->body && !answer->is_ok;

	if (video) {
		host->media_found(search->search, &request);
		search_free(search);
	} else if (is_refused || (answer->status == 0 && answer->failure != SEND_UNKNOWN)) {
		host->media_lost(search->search,
				 answer->failure == SEND_PERMANENT ||
					 strcmp(answer->code, UNKNOWN_MEDIA) == 0,
				 answer->why);
		search_free(search);
	} else {
		access_token_get(&weixin->token, on_address_token, search);
	}
}

void weixin_find_media(struct weixin *weixin, const struct attachment *attachment,
		       struct media_search *media)
{
	static const char prefix[] = "media:";
	const struct host *host = weixin->host;
	struct weixin_request request = { .method = "GET", .answer_max = PROBE_BYTES };
	struct search *search;

	if (!attachment->url || strncmp(attachment->url, prefix, sizeof(prefix) - 1) != 0) {
		host->media_lost(media, true, "the file has no media id");
		return;
	}
	search = calloc(1, sizeof(*search));
	if (!search)
		abort();
	*search = (struct search){ weixin, media, host->arena_new(), NULL };
	search->path =
		host->format(search->arena, "/cgi-bin/media/get?media_id=%s",
			     host->url_escape(search->arena, attachment->url + sizeof(prefix) - 1));
	request.path = search->path;
	weixin_call(weixin, &request, on_probed, search);
}
