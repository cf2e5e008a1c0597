#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "host/host_private.h"
#include "services/loop.h"
#include "services/transfer.h"

enum { IMAP_TIMEOUT_MS = 120 * 1000, IMAP_ANSWER_MAX = 64 * 1024 * 1024 };

struct host_imap {
	struct channel *channel;
	struct transfer_session *session;
	struct arena *arena;
	struct host_account account;
	struct imap_op *running;
};

struct imap_op {
	struct host_op op;
	struct host_imap *session;
	struct transfer *transfer;
	host_imap_done *done;
	void *context;
};

struct host_imap *host_imap_open(struct channel *channel, const struct host_account *account)
{
	struct host_imap *session = memory_new(sizeof(*session));

	session->channel = channel;
	session->arena = arena_new(0);
	session->account = *account;
	session->account.url = arena_text(session->arena, account->url);
	session->account.user = arena_text(session->arena, account->user);
	session->account.password = arena_text(session->arena, account->password);
	session->account.oauth_bearer = arena_text(session->arena, account->oauth_bearer);
	session->account.ca_file = arena_text(session->arena, account->ca_file);
	session->session = transfer_session_new(channel->owner->options.transfers);
	return session;
}

static void imap_op_done(struct imap_op *run, const struct host_imap_answer *answer)
{
	host_imap_done *done = run->done;
	void *context = run->context;

	if (run->session && run->session->running == run)
		run->session->running = NULL;
	free(run);
	done(answer, context);
}

static void imap_end(struct host_op *op, const char *why)
{
	struct imap_op *run = (struct imap_op *)op;
	struct host_imap_answer answer = { .error = why, .untagged = "", .body = "" };

	transfer_cancel(&run->transfer);
	imap_op_done(run, &answer);
}

static void on_answer(const struct transfer_answer *from, void *context)
{
	struct imap_op *run = context;
	struct host_imap_answer answer = {
		.error = from->error ? from->error->text : NULL,
		.auth = from->auth_refused,
		.new_connection = from->new_connection,
		.untagged = from->headers,
		.untagged_len = from->headers_len,
		.body = from->body,
		.body_len = from->body_len,
	};

	host_op_finish(&run->op);
	imap_op_done(run, &answer);
}

static void account_url(const struct host_account *account, const char *path, struct buf *out)
{
	const char *host = strstr(account->url, "://");
	bool implicit = strncmp(account->url, "imaps:", 6) == 0;
	size_t len;

	if (account->tls != HOST_TLS_DEFAULT)
		implicit = account->tls == HOST_TLS_IMPLICIT;
	host = host ? host + 3 : account->url;
	len = strcspn(host, "/");
	buf_text(out, implicit ? "imaps://" : "imap://");
	buf_add(out, host, len);
	buf_byte(out, '/');
	buf_text(out, path);
}

void host_imap_run(struct host_imap *session, const char *path, const char *command,
		   host_imap_done *done, void *context)
{
	const struct host_account *account = &session->account;
	bool loopback = host_url_is_loopback(account->url);
	OWNED(buf_clear) struct buf url = { 0 };
	struct transfer_options options = {
		.method = command,
		.user = account->user,
		.password = account->password,
		.oauth_bearer = account->oauth_bearer,
		.allow_private = true, /* the operator names mail servers, not the customer */
		.ca_file = account->ca_file,
		.timeout_ms = IMAP_TIMEOUT_MS,
		.answer_max = IMAP_ANSWER_MAX,
	};
	struct imap_op *run = memory_new(sizeof(*run));

	account_url(account, path, &url);
	options.url = buf_string(&url);
	options.no_tls =
		account->tls == HOST_TLS_NONE || (account->tls == HOST_TLS_DEFAULT && loopback);
	options.require_tls = !options.no_tls;
	run->session = session;
	run->done = done;
	run->context = context;
	session->running = run;
	host_op_start(&run->op, session->channel, imap_end);
	run->transfer = transfer_start(session->channel->owner->options.transfers, &options,
				       session->session, on_answer, run);
}

static void session_destroy(void *object)
{
	struct host_imap *session = object;

	arena_free(&session->arena);
	free(session);
}

void host_imap_close(struct host_imap *session)
{
	if (!session)
		return;
	if (session->running) {
		struct imap_op *run = session->running;

		session->running = NULL;
		run->session = NULL;
		if (host_op_finish(&run->op))
			imap_end(&run->op, "the session was closed");
	}
	transfer_session_free(&session->session);
	loop_defer_free(session->channel->owner->options.loop, session, session_destroy);
}
