#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "business/business.h"

struct row {
	const char *text;
	const char *want; /* the start of the first problem; NULL: none */
};

static const struct row rows[] = {
	{ "queues: [ { id: support, strategy: longest_idle, offer_timeout: 30s } ]\n"
	  "agents: [ { id: alice, name: Alice, queues: [support], skills: { refunds: 3, zh: 5 }, "
	  "capacity: 10 } ]\n"
	  "rules:\n"
	  "  - { name: refunds, when: { text: \"退款|refund\" }, then: { queue: support, type: "
	  "refund, "
	  "urgency: high, priority: 60, skills: { refunds: 2 } } }\n"
	  "  - { name: everything-else, then: { queue: support } }\n",
	  NULL },
	{ "queues:\nagents: []\n", NULL },
	{ "queus: []\n", "b:1:1: error: unknown key \"queus\" (did you mean \"queues\"?)" },
	{ "colours: []\n", "b:1:1: error: unknown key \"colours\" (known here: queues," },
	{ "canned-replies: []\n",
	  "b:1:1: error: unknown key \"canned-replies\" (did you mean \"canned_replies\"?)" },
	{ "queues: { id: a }\n", "b:1:9: error: \"queues\" must be a list" },
	{ "queues: [ a ]\n", "b:1:11: error: an item of \"queues\" must be a map" },
	{ "queues: [ { name: A } ]\n", "b:1:11: error: \"id\" is missing in" },
	{ "queues: [ { id: A } ]\n", "b:1:17: error: \"id\" must have only a-z" },
	{ "queues: [ { id: a, strateg: x } ]\n", "b:1:20: error: unknown key \"strateg\" in \"a\" "
						 "of \"queues\" (did you mean \"strategy\"?)" },
	{ "queues: [ { id: a, strategy: best_skil } ]\n",
	  "b:1:30: error: \"strategy\" is \"best_skil\" (did you mean \"best_skill\"?" },
	{ "queues: [ { id: a, offer_timeout: 30 } ]\n",
	  "b:1:35: error: \"offer_timeout\" has no unit" },
	{ "queues: [ { id: a, offer_timeout: 1s } ]\n",
	  "b:1:35: error: \"offer_timeout\" is 1s, out of" },
	{ "queues: [ { id: a }, { id: b }, { id: a } ]\n", "b:1:39: error: a second \"a\"" },
	{ "agents: [ { id: a, capacity: 100000 } ]\n", NULL },
	{ "agents: [ { id: a, capacity: 100001 } ]\n",
	  "b:1:30: error: \"capacity\" is 100001, out of" },
	{ "agents: [ { id: a, capacity: -1 } ]\n",
	  "b:1:30: error: \"capacity\" is -1, out of range" },
	{ "agents: [ { id: a, skills: { zh: 6 } } ]\n",
	  "b:1:34: error: \"zh\" is 6, out of range (it may be 1 to 5)" },
	{ "agents: [ { id: a, skills: { zh: 0 } } ]\n",
	  "b:1:34: error: \"zh\" is 0, out of range" },
	{ "agents: [ { id: a, skills: [zh] } ]\n",
	  "b:1:28: error: \"skills\" must be a map of skill" },
	{ "agents: [ { id: a, skills: { \"z h\": 1 } } ]\n", "b:1:30: error: a skill's name must" },
	{ "agents: [ { id: a, queues: support } ]\n", "b:1:28: error: \"queues\" must be a list" },
	{ "rules: [ { name: r } ]\n", "b:1:10: error: \"then\" is missing" },
	{ "rules: [ { then: { queue: a } } ]\n", "b:1:10: error: \"name\" is missing" },
	{ "rules: [ { name: r, then: a } ]\n", "b:1:27: error: \"then\" must be a map" },
	{ "rules: [ { name: r, then: { que: a } } ]\n",
	  "b:1:29: error: unknown key \"que\" in \"then\" (did you mean \"queue\"?)" },
	{ "rules: [ { name: r, when: { text: \"(a\" }, then: {} } ]\n",
	  "b:1:35: error: \"text\" is no regular expression: missing closing parenthesis at byte "
	  "2" },
	{ "rules: [ { name: r, when: { text: \"退款\\\\b\" }, then: {} } ]\n",
	  "b:1:35: warning: \"text\": \\b does not match" },
	{ "rules: [ { name: r, then: { urgency: hihg } } ]\n",
	  "b:1:38: error: \"urgency\" is \"hihg\" (did you mean \"high\"?" },
	{ "rules: [ { name: r, then: { need: \"zh>=3|\" } } ]\n",
	  "b:1:35: error: \"need\" is no expression over skills: column 7: a skill's name" },
	{ "rules: [ { name: r, then: { steps: [ { for: 1s }, { need: zh>=9 } ] } } ]\n",
	  "b:1:59: error: \"need\" is no expression over skills: column 5: a number in range" },
	{ "canned_replies: [ { id: a } ]\n", "b:1:19: error: \"text\" is missing" },
	{ "queues: [ { id: a， name: b } ]\n", "b:1:18: error: full-width comma" },
};

