/* Address lists (RFC 5322, and what is sent under its name) and Message-IDs. */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

/* One mailbox while it is read: words outside < >, the address inside. */
struct reading {
	struct buf phrase;
	struct buf address;
	bool in_brackets;
	bool had_brackets;
};

static size_t comment_length(const char *p)
{
	size_t depth = 0;
	size_t at = 0;

	for (; p[at] != '\0'; at++) {
		if (p[at] == '\\' && p[at + 1] != '\0')
			at++;
		else if (p[at] == '(')
			depth++;
		else if (p[at] == ')' && --depth == 0)
			return at + 1;
	}
	return at;
}

static size_t quoted_length(const char *p)
{
	size_t at = 1;

	while (p[at] != '\0' && p[at] != '"')
		at += p[at] == '\\' && p[at + 1] != '\0' ? 2 : 1;
	return p[at] == '"' ? at + 1 : at;
}

/* The inside of a quoted string; the quotes stay in an address's local part. */
static void add_quoted(struct reading *reading, const char *p, size_t len)
{
	if (reading->in_brackets) {
		buf_add(&reading->address, p, len);
		return;
	}
	for (size_t i = 1; i < len; i++) {
		if (p[i] == '\\' && i + 1 < len)
			i++;
		else if (p[i] == '"')
			break;
		buf_byte(&reading->phrase, p[i]);
	}
}

static bool is_address(const char *text)
{
	const char *at = strrchr(text, '@');

	return at != NULL && at != text && at[1] != '\0' && strpbrk(text, " \t\r\n<>,;") == NULL;
}

static void reading_end(struct reading *reading, struct arena *arena, size_t room,
			struct mail_addresses *ret)
{
	const struct buf *from = reading->had_brackets ? &reading->address : &reading->phrase;
	char *address = text_clean_line(arena, buf_string(from), from->len, LIMIT_ADDRESS_BYTES);
	const struct buf *phrase = &reading->phrase;

	if (is_address(address) && ret->count < room) {
		struct mail_address *item = &ret->items[ret->count++];

		item->address = address;
		item->name = reading->had_brackets ? header_decode(arena, buf_string(phrase),
								   phrase->len, LIMIT_NAME_BYTES)
						   : "";
	}
	buf_reset(&reading->phrase);
	buf_reset(&reading->address);
	reading->in_brackets = false;
	reading->had_brackets = false;
}

/* One character outside of quotes and comments. */
static void read_plain(struct reading *reading, char c)
{
	if (c == '<') {
		reading->in_brackets = true;
		reading->had_brackets = true;
		buf_reset(&reading->address);
	} else if (c == '>') {
		reading->in_brackets = false;
	} else if (reading->in_brackets) {
		if (c != ' ' && c != '\t')
			buf_byte(&reading->address, c);
	} else {
		buf_byte(&reading->phrase, c);
	}
}

static size_t commas(const char *value)
{
	size_t count = 1;

	for (; *value != '\0'; value++)
		count += *value == ',' || *value == ';';
	return count;
}

/* What is no end of an address; returns its length. */
static size_t read_part(struct reading *reading, const char *value)
{
	size_t used = 1;

	if (*value == '(')
		return comment_length(value);
	if (*value == '"') {
		used = quoted_length(value);
		add_quoted(reading, value, used);
	} else if (*value == ':' && !reading->in_brackets) {
		buf_reset(&reading->phrase); /* the name of a group */
	} else {
		read_plain(reading, *value);
	}
	return used;
}

void addresses_read(struct arena *arena, const char *value, size_t room, struct mail_addresses *ret)
{
	struct reading reading = { 0 };
	size_t most;

	if (value == NULL)
		return;
	most = commas(value);
	if (ret->items == NULL) {
		ret->items = arena_alloc(arena, (most < room ? most : room) * sizeof(*ret->items));
		room = most < room ? most : room;
	}
	while (*value != '\0') {
		if ((*value == ',' || *value == ';') && !reading.in_brackets) {
			reading_end(&reading, arena, room, ret);
			value++;
		} else {
			value += read_part(&reading, value);
		}
	}
	reading_end(&reading, arena, room, ret);
	buf_clear(&reading.phrase);
	buf_clear(&reading.address);
}

bool address_equal(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

/* The id between < and >, without space; the length used, 0 at the end. */
static size_t next_id(struct arena *arena, const char *p, const char **ret_id)
{
	const char *open = strchr(p, '<');
	const char *close = open == NULL ? NULL : strchr(open, '>');
	char *id;
	size_t out = 0;

	*ret_id = NULL;
	if (close == NULL)
		return 0;
	if (close - open > LIMIT_ID_BYTES)
		return (size_t)(close - p) + 1;
	id = arena_copy(arena, open, (size_t)(close - open) + 1);
	for (const char *from = open; from <= close; from++)
		if ((unsigned char)*from > ' ' && (unsigned char)*from < 0x7f)
			id[out++] = *from;
	id[out] = '\0';
	if (out > 2)
		*ret_id = id;
	return (size_t)(close - p) + 1;
}

void message_ids_read(struct arena *arena, const char *value, struct mail_texts *ret)
{
	size_t used;
	const char *id;

	if (value == NULL)
		return;
	if (ret->items == NULL)
		ret->items = arena_alloc(arena, PARSE_REFERENCES_MAX * sizeof(*ret->items));
	while ((used = next_id(arena, value, &id)) > 0) {
		value += used;
		if (id == NULL)
			continue;
		/* too many: the first tells where it began, the newest matter most */
		if (ret->count == PARSE_REFERENCES_MAX) {
			memmove(ret->items + 1, ret->items + 2,
				(PARSE_REFERENCES_MAX - 2) * sizeof(*ret->items));
			ret->count--;
		}
		ret->items[ret->count++] = id;
	}
}
