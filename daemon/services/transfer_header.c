#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "services/transfer.h"
#include "services/transfer_private.h"

enum { RETRY_AFTER_MAX_S = 24 * 3600 };

bool transfer_is_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* Start of the last header block: after the last "HTTP/" status line. */
static size_t last_block(const char *headers, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i + 5 < len; i++)
		if ((i == 0 || headers[i - 1] == '\n') && memcmp(headers + i, "HTTP/", 5) == 0)
			start = i;
	return start;
}

static bool copy_value(const char *value, const char *end, char *out, size_t room)
{
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	if ((size_t)(end - value) >= room)
		return false;
	memcpy(out, value, (size_t)(end - value));
	out[end - value] = '\0';
	return true;
}

bool transfer_header_find(const char *headers, size_t len, const char *name, char *out, size_t room)
{
	size_t name_len = strlen(name);
	const char *line = headers + (len ? last_block(headers, len) : 0);
	const char *stop = headers + len;

	while (line < stop) {
		const char *end = memchr(line, '\n', (size_t)(stop - line));

		if (!end)
			end = stop;
		if ((size_t)(end - line) > name_len && line[name_len] == ':' &&
		    strncasecmp(line, name, name_len) == 0)
			return copy_value(line + name_len + 1, end, out, room);
		line = end + 1;
	}
	return false;
}

bool transfer_header(const struct transfer_answer *answer, const char *name, char *out, size_t room)
{
	return transfer_header_find(answer->headers, answer->headers_len, name, out, room);
}

int64_t transfer_retry_after(const char *value, int64_t now_s)
{
	size_t len = strlen(value);
	int64_t seconds;

	if (len > 0 && len <= 9 && strspn(value, "0123456789") == len) {
		seconds = strtoll(value, NULL, 10);
	} else {
		struct tm date = { 0 };
		const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &date);

		if (!end || *end)
			return -1;
		seconds = (int64_t)timegm(&date) - now_s;
	}
	if (seconds < 0)
		seconds = 0;
	return (seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds) * 1000;
}
