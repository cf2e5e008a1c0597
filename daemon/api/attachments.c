/* /v1/attachments: bytes into and out of the blob store. Served as downloads
 * only, never as something a browser would run. */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "base/text.h"
#include "parts.h"
#include "services/blobs.h"
#include "services/file_link.h"
#include "services/loop.h"

enum { BLOB_ID_LEN = 64 };

static void on_put(const char *blob_id, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;
	size_t len;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	http_request_body(call->request, &len);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "blob", blob_id);
	jw_text(&out, "name", api_query(call, "name") == NULL ? "" : api_query(call, "name"));
	jw_text(&out, "type",
		api_query(call, "type") == NULL ? "application/octet-stream"
						: api_query(call, "type"));
	jw_int(&out, "size", (int64_t)len);
	jw_object_end(&out);
	api_answer(call, 201, &body);
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

static bool is_blob_id(const char *id)
{
	return strlen(id) == BLOB_ID_LEN && strspn(id, "0123456789abcdef") == BLOB_ID_LEN;
}

static void on_got(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *name = api_query(call, "name");
	struct buf disposition = { 0 };

	if (err != NULL && err->kind == ERROR_PERMANENT) {
		api_problem(call, 404, "no_such_attachment", "there is no attachment with this id");
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
	http_request_add_field(call->request, "Cache-Control",
			       "private, max-age=31536000, immutable");
	buf_clear(&disposition);
	http_answer(call->request, 200, "application/octet-stream", bytes, len);
}

void api_attachment(struct api_call *call, const char *blob)
{
	struct error err;

	if (!is_blob_id(blob))
		api_problem(call, 404, "no_such_attachment", "there is no attachment with this id");
	else if (blobs_get(call->parts->blobs, blob, on_got, call, &err) != 0)
		api_fail(call, &err);
}

void handle_attachment_get(struct api_call *call)
{
	api_attachment(call, call->params[0]);
}

void handle_file_link(struct api_call *call)
{
	if (file_link_ok(call->parts->key, call->params[0], api_query(call, "expires"),
			 api_query(call, "signature"), loop_unix_ms(call->parts->loop) / 1000))
		api_attachment(call, call->params[0]);
	else
		api_problem(call, 403, "bad_link", "this link is not ours or has expired");
}
