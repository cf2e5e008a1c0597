#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "services/http_server_internal.h"

/* The big members are left as they are: head and chunks are set by their
 * parsers, buffers keep their memory. */
static void request_reset(struct http_request *request)
{
	request->next_spare = NULL;
	request->reply = NULL;
	request->chunks = (struct http_chunks){ 0 };
	buf_reset(&request->body);
	buf_reset(&request->extra);
	request->body_left = 0;
	request->body_limit = 0;
	request->path = NULL;
	request->on_gone = NULL;
	request->gone_context = NULL;
	request->echo[0] = '\0';
	request->source[0] = '\0';
	request->secure = false;
	request->is_head = false;
	request->answered = false;
	request->has_cache_control = false;
	request->has_frame_options = false;
}

struct http_request *http_request_take(struct http_server *server)
{
	struct http_request *request = server->spare_requests;

	if (request != NULL) {
		server->spare_requests = request->next_spare;
		server->spare_request_count--;
	} else {
		request = memory_new(sizeof(*request));
		request->server = server;
	}
	request_reset(request);
	server->live_requests++;
	return request;
}

static void request_free(struct http_request *request)
{
	arena_free(&request->arena);
	buf_clear(&request->body);
	buf_clear(&request->extra);
	free(request->head_bytes);
	free(request);
}

static void request_recycle(void *object)
{
	struct http_request *request = object;
	struct http_server *server = request->server;

	arena_free(&request->arena);
	if (request->body.room > HTTP_SPARE_BODY_BYTES)
		buf_clear(&request->body);
	if (server->is_freed || server->spare_request_count >= HTTP_SPARES) {
		request_free(request);
	} else {
		request->next_spare = server->spare_requests;
		server->spare_requests = request;
		server->spare_request_count++;
	}
	http_server_forget_request(server);
}

void http_request_release(struct http_request *request)
{
	loop_defer_free(request->server->loop, request, request_recycle);
}

void http_requests_free(struct http_server *server)
{
	while (server->spare_requests != NULL) {
		struct http_request *next = server->spare_requests->next_spare;

		request_free(server->spare_requests);
		server->spare_requests = next;
	}
}

static void echo_id(struct http_request *request)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const struct http_field *field = http_head_find(&request->head, "x-request-id");

	if (field == NULL || field->value_len == 0 || field->value_len >= sizeof(request->echo))
		return;
	memcpy(request->echo, field->value, field->value_len);
	request->echo[field->value_len] = '\0';
	if (strspn(request->echo, token) != field->value_len)
		request->echo[0] = '\0';
}

static const char *moved(const char *at, const char *from, size_t len, const char *to)
{
	uintptr_t offset = (uintptr_t)at - (uintptr_t)from;

	return at == NULL || offset >= len ? at : to + offset;
}

/* The head was parsed where it was received; it lives on in a copy, whose
 * separators become the NULs that end method, target and values. */
void http_request_fill(struct http_request *request, const char *bytes, size_t len)
{
	struct http_head *head = &request->head;
	char *copy;

	if (request->head_room < len) {
		request->head_room = len < 1024 ? 1024 : len * 2;
		free(request->head_bytes);
		request->head_bytes = memory_grow(NULL, request->head_room, 1);
	}
	copy = request->head_bytes;
	memcpy(copy, bytes, len);
	for (size_t i = 0; i < head->field_count; i++) {
		struct http_field *field = &head->fields[i];

		field->name = moved(field->name, bytes, len, copy);
		field->value = moved(field->value, bytes, len, copy);
		copy[(size_t)(field->value - copy) + field->value_len] = '\0';
	}
	head->method = moved(head->method, bytes, len, copy);
	head->target = moved(head->target, bytes, len, copy);
	head->path = moved(head->path, bytes, len, copy);
	head->query = moved(head->query, bytes, len, copy);
	copy[(size_t)(head->method - copy) + head->method_len] = '\0';
	copy[(size_t)(head->target - copy) + head->target_len] = '\0';
	request->path = head->query == NULL ? head->path
					    : arena_copy(http_request_arena(request), head->path,
							 head->path_len);
	request->is_head = head->method_len == 4 && memcmp(head->method, "HEAD", 4) == 0;
	echo_id(request);
}

struct arena *http_request_arena(struct http_request *request)
{
	if (request->arena == NULL)
		request->arena = arena_new(0);
	return request->arena;
}

const char *http_request_id(const struct http_request *request)
{
	return request->id;
}

const struct http_head *http_request_head(const struct http_request *request)
{
	return &request->head;
}

const char *http_request_method(const struct http_request *request)
{
	return request->head.method;
}

const char *http_request_path(const struct http_request *request)
{
	return request->path;
}

const char *http_request_target(const struct http_request *request)
{
	return request->head.target;
}

const char *http_request_body(const struct http_request *request, size_t *ret_len)
{
	*ret_len = request->body.len;
	return buf_string(&request->body);
}

const char *http_request_field(struct http_request *request, const char *name)
{
	const struct http_field *field = http_head_find(&request->head, name);

	return field == NULL ? NULL : field->value;
}

/* One name or value of a query; NULL when it is badly escaped. */
static char *decode(struct arena *arena, const char *text, size_t len)
{
	char *out = arena_alloc(arena, len + 1);
	long decoded = text_unpercent(text, len, true, out, len + 1);

	if (decoded < 0)
		return NULL;
	out[decoded] = '\0';
	return out;
}

const char *http_query_value(struct arena *arena, const char *query, size_t len, const char *name)
{
	const char *at = query;
	const char *end = at == NULL ? NULL : at + len;

	while (at != NULL && at < end) {
		const char *stop = memchr(at, '&', (size_t)(end - at));
		const char *equals;
		const char *found;

		stop = stop == NULL ? end : stop;
		equals = memchr(at, '=', (size_t)(stop - at));
		found = decode(arena, at, (size_t)((equals == NULL ? stop : equals) - at));
		if (found != NULL && strcmp(found, name) == 0)
			return equals == NULL
				       ? ""
				       : decode(arena, equals + 1, (size_t)(stop - equals) - 1);
		at = stop + 1;
	}
	return NULL;
}

const char *http_request_query(struct http_request *request, const char *name)
{
	return http_query_value(http_request_arena(request), request->head.query,
				request->head.query_len, name);
}

const char *http_request_source(const struct http_request *request)
{
	return request->source;
}

bool http_request_is_secure(const struct http_request *request)
{
	return request->secure;
}

void http_request_on_gone(struct http_request *request, void (*fn)(void *), void *context)
{
	request->on_gone = fn;
	request->gone_context = context;
	/* A client that has closed already will not tell us again. */
	if (fn != NULL && request->reply != NULL && request->reply->connection->eof)
		http_connection_doom(request->reply->connection);
}

void http_request_add_field(struct http_request *request, const char *name, const char *value)
{
	if (name[0] == '\0' || strpbrk(name, "\r\n: \t") != NULL || strpbrk(value, "\r\n") != NULL)
		return;
	if (strcasecmp(name, "cache-control") == 0)
		request->has_cache_control = true;
	if (strcasecmp(name, "x-frame-options") == 0)
		request->has_frame_options = true;
	buf_text(&request->extra, name);
	buf_add(&request->extra, ": ", 2);
	buf_text(&request->extra, value);
	buf_add(&request->extra, "\r\n", 2);
}
