/* What several records say of one customer, orders and links: pure parts of the 360 view. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/message.h"
#include "identity/context_link.h"
#include "identity/customer_compose.h"
#include "identity/order.h"

static const struct customer_part parts[] = {
	{ .id = "cus_a",
	  .name = "Li",
	  .attributes = "{\"city\":\"x\",\"a.b\":1}",
	  .sources = "{\"attributes.city\":[\"agent:alice\",1000,\"cus_c\"]}",
	  .tags = "[\"vip\"]",
	  .ratings = 1,
	  .rating_sum = 5 },
	{ .id = "cus_b",
	  .name = "Lee",
	  .tier = "gold",
	  .attributes = "{\"city\":\"y\",\"size\":\"L\"}",
	  .tags = "[\"vip\",\"old\"]",
	  .ratings = 1,
	  .rating_sum = 2,
	  .rating_last = "{\"score\":2,\"at\":\"2026-01-01T00:00:00Z\"}" },
	{ .id = "cus_c", .attributes = "{\"city\":\"z\"}" },
};
static const struct customer whole = { .id = "cus_a", .parts = parts, .part_count = 3 };

typedef void write_fn(struct json_out *out, const struct customer *customer);

static struct json_object *written(write_fn *write)
{
	struct buf text = { 0 };
	struct json_out out;
	struct json_object *value;
	struct error err = { 0 };

	jw_start(&out, &text);
	jw_object(&out, NULL);
	write(&out, &whole);
	jw_object_end(&out);
	value = json_read(text.data, text.len, &err);
	cr_assert_not_null(value, "%s: %s", err.text, text.data);
	buf_clear(&text);
	return value;
}

Test(customer_compose, own_values_win_and_missing_ones_come_from_the_merged)
{
	OWNED(json_free) struct json_object *seen = written(customer_write_profile);

	cr_expect_str_eq(json_text(seen, "name"), "Li");
	cr_expect_str_eq(json_text(seen, "tier"), "gold");
	cr_expect_str_eq(json_text(seen, "attributes.city.value"), "x");
	cr_expect_str_eq(json_text(seen, "attributes.city.source"), "agent:alice");
	cr_expect_str_eq(json_text(seen, "attributes.size.from"), "cus_b");
	cr_expect_eq(json_count(json_at(seen, "tags")), 2);
}

Test(customer_compose, what_differs_is_a_conflict_until_it_is_written_anew)
{
	OWNED(json_free) struct json_object *seen = written(customer_write_conflicts);

	/* cus_c was merged when alice wrote the city: hers settles it. */
	cr_expect_eq(json_count(json_at(seen, "conflicts")), 2);
	cr_expect_str_eq(json_text(seen, "conflicts.0.field"), "name");
	cr_expect_str_eq(json_text(seen, "conflicts.0.value"), "Lee");
	cr_expect_str_eq(json_text(seen, "conflicts.1.field"), "attributes.city");
	cr_expect_str_eq(json_text(seen, "conflicts.1.from"), "cus_b");
}

Test(customer_compose, ratings_are_counted_together)
{
	OWNED(json_free) struct json_object *seen = written(customer_write_csat);

	cr_expect_eq(json_int(seen, "csat.count", 0), 2);
	cr_expect_eq(json_int(seen, "csat.last.score", 0), 2);
}

Test(customer_compose, attributes_are_merged_and_null_removes)
{
	struct buf out = { 0 };
	struct error err = { 0 };
	OWNED(json_free)
	struct json_object *patch = json_read("{\"b\":null,\"c\":\"n\"}", 18, NULL);

	cr_assert_eq(customer_attributes_merge("{\"a\":1,\"b\":2}", patch, &out, &err), 0);
	cr_expect_str_eq(out.data, "{\"a\":1,\"c\":\"n\"}");
	buf_clear(&out);
}

