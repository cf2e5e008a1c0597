/* See http.h. */
#include "http.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "wire.h"

enum { CALL_TIMEOUT_S = 30, CALL_RUN_MAX = 4 * 1024 * 1024 };

enum call_part {
	PART_STATUS,
	PART_FIELDS,
	PART_CHUNK_SIZE,
	PART_CHUNK,
	PART_CHUNK_END,
	PART_BODY,
	PART_DONE
};

struct http_call {
	struct wire *wire;
	struct http_call_fns fns;
	void *context;
	enum call_part part;
	int status;
	size_t length;
	bool is_chunked;
	bool is_cancelled;
	struct buf body;
};

static void finish(struct wire *wire, struct http_call *call)
{
	call->part = PART_DONE;
	wire_close(wire);
}

static void begin_body(struct wire *wire, struct http_call *call)
{
	if (call->status >= 100 && call->status < 200) {
		call->part = PART_STATUS;
	} else if (call->is_chunked) {
		call->part = PART_CHUNK_SIZE;
	} else if (call->length > 0 && call->length <= CALL_RUN_MAX) {
		call->part = PART_BODY;
		wire_expect(wire, call->length);
	} else {
		finish(wire, call);
	}
}

static void take_field(struct wire *wire, struct http_call *call, const char *line)
{
	if (line[0] == '\0')
		begin_body(wire, call);
	else if (strncasecmp(line, "content-length:", strlen("content-length:")) == 0)
		call->length = strtoul(line + strlen("content-length:"), NULL, 10);
	else if (strcasecmp(line, "transfer-encoding: chunked") == 0)
		call->is_chunked = true;
}

static void take_chunk_size(struct wire *wire, struct http_call *call, const char *line)
{
	size_t size = strtoul(line, NULL, 16);
	if (size == 0 || size > CALL_RUN_MAX) {
		finish(wire, call);
		return;
	}
	call->part = PART_CHUNK;
	wire_expect(wire, size);
}

static void on_line(struct wire *wire, char *line, void *context)
{
	struct http_call *call = context;
	switch (call->part) {
	case PART_STATUS:
		call->status = strlen(line) > 12 ? (int)strtol(line + 9, NULL, 10) : 0;
		call->part = PART_FIELDS;
		break;
	case PART_FIELDS:
		take_field(wire, call, line);
		break;
	case PART_CHUNK_SIZE:
		take_chunk_size(wire, call, line);
		break;
	case PART_CHUNK_END:
		call->part = PART_CHUNK_SIZE;
		break;
	default:
		break;
	}
}

static void on_bytes(struct wire *wire, const char *bytes, size_t len, void *context)
{
	struct http_call *call = context;
	if (call->fns.on_data != NULL && call->status == 200 && !call->is_cancelled)
		call->fns.on_data(bytes, len, call->context);
	else if (call->body.len + len <= CALL_RUN_MAX)
		buf_add(&call->body, bytes, len);
	if (call->part == PART_BODY)
		finish(wire, call);
	else
		call->part = PART_CHUNK_END;
}

static void on_end(void *context)
{
	struct http_call *call = context;
	/* Cut off in the middle of an ordinary answer is no answer. */
	int status = call->part == PART_DONE || call->fns.on_data != NULL ? call->status : 0;
	if (!call->is_cancelled)
		call->fns.on_done(status, buf_string(&call->body), call->body.len, call->context);
	buf_clear(&call->body);
	free(call);
}

static const struct wire_fns call_fns = { on_line, on_bytes, on_end };

struct http_call *http_call_start(struct event_base *base, const char *address, const char *head,
				  const char *body, size_t body_len,
				  const struct http_call_fns *fns, void *context)
{
	struct http_call *call = memory_new(sizeof(*call));
	struct buf out = { 0 };
	call->fns = *fns;
	call->context = context;
	call->wire = wire_connect(base, address, fns->on_data != NULL ? 0 : CALL_TIMEOUT_S,
				  &call_fns, call);
	buf_format(&out, "%sHost: %s\r\nConnection: close\r\n", head, address);
	if (body != NULL)
		buf_format(&out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			   body_len);
	buf_text(&out, "\r\n");
	if (body != NULL)
		buf_add(&out, body, body_len);
	wire_send(call->wire, out.data, out.len);
	buf_clear(&out);
	return call;
}

void http_call_cancel(struct http_call **call)
{
	if (*call == NULL)
		return;
	(*call)->is_cancelled = true;
	wire_close((*call)->wire);
	*call = NULL;
}
