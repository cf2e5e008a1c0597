#include "services/file_link.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"

enum { BLOB_LEN = 64, EXPIRES_MAX = 12, SIGNATURE_HEX = 32 };

static void link_sign(struct mac *mac, const char *blob, const char *expires,
		      char out[2 * SHA256_BYTES + 1])
{
	unsigned char sum[SHA256_BYTES];

	mac_begin(mac);
	mac_add(mac, "file-link", sizeof("file-link"));
	mac_add(mac, expires, strlen(expires) + 1);
	mac_add(mac, blob, strlen(blob));
	mac_end(mac, sum);
	text_hex(sum, sizeof(sum), out);
	out[SIGNATURE_HEX] = '\0';
}

void file_link_write(struct mac *mac, const char *blob, int64_t expires_s, struct buf *out)
{
	char signature[2 * SHA256_BYTES + 1];
	char expires[24];

	snprintf(expires, sizeof(expires), "%lld", (long long)expires_s);
	link_sign(mac, blob, expires, signature);
	buf_format(out, "/files/%s?expires=%s&signature=%s", blob, expires, signature);
}

bool file_link_ok(struct mac *mac, const char *blob, const char *expires, const char *signature,
		  int64_t now_s)
{
	char expected[2 * SHA256_BYTES + 1];
	uint64_t until;

	if (blob == NULL || expires == NULL || signature == NULL || strlen(blob) != BLOB_LEN ||
	    strlen(expires) > EXPIRES_MAX || !text_uint(expires, strlen(expires), &until))
		return false;
	link_sign(mac, blob, expires, expected);
	return crypto_equal(expected, SIGNATURE_HEX, signature, strlen(signature)) &&
	       (int64_t)until > now_s;
}
