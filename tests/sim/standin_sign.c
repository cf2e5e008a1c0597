/* Signatures and envelopes, as the providers' documents describe them. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { ENVELOPE_RANDOM = 16, ENVELOPE_BLOCK = 32, AES_KEY = 32, AES_TEXT = 43 };

static void hmac256(const char *key, const void *bytes, size_t len, unsigned char out[SHA256_BYTES])
{
	struct mac *mac = mac_new(key, strlen(key));
	mac_once(mac, bytes, len, out);
	mac_free(&mac);
}

static const char *hex(struct arena *arena, const unsigned char *bytes, size_t len)
{
	char *out = arena_alloc(arena, 2 * len + 1);
	text_hex(bytes, len, out);
	return out;
}

static const char *base64(struct arena *arena, const void *bytes, size_t len)
{
	char *out = arena_alloc(arena, 4 * ((len + 2) / 3) + 1);
	text_base64(bytes, len, out);
	return out;
}

const char *hmac256_hex(struct arena *arena, const char *key, const void *bytes, size_t len)
{
	unsigned char mac[SHA256_BYTES];
	hmac256(key, bytes, len, mac);
	return hex(arena, mac, sizeof(mac));
}

const char *hmac256_base64(struct arena *arena, const char *key, const void *bytes, size_t len)
{
	unsigned char mac[SHA256_BYTES];
	hmac256(key, bytes, len, mac);
	return base64(arena, mac, sizeof(mac));
}

const char *hmac1_base64(struct arena *arena, const char *key, const void *bytes, size_t len)
{
	unsigned char mac[SHA1_BYTES];
	crypto_hmac_sha1(key, strlen(key), bytes, len, mac);
	return base64(arena, mac, sizeof(mac));
}

const char *sha256_hex(struct arena *arena, const void *bytes, size_t len)
{
	unsigned char digest[SHA256_BYTES];
	crypto_sha256(bytes, len, digest);
	return hex(arena, digest, sizeof(digest));
}

const char *sha1_hex(struct arena *arena, const void *bytes, size_t len)
{
	unsigned char digest[SHA1_BYTES];
	crypto_sha1(bytes, len, digest);
	return hex(arena, digest, sizeof(digest));
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *sha1_sorted(struct arena *arena, const char *const *texts)
{
	const char *sorted[8];
	size_t count = 0;
	struct buf joined = { 0 };
	while (texts[count] != NULL && count < COUNT_OF(sorted)) {
		sorted[count] = texts[count];
		count++;
	}
	qsort(sorted, count, sizeof(*sorted), by_bytes);
	for (size_t i = 0; i < count; i++)
		buf_text(&joined, sorted[i]);
	const char *digest = sha1_hex(arena, buf_string(&joined), joined.len);
	buf_clear(&joined);
	return digest;
}

/* The 43rd letter may carry bits that a strict decoder refuses: its last two are dropped. */
static bool envelope_key(const char *encoding_aes_key, unsigned char out[AES_KEY])
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[AES_TEXT + 2];
	if (strlen(encoding_aes_key) != AES_TEXT)
		return false;
	memcpy(text, encoding_aes_key, AES_TEXT);
	const char *last = strchr(letters, text[AES_TEXT - 1]);
	if (last == NULL)
		return false;
	text[AES_TEXT - 1] = letters[(last - letters) & ~3];
	text[AES_TEXT] = '=';
	return text_unbase64(text, AES_TEXT + 1, out, AES_KEY) == AES_KEY;
}

const char *envelope_seal(struct arena *arena, const char *encoding_aes_key, const char *text,
			  const char *receiver, const char *random16)
{
	unsigned char key[AES_KEY], random[ENVELOPE_RANDOM];
	struct buf plain = { 0 };
	uint32_t length = htonl((uint32_t)strlen(text));
	crypto_random(random, sizeof(random));
	if (!envelope_key(encoding_aes_key, key))
		return "";
	buf_add(&plain, random16 != NULL ? (const void *)random16 : random, ENVELOPE_RANDOM);
	buf_add(&plain, &length, sizeof(length));
	buf_text(&plain, text);
	buf_text(&plain, receiver);
	size_t pad = ENVELOPE_BLOCK - plain.len % ENVELOPE_BLOCK;
	for (size_t i = 0; i < pad; i++)
		buf_byte(&plain, (char)pad);
	char *sealed = arena_alloc(arena, plain.len);
	crypto_aes256_cbc_encrypt(key, key, plain.data, plain.len, sealed);
	const char *result = base64(arena, sealed, plain.len);
	buf_clear(&plain);
	return result;
}

const char *envelope_open(struct arena *arena, const char *encoding_aes_key, const char *sealed64,
			  const char *receiver)
{
	unsigned char key[AES_KEY];
	size_t room = strlen(sealed64) + 4;
	unsigned char *sealed = arena_alloc(arena, room);
	unsigned char *plain = arena_alloc(arena, room);
	uint32_t length;
	long len = text_unbase64(sealed64, strlen(sealed64), sealed, room);
	if (!envelope_key(encoding_aes_key, key) || len < ENVELOPE_BLOCK ||
	    !crypto_aes256_cbc_decrypt(key, key, sealed, (size_t)len, plain))
		return NULL;
	size_t pad = plain[len - 1];
	if (pad < 1 || pad > ENVELOPE_BLOCK || (size_t)len < pad + ENVELOPE_RANDOM + 4)
		return NULL;
	size_t left = (size_t)len - pad - ENVELOPE_RANDOM - 4;
	memcpy(&length, plain + ENVELOPE_RANDOM, sizeof(length));
	length = ntohl(length);
	const char *text = (const char *)plain + ENVELOPE_RANDOM + 4;
	if (length > left || left - length != strlen(receiver) ||
	    memcmp(text + length, receiver, left - length) != 0)
		return NULL;
	return arena_copy(arena, text, length);
}
