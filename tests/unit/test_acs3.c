/* The vendor's known answers (tests/data/vectors.json, aliyun-*): V3 as the connector signs, and
 * the older scheme by its parts, which shows that names and values are escaped the vendor's way. */
#include <criterion/criterion.h>

#include "../../connectors/acs3.h"
#include "../contract/fixture.h"
#include "base/crypto.h"
#include "host/host_private.h"

extern const struct host host_services;

static struct json_object *all;

static struct json_object *vector(const char *id)
{
	struct json_object *list;
	char *text = fixture_read_file(TEST_DATA "/vectors.json");

	all = json_read(text, strlen(text), NULL);
	free(text);
	list = json_at(all, "vectors");
	for (size_t i = 0; i < json_count(list); i++)
		if (strcmp(json_text(json_item(list, i), "id"), id) == 0)
			return json_item(list, i);
	cr_assert_fail("no vector %s", id);
	return NULL;
}

Test(acs3, signs_as_the_vendor_does)
{
	struct json_object *known = vector("aliyun-v3-official");
	struct json_object *in = json_at(known, "inputs");
	struct arena *arena = arena_new(0);
	struct acs3_request request = {
		.method = json_text(in, "method"),
		.host = json_text(in, "headers.host"),
		.query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-"
			 "shanghai",
		.action = json_text(in, "headers.x-acs-action"),
		.version = json_text(in, "headers.x-acs-version"),
		.date = json_text(in, "headers.x-acs-date"),
		.nonce = json_text(in, "headers.x-acs-signature-nonce"),
		.key_id = json_text(in, "access_key_id"),
		.key_secret = json_text(in, "access_key_secret"),
	};
	const char *const *fields = acs3_fields(&host_services, arena, &request);

	cr_expect_str_eq(fields[ACS3_FIELDS - 3], "authorization");
	cr_expect_str_eq(fields[ACS3_FIELDS - 2], json_text(known, "expected.authorization"));
	cr_expect_null(fields[ACS3_FIELDS - 1]);
	arena_free(&arena);
	json_free(&all);
}

struct joining {
	struct arena *arena;
	char *query;
};

static void join(const char *name, struct json_object *value, void *context)
{
	struct joining *joining = context;

	joining->query = arena_format(joining->arena, "%s%s%s=%s", joining->query,
				      joining->query[0] ? "&" : "",
				      host_services.url_escape(joining->arena, name),
				      host_services.url_escape(joining->arena, json_string(value)));
}

static void check_older(const char *id)
{
	struct json_object *known = vector(id);
	struct json_object *in = json_at(known, "inputs");
	struct arena *arena = arena_new(0);
	struct joining joining = { arena, arena_text(arena, "") };
	unsigned char mac[20];
	char *key = arena_format(arena, "%s&", json_text(in, "access_key_secret"));
	char *text;

	json_each_field(json_at(in, "params"), join, &joining); /* sorted in the file */
	text = arena_format(arena, "%s&%%2F&%s", json_text(in, "method"),
			    host_services.url_escape(arena, joining.query));
	crypto_hmac_sha1(key, strlen(key), text, strlen(text), mac);
	cr_expect_str_eq(host_services.base64(arena, mac, sizeof(mac)),
			 json_text(known, "expected.signature"), "%s", id);
	arena_free(&arena);
	json_free(&all);
}

Test(acs3, escapes_as_the_older_scheme_does)
{
	check_older("aliyun-sms-rpc-v1-official");
	check_older("aliyun-rpc-v1-ecs-official");
}
