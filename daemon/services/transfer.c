/* libcurl's multi interface on the loop. Its socket and timer callbacks touch
 * only libevent; curl_multi_socket_action() is called only from the loop's
 * callbacks; a handle is removed and cleaned up outside of both. */
#include "services/transfer.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "services/loop.h"
#include "services/transfer_private.h"

enum {
	TIMEOUT_MS = 20000,
	CONNECT_MS = 10000,
	ANSWER_MAX = 1024 * 1024,
	HEADERS_MAX = 256 * 1024,
	IDLE_CONNECTIONS = 64,
	IDLE_MAX_S = 20, /* a server's keep-alive timeout is rarely shorter */
	SESSION_IDLE_MAX_S = 25 * 60,
	SESSION_SOCKETS = 8, /* more than happy eyeballs opens for one connection */
};

/* One connection pool: the shared one, or the single connection of a session. */
struct engine {
	struct transfers *owner;
	CURLM *multi;
	struct loop_timer *timer;
	struct transfer *first;
	struct engine *next_mail, **mail_link; /* an engine of one mail, freed with it */
	bool has_one;                          /* connection: its sockets are known */
	curl_socket_t sockets[SESSION_SOCKETS];
	size_t socket_count;
};

struct transfers {
	struct loop *loop;
	struct engine shared;
	struct engine *mails;
};

struct transfer_session {
	struct engine engine;
};

struct watch {
	struct engine *engine;
	struct event *event;
	curl_socket_t fd;
};

struct transfer {
	struct engine *engine;
	struct transfer *next;
	struct transfer **link;
	CURL *easy;
	struct curl_slist *fields;
	struct curl_slist *mail_to;
	char *body;
	size_t body_len;
	size_t handed; /* bytes of the body given to curl */
	struct buf headers;
	struct buf answer;
	size_t answer_max;
	char error_text[CURL_ERROR_SIZE];
	char refusal[256]; /* what the server said; curl forgets it while closing */
	struct error error;
	enum transfer_progress progress;
	bool is_mailbox;   /* imap: curl repeats every line as a header */
	bool is_command;   /* imap: the lines of a custom command come as body */
	bool is_mail;      /* smtp */
	bool is_unstarted; /* end_unstarted() is on its way and frees it */
	bool allow_private;
	bool was_private; /* refused at connect */
	bool was_too_big;
	transfer_done_fn *done; /* NULL once cancelled or called */
	void *context;
};

/* ---- curl's callbacks on one transfer ---- */

static curl_socket_t socket_open(struct engine *engine, const struct curl_sockaddr *address)
{
	curl_socket_t fd =
		socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	if (fd >= 0 && engine->has_one && engine->socket_count < SESSION_SOCKETS)
		engine->sockets[engine->socket_count++] = fd;
	return fd;
}

static int on_close_socket(void *context, curl_socket_t fd)
{
	struct engine *engine = context;

	for (size_t i = 0; i < engine->socket_count; i++)
		if (engine->sockets[i] == fd)
			engine->sockets[i--] = engine->sockets[--engine->socket_count];
	return close(fd);
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
				    struct curl_sockaddr *address)
{
	struct transfer *transfer = context;

	(void)purpose;
	if (address->family != AF_INET && address->family != AF_INET6)
		return CURL_SOCKET_BAD;
	if (!transfer->allow_private && transfer_sockaddr_is_private(&address->addr)) {
		transfer->was_private = true;
		return CURL_SOCKET_BAD;
	}
	return socket_open(transfer->engine, address);
}

/* Again before the request leaves: a pooled connection was opened for somebody else. */
static int on_connected(void *context, char *peer, char *local, int peer_port, int local_port)
{
	struct transfer *transfer = context;

	(void)local;
	(void)peer_port;
	(void)local_port;
	if (!transfer->allow_private && transfer_is_private_address(peer)) {
		transfer->was_private = true;
		return CURL_PREREQFUNC_ABORT;
	}
	if (transfer->progress < TRANSFER_CONNECTED)
		transfer->progress = transfer->body_len ? TRANSFER_CONNECTED : TRANSFER_SENT;
	return CURL_PREREQFUNC_OK;
}

static size_t on_read(char *out, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t room = size * count;
	size_t left = transfer->body_len - transfer->handed;
	size_t len = left < room ? left : room;

	memcpy(out, transfer->body + transfer->handed, len);
	transfer->handed += len;
	if (transfer->handed == transfer->body_len && transfer->progress < TRANSFER_SENT)
		transfer->progress = TRANSFER_SENT;
	return len;
}

