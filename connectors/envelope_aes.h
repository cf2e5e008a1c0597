/* The sealed message of WeChat, WeCom and DingTalk: base64 of AES-256-CBC over
 * random[16] | length, 4 bytes big-endian | message | receive_id, padded by
 * PKCS#7 to 32 bytes; and the signature beside it. */
#pragma once

#include "converge/connector.h"

struct envelope_key {
	unsigned char bytes[32];
};

/* The EncodingAESKey of the console, 43 letters and digits. False: it is none. */
bool envelope_key_read(const struct host *host, const char *text, struct envelope_key *ret);

/* Lower-case hex of SHA-1 over the texts (at most 6, NULL at the end) in the order of their bytes.
 */
char *envelope_sign(const struct host *host, struct arena *arena, const char *const *texts);
/* In constant time; false too where signature or any text before the end is NULL. */
bool envelope_is_signed(const struct host *host, struct arena *arena, const char *signature,
			const char *const *texts, size_t count);

/* How one account seals: with which key, and whose messages are its own. */
struct envelope_seal {
	const struct host *host;
	struct envelope_key key;
	const char *receive_id;
};

/* The message, a NUL after it; NULL with a static phrase: not base64, not of this key, or sealed
 * for another receive_id. */
char *envelope_open(const struct envelope_seal *seal, struct arena *arena, const char *sealed,
		    const char **ret_error);

/* random: 16 bytes; NULL: fresh ones. */
char *envelope_close(const struct envelope_seal *seal, struct arena *arena, const char *message,
		     const unsigned char *random);

/* The sealed text (Encrypt) of an XML body, in the arena; NULL: there is none. */
const char *envelope_sealed(const struct host *host, const struct inbound *in, struct arena *arena);
