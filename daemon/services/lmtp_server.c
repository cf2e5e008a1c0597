#include "services/lmtp_server.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "services/listener.h"
#include "services/loop.h"

enum {
	LINE_MAX_BYTES = 2048, /* of a command */
	RECIPIENTS = 100,
	CONNECTIONS = 100,
	ADDRESS_BYTES = 320,
	READ_BYTES = 64 * 1024, /* of the data at once */
	READS = 16,             /* in one turn */
};

static const int64_t idle_default_ms = 5 * 60 * 1000;

enum phase { PHASE_COMMANDS, PHASE_DATA, PHASE_ANSWERS };

/* Where the data stands: a dot counts only at the start of a line, which is after CRLF (a lone LF
 * is data). */
enum dots { DOTS_START, DOTS_DOT, DOTS_DOT_CR, DOTS_TEXT, DOTS_CR };

/* One mail for one recipient, given out until it is answered. */
struct lmtp_mail {
	TAILQ_ENTRY(lmtp_mail) link;
	struct lmtp_peer *peer; /* NULL once the client is gone */
	struct lmtp_body *body;
	char *recipient;
	char answer[200]; /* "" until it is there */
};

/* The bytes that the mails of one DATA share. */
struct lmtp_body {
	int refs;
	char *from;
	struct buf bytes;
};

struct lmtp_peer {
	TAILQ_ENTRY(lmtp_peer) link;
	struct lmtp_server *server;
	struct bufferevent *socket;
	struct buf out; /* answers of this turn */
	enum phase phase;
	enum dots dots;
	bool has_greeted;
	bool is_ending;
	char *from; /* NULL before MAIL */
	char *recipients[RECIPIENTS];
	size_t recipient_count;
	struct lmtp_body *body;
	bool is_too_big;
	TAILQ_HEAD(, lmtp_mail) mails;
};

struct lmtp_server {
	struct loop *loop;
	struct lmtp_options options;
	char *hostname;
	lmtp_takes_fn *takes;
	lmtp_mail_fn *on_mail;
	void *context;
	struct evconnlistener *listener;
	int port;
	char *socket_path; /* of a unix socket, removed at the end */
	int connections;
	TAILQ_HEAD(, lmtp_peer) peers;
};

static void body_unref(struct lmtp_body **body)
{
	struct lmtp_body *held = *body;

	*body = NULL;
	if (held == NULL || --held->refs > 0)
		return;
	buf_clear(&held->bytes);
	free(held->from);
	free(held);
}

static void say(struct lmtp_peer *peer, const char *line)
{
	buf_format(&peer->out, "%s\r\n", line);
}

static void envelope_clear(struct lmtp_peer *peer)
{
	free(peer->from);
	peer->from = NULL;
	for (size_t i = 0; i < peer->recipient_count; i++)
		free(peer->recipients[i]);
	peer->recipient_count = 0;
	body_unref(&peer->body);
	peer->is_too_big = false;
}

static void peer_free(void *object)
{
	struct lmtp_peer *peer = object;

	envelope_clear(peer);
	buf_clear(&peer->out);
	bufferevent_free(peer->socket);
	free(peer);
}

/* The client is gone: mails on their way end without an answer, and are sent
 * again by the client, which finds them stored (they are remembered). */
static void peer_close(struct lmtp_peer *peer)
{
	struct lmtp_mail *mail;
	struct lmtp_mail *next;

	for (mail = TAILQ_FIRST(&peer->mails); mail != NULL; mail = next) {
		next = TAILQ_NEXT(mail, link);
		TAILQ_REMOVE(&peer->mails, mail, link);
		mail->peer = NULL;
		if (mail->answer[0] != '\0') {
			body_unref(&mail->body);
			free(mail->recipient);
			free(mail);
		}
	}
	TAILQ_REMOVE(&peer->server->peers, peer, link);
	peer->server->connections--;
	bufferevent_disable(peer->socket, EV_READ | EV_WRITE);
	bufferevent_setcb(peer->socket, NULL, NULL, NULL, NULL);
	loop_defer_free(peer->server->loop, peer, peer_free);
}

/* Straight to the socket, which nearly always takes it: waiting until it says so is a turn of the
 * loop for every answer. */
