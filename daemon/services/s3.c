#include "services/s3.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "services/frame.h"
#include "services/loop.h"
#include "services/s3_place.h"
#include "services/transfer.h"

enum {
	AT_ONCE = 16,
	WAITING_BYTES = 64 * 1024 * 1024, /* one alone may be larger */
	TRIES = 6,
	FIRST_DELAY_MS = 200,
	LEAST_MS = 500, /* a try with less time than that is not begun */
	CODE_BYTES = 60,
};

struct call {
	TAILQ_ENTRY(call) link;
	struct s3 *s3;
	struct s3_request request; /* bytes are ours */
	char key[BLOB_ID_CHARS + 1];
	char hash[2 * SHA256_BYTES + 1]; /* of the bytes that are sent */
	int64_t until_ms;
	int tries;
	struct transfer *transfer; /* NULL: it waits */
	struct loop_timer *timer;
	struct error problem; /* of the last try */
};
TAILQ_HEAD(calls, call);

struct s3 {
	struct loop *loop;
	struct transfers *transfers;
	struct s3_place place;
	char *access_key;
	char *secret_key;
	int64_t timeout_ms;
	struct calls waiting;
	struct calls running;
	size_t running_count;
	size_t bytes; /* of all calls */
	bool is_closed;
};

static void call_run(struct call *call);

static void next_run(struct s3 *s3)
{
	struct call *call;

	while (!s3->is_closed && s3->running_count < AT_ONCE &&
	       (call = TAILQ_FIRST(&s3->waiting)) != NULL) {
		TAILQ_REMOVE(&s3->waiting, call, link);
		TAILQ_INSERT_TAIL(&s3->running, call, link);
		s3->running_count++;
		call_run(call);
	}
}

static void call_destroy(void *object)
{
	struct call *call = object;

	free((void *)(uintptr_t)call->request.bytes);
	free(call);
}

/* The call is one of the running ones. */
static void call_end(struct call *call, const struct transfer_answer *answer,
		     const struct error *err)
{
	struct s3 *s3 = call->s3;

	TAILQ_REMOVE(&s3->running, call, link);
	s3->running_count--;
	s3->bytes -= call->request.len;
	loop_timer_free(&call->timer);
	call->request.done(err == NULL ? answer->body : NULL, err == NULL ? answer->body_len : 0,
			   err, call->request.context);
	loop_defer_free(s3->loop, call, call_destroy);
	next_run(s3);
}

/* ---- an answer ---- */

/* <Code> of S3's error document: "SlowDown"; "" without one. */
static void code_of(const struct transfer_answer *answer, char code[CODE_BYTES])
{
	const char *start = strstr(answer->body, "<Code>");
	size_t len;

	code[0] = '\0';
	if (start == NULL)
		return;
	start += strlen("<Code>");
	len = strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	snprintf(code, CODE_BYTES, " %.*s", len > CODE_BYTES - 2 ? CODE_BYTES - 2 : (int)len,
		 start);
}

static bool is_whole(const struct call *call, const struct transfer_answer *answer)
{
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	crypto_sha256(answer->body, answer->body_len, hash);
	text_hex(hash, sizeof(hash), hex);
	return memcmp(hex, call->key, BLOB_HASH_CHARS) == 0;
}

static bool may_change(long status)
{
	return status == 408 || status == 429 || status >= 500;
}

/* What a status says of a request that got it. */
static bool is_done(const struct call *call, long status)
{
	if (text_equal(call->request.method, "DELETE"))
		return status == 204 || status == 200 || status == 404;
	return status == 200;
}

/* 1: done, 0: to be tried again, -1: for good; call->problem says what is wrong. */
static int judge(struct call *call, const struct transfer_answer *answer)
{
	bool is_get = text_equal(call->request.method, "GET");
	char code[CODE_BYTES];

	if (answer->error != NULL) {
		call->problem = *answer->error;
		error_wrap(&call->problem, "the blob store");
		return call->problem.kind == ERROR_TEMPORARY ? 0 : -1;
	}
	if (is_get && answer->status == 404) {
		error_set(&call->problem, ERROR_PERMANENT, "there is no blob %s", call->key);
		return -1;
	}
	if (!is_done(call, answer->status)) {
		code_of(answer, code);
		error_set(&call->problem, ERROR_TEMPORARY, "the blob store answered %ld%s",
			  answer->status, code);
		return may_change(answer->status) ? 0 : -1;
	}
	if (is_get && !is_whole(call, answer)) {
		error_set(&call->problem, ERROR_PERMANENT, "a blob is damaged");
		return 0;
	}
	return 1;
}

/* ---- a try ---- */

