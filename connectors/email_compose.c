/* A letter as RFC 5322 bytes: ASCII headers, encoded words and RFC 2231 where
 * text is not, CRLF everywhere. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "email_private.h"

enum {
	LINE_MAX_CHARS = 76,
	WORD_BYTES = 45,       /* of UTF-8 in one encoded word: 72 characters */
	PLAIN_LINE_MAX = 900,  /* of a body line that may go out as it is; the protocol has 998 */
	REFERENCES_KEPT = 20,  /* of the newest, beside the oldest */
	NAME_PIECE_CHARS = 50, /* of one RFC 2231 continuation */
};

/* ---- growable text ---- */

void email_text_add(struct email_text *text, const char *bytes, size_t len)
{
	if (text->len + len + 1 > text->room) {
		text->room = (text->len + len + 1) * 2;
		text->data = realloc(text->data, text->room);
		if (!text->data)
			abort();
	}
	if (len)
		memcpy(text->data + text->len, bytes, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void email_text_put(struct email_text *text, const char *string)
{
	email_text_add(text, string, strlen(string));
}

void email_text_format(struct email_text *text, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	email_text_put(text, line);
}

void email_text_clear(struct email_text *text)
{
	free(text->data);
	memset(text, 0, sizeof(*text));
}

/* ---- base64 ---- */

static void put_base64_run(struct email_text *out, const unsigned char *bytes, size_t len)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		unsigned a = bytes[i];
		unsigned b = i + 1 < len ? bytes[i + 1] : 0;
		unsigned c = i + 2 < len ? bytes[i + 2] : 0;
		char four[4] = { alphabet[a >> 2], alphabet[(a & 3) << 4 | b >> 4],
				 alphabet[(b & 15) << 2 | c >> 6], alphabet[c & 63] };

		if (i + 1 >= len)
			four[2] = '=';
		if (i + 2 >= len)
			four[3] = '=';
		email_text_add(out, four, 4);
	}
}

void email_put_base64(struct email_text *out, const char *bytes, size_t len)
{
	enum { LINE_BYTES = LINE_MAX_CHARS / 4 * 3 };

	for (size_t i = 0; i < len; i += LINE_BYTES) {
		size_t part = len - i < LINE_BYTES ? len - i : LINE_BYTES;

		put_base64_run(out, (const unsigned char *)bytes + i, part);
		email_text_put(out, "\r\n");
	}
}

/* ---- header text ---- */

/* Can it stand in a header as it is? Words too long to fold cannot. */
static bool is_plain(const char *value)
{
	size_t word = 0;

	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			return false;
		word = *p == ' ' ? 0 : word + 1;
		if (word > LINE_MAX_CHARS - 16)
			return false;
	}
	return !strstr(value, "=?");
}

/* Length of the longest start of text of at most max bytes that splits no character. */
static size_t whole_characters(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max ? max : len;
}

static void put_words(struct email_text *out, const char *value)
{
	size_t len = strlen(value);

	for (size_t at = 0; at < len;) {
		size_t part = whole_characters(value + at, len - at, WORD_BYTES);

		email_text_put(out, at ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
		put_base64_run(out, (const unsigned char *)value + at, part);
		email_text_put(out, "?=");
		at += part;
	}
}

/* One line: controls would end the field and start another one. */
static char *one_line(const char *value)
{
	char *line = strdup(value ? value : "");

	if (!line)
		abort();
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return line;
}

static void put_folded(struct email_text *out, const char *value, size_t column)
{
	while (*value) {
		size_t word = strcspn(value, " ");
		size_t gap = strspn(value + word, " ");

		if (column + word > LINE_MAX_CHARS && column > 1) {
			email_text_put(out, "\r\n ");
			column = 1;
		}
		email_text_add(out, value, word + gap);
		column += word + gap;
		value += word + gap;
	}
}

void email_put_text_field(struct email_text *out, const char *name, const char *value)
{
	char *line = one_line(value);
	size_t len = strlen(line);

	while (len > 0 && line[len - 1] == ' ')
		line[--len] = '\0';
	email_text_format(out, "%s: ", name);
	if (is_plain(line))
		put_folded(out, line, strlen(name) + 2);
	else
		put_words(out, line);
	email_text_put(out, "\r\n");
	free(line);
}

/* "Name" <address>; the address was checked before. */
static void put_mailbox(struct email_text *out, const char *name, const char *address)
{
	char *line = one_line(name);

	if (line[0] && is_plain(line) && strlen(line) < LINE_MAX_CHARS - 16) {
		email_text_put(out, "\"");
		for (const char *p = line; *p; p++) {
			if (*p == '"' || *p == '\\')
				email_text_put(out, "\\");
			email_text_add(out, p, 1);
		}
		email_text_put(out, "\"\r\n ");
	} else if (line[0]) {
		put_words(out, line);
		email_text_put(out, "\r\n ");
	}
	email_text_put(out, "<");
	email_text_put(out, address);
	email_text_put(out, ">");
	free(line);
}

/* ---- header fields ---- */

static bool id_is_plain(const char *id)
{
	size_t len = id ? strlen(id) : 0;

	if (len < 3 || len > PLAIN_LINE_MAX || id[0] != '<' || id[len - 1] != '>')
		return false;
	for (const char *p = id; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p > '~')
			return false;
	return !strchr(id + 1, '<') && strchr(id, '>') == id + len - 1;
}

static void put_references(struct email_text *out, const struct outbound *message)
{
	size_t count = message->reference_count;
	const char *reply = id_is_plain(message->in_reply_to) ? message->in_reply_to : NULL;
	bool named = false, any = false;

	for (size_t i = 0; i < count; i++) {
		const char *id = message->references[i];

		if ((i > 0 && i + REFERENCES_KEPT < count) || !id_is_plain(id))
			continue;
		email_text_put(out, any ? "\r\n " : "References: ");
		email_text_put(out, id);
		any = true;
		named = named || (reply && strcmp(id, reply) == 0);
	}
	if (reply && !named) {
		email_text_put(out, any ? "\r\n " : "References: ");
		email_text_put(out, reply);
		any = true;
	}
	if (any)
		email_text_put(out, "\r\n");
	if (reply) {
		email_text_put(out, "In-Reply-To: ");
		email_text_put(out, reply);
		email_text_put(out, "\r\n");
	}
}

static void put_date(struct email_text *out, int64_t unix_ms)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	email_text_format(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
			  tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
			  tm.tm_sec);
}

