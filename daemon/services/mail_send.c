#include "services/mail_send.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "services/worker.h"

enum {
	RECIPIENTS_MAX = 100,
	TIMEOUT_MS = 60 * 1000,
};

struct call {
	mail_send_done *done;
	void *context;
};

static const char *const verdicts[] = { "sent", "retry", "reauth", "permanent", "unknown" };

/* ---- what may be sent at all ---- */

static bool is_clean_address(const char *address)
{
	size_t len = strlen(address);

	for (size_t i = 0; i < len; i++)
		if (address[i] <= ' ' || address[i] == 0x7f || address[i] == '<' ||
		    address[i] == '>')
			return false; /* what is not ASCII is negative */
	return len <= LIMIT_ADDRESS_BYTES;
}

static int check_message(const char *message, size_t len, struct error *err)
{
	for (size_t i = 0; i < len; i++) {
		bool is_end = message[i] == '\r' && i + 1 < len && message[i + 1] == '\n';

		if (is_end)
			i++;
		else if (message[i] == '\r' || message[i] == '\n' || message[i] == '\0')
			return error_set(err, ERROR_MISUSE,
					 "a bare CR, LF or NUL at byte %zu of the message", i);
	}
	if (len < 2 || message[len - 1] != '\n')
		return error_set(err, ERROR_MISUSE, "the message does not end in CRLF");
	if (len > LIMIT_MAIL_BYTES)
		return error_set(err, ERROR_MISUSE, "the message has %zu bytes", len);
	return 0;
}

static int check_envelope(const struct mail_send_options *options, struct error *err)
{
	if (!is_clean_address(options->from))
		return error_set(err, ERROR_MISUSE, "the sender's address cannot be used");
	if (options->to_count == 0 || options->to_count > RECIPIENTS_MAX)
		return error_set(err, ERROR_MISUSE, "%zu recipients", options->to_count);
	for (size_t i = 0; i < options->to_count; i++)
		if (!is_clean_address(options->to[i]) || strchr(options->to[i], '@') == NULL)
			return error_set(err, ERROR_MISUSE,
					 "recipient %zu's address cannot be used", i + 1);
	return 0;
}

/* Implicit TLS and XOAUTH2: the worker does them by libcurl, which takes the whole URL. */
static bool needs_url(const struct mail_send_options *options)
{
	return options->oauth_bearer != NULL ||
	       (options->url != NULL && strncasecmp(options->url, "smtps://", 8) == 0);
}

/* host:port, or [v6]:port, as libesmtp wants it. */
static int read_url(const char *url, struct buf *ret, struct error *err)
{
	const char *host = url == NULL ? NULL : strstr(url, "://");
	const char *colon;
	size_t len;

	if (host == NULL ||
	    (strncasecmp(url, "smtp://", 7) != 0 && strncasecmp(url, "smtps://", 8) != 0))
		return error_set(err, ERROR_MISUSE, "not an smtp:// address");
	host += 3;
	colon = strrchr(host, ':');
	len = strcspn(host, "/@ \t\r\n");
	if (len == 0 || (host[len] != '\0' && strcmp(host + len, "/") != 0))
		return error_set(err, ERROR_MISUSE, "an smtp:// address is a host and a port");
	buf_add(ret, host, len);
	if (colon == NULL || host[len - 1] == ']')
		buf_text(ret, ":587");
	return 0;
}

static bool is_loopback(const char *server)
{
	return strncmp(server, "127.", 4) == 0 || strncmp(server, "localhost:", 10) == 0 ||
	       strncmp(server, "[::1]:", 6) == 0;
}

/* ---- there ---- */

static void write_job(const struct mail_send_options *options, const char *server, struct buf *job)
{
	const char *domain = strrchr(options->from, '@');
	struct json_out out;
	uint32_t len = 0;

	buf_reserve(job,
		    options->message_len + 64 * 1024); /* it must not move: it holds a password */
	buf_add(job, &len, sizeof(len));
	jw_start(&out, job);
	jw_object(&out, NULL);
	if (needs_url(options)) {
		jw_text(&out, "url", options->url);
		jw_text(&out, "bearer", options->oauth_bearer);
	}
	jw_text(&out, "server", server);
	jw_bool(&out, "tls", options->tls == MAIL_TLS_REQUIRED);
	jw_text(&out, "ca_file", options->ca_file);
	jw_text(&out, "user", options->user);
	jw_text(&out, "password", options->password);
	jw_text(&out, "hostname",
		options->hostname != NULL ? options->hostname
					  : (domain != NULL ? domain + 1 : "localhost"));
	jw_text(&out, "from", options->from);
	jw_array(&out, "to");
	for (size_t i = 0; i < options->to_count; i++)
		jw_text(&out, NULL, options->to[i]);
	jw_array_end(&out);
	jw_int(&out, "timeout_ms", options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS);
	jw_object_end(&out);
	len = (uint32_t)(job->len - sizeof(len));
	memcpy(job->data, &len, sizeof(len));
	buf_add(job, options->message, options->message_len);
}