static int64_t delay_of(const struct call *call, const struct transfer_answer *answer)
{
	int64_t delay = (int64_t)FIRST_DELAY_MS << (call->tries - 1);
	uint16_t random;

	crypto_random(&random, sizeof(random));
	delay = delay / 2 + delay * random / UINT16_MAX;
	return answer->retry_after_ms > delay ? answer->retry_after_ms : delay;
}

static void on_answer(const struct transfer_answer *answer, void *context)
{
	struct call *call = context;
	int64_t left = call->until_ms - loop_now_ms(call->s3->loop);
	int64_t delay;
	int verdict;

	call->transfer = NULL;
	verdict = judge(call, answer);
	delay = delay_of(call, answer);
	if (verdict == 0 && call->tries < TRIES && delay + LEAST_MS < left && !call->s3->is_closed)
		loop_timer_start(call->timer, delay);
	else
		call_end(call, answer, verdict == 1 ? NULL : &call->problem);
}

static void on_timer(void *context)
{
	call_run(context);
}

/* Half of what is left: a peer that hangs leaves time for another one. */
static void call_run(struct call *call)
{
	struct s3 *s3 = call->s3;
	int64_t left = call->until_ms - loop_now_ms(s3->loop);
	char url[S3_URL_BYTES + BLOB_ID_CHARS];
	const struct transfer_field fields[] = {
		{ "x-amz-content-sha256", call->hash },
		{ "Content-Type", "application/octet-stream" },
	};
	const struct transfer_options options = {
		.url = url,
		.method = call->request.method,
		.fields = fields,
		.field_count = text_equal(call->request.method, "PUT") ? 2 : 1,
		.body = call->request.bytes,
		.body_len = call->request.len,
		.user = s3->access_key,
		.password = s3->secret_key,
		.s3_region = s3->place.region,
		.require_tls = !s3->place.is_plain,
		.allow_private = true,
		.timeout_ms = left / 2 > LEAST_MS ? left / 2 : LEAST_MS,
		.answer_max = FRAME_MAX_BYTES,
	};

	call->tries++;
	snprintf(url, sizeof(url), "%s%s", s3->place.base, call->key);
	call->transfer = transfer_start(s3->transfers, &options, NULL, on_answer, call);
}

/* ---- the public part ---- */

int s3_start(struct s3 *s3, const struct s3_request *request, struct error *err)
{
	unsigned char hash[SHA256_BYTES];
	struct call *call;

	if (s3->bytes > 0 && s3->bytes + request->len > WAITING_BYTES)
		return error_set(err, ERROR_TEMPORARY, "the blob store is behind");
	call = memory_new(sizeof(*call));
	call->s3 = s3;
	call->request = *request;
	call->request.bytes = memory_copy(request->len > 0 ? request->bytes : "", request->len);
	snprintf(call->key, sizeof(call->key), "%s", request->key);
	crypto_sha256(call->request.bytes, request->len, hash);
	text_hex(hash, sizeof(hash), call->hash);
	call->until_ms = loop_now_ms(s3->loop) + s3->timeout_ms;
	call->timer = loop_timer_new(s3->loop, on_timer, call);
	s3->bytes += request->len;
	TAILQ_INSERT_TAIL(&s3->waiting, call, link);
	next_run(s3);
	return 0;
}

struct s3 *s3_new(struct loop *loop, struct transfers *transfers,
		  const struct blobs_s3_options *options)
{
	struct s3 *s3 = memory_new(sizeof(*s3));
	struct error err;

	if (s3_place_read(options->url, &s3->place, &err) != 0)
		abort(); /* it was judged with the settings */
	s3->loop = loop;
	s3->transfers = transfers;
	s3->access_key = memory_text(options->access_key);
	s3->secret_key = memory_text(options->secret_key);
	s3->timeout_ms = options->timeout_ms;
	TAILQ_INIT(&s3->waiting);
	TAILQ_INIT(&s3->running);
	return s3;
}

static void s3_destroy(void *object)
{
	struct s3 *s3 = object;

	explicit_bzero(s3->secret_key, strlen(s3->secret_key));
	free(s3->access_key);
	free(s3->secret_key);
	free(s3);
}

void s3_free(struct s3 **s3)
{
	struct s3 *held = *s3;
	struct call *call;
	struct error err;

	*s3 = NULL;
	if (held == NULL)
		return;
	held->is_closed = true;
	error_set(&err, ERROR_TEMPORARY, "the blob store is closed");
	TAILQ_CONCAT(&held->running, &held->waiting, link);
	while ((call = TAILQ_FIRST(&held->running)) != NULL) {
		transfer_cancel(&call->transfer);
		call_end(call, NULL, &err);
	}
	loop_defer_free(held->loop, held, s3_destroy);
}
