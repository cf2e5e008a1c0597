/* IMAP answer lines to numbers, and folder names to what IMAP writes. Pure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "email_private.h"

/* A decimal number of 1 to 4294967295; 0 where there is none. */
static uint32_t number_at(const char *text, const char *end)
{
	uint64_t number = 0;

	while (text < end && *text >= '0' && *text <= '9') {
		number = number * 10 + (uint64_t)(*text++ - '0');
		if (number > UINT32_MAX)
			return 0;
	}
	return (uint32_t)number;
}

/* Behind a word that stands alone in the line; NULL where it is not there. */
static const char *after_word(const char *line, const char *end, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = line; p + len < end; p++)
		if (strncasecmp(p, word, len) == 0 && (p == line || strchr(" ([", p[-1])) &&
		    p[len] == ' ')
			return p + len + 1;
	return NULL;
}

static const char *line_end(const char *line, const char *stop)
{
	const char *end = memchr(line, '\n', (size_t)(stop - line));

	return end ? end : stop;
}

static bool is_untagged(const char *line, const char *end)
{
	return end - line > 2 && line[0] == '*' && line[1] == ' ';
}

void email_read_mailbox(const char *lines, size_t len, struct email_mailbox *ret)
{
	const char *stop = lines + len;

	memset(ret, 0, sizeof(*ret));
	for (const char *line = lines, *end; line < stop; line = end + 1) {
		const char *at;

		end = line_end(line, stop);
		if (!is_untagged(line, end))
			continue;
		at = after_word(line, end, "UIDVALIDITY");
		if (at)
			ret->uidvalidity = number_at(at, end);
		at = after_word(line, end, "UIDNEXT");
		if (at)
			ret->uidnext = number_at(at, end);
	}
}

static int by_uid(const void *a, const void *b)
{
	const struct email_listed *one = a, *two = b;

	return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static bool read_fetch_line(const char *line, const char *end, struct email_listed *ret)
{
	const char *uid = after_word(line, end, "UID");
	const char *size = after_word(line, end, "RFC822.SIZE");
	const char *flags = after_word(line, end, "FLAGS");
	const char *flags_end = flags ? memchr(flags, ')', (size_t)(end - flags)) : NULL;

	ret->uid = uid ? number_at(uid, end) : 0;
	ret->size = size ? (int64_t)number_at(size, end) : -1;
	ret->deleted = false;
	for (const char *p = flags; flags_end && p + 8 <= flags_end; p++)
		ret->deleted |= strncasecmp(p, "\\Deleted", 8) == 0;
	return ret->uid && after_word(line, end, "FETCH");
}

size_t email_read_listed(const char *lines, size_t len, uint32_t above, struct email_listed *out,
			 size_t room)
{
	const char *stop = lines + len;
	size_t count = 0;

	for (const char *line = lines, *end; line < stop && count < room; line = end + 1) {
		end = line_end(line, stop);
		/* "n:*" names the last message even where its UID is below n. */
		if (is_untagged(line, end) && read_fetch_line(line, end, &out[count]) &&
		    out[count].uid > above)
			count++;
	}
	qsort(out, count, sizeof(*out), by_uid);
	return count;
}

uint32_t email_read_search(const char *lines, size_t len)
{
	const char *stop = lines + len;
	uint32_t lowest = 0;

	for (const char *line = lines, *end; line < stop; line = end + 1) {
		const char *at;

		end = line_end(line, stop);
		at = is_untagged(line, end) ? after_word(line, end, "SEARCH") : NULL;
		for (; at && at < end; at++) {
			uint32_t uid = number_at(at, end);

			if (uid && (!lowest || uid < lowest))
				lowest = uid;
			while (at < end && *at != ' ')
				at++;
		}
	}
	return lowest;
}

/* ---- modified UTF-7 ---- */

static size_t utf8_next(const char *text, uint32_t *ret)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t code = p[0] < 0x80 ? p[0] : p[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			*ret = '?';
			return i;
		}
		code = code << 6 | (p[i] & 0x3fu);
	}
	*ret = code;
	return len;
}

struct utf7 {
	struct email_text *out;
	uint32_t bits;
	unsigned bit_count;
	bool shifted;
};

static void utf7_unit(struct utf7 *state, uint32_t unit)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

	state->bits = (state->bits << 16 | unit) & 0x3fffffu;
	state->bit_count += 16;
	while (state->bit_count >= 6) {
		state->bit_count -= 6;
		email_text_add(state->out, &alphabet[state->bits >> state->bit_count & 63], 1);
	}
}

static void utf7_shift(struct utf7 *state, bool shifted)
{
	if (state->shifted == shifted)
		return;
	if (shifted) {
		email_text_put(state->out, "&");
		state->bits = 0;
		state->bit_count = 0;
	} else {
		if (state->bit_count) {
			unsigned missing = 6 - state->bit_count;
			static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
						       "mnopqrstuvwxyz0123456789+,";

			email_text_add(state->out, &alphabet[state->bits << missing & 63], 1);
		}
		email_text_put(state->out, "-");
	}
	state->shifted = shifted;
}

static void utf7_encode(const char *utf8, struct email_text *out)
{
	struct utf7 state = { .out = out };

	while (*utf8) {
		uint32_t code;
		size_t len = utf8_next(utf8, &code);

		utf7_shift(&state, code < ' ' || code > '~');
		if (!state.shifted)
			email_text_put(out, code == '&' ? "&-" : (char[]){ (char)code, '\0' });
		else if (code < 0x10000)
			utf7_unit(&state, code);
		else {
			utf7_unit(&state, 0xd800 + ((code - 0x10000) >> 10));
			utf7_unit(&state, 0xdc00 + ((code - 0x10000) & 0x3ff));
		}
		utf8 += len;
	}
	utf7_shift(&state, false);
}

char *email_folder(struct arena *arena, const char *utf8, bool url)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~/";
	struct email_text name = { 0 }, out = { 0 };
	char *result;

	utf7_encode(utf8, &name);
	for (size_t i = 0; i < name.len; i++) {
		if (url && !strchr(unreserved, name.data[i]))
			email_text_format(&out, "%%%02X", (unsigned char)name.data[i]);
		else if (!url && strchr("\"\\", name.data[i]))
			email_text_format(&out, "\\%c", name.data[i]);
		else
			email_text_add(&out, &name.data[i], 1);
	}
	result = email_host()->copy(arena, out.data ? out.data : "", out.len);
	email_text_clear(&name);
	email_text_clear(&out);
	return result;
}
