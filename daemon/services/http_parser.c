#include "services/http_parser.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"

enum { TOKEN = 1, TARGET = 2, VALUE = 4, HOST = 8 };

/* clang-format off */
#define S 0			/* controls, DEL */
#define T (TOKEN | VALUE)	/* token, not in a target */
#define A (TOKEN | TARGET | VALUE | HOST)
#define U (TOKEN | TARGET | VALUE)
#define G (TARGET | VALUE)	/* delimiters of a target */
#define H (TARGET | VALUE | HOST)
#define V VALUE
static const unsigned char classes[256] = {
	S, S, S, S, S, S, S, S, S, V, S, S, S, S, S, S,
	S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
	V, U, V, T, U, A, U, U, G, G, U, U, G, A, A, G, /*   ! " # $ % & ' ( ) * + , - . / */
	A, A, A, A, A, A, A, A, A, A, H, G, V, G, V, G, /* 0-9 : ; < = > ? */
	G, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* @ A-O */
	A, A, A, A, A, A, A, A, A, A, A, H, V, H, T, A, /* P-Z [ \ ] ^ _ */
	T, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* ` a-o */
	A, A, A, A, A, A, A, A, A, A, A, V, T, V, A, S, /* p-z { | } ~ DEL */
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
};
#undef S
#undef T
#undef A
#undef U
#undef G
#undef H
#undef V
/* clang-format on */

struct method {
	const char *name;
	size_t len;
	bool served;
};

static const struct method methods[] = {
	{ "GET", 3, true },     { "POST", 4, true },     { "PUT", 3, true },
	{ "HEAD", 4, true },    { "PATCH", 5, true },    { "DELETE", 6, true },
	{ "OPTIONS", 7, true }, { "CONNECT", 7, false }, { "TRACE", 5, false },
};

/* What the fields of one head have said so far. */
struct seen {
	const struct http_field *host;
	const struct http_field *transfer_encoding;
	bool close;
	bool keep_alive;
};

static bool is_class(char byte, unsigned class)
{
	return (classes[(unsigned char)byte] & class) != 0;
}

static bool all_class(const char *bytes, size_t len, unsigned class)
{
	for (size_t i = 0; i < len; i++)
		if (!is_class(bytes[i], class))
			return false;
	return true;
}

/* Eight bytes at a time: any below 0x20, or DEL? Only then byte by byte, for
 * the tab that is allowed. */
static bool is_value(const char *bytes, size_t len)
{
	static const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		uint64_t word;
		uint64_t del;

		memcpy(&word, bytes + i, sizeof(word));
		del = word ^ (ones * 0x7f);
		if (((((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & (ones * 0x80)) !=
			    0 &&
		    !all_class(bytes + i, 8, VALUE))
			return false;
	}
	return all_class(bytes + i, len - i, VALUE);
}

static bool equals(const char *bytes, size_t len, const char *lower, size_t lower_len)
{
	return len == lower_len && strncasecmp(bytes, lower, len) == 0;
}

#define IS(bytes, len, text) equals(bytes, len, text, sizeof(text) - 1)

static enum http_parse refuse(struct http_refusal *ret_refusal, int status, const char *reason)
{
	*ret_refusal = (struct http_refusal){ status, reason };
	return HTTP_PARSE_BAD;
}

static int hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

static bool is_target(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_class(bytes[i], TARGET))
			return false;
		if (bytes[i] != '%')
			continue;
		if (len - i < 3 || hex_digit(bytes[i + 1]) < 0 || hex_digit(bytes[i + 2]) < 0)
			return false;
		if (bytes[i + 1] == '0' && bytes[i + 2] == '0')
			return false;
	}
	return true;
}

static enum http_parse parse_method(struct http_head *head, struct http_refusal *ret_refusal)
{
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		if (methods[i].len != head->method_len ||
		    memcmp(methods[i].name, head->method, head->method_len) != 0)
			continue;
		if (!methods[i].served)
			return refuse(ret_refusal, 405, "method is not served");
		return HTTP_PARSE_DONE;
	}
	for (size_t i = 0; i < head->method_len; i++)
		if (head->method[i] < 'A' || head->method[i] > 'Z')
			return refuse(ret_refusal, 400, "method is malformed");
	return refuse(ret_refusal, 501, "method is unknown");
}

/* Where the path of an absolute-form target starts; 0 for any other form. */
static size_t authority_end(const struct http_head *head, size_t *ret_start)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		size_t start = strlen(schemes[i]);
		size_t end = start;

		if (head->target_len <= start || strncasecmp(head->target, schemes[i], start) != 0)
			continue;
		while (end < head->target_len && head->target[end] != '/' &&
		       head->target[end] != '?')
			end++;
		*ret_start = start;
		return end;
	}
	return 0;
}

static enum http_parse parse_target(struct http_head *head, struct http_refusal *ret_refusal)
{
	const char *query;
	size_t start;

	if (!is_target(head->target, head->target_len))
		return refuse(ret_refusal, 400, "request target is malformed");
	head->path = head->target;
	head->path_len = head->target_len;
	if (head->target[0] != '/') {
		size_t end = authority_end(head, &start);

		if (head->target_len == 1 && head->target[0] == '*' && head->method_len == 7)
			return HTTP_PARSE_DONE;
		if (end == 0)
			return refuse(ret_refusal, 400, "request target is malformed");
		head->path += end;
		head->path_len -= end;
	}
	query = head->path_len == 0 ? NULL : memchr(head->path, '?', head->path_len);
	if (query != NULL) {
		head->query = query + 1;
		head->query_len = head->path_len - (size_t)(query - head->path) - 1;
		head->path_len = (size_t)(query - head->path);
	}
	if (head->path_len == 0) {
		head->path = "/";
		head->path_len = 1;
	}
	return HTTP_PARSE_DONE;
}

static enum http_parse parse_version(struct http_head *head, const char *text, size_t len,
				     struct http_refusal *ret_refusal)
{
	if (len != 8 || memcmp(text, "HTTP/", 5) != 0 || text[6] != '.' || text[5] < '0' ||
	    text[5] > '9' || text[7] < '0' || text[7] > '9')
		return refuse(ret_refusal, 400, "protocol version is malformed");
	if (text[5] != '1' || text[7] > '1')
		return refuse(ret_refusal, 505, "protocol version is not served");
	head->minor = text[7] - '0';
	return HTTP_PARSE_DONE;
}

static enum http_parse parse_request_line(struct http_head *head, const char *line, size_t len,
					  struct http_refusal *ret_refusal)
{
	const char *first = memchr(line, ' ', len);
	const char *second;

	if (first == NULL || first == line)
		return refuse(ret_refusal, 400, "request line is malformed");
	head->method = line;
	head->method_len = (size_t)(first - line);
	head->target = first + 1;
	second = memchr(head->target, ' ', len - head->method_len - 1);
	if (second == NULL || second == head->target)
		return refuse(ret_refusal, 400, "request line is malformed");
	head->target_len = (size_t)(second - head->target);
	second++;
	if (parse_version(head, second, len - (size_t)(second - line), ret_refusal) ==
		    HTTP_PARSE_BAD ||
	    parse_method(head, ret_refusal) == HTTP_PARSE_BAD)
		return HTTP_PARSE_BAD;
	return parse_target(head, ret_refusal);
}

static enum http_parse parse_length(struct http_head *head, const struct http_field *field,
				    struct http_refusal *ret_refusal)
{
	int64_t length = 0;

	if (head->content_length >= 0)
		return refuse(ret_refusal, 400, "Content-Length is doubled");
	if (field->value_len == 0 || (field->value_len > 1 && field->value[0] == '0'))
		return refuse(ret_refusal, 400, "Content-Length is malformed");
	for (size_t i = 0; i < field->value_len; i++) {
		if (field->value[i] < '0' || field->value[i] > '9')
			return refuse(ret_refusal, 400, "Content-Length is malformed");
		if (i < 18)
			length = length * 10 + (field->value[i] - '0');
	}
	if (field->value_len > 18)
		return refuse(ret_refusal, 413, "body is too large");
	head->content_length = length;
	return HTTP_PARSE_DONE;
}

static void parse_connection(struct seen *seen, const struct http_field *field)
{
	const char *at = field->value;
	const char *end = at + field->value_len;

	while (at < end) {
		const char *start = at;

		while (at < end && is_class(*at, TOKEN))
			at++;
		if (IS(start, (size_t)(at - start), "close"))
			seen->close = true;
		else if (IS(start, (size_t)(at - start), "keep-alive"))
			seen->keep_alive = true;
		if (at < end)
			at++;
	}
}

static enum http_parse parse_expect(struct http_head *head, const struct http_field *field,
				    struct http_refusal *ret_refusal)
{
	if (!IS(field->value, field->value_len, "100-continue"))
		return refuse(ret_refusal, 417, "expectation is not served");
	head->expect_continue = head->minor == 1;
	return HTTP_PARSE_DONE;
}

static enum http_parse parse_host(struct seen *seen, const struct http_field *field,
				  struct http_refusal *ret_refusal)
{
	if (seen->host != NULL)
		return refuse(ret_refusal, 400, "Host is doubled");
	if (field->value_len == 0 || !all_class(field->value, field->value_len, HOST))
		return refuse(ret_refusal, 400, "Host is malformed");
	seen->host = field;
	return HTTP_PARSE_DONE;
}

static enum http_parse parse_coding(struct seen *seen, const struct http_field *field,
				    struct http_refusal *ret_refusal)
{
	if (seen->transfer_encoding != NULL)
		return refuse(ret_refusal, 400, "Transfer-Encoding is doubled");
	if (field->value_len == 0)
		return refuse(ret_refusal, 400, "Transfer-Encoding is malformed");
	if (!IS(field->value, field->value_len, "chunked"))
		return refuse(ret_refusal, 501, "transfer coding is not served");
	seen->transfer_encoding = field;
	return HTTP_PARSE_DONE;
}

/* The few fields that steer the protocol, told apart by length first. */
static enum http_parse parse_meaning(struct http_head *head, struct seen *seen,
				     const struct http_field *field,
				     struct http_refusal *ret_refusal)
{
	switch (field->name_len) {
	case 4:
		if (IS(field->name, 4, "host"))
			return parse_host(seen, field, ret_refusal);
		break;
	case 6:
		if (IS(field->name, 6, "expect"))
			return parse_expect(head, field, ret_refusal);
		break;
	case 10:
		if (IS(field->name, 10, "connection"))
			parse_connection(seen, field);
		break;
	case 14:
		if (IS(field->name, 14, "content-length"))
			return parse_length(head, field, ret_refusal);
		break;
	case 17:
		if (IS(field->name, 17, "transfer-encoding"))
			return parse_coding(seen, field, ret_refusal);
		break;
	default:
		break;
	}
	return HTTP_PARSE_DONE;
}

static enum http_parse parse_field(struct http_head *head, struct seen *seen, const char *line,
				   size_t len, struct http_refusal *ret_refusal)
{
	struct http_field *field;
	const char *end = line + len;
	const char *at = line;

	if (*line == ' ' || *line == '\t')
		return refuse(ret_refusal, 400, "field line is folded");
	if (head->field_count == LIMIT_HTTP_FIELDS)
		return refuse(ret_refusal, 431, "too many fields");
	while (at < end && is_class(*at, TOKEN))
		at++;
	if (at == line || at == end || *at != ':')
		return refuse(ret_refusal, 400, "field name is malformed");
	field = &head->fields[head->field_count++];
	field->name = line;
	field->name_len = (size_t)(at - line);
	at++;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	field->value = at;
	field->value_len = (size_t)(end - at);
	if (!is_value(field->value, field->value_len))
		return refuse(ret_refusal, 400, "field value is malformed");
	return parse_meaning(head, seen, field, ret_refusal);
}

/* Host against a target that names a host itself. */
static enum http_parse check_host(const struct http_head *head, const struct seen *seen,
				  struct http_refusal *ret_refusal)
{
	size_t start = 0;
	size_t end = head->target[0] == '/' ? 0 : authority_end(head, &start);

	if (seen->host == NULL && head->minor == 1)
		return refuse(ret_refusal, 400, "Host is missing");
	if (end != 0 && seen->host != NULL &&
	    (seen->host->value_len != end - start ||
	     strncasecmp(seen->host->value, head->target + start, end - start) != 0))
		return refuse(ret_refusal, 400, "target names another host");
	if (end != 0 && (end == start || !all_class(head->target + start, end - start, HOST)))
		return refuse(ret_refusal, 400, "request target is malformed");
	return HTTP_PARSE_DONE;
}

/* Rules that need the whole head. */
static enum http_parse finish_head(struct http_head *head, const struct seen *seen,
				   struct http_refusal *ret_refusal)
{
	enum http_parse host = check_host(head, seen, ret_refusal);

	if (host != HTTP_PARSE_DONE)
		return host;
	if (seen->transfer_encoding != NULL) {
		if (head->content_length >= 0)
			return refuse(ret_refusal, 400, "two body lengths");
		if (head->minor == 0)
			return refuse(ret_refusal, 400, "HTTP/1.0 has no chunked bodies");
		head->chunked = true;
	}
	head->keep_alive = !seen->close && (head->minor == 1 || seen->keep_alive);
	return HTTP_PARSE_DONE;
}

/* The next line without its CRLF: MORE while it is incomplete. */
static enum http_parse next_line(const char *at, const char *end, size_t *ret_len,
				 struct http_refusal *ret_refusal)
{
	const char *feed = memchr(at, '\n', (size_t)(end - at));

	if (feed == NULL)
		return HTTP_PARSE_MORE;
	if (feed == at || feed[-1] != '\r')
		return refuse(ret_refusal, 400, "line ends without CR");
	*ret_len = (size_t)(feed - at) - 1;
	return HTTP_PARSE_DONE;
}

static enum http_parse parse_lines(const char *bytes, size_t len, struct http_head *head,
				   size_t *ret_used, struct http_refusal *ret_refusal)
{
	const char *at = bytes;
	const char *end = bytes + len;
	struct seen seen = { 0 };
	enum http_parse result;
	size_t line;

	/* RFC 9112 2.2: one empty line before the request line is forgiven. */
	if (len >= 2 && at[0] == '\r' && at[1] == '\n')
		at += 2;
	if (at < end && *at != '\r' && (*at < 'A' || *at > 'Z'))
		return refuse(ret_refusal, 400, "method is malformed");
	result = next_line(at, end, &line, ret_refusal);
	if (result == HTTP_PARSE_DONE)
		result = parse_request_line(head, at, line, ret_refusal);
	while (result == HTTP_PARSE_DONE) {
		at += line + 2;
		result = next_line(at, end, &line, ret_refusal);
		if (result != HTTP_PARSE_DONE)
			break;
		if (line == 0) {
			*ret_used = (size_t)(at + 2 - bytes);
			return finish_head(head, &seen, ret_refusal);
		}
		result = parse_field(head, &seen, at, line, ret_refusal);
	}
	return result;
}

enum http_parse http_parse_head(const char *bytes, size_t len, struct http_head *ret_head,
				size_t *ret_used, struct http_refusal *ret_refusal)
{
	size_t bounded = len > LIMIT_HTTP_HEADER_BYTES ? LIMIT_HTTP_HEADER_BYTES : len;
	enum http_parse result;

	/* Not the fields: 2 KiB that nobody reads beyond field_count. */
	memset(ret_head, 0, offsetof(struct http_head, fields));
	ret_head->field_count = 0;
	ret_head->content_length = -1;
	ret_head->chunked = false;
	ret_head->keep_alive = false;
	ret_head->expect_continue = false;
	result = parse_lines(bytes, bounded, ret_head, ret_used, ret_refusal);
	if (result != HTTP_PARSE_MORE || bounded < LIMIT_HTTP_HEADER_BYTES)
		return result;
	if (memchr(bytes + 2, '\n', bounded - 2) == NULL)
		return refuse(ret_refusal, 414, "request line is too long");
	return refuse(ret_refusal, 431, "header block is too large");
}

const struct http_field *http_head_find(const struct http_head *head, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < head->field_count; i++)
		if (equals(head->fields[i].name, head->fields[i].name_len, name, len))
			return &head->fields[i];
	return NULL;
}

/* --- chunked bodies --- */

enum chunk_state {
	CHUNK_SIZE,
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	TRAILER_START,
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	TRAILER_END_LF,
	CHUNK_STATES,
};

enum { CHUNK_DIGITS = 15, CHUNK_OVERHEAD = LIMIT_HTTP_HEADER_BYTES };

typedef const char *chunk_step_fn(struct http_chunks *chunks, char byte);

/* Each step takes one byte and returns what is wrong with it. */
static const char *step_size(struct http_chunks *chunks, char byte)
{
	int digit = hex_digit(byte);

	if (digit >= 0) {
		if (++chunks->line_bytes > CHUNK_DIGITS)
			return "chunk size is malformed";
		chunks->left = chunks->left * 16 + (uint64_t)digit;
		return NULL;
	}
	if (chunks->line_bytes == 0 || (byte != '\r' && byte != ';'))
		return "chunk size is malformed";
	chunks->state = byte == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
	return NULL;
}

static const char *step_extension(struct http_chunks *chunks, char byte)
{
	if (byte == '\r') {
		chunks->state = CHUNK_SIZE_LF;
		return NULL;
	}
	/* Counted over the whole body: extensions are never read, so a body
	 * of one-byte chunks with long ones is an attack. */
	chunks->extra++;
	return is_class(byte, VALUE) ? NULL : "chunk extension is malformed";
}

static const char *step_size_lf(struct http_chunks *chunks, char byte)
{
	chunks->line_bytes = 0;
	chunks->state = chunks->left == 0 ? TRAILER_START : CHUNK_DATA;
	return byte == '\n' ? NULL : "chunk size is malformed";
}

static const char *step_data_cr(struct http_chunks *chunks, char byte)
{
	chunks->state = CHUNK_DATA_LF;
	return byte == '\r' ? NULL : "chunk is longer than its size";
}

static const char *step_data_lf(struct http_chunks *chunks, char byte)
{
	chunks->state = CHUNK_SIZE;
	return byte == '\n' ? NULL : "chunk is longer than its size";
}

static const char *step_trailer_start(struct http_chunks *chunks, char byte)
{
	chunks->state = byte == '\r' ? TRAILER_END_LF : TRAILER_NAME;
	chunks->extra++;
	return byte == '\r' || is_class(byte, TOKEN) ? NULL : "trailer is malformed";
}

static const char *step_trailer_name(struct http_chunks *chunks, char byte)
{
	chunks->extra++;
	if (byte == ':')
		chunks->state = TRAILER_VALUE;
	return byte == ':' || is_class(byte, TOKEN) ? NULL : "trailer is malformed";
}

static const char *step_trailer_value(struct http_chunks *chunks, char byte)
{
	chunks->extra++;
	if (byte == '\r')
		chunks->state = TRAILER_LF;
	return byte == '\r' || is_class(byte, VALUE) ? NULL : "trailer is malformed";
}

static const char *step_trailer_lf(struct http_chunks *chunks, char byte)
{
	chunks->state = TRAILER_START;
	return byte == '\n' ? NULL : "trailer is malformed";
}

static const char *step_end_lf(struct http_chunks *chunks, char byte)
{
	chunks->state = CHUNK_STATES;
	return byte == '\n' ? NULL : "trailer is malformed";
}

static chunk_step_fn *const chunk_steps[CHUNK_STATES] = {
	[CHUNK_SIZE] = step_size,           [CHUNK_EXTENSION] = step_extension,
	[CHUNK_SIZE_LF] = step_size_lf,     [CHUNK_DATA_CR] = step_data_cr,
	[CHUNK_DATA_LF] = step_data_lf,     [TRAILER_START] = step_trailer_start,
	[TRAILER_NAME] = step_trailer_name, [TRAILER_VALUE] = step_trailer_value,
	[TRAILER_LF] = step_trailer_lf,     [TRAILER_END_LF] = step_end_lf,
};

static size_t take_data(struct http_chunks *chunks, size_t len)
{
	size_t run = chunks->left < len ? (size_t)chunks->left : len;

	chunks->left -= run;
	if (chunks->left == 0)
		chunks->state = CHUNK_DATA_CR;
	return run;
}

enum http_parse http_parse_chunk(struct http_chunks *chunks, const char *bytes, size_t len,
				 size_t *ret_used, const char **ret_data, size_t *ret_len,
				 struct http_refusal *ret_refusal)
{
	size_t used = 0;

	*ret_data = NULL;
	*ret_len = 0;
	while (used < len && chunks->state != CHUNK_STATES) {
		const char *wrong;

		if (chunks->state == CHUNK_DATA) {
			*ret_data = bytes + used;
			*ret_len = take_data(chunks, len - used);
			used += *ret_len;
			break;
		}
		wrong = chunk_steps[chunks->state](chunks, bytes[used++]);
		if (wrong != NULL)
			return refuse(ret_refusal, 400, wrong);
		if (chunks->extra > CHUNK_OVERHEAD)
			return refuse(ret_refusal, 431, "trailers are too large");
	}
	*ret_used = used;
	return chunks->state == CHUNK_STATES ? HTTP_PARSE_DONE : HTTP_PARSE_MORE;
}
