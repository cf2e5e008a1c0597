#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "host/host_private.h"
#include "services/transfer.h"

enum { MAIL_TIMEOUT_MS = 5 * 60 * 1000, CODE_START_DATA = 354, CODE_BAD_LOGIN = 535 };

struct mail_op {
	struct host_op op;
	struct transfer *transfer;
	host_mail_done *done;
	void *context;
};

static void mail_finish(struct mail_op *mail, const struct host_mail_answer *answer)
{
	mail->done(answer, mail->context);
	free(mail);
}

static void mail_end(struct host_op *op, const char *why)
{
	struct mail_op *mail = (struct mail_op *)op;
	struct host_mail_answer answer = { .error = why, .failure = SEND_UNKNOWN };

	transfer_cancel(&mail->transfer);
	mail_finish(mail, &answer);
}

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
	host_op_finish(&mail->op);
	mail_finish(mail, &answer);
}

static void account_url(const struct host_account *account, struct buf *out)
{
	const char *host = strstr(account->url, "://");
	bool implicit = strncmp(account->url, "smtps:", 6) == 0;

	if (account->tls != HOST_TLS_DEFAULT)
		implicit = account->tls == HOST_TLS_IMPLICIT;
	host = host ? host + 3 : account->url;
	buf_text(out, implicit ? "smtps://" : "smtp://");
	buf_add(out, host, strcspn(host, "/"));
}

static void send_by_transfer(struct channel *channel, const struct host_mail *call,
			     struct mail_op *mail)
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
	};

	account_url(account, &url);
	options.url = buf_string(&url);
	options.no_tls = account->tls == HOST_TLS_NONE ||
			 (account->tls == HOST_TLS_DEFAULT && host_url_is_loopback(account->url));
	options.require_tls = !options.no_tls;
	mail->transfer =
		transfer_start(channel->owner->options.transfers, &options, NULL, on_answer, mail);
}

void host_mail_send(struct channel *channel, const struct host_mail *call, host_mail_done *done,
		    void *context)
{
	struct mail_op *mail = memory_new(sizeof(*mail));

	mail->done = done;
	mail->context = context;
	host_op_start(&mail->op, channel, mail_end);
	send_by_transfer(channel, call, mail);
}