static void answers_flush(struct lmtp_peer *peer)
{
	struct evbuffer *output = bufferevent_get_output(peer->socket);
	ssize_t n = 0;

	if (peer->out.len == 0)
		return;
	if (evbuffer_get_length(output) == 0)
		n = send(bufferevent_getfd(peer->socket), peer->out.data, peer->out.len,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		n = 0; /* the buffer meets the same error and reports it */
	if ((size_t)n < peer->out.len)
		bufferevent_write(peer->socket, peer->out.data + n, peer->out.len - (size_t)n);
	else if (peer->is_ending)
		peer_close(peer);
	buf_reset(&peer->out);
}

/* ---- commands ---- */

/* "<a@b>" after the colon to "a@b"; false where it is malformed. */
static bool path_read(const char *text, char *out, size_t room)
{
	const char *end;

	text += strspn(text, " ");
	end = strchr(text, '>');
	if (*text != '<' || end == NULL || (size_t)(end - text) > room)
		return false;
	memcpy(out, text + 1, (size_t)(end - text - 1));
	out[end - text - 1] = '\0';
	return strpbrk(out, " \r\n<") == NULL && text_is_utf8(out, strlen(out));
}

static void command_lhlo(struct lmtp_peer *peer, const char *argument)
{
	char size[40];

	if (*argument == '\0') {
		say(peer, "501 5.5.4 LHLO needs your name");
		return;
	}
	envelope_clear(peer);
	peer->has_greeted = true;
	buf_format(&peer->out, "250-%s\r\n", peer->server->hostname);
	say(peer, "250-PIPELINING");
	say(peer, "250-ENHANCEDSTATUSCODES");
	say(peer, "250-8BITMIME");
	say(peer, "250-SMTPUTF8");
	snprintf(size, sizeof(size), "250 SIZE %lld", (long long)peer->server->options.mail_max);
	say(peer, size);
}

static void command_mail(struct lmtp_peer *peer, const char *argument)
{
	char address[ADDRESS_BYTES + 2];
	const char *size = strcasestr(argument, " SIZE=");

	if (!peer->has_greeted)
		say(peer, "503 5.5.1 say LHLO first");
	else if (peer->from != NULL)
		say(peer, "503 5.5.1 one MAIL at a time");
	else if (strncasecmp(argument, "FROM:", 5) != 0 ||
		 !path_read(argument + 5, address, ADDRESS_BYTES))
		say(peer, "501 5.1.7 MAIL FROM:<address>");
	else if (size != NULL && strtoll(size + 6, NULL, 10) > peer->server->options.mail_max)
		say(peer, "552 5.3.4 the mail is too big");
	else {
		peer->from = memory_text(address);
		say(peer, "250 2.1.0 ok");
	}
}

static void command_rcpt(struct lmtp_peer *peer, const char *argument)
{
	char address[ADDRESS_BYTES + 2];
	struct lmtp_server *server = peer->server;

	if (peer->from == NULL)
		say(peer, "503 5.5.1 say MAIL first");
	else if (strncasecmp(argument, "TO:", 3) != 0 ||
		 !path_read(argument + 3, address, ADDRESS_BYTES) || address[0] == '\0')
		say(peer, "501 5.1.3 RCPT TO:<address>");
	else if (peer->recipient_count >= (size_t)server->options.recipients_max)
		say(peer, "452 4.5.3 too many recipients");
	else if (!server->takes(address, server->context))
		say(peer, "550 5.1.1 no such address here");
	else {
		peer->recipients[peer->recipient_count++] = memory_text(address);
		say(peer, "250 2.1.5 ok");
	}
}

static void command_data(struct lmtp_peer *peer, const char *argument)
{
	(void)argument;
	if (peer->recipient_count == 0) {
		say(peer, "503 5.5.1 no valid recipients");
		return;
	}
	peer->phase = PHASE_DATA;
	peer->dots = DOTS_START;
	peer->body = memory_new(sizeof(*peer->body));
	peer->body->refs = 1;
	peer->body->from = memory_text(peer->from);
	say(peer, "354 end with <CRLF>.<CRLF>");
}

static void command_rset(struct lmtp_peer *peer, const char *argument)
{
	(void)argument;
	envelope_clear(peer);
	say(peer, "250 2.0.0 ok");
}

static void command_noop(struct lmtp_peer *peer, const char *argument)
{
	(void)argument;
	say(peer, "250 2.0.0 ok");
}

static void command_quit(struct lmtp_peer *peer, const char *argument)
{
	(void)argument;
	say(peer, "221 2.0.0 bye");
	peer->is_ending = true;
}

static void command_vrfy(struct lmtp_peer *peer, const char *argument)
{
	(void)argument;
	say(peer, "252 2.5.2 send some mail, then we see");
}

static void command_hello(struct lmtp_peer *peer, const char *argument)
{
	(void)argument;
	say(peer, "500 5.5.1 this is LMTP: say LHLO");
}

static void run_command(struct lmtp_peer *peer, const char *line)
{
	static const struct {
		const char *verb;
		void (*run)(struct lmtp_peer *peer, const char *argument);
	} commands[] = {
		{ "LHLO", command_lhlo },  { "MAIL", command_mail }, { "RCPT", command_rcpt },
		{ "DATA", command_data },  { "RSET", command_rset }, { "NOOP", command_noop },
		{ "QUIT", command_quit },  { "VRFY", command_vrfy }, { "HELO", command_hello },
		{ "EHLO", command_hello },
	};

	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strncasecmp(line, commands[i].verb, 4) == 0 &&
		    (line[4] == '\0' || line[4] == ' ')) {
			commands[i].run(peer, line + 4 + strspn(line + 4, " "));
			return;
		}
	say(peer, "500 5.5.2 unknown command");
}