/* curl repeats a request by itself when a kept connection turns out dead. Once
 * the whole body was given away nobody can know whether it arrived. */
static int on_seek(void *context, curl_off_t offset, int origin)
{
	struct transfer *transfer = context;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > transfer->body_len)
		return CURL_SEEKFUNC_FAIL;
	if (transfer->progress >= TRANSFER_SENT)
		return CURL_SEEKFUNC_FAIL;
	transfer->handed = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* curl says QUIT or LOGOUT when it closes a mail connection, and then blocks
 * for the answer. Without its socket nothing is said. */
static void hang_up(struct engine *engine)
{
	for (size_t i = 0; i < engine->socket_count; i++)
		shutdown(engine->sockets[i], SHUT_RDWR);
}

/* A reply after the login that makes curl give up and close the connection. */
static bool is_refusal(const struct transfer *transfer, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	size_t rest = space ? len - (size_t)(space + 1 - line) : 0;

	if (transfer->progress < TRANSFER_CONNECTED)
		return false;
	if (transfer->is_mail)
		return len >= 4 && (line[0] == '4' || line[0] == '5');
	return transfer->is_mailbox && rest >= 3 && line[0] != '*' && line[0] != '+' &&
	       (memcmp(space + 1, "NO ", 3) == 0 || memcmp(space + 1, "BAD", 3) == 0);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count;

	if (is_refusal(transfer, bytes, len)) {
		snprintf(transfer->refusal, sizeof(transfer->refusal), "the server said: %.*s",
			 (int)(len > 2 ? len - 2 : len), bytes);
		hang_up(transfer->engine);
	}
	if (transfer->is_mailbox)
		return len;
	if (transfer->headers.len + len > HEADERS_MAX) {
		transfer->was_too_big = true;
		return 0;
	}
	if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
		transfer->progress = TRANSFER_ANSWERED;
		buf_reset(&transfer->headers); /* of the hop before */
	}
	buf_add(&transfer->headers, bytes, len);
	return len;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count;

	if (transfer->answer.len + len > transfer->answer_max) {
		transfer->was_too_big = true;
		return 0;
	}
	transfer->progress = TRANSFER_ANSWERED;
	buf_add(&transfer->answer, bytes, len);
	return len;
}

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

static void engine_destroy(void *object)
{
	struct engine *engine = object;

	hang_up(engine);
	curl_multi_cleanup(engine->multi);
	loop_timer_free(&engine->timer);
	free(engine);
}

static void mail_engine_release(struct engine *engine)
{
	if (!engine->mail_link)
		return;
	*engine->mail_link = engine->next_mail;
	if (engine->next_mail)
		engine->next_mail->mail_link = engine->mail_link;
	engine->mail_link = NULL;
	loop_defer_free(engine->owner->loop, engine, engine_destroy);
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
	mail_engine_release(transfer->engine);
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
	else if (transfer->was_too_big)
		error_set(&transfer->error, ERROR_PERMANENT, "the answer is over %zu bytes",
			  transfer->answer_max);
	else if (result == CURLE_LOGIN_DENIED)
		error_set(&transfer->error, ERROR_PERMANENT, "the login was refused");
	else if (result != CURLE_OK)
		error_set(&transfer->error, ERROR_TEMPORARY, "%s", text);
}

static void transfer_end(struct transfer *transfer, CURLcode result)
{
	struct transfer_answer answer;
	transfer_done_fn *done = transfer->done;

	if (transfer->is_mail)
		hang_up(transfer->engine);
	explain(transfer, result);
	fill_answer(transfer, result, &answer);
	transfer_release(transfer);
	if (done)
		done(&answer, transfer->context);
}

static void engine_check(struct engine *engine)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(engine->multi, &left))) {
		struct transfer *transfer = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer_end(transfer, result);
	}
}

/* ---- curl on the loop ---- */

static void on_ready(evutil_socket_t fd, short what, void *context)
{
	struct watch *watch = context;
	int mask =
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(watch->engine->multi, fd, mask, &running);
	engine_check(watch->engine);
}

static void on_timer(void *context)
{
	struct engine *engine = context;
	int running;

	curl_multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	engine_check(engine);
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *context)
{
	struct engine *engine = context;

	(void)multi;
	if (timeout_ms < 0)
		loop_timer_stop(engine->timer);
	else
		loop_timer_start(engine->timer, timeout_ms);
	return 0;
}

