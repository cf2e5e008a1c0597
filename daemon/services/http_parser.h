/* The strict HTTP/1.1 request parser: pure (bytes in, facts out), fuzzed, and
 * unaware of sockets. It refuses what RFC 9112 lets a server refuse: bare LF,
 * obs-fold, space before the colon, NUL and controls, two Content-Length, CL
 * with TE, any TE but "chunked", missing or doubled Host, signs and 0x in
 * numbers, absolute-form with another authority, methods in lower case. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct http_field {
	const char *name; /* as sent; compare without case */
	size_t name_len;
	const char *value; /* trimmed of optional white space */
	size_t value_len;
};

/* Views into the bytes handed to http_parse_head(): valid while those are. */
struct http_head {
	const char *method;
	size_t method_len;
	const char *target; /* the request target exactly as received */
	size_t target_len;
	const char *path; /* target up to '?', still percent-encoded */
	size_t path_len;
	const char *query; /* after '?', NULL where there is none */
	size_t query_len;
	int minor; /* HTTP/1.minor: 0 or 1 */
	struct http_field fields[LIMIT_HTTP_FIELDS];
	size_t field_count;
	int64_t content_length; /* -1: none */
	bool chunked;
	bool keep_alive;
	bool expect_continue;
};

enum http_parse { HTTP_PARSE_MORE, HTTP_PARSE_DONE, HTTP_PARSE_BAD };

struct http_refusal {
	int status;         /* 400, 405, 413, 414, 417, 431, 501, 505 */
	const char *reason; /* static, one phrase */
};

/* Parses one request head from the start of bytes. DONE sets *ret_used to the
 * head's length including the blank line. BAD sets *ret_refusal; the
 * connection must then be closed after the answer. */
enum http_parse http_parse_head(const char *bytes, size_t len, struct http_head *ret_head,
				size_t *ret_used, struct http_refusal *ret_refusal);

/* Chunked bodies. Feed bytes; each call consumes *ret_used bytes and may hand
 * out one run of body bytes (ret_data inside bytes, ret_len). Trailers are
 * bounded by the header limits and thrown away. */
struct http_chunks {
	int state;
	uint64_t left;
	size_t line_bytes; /* of the chunk header or the trailers so far */
	size_t extra;
};
enum http_parse http_parse_chunk(struct http_chunks *chunks, const char *bytes, size_t len,
				 size_t *ret_used, const char **ret_data, size_t *ret_len,
				 struct http_refusal *ret_refusal);

/* First field of that name; NULL if absent. */
const struct http_field *http_head_find(const struct http_head *head, const char *name);