/* ---- data ---- */

static void mails_give(struct lmtp_peer *peer)
{
	struct lmtp_server *server = peer->server;
	struct lmtp_mail *mail;
	struct lmtp_mail *next;

	peer->phase = PHASE_ANSWERS;
	for (size_t i = 0; i < peer->recipient_count; i++) {
		mail = memory_new(sizeof(*mail));
		mail->peer = peer;
		mail->body = peer->body;
		mail->body->refs++;
		mail->recipient = memory_text(peer->recipients[i]);
		TAILQ_INSERT_TAIL(&peer->mails, mail, link);
	}
	envelope_clear(peer);
	for (mail = TAILQ_FIRST(&peer->mails); mail != NULL; mail = next) {
		next = TAILQ_NEXT(mail, link);
		server->on_mail(mail, server->context);
	}
}

static void data_end(struct lmtp_peer *peer)
{
	if (!peer->is_too_big) {
		mails_give(peer);
		return;
	}
	for (size_t i = 0; i < peer->recipient_count; i++)
		say(peer, "552 5.3.4 the mail is too big");
	envelope_clear(peer);
	peer->phase = PHASE_COMMANDS;
}

static void data_add(struct lmtp_peer *peer, const char *bytes, size_t len)
{
	if (peer->is_too_big ||
	    (int64_t)(peer->body->bytes.len + len) > peer->server->options.mail_max) {
		/* Read on to the end without keeping it. */
		peer->is_too_big = true;
		return;
	}
	buf_add(&peer->body->bytes, bytes, len);
}

/* One byte that decides at the start of a line; *run is where the bytes to be kept begin. False at
 * the final dot. */
static bool dot_step(struct lmtp_peer *peer, const char *bytes, size_t *at, size_t *run)
{
	char byte = bytes[*at];

	if (peer->dots == DOTS_START && byte == '.') {
		data_add(peer, bytes + *run, *at - *run);
		*run = ++*at;
		peer->dots = DOTS_DOT;
	} else if (peer->dots == DOTS_DOT && byte == '\r') {
		*run = ++*at;
		peer->dots = DOTS_DOT_CR;
	} else if (peer->dots == DOTS_DOT_CR && byte == '\n') {
		++*at;
		return false;
	} else {
		if (peer->dots == DOTS_DOT_CR)
			data_add(peer, "\r", 1);
		peer->dots = DOTS_TEXT;
	}
	return true;
}

/* Takes what there is, each byte looked at once; false at the final dot. *ret_used: how much. */
static bool data_take(struct lmtp_peer *peer, const char *bytes, size_t len, size_t *ret_used)
{
	size_t at = 0;
	size_t run = 0;
	bool more = true;

	while (at < len && more) {
		if (peer->dots == DOTS_CR && bytes[at] == '\n') {
			at++;
			peer->dots = DOTS_START;
		} else if (peer->dots == DOTS_CR || peer->dots == DOTS_TEXT) {
			const char *cr = memchr(bytes + at, '\r', len - at);

			at = cr == NULL ? len : (size_t)(cr - bytes) + 1;
			peer->dots = cr == NULL ? DOTS_TEXT : DOTS_CR;
		} else {
			more = dot_step(peer, bytes, &at, &run);
		}
	}
	if (more)
		data_add(peer, bytes + run, at - run);
	*ret_used = at;
	return more;
}