Test(business, says_where_each_file_is_wrong)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *want = rows[i].want == NULL ? "" : rows[i].want;
		struct problems *problems = problems_new();
		struct business *business =
			business_parse("b", rows[i].text, strlen(rows[i].text), problems);
		char line[2048] = "";

		if (problem_at(problems, 0) != NULL)
			problem_format(problem_at(problems, 0), line, sizeof(line));
		cr_expect(strncmp(line, want, *want == '\0' ? 1 : strlen(want)) == 0,
			  "wanted \"%s\", got \"%s\"", want, line);
		cr_expect_eq(business == NULL, problems_errors(problems) > 0);
		business_free(&business);
		problems_free(&problems);
	}
}

Test(business, makes_canonical_objects_in_the_files_order)
{
	struct problems *problems = problems_new();
	struct business *business =
		business_parse("b", rows[0].text, strlen(rows[0].text), problems);
	const struct business_object *objects;
	size_t count;

	cr_assert_not_null(business);
	objects = business_objects(business, "queues", &count);
	cr_assert_eq(count, 1);
	cr_expect(text_starts(objects[0].json, "{\"id\":\"support\",\"strategy\":\"longest_idle\","
					       "\"offer_timeout_ms\":30000,\"wrap_up_ms\":0,"));
	cr_expect_str_eq(strstr(objects[0].json, "\"paused\""), "\"paused\":false,\"order\":0}");
	objects = business_objects(business, "agents", &count);
	cr_assert_eq(count, 1);
	cr_expect_str_eq(
		objects[0].json,
		"{\"id\":\"alice\",\"name\":\"Alice\",\"role\":\"agent\",\"queues\":[\"support\"],"
		"\"skills\":{\"refunds\":3,\"zh\":5},\"capacity\":10,\"order\":0}");
	objects = business_objects(business, "rules", &count);
	cr_assert_eq(count, 2);
	cr_expect_str_eq(
		objects[0].json,
		"{\"id\":\"refunds\",\"name\":\"refunds\",\"when\":{\"text\":\"退款|refund\"},"
		"\"then\":{\"queue\":\"support\",\"type\":\"refund\",\"urgency\":\"high\","
		"\"priority\":60,\"skills\":{\"refunds\":2}},\"order\":0}");
	cr_expect_str_eq(objects[1].id, "everything-else");
	cr_expect_null(business_objects(business, "skills", &count));
	business_free(&business);
	problems_free(&problems);
}

Test(business, the_example_is_fine)
{
	struct problems *problems = problems_new();
	struct business *business = business_read(SOURCE_DIR "/conf/business.yaml", problems);
	size_t count;

	problems_print(problems, stderr);
	cr_assert_not_null(business);
	cr_expect_eq(problems_warnings(problems), 0);
	cr_expect_not_null(business_objects(business, "canned-replies", &count));
	cr_expect_eq(count, 2);
	business_free(&business);
	problems_free(&problems);
}

static int check(const char *kind, const char *text, struct buf *out, struct error *err)
{
	struct json_object *object = json_read(text, strlen(text), err);
	int status = business_check(kind, object, out, err);

	json_free(&object);
	return status;
}

Test(business, judges_what_comes_through_the_api_by_the_same_rows)
{
	struct buf out = { 0 };
	struct error err = { 0 };

	cr_expect_eq(check("queues", "{\"id\":\"a\",\"offer_timeout\":\"1m\",\"name\":null}", &out,
			   &err),
		     0);
	cr_expect(text_starts(buf_string(&out), "{\"id\":\"a\",\"strategy\":\"longest_idle\","
						"\"offer_timeout_ms\":60000,\"wrap_up_ms\":0,"));
	cr_expect_str_eq(strstr(buf_string(&out), "\"paused\""), "\"paused\":false}");
	buf_reset(&out);
	cr_expect_eq(check("queues",
			   "{\"id\":\"a\",\"offer_timeout_ms\":45000,\"order\":3,\"paused\":true}",
			   &out, &err),
		     0);
	cr_expect_not_null(strstr(buf_string(&out), "\"offer_timeout_ms\":45000"));
	cr_expect_not_null(strstr(buf_string(&out), "\"paused\":true,\"order\":3}"));
	buf_reset(&out);
	cr_expect_lt(check("agents", "{\"id\":\"a\",\"capacity\":100001}", &out, &err), 0);
	cr_expect_str_eq(err.text, "\"capacity\" is 100001, out of range (it may be 0 to 100000)");
	cr_expect_lt(check("agents", "{\"id\":\"a\",\"capacty\":1}", &out, &err), 0);
	cr_expect_str_eq(err.text,
			 "unknown key \"capacty\" in \"agents\" (did you mean \"capacity\"?)");
	cr_expect_lt(check("agents", "[1]", &out, &err), 0);
	cr_expect_lt(check("nothing", "{}", &out, &err), 0);
	cr_expect_eq(out.len, 0, "nothing is written after an error");
	buf_clear(&out);
}

