#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "services/http_parser.h"

#define H "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n"
#define POST "POST /in HTTP/1.1\r\n"

struct bad {
	const char *name;
	int status;
	const char *bytes;
	size_t len; /* 0: to the NUL */
};

#define BYTES(text) text, sizeof(text) - 1

static const struct bad bad_heads[] = {
	{ "bare LF after request line", 400, "GET / HTTP/1.1\nHost: a\r\n\r\n", 0 },
	{ "bare LF after field", 400, GET "Host: a\n\r\n", 0 },
	{ "bare LF as blank line", 400, GET H "\n", 0 },
	{ "bare CR in request line", 400, "GET /\r HTTP/1.1\r\n" H "\r\n", 0 },
	{ "bare CR in value", 400, GET H "X: a\rb\r\n\r\n", 0 },
	{ "CR CR LF", 400, GET "Host: a\r\r\n\r\n", 0 },
	{ "obs-fold with space", 400, GET H "X: a\r\n b\r\n\r\n", 0 },
	{ "obs-fold with tab", 400, GET H "X: a\r\n\tb\r\n\r\n", 0 },
	{ "space before the first field", 400, GET " Host: a\r\n\r\n", 0 },
	{ "space before colon", 400, GET "Host : a\r\n\r\n", 0 },
	{ "tab before colon", 400, GET "Host\t: a\r\n\r\n", 0 },
	{ "space before colon in Transfer-Encoding", 400,
	  POST H "Transfer-Encoding : chunked\r\n\r\n", 0 },
	{ "space inside name", 400, GET H "X Y: a\r\n\r\n", 0 },
	{ "empty name", 400, GET H ": a\r\n\r\n", 0 },
	{ "no colon", 400, GET H "Nothing\r\n\r\n", 0 },
	{ "control in name", 400, GET H "X\x01: a\r\n\r\n", 0 },
	{ "high byte in name", 400, GET H "X\xc3\xa9: a\r\n\r\n", 0 },
	{ "bracket in name", 400, GET H "X[1]: a\r\n\r\n", 0 },
	{ "NUL in value", 400, BYTES(GET H "X: a\0b\r\n\r\n") },
	{ "NUL in name", 400, BYTES(GET H "X\0: a\r\n\r\n") },
	{ "NUL in target", 400, BYTES("GET /\0 HTTP/1.1\r\n" H "\r\n") },
	{ "control in value", 400, GET H "X: a\x07\r\n\r\n", 0 },
	{ "DEL in value", 400, GET H "X: a\x7f\r\n\r\n", 0 },
	{ "control deep in a long value", 400, GET H "X: 0123456789abcdef012345\x1f 9\r\n\r\n", 0 },
	{ "DEL deep in a long value", 400, GET H "X: 0123456789abcdef0123\x7f 5678\r\n\r\n", 0 },
	{ "vertical tab before chunked", 400,
	  POST H "Transfer-Encoding: \x0b"
		 "chunked\r\n\r\n",
	  0 },
	{ "Host missing", 400, GET "X: a\r\n\r\n", 0 },
	{ "no fields at all", 400, GET "\r\n", 0 },
	{ "Host doubled", 400, GET H "Host: b\r\n\r\n", 0 },
	{ "same Host twice", 400, GET H H "\r\n", 0 },
	{ "Host empty", 400, GET "Host:\r\n\r\n", 0 },
	{ "Host with path", 400, GET "Host: a/b\r\n\r\n", 0 },
	{ "Host with user", 400, GET "Host: u@a\r\n\r\n", 0 },
	{ "Host list", 400, GET "Host: a, b\r\n\r\n", 0 },
	{ "Host with space", 400, GET "Host: a b\r\n\r\n", 0 },
	{ "two lengths", 400, POST H "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 0 },
	{ "same length twice", 400, POST H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 0 },
	{ "length list", 400, POST H "Content-Length: 1, 1\r\n\r\n", 0 },
	{ "length +0", 400, POST H "Content-Length: +0\r\n\r\n", 0 },
	{ "length -1", 400, POST H "Content-Length: -1\r\n\r\n", 0 },
	{ "length 0x1", 400, POST H "Content-Length: 0x1\r\n\r\n", 0 },
	{ "length 1e3", 400, POST H "Content-Length: 1e3\r\n\r\n", 0 },
	{ "length 1.0", 400, POST H "Content-Length: 1.0\r\n\r\n", 0 },
	{ "length empty", 400, POST H "Content-Length: \r\n\r\n", 0 },
	{ "length with space", 400, POST H "Content-Length: 1 2\r\n\r\n", 0 },
	{ "length 007", 400, POST H "Content-Length: 007\r\n\r\n", 0 },
	{ "length beyond int64", 413, POST H "Content-Length: 99999999999999999999\r\n\r\n", 0 },
	{ "length and chunked", 400,
	  POST H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 0 },
	{ "chunked and length", 400,
	  POST H "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 0 },
	{ "chunked twice", 400,
	  POST H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0 },
	{ "coding empty", 400, POST H "Transfer-Encoding:\r\n\r\n", 0 },
	{ "coding gzip", 501, POST H "Transfer-Encoding: gzip\r\n\r\n", 0 },
	{ "coding gzip, chunked", 501, POST H "Transfer-Encoding: gzip, chunked\r\n\r\n", 0 },
	{ "coding chunked, chunked", 501, POST H "Transfer-Encoding: chunked, chunked\r\n\r\n", 0 },
	{ "coding identity", 501, POST H "Transfer-Encoding: identity\r\n\r\n", 0 },
	{ "coding xchunked", 501, POST H "Transfer-Encoding: xchunked\r\n\r\n", 0 },
	{ "coding with parameter", 501, POST H "Transfer-Encoding: chunked;q=1\r\n\r\n", 0 },
	{ "chunked in HTTP/1.0", 400, "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n",
	  0 },
	{ "other expectation", 417, POST H "Expect: 200-ok\r\n\r\n", 0 },
	{ "lower-case method", 400, "get / HTTP/1.1\r\n" H "\r\n", 0 },
	{ "mixed-case method", 400, "GeT / HTTP/1.1\r\n" H "\r\n", 0 },
	{ "unknown method", 501, "BREW / HTTP/1.1\r\n" H "\r\n", 0 },
	{ "CONNECT", 405, "CONNECT a:443 HTTP/1.1\r\n" H "\r\n", 0 },
	{ "TRACE", 405, "TRACE / HTTP/1.1\r\n" H "\r\n", 0 },
	{ "TLS hello", 400, "\x16\x03\x01\x02", 0 },
	{ "leading space", 400, " GET / HTTP/1.1\r\n" H "\r\n", 0 },
	{ "two empty lines first", 400, "\r\n\r\n" GET H "\r\n", 0 },
	{ "two spaces before target", 400, "GET  / HTTP/1.1\r\n" H "\r\n", 0 },
	{ "two spaces before version", 400, "GET /  HTTP/1.1\r\n" H "\r\n", 0 },
	{ "tab as separator", 400, "GET\t/\tHTTP/1.1\r\n" H "\r\n", 0 },
	{ "space after version", 400, "GET / HTTP/1.1 \r\n" H "\r\n", 0 },
	{ "no version", 400, "GET /\r\n" H "\r\n", 0 },
	{ "method only", 400, "GET\r\n" H "\r\n", 0 },
	{ "no target", 400, "GET HTTP/1.1\r\n" H "\r\n", 0 },
	{ "version in lower case", 400, "GET / http/1.1\r\n" H "\r\n", 0 },
	{ "version 1.10", 400, "GET / HTTP/1.10\r\n" H "\r\n", 0 },
	{ "version 1", 400, "GET / HTTP/1\r\n" H "\r\n", 0 },
	{ "version +1.1", 400, "GET / HTTP/+1.\r\n" H "\r\n", 0 },
	{ "version 1.2", 505, "GET / HTTP/1.2\r\n" H "\r\n", 0 },
	{ "version 2.0", 505, "PRI * HTTP/2.0\r\n\r\n", 0 },
	{ "version 0.9", 505, "GET / HTTP/0.9\r\n\r\n", 0 },
	{ "relative target", 400, "GET x HTTP/1.1\r\n" H "\r\n", 0 },
	{ "star for GET", 400, "GET * HTTP/1.1\r\n" H "\r\n", 0 },
	{ "fragment in target", 400, "GET /#x HTTP/1.1\r\n" H "\r\n", 0 },
	{ "high byte in target", 400, "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 0 },
	{ "backslash in target", 400, "GET /\\x HTTP/1.1\r\n" H "\r\n", 0 },
	{ "quote in target", 400, "GET /?\" HTTP/1.1\r\n" H "\r\n", 0 },
	{ "cut escape", 400, "GET /%4 HTTP/1.1\r\n" H "\r\n", 0 },
	{ "bad escape", 400, "GET /%zz HTTP/1.1\r\n" H "\r\n", 0 },
	{ "escaped NUL", 400, "GET /%00 HTTP/1.1\r\n" H "\r\n", 0 },
	{ "absolute-form of another host", 400, "GET http://b/ HTTP/1.1\r\n" H "\r\n", 0 },
	{ "absolute-form with user", 400, "GET http://u@a/ HTTP/1.0\r\n\r\n", 0 },
	{ "absolute-form without host", 400, "GET http:///x HTTP/1.0\r\n\r\n", 0 },
	{ "absolute-form of another scheme", 400, "GET ftp://a/ HTTP/1.1\r\n" H "\r\n", 0 },
};

/* The bytes in a block of their own, so that asan sees a read beyond them. */
static enum http_parse parse(const char *bytes, size_t len, struct http_head *head, size_t *used,
			     struct http_refusal *refusal, char **ret_copy)
{
	char *copy = malloc(len == 0 ? 1 : len);
	enum http_parse result;

	memcpy(copy, bytes, len);
	result = http_parse_head(copy, len, head, used, refusal);
	if (ret_copy != NULL)
		*ret_copy = copy;
	else
		free(copy);
	return result;
}

Test(http_parser, refuses_every_malformed_head)
{
	cr_assert_geq(COUNT_OF(bad_heads), 60);
	for (size_t i = 0; i < COUNT_OF(bad_heads); i++) {
		const struct bad *bad = &bad_heads[i];
		size_t len = bad->len == 0 ? strlen(bad->bytes) : bad->len;
		struct http_refusal refusal = { 0 };
		struct http_head head;
		size_t used;

		cr_expect_eq(parse(bad->bytes, len, &head, &used, &refusal, NULL), HTTP_PARSE_BAD,
			     "%s was let in", bad->name);
		cr_expect_eq(refusal.status, bad->status, "%s: %d instead of %d", bad->name,
			     refusal.status, bad->status);
		cr_expect(refusal.reason != NULL);
	}
}

struct good {
	const char *bytes;
	const char *path;
	const char *query;
	int64_t content_length;
	bool chunked;
	bool keep_alive;
	bool expect_continue;
	size_t fields;
};

static const struct good good_heads[] = {
	{ GET H "\r\n", "/", NULL, -1, false, true, false, 1 },
	{ "\r\n" GET H "\r\n", "/", NULL, -1, false, true, false, 1 },
	{ "HEAD /a/b HTTP/1.1\r\n" H "\r\n", "/a/b", NULL, -1, false, true, false, 1 },
	{ "PUT /x HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "/x", NULL, 0, false, true, false,
	  2 },
	{ "PATCH /x HTTP/1.1\r\n" H "content-LENGTH:12\r\n\r\n", "/x", NULL, 12, false, true, false,
	  2 },
	{ "DELETE /x HTTP/1.1\r\n" H "\r\n", "/x", NULL, -1, false, true, false, 1 },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", "*", NULL, -1, false, true, false, 1 },
	{ "OPTIONS /x HTTP/1.1\r\n" H "\r\n", "/x", NULL, -1, false, true, false, 1 },
	{ POST "host:a\r\n\r\n", "/in", NULL, -1, false, true, false, 1 },
	{ POST "HOST: \t a \t \r\n\r\n", "/in", NULL, -1, false, true, false, 1 },
	{ GET "Host: [::1]:8080\r\n\r\n", "/", NULL, -1, false, true, false, 1 },
	{ GET "Host: a-b.example.test:1\r\n\r\n", "/", NULL, -1, false, true, false, 1 },
	{ "GET /?a=1&b=%E5%95%86 HTTP/1.1\r\n" H "\r\n", "/", "a=1&b=%E5%95%86", -1, false, true,
	  false, 1 },
	{ "GET /x? HTTP/1.1\r\n" H "\r\n", "/x", "", -1, false, true, false, 1 },
	{ "GET /x?a?b HTTP/1.1\r\n" H "\r\n", "/x", "a?b", -1, false, true, false, 1 },
	{ "GET /x?a[]=1 HTTP/1.1\r\n" H "\r\n", "/x", "a[]=1", -1, false, true, false, 1 },
	{ "GET /~u/(a);v=1,2!*'@:$&+= HTTP/1.1\r\n" H "\r\n", "/~u/(a);v=1,2!*'@:$&+=", NULL, -1,
	  false, true, false, 1 },
	{ "GET http://a/x?y HTTP/1.1\r\n" H "\r\n", "/x", "y", -1, false, true, false, 1 },
	{ "GET HTTPS://A HTTP/1.1\r\n" H "\r\n", "/", NULL, -1, false, true, false, 1 },
	{ "GET http://a?q HTTP/1.1\r\n" H "\r\n", "/", "q", -1, false, true, false, 1 },
	{ POST H "Transfer-Encoding: Chunked\r\n\r\n", "/in", NULL, -1, true, true, false, 2 },
	{ POST H "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n", "/in", NULL, 5, false, true,
	  true, 3 },
	{ "POST / HTTP/1.0\r\n" H "Expect: 100-continue\r\n\r\n", "/", NULL, -1, false, false,
	  false, 2 },
	{ GET H "Connection: close\r\n\r\n", "/", NULL, -1, false, false, false, 2 },
	{ GET H "Connection: x, CLOSE\r\n\r\n", "/", NULL, -1, false, false, false, 2 },
	{ GET H "Connection: closed\r\n\r\n", "/", NULL, -1, false, true, false, 2 },
	{ "GET / HTTP/1.0\r\n\r\n", "/", NULL, -1, false, false, false, 0 },
	{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "/", NULL, -1, false, true, false,
	  1 },
	{ GET H "Connection: keep-alive, close\r\n\r\n", "/", NULL, -1, false, false, false, 2 },
	{ GET H "X-Empty:\r\nX-Space:   \r\nX: a\tb\r\n\r\n", "/", NULL, -1, false, true, false,
	  4 },
	{ GET H "X: \xe5\x95\x86 caf\xc3\xa9 and a long text\twith a tab\r\n\r\n", "/", NULL, -1,
	  false, true, false, 2 },
	{ GET H "!#$%&'*+-.^_`|~09Az: x\r\n\r\n", "/", NULL, -1, false, true, false, 2 },
	{ POST H "Content-Length: 999999999999999999\r\n\r\n", "/in", NULL, 999999999999999999,
	  false, true, false, 2 },
};

static void check_good(const struct good *good)
{
	size_t len = strlen(good->bytes);
	struct http_refusal refusal = { 0 };
	struct http_head head;
	size_t used = 0;
	char *copy;

	cr_expect_eq(parse(good->bytes, len, &head, &used, &refusal, &copy), HTTP_PARSE_DONE,
		     "%s: %s", good->bytes, refusal.reason == NULL ? "more" : refusal.reason);
	cr_expect_eq(used, len);
	cr_expect(head.path_len == strlen(good->path) &&
			  memcmp(head.path, good->path, head.path_len) == 0,
		  "%s", good->bytes);
	cr_expect_eq(head.query == NULL, good->query == NULL, "%s", good->bytes);
	if (good->query != NULL && head.query != NULL)
		cr_expect(head.query_len == strlen(good->query) &&
				  memcmp(head.query, good->query, head.query_len) == 0,
			  "%s", good->bytes);
	cr_expect_eq(head.content_length, good->content_length, "%s", good->bytes);
	cr_expect_eq(head.chunked, good->chunked, "%s", good->bytes);
	cr_expect_eq(head.keep_alive, good->keep_alive, "%s", good->bytes);
	cr_expect_eq(head.expect_continue, good->expect_continue, "%s", good->bytes);
	cr_expect_eq(head.field_count, good->fields, "%s", good->bytes);
	free(copy);
}

Test(http_parser, reads_every_well_formed_head)
{
	cr_assert_geq(COUNT_OF(good_heads), 30);
	for (size_t i = 0; i < COUNT_OF(good_heads); i++)
		check_good(&good_heads[i]);
}

Test(http_parser, asks_for_more_at_every_prefix_of_a_good_head)
{
	for (size_t i = 0; i < COUNT_OF(good_heads); i++) {
		size_t len = strlen(good_heads[i].bytes);

		for (size_t cut = 0; cut < len; cut++) {
			struct http_refusal refusal = { 0 };
			struct http_head head;
			size_t used;

			cr_expect_eq(parse(good_heads[i].bytes, cut, &head, &used, &refusal, NULL),
				     HTTP_PARSE_MORE, "%zu bytes of %s", cut, good_heads[i].bytes);
		}
	}
}

Test(http_parser, stops_at_the_end_of_the_first_of_two_heads)
{
	static const char first[] = GET "Host: a\r\nX: 1\r\n\r\n";
	static const char both[] = GET "Host: a\r\nX: 1\r\n\r\n" POST "Host: b\r\n\r\n";
	struct http_refusal refusal;
	struct http_head head;
	size_t used = 0;

	cr_assert_eq(http_parse_head(both, strlen(both), &head, &used, &refusal), HTTP_PARSE_DONE);
	cr_assert_eq(used, strlen(first));
	cr_assert_not_null(http_head_find(&head, "x"));
	cr_assert_null(http_head_find(&head, "y"));
	cr_assert_eq(http_head_find(&head, "host")->value_len, 1);
}

static int status_of(const char *bytes, size_t len)
{
	struct http_refusal refusal = { 0 };
	struct http_head head;
	size_t used;
	enum http_parse result = parse(bytes, len, &head, &used, &refusal, NULL);

	return result == HTTP_PARSE_MORE ? 0 : result == HTTP_PARSE_DONE ? 200 : refusal.status;
}

/* A head of exactly `size` bytes, its slack in a field or in the target. */
static int status_of_size(size_t size, bool in_target)
{
	const char *before = in_target ? "GET /" : GET H "X: ";
	const char *after = in_target ? " HTTP/1.1\r\n" H "\r\n" : "\r\n\r\n";
	char *bytes = memory_new(size + 1);
	int status;

	memset(bytes, 'x', size);
	memcpy(bytes, before, strlen(before));
	memcpy(bytes + size - strlen(after), after, strlen(after));
	status = status_of(bytes, size);
	free(bytes);
	return status;
}

Test(http_parser, bounds_the_head_at_sixteen_kib)
{
	cr_assert_eq(status_of_size(LIMIT_HTTP_HEADER_BYTES - 1, false), 200);
	cr_assert_eq(status_of_size(LIMIT_HTTP_HEADER_BYTES, false), 200);
	cr_assert_eq(status_of_size(LIMIT_HTTP_HEADER_BYTES + 1, false), 431);
	cr_assert_eq(status_of_size(LIMIT_HTTP_HEADER_BYTES, true), 200);
	cr_assert_eq(status_of_size(LIMIT_HTTP_HEADER_BYTES * 2, true), 414);
}

static int status_of_fields(int fields)
{
	char bytes[8192];
	size_t len = (size_t)snprintf(bytes, sizeof(bytes), "%s", GET H);

	for (int i = 1; i < fields; i++)
		len += (size_t)snprintf(bytes + len, sizeof(bytes) - len, "X-%d: 1\r\n", i);
	len += (size_t)snprintf(bytes + len, sizeof(bytes) - len, "\r\n");
	return status_of(bytes, len);
}

Test(http_parser, bounds_the_fields_at_sixty_four)
{
	cr_assert_eq(status_of_fields(LIMIT_HTTP_FIELDS - 1), 200);
	cr_assert_eq(status_of_fields(LIMIT_HTTP_FIELDS), 200);
	cr_assert_eq(status_of_fields(LIMIT_HTTP_FIELDS + 1), 431);
}

/* --- chunked bodies --- */

/* Feeds a body in steps of `step` bytes; the status, or 0 for MORE. */
static int feed(const char *bytes, size_t len, size_t step, char *out, size_t *ret_used)
{
	struct http_chunks chunks = { 0 };
	size_t at = 0;
	size_t out_len = 0;

	while (at < len) {
		size_t piece = len - at < step ? len - at : step;
		struct http_refusal refusal = { 0 };
		const char *data;
		size_t data_len;
		size_t used = 0;
		char *copy = malloc(piece);
		enum http_parse result;

		memcpy(copy, bytes + at, piece);
		result = http_parse_chunk(&chunks, copy, piece, &used, &data, &data_len, &refusal);
		if (result != HTTP_PARSE_BAD && data_len > 0)
			memcpy(out + out_len, data, data_len);
		free(copy);
		if (result == HTTP_PARSE_BAD)
			return refusal.status;
		out_len += data_len;
		at += used;
		out[out_len] = '\0';
		*ret_used = at;
		if (result == HTTP_PARSE_DONE)
			return 200;
		cr_assert_gt(used, 0);
	}
	return 0;
}

static const struct {
	const char *bytes;
	const char *body;
} good_chunks[] = {
	{ "0\r\n\r\n", "" },
	{ "5\r\nhello\r\n0\r\n\r\n", "hello" },
	{ "1\r\na\r\n2\r\nbc\r\n000\r\n\r\n", "abc" },
	{ "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789" },
	{ "3;x=y;z\r\nabc\r\n0;q=\"1\"\r\n\r\n", "abc" },
	{ "4\r\na\r\nb\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n", "a\r\nb" },
};

Test(http_parser, reads_chunked_bodies_cut_anywhere)
{
	for (size_t i = 0; i < COUNT_OF(good_chunks); i++) {
		char whole[256];
		size_t len = strlen(good_chunks[i].bytes);

		snprintf(whole, sizeof(whole), "%sGET", good_chunks[i].bytes);
		for (size_t step = 1; step <= len + 3; step++) {
			char out[256] = "";
			size_t used = 0;

			cr_expect_eq(feed(whole, len + 3, step, out, &used), 200, "%s",
				     good_chunks[i].bytes);
			cr_expect_str_eq(out, good_chunks[i].body);
			cr_expect_eq(used, len, "took of the next request");
		}
		for (size_t cut = 0; cut < len; cut++) {
			char out[256] = "";
			size_t used = 0;

			cr_expect_eq(feed(whole, cut, cut + 1, out, &used), 0);
		}
	}
}

static const char *const bad_chunks[] = {
	"\r\n",
	"x\r\n",
	"0x1\r\na\r\n0\r\n\r\n",
	"+1\r\na\r\n",
	"-1\r\na\r\n",
	" 1\r\na\r\n",
	"1 \r\na\r\n",
	"1\na\n0\n\n",
	"1\r\na\n0\r\n\r\n",
	"1\r\nab\r\n0\r\n\r\n",
	"2\r\na\r\n0\r\n\r\n",
	";x\r\n",
	"1;x\n",
	"1;x\ry\r\n",
	"1;\x01\r\n",
	"1\r\na0\r\n\r\n",
	"0\r\nX\r\n\r\n",
	"0\r\n X: 1\r\n\r\n",
	"0\r\n: 1\r\n\r\n",
	"0\r\nX : 1\r\n\r\n",
	"0\r\nX: 1\n\r\n",
	"0\r\nX: \x01\r\n\r\n",
	"0\r\n\n",
	"0\r\n\rx",
	"1\rxa\r\n",
	"ffffffffffffffff\r\n",
};

Test(http_parser, refuses_malformed_chunks)
{
	for (size_t i = 0; i < COUNT_OF(bad_chunks); i++) {
		char out[64];
		size_t used;
		size_t len = strlen(bad_chunks[i]);

		cr_expect_eq(feed(bad_chunks[i], len, len, out, &used), 400, "%s", bad_chunks[i]);
		cr_expect_eq(feed(bad_chunks[i], len, 1, out, &used), 400, "%s", bad_chunks[i]);
	}
}

static int status_of_overhead(const char *before, size_t size)
{
	char *bytes = memory_new(size + 64);
	size_t len = strlen(before);
	char out[64];
	size_t used;
	int status;

	memcpy(bytes, before, len);
	memset(bytes + len, 'x', size);
	status = feed(bytes, len + size, len + size, out, &used);
	free(bytes);
	return status;
}

Test(http_parser, bounds_extensions_and_trailers)
{
	cr_assert_eq(status_of_overhead("1;", LIMIT_HTTP_HEADER_BYTES), 0);
	cr_assert_eq(status_of_overhead("1;", LIMIT_HTTP_HEADER_BYTES + 1), 431);
	cr_assert_eq(status_of_overhead("0\r\nX:", LIMIT_HTTP_HEADER_BYTES - 2), 0);
	cr_assert_eq(status_of_overhead("0\r\nX:", LIMIT_HTTP_HEADER_BYTES - 1), 431);
}
