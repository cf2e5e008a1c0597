#include "identity/context_link.h"

#include <string.h>

#include "base/crypto.h"
#include "base/text.h"

enum { SECRET_MAX = 128, PREFIX_BYTES = 6 };

static int fill(struct arena *arena, const char *url, context_value_fn *value, void *context,
		struct buf *out)
{
	while (*url != '\0') {
		size_t plain = strcspn(url, "{");
		const char *end = strchr(url, '}');
		const char *text;

		buf_add(out, url, plain);
		url += plain;
		if (*url == '\0')
			break;
		text = end == NULL ? NULL
				   : value(arena_copy(arena, url + 1, (size_t)(end - url - 1)),
					   context);
		if (text == NULL || *text == '\0')
			return -1;
		text_percent(out, text, strlen(text));
		url = end + 1;
	}
	return 0;
}

static int sign(const char *secret, struct buf *url)
{
	unsigned char key[SECRET_MAX];
	unsigned char sum[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	long len = text_starts(secret, "whsec_")
			   ? text_unbase64(secret + PREFIX_BYTES, strlen(secret + PREFIX_BYTES),
					   key, sizeof(key))
			   : -1;
	struct mac *mac;

	if (len <= 0)
		return -1;
	mac = mac_new(key, (size_t)len);
	mac_once(mac, url->data, url->len, sum);
	mac_free(&mac);
	text_hex(sum, sizeof(sum), hex);
	buf_format(url, "&signature=%s", hex);
	return 0;
}

int context_link_write(struct arena *arena, const struct context_link *link,
		       context_value_fn *value, void *context, struct buf *out)
{
	struct buf url = { 0 };
	int status = fill(arena, link->url, value, context, &url);

	if (status == 0) {
		buf_format(&url, "%cexpires=%lld",
			   strchr(buf_string(&url), '?') == NULL ? '?' : '&',
			   (long long)link->expires_s);
		status = sign(link->secret, &url);
	}
	if (status == 0)
		buf_add(out, url.data, url.len);
	buf_clear(&url);
	return status;
}