/* ---- reading ---- */

static bool read_data(struct lmtp_peer *peer, struct evbuffer *input)
{
	struct evbuffer_iovec piece;
	size_t used;
	bool more;

	if (evbuffer_peek(input, -1, NULL, &piece, 1) < 1)
		return false;
	more = data_take(peer, piece.iov_base, piece.iov_len, &used);
	evbuffer_drain(input, used);
	if (!more)
		data_end(peer);
	return true;
}

/* The rest of a mail from the socket itself: through the buffer it comes 4 KiB a turn. */
static void read_directly(struct lmtp_peer *peer, struct evbuffer *input)
{
	char bytes[READ_BYTES];
	size_t used;

	for (int i = 0; i < READS && peer->phase == PHASE_DATA; i++) {
		ssize_t n =
			recv(bufferevent_getfd(peer->socket), bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n <= 0)
			return; /* nothing more now; an end or an error shows once more */
		if (data_take(peer, bytes, (size_t)n, &used))
			continue;
		evbuffer_prepend(input, bytes + used, (size_t)n - used);
		data_end(peer);
	}
}

static bool read_command(struct lmtp_peer *peer, struct evbuffer *input)
{
	size_t len;
	char *line = evbuffer_readln(input, &len, EVBUFFER_EOL_CRLF);

	if (line == NULL) {
		if (evbuffer_get_length(input) > LINE_MAX_BYTES) {
			say(peer, "500 5.5.2 line too long");
			peer->is_ending = true;
		}
		return false;
	}
	if (len > LINE_MAX_BYTES || memchr(line, '\0', len) != NULL)
		say(peer, "500 5.5.2 malformed line");
	else
		run_command(peer, line);
	free(line);
	return true;
}

static void peer_read(struct lmtp_peer *peer)
{
	struct evbuffer *input = bufferevent_get_input(peer->socket);
	bool more = true;

	while (more && !peer->is_ending && peer->phase != PHASE_ANSWERS) {
		more = peer->phase == PHASE_DATA ? read_data(peer, input)
						 : read_command(peer, input);
		if (!more && peer->phase == PHASE_DATA) {
			read_directly(peer, input);
			more = evbuffer_get_length(input) > 0;
		}
	}
	/* While answers are awaited nothing more is read: the client is held back. */
	if (peer->phase == PHASE_ANSWERS)
		bufferevent_disable(peer->socket, EV_READ);
	answers_flush(peer);
}

static void on_read(struct bufferevent *socket, void *context)
{
	(void)socket;
	peer_read(context);
}

static void on_written(struct bufferevent *socket, void *context)
{
	struct lmtp_peer *peer = context;

	(void)socket;
	if (peer->is_ending)
		peer_close(peer);
}

static void on_event(struct bufferevent *socket, short what, void *context)
{
	(void)socket;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) != 0)
		peer_close(context);
}

/* ---- answers ---- */

/* In the order of the recipients: what is answered at the head of the list goes out. */
static void answers_say(struct lmtp_peer *peer)
{
	struct lmtp_mail *mail;

	while ((mail = TAILQ_FIRST(&peer->mails)) != NULL && mail->answer[0] != '\0') {
		say(peer, mail->answer);
		TAILQ_REMOVE(&peer->mails, mail, link);
		body_unref(&mail->body);
		free(mail->recipient);
		free(mail);
	}
	if (!TAILQ_EMPTY(&peer->mails)) {
		answers_flush(peer);
		return;
	}
	peer->phase = PHASE_COMMANDS;
	bufferevent_enable(peer->socket, EV_READ);
	peer_read(peer);
}

void lmtp_answer(struct lmtp_mail *mail, enum lmtp_verdict verdict, const char *phrase)
{
	static const char *const codes[] = { "250 2.0.0", "451 4.3.0", "554 5.6.0" };
	size_t len;

	snprintf(mail->answer, sizeof(mail->answer), "%s %s", codes[verdict], phrase);
	len = strcspn(mail->answer, "\r\n");
	mail->answer[len] = '\0';
	if (mail->peer != NULL) {
		answers_say(mail->peer);
		return;
	}
	body_unref(&mail->body);
	free(mail->recipient);
	free(mail);
}

