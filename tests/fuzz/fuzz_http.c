/* One connection's bytes as the server would take them: heads and chunked
 * bodies in turn, each handed over whole and again byte by byte. Both ways
 * must tell the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/http_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int truth)
{
	if (!truth)
		abort();
}

static int inside(const char *at, size_t len, const char *bytes, size_t size)
{
	return len == 0 || (at >= bytes && at + len <= bytes + size);
}

static void check_head(const struct http_head *head, const char *bytes, size_t used)
{
	demand(head->field_count <= LIMIT_HTTP_FIELDS);
	demand(used <= LIMIT_HTTP_HEADER_BYTES && used >= 16);
	demand(memcmp(bytes + used - 4, "\r\n\r\n", 4) == 0);
	demand(inside(head->method, head->method_len, bytes, used));
	demand(inside(head->target, head->target_len, bytes, used));
	demand(head->path_len > 0 && inside(head->query, head->query_len, bytes, used));
	demand(!(head->chunked && head->content_length >= 0));
	for (size_t i = 0; i < head->field_count; i++) {
		const struct http_field *field = &head->fields[i];

		demand(field->name_len > 0 && inside(field->name, field->name_len, bytes, used));
		demand(inside(field->value, field->value_len, bytes, used));
		demand(memchr(field->value, '\n', field->value_len) == NULL);
		demand(memchr(field->value, '\0', field->value_len) == NULL);
	}
}

static size_t take_head(const char *bytes, size_t size, int *ret_chunked)
{
	struct http_head head;
	struct http_head again;
	struct http_refusal refusal = { 0 };
	size_t used = 0;
	size_t used_again = 0;
	enum http_parse result = http_parse_head(bytes, size, &head, &used, &refusal);

	if (result == HTTP_PARSE_BAD)
		demand(refusal.status >= 400 && refusal.status < 600 && refusal.reason != NULL);
	if (result != HTTP_PARSE_DONE)
		return 0;
	check_head(&head, bytes, used);
	demand(http_parse_head(bytes, used - 1, &again, &used_again, &refusal) == HTTP_PARSE_MORE);
	demand(http_parse_head(bytes, used, &again, &used_again, &refusal) == HTTP_PARSE_DONE);
	demand(used == used_again && head.field_count == again.field_count);
	*ret_chunked = head.chunked;
	return used;
}

/* The body's length and hash must not depend on how the bytes were cut. */
static enum http_parse take_chunks(const char *bytes, size_t size, size_t step, size_t *ret_used,
				   uint64_t *ret_hash)
{
	struct http_chunks chunks = { 0 };
	enum http_parse result = HTTP_PARSE_MORE;
	size_t at = 0;

	*ret_hash = 14695981039346656037u;
	while (at < size && result == HTTP_PARSE_MORE) {
		size_t piece = size - at < step ? size - at : step;
		struct http_refusal refusal = { 0 };
		const char *run = NULL;
		size_t run_len = 0;
		size_t used = 0;

		result = http_parse_chunk(&chunks, bytes + at, piece, &used, &run, &run_len,
					  &refusal);
		if (result == HTTP_PARSE_BAD)
			break;
		demand(used > 0 && used <= piece && inside(run, run_len, bytes + at, used));
		for (size_t i = 0; i < run_len; i++)
			*ret_hash = (*ret_hash ^ (unsigned char)run[i]) * 1099511628211u;
		at += used;
	}
	*ret_used = at;
	return result;
}

static size_t take_body(const char *bytes, size_t size)
{
	uint64_t hash;
	uint64_t hash_again;
	size_t used;
	size_t used_again;
	enum http_parse result = take_chunks(bytes, size, size + 1, &used, &hash);
	enum http_parse again = take_chunks(bytes, size, 1, &used_again, &hash_again);

	demand(result == again);
	if (result == HTTP_PARSE_BAD)
		return 0;
	demand(used == used_again && hash == hash_again);
	return result == HTTP_PARSE_DONE ? used : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	size_t at = 0;

	while (at < size) {
		int chunked = 0;
		size_t used = take_head(bytes + at, size - at, &chunked);

		at += used;
		if (used == 0)
			break;
		if (chunked) {
			used = take_body(bytes + at, size - at);
			at += used;
			if (used == 0)
				break;
		}
	}
	return 0;
}