static void watch_destroy(void *object)
{
	struct watch *watch = object;

	if (watch->event)
		event_free(watch->event);
	free(watch);
}

static void watch_set(struct watch *watch, int what)
{
	short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
			       (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);
	struct event_base *base = loop_base(watch->engine->owner->loop);

	if (watch->event) {
		event_del(watch->event);
		event_assign(watch->event, base, watch->fd, events, on_ready, watch);
	} else {
		watch->event = event_new(base, watch->fd, events, on_ready, watch);
	}
	event_add(watch->event, NULL);
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *context, void *socket)
{
	struct engine *engine = context;
	struct watch *watch = socket;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			event_del(watch->event);
			curl_multi_assign(engine->multi, fd, NULL);
			loop_defer_free(engine->owner->loop, watch, watch_destroy);
		}
		return 0;
	}
	if (!watch) {
		watch = memory_new(sizeof(*watch));
		watch->engine = engine;
		watch->fd = fd;
		curl_multi_assign(engine->multi, fd, watch);
	}
	watch_set(watch, what);
	return 0;
}

static void engine_init(struct engine *engine, struct transfers *owner, long connections)
{
	engine->owner = owner;
	engine->timer = loop_timer_new(owner->loop, on_timer, engine);
	engine->multi = curl_multi_init();
	if (!engine->multi)
		abort();
	curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
	curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
	curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
	curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, connections);
}

static struct engine *mail_engine_new(struct transfers *transfers)
{
	struct engine *engine = memory_new(sizeof(*engine));

	engine->has_one = true;
	engine_init(engine, transfers, 1);
	engine->next_mail = transfers->mails;
	engine->mail_link = &transfers->mails;
	if (engine->next_mail)
		engine->next_mail->mail_link = &engine->next_mail;
	transfers->mails = engine;
	return engine;
}

static void engine_stop(struct engine *engine)
{
	while (engine->first) {
		error_set(&engine->first->error, ERROR_TEMPORARY, "the transfer was stopped");
		transfer_end(engine->first, CURLE_OK);
	}
}

static void engine_clear(struct engine *engine)
{
	engine_stop(engine);
	hang_up(engine);
	curl_multi_cleanup(engine->multi);
	loop_timer_free(&engine->timer);
}

/* ---- setting one up ---- */

struct scheme {
	const char *name;
	bool is_http;
	bool is_imap;
	bool is_smtp;
	bool needs_permission; /* plain http: only where private addresses are allowed */
};

static const struct scheme schemes[] = {
	{ .name = "https", .is_http = true },
	{ .name = "http", .is_http = true, .needs_permission = true },
	{ .name = "imaps", .is_imap = true },
	{ .name = "imap", .is_imap = true },
	{ .name = "smtps", .is_smtp = true },
	{ .name = "smtp", .is_smtp = true },
};

static const struct scheme *scheme_find(const char *url, struct error *err)
{
	const struct scheme *found = NULL;
	CURLU *parsed = curl_url();
	char *name = NULL;

	if (!transfer_is_line(url) || strchr(url, ' ') ||
	    curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_SCHEME, &name, 0) != CURLUE_OK)
		error_set(err, ERROR_MISUSE, "the address is not a usable URL");
	for (size_t i = 0; name && i < COUNT_OF(schemes); i++)
		if (strcmp(schemes[i].name, name) == 0)
			found = &schemes[i];
	if (name && !found)
		error_set(err, ERROR_MISUSE, "the scheme %.20s is not allowed", name);
	curl_free(name);
	curl_url_cleanup(parsed);
	return found;
}

static int set_fields(struct transfer *transfer, const struct transfer_options *options)
{
	/* No "Expect: 100-continue" and no body type that nobody asked for. */
	transfer->fields = curl_slist_append(NULL, "Expect:");
	for (size_t i = 0; i < options->field_count; i++) {
		const struct transfer_field *field = &options->fields[i];
		struct buf line = { 0 };

		if (!transfer_is_line(field->name) || strpbrk(field->name, ": ") ||
		    !transfer_is_line(field->value))
			return error_set(&transfer->error, ERROR_MISUSE,
					 "a header field holds a control character");
		buf_format(&line, "%s%s%s", field->name, field->value[0] ? ": " : ";",
			   field->value);
		transfer->fields = curl_slist_append(transfer->fields, line.data);
		buf_clear(&line);
	}
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->fields);
	return 0;
}

