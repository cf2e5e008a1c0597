#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "services/http_server_internal.h"

struct status {
	int number;
	const char *title;
	const char *code; /* of problems; NULL: derived from the number */
};

static const struct status statuses[] = {
	{ 200, "OK", NULL },
	{ 201, "Created", NULL },
	{ 202, "Accepted", NULL },
	{ 204, "No Content", NULL },
	{ 206, "Partial Content", NULL },
	{ 301, "Moved Permanently", NULL },
	{ 302, "Found", NULL },
	{ 303, "See Other", NULL },
	{ 304, "Not Modified", NULL },
	{ 307, "Temporary Redirect", NULL },
	{ 308, "Permanent Redirect", NULL },
	{ 400, "Bad Request", "bad_request" },
	{ 401, "Unauthorized", "unauthorized" },
	{ 403, "Forbidden", "forbidden" },
	{ 404, "Not Found", "not_found" },
	{ 405, "Method Not Allowed", "method_not_allowed" },
	{ 406, "Not Acceptable", "not_acceptable" },
	{ 408, "Request Timeout", "request_timeout" },
	{ 409, "Conflict", "conflict" },
	{ 410, "Gone", "gone" },
	{ 411, "Length Required", "length_required" },
	{ 412, "Precondition Failed", "precondition_failed" },
	{ 413, "Content Too Large", "body_too_large" },
	{ 414, "URI Too Long", "target_too_long" },
	{ 415, "Unsupported Media Type", "unsupported_media_type" },
	{ 417, "Expectation Failed", "expectation_failed" },
	{ 421, "Misdirected Request", "misdirected_request" },
	{ 422, "Unprocessable Content", "unprocessable" },
	{ 428, "Precondition Required", "precondition_required" },
	{ 429, "Too Many Requests", "too_many_requests" },
	{ 431, "Request Header Fields Too Large", "header_too_large" },
	{ 500, "Internal Server Error", "internal_error" },
	{ 501, "Not Implemented", "not_implemented" },
	{ 502, "Bad Gateway", "bad_gateway" },
	{ 503, "Service Unavailable", "unavailable" },
	{ 504, "Gateway Timeout", "gateway_timeout" },
	{ 505, "HTTP Version Not Supported", "version_not_supported" },
	{ 507, "Insufficient Storage", "insufficient_storage" },
};

static const struct status *status_find(int number)
{
	static const struct status unknown = { 0, "Unknown", "error" };

	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		if (statuses[i].number == number)
			return &statuses[i];
	return &unknown;
}

const char *http_answer_title(int status)
{
	return status_find(status)->title;
}

/* --- replies --- */

struct http_stream *http_reply_new(struct connection *connection, struct http_request *request)
{
	struct http_server *server = connection->server;
	struct http_stream *reply = server->spare_replies;

	if (reply != NULL) {
		server->spare_replies = reply->next;
		server->spare_reply_count--;
		*reply = (struct http_stream){ 0 };
	} else {
		reply = memory_new(sizeof(*reply));
	}
	reply->connection = connection;
	reply->request = request;
	request->reply = reply;
	if (connection->last == NULL)
		connection->first = reply;
	else
		connection->last->next = reply;
	connection->last = reply;
	connection->reply_count++;
	return reply;
}

void http_reply_free(struct http_server *server, struct http_stream *reply)
{
	http_chain_clear(server, &reply->out);
	if (server->spare_reply_count >= HTTP_SPARES) {
		free(reply);
		return;
	}
	reply->next = server->spare_replies;
	server->spare_replies = reply;
	server->spare_reply_count++;
}

void http_replies_free(struct http_server *server)
{
	while (server->spare_replies != NULL) {
		struct http_stream *next = server->spare_replies->next;

		free(server->spare_replies);
		server->spare_replies = next;
	}
}

static struct chain *reply_chain(struct http_stream *reply)
{
	struct connection *connection = reply->connection;

	return connection->first == reply ? &connection->out : &reply->out;
}

/* The first reply is complete: the next one's waiting bytes may follow. */
static void advance(struct connection *connection)
{
	struct http_server *server = connection->server;

	while (connection->first != NULL && connection->first->done && !connection->closing) {
		struct http_stream *reply = connection->first;

		if (reply->close) {
			connection->closing = true;
			connection->stopped = true;
		}
		connection->first = reply->next;
		if (connection->first == NULL)
			connection->last = NULL;
		else if (!connection->closing)
			http_chain_splice(&connection->out, &connection->first->out);
		connection->reply_count--;
		http_reply_free(server, reply);
	}
}

