/* host->mail_send: plain accounts through the mail worker, implicit TLS and
 * XOAUTH2, which its library does not have, through transfer.h. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "host/host_private.h"
#include "services/loop.h"
#include "services/mail_send.h"
#include "services/transfer.h"

enum { MAIL_TIMEOUT_MS = 5 * 60 * 1000, CODE_START_DATA = 354, CODE_BAD_LOGIN = 535 };

struct mail_op {
	struct host_op op;
	struct transfer *transfer; /* NULL with the worker */
	bool by_worker;
	struct error refused; /* nothing was started: told on the next turn */
	host_mail_done *done;
	void *context;
};

/* Where the worker still owes its answer, that answer frees the call. */
static void mail_end(struct host_op *op, const char *why)
{
	struct mail_op *mail = (struct mail_op *)op;
	struct host_mail_answer answer = { .error = why, .failure = SEND_UNKNOWN };
	bool is_owed = mail->by_worker;

	transfer_cancel(&mail->transfer);
	mail->done(&answer, mail->context);
	if (!is_owed)
		free(mail);
}

static void mail_finish(struct mail_op *mail, const struct host_mail_answer *answer)
{
	if (host_op_finish(&mail->op))
		mail->done(answer, mail->context);
	free(mail);
}

/* ---- by the worker ---- */

/* The first recipient is the customer: where only others were refused the mail
 * is sent; where only others took it, another attempt would send it twice. */
static const char *refusal_of(const struct mail_send_answer *answer)
{
	if (answer->verdict != MAIL_SENT)
		return answer->text ? answer->text : "the mail was not taken";
	if (answer->recipient_count > 0 && answer->recipients[0].code / 100 != 2)
		return answer->recipients[0].text;
	return NULL;
}

static void on_worker(const struct mail_send_answer *from, void *context)
{
	static const enum send_failure failures[] = {
		[MAIL_SENT] = SEND_PERMANENT,  [MAIL_RETRY] = SEND_RETRY,
		[MAIL_REAUTH] = SEND_REAUTH,   [MAIL_PERMANENT] = SEND_PERMANENT,
		[MAIL_UNKNOWN] = SEND_UNKNOWN,
	};
	struct mail_op *mail = context;
	struct host_mail_answer answer = { .code = from->code, .error = refusal_of(from) };

	if (answer.error) {
		answer.failure = failures[from->verdict];
	} else if (from->refused_count > 0 && mail->op.channel) {
		log_warn(mail->op.channel->name, "event=recipients_refused count=%zu",
			 from->refused_count);
	}
	mail_finish(mail, &answer);
}

static void on_refused(void *context)
{
	struct mail_op *mail = context;
	struct host_mail_answer answer = {
		.error = mail->refused.text,
		.failure = mail->refused.kind == ERROR_TEMPORARY ? SEND_RETRY : SEND_PERMANENT,
	};

	mail_finish(mail, &answer);
}

static void send_by_worker(struct channel *channel, const struct host_mail *call,
			   struct mail_op *mail, bool plain)
{
	const struct host_account *account = call->account;
	const struct mail_send_options options = {
		.url = account->url,
		.tls = plain ? MAIL_TLS_NONE : MAIL_TLS_REQUIRED,
		.ca_file = account->ca_file,
		.user = account->user,
		.password = account->password,
		.from = call->from,
		.to = call->to,
		.to_count = call->to_count,
		.message = call->message,
		.message_len = call->message_len,
	};

	mail->by_worker = true;
	if (mail_send(channel->owner->options.mail, &options, on_worker, mail, &mail->refused) < 0)
		loop_soon(channel->owner->options.loop, on_refused, mail);
}

/* ---- by transfer.h ---- */

/* The reply code decides where there is one; 354 is the server's "go on", so
 * silence after it means that nobody knows. */
static enum send_failure failure_of(const struct transfer_answer *answer)
{
	if (answer->auth_refused || answer->status == CODE_BAD_LOGIN)
		return SEND_REAUTH;
	if (answer->status >= 500)
		return SEND_PERMANENT;
	if (answer->status >= 400)
		return SEND_RETRY;
	if (answer->status == CODE_START_DATA && answer->progress >= TRANSFER_SENT)
		return SEND_UNKNOWN;
	return SEND_RETRY;
}

static void on_answer(const struct transfer_answer *from, void *context)
{
	struct mail_op *mail = context;
	struct host_mail_answer answer = {
		.error = from->error ? from->error->text : NULL,
		.code = (int)from->status,
	};

	if (from->error)
		answer.failure = failure_of(from);
	mail_finish(mail, &answer);
}

static bool is_implicit(const struct host_account *account)
{
	if (account->tls != HOST_TLS_DEFAULT)
		return account->tls == HOST_TLS_IMPLICIT;
	return strncmp(account->url, "smtps:", 6) == 0;
}

static void account_url(const struct host_account *account, struct buf *out)
{
	const char *host = strstr(account->url, "://");

	host = host ? host + 3 : account->url;
	buf_text(out, is_implicit(account) ? "smtps://" : "smtp://");
	buf_add(out, host, strcspn(host, "/"));
}

static void send_by_transfer(struct channel *channel, const struct host_mail *call,
			     struct mail_op *mail, bool plain)
{
	const struct host_account *account = call->account;
	OWNED(buf_clear) struct buf url = { 0 };
	struct transfer_options options = {
		.user = account->user,
		.password = account->password,
		.oauth_bearer = account->oauth_bearer,
		.mail_from = call->from,
		.mail_to = call->to,
		.mail_to_count = call->to_count,
		.body = call->message,
		.body_len = call->message_len,
		.allow_private = true, /* the operator names mail servers, not the customer */
		.ca_file = account->ca_file,
		.timeout_ms = MAIL_TIMEOUT_MS,
		.no_tls = plain,
		.require_tls = !plain,
	};

	account_url(account, &url);
	options.url = buf_string(&url);
	mail->transfer =
		transfer_start(channel->owner->options.transfers, &options, NULL, on_answer, mail);
}

void host_mail_send(struct channel *channel, const struct host_mail *call, host_mail_done *done,
		    void *context)
{
	const struct host_account *account = call->account;
	struct mail_op *mail = memory_new(sizeof(*mail));
	bool plain = account->tls == HOST_TLS_NONE ||
		     (account->tls == HOST_TLS_DEFAULT && !is_implicit(account) &&
		      host_url_is_loopback(account->url));

	mail->done = done;
	mail->context = context;
	host_op_start(&mail->op, channel, mail_end);
	if (channel->owner->options.mail && !is_implicit(account) && !account->oauth_bearer)
		send_by_worker(channel, call, mail, plain);
	else
		send_by_transfer(channel, call, mail, plain);
}
