#include <string.h>

#include "envelope_aes.h"

enum {
	KEY_CHARS = 43,
	RANDOM_BYTES = 16,
	HEAD_BYTES = RANDOM_BYTES + 4,
	PAD_BLOCK = 32,
	SHA1_BYTES = 20,
	TEXTS_MAX = 6,
	SEALED_MAX = 1024 * 1024,
};

/* 43 letters hold 258 bits: what the last one has beyond the 256 is dropped,
 * as the providers' own libraries do; a strict decoder would refuse it. */
bool envelope_key_read(const struct host *host, const char *text, struct envelope_key *ret)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char padded[KEY_CHARS + 1];
	const char *last;

	if (!text || strlen(text) != KEY_CHARS)
		return false;
	last = strchr(letters, text[KEY_CHARS - 1]);
	if (!last)
		return false;
	memcpy(padded, text, KEY_CHARS);
	padded[KEY_CHARS - 1] = letters[(last - letters) & ~3];
	padded[KEY_CHARS] = '=';
	return host->unbase64(padded, sizeof(padded), ret->bytes, sizeof(ret->bytes)) ==
	       (long)sizeof(ret->bytes);
}

char *envelope_sign(const struct host *host, struct arena *arena, const char *const *texts)
{
	const char *sorted[TEXTS_MAX];
	unsigned char hash[SHA1_BYTES];
	const char *all = "";
	size_t count = 0;

	for (; count < TEXTS_MAX && texts[count]; count++) {
		size_t at = count;

		for (; at > 0 && strcmp(sorted[at - 1], texts[count]) > 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = texts[count];
	}
	for (size_t i = 0; i < count; i++)
		all = host->format(arena, "%s%s", all, sorted[i]);
	host->sha1(all, strlen(all), hash);
	return host->hex(arena, hash, sizeof(hash));
}

bool envelope_is_signed(const struct host *host, struct arena *arena, const char *signature,
			const char *const *texts, size_t count)
{
	const char *expected;

	for (size_t i = 0; i < count; i++)
		if (!texts[i])
			return false;
	if (!signature)
		return false;
	expected = envelope_sign(host, arena, texts);
	return host->equal(signature, strlen(signature), expected, strlen(expected));
}

/* The bytes without their padding; -1: it is not whole. */
static long unpad(const unsigned char *bytes, size_t len)
{
	size_t pad = bytes[len - 1];
	unsigned char wrong = 0;

	if (pad == 0 || pad > PAD_BLOCK || pad > len)
		return -1;
	for (size_t i = len - pad; i < len; i++)
		wrong |= bytes[i] ^ (unsigned char)pad;
	return wrong ? -1 : (long)(len - pad);
}

/* What is between the head and the receive_id. */
static char *message_in(const struct envelope_seal *seal, struct arena *arena,
			const unsigned char *plain, size_t len)
{
	size_t message_len = (size_t)plain[16] << 24 | (size_t)plain[17] << 16 |
			     (size_t)plain[18] << 8 | (size_t)plain[19];

	if (message_len > len - HEAD_BYTES)
		return NULL;
	if (!seal->host->equal(plain + HEAD_BYTES + message_len, len - HEAD_BYTES - message_len,
			       seal->receive_id, strlen(seal->receive_id)))
		return NULL;
	return seal->host->copy(arena, plain + HEAD_BYTES, message_len);
}

char *envelope_open(const struct envelope_seal *seal, struct arena *arena, const char *sealed,
		    const char **ret_error)
{
	const struct host *host = seal->host;
	const unsigned char *key = seal->key.bytes;
	size_t sealed_len = strlen(sealed);
	unsigned char *bytes, *plain;
	char *message;
	long len;

	*ret_error = "the sealed message is too long";
	if (sealed_len > SEALED_MAX)
		return NULL;
	bytes = host->alloc(arena, sealed_len + 1);
	plain = host->alloc(arena, sealed_len + 1);
	len = host->unbase64(sealed, sealed_len, bytes, sealed_len + 1);
	*ret_error = "the sealed message is not base64 of whole blocks";
	if (len <= 0 || len % 16 != 0)
		return NULL;
	*ret_error = "the sealed message is not of this encoding_aes_key";
	if (!host->aes256_cbc_decrypt(key, key, bytes, (size_t)len, plain))
		return NULL;
	len = unpad(plain, (size_t)len);
	if (len < HEAD_BYTES)
		return NULL;
	*ret_error = "the sealed message is for another receiver";
	message = message_in(seal, arena, plain, (size_t)len);
	if (message)
		*ret_error = NULL;
	return message;
}

char *envelope_close(const struct envelope_seal *seal, struct arena *arena, const char *message,
		     const unsigned char *random)
{
	const struct host *host = seal->host;
	const unsigned char *key = seal->key.bytes;
	size_t message_len = strlen(message), id_len = strlen(seal->receive_id);
	size_t len = HEAD_BYTES + message_len + id_len;
	size_t pad = PAD_BLOCK - len % PAD_BLOCK;
	unsigned char *plain = host->alloc(arena, len + pad);
	unsigned char *sealed = host->alloc(arena, len + pad);

	if (random)
		memcpy(plain, random, RANDOM_BYTES);
	else
		host->random(plain, RANDOM_BYTES);
	for (size_t i = 0; i < 4; i++)
		plain[RANDOM_BYTES + i] = (unsigned char)(message_len >> (24 - 8 * i));
	memcpy(plain + HEAD_BYTES, message, message_len);
	memcpy(plain + HEAD_BYTES + message_len, seal->receive_id, id_len);
	memset(plain + len, (int)pad, pad);
	host->aes256_cbc_encrypt(key, key, plain, len + pad, sealed);
	return host->base64(arena, sealed, len + pad);
}

const char *envelope_sealed(const struct host *host, const struct inbound *in, struct arena *arena)
{
	struct json_object *xml = host->xml_read(in->body, in->body_len, arena, NULL);
	const char *sealed = xml ? host->json_text(xml, "Encrypt") : NULL;

	sealed = sealed ? host->text(arena, sealed) : NULL;
	if (xml)
		host->json_free(xml);
	return sealed;
}
