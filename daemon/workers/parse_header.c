#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

enum {
	FIELDS_MAX = 10000,
	WORD_MAX = 64 * 1024,    /* bytes of one run of encoded words */
	CONTINUATIONS_MAX = 100, /* filename*0*= ... */
};

/* ---- fields ---- */

/* Length of the line at p with its end. */
static size_t line_length(const char *p, size_t len)
{
	const char *end = memchr(p, '\n', len);

	return end == NULL ? len : (size_t)(end - p) + 1;
}

static bool is_blank(const char *line, size_t len)
{
	return len == 0 || line[0] == '\n' || (len >= 2 && line[0] == '\r' && line[1] == '\n');
}

/* Bytes of the field at p: its line and the folded ones after it. */
static size_t field_length(const char *p, size_t len)
{
	size_t at = line_length(p, len);

	while (at < len && (p[at] == ' ' || p[at] == '\t'))
		at += line_length(p + at, len - at);
	return at;
}

static void field_add(struct arena *arena, const char *p, size_t len, struct fields *ret)
{
	const char *colon = memchr(p, ':', len);
	struct field *field = &ret->items[ret->count];
	size_t name_len;
	size_t out = 0;
	char *value;

	if (colon == NULL)
		return;
	name_len = (size_t)(colon - p);
	while (name_len > 0 && (p[name_len - 1] == ' ' || p[name_len - 1] == '\t'))
		name_len--;
	if (name_len == 0 || memchr(p, ' ', name_len) != NULL)
		return; /* "From someone Mon ..." of an mbox */
	value = arena_copy(arena, colon + 1, len - (size_t)(colon - p) - 1);
	for (const char *from = colon + 1; from < p + len; from++)
		if (*from != '\r' && *from != '\n' && *from != '\0')
			value[out++] = *from;
	while (out > 0 && (value[out - 1] == ' ' || value[out - 1] == '\t'))
		out--;
	value[out] = '\0';
	field->name = arena_copy(arena, p, name_len);
	field->value = value + strspn(value, " \t");
	field->len = out - (size_t)(field->value - value);
	ret->count++;
}

/* Counts the fields and finds the body; -1 with err where a limit is passed. */
static int measure(const char *raw, size_t len, size_t *ret_count, size_t *ret_end,
		   struct error *err)
{
	size_t at = 0;
	size_t count = 0;

	while (at < len && !is_blank(raw + at, len - at)) {
		size_t bytes = field_length(raw + at, len - at);

		if (bytes > LIMIT_MAIL_HEADER_LINE)
			return error_set(err, ERROR_PERMANENT,
					 "unreadable mail: a header field of %zu bytes", bytes);
		at += bytes;
		if (at > LIMIT_MAIL_HEADER_BYTES)
			return error_set(err, ERROR_PERMANENT,
					 "unreadable mail: headers over %d bytes",
					 LIMIT_MAIL_HEADER_BYTES);
		if (++count > FIELDS_MAX)
			return error_set(err, ERROR_PERMANENT,
					 "unreadable mail: over %d header fields", FIELDS_MAX);
	}
	*ret_count = count;
	*ret_end = at < len ? at + line_length(raw + at, len - at) : len;
	return 0;
}

int fields_scan(const char *raw, size_t len, struct arena *arena, struct fields *ret,
		struct error *err)
{
	struct fields found = { 0 };
	size_t count = 0;
	size_t at = 0;

	if (measure(raw, len, &count, &found.end, err) < 0)
		return -1;
	found.items = arena_alloc(arena, (count + 1) * sizeof(*found.items));
	while (at < len && !is_blank(raw + at, len - at)) {
		size_t bytes = field_length(raw + at, len - at);

		field_add(arena, raw + at, bytes, &found);
		at += bytes;
	}
	*ret = found;
	return 0;
}

const char *fields_get(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strcasecmp(fields->items[i].name, name) == 0)
			return fields->items[i].value;
	return NULL;
}

size_t fields_count(const struct fields *fields, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < fields->count; i++)
		count += strcasecmp(fields->items[i].name, name) == 0;
	return count;
}

/* ---- encoded words ---- */

struct word {
	char charset[64];
	char encoding; /* 'b' or 'q' */
	const char *bytes;
	size_t len;
	size_t total; /* with =? and ?= */
};

