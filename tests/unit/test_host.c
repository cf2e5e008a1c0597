/* What connectors ask of the core: the HMAC keeps the key it had last. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/crypto.h"
#include "channel.h"
#include "converge/connector.h"

static bool is_right(const void *key, size_t len)
{
	static const char text[] = "what do ya want for nothing?";
	unsigned char given[32];
	unsigned char wanted[32];
	struct mac *mac = mac_new(key, len);

	mac_once(mac, text, strlen(text), wanted);
	mac_free(&mac);
	host_services.hmac_sha256(key, len, text, strlen(text), given);
	return memcmp(given, wanted, sizeof(given)) == 0;
}

Test(host, signs_with_the_key_that_was_given)
{
	static const char longer[] = "a key that is longer than what is kept of the last one, "
				     "which has room for a block of SHA-256 and not more";

	for (int round = 0; round < 3; round++) {
		cr_expect(is_right("Jefe", 4));
		cr_expect(is_right("Jefe", 4), "again");
		cr_expect(is_right("Jefa", 4), "another of the same length");
		cr_expect(is_right("Jef", 3), "its beginning");
		cr_expect(is_right("", 0), "empty");
		cr_expect(is_right(longer, strlen(longer)), "too long to be kept");
	}
}
