#include "base/sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"

enum { KEY_MAX = 64, HEAD_MAX = 192 };

int sign_webhook(const char *secret, const char *id, int64_t timestamp_s, const struct buf *body,
		 char out[SIGNATURE_TEXT_BYTES])
{
	static const char prefix[] = "whsec_";
	unsigned char key[KEY_MAX];
	unsigned char digest[SHA256_BYTES];
	char head[HEAD_MAX];
	struct mac *mac;
	long len = -1;

	if (secret != NULL && text_starts(secret, prefix))
		len = text_unbase64(secret + strlen(prefix), strlen(secret + strlen(prefix)), key,
				    sizeof(key));
	if (len <= 0)
		return -1;
	mac = mac_new(key, (size_t)len);
	explicit_bzero(key, sizeof(key));
	snprintf(head, sizeof(head), "%s.%" PRId64 ".", id, timestamp_s);
	mac_begin(mac);
	mac_add(mac, head, strlen(head));
	mac_add(mac, body->data, body->len);
	mac_end(mac, digest);
	mac_free(&mac);
	memcpy(out, "v1,", 3);
	text_base64(digest, sizeof(digest), out + 3);
	return 0;
}
