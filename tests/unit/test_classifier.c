#include <criterion/criterion.h>
#include <string.h>

#include "automation/classifier.h"
#include "base/memory.h"

Test(classifier, follows_an_answer_whole_or_not_at_all)
{
	static const struct {
		const char *json;
		int64_t confidence; /* -1: refused */
	} rows[] = {
		{ "{\"confidence\":0}", 0 },
		{ "{\"confidence\":1,\"type\":\"a\",\"needs_human\":true}", 100 },
		{ "{\"confidence\":0.999,\"type\":null}", 99 },
		{ "{\"confidence\":0.5,\"urgency\":\"high\",\"more\":[1]}", 50 },
		{ "{}", -1 },
		{ "", -1 },
		{ "[]", -1 },
		{ "{\"confidence\":1.01}", -1 },
		{ "{\"confidence\":-0.1}", -1 },
		{ "{\"confidence\":\"1\"}", -1 },
		{ "{\"confidence\":1e999}", -1 },
		{ "{\"confidence\":1,\"type\":[]}", -1 },
		{ "{\"confidence\":1,\"topic\":\"a\\u0007\"}", -1 },
		{ "{\"confidence\":1,\"urgency\":\"asap\"}", -1 },
		{ "{\"confidence\":1,\"needs_human\":1}", -1 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(0);
		struct classifier_answer got = { .confidence = 0 };
		struct error err = { 0 };
		int status = classifier_read(rows[i].json, strlen(rows[i].json), arena, &got, &err);

		cr_expect_eq(status, rows[i].confidence < 0 ? -1 : 0, "%s: %s", rows[i].json,
			     err.text);
		if (rows[i].confidence >= 0)
			cr_expect_eq(got.confidence, rows[i].confidence, "%s", rows[i].json);
		else
			cr_expect(err.text[0] != '\0', "%s", rows[i].json);
		arena_free(&arena);
	}
}

Test(classifier, is_the_first_one_that_wants_the_item)
{
	static const char *const none[] = { NULL }, *const money[] = { "money", NULL },
				 *const site[] = { "site", NULL };
	struct classifier rows[] = { { .id = "1", .queues = money, .channels = site },
				     { .id = "2", .queues = money, .channels = none },
				     { .id = "3", .queues = none, .channels = site } };
	struct classifier_list list = { .rows = rows, .count = 3 };

	cr_assert_str_eq(classifier_find(&list, "money", "site")->id, "1");
	cr_assert_str_eq(classifier_find(&list, "money", "mail")->id, "2");
	cr_assert_str_eq(classifier_find(&list, "other", "site")->id, "3");
	cr_assert_null(classifier_find(&list, "other", "mail"));
	cr_assert_null(classifier_find(NULL, "other", "mail"));
}