static void reply_finish(struct http_stream *reply)
{
	struct connection *connection = reply->connection;

	reply->done = true;
	if (reply->streaming)
		connection->server->stats.streams--;
	advance(connection);
	http_connection_touch(connection);
}

void http_reply_continue(struct http_stream *reply)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	http_chain_add(reply->connection->server, reply_chain(reply), text, sizeof(text) - 1);
	http_connection_touch(reply->connection);
}

/* --- heads --- */

static const char *date_field(struct http_server *server)
{
	int64_t now_s = loop_unix_ms(server->loop) / 1000;
	time_t now = (time_t)now_s;
	struct tm parts;

	if (now_s != server->date_s && gmtime_r(&now, &parts) != NULL) {
		strftime(server->date, sizeof(server->date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
			 &parts);
		server->date_s = now_s;
	}
	return server->date;
}

static char *put(char *at, const char *text, size_t len)
{
	memcpy(at, text, len);
	return at + len;
}

static char *put_text(char *at, const char *text)
{
	return put(at, text, strlen(text));
}

#define PUT(at, text) put(at, text, sizeof(text) - 1)

static char *put_number(char *at, uint64_t number)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

static char *put_ids(char *at, const struct http_request *request)
{
	at = PUT(at, "X-Request-Id: ");
	if (request->echo[0] != '\0') {
		at = put_text(at, request->echo);
		at = PUT(at, "\r\nConverge-Request-Id: ");
	}
	at = put_text(at, request->id);
	return PUT(at, "\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
}

static bool must_close(const struct http_request *request)
{
	const struct http_stream *reply = request->reply;

	return reply->close || !request->head.keep_alive ||
	       (request->server->is_draining && reply->next == NULL);
}

/* length < 0: a stream. */
static void put_head(struct http_request *request, int status, const char *content_type,
		     int64_t length)
{
	struct http_stream *reply = request->reply;
	struct chain *chain = reply_chain(reply);
	size_t type_len = content_type == NULL ? 0 : strlen(content_type);
	char *start =
		http_chain_reserve(request->server, chain, 640 + type_len + request->extra.len);
	char *at = PUT(start, "HTTP/1.1 ");

	reply->close = must_close(request);
	at = put_number(at, (uint64_t)status);
	*at++ = ' ';
	at = put_text(at, http_answer_title(status));
	at = PUT(at, "\r\n");
	at = put_text(at, date_field(request->server));
	if (type_len > 0) {
		at = PUT(at, "Content-Type: ");
		at = put(at, content_type, type_len);
		at = PUT(at, "\r\n");
	}
	if (length >= 0 && status != 204 && status != 304) {
		at = PUT(at, "Content-Length: ");
		at = put_number(at, (uint64_t)length);
		at = PUT(at, "\r\n");
	}
	if (reply->chunked)
		at = PUT(at, "Transfer-Encoding: chunked\r\n");
	if (reply->close)
		at = PUT(at, "Connection: close\r\n");
	else if (request->head.minor == 0)
		at = PUT(at, "Connection: keep-alive\r\n");
	if (!request->has_cache_control)
		at = PUT(at, "Cache-Control: no-store\r\n");
	if (!request->has_frame_options)
		at = PUT(at, "X-Frame-Options: DENY\r\n");
	at = put_ids(at, request);
	at = put(at, buf_string(&request->extra), request->extra.len);
	at = PUT(at, "\r\n");
	http_chain_commit(chain, (size_t)(at - start));
}

/* False: nobody is left to answer. Either way the request is spent. */
static bool claim_answer(struct http_request *request)
{
	if (request->answered)
		return false;
	request->answered = true;
	request->on_gone = NULL;
	if (request->reply != NULL)
		return true;
	http_request_release(request);
	return false;
}

static struct http_stream *detach(struct http_request *request)
{
	struct http_stream *reply = request->reply;

	reply->request = NULL;
	request->reply = NULL;
	http_request_release(request);
	return reply;
}

static bool has_body(const struct http_request *request, int status)
{
	return !request->is_head && status != 204 && status != 304;
}

void http_answer(struct http_request *request, int status, const char *content_type,
		 const void *body, size_t len)
{
	if (!claim_answer(request))
		return;
	put_head(request, status, content_type, (int64_t)len);
	if (has_body(request, status))
		http_chain_add(request->server, reply_chain(request->reply), body, len);
	reply_finish(detach(request));
}

void http_answer_static(struct http_request *request, int status, const char *content_type,
			const void *body, size_t len)
{
	if (len < HTTP_PIECE_BYTES / 2) {
		http_answer(request, status, content_type, body, len);
		return;
	}
	if (!claim_answer(request))
		return;
	put_head(request, status, content_type, (int64_t)len);
	if (has_body(request, status))
		http_chain_add_static(reply_chain(request->reply), body, len);
	reply_finish(detach(request));
}

void http_answer_empty(struct http_request *request, int status)
{
	http_answer(request, status, NULL, NULL, 0);
}

void http_answer_problem(struct http_request *request, int status, const char *detail, bool close)
{
	const struct status *known = status_find(status);
	char body[512];
	int len =
		snprintf(body, sizeof(body),
			 "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
			 "\"code\":\"%s\",\"detail\":\"%s\"}",
			 known->title, status, known->code == NULL ? "error" : known->code, detail);

	request->server->stats.refused++;
	if (request->reply != NULL)
		request->reply->close = close;
	if (status == 405)
		http_request_add_field(request, "Allow",
				       "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	http_answer(request, status, "application/problem+json", body, (size_t)len);
}

/* --- streams --- */

/* What a stream gets whose client left before it began: tells on_gone later. */
static void on_stillborn(void *object)
{
	struct http_stream *reply = object;

	if (reply->on_gone != NULL)
		reply->on_gone(reply->context);
	free(reply);
}

struct http_stream *http_stream_start(struct http_request *request, const char *content_type,
				      void (*on_gone)(void *context), void *context)
{
	struct http_server *server = request->server;
	struct http_stream *reply;

	if (!claim_answer(request)) {
		reply = memory_new(sizeof(*reply));
		reply->on_gone = on_gone;
		reply->context = context;
		loop_soon(server->loop, on_stillborn, reply);
		return reply;
	}
	reply = request->reply;
	reply->streaming = true;
	reply->mute = request->is_head;
	reply->chunked = request->head.minor == 1 && !reply->mute;
	reply->events = strncmp(content_type, "text/event-stream", 17) == 0;
	reply->on_gone = on_gone;
	reply->context = context;
	if (request->head.minor == 0)
		request->head.keep_alive = false;
	put_head(request, 200, content_type, -1);
	detach(request);
	server->stats.streams++;
	http_connection_touch(reply->connection);
	return reply;
}

bool http_stream_write(struct http_stream *stream, const void *bytes, size_t len)
{
	struct connection *connection = stream->connection;
	struct http_server *server;
	struct chain *chain;
	char size[24];

	if (connection == NULL || connection->doomed || stream->done)
		return false;
	if (len == 0 || stream->mute)
		return true;
	server = connection->server;
	chain = reply_chain(stream);
	if (chain->len + len > server->options.stream_buffer_max) {
		http_connection_doom(connection);
		return false;
	}
	if (stream->chunked)
		http_chain_add(server, chain, size,
			       (size_t)snprintf(size, sizeof(size), "%zx\r\n", len));
	http_chain_add(server, chain, bytes, len);
	if (stream->chunked)
		http_chain_add(server, chain, "\r\n", 2);
	http_connection_touch(connection);
	return true;
}

size_t http_stream_unsent(const struct http_stream *stream)
{
	const struct connection *connection = stream->connection;

	if (connection == NULL)
		return 0;
	return connection->out.len + stream->out.len;
}

void http_stream_end(struct http_stream **stream)
{
	struct http_stream *reply = *stream;

	*stream = NULL;
	if (reply == NULL)
		return;
	reply->on_gone = NULL;
	if (reply->connection == NULL || reply->done)
		return;
	if (reply->chunked)
		http_chain_add(reply->connection->server, reply_chain(reply), "0\r\n\r\n", 5);
	reply_finish(reply);
}

/* The owner still holds the stream: it stays until the turn's end, dead. */
void http_reply_goaway(struct http_stream *reply)
{
	static const char text[] = "event: goaway\ndata: {}\n\n";
	struct connection *connection = reply->connection;

	http_stream_write(reply, text, sizeof(text) - 1);
	if (reply->chunked)
		http_chain_add(connection->server, &connection->out, "0\r\n\r\n", 5);
	connection->first = reply->next;
	if (connection->first == NULL)
		connection->last = NULL;
	connection->reply_count--;
	connection->closing = true;
	connection->stopped = true;
	http_reply_abandon(connection->server, reply);
}

void http_reply_abandon(struct http_server *server, struct http_stream *reply)
{
	struct http_request *request = reply->request;

	reply->connection = NULL;
	http_chain_clear(server, &reply->out);
	if (reply->streaming && !reply->done) {
		server->stats.streams--;
		if (reply->on_gone != NULL)
			reply->on_gone(reply->context);
	}
	if (request != NULL) {
		request->reply = NULL;
		if (request->on_gone != NULL)
			request->on_gone(request->gone_context);
	}
	loop_defer_free(server->loop, reply, free);
}