static void put_people(struct email_text *out, const struct email_letter *letter)
{
	const struct email_settings *settings = letter->settings;
	const struct outbound *message = letter->message;
	size_t local = strcspn(settings->address, "@");

	email_text_put(out, "From: ");
	put_mailbox(out, settings->name, settings->address);
	email_text_put(out, "\r\nTo: ");
	put_mailbox(out, message->to_name, message->to);
	email_text_put(out, "\r\n");
	for (size_t i = 0; i < letter->cc_count; i++) {
		email_text_put(out, i ? ",\r\n " : "Cc: ");
		email_text_put(out, letter->cc[i]);
	}
	if (letter->cc_count)
		email_text_put(out, "\r\n");
	if (message->reply_token)
		email_text_format(out, "Reply-To: <%.*s+%s%s>\r\n", (int)local, settings->address,
				  message->reply_token, settings->address + local);
}

/* Every way in which mail programs say "answer". */
static bool has_reply_prefix(const char *subject)
{
	static const char *const prefixes[] = { "re:",   "aw:",    "sv:",   "回复:", "回复：",
						"答复:", "答复：", "回覆:", "回覆：" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncasecmp(subject, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static void put_subject(struct email_text *out, const struct email_letter *letter)
{
	const struct outbound *message = letter->message;
	const char *subject = message->subject && message->subject[0] ? message->subject : NULL;
	struct email_text text = { 0 };

	if (message->in_reply_to && !(subject && has_reply_prefix(subject)))
		email_text_put(&text, "Re: ");
	email_text_put(&text, subject                  ? subject
			      : message->in_reply_to   ? "your message"
			      : letter->settings->name ? letter->settings->name
						       : letter->settings->address);
	email_put_text_field(out, "Subject", text.data);
	email_text_clear(&text);
}

/* ---- bodies ---- */

static bool is_plain_body(const char *text)
{
	size_t line = 0;

	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p > '~' || ((unsigned char)*p < ' ' && !strchr("\n\t", *p)))
			return false;
		line = *p == '\n' ? 0 : line + 1;
		if (line > PLAIN_LINE_MAX)
			return false;
	}
	return true;
}

static void put_crlf(struct email_text *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\r\n");

		email_text_add(out, text, len);
		text += len;
		if (*text) {
			email_text_put(out, "\r\n");
			text += text[0] == '\r' && text[1] == '\n' ? 2 : 1;
		}
	}
}

static void put_text_part(struct email_text *out, const char *type, const char *text)
{
	struct email_text lines = { 0 };
	bool plain = is_plain_body(text);

	email_text_format(out,
			  "Content-Type: %s; charset=utf-8\r\n"
			  "Content-Transfer-Encoding: %s\r\n\r\n",
			  type, plain ? "7bit" : "base64");
	put_crlf(&lines, text);
	if (plain)
		email_text_add(out, lines.data ? lines.data : "", lines.len);
	else
		email_put_base64(out, lines.data, lines.len);
	if (plain)
		email_text_put(out, "\r\n");
	email_text_clear(&lines);
}

