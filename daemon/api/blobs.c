/* POST /v1/blobs/test: a blob is kept, read and erased, as a message's would be. */
#include <string.h>

#include "api/handlers.h"
#include "config.h"
#include "parts.h"
#include "services/blobs.h"
#include "services/loop.h"
#include "services/s3_place.h"

static const char sample[] = "a test of the blob store";

struct test {
	int64_t began_ms;
	char id[BLOB_ID_CHARS + 1];
};

static const char *store_name(struct api_call *call)
{
	const char *url = call->parts->config->blobs.url;
	struct s3_place *place = arena_alloc(call->arena, sizeof(*place));
	struct error err;

	if (url != NULL && s3_place_read(url, place, &err) == 0)
		return place->name;
	return url == NULL ? "state_dir" : url;
}

static void answer(struct api_call *call, const struct error *err)
{
	const struct test *test = call->state;
	struct buf detail = { 0 };
	struct buf body = { 0 };
	struct json_out out;

	if (err == NULL)
		buf_format(&detail, "%s: kept, read and erased in %lld ms", store_name(call),
			   (long long)(loop_unix_ms(call->parts->loop) - test->began_ms));
	else
		buf_format(&detail, "%s: %s", store_name(call), err->text);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_bool(&out, "ok", err == NULL);
	jw_text(&out, "detail", buf_string(&detail));
	jw_object_end(&out);
	api_answer(call, 200, &body);
	buf_clear(&detail);
}

static void on_erased(const struct error *err, void *context)
{
	answer(context, err);
}

static void on_got(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct test *test = call->state;
	const char *const ids[] = { test->id };
	struct error problem;

	if (err == NULL && (len != sizeof(sample) || memcmp(bytes, sample, len) != 0)) {
		error_set(&problem, ERROR_PERMANENT, "other bytes came back");
		err = &problem;
	}
	if (err != NULL || blobs_erase(call->parts->blobs, ids, 1, on_erased, call, &problem) != 0)
		answer(call, err != NULL ? err : &problem);
}

static void on_put(const char *blob_id, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct test *test = call->state;
	struct error problem;

	if (err != NULL) {
		answer(call, err);
		return;
	}
	snprintf(test->id, sizeof(test->id), "%s", blob_id);
	if (blobs_get(call->parts->blobs, blob_id, on_got, call, &problem) != 0)
		answer(call, &problem);
}

void handle_blobs_test(struct api_call *call)
{
	struct test *test = arena_alloc(call->arena, sizeof(*test));
	struct error err;

	test->began_ms = loop_unix_ms(call->parts->loop);
	call->state = test;
	if (blobs_put(call->parts->blobs, sample, sizeof(sample), on_put, call, &err) != 0)
		answer(call, &err);
}