/* ---- and back ---- */

static enum mail_verdict read_verdict(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(verdicts); i++)
		if (text_equal(name, verdicts[i]))
			return (enum mail_verdict)i;
	return MAIL_UNKNOWN;
}

static void end_with(struct call *call, enum mail_verdict verdict, const char *text)
{
	struct mail_send_answer answer = { .verdict = verdict, .text = text };

	call->done(&answer, call->context);
}

static void answer_with(struct call *call, struct json_object *json)
{
	struct json_object *list = json_at(json, "recipients");
	size_t count = json_count(list);
	struct mail_send_recipient *recipients = memory_new((count + 1) * sizeof(*recipients));
	struct mail_send_answer answer = {
		.verdict = read_verdict(json_text(json, "verdict")),
		.code = (int)json_int(json, "code", 0),
		.text = json_text(json, "text"),
		.recipients = recipients,
		.recipient_count = count,
	};

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_item(list, i);

		recipients[i].address = json_text(item, "address");
		recipients[i].code = (int)json_int(item, "code", 0);
		recipients[i].text = json_text(item, "text");
		answer.refused_count += recipients[i].code / 100 != 2;
	}
	if (answer.text == NULL)
		answer.text = "";
	call->done(&answer, call->context);
	free(recipients);
}

static void on_end(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct call *call = context;
	struct json_object *json = NULL;

	if (err != NULL && text_starts(err->text, WORKER_NOT_STARTED)) {
		end_with(call, MAIL_RETRY, err->text);
	} else if (err != NULL && err->kind == ERROR_TEMPORARY) {
		/* the process died or was ended on the way */
		end_with(call, MAIL_UNKNOWN, err->text);
	} else if (err != NULL) {
		end_with(call, MAIL_PERMANENT, err->text);
	} else if ((json = json_read(bytes, len, NULL)) == NULL) {
		end_with(call, MAIL_UNKNOWN, "the mail worker's answer cannot be read");
	} else {
		answer_with(call, json);
	}
	json_free(&json);
	free(call);
}

static uint64_t lane_of(const char *server, const char *user)
{
	uint64_t lane = 0xcbf29ce484222325U;

	for (const char *p = server; *p != '\0'; p++)
		lane = (lane ^ (unsigned char)*p) * 0x100000001b3U;
	for (const char *p = user == NULL ? "" : user; *p != '\0'; p++)
		lane = (lane ^ (unsigned char)*p) * 0x100000001b3U;
	return lane | 1;
}

static int submit(struct worker_pool *pool, const struct mail_send_options *options,
		  const char *server, const struct call *with, struct error *err)
{
	struct call *call = memory_new(sizeof(*call));
	struct buf job = { 0 };
	int rc;

	*call = *with;
	write_job(options, server, &job);
	rc = worker_submit(pool, lane_of(server, options->user), job.data, job.len, on_end, call,
			   err);
	explicit_bzero(job.data, job.len);
	buf_clear(&job);
	if (rc < 0)
		free(call);
	return rc;
}

int mail_send(struct worker_pool *pool, const struct mail_send_options *options,
	      mail_send_done *done, void *context, struct error *err)
{
	struct call call = { .done = done, .context = context };
	struct buf server = { 0 };
	int rc = -1;

	if (check_envelope(options, err) < 0 ||
	    check_message(options->message, options->message_len, err) < 0)
		return -1;
	if (read_url(options->url, &server, err) < 0)
		rc = -1;
	else if ((options->user != NULL || options->oauth_bearer != NULL) &&
		 options->tls == MAIL_TLS_NONE && !is_loopback(buf_string(&server)))
		error_set(err, ERROR_MISUSE, "a login without TLS");
	else
		rc = submit(pool, options, server.data, &call, err);
	buf_clear(&server);
	return rc;
}
