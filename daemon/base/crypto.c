#include "base/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"

/* OpenSSL fails here only when it is out of memory or badly installed. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

void crypto_random(void *out, size_t len)
{
	unsigned char *bytes = out;

	while (len > 0) {
		ssize_t got = getrandom(bytes, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		must(got > 0);
		bytes += got;
		len -= (size_t)got;
	}
}

bool crypto_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || CRYPTO_memcmp(a, b, a_len) == 0);
}

/* Fetching by name costs more than hashing a short text, hence once. */
static const EVP_MD *sha256(void)
{
	static const EVP_MD *method;

	if (method == NULL) {
		method = EVP_MD_fetch(NULL, "SHA256", NULL);
		must(method != NULL);
	}
	return method;
}

void crypto_sha256(const void *bytes, size_t len, unsigned char out[SHA256_BYTES])
{
	must(EVP_Digest(bytes, len, out, NULL, sha256(), NULL) == 1);
}

struct digest {
	EVP_MD_CTX *context;
};

struct digest *digest_new(void)
{
	struct digest *digest = memory_new(sizeof(*digest));

	digest->context = EVP_MD_CTX_new();
	must(digest->context != NULL && EVP_DigestInit_ex2(digest->context, sha256(), NULL) == 1);
	return digest;
}

void digest_add(struct digest *digest, const void *bytes, size_t len)
{
	must(EVP_DigestUpdate(digest->context, bytes, len) == 1);
}

void digest_end(struct digest **digest, unsigned char out[SHA256_BYTES])
{
	must(EVP_DigestFinal_ex((*digest)->context, out, NULL) == 1);
	EVP_MD_CTX_free((*digest)->context);
	free(*digest);
	*digest = NULL;
}

void crypto_md5(const void *bytes, size_t len, unsigned char out[MD5_BYTES])
{
	must(EVP_Digest(bytes, len, out, NULL, EVP_md5(), NULL) == 1);
}

void crypto_sha1(const void *bytes, size_t len, unsigned char out[SHA1_BYTES])
{
	must(EVP_Digest(bytes, len, out, NULL, EVP_sha1(), NULL) == 1);
}

struct mac {
	EVP_MAC_CTX *context;
};

static EVP_MAC *hmac_method(void)
{
	static EVP_MAC *method;

	if (method == NULL) {
		method = EVP_MAC_fetch(NULL, "HMAC", NULL);
		must(method != NULL);
	}
	return method;
}

struct mac *mac_new(const void *key, size_t len)
{
	struct mac *mac = memory_new(sizeof(*mac));
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	mac->context = EVP_MAC_CTX_new(hmac_method());
	must(mac->context != NULL);
	/* NULL would mean "the old key", and an empty key is a key. */
	must(EVP_MAC_init(mac->context, len == 0 ? (const unsigned char *)"" : key, len, params) ==
	     1);
	return mac;
}

void mac_free(struct mac **mac)
{
	if (*mac == NULL)
		return;
	EVP_MAC_CTX_free((*mac)->context);
	free(*mac);
	*mac = NULL;
}

/* Without a key the context starts over from the inner and outer states that
 * mac_new() computed. */
void mac_begin(struct mac *mac)
{
	must(EVP_MAC_init(mac->context, NULL, 0, NULL) == 1);
}

void mac_add(struct mac *mac, const void *bytes, size_t len)
{
	must(EVP_MAC_update(mac->context, bytes, len) == 1);
}

void mac_end(struct mac *mac, unsigned char out[SHA256_BYTES])
{
	size_t len = 0;

	must(EVP_MAC_final(mac->context, out, &len, SHA256_BYTES) == 1 && len == SHA256_BYTES);
}

void mac_once(struct mac *mac, const void *bytes, size_t len, unsigned char out[SHA256_BYTES])
{
	mac_begin(mac);
	mac_add(mac, bytes, len);
	mac_end(mac, out);
}

void crypto_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t len,
		      unsigned char out[SHA1_BYTES])
{
	must(key_len <= INT32_MAX);
	must(HMAC(EVP_sha1(), key_len == 0 ? "" : key, (int)key_len, bytes, len, out, NULL) !=
	     NULL);
}

/* The context is keyed and has its direction. */
static bool aes_run(EVP_CIPHER_CTX *context, const void *bytes, size_t len, void *out)
{
	int done = 0;

	if (len % 16 != 0 || len > INT_MAX)
		return false;
	EVP_CIPHER_CTX_set_padding(context, 0);
	must(len == 0 || EVP_CipherUpdate(context, out, &done, bytes, (int)len) == 1);
	return (size_t)done == len;
}

