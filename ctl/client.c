/* See client.h. */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

enum {
	ANSWER_HEAD_MAX = 64 * 1024,
	ANSWER_BODY_MAX = 64 * 1024 * 1024,
	LINE_MAX_BYTES = 8 * 1024,
	READ_BYTES = 16 * 1024,
};

struct connection {
	int fd;
	int64_t timeout_ms;
	struct buf in; /* bytes read and not yet used start at `used` */
	size_t used;
	bool is_over; /* the peer closed */
};

static int send_all(int fd, const char *bytes, size_t len, struct error *err)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return error_set(err, ERROR_TEMPORARY, "sending to the daemon: %s",
					 strerror(errno));
		bytes += sent;
		len -= (size_t)sent;
	}
	return 0;
}

/* Reads more bytes: 1, 0 at the end, -1 with err. */
static int read_more(struct connection *c, struct error *err)
{
	if (c->used > 0) {
		memmove(c->in.data, c->in.data + c->used, c->in.len - c->used);
		c->in.len -= c->used;
		c->used = 0;
	}
	struct pollfd ready = { .fd = c->fd, .events = POLLIN };
	int count = poll(&ready, 1, c->timeout_ms > 0 ? (int)c->timeout_ms : -1);
	if (count == 0)
		return error_set(err, ERROR_TEMPORARY, "the daemon did not answer within %lld s",
				 (long long)(c->timeout_ms / 1000));
	buf_reserve(&c->in, READ_BYTES);
	ssize_t got = read(c->fd, c->in.data + c->in.len, READ_BYTES);
	if (got < 0)
		return errno == EINTR ? 1
				      : error_set(err, ERROR_TEMPORARY, "reading the answer: %s",
						  strerror(errno));
	c->in.len += (size_t)got;
	c->in.data[c->in.len] = '\0';
	c->is_over = got == 0;
	return got > 0;
}

/* Length of the line that is buffered, without its end; LINE_MAX_BYTES: too long, -1: incomplete.
 */
static int buffered_line(const struct connection *c)
{
	size_t have = c->in.len - c->used;
	const char *start = buf_string(&c->in) + c->used;
	const char *end = have > 0 ? memchr(start, '\n', have) : NULL;
	if (end == NULL)
		return have < LINE_MAX_BYTES ? -1 : LINE_MAX_BYTES;
	return end - start < LINE_MAX_BYTES ? (int)(end - start) : LINE_MAX_BYTES;
}

/* One line without its end, copied to out: its length, or -1 with err. */
static int read_line(struct connection *c, char out[LINE_MAX_BYTES], struct error *err)
{
	int len;
	while ((len = buffered_line(c)) < 0) {
		int more = read_more(c, err);
		if (more == 0)
			return error_set(err, ERROR_TEMPORARY, "the daemon closed the connection");
		if (more < 0)
			return -1;
	}
	if (len == LINE_MAX_BYTES)
		return error_set(err, ERROR_PERMANENT, "a line of the answer is too long");
	memcpy(out, buf_string(&c->in) + c->used, (size_t)len);
	c->used += (size_t)len + 1;
	if (len > 0 && out[len - 1] == '\r')
		len--;
	out[len] = '\0';
	return len;
}

struct body_frame {
	int status;
	int64_t length; /* -1: not said */
	bool is_chunked;
};

static void note_field(char *line, struct body_frame *frame)
{
	char *colon = strchr(line, ':');
	if (colon == NULL)
		return;
	*colon = '\0';
	const char *value = colon + 1 + strspn(colon + 1, " \t");
	if (strcasecmp(line, "content-length") == 0)
		frame->length = strtoll(value, NULL, 10);
	else if (strcasecmp(line, "transfer-encoding") == 0)
		frame->is_chunked = strcasecmp(value, "chunked") == 0;
}

static int read_head(struct connection *c, struct body_frame *frame, struct error *err)
{
	char line[LINE_MAX_BYTES];
	size_t total = 0;
	do {
		*frame = (struct body_frame){ .length = -1 };
		if (read_line(c, line, err) < 0)
			return -1;
		if (strncmp(line, "HTTP/1.", 7) != 0 || strlen(line) < 12)
			return error_set(err, ERROR_PERMANENT, "the answer is not HTTP/1.1");
		frame->status = (int)strtol(line + 9, NULL, 10);
		int len;
		while ((len = read_line(c, line, err)) > 0) {
			total += (size_t)len;
			if (total > ANSWER_HEAD_MAX)
				return error_set(err, ERROR_PERMANENT,
						 "the answer's head is too long");
			note_field(line, frame);
		}
		if (len < 0)
			return -1;
	} while (frame->status >= 100 && frame->status < 200);
	return 0;
}

