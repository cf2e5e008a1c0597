/* Hashes, MACs, random bytes and signed tokens (crypto.c is the only OpenSSL
 * EVP user outside TLS). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum { SHA256_BYTES = 32, SHA1_BYTES = 20, MD5_BYTES = 16 };

void crypto_random(void *out, size_t len); /* aborts when the kernel has none */
bool crypto_equal(const void *a, size_t a_len, const void *b, size_t b_len); /* constant time */

void crypto_sha256(const void *bytes, size_t len, unsigned char out[SHA256_BYTES]);
/* SHA-256 of what comes in pieces. */
struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *digest, const void *bytes, size_t len);
void digest_end(struct digest **digest, unsigned char out[SHA256_BYTES]); /* frees it too */

void crypto_md5(const void *bytes, size_t len, unsigned char out[MD5_BYTES]);
void crypto_sha1(const void *bytes, size_t len, unsigned char out[SHA1_BYTES]);

/* A keyed context that is prepared once and copied for each use (0.75 us
 * against 3 us for one-shot HMAC). Update/final work on the context's own copy. */
struct mac;
struct mac *mac_new(const void *key, size_t len); /* HMAC-SHA256 */
void mac_free(struct mac **mac);
void mac_begin(struct mac *mac);
void mac_add(struct mac *mac, const void *bytes, size_t len);
void mac_end(struct mac *mac, unsigned char out[SHA256_BYTES]);
void mac_once(struct mac *mac, const void *bytes, size_t len, unsigned char out[SHA256_BYTES]);

void crypto_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t len,
		      unsigned char out[SHA1_BYTES]);

/* AES-256-CBC without padding: out has room for len bytes; false where len is
 * not a multiple of 16. */
bool crypto_aes256_cbc_decrypt(const unsigned char key[32], const unsigned char iv[16],
			       const void *bytes, size_t len, void *out);
bool crypto_aes256_cbc_encrypt(const unsigned char key[32], const unsigned char iv[16],
			       const void *bytes, size_t len, void *out);

/* Ed25519 verification (JWT EdDSA); pub is the raw 32-byte key. */
bool crypto_ed25519_ok(const unsigned char pub[32], const void *bytes, size_t len,
		       const unsigned char sig[64]);

/* A key that others sign with. NULL where the numbers make none: an RSA modulus under 2048 or over
 * 8192 bits, an even or long exponent, a point that is not on the curve. */
struct public_key;
struct public_key *public_key_rsa(const void *modulus, size_t modulus_len, const void *exponent,
				  size_t exponent_len);
struct public_key *public_key_p256(const unsigned char x[32], const unsigned char y[32]);
void public_key_free(struct public_key **key);
/* Was it signed over SHA-256? RSA by PKCS #1 v1.5 (JWT RS256), P-256 as r and s of 32 bytes each
 * (JWT ES256). */
bool public_key_fits(const struct public_key *key, const void *bytes, size_t len, const void *sig,
		     size_t sig_len);

const char *crypto_version(void); /* of the library that runs */