static void put_escaped(struct email_text *out, unsigned char byte)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	if (byte && strchr(plain, byte))
		email_text_add(out, (const char *)&byte, 1);
	else
		email_text_format(out, "%%%02X", byte);
}

static void put_name_pieces(struct email_text *out, const char *name)
{
	struct email_text piece = { 0 };
	int index = 0;
	size_t len = strlen(name);

	for (size_t at = 0; at < len;) {
		size_t part = whole_characters(name + at, len - at, NAME_PIECE_CHARS / 3);

		for (size_t i = 0; i < part; i++)
			put_escaped(&piece, (unsigned char)name[at + i]);
		email_text_format(out, ";\r\n filename*%d*=%s%s", index, index ? "" : "UTF-8''",
				  piece.data);
		piece.len = 0;
		index++;
		at += part;
	}
	email_text_clear(&piece);
}

void email_put_file_name(struct email_text *out, const char *name)
{
	char *line = one_line(name);

	if (is_plain(line) && !strpbrk(line, "\"\\") && strlen(line) <= NAME_PIECE_CHARS)
		email_text_format(out, ";\r\n filename=\"%s\"", line);
	else
		put_name_pieces(out, line);
	free(line);
}

/* "image/png"; anything else, and what may not be base64, goes as bytes. */
static const char *safe_type(const char *type)
{
	static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789!#$&-^_.+";
	size_t first = type ? strspn(type, token) : 0;

	if (!first || type[first] != '/' || !type[first + 1] ||
	    type[first + 1 + strspn(type + first + 1, token)] || strlen(type) > 200 ||
	    strncasecmp(type, "message/", 8) == 0 || strncasecmp(type, "multipart/", 10) == 0)
		return "application/octet-stream";
	return type;
}

static void put_file(struct email_text *out, const struct email_file *file)
{
	const char *name = file->name && file->name[0] ? file->name : "file";

	email_text_format(out, "Content-Type: %s", safe_type(file->type));
	/* Beside RFC 2231: older mail programs only read this form. */
	if (!is_plain(name) && strlen(name) <= WORD_BYTES) {
		char *line = one_line(name);

		email_text_put(out, ";\r\n name=\"");
		put_words(out, line);
		email_text_put(out, "\"");
		free(line);
	}
	email_text_put(out, "\r\nContent-Disposition: attachment");
	email_put_file_name(out, name);
	email_text_put(out, "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	email_put_base64(out, file->bytes, file->len);
}

static void put_texts(struct email_text *out, const struct email_letter *letter)
{
	const struct outbound *message = letter->message;
	const char *text = message->text ? message->text : "";

	if (!message->html || !message->html[0]) {
		put_text_part(out, "text/plain", text);
		return;
	}
	email_text_format(out,
			  "Content-Type: multipart/alternative; boundary=\"=_a%s\"\r\n\r\n"
			  "--=_a%s\r\n",
			  letter->boundary, letter->boundary);
	put_text_part(out, "text/plain", text);
	email_text_format(out, "--=_a%s\r\n", letter->boundary);
	put_text_part(out, "text/html", message->html);
	email_text_format(out, "--=_a%s--\r\n", letter->boundary);
}

static void put_body(struct email_text *out, const struct email_letter *letter)
{
	if (letter->file_count == 0) {
		put_texts(out, letter);
		return;
	}
	email_text_format(out,
			  "Content-Type: multipart/mixed; boundary=\"=_m%s\"\r\n\r\n"
			  "--=_m%s\r\n",
			  letter->boundary, letter->boundary);
	put_texts(out, letter);
	for (size_t i = 0; i < letter->file_count; i++) {
		email_text_format(out, "--=_m%s\r\n", letter->boundary);
		put_file(out, &letter->files[i]);
	}
	email_text_format(out, "--=_m%s--\r\n", letter->boundary);
}

void email_compose(const struct email_letter *letter, struct email_text *out)
{
	put_date(out, letter->message->created_ms);
	put_people(out, letter);
	put_subject(out, letter);
	email_text_put(out, "Message-ID:");
	email_text_put(out, strlen(letter->message_id) + strlen("Message-ID: ") > LINE_MAX_CHARS + 2
				    ? "\r\n "
				    : " ");
	email_text_put(out, letter->message_id);
	email_text_put(out, "\r\n");
	put_references(out, letter->message);
	if (letter->message->automatic)
		email_text_put(out, "Auto-Submitted: auto-replied\r\n"
				    "X-Auto-Response-Suppress: All\r\n");
	email_text_put(out, "MIME-Version: 1.0\r\n");
	put_body(out, letter);
}