struct sink {
	client_data_fn *on_data;
	void *context;
	struct buf *body;
	bool is_stopped;
};

static int pour(struct sink *sink, const char *bytes, size_t len, struct error *err)
{
	if (sink->on_data != NULL) {
		sink->is_stopped = sink->on_data(bytes, len, sink->context) != 0;
		return 0;
	}
	if (sink->body->len + len > ANSWER_BODY_MAX)
		return error_set(err, ERROR_PERMANENT, "the answer is too long");
	buf_add(sink->body, bytes, len);
	return 0;
}

/* What is buffered of the bytes still wanted (left < 0: all); their number or -1 with err. */
static int64_t pour_buffered(struct connection *c, int64_t left, struct sink *sink,
			     struct error *err)
{
	size_t have = c->in.len - c->used;
	if (left > 0 && have > (size_t)left)
		have = (size_t)left;
	if (have > 0 && pour(sink, c->in.data + c->used, have, err) < 0)
		return -1;
	c->used += have;
	return (int64_t)have;
}

/* left bytes, or (left < 0) all until the peer closes. */
static int read_run(struct connection *c, int64_t left, struct sink *sink, struct error *err)
{
	while (left != 0 && !sink->is_stopped) {
		int64_t have = pour_buffered(c, left, sink, err);
		if (have < 0)
			return -1;
		left -= left > 0 ? have : 0;
		int more = have > 0 ? 1 : read_more(c, err);
		if (more < 0)
			return -1;
		if (more == 0 && left > 0)
			return error_set(err, ERROR_TEMPORARY,
					 "the daemon closed the connection in mid-answer");
		if (more == 0)
			return 0;
	}
	return 0;
}

static int read_chunks(struct connection *c, struct sink *sink, struct error *err)
{
	char line[LINE_MAX_BYTES];
	while (!sink->is_stopped) {
		if (read_line(c, line, err) < 0)
			return -1;
		char *end = NULL;
		long long size = strtoll(line, &end, 16);
		if (end == line || size < 0)
			return error_set(err, ERROR_PERMANENT, "a chunk of the answer has no size");
		if (size == 0)
			return 0;
		if (read_run(c, size, sink, err) < 0)
			return -1;
		if (!sink->is_stopped && read_line(c, line, err) != 0)
			return error_set(err, ERROR_PERMANENT, "a chunk of the answer is torn");
	}
	return 0;
}

static void write_head(const struct client_request *request, struct buf *out)
{
	buf_format(out, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
		   request->method, request->target);
	buf_format(out, "X-Converge-Workspace: %s\r\n", request->workspace);
	if (request->may_make_workspace)
		buf_text(out, "X-Converge-New-Workspace: yes\r\n");
	buf_text(out, "Accept: application/json, text/event-stream\r\n");
	if (request->idempotency_key != NULL)
		buf_format(out, "Idempotency-Key: %s\r\n", request->idempotency_key);
	if (request->last_event_id != NULL)
		buf_format(out, "Last-Event-ID: %s\r\n", request->last_event_id);
	if (request->body != NULL)
		buf_format(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			   request->body_len);
	buf_text(out, "\r\n");
	if (request->body != NULL)
		buf_add(out, request->body, request->body_len);
}

static int exchange(struct connection *c, const struct client_request *request, struct sink *sink,
		    int *ret_status, struct error *err)
{
	struct buf out = { 0 };
	write_head(request, &out);
	int result = send_all(c->fd, out.data, out.len, err);
	buf_clear(&out);
	struct body_frame frame;
	if (result < 0 || read_head(c, &frame, err) < 0)
		return -1;
	*ret_status = frame.status;
	if (frame.status < 200 || frame.status > 299)
		sink->on_data = NULL;
	if (frame.status == 204 || frame.status == 304)
		return 0;
	return frame.is_chunked ? read_chunks(c, sink, err) : read_run(c, frame.length, sink, err);
}

int client_run(const struct client_request *request, client_data_fn *on_data, void *context,
	       struct client_answer *ret_answer, struct error *err)
{
	struct connection c = { .fd = peer_connect(request->socket_path, err),
				.timeout_ms = request->timeout_ms };
	if (c.fd < 0)
		return error_wrap(err, "the daemon does not answer at");
	struct sink sink = { .on_data = on_data, .context = context, .body = &ret_answer->body };
	int result = exchange(&c, request, &sink, &ret_answer->status, err);
	buf_clear(&c.in);
	close(c.fd);
	return result;
}
