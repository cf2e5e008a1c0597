#include "services/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/memory.h"
#include "services/loop.h"
#include "services/transfer_curl.h"
#include "services/transfer_private.h"

enum { ANSWER_MAX = 1024 * 1024, IDLE_CONNECTIONS = 64 };

/* ---- the end of a transfer ---- */

static void transfer_unlink(struct transfer *transfer)
{
	if (!transfer->link)
		return;
	*transfer->link = transfer->next;
	if (transfer->next)
		transfer->next->link = transfer->link;
	transfer->link = NULL;
}

static void transfer_destroy(void *object)
{
	struct transfer *transfer = object;

	curl_slist_free_all(transfer->fields);
	curl_slist_free_all(transfer->mail_to);
	free(transfer->body);
	buf_clear(&transfer->headers);
	buf_clear(&transfer->answer);
	free(transfer);
}

/* Off curl and off the list; the memory goes after this turn. */
static void transfer_release(struct transfer *transfer)
{
	struct loop *loop = transfer->engine->owner->loop;

	transfer_unlink(transfer);
	if (transfer->easy) {
		curl_multi_remove_handle(transfer->engine->multi, transfer->easy);
		curl_easy_cleanup(transfer->easy);
		transfer->easy = NULL;
	}
	transfer->done = NULL;
	engine_release(transfer->engine);
	if (!transfer->is_unstarted)
		loop_defer_free(loop, transfer, transfer_destroy);
}

static int64_t now_s(void)
{
	return (int64_t)time(NULL);
}

static void fill_answer(struct transfer *transfer, CURLcode result, struct transfer_answer *ret)
{
	const struct buf *lines = transfer->is_command ? &transfer->answer : &transfer->headers;
	long connects = 0;
	char value[64];

	*ret = (struct transfer_answer){ .progress = transfer->progress, .retry_after_ms = -1 };
	if (transfer->easy) {
		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &ret->status);
		curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
	}
	if (transfer->error.kind != ERROR_NONE)
		ret->error = &transfer->error;
	ret->auth_refused = result == CURLE_LOGIN_DENIED;
	ret->new_connection = connects > 0;
	ret->headers = buf_string(lines);
	ret->headers_len = lines->len;
	ret->body = transfer->is_command ? "" : buf_string(&transfer->answer);
	ret->body_len = transfer->is_command ? 0 : transfer->answer.len;
	if (transfer_header(ret, "retry-after", value, sizeof(value)))
		ret->retry_after_ms = transfer_retry_after(value, now_s());
}

static void explain(struct transfer *transfer, CURLcode result)
{
	const char *text = transfer->refusal[0]      ? transfer->refusal
			   : transfer->error_text[0] ? transfer->error_text
						     : curl_easy_strerror(result);

	if (transfer->was_private)
		error_set(&transfer->error, ERROR_PERMANENT,
			  "the address is private or loopback, which is not allowed here");
	else if (transfer->was_odd_port)
		error_set(&transfer->error, ERROR_PERMANENT,
			  "the web is on port 80, 443 or one from 1024 on; another one is not "
			  "allowed here");
	else if (transfer->was_too_big)
		error_set(&transfer->error, ERROR_PERMANENT, "the answer is over %zu bytes",
			  transfer->answer_max);
	else if (result == CURLE_UNSUPPORTED_PROTOCOL || result == CURLE_TOO_MANY_REDIRECTS)
		error_set(&transfer->error, ERROR_PERMANENT, "a redirect leads nowhere: %s", text);
	else if (result == CURLE_LOGIN_DENIED)
		error_set(&transfer->error, ERROR_PERMANENT, "the login was refused");
	else if (result != CURLE_OK)
		error_set(&transfer->error, ERROR_TEMPORARY, "%s", text);
}

void transfer_end(struct transfer *transfer, CURLcode result)
{
	struct transfer_answer answer;
	transfer_done_fn *done = transfer->done;

	if (transfer->is_mail)
		engine_hang_up(transfer->engine);
	explain(transfer, result);
	fill_answer(transfer, result, &answer);
	transfer_release(transfer);
	if (done)
		done(&answer, transfer->context);
}

static void end_unstarted(void *context)
{
	struct transfer *transfer = context;

	/* Unlinked: cancelled or stopped meanwhile. */
	if (transfer->link)
		transfer_end(transfer, CURLE_OK);
	transfer_destroy(transfer);
}

/* ---- the public part ---- */

struct transfers *transfers_new(struct loop *loop)
{
	struct transfers *transfers = memory_new(sizeof(*transfers));

	transfers->loop = loop;
	engine_init(&transfers->shared, transfers, IDLE_CONNECTIONS);
	return transfers;
}

void transfers_free(struct transfers **transfers)
{
	if (!*transfers)
		return;
	while ((*transfers)->mails)
		engine_stop((*transfers)->mails);
	engine_clear(&(*transfers)->shared);
	free(*transfers);
	*transfers = NULL;
}

struct transfer *transfer_start(struct transfers *transfers, const struct transfer_options *options,
				struct transfer_session *session, transfer_done_fn *done,
				void *context)
{
	struct transfer *transfer = memory_new(sizeof(*transfer));
	struct engine *engine = session ? &session->engine
				: strncasecmp(options->url, "smtp", 4) == 0
					? engine_new_for_mail(transfers)
					: &transfers->shared;

	transfer->engine = engine;
	transfer->done = done;
	transfer->context = context;
	transfer->allow_private = options->allow_private;
	transfer->answer_max = options->answer_max ? options->answer_max : ANSWER_MAX;
	transfer->body_len = options->body_len;
	transfer->body = memory_copy(options->body_len ? options->body : "", options->body_len);
	transfer->next = engine->first;
	transfer->link = &engine->first;
	if (transfer->next)
		transfer->next->link = &transfer->next;
	engine->first = transfer;
	if (transfer_set_up(transfer, options) < 0 ||
	    curl_multi_add_handle(engine_multi(engine), transfer->easy) != CURLM_OK) {
		if (transfer->error.kind == ERROR_NONE)
			error_set(&transfer->error, ERROR_TEMPORARY, "the transfer cannot start");
		transfer->is_unstarted = true;
		loop_soon(transfers->loop, end_unstarted, transfer);
	}
	return transfer;
}

void transfer_cancel(struct transfer **transfer)
{
	struct transfer *old = *transfer;

	*transfer = NULL;
	if (!old)
		return;
	transfer_release(old);
}

struct transfer_session *transfer_session_new(struct transfers *transfers)
{
	struct transfer_session *session = memory_new(sizeof(*session));

	session->engine.has_one = true;
	engine_init(&session->engine, transfers, 1);
	return session;
}

void transfer_session_free(struct transfer_session **session)
{
	if (!*session)
		return;
	engine_clear(&(*session)->engine);
	loop_defer_free((*session)->engine.owner->loop, *session, free);
	*session = NULL;
}

const char *transfer_version(void)
{
	return curl_version_info(CURLVERSION_NOW)->version;
}
