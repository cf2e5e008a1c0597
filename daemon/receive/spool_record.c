#include "receive/spool_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "services/http_server.h"

static bool is_credential(const struct http_field *field)
{
	static const char *const names[] = { "authorization", "cookie", "proxy-authorization" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strlen(names[i]) == field->name_len &&
		    strncasecmp(names[i], field->name, field->name_len) == 0)
			return true;
	return false;
}

/* How the bytes came is over; they lie here whole. */
static bool is_framing(const struct http_field *field)
{
	static const char *const names[] = { "content-length", "transfer-encoding", "expect",
					     "connection" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strlen(names[i]) == field->name_len &&
		    strncasecmp(names[i], field->name, field->name_len) == 0)
			return true;
	return false;
}

void spool_record_write(const struct inbound *in, const struct http_head *head, struct buf *ret)
{
	buf_format(ret, "%" PRId64 " %s\n", in->now_s, in->source == NULL ? "" : in->source);
	buf_format(ret, "%s %s HTTP/1.1\r\n", in->method, in->target);
	for (size_t i = 0; i < head->field_count; i++) {
		const struct http_field *field = &head->fields[i];

		if (!is_credential(field) && !is_framing(field))
			buf_format(ret, "%.*s: %.*s\r\n", (int)field->name_len, field->name,
				   (int)field->value_len, field->value);
	}
	buf_text(ret, "\r\n");
	buf_add(ret, in->body, in->body_len);
}

static const char *view_field(void *context, const char *name)
{
	const struct spool_request *request = context;
	const struct http_field *field = http_head_find(&request->head, name);

	return field == NULL ? NULL : arena_copy(request->arena, field->value, field->value_len);
}

static const char *view_query(void *context, const char *name)
{
	const struct spool_request *request = context;

	return http_query_value(request->arena, request->head.query, request->head.query_len, name);
}

bool spool_record_read(const void *bytes, size_t len, struct arena *arena, struct inbound *in,
		       struct spool_request *request)
{
	char *text = arena_copy(arena, bytes, len);
	char *head = memchr(text, '\n', len);
	struct http_refusal refusal;
	char *source;
	size_t used;

	if (head == NULL)
		return false;
	*head++ = '\0';
	in->now_s = strtoll(text, &source, 10);
	if (*source != ' ')
		return false;
	in->source = source[1] == '\0' ? NULL : source + 1;
	len -= (size_t)(head - text);
	if (http_parse_head(head, len, &request->head, &used, &refusal) != HTTP_PARSE_DONE)
		return false;
	in->method = arena_copy(arena, request->head.method, request->head.method_len);
	in->target = arena_copy(arena, request->head.target, request->head.target_len);
	in->body = head + used;
	in->body_len = len - used;
	request->arena = arena;
	request->view = (struct request_view){ view_field, view_query, request };
	in->request = &request->view;
	return true;
}