static int set_http(struct transfer *transfer, const struct transfer_options *options)
{
	const char *method = options->method ? options->method : "GET";

	if (method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
		return error_set(&transfer->error, ERROR_MISUSE, "not an HTTP method");
	curl_easy_setopt(transfer->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(transfer->easy, CURLOPT_NOBODY, 1L);
	} else if (transfer->body_len > 0 || strcmp(method, "POST") == 0) {
		curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)transfer->body_len);
	}
	curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, method);
	return set_fields(transfer, options);
}

static int set_smtp(struct transfer *transfer, const struct transfer_options *options)
{
	if (!options->mail_from || !transfer_is_line(options->mail_from))
		return error_set(&transfer->error, ERROR_MISUSE, "not a mail address");
	for (size_t i = 0; i < options->mail_to_count; i++) {
		if (!transfer_is_line(options->mail_to[i]))
			return error_set(&transfer->error, ERROR_MISUSE, "not a mail address");
		transfer->mail_to = curl_slist_append(transfer->mail_to, options->mail_to[i]);
	}
	curl_easy_setopt(transfer->easy, CURLOPT_MAIL_FROM, options->mail_from);
	curl_easy_setopt(transfer->easy, CURLOPT_MAIL_RCPT, transfer->mail_to);
	curl_easy_setopt(transfer->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(transfer->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->body_len);
	return 0;
}

static int set_imap(struct transfer *transfer, const struct transfer_options *options)
{
	if (!options->method)
		return 0;
	if (!transfer_is_line(options->method))
		return error_set(&transfer->error, ERROR_MISUSE, "not one IMAP command");
	curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, options->method);
	transfer->is_command = true;
	return 0;
}

static int set_login(struct transfer *transfer, const struct transfer_options *options)
{
	CURL *easy = transfer->easy;

	if ((options->user && !transfer_is_line(options->user)) ||
	    (options->password && !transfer_is_line(options->password)) ||
	    (options->oauth_bearer && !transfer_is_line(options->oauth_bearer)))
		return error_set(&transfer->error, ERROR_MISUSE,
				 "user or password holds a control character");
	if (options->user)
		curl_easy_setopt(easy, CURLOPT_USERNAME, options->user);
	if (options->password)
		curl_easy_setopt(easy, CURLOPT_PASSWORD, options->password);
	if (options->oauth_bearer) {
		curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, options->oauth_bearer);
		curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2");
	}
	return 0;
}

static void set_tls(struct transfer *transfer, const struct transfer_options *options)
{
	CURL *easy = transfer->easy;
	long level = options->require_tls ? CURLUSESSL_ALL
		     : options->no_tls    ? CURLUSESSL_NONE
					  : CURLUSESSL_TRY;

	curl_easy_setopt(easy, CURLOPT_USE_SSL, level);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (options->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
}

static void set_common(struct transfer *transfer, const struct transfer_options *options)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_URL, options->url);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, options->redirects > 0 ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)options->redirects);
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR,
			 options->allow_private && !options->require_tls ? "http,https" : "https");
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
			 (long)(transfer->engine->has_one ? SESSION_IDLE_MAX_S : IDLE_MAX_S));
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error_text);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			 (long)(options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS));
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(options->connect_ms > 0 ? options->connect_ms : CONNECT_MS));
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->engine);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

static int set_up(struct transfer *transfer, const struct transfer_options *options)
{
	const struct scheme *scheme = scheme_find(options->url, &transfer->error);
	int status;

	if (!scheme)
		return -1;
	if (scheme->needs_permission && (options->require_tls || !options->allow_private))
		return error_set(&transfer->error, ERROR_MISUSE, "plain http is not allowed here");
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		abort();
	set_common(transfer, options);
	curl_easy_setopt(transfer->easy, CURLOPT_PROTOCOLS_STR, scheme->name);
	set_tls(transfer, options);
	transfer->is_mailbox = scheme->is_imap;
	transfer->is_mail = scheme->is_smtp;
	if (scheme->is_http)
		status = set_http(transfer, options);
	else if (scheme->is_smtp)
		status = set_smtp(transfer, options);
	else
		status = set_imap(transfer, options);
	return status < 0 ? -1 : set_login(transfer, options);
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

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
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
					? mail_engine_new(transfers)
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
	if (set_up(transfer, options) < 0 ||
	    curl_multi_add_handle(engine->multi, transfer->easy) != CURLM_OK) {
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