/* Reads =?charset?b?...?= at p. */
static bool word_read(const char *p, size_t len, struct word *ret)
{
	const char *end = p + len;
	const char *charset = p + 2;
	const char *encoding;
	const char *text;
	const char *stop;
	size_t charset_len;

	if (len < 8 || p[0] != '=' || p[1] != '?')
		return false;
	encoding = memchr(charset, '?', (size_t)(end - charset));
	if (encoding == NULL || end - encoding < 5 || encoding[2] != '?')
		return false;
	charset_len = strcspn(charset, "?*"); /* RFC 2231: a language may follow */
	if (charset_len == 0 || charset_len >= sizeof(ret->charset) ||
	    memchr(charset, ' ', charset_len) != NULL)
		return false;
	text = encoding + 3;
	for (stop = text; stop + 1 < end; stop++)
		if (stop[0] == '?' && stop[1] == '=')
			break;
	if (stop + 1 >= end)
		return false;
	memcpy(ret->charset, charset, charset_len);
	ret->charset[charset_len] = '\0';
	ret->encoding = (char)(encoding[1] | 0x20);
	ret->bytes = text;
	ret->len = (size_t)(stop - text);
	ret->total = (size_t)(stop + 2 - p);
	return ret->encoding == 'b' || ret->encoding == 'q';
}

static int base64_value(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c == '\0' ? NULL : strchr(alphabet, c);

	return found == NULL ? -1 : (int)(found - alphabet);
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c == '\0' ? NULL : strchr(digits, c | 0x20);

	return found == NULL ? -1 : (int)(found - digits);
}

/* Forgiving on purpose: mailers cut words anywhere. */
static void decode_base64(const char *bytes, size_t len, struct buf *out)
{
	unsigned bits = 0;
	int have = 0;

	for (size_t i = 0; i < len; i++) {
		int value = base64_value(bytes[i]);

		if (value < 0)
			continue;
		bits = (bits << 6 | (unsigned)value) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_byte(out, (char)(bits >> have & 0xff));
		}
	}
}

/* Q of RFC 2047, and percent of RFC 2231 with escape '%'. */
static void decode_escaped(const char *bytes, size_t len, char escape, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		int high = i + 2 < len && bytes[i] == escape ? hex_value(bytes[i + 1]) : -1;
		int low = high >= 0 ? hex_value(bytes[i + 2]) : -1;

		if (low >= 0) {
			buf_byte(out, (char)(high << 4 | low));
			i += 2;
		} else {
			buf_byte(out, bytes[i] == '_' && escape == '=' ? ' ' : bytes[i]);
		}
	}
}

/* Adjacent words of one charset are joined before they are converted: some
 * mailers cut inside a character. Returns the bytes of the value used. */
static size_t decode_words(const char *p, size_t len, struct buf *out)
{
	struct buf bytes = { 0 };
	struct word first;
	struct word word;
	size_t used = 0;
	size_t next = 0;

	while (word_read(p + next, len - next, &word)) {
		if (used == 0)
			first = word;
		else if (strcasecmp(first.charset, word.charset) != 0 || bytes.len > WORD_MAX)
			break;
		if (word.encoding == 'b')
			decode_base64(word.bytes, word.len, &bytes);
		else
			decode_escaped(word.bytes, word.len, '=', &bytes);
		used = next + word.total;
		next = used;
		while (next < len && (p[next] == ' ' || p[next] == '\t'))
			next++;
	}
	if (used == 0)
		return 0;
	charset_decode(first.charset, bytes.data, bytes.len, out);
	buf_clear(&bytes);
	return next < len && p[next] == '=' && word_read(p + next, len - next, &word) ? next : used;
}

static void decode_value(const char *value, size_t len, struct buf *out)
{
	struct buf plain = { 0 };
	size_t at = 0;

	while (at < len) {
		size_t used = value[at] == '=' ? decode_words(value + at, len - at, out) : 0;
		const char *next;

		if (used > 0) {
			at += used;
			continue;
		}
		next = memchr(value + at + 1, '=', len - at - 1);
		used = next == NULL ? len - at : (size_t)(next - value) - at;
		buf_reset(&plain);
		buf_add(&plain, value + at, used);
		charset_decode(NULL, plain.data, plain.len, out);
		at += used;
	}
	buf_clear(&plain);
}

char *header_decode(struct arena *arena, const char *value, size_t len, size_t max)
{
	struct buf out = { 0 };
	char *text;

	decode_value(value, len, &out);
	text = text_clean_line(arena, buf_string(&out), out.len, max);
	buf_clear(&out);
	return text;
}

/* ---- parameters ---- */

struct parameter {
	const char *name;
	size_t name_len;
	const char *value; /* without quotes; escapes still in it when quoted */
	size_t value_len;
	bool quoted;
};

/* What stands after the "=" into ret; returns where it ends. */
static const char *parameter_value(const char *p, struct parameter *ret)
{
	p += strspn(p, " \t");
	ret->quoted = *p == '"';
	ret->value = ret->quoted ? p + 1 : p;
	if (!ret->quoted) {
		p += strcspn(p, ";");
		ret->value_len = (size_t)(p - ret->value);
		while (ret->value_len > 0 && strchr(" \t", ret->value[ret->value_len - 1]) != NULL)
			ret->value_len--;
		return p;
	}
	p++;
	while (*p != '\0' && *p != '"')
		p += *p == '\\' && p[1] != '\0' ? 2 : 1;
	ret->value_len = (size_t)(p - ret->value);
	return *p == '"' ? p + 1 : p;
}

