/* /v1/attachments: bytes into and out of the blob store. Served as downloads
 * only, never as something a browser would run. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/handlers.h"
#include "base/text.h"
#include "config.h"
#include "parts.h"
#include "services/blobs.h"
#include "services/file_link.h"
#include "services/loop.h"
#include "store/blob_owner.h"

static void upload_answer(struct api_call *call)
{
	const char *name = api_query(call, "name");
	const char *type = api_query(call, "type");
	struct buf body = { 0 };
	struct json_out out;
	size_t len;

	http_request_body(call->request, &len);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "blob", call->state);
	jw_text(&out, "name", name == NULL ? "" : name);
	jw_text(&out, "type", type == NULL ? "application/octet-stream" : type);
	jw_int(&out, "size", (int64_t)len);
	jw_object_end(&out);
	api_answer(call, 201, &body);
}

static void on_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (reply_is(reply, "conflict")) {
		api_key_conflict(call);
		return;
	}
	if (reply_is(reply, "replay")) {
		call->state = arena_text(call->arena, reply_text(reply_item(reply, 2), NULL));
		api_replayed(call);
	}
	upload_answer(call);
}

/* The bytes are there; from now on they are this workspace's. */
static void on_put(const char *blob_id, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf packed = { 0 };

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	call->state = arena_text(call->arena, blob_id);
	blob_pack(&packed, blob_id);
	blob_keep(call->parts->store,
		  &(struct blob_keeping){ call->who.workspace, call->idempotency_key,
					  call->request_hash, &packed, blob_id, false, blob_id },
		  on_kept, call);
	buf_clear(&packed);
}

void handle_attachment_put(struct api_call *call)
{
	size_t len;
	const char *bytes = http_request_body(call->request, &len);
	struct error err;

	if (len == 0)
		api_problem(call, 400, "empty_attachment", "the body is the attachment's bytes");
	else if (blobs_put(call->parts->blobs, bytes, len, on_put, call, &err) != 0)
		api_fail(call, &err);
}

static void no_such(struct api_call *call)
{
	api_problem(call, 404, "no_such_attachment", "there is no attachment with this id");
}

static void on_got(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *name = api_query(call, "name");
	struct buf disposition = { 0 };

	if (err != NULL && err->kind == ERROR_PERMANENT) {
		no_such(call);
		return;
	}
	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	buf_text(&disposition, "attachment");
	if (name != NULL && *name != '\0') {
		buf_text(&disposition, "; filename*=UTF-8''");
		text_percent(&disposition, name, strlen(name));
	}
	http_request_add_field(call->request, "Content-Disposition", buf_string(&disposition));
	http_request_add_field(call->request, "Content-Security-Policy",
			       "default-src 'none'; sandbox");
	/* What is erased must not live on in a cache. */
	http_request_add_field(call->request, "Cache-Control", "private, no-store");
	buf_clear(&disposition);
	http_answer(call->request, 200, "application/octet-stream", bytes, len);
}

void api_attachment(struct api_call *call, const char *blob)
{
	struct error err;

	if (!blob_is_id(blob))
		no_such(call);
	else if (blobs_get(call->parts->blobs, blob, on_got, call, &err) != 0)
		api_fail(call, &err);
}

/* ---- an origin of their own ---- */

enum { REDIRECT_S = 60 };

/* Host and port of a URL, as a Host field has them. */
static bool is_host_of(const char *url, const char *host)
{
	const char *start = strstr(url, "://");
	size_t len;

	if (start == NULL || host == NULL)
		return false;
	start += 3;
	len = strcspn(start, "/");
	return strlen(host) == len && strncasecmp(start, host, len) == 0;
}

bool api_origin_is_right(struct api_call *call)
{
	const char *url = call->parts->config->files_url;
	bool is_file = call->route->run == handle_file_link;

	return url == NULL || is_host_of(url, http_request_field(call->request, "Host")) == is_file;
}

/* A browser that is signed in gets the bytes from the other origin, where no session is. */
static void redirect(struct api_call *call)
{
	const char *name = api_query(call, "name");
	struct buf url = { 0 };

	buf_text(&url, call->parts->config->files_url);
	while (url.len > 0 && url.data[url.len - 1] == '/')
		url.len--;
	file_link_write(call->parts->key, call->params[0],
			loop_unix_ms(call->parts->loop) / 1000 + REDIRECT_S, &url);
	if (name != NULL && *name != '\0') {
		buf_text(&url, "&name=");
		text_percent(&url, name, strlen(name));
	}
	http_request_add_field(call->request, "Location", buf_string(&url));
	http_request_add_field(call->request, "Cache-Control", "private, no-store");
	buf_clear(&url);
	api_empty(call, 302);
}

static void on_owner(size_t missing, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (missing == 0)
		no_such(call);
	else if (call->who.by_cookie && call->parts->config->files_url != NULL)
		redirect(call);
	else
		api_attachment(call, call->params[0]);
}

void handle_attachment_get(struct api_call *call)
{
	blob_find_missing(call->parts->store, call->who.workspace, &call->params[0], 1, on_owner,
			  call);
}

/* ---- DELETE ---- */

static void on_released(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "conflict"))
		api_key_conflict(call);
	else if (!reply_is(reply, "refused"))
		api_empty(call, 204);
	else if (text_equal(reply_text_at(reply, 1), "in_use"))
		api_problem(call, 409, "in_use", "a message names this attachment");
	else
		no_such(call);
}

void handle_attachment_delete(struct api_call *call)
{
	const struct blob_releasing releasing = {
		.workspace = call->who.workspace,
		.key = call->idempotency_key,
		.request = call->request_hash,
		.ids = &call->params[0],
		.count = 1,
		.is_upload = true,
	};

	if (!blob_is_id(call->params[0]))
		no_such(call);
	else
		blob_release(call->parts->store, &releasing, on_released, call);
}

void handle_file_link(struct api_call *call)
{
	if (file_link_ok(call->parts->key, call->params[0], api_query(call, "expires"),
			 api_query(call, "signature"), loop_unix_ms(call->parts->loop) / 1000))
		api_attachment(call, call->params[0]);
	else
		api_problem(call, 403, "bad_link", "this link is not ours or has expired");
}