Test(business, takes_back_what_it_gave)
{
	struct problems *problems = problems_new();
	struct business *business = business_read(SOURCE_DIR "/conf/business.yaml", problems);
	struct error err;

	cr_assert_not_null(business);
	for (const struct business_kind *kind = business_kinds; kind->key != NULL; kind++) {
		size_t count;
		const struct business_object *objects =
			business_objects(business, kind->key, &count);

		for (size_t i = 0; i < count; i++) {
			struct buf out = { 0 };

			cr_expect_eq(check(kind->store, objects[i].json, &out, &err), 0, "%s",
				     err.text);
			cr_expect_str_eq(buf_string(&out), objects[i].json);
			buf_clear(&out);
		}
	}
	business_free(&business);
	problems_free(&problems);
}

/* What is wrong 20001 times must not cost 20001 hints. */
Test(business, bounds_what_a_file_may_hold)
{
	struct problems *problems = problems_new();
	struct buf text = { 0 };

	buf_text(&text, "queues:\n");
	for (int i = 0; i <= 20000; i++)
		buf_text(&text, "  - { nonsense: 1 }\n");
	cr_expect_null(business_parse("b", text.data, text.len, problems));
	cr_expect_eq(problems_errors(problems), 1);
	cr_expect_str_eq(problem_at(problems, 0)->text, "\"queues\" has 20001 items");
	buf_clear(&text);
	problems_free(&problems);
}

Test(business, finds_the_names_that_a_file_does_not_define_itself)
{
	static const char text[] =
		"queues: [ { id: support } ]\n"
		"agents: [ { id: a, queues: [support, suport], skills: { zh: 5 } } ]\n"
		"rules: [ { name: r, then: { queue: x, skills: { en: 1 } } } ]\n";
	static const struct {
		const char *kind, *name, *from, *field;
		unsigned line, column;
	} want[] = { { "queues", "suport", "agents", "queues", 2, 38 },
		     { "skills", "zh", "agents", "skills", 2, 57 },
		     { "queues", "x", "rules", "then.queue", 3, 36 },
		     { "skills", "en", "rules", "then.skills", 3, 49 } };
	struct problems *problems = problems_new();
	struct business *business = business_parse("b", text, strlen(text), problems);
	size_t count = 0;
	const struct business_reference *missing = business_missing(business, &count);

	cr_expect_eq(problems_errors(problems) + problems_warnings(problems), 0);
	cr_assert_eq(count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < count; i++) {
		cr_expect_str_eq(missing[i].kind, want[i].kind);
		cr_expect_str_eq(missing[i].name, want[i].name);
		cr_expect_str_eq(missing[i].from, want[i].from);
		cr_expect_str_eq(missing[i].field, want[i].field);
		cr_expect_eq(missing[i].at.line, want[i].line);
		cr_expect_eq(missing[i].at.column, want[i].column, "%u", missing[i].at.column);
	}
	business_free(&business);
	problems_free(&problems);
}

Test(business, finds_the_names_in_an_object_of_the_api)
{
	static const char text[] = "{\"id\":\"a\",\"queues\":[\"q1\",\"q2\",\"q3\"],"
				   "\"skills\":{\"zh\":3}}";
	struct json_object *object = json_read(text, strlen(text), NULL);
	struct arena *arena = arena_new(0);
	size_t count = 0;
	const struct business_reference *names =
		business_references("agents", object, arena, &count);

	cr_assert_eq(count, 4);
	cr_expect_str_eq(names[2].name, "q3");
	cr_expect_str_eq(names[3].kind, "skills");
	cr_expect_str_eq(names[3].name, "zh");
	cr_expect_eq(business_references("nonsense", object, arena, &count), NULL);
	cr_expect_eq(count, 0);
	json_free(&object);
	arena_free(&arena);
}
