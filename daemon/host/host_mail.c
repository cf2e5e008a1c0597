/* host->mail_send: the account's address and TLS rule, and over to the mail worker. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "host/host_private.h"
#include "services/loop.h"
#include "services/mail_send.h"

struct mail_op {
	struct host_op op;
	struct error refused; /* nothing was started: told on the next turn */
	host_mail_done *done;
	void *context;
};

/* The worker, or the next turn, still owes its answer: that one frees the call. */
static void mail_end(struct host_op *op, const char *why)
{
	struct mail_op *mail = (struct mail_op *)op;
	struct host_mail_answer answer = { .error = why, .failure = SEND_UNKNOWN };

	mail->done(&answer, mail->context);
}

static void mail_finish(struct mail_op *mail, const struct host_mail_answer *answer)
{
	if (host_op_finish(&mail->op))
		mail->done(answer, mail->context);
	free(mail);
}

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

static int submit(struct worker_pool *pool, const struct host_mail *call, struct mail_op *mail)
{
	const struct host_account *account = call->account;
	OWNED(buf_clear) struct buf url = { 0 };
	bool plain = account->tls == HOST_TLS_NONE ||
		     (account->tls == HOST_TLS_DEFAULT && !is_implicit(account) &&
		      host_url_is_loopback(account->url));
	struct mail_send_options options = {
		.tls = plain ? MAIL_TLS_NONE : MAIL_TLS_REQUIRED,
		.ca_file = account->ca_file,
		.user = account->user,
		.password = account->password,
		.oauth_bearer = account->oauth_bearer,
		.from = call->from,
		.to = call->to,
		.to_count = call->to_count,
		.message = call->message,
		.message_len = call->message_len,
	};

	if (!pool)
		return error_set(&mail->refused, ERROR_TEMPORARY, "there is no mail worker");
	account_url(account, &url);
	options.url = buf_string(&url);
	return mail_send(pool, &options, on_worker, mail, &mail->refused);
}

void host_mail_send(struct channel *channel, const struct host_mail *call, host_mail_done *done,
		    void *context)
{
	struct mail_op *mail = memory_new(sizeof(*mail));

	mail->done = done;
	mail->context = context;
	host_op_start(&mail->op, channel, mail_end);
	if (submit(channel->owner->options.mail, call, mail) < 0)
		loop_soon(channel->owner->options.loop, on_refused, mail);
}