Test(customer_compose, sources_are_kept_by_field)
{
	static const char body[] = "{\"name\":\"x\",\"attributes\":{\"a\":1,\"gone\":null}}";
	OWNED(json_free) struct json_object *patch = json_read(body, strlen(body), NULL);
	struct buf out = { 0 };

	customer_sources_merge("{\"tier\":[\"import\",5],\"attributes.gone\":[\"import\",5]}",
			       patch, &(struct customer_writing){ "agent:a", 7, NULL }, &out);
	cr_expect_str_eq(out.data, "{\"tier\":[\"import\",5],\"name\":[\"agent:a\",7],"
				   "\"attributes.a\":[\"agent:a\",7]}");
	buf_clear(&out);
}

Test(order, hostile_answers_are_refused)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"orders\":{}}",
		"{\"orders\":[1]}",
		"{\"orders\":[{}]}",
		"{\"orders\":[{\"id\":\"a b\"}]}",
		"{\"orders\":[{\"id\":\"1\",\"url\":\"javascript:x\"}]}",
		"{\"orders\":[{\"id\":\"1\",\"placed_at\":\"soon\"}]}",
		"{\"orders\":[{\"id\":\"1\",\"status\":{}}]}",
		"{\"orders\":[{\"id\":\"1\",\"items\":[{\"name\":\"x\",\"quantity\":-1}]}]}",
		"{\"orders\":[{\"id\":\"1\",\"title\":\"a\\nb\"}]}",
	};
	static const char good[] = "{\"orders\":[{\"id\":\"1\",\"total\":\"9\",\"x\":{\"y\":1}}]}";

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct buf out = { 0 };
		struct error err = { 0 };

		cr_expect_eq(orders_check(bad[i], strlen(bad[i]), &out, &err), -1, "%s", bad[i]);
		buf_clear(&out);
	}
	struct buf out = { 0 };
	struct error err = { 0 };
	cr_assert_eq(orders_check(good, strlen(good), &out, &err), 0, "%s", err.text);
	cr_expect_str_eq(out.data, "[{\"id\":\"1\",\"placed_at\":null,\"total\":\"9\"}]");
	buf_clear(&out);
}

static const char *value_of(const char *name, void *context)
{
	(void)context;
	return text_equal(name, "identifier.email") ? "a+b&c@x.cn" : NULL;
}

Test(context_link, values_are_encoded_and_the_whole_is_signed)
{
	struct arena *arena = arena_new(0);
	struct context_link link = { "https://crm.example/find?mail={identifier.email}",
				     "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", 1700000000 };
	struct buf out = { 0 };

	cr_assert_eq(context_link_write(arena, &link, value_of, NULL, &out), 0);
	cr_expect(text_starts(out.data, "https://crm.example/find?mail=a%2Bb%26c%40x.cn"
					"&expires=1700000000&signature="));
	cr_expect_eq(strlen(strstr(out.data, "signature=")), strlen("signature=") + 64);
	buf_reset(&out);
	link.url = "https://crm.example/{identifier.phone}";
	cr_expect_eq(context_link_write(arena, &link, value_of, NULL, &out), -1);
	cr_expect_eq(out.len, 0);
	buf_clear(&out);
	arena_free(&arena);
}

Test(message_preview, is_cut_between_characters_and_escapes)
{
	struct arena *arena = arena_new(0);
	struct message_preview preview;
	struct buf text = { 0 };

	buf_text(&text,
		 "{\"author\":{\"type\":\"agent\",\"name\":\"x\"},\"id\":\"msg_1\",\"direction\":"
		 "\"out\",\"kind\":\"text\",\"text\":\"");
	for (int i = 0; i < 100; i++)
		buf_text(&text, "\\\"\\u4f60\xe5\xa5\xbd");
	message_preview(text.data, arena, &preview);
	cr_expect(preview.out);
	cr_expect_str_eq(preview.author, "agent");
	cr_expect(text_starts(preview.text, "\"\xe4\xbd\xa0\xe5\xa5\xbd\""));
	cr_expect(text_is_utf8(preview.text, strlen(preview.text)));
	message_preview("", arena, &preview);
	cr_expect_str_eq(preview.id, "");
	buf_clear(&text);
	arena_free(&arena);
}