const char *lmtp_mail_from(const struct lmtp_mail *mail)
{
	return mail->body->from;
}

const char *lmtp_mail_recipient(const struct lmtp_mail *mail)
{
	return mail->recipient;
}

const char *lmtp_mail_bytes(const struct lmtp_mail *mail, size_t *ret_len)
{
	*ret_len = mail->body->bytes.len;
	return buf_string(&mail->body->bytes);
}

/* ---- life ---- */

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int len, void *context)
{
	struct lmtp_server *server = context;
	struct lmtp_peer *peer;
	struct timeval idle;
	char greeting[300];
	static const char busy[] = "421 4.3.2 too many connections\r\n";

	(void)listener;
	(void)address;
	(void)len;
	if (server->connections >= server->options.connections_max) {
		if (write(fd, busy, sizeof(busy) - 1) < 0)
			log_debug("lmtp", "event=busy_not_said");
		evutil_closesocket(fd);
		return;
	}
	peer = memory_new(sizeof(*peer));
	peer->server = server;
	TAILQ_INIT(&peer->mails);
	peer->socket = bufferevent_socket_new(loop_base(server->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	idle.tv_sec = (time_t)(server->options.idle_ms / 1000);
	idle.tv_usec = (suseconds_t)(server->options.idle_ms % 1000 * 1000);
	bufferevent_set_timeouts(peer->socket, &idle, &idle);
	bufferevent_setcb(peer->socket, on_read, on_written, on_event, peer);
	bufferevent_setwatermark(peer->socket, EV_READ, 0,
				 (size_t)server->options.mail_max + LINE_MAX_BYTES);
	TAILQ_INSERT_TAIL(&server->peers, peer, link);
	server->connections++;
	snprintf(greeting, sizeof(greeting), "220 %s LMTP converged", server->hostname);
	say(peer, greeting);
	answers_flush(peer);
	bufferevent_enable(peer->socket, EV_READ | EV_WRITE);
}

static void options_fill(struct lmtp_options *options)
{
	if (options->recipients_max <= 0 || options->recipients_max > RECIPIENTS)
		options->recipients_max = RECIPIENTS;
	if (options->connections_max <= 0)
		options->connections_max = CONNECTIONS;
	if (options->idle_ms <= 0)
		options->idle_ms = idle_default_ms;
}

struct lmtp_server *lmtp_server_new(struct loop *loop, const struct lmtp_options *options,
				    lmtp_takes_fn *takes, lmtp_mail_fn *on_mail, void *context,
				    struct error *err)
{
	struct lmtp_server *server = memory_new(sizeof(*server));
	int fd = listener_open(options->address, false, err);

	if (fd < 0) {
		free(server);
		return NULL;
	}
	server->loop = loop;
	server->options = *options;
	options_fill(&server->options);
	server->hostname = memory_text(options->hostname);
	server->takes = takes;
	server->on_mail = on_mail;
	server->context = context;
	TAILQ_INIT(&server->peers);
	server->port = listener_port(fd);
	if (text_starts(options->address, "unix:"))
		server->socket_path = memory_text(options->address + strlen("unix:"));
	server->listener = evconnlistener_new(loop_base(loop), on_accept, server,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	return server;
}

/* Now, as far as the socket takes it: there is no later turn. */
static void output_write(struct lmtp_peer *peer)
{
	struct evbuffer *output = bufferevent_get_output(peer->socket);

	bufferevent_write(peer->socket, peer->out.data, peer->out.len);
	evbuffer_unfreeze(output, 1);
	if (evbuffer_write(output, bufferevent_getfd(peer->socket)) < 0)
		log_debug("lmtp", "event=goodbye_not_said");
}

void lmtp_server_free(struct lmtp_server **server)
{
	struct lmtp_server *held = *server;
	struct lmtp_peer *peer;

	*server = NULL;
	if (held == NULL)
		return;
	evconnlistener_free(held->listener);
	while ((peer = TAILQ_FIRST(&held->peers)) != NULL) {
		say(peer, "421 4.3.2 going down");
		output_write(peer);
		peer_close(peer);
	}
	if (held->socket_path != NULL)
		unlink(held->socket_path);
	free(held->socket_path);
	free(held->hostname);
	free(held);
}

int lmtp_server_port(const struct lmtp_server *server)
{
	return server->port;
}