bool crypto_aes256_cbc_decrypt(const unsigned char key[32], const unsigned char iv[16],
			       const void *bytes, size_t len, void *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool is_done;

	must(context && EVP_DecryptInit_ex(context, EVP_aes_256_cbc(), NULL, key, iv) == 1);
	is_done = aes_run(context, bytes, len, out);
	EVP_CIPHER_CTX_free(context);
	return is_done;
}

bool crypto_aes256_cbc_encrypt(const unsigned char key[32], const unsigned char iv[16],
			       const void *bytes, size_t len, void *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool is_done;

	must(context && EVP_EncryptInit_ex(context, EVP_aes_256_cbc(), NULL, key, iv) == 1);
	is_done = aes_run(context, bytes, len, out);
	EVP_CIPHER_CTX_free(context);
	return is_done;
}

bool crypto_ed25519_ok(const unsigned char pub[32], const void *bytes, size_t len,
		       const unsigned char sig[64])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, 32);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok;

	must(context != NULL);
	ok = key != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
	     EVP_DigestVerify(context, sig, 64, bytes, len) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return ok;
}

enum { RSA_MODULUS_MIN = 256, RSA_MODULUS_MAX = 1024, RSA_EXPONENT_MAX = 8, P256_BYTES = 32 };

struct public_key {
	EVP_PKEY *key;
	bool is_rsa;
};

/* NULL where the library finds fault with the numbers. */
static struct public_key *public_key_new(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	struct public_key *key = NULL;
	EVP_PKEY *made = NULL;

	must(context != NULL && params != NULL && EVP_PKEY_fromdata_init(context) == 1);
	if (EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, params) == 1) {
		key = memory_new(sizeof(*key));
		key->key = made;
	}
	EVP_PKEY_CTX_free(context);
	return key;
}

static BIGNUM *number_of(const void *bytes, size_t len)
{
	BIGNUM *number = BN_bin2bn(bytes, (int)len, NULL);

	must(number != NULL);
	return number;
}

struct public_key *public_key_rsa(const void *modulus, size_t modulus_len, const void *exponent,
				  size_t exponent_len)
{
	struct public_key *key = NULL;
	BIGNUM *n, *e;

	if (modulus_len > RSA_MODULUS_MAX || exponent_len > RSA_EXPONENT_MAX)
		return NULL;
	n = number_of(modulus, modulus_len);
	e = number_of(exponent, exponent_len);
	if (BN_num_bytes(n) >= RSA_MODULUS_MIN && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e)) {
		OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
		OSSL_PARAM *params;

		must(build != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
		     OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e));
		params = OSSL_PARAM_BLD_to_param(build);
		key = public_key_new("RSA", params);
		OSSL_PARAM_free(params);
		OSSL_PARAM_BLD_free(build);
	}
	if (key != NULL)
		key->is_rsa = true;
	BN_free(n);
	BN_free(e);
	return key;
}

struct public_key *public_key_p256(const unsigned char x[32], const unsigned char y[32])
{
	char curve[] = "prime256v1";
	unsigned char point[1 + 2 * P256_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};

	memcpy(point + 1, x, P256_BYTES);
	memcpy(point + 1 + P256_BYTES, y, P256_BYTES);
	return public_key_new("EC", params);
}

void public_key_free(struct public_key **key)
{
	if (*key == NULL)
		return;
	EVP_PKEY_free((*key)->key);
	free(*key);
	*key = NULL;
}

/* r and s as the library takes them (DER); 0 where they are none. */
static size_t signature_der(const unsigned char sig[2 * P256_BYTES], unsigned char **ret)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	int len;

	must(pair != NULL && ECDSA_SIG_set0(pair, number_of(sig, P256_BYTES),
					    number_of(sig + P256_BYTES, P256_BYTES)) == 1);
	len = i2d_ECDSA_SIG(pair, ret);
	ECDSA_SIG_free(pair);
	return len < 0 ? 0 : (size_t)len;
}

static bool key_verifies(EVP_PKEY *key, const void *bytes, size_t len, const void *sig,
			 size_t sig_len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok;

	must(context != NULL);
	ok = EVP_DigestVerifyInit(context, NULL, sha256(), NULL, key) == 1 &&
	     EVP_DigestVerify(context, sig, sig_len, bytes, len) == 1;
	EVP_MD_CTX_free(context);
	return ok;
}

bool public_key_fits(const struct public_key *key, const void *bytes, size_t len, const void *sig,
		     size_t sig_len)
{
	unsigned char *der = NULL;
	size_t der_len;
	bool ok;

	if (key->is_rsa)
		return key_verifies(key->key, bytes, len, sig, sig_len);
	if (sig_len != (size_t)2 * P256_BYTES)
		return false;
	der_len = signature_der(sig, &der);
	ok = der_len > 0 && key_verifies(key->key, bytes, len, der, der_len);
	OPENSSL_free(der);
	return ok;
}

const char *crypto_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}
