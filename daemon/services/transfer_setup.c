#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "services/transfer_curl.h"
#include "services/transfer_private.h"

enum {
	TIMEOUT_MS = 20000,
	CONNECT_MS = 10000,
	HEADERS_MAX = 256 * 1024,
	IDLE_MAX_S = 20, /* a server's keep-alive timeout is rarely shorter */
	SESSION_IDLE_MAX_S = 25 * 60,
};

/* ---- curl's callbacks on one transfer ---- */

static curl_socket_t socket_open(struct engine *engine, const struct curl_sockaddr *address)
{
	curl_socket_t fd =
		socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	if (fd >= 0 && engine->has_one && engine->socket_count < ENGINE_SOCKETS)
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

/* Below 1024 other services listen, and some take a request for theirs. */
static bool is_odd_port(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	int port;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		port = ntohs(v4.sin_port);
	} else {
		memcpy(&v6, address, sizeof(v6));
		port = ntohs(v6.sin6_port);
	}
	return port < 1024 && port != 80 && port != 443;
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
	if (!transfer->allow_private && transfer->is_web && is_odd_port(&address->addr)) {
		transfer->was_odd_port = true;
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
		engine_hang_up(transfer->engine);
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
	/* No "Expect: 100-continue". Where curl signs, it would sign this line too and not send it.
	 */
	transfer->fields = options->s3_region ? NULL : curl_slist_append(NULL, "Expect:");
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

static bool is_harmless(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static int set_http(struct transfer *transfer, const struct transfer_options *options)
{
	const char *method = options->method ? options->method : "GET";

	if (method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
		return error_set(&transfer->error, ERROR_MISUSE, "not an HTTP method");
	curl_easy_setopt(transfer->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(transfer->easy, CURLOPT_NOBODY, 1L);
	} else if (transfer->body_len > 0 || strcmp(method, "POST") == 0 ||
		   strcmp(method, "PUT") == 0) {
		curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)transfer->body_len);
	}
	/* Without a body there is no on_seek() that could refuse a repetition. */
	if (transfer->body_len == 0 && (options->has_effect || !is_harmless(method)))
		curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
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

static int set_signature(struct transfer *transfer, const char *region)
{
	char how[80];

	if (region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] ||
	    strlen(region) > sizeof(how) - sizeof("aws:amz::s3"))
		return error_set(&transfer->error, ERROR_MISUSE, "not a region");
	snprintf(how, sizeof(how), "aws:amz:%s:s3", region);
	curl_easy_setopt(transfer->easy, CURLOPT_AWS_SIGV4, how);
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
	if (options->s3_region && set_signature(transfer, options->s3_region) < 0)
		return -1;
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

int transfer_set_up(struct transfer *transfer, const struct transfer_options *options)
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
	transfer->is_web = scheme->is_http;
	if (scheme->is_http)
		status = set_http(transfer, options);
	else if (scheme->is_smtp)
		status = set_smtp(transfer, options);
	else
		status = set_imap(transfer, options);
	return status < 0 ? -1 : set_login(transfer, options);
}
