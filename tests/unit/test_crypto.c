#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"

static const char *hex(const unsigned char *bytes, size_t len)
{
	static char text[4][129];
	static int next;
	char *out = text[next++ % 4];

	text_hex(bytes, len, out);
	return out;
}

Test(crypto, hashes_the_published_examples)
{
	unsigned char out[SHA256_BYTES];

	crypto_sha256("abc", 3, out); /* FIPS 180-4 */
	cr_assert_str_eq(hex(out, 32),
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	crypto_sha256("", 0, out);
	cr_assert_str_eq(hex(out, 32),
			 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	crypto_sha1("abc", 3, out);
	cr_assert_str_eq(hex(out, 20), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

Test(crypto, hashes_what_comes_in_pieces)
{
	unsigned char out[SHA256_BYTES];
	struct digest *digest = digest_new();

	digest_add(digest, "a", 1);
	digest_add(digest, "", 0);
	digest_add(digest, "bc", 2);
	digest_end(&digest, out);
	cr_assert_null(digest);
	cr_assert_str_eq(hex(out, 32),
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

struct hmac_case {
	const char *key_hex;
	const char *data_hex;
	const char *mac_hex;
};

/* RFC 4231, cases 1-4, 6 and 7. */
static const struct hmac_case hmac_cases[] = {
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	  "dddddddddddddddd",
	  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ "0102030405060708090a0b0c0d0e0f10111213141516171819",
	  "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
	  "cdcdcdcdcdcdcdcd",
	  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
};

static void check_hmac(const void *key, size_t key_len, const void *data, size_t len,
		       const char *expected)
{
	struct mac *mac = mac_new(key, key_len);
	unsigned char out[SHA256_BYTES];

	/* The prepared context must survive its uses. */
	for (int i = 0; i < 3; i++) {
		mac_once(mac, data, len, out);
		cr_assert_str_eq(hex(out, 32), expected);
	}
	mac_begin(mac);
	mac_add(mac, "abandoned", 9);
	mac_begin(mac);
	for (size_t at = 0; at < len; at++)
		mac_add(mac, (const char *)data + at, 1);
	mac_end(mac, out);
	cr_assert_str_eq(hex(out, 32), expected);
	mac_free(&mac);
	cr_assert_null(mac);
	mac_free(&mac);
}

Test(crypto, macs_the_cases_of_rfc_4231)
{
	unsigned char long_key[131];
	static const char large[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	static const char both[] = "This is a test using a larger than block-size key and a larger "
				   "than block-size data. The key needs to be hashed before being "
				   "used by the HMAC algorithm.";

	for (size_t i = 0; i < COUNT_OF(hmac_cases); i++) {
		unsigned char key[64];
		unsigned char data[64];
		const struct hmac_case *row = &hmac_cases[i];
		long key_len = text_unhex(row->key_hex, strlen(row->key_hex), key, sizeof(key));
		long len = text_unhex(row->data_hex, strlen(row->data_hex), data, sizeof(data));

		cr_assert_gt(key_len, 0);
		cr_assert_gt(len, 0);
		check_hmac(key, (size_t)key_len, data, (size_t)len, row->mac_hex);
	}
	memset(long_key, 0xaa, sizeof(long_key));
	check_hmac(long_key, sizeof(long_key), large, strlen(large),
		   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	check_hmac(long_key, sizeof(long_key), both, strlen(both),
		   "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

Test(crypto, macs_with_an_empty_key_and_an_empty_text)
{
	static const char expected[] =
		"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";

	check_hmac(NULL, 0, "", 0, expected);
	check_hmac("", 0, "", 0, expected);
}

Test(crypto, keeps_contexts_of_two_keys_apart)
{
	struct mac *one = mac_new("one", 3);
	struct mac *two = mac_new("two", 3);
	unsigned char first[SHA256_BYTES];
	unsigned char mixed[SHA256_BYTES];
	unsigned char other[SHA256_BYTES];

	mac_once(one, "text", 4, first);
	mac_begin(one);
	mac_once(two, "text", 4, other);
	mac_add(one, "text", 4);
	mac_end(one, mixed);
	cr_assert_arr_eq(first, mixed, SHA256_BYTES);
	cr_assert_neq(memcmp(first, other, SHA256_BYTES), 0);
	mac_free(&one);
	mac_free(&two);
}

Test(crypto, macs_with_sha1_as_in_rfc_2202)
{
	unsigned char out[SHA1_BYTES];

	crypto_hmac_sha1("Jefe", 4, "what do ya want for nothing?", 28, out);
	cr_assert_str_eq(hex(out, 20), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	crypto_hmac_sha1(NULL, 0, "", 0, out);
	cr_assert_str_eq(hex(out, 20), "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

Test(crypto, compares_whole_values)
{
	cr_assert(crypto_equal("same", 4, "same", 4));
	cr_assert_not(crypto_equal("same", 4, "samf", 4));
	cr_assert_not(crypto_equal("same", 4, "same!", 5));
	cr_assert(crypto_equal(NULL, 0, NULL, 0));
}

Test(crypto, fills_every_random_byte)
{
	unsigned char seen[64] = { 0 };
	unsigned char bytes[64];

	for (int i = 0; i < 64; i++) {
		crypto_random(bytes, sizeof(bytes));
		for (size_t j = 0; j < sizeof(bytes); j++)
			seen[j] |= bytes[j];
	}
	for (size_t j = 0; j < sizeof(seen); j++)
		cr_assert_neq(seen[j], 0);
}

struct signature_case {
	const char *pub;
	const char *message;
	const char *sig;
};

/* RFC 8032, section 7.1, tests 1-3. */
static const struct signature_case signature_cases[] = {
	{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

Test(crypto, verifies_the_signatures_of_rfc_8032)
{
	for (size_t i = 0; i < COUNT_OF(signature_cases); i++) {
		const struct signature_case *row = &signature_cases[i];
		unsigned char pub[32];
		unsigned char sig[64];
		unsigned char message[8] = { 0 };
		long len = text_unhex(row->message, strlen(row->message), message, 8);

		cr_assert_eq(text_unhex(row->pub, 64, pub, sizeof(pub)), 32);
		cr_assert_eq(text_unhex(row->sig, 128, sig, sizeof(sig)), 64);
		cr_assert(crypto_ed25519_ok(pub, message, (size_t)len, sig), "test %zu", i + 1);
		cr_assert_not(crypto_ed25519_ok(pub, message, (size_t)len + 1, sig));
		sig[63] ^= 1;
		cr_assert_not(crypto_ed25519_ok(pub, message, (size_t)len, sig));
		sig[63] ^= 1;
		pub[0] ^= 1;
		cr_assert_not(crypto_ed25519_ok(pub, message, (size_t)len, sig));
	}
}

/* What the custom robots of Feishu's and DingTalk's groups are signed with: known answers of
 * tests/data/vectors.json (feishu-custom-bot-sign, dingtalk-group-robot-outbound-sign). */
Test(crypto, signs_as_group_robots_are_signed)
{
	static const struct {
		const char *key;
		const char *message;
		const char *sign;
	} known[] = {
		{ "1599360473\ndemo", "", "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=" },
		{ "SECthisisasecret000000000000000000000000000000000000000000000000000",
		  "1577262236757\nSECthisisasecret0000000000000000000000000000000000000000000000000"
		  "00",
		  "e+3WzwJp9Y0q4wVivWW5IFl0ctfNsPMKrfT3FMsGLaM=" },
	};

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		struct mac *mac = mac_new(known[i].key, strlen(known[i].key));
		unsigned char out[SHA256_BYTES];
		char text[64];

		mac_once(mac, known[i].message, strlen(known[i].message), out);
		text_base64(out, sizeof(out), text);
		cr_expect_str_eq(text, known[i].sign);
		mac_free(&mac);
	}
}