/* The next "; name=value" after *at; false at the end. */
static bool next_parameter(const char *text, size_t *at, struct parameter *ret)
{
	const char *p = text + *at;

	p += strspn(p, "; \t");
	if (*p == '\0')
		return false;
	ret->name = p;
	ret->name_len = strcspn(p, "=; \t");
	p += ret->name_len;
	p += strspn(p, " \t");
	ret->quoted = false;
	ret->value = p;
	ret->value_len = 0;
	if (*p == '=')
		p = parameter_value(p + 1, ret);
	*at = (size_t)(p - text);
	return true;
}

/* Is this `name`, name*, name*3 or name*3*? *ret_order is 0 for the plain ones. */
static bool parameter_is(const struct parameter *parameter, const char *name, int *ret_order,
			 bool *ret_encoded)
{
	size_t len = strlen(name);
	const char *rest = parameter->name + len;
	size_t rest_len;
	int order = 0;

	if (parameter->name_len < len || strncasecmp(parameter->name, name, len) != 0)
		return false;
	rest_len = parameter->name_len - len;
	*ret_encoded = rest_len > 0 && rest[rest_len - 1] == '*';
	if (rest_len > 0 && rest[0] != '*')
		return false;
	for (size_t i = 1; i < rest_len && rest[i] >= '0' && rest[i] <= '9'; i++)
		order = order > CONTINUATIONS_MAX ? order : order * 10 + (rest[i] - '0');
	*ret_order = order;
	return true;
}

static void add_value(const struct parameter *parameter, bool encoded, char charset[64],
		      struct buf *out)
{
	const char *value = parameter->value;
	size_t len = parameter->value_len;

	if (encoded && out->len == 0 && charset[0] == '\0') {
		const char *quote = memchr(value, '\'', len);
		const char *second =
			quote == NULL ? NULL
				      : memchr(quote + 1, '\'', len - (size_t)(quote - value) - 1);

		if (second != NULL && quote - value < 63) {
			memcpy(charset, value, (size_t)(quote - value));
			charset[quote - value] = '\0';
			len -= (size_t)(second + 1 - value);
			value = second + 1;
		}
	}
	if (encoded) {
		decode_escaped(value, len, '%', out);
		return;
	}
	for (size_t i = 0; i < len; i++)
		if (!parameter->quoted || value[i] != '\\' || i + 1 == len ||
		    (value[i + 1] != '"' && value[i + 1] != '\\'))
			buf_byte(out, value[i]);
		else
			buf_byte(out, value[++i]);
}

/* Collects name*0, name*1 ... in order, or the plain parameter. */
static bool collect(const char *value, const char *name, char charset[64], bool *ret_encoded,
		    struct buf *out)
{
	bool any = false;

	for (int wanted = 0; wanted <= CONTINUATIONS_MAX; wanted++) {
		size_t at = strcspn(value, ";");
		struct parameter parameter;
		bool found = false;
		bool encoded;
		int order;

		while (!found && next_parameter(value, &at, &parameter))
			found = parameter_is(&parameter, name, &order, &encoded) && order == wanted;
		if (!found)
			break;
		any = true;
		*ret_encoded = *ret_encoded || encoded;
		add_value(&parameter, encoded, charset, out);
		if (out->len > WORD_MAX)
			break;
	}
	return any;
}

char *header_parameter(struct arena *arena, const char *value, const char *name)
{
	struct buf bytes = { 0 };
	struct buf out = { 0 };
	char charset[64] = "";
	bool encoded = false;
	char *text = NULL;

	if (value == NULL || !collect(value, name, charset, &encoded, &bytes)) {
		buf_clear(&bytes);
		return NULL;
	}
	if (encoded)
		charset_decode(charset[0] == '\0' ? NULL : charset, buf_string(&bytes), bytes.len,
			       &out);
	else
		decode_value(buf_string(&bytes), bytes.len, &out);
	text = text_clean_line(arena, buf_string(&out), out.len, LIMIT_ID_BYTES);
	buf_clear(&bytes);
	buf_clear(&out);
	return text;
}

char *header_token(struct arena *arena, const char *value)
{
	size_t len;
	char *token;

	if (value == NULL)
		return arena_text(arena, "");
	value += strspn(value, " \t");
	len = strcspn(value, "; \t(");
	token = text_clean_line(arena, value, len, LIMIT_NAME_BYTES);
	return text_lower(arena, token);
}
