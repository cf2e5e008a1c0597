/* Forms, XML and JSON for connectors. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/xml.h"
#include "host/host_private.h"

enum { PAIRS_MAX = 1000 };

struct json_object *host_xml_read(const char *bytes, size_t len, struct arena *arena,
				  const char **ret_error)
{
	struct error err = { 0 };
	struct json_object *value = xml_read(bytes, len, &err);

	if (!value && ret_error)
		*ret_error = arena_text(arena, err.text);
	return value;
}

static const char *component(struct arena *arena, const char *bytes, size_t len)
{
	char *out = arena_alloc(arena, len + 1);

	return text_unpercent(bytes, len, true, out, len + 1) < 0 ? NULL : out;
}

long host_form_read(const char *bytes, size_t len, struct arena *arena,
		    const struct host_pair **ret)
{
	struct host_pair *pairs = arena_alloc(arena, PAIRS_MAX * sizeof(*pairs));
	long count = 0;

	*ret = pairs;
	while (len > 0) {
		const char *end = memchr(bytes, '&', len);
		size_t size = end ? (size_t)(end - bytes) : len;
		const char *equals = memchr(bytes, '=', size);
		size_t name = equals ? (size_t)(equals - bytes) : size;

		if (size > 0) {
			struct host_pair *pair = &pairs[count];

			if (count == PAIRS_MAX)
				return -1;
			pair->name = component(arena, bytes, name);
			pair->value = equals ? component(arena, equals + 1, size - name - 1) : "";
			if (!pair->name || !pair->value)
				return -1;
			count++;
		}
		bytes += size + (end ? 1 : 0);
		len -= size + (end ? 1 : 0);
	}
	return count;
}

char *host_url_escape(struct arena *arena, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	static const char digits[] = "0123456789ABCDEF";
	char *out = arena_alloc(arena, 3 * strlen(text) + 1);
	char *at = out;

	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (strchr(plain, byte)) {
			*at++ = (char)byte;
			continue;
		}
		*at++ = '%';
		*at++ = digits[byte >> 4];
		*at++ = digits[byte & 15];
	}
	return out;
}

char *host_json_print(struct json_object *value, struct arena *arena)
{
	OWNED(buf_clear) struct buf text = { 0 };

	json_append(value, &text);
	return arena_copy(arena, buf_string(&text), text.len);
}

char *host_callback_url(const struct channel *channel, struct arena *arena)
{
	bool is_main = text_equal(channel->workspace, "main");

	if (channel->public_url == NULL || *channel->public_url == '\0')
		return NULL;
	return arena_format(arena, "%s/in/%s%s%s", channel->public_url,
			    is_main ? "" : channel->workspace, is_main ? "" : ".", channel->name);
}
