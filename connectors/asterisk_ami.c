#include "asterisk_ami.h"

#include <string.h>
#include <strings.h>

enum { BANNER_MAX = 200 };

enum ami_result ami_read_banner(const char *bytes, size_t len, size_t *ret_len)
{
	static const char start[] = "Asterisk Call Manager/";
	size_t compared = len < sizeof(start) - 1 ? len : sizeof(start) - 1;
	const char *end = memchr(bytes, '\n', len < BANNER_MAX ? len : BANNER_MAX);

	if (memcmp(bytes, start, compared) != 0)
		return AMI_BROKEN;
	if (!end)
		return len < BANNER_MAX ? AMI_MORE : AMI_BROKEN;
	*ret_len = (size_t)(end - bytes) + 1;
	return end > bytes && end[-1] == '\r' ? AMI_BLOCK : AMI_BROKEN;
}

static bool is_name(const char *bytes, size_t len)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_()/. ";

	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '\0' || !strchr(allowed, bytes[i]))
			return false;
	return len > 0;
}

/* "Key: Value" without its CRLF; the space may be missing, the value empty. */
static bool read_line(const char *line, size_t len, struct ami_field *ret)
{
	const char *colon = memchr(line, ':', len);
	size_t name = colon ? (size_t)(colon - line) : 0;

	if (!colon || !is_name(line, name) || memchr(line, '\0', len) || memchr(line, '\r', len))
		return false;
	ret->name = (struct ami_text){ line, name };
	ret->value = (struct ami_text){ colon + 1, len - name - 1 };
	if (ret->value.len > 0 && ret->value.bytes[0] == ' ') {
		ret->value.bytes++;
		ret->value.len--;
	}
	return true;
}

/* The length of the line at the start with its CRLF; 0: it has no end yet, or none that will do. */
static size_t line_len(const char *bytes, size_t len)
{
	size_t seen = len < AMI_LINE_MAX ? len : AMI_LINE_MAX;
	const char *end = memchr(bytes, '\n', seen);

	return end && end > bytes && end[-1] == '\r' ? (size_t)(end - bytes) + 1 : 0;
}

static bool is_waiting(const char *bytes, size_t len)
{
	return len < AMI_LINE_MAX && !memchr(bytes, '\n', len);
}

enum ami_result ami_read(const char *bytes, size_t len, struct ami_block *ret)
{
	bool is_bad = false;
	size_t at = 0;

	ret->count = 0;
	while (at < len && at < AMI_BLOCK_MAX) {
		size_t line = line_len(bytes + at, len - at);

		if (line == 0)
			return is_waiting(bytes + at, len - at) ? AMI_MORE : AMI_BROKEN;
		if (line == 2) {
			ret->len = at + line;
			return is_bad || ret->count == 0 ? AMI_BAD : AMI_BLOCK;
		}
		/* A block that cannot be read is left out as a whole. */
		is_bad = is_bad || ret->count == AMI_FIELDS_MAX ||
			 !read_line(bytes + at, line - 2, &ret->fields[ret->count]);
		ret->count += is_bad ? 0 : 1;
		at += line;
	}
	return at < AMI_BLOCK_MAX ? AMI_MORE : AMI_BROKEN;
}

bool ami_is(struct ami_text text, const char *word)
{
	return text.bytes && text.len == strlen(word) && memcmp(text.bytes, word, text.len) == 0;
}

struct ami_text ami_value(const struct ami_block *block, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < block->count; i++)
		if (block->fields[i].name.len == len &&
		    strncasecmp(block->fields[i].name.bytes, name, len) == 0)
			return block->fields[i].value;
	return (struct ami_text){ NULL, 0 };
}
