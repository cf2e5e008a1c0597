#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

enum { RING = 8, QUOTED_BYTES = 600, DOMAIN_BYTES = 100, PAIRS_BYTES = 4096 };

static struct {
	enum log_level level;
	bool json;
	bool journal;
	log_sink_fn *sink;
	void *sink_context;
	struct buf line; /* kept, so that a line costs no allocation */
	struct buf ring[RING];
	unsigned next;
} state = { .level = LOG_INFO };

static const struct {
	const char *name;
	const char *journal_prefix; /* of sd-daemon(3) */
} levels[] = {
	[LOG_ERROR] = { "error", "<3>" },
	[LOG_WARN] = { "warn", "<4>" },
	[LOG_INFO] = { "info", "<6>" },
	[LOG_DEBUG] = { "debug", "<7>" },
};

/* $JOURNAL_STREAM is inherited by processes whose stderr went elsewhere since,
 * so its device and inode must be those of stderr. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat info;
	char expected[64];

	if (stream == NULL || fstat(STDERR_FILENO, &info) < 0)
		return false;
	snprintf(expected, sizeof(expected), "%ju:%ju", (uintmax_t)info.st_dev,
		 (uintmax_t)info.st_ino);
	return text_equal(stream, expected);
}

void log_setup(enum log_level level, bool json)
{
	state.level = level;
	state.json = json;
	state.journal = stderr_is_journal();
}

void log_capture(log_sink_fn *fn, void *context)
{
	state.sink = fn;
	state.sink_context = context;
}

static void format_now(char out[32])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	text_format_time((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, out);
}

/* The value that starts at p: ends at a space outside quotes, or at the end. */
static size_t value_length(const char *p)
{
	bool quoted = *p == '"';
	size_t len = quoted ? 1 : 0;

	if (!quoted)
		return strcspn(p, " ");
	while (p[len] != '\0' && p[len] != '"')
		len += p[len] == '\\' && p[len + 1] != '\0' ? 2 : 1;
	return p[len] == '"' ? len + 1 : len;
}

static bool is_json_number(const char *value, size_t len)
{
	return len > 0 && (value[0] == '-' || (value[0] >= '0' && value[0] <= '9')) &&
	       json_check(value, len, NULL) == 0;
}

/* log_quote() writes JSON escapes, so a quoted value is a JSON text already. */
static void add_json_value(struct json_out *out, const char *key, const char *value, size_t len)
{
	bool whole = len >= 2 && value[0] == '"' && json_check(value, len, NULL) == 0;

	if (whole || is_json_number(value, len))
		jw_raw(out, key, value, len);
	else
		jw_textn(out, key, value, len);
}

static void add_json_pairs(struct json_out *out, const char *pairs)
{
	char key[64];

	while (*pairs != '\0') {
		size_t key_len = strcspn(pairs, "= ");
		size_t len;

		snprintf(key, sizeof(key), "%.*s", (int)key_len, pairs);
		pairs += key_len;
		if (*pairs == '=') {
			len = value_length(pairs + 1);
			add_json_value(out, key, pairs + 1, len);
			pairs += 1 + len;
		} else if (key_len > 0) {
			jw_bool(out, key, true);
		}
		pairs += strspn(pairs, " ");
	}
}

static void write_json(enum log_level level, const char *now, const char *id, const char *pairs)
{
	struct json_out out;

	jw_start(&out, &state.line);
	jw_object(&out, NULL);
	jw_text(&out, "level", levels[level].name);
	jw_text(&out, "ts", now);
	if (id != NULL)
		jw_text(&out, "id", id);
	add_json_pairs(&out, pairs);
	jw_object_end(&out);
}

static void write_logfmt(enum log_level level, const char *now, const char *id, const char *pairs)
{
	buf_format(&state.line, "level=%s ts=%s ", levels[level].name, now);
	if (id != NULL)
		buf_format(&state.line, "id=%s ", id);
	buf_text(&state.line, pairs);
}

/* A value that was not quoted must not start a line of its own. */
static void flatten(char *pairs)
{
	for (; *pairs != '\0'; pairs++) {
		if ((unsigned char)*pairs < ' ' || *pairs == 0x7f)
			*pairs = ' ';
	}
}

static void emit(void)
{
	struct buf *line = &state.line;
	size_t at = 0;

	if (state.sink != NULL) {
		state.sink(buf_string(line), state.sink_context);
		return;
	}
	buf_byte(line, '\n');
	/* One write, so that lines of several processes do not mix. */
	while (at < line->len) {
		ssize_t n = write(STDERR_FILENO, line->data + at, line->len - at);

		if (n <= 0)
			break; /* nowhere left to say so */
		at += (size_t)n;
	}
}

void log_line(enum log_level level, const char *id, const char *format, ...)
{
	char pairs[PAIRS_BYTES];
	char now[32];
	va_list args;
	int len;

	if (level > state.level)
		return;
	va_start(args, format);
	len = vsnprintf(pairs, sizeof(pairs), format, args);
	va_end(args);
	if (len >= (int)sizeof(pairs))
		pairs[text_prefix(pairs, sizeof(pairs), sizeof(pairs) - 1)] = '\0';
	flatten(pairs);
	format_now(now);
	buf_reset(&state.line);
	if (state.journal && state.sink == NULL)
		buf_text(&state.line, levels[level].journal_prefix);
	if (state.json)
		write_json(level, now, id, pairs);
	else
		write_logfmt(level, now, id, pairs);
	emit();
}

static struct buf *next_in_ring(void)
{
	struct buf *buf = &state.ring[state.next++ % RING];

	buf_reset(buf);
	return buf;
}

const char *log_quote(const char *text)
{
	struct buf *buf = next_in_ring();
	struct json_out out;
	size_t len = text == NULL ? 0 : strlen(text);
	size_t kept = text_prefix(text, len, QUOTED_BYTES);

	jw_start(&out, buf);
	jw_textn(&out, NULL, text, kept);
	if (kept < len) {
		buf->len--; /* the closing quote */
		buf_text(buf, "\xe2\x80\xa6\"");
	}
	return buf_string(buf);
}

/* What could be mistaken for the syntax of a log line is not shown. */
static void add_shown(struct buf *buf, const char *bytes, size_t len)
{
	static const char shown[] = "+-._:@";

	for (size_t i = 0; i < len; i++) {
		bool plain = (bytes[i] >= '0' && bytes[i] <= '9') ||
			     (bytes[i] >= 'a' && bytes[i] <= 'z') ||
			     (bytes[i] >= 'A' && bytes[i] <= 'Z');

		buf_byte(buf, plain || memchr(shown, bytes[i], sizeof(shown) - 1) ? bytes[i] : '?');
	}
}

const char *log_address(const char *address)
{
	struct buf *buf = next_in_ring();
	const char *text = address == NULL ? "" : address;
	const char *at = strrchr(text, '@');
	size_t len = strlen(text);
	size_t head = 0;
	size_t tail = 0;

	if (at != NULL) {
		head = at > text ? 1 : 0;
		tail = len - (size_t)(at - text);
		tail = tail > DOMAIN_BYTES ? 0 : tail;
	} else if (len >= 11) {
		head = 3;
		tail = 4;
	} else if (len >= 7) {
		head = 2;
		tail = 2;
	}
	add_shown(buf, text, head);
	buf_text(buf, at != NULL || len < 7 ? "***" : "****");
	add_shown(buf, text + len - tail, tail);
	return buf_string(buf);
}
