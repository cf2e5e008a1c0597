#include <criterion/criterion.h>

#include "../../connectors/envelope_aes.h"
#include "../contract/fixture.h"

/* The known answers of tests/data/vectors.json for one shared shape. */

static struct json_object *vectors(void)
{
	char *text = fixture_read_file(TEST_DATA "/vectors.json");
	struct error err = { 0 };
	struct json_object *json = json_read(text, strlen(text), &err);

	cr_assert_not_null(json, "%s", err.text);
	free(text);
	return json;
}

static struct json_object *vector(struct json_object *all, const char *id)
{
	struct json_object *list = json_at(all, "vectors");

	for (size_t i = 0; i < json_count(list); i++)
		if (strcmp(json_text(json_item(list, i), "id"), id) == 0)
			return json_item(list, i);
	cr_assert_fail("no vector %s", id);
	return NULL;
}

static const char *either(struct json_object *json, const char *path, const char *other)
{
	const char *text = json_text(json, path);

	return text ? text : json_text(json, other);
}

static const struct envelope_row {
	const char *id;
	const char *sealed;    /* path of it */
	const char *signature; /* path of it */
	const char *plain;     /* path of it */
	bool is_sealed_too;    /* the random bytes are known */
} rows[] = {
	{ "wecom-url-verify-official", "inputs.echostr", "inputs.msg_signature",
	  "expected.plaintext", true },
	{ "wecom-message-official", "inputs.encrypt", "inputs.msg_signature", "expected.plaintext",
	  true },
	{ "wecom-kf-callback", "inputs.encrypt", "inputs.msg_signature", "expected.plaintext",
	  false },
	{ "wechat-aes-text", "expected.encrypt", "expected.msg_signature", "inputs.plaintext",
	  true },
	{ "wechat-aes-short", "expected.encrypt", "expected.msg_signature", "inputs.plaintext",
	  true },
	{ "wechat-aes-fullpad", "expected.encrypt", "expected.msg_signature", "inputs.plaintext",
	  true },
	{ "dingtalk-event-success-reply", "expected.encrypt", "expected.msg_signature",
	  "inputs.plaintext", true },
};

static void check_row(struct json_object *all, const struct envelope_row *row)
{
	const struct host *host = &host_services;
	struct arena *arena = arena_new(0);
	struct json_object *json = vector(all, row->id);
	const char *sealed = json_text(json, row->sealed);
	const char *signature = json_text(json, row->signature);
	const char *plain = json_text(json, row->plain);
	const char *id = either(json, "inputs.receive_id", "inputs.owner_key");
	const char *random =
		either(json, "inputs.random_prefix_ascii", "expected.random_prefix_ascii");
	const char *const texts[] = { json_text(json, "inputs.token"),
				      json_text(json, "inputs.timestamp"),
				      json_text(json, "inputs.nonce"), sealed, NULL };
	struct envelope_seal seal = { .host = &host_services, .receive_id = "wx1" };
	const char *error = NULL;

	seal.receive_id = id;
	cr_assert(envelope_key_read(host, either(json, "inputs.encoding_aes_key", "inputs.aes_key"),
				    &seal.key),
		  "%s", row->id);
	cr_expect_str_eq(envelope_sign(host, arena, texts), signature, "%s", row->id);
	cr_expect(envelope_is_signed(host, arena, signature, texts, 4), "%s", row->id);
	cr_expect_str_eq(envelope_open(&seal, arena, sealed, &error), plain, "%s: %s", row->id,
			 error);
	seal.receive_id = "wx0";
	cr_expect_null(envelope_open(&seal, arena, sealed, &error), "%s", row->id);
	cr_expect_str_eq(error, "the sealed message is for another receiver");
	seal.receive_id = id;
	if (row->is_sealed_too)
		cr_expect_str_eq(envelope_close(&seal, arena, plain, (const unsigned char *)random),
				 sealed, "%s", row->id);
	arena_free(&arena);
}

Test(envelope_aes, opens_signs_and_seals_the_known_answers)
{
	struct json_object *all = vectors();

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check_row(all, &rows[i]);
	json_free(&all);
}

Test(envelope_aes, signs_the_handshake_of_wechat)
{
	struct json_object *all = vectors();
	struct json_object *json = vector(all, "wechat-url-verify");
	struct arena *arena = arena_new(0);
	const char *const texts[] = { json_text(json, "inputs.token"),
				      json_text(json, "inputs.timestamp"),
				      json_text(json, "inputs.nonce"), NULL };
	const char *const missing[] = { "a", NULL, "c", NULL };

	cr_expect_str_eq(envelope_sign(&host_services, arena, texts),
			 json_text(json, "expected.signature"));
	cr_expect_not(envelope_is_signed(&host_services, arena, NULL, texts, 3));
	cr_expect_not(envelope_is_signed(&host_services, arena, "", texts, 3));
	cr_expect_not(envelope_is_signed(
		&host_services, arena, envelope_sign(&host_services, arena, missing), missing, 3));
	arena_free(&arena);
	json_free(&all);
}

Test(envelope_aes, opens_what_it_sealed_at_every_length)
{
	static const char key_text[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
	struct envelope_seal seal = { .host = &host_services, .receive_id = "wx1" };
	char message[101] = "";

	cr_assert(envelope_key_read(&host_services, key_text, &seal.key));
	for (size_t len = 0; len < sizeof(message); len++) {
		struct arena *arena = arena_new(0);
		const char *error = NULL;
		const char *sealed;

		memset(message, 'x', len);
		message[len] = '\0';
		sealed = envelope_close(&seal, arena, message, NULL);
		cr_expect_str_eq(envelope_open(&seal, arena, sealed, &error), message, "%zu: %s",
				 len, error);
		arena_free(&arena);
		if (len == sizeof(message) - 1)
			break;
	}
}

Test(envelope_aes, never_opens_a_changed_or_cut_message_as_it_was)
{
	static const char key_text[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
	struct arena *arena = arena_new(0);
	struct envelope_seal seal = { .host = &host_services, .receive_id = "wx1" };
	char *sealed;
	size_t len;

	cr_assert(envelope_key_read(&host_services, key_text, &seal.key));
	sealed = envelope_close(&seal, arena, "hello", NULL);
	len = strlen(sealed);
	for (size_t i = 0; i < len; i++) {
		const char *error = NULL;
		char *changed = arena_text(arena, sealed);
		const char *opened;

		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		opened = envelope_open(&seal, arena, changed, &error);
		/* The first block is random and proves nothing: the signature does. */
		cr_expect(i < 22 || !opened || strcmp(opened, "hello") != 0, "byte %zu", i);
		changed = arena_text(arena, sealed);
		changed[i] = '\0';
		cr_expect_null(envelope_open(&seal, arena, changed, &error), "cut at %zu", i);
		cr_expect_not_null(error);
	}
	arena_free(&arena);
}

Test(envelope_aes, refuses_what_is_no_key)
{
	static const char *const bad[] = { "",
					   "abc",
					   "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF",
					   "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH",
					   "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF=",
					   "abcdefghijk mnopqrstuvwxyz0123456789ABCDEFG" };
	struct envelope_seal seal = { .host = &host_services, .receive_id = "wx1" };

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_not(envelope_key_read(&host_services, bad[i], &seal.key), "%s", bad[i]);
	cr_expect_not(envelope_key_read(&host_services, NULL, &seal.key));
}
