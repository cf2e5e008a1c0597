#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static struct json_object *read_ok(const char *text)
{
	struct error err = { 0 };
	struct json_object *value = json_read(text, strlen(text), &err);

	cr_assert_not_null(value, "%s: %s", text, err.text);
	return value;
}

static const char *refusal(const char *text)
{
	static struct error err;
	struct json_object *value;

	err = (struct error){ 0 };
	value = json_read(text, strlen(text), &err);
	cr_assert_null(value, "%s was read", text);
	cr_assert_eq(err.kind, ERROR_MISUSE);
	return err.text;
}

static size_t read_file(const char *name, char *out, size_t room)
{
	char path[512];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/json/%s", TEST_DATA, name);
	file = fopen(path, "rb");
	cr_assert_not_null(file, "%s", path);
	len = fread(out, 1, room, file);
	fclose(file);
	return len;
}

/* Values that parse but that we refuse to read on purpose. */
static bool is_refused_by_choice(const char *name)
{
	return strncmp(name, "y_object_duplicated_key", 23) == 0 ||
	       strcmp(name, "y_structure_lonely_null.json") == 0;
}

static void check_case(const char *name)
{
	struct error err = { 0 };
	char bytes[8192];
	size_t len = read_file(name, bytes, sizeof(bytes));
	char *exact = memory_copy(bytes, len); /* so that sanitizers see an overrun */
	int checked = json_check(exact, len, &err);
	struct json_object *value = json_read(exact, len, NULL);

	if (name[0] == 'y')
		cr_assert_eq(checked, 0, "%s: %s", name, err.text);
	if (name[0] == 'n')
		cr_assert_eq(checked, -1, "%s", name);
	if (name[0] == 'n' || is_refused_by_choice(name))
		cr_assert_null(value, "%s", name);
	else if (name[0] == 'y')
		cr_assert_not_null(value, "%s", name);
	json_free(&value);
	free(exact);
}

Test(json, agrees_with_the_published_test_suite)
{
	char path[512];
	struct dirent *entry;
	size_t right = 0;
	size_t wrong = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/json", TEST_DATA);
	dir = opendir(path);
	cr_assert_not_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, ".json") == NULL)
			continue;
		check_case(entry->d_name);
		right += entry->d_name[0] == 'y';
		wrong += entry->d_name[0] == 'n';
	}
	closedir(dir);
	cr_assert_eq(right, 95);
	cr_assert_eq(wrong, 188 - 2); /* the two below are built */
}

Test(json, refuses_endless_nesting)
{
	struct buf buf = { 0 };

	for (int i = 0; i < 100000; i++)
		buf_byte(&buf, '[');
	cr_assert_eq(json_check(buf.data, buf.len, NULL), -1);
	buf_reset(&buf);
	for (int i = 0; i < 50000; i++)
		buf_text(&buf, "[{\"\":");
	cr_assert_eq(json_check(buf.data, buf.len, NULL), -1);
	buf_clear(&buf);
}

Test(json, takes_32_levels_and_not_33)
{
	char text[80];

	for (int i = 0; i < 33; i++) {
		text[i] = '[';
		text[33 + i] = ']';
	}
	text[66] = '\0';
	cr_assert_str_eq(refusal(text), "line 1, column 33: nested too deep");
	text[65] = '\0';
	for (struct json_object *value = read_ok(text + 1); value != NULL; json_free(&value))
		cr_assert_eq(json_kind(value), JSON_ARRAY);
}

struct position_case {
	const char *text;
	const char *message;
};

static const struct position_case positions[] = {
	{ "", "line 1, column 1: the text ends too early" },
	{ "  {", "line 1, column 4: the text ends too early" },
	{ "{'a':1}", "line 1, column 2: expected a key in double quotes" },
	{ "{\"a\" 1}", "line 1, column 6: expected a colon after a key" },
	{ "{\n \"姓名\": 张}", "line 2, column 8: expected a value" },
	{ "[1,]", "line 1, column 4: a comma with nothing after it" },
	{ "[1 2]", "line 1, column 4: expected a comma or ]" },
	{ "{\"a\":1]", "line 1, column 7: expected a comma or }" },
	{ "[01]", "line 1, column 2: a number starts with 0" },
	{ "[-]", "line 1, column 3: expected a digit" },
	{ "[1.]", "line 1, column 4: expected a digit after the point" },
	{ "[1e+]", "line 1, column 5: expected a digit in the exponent" },
	{ "[NaN]", "line 1, column 2: expected a value" },
	{ "[nul]", "line 1, column 5: expected a value" },
	{ "\"\\x41\"", "line 1, column 3: no such escape" },
	{ "\"\\u12g4\"", "line 1, column 4: expected four hexadecimal digits after \\u" },
	{ "\"\\ud800\"", "line 1, column 4: a surrogate escape has no partner" },
	{ "\"\\udc00\"", "line 1, column 4: a surrogate escape has no partner" },
	{ "\"\\ud800\\ud800\"", "line 1, column 4: a surrogate escape has no partner" },
	{ "\"a\nb\"", "line 1, column 3: a control character inside a text" },
	{ "\"a\x1f\"", "line 1, column 3: a control character inside a text" },
	{ "\"\xff\"", "line 1, column 2: bytes that are not UTF-8" },
	{ "\"\xed\xa0\x80\"", "line 1, column 2: bytes that are not UTF-8" },
	{ "{} {}", "line 1, column 4: something after the end of the value" },
	{ "\xef\xbb\xbf{}", "line 1, column 1: expected a value" },
	{ "[9223372036854775808]", "line 1, column 2: an integer does not fit into 64 bits" },
	{ "[-9223372036854775809]", "line 1, column 2: an integer does not fit into 64 bits" },
	{ "[99999999999999999999]", "line 1, column 2: an integer does not fit into 64 bits" },
	{ "[1e999]", "a number is too large" },
	{ "null", "the value is null" },
	{ "{\"a\":1,\"b\":2,\"a\":3}", "an object has the same key twice" },
	{ "{\"a\":1,\"\\u0061\":2}", "an object has the same key twice" },
	{ "[{\"x\":{\"a\":null,\"a\":null}}]", "an object has the same key twice" },
};

Test(json, says_where_it_is_wrong)
{
	for (size_t i = 0; i < COUNT_OF(positions); i++)
		cr_assert_str_eq(refusal(positions[i].text), positions[i].message);
}

Test(json, stays_usable_after_a_refusal)
{
	struct json_object *value;

	refusal("{\"a\":");
	refusal("[1e999]");
	value = read_ok("{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]}} \n");
	cr_assert_eq(json_int(value, "a.a.1.a", 0), 2);
	json_free(&value);
	cr_assert_null(value);
	json_free(&value);
}

Test(json, looks_up_paths)
{
	struct json_object *value = read_ok("{\"from\":{\"id\":\"u1\",\"n\":7,\"f\":3.0,\"h\":3.5,"
					    "\"yes\":true,\"no\":null},\"items\":[{\"id\":\"a\"},"
					    "{\"id\":\"b\"}],\"min\":-9223372036854775808}");
	struct arena *arena = arena_new(0);

	cr_assert_str_eq(json_text(value, "from.id"), "u1");
	cr_assert_str_eq(json_text(value, "items.1.id"), "b");
	cr_assert_null(json_text(value, "items.2.id"));
	cr_assert_null(json_text(value, "items.01.id"));
	cr_assert_null(json_text(value, "from.n"));
	cr_assert_null(json_text(value, "from.id.deeper"));
	cr_assert_null(json_text(value, ""));
	cr_assert_null(json_text(NULL, "a"));
	cr_assert_eq(json_int(value, "from.n", -1), 7);
	cr_assert_eq(json_int(value, "from.f", -1), 3);
	cr_assert_eq(json_int(value, "from.h", -1), -1);
	cr_assert_eq(json_int(value, "from.id", -1), -1);
	cr_assert_eq(json_int(value, "min", -1), INT64_MIN);
	cr_assert(json_bool(value, "from.yes", false));
	cr_assert(json_bool(value, "from.n", true));
	cr_assert_not(json_has(value, "from.no"));
	cr_assert_not(json_has(value, "from.none"));
	cr_assert(json_has(value, "items"));
	cr_assert_eq(json_count(json_at(value, "items")), 2);
	cr_assert_eq(json_count(json_at(value, "from")), 0);
	cr_assert_eq(json_count(NULL), 0);
	cr_assert_eq(json_kind(json_at(value, "from.f")), JSON_NUMBER);
	cr_assert_eq(json_kind(json_at(value, "from.no")), JSON_NULL);
	cr_assert_eq(json_kind(json_item(json_at(value, "items"), 0)), JSON_OBJECT);
	cr_assert_eq(json_kind(json_at(value, "from.yes")), JSON_BOOL);
	cr_assert_null(json_item(json_at(value, "items"), 2));
	cr_assert_str_eq(json_text_copy(value, "from.id", arena), "u1");
	cr_assert_null(json_text_copy(value, "from.none", arena));
	arena_free(&arena);
	json_free(&value);
}

Test(json, does_not_find_a_key_longer_than_its_buffer)
{
	char path[300];
	struct json_object *value = read_ok("{\"a\":1}");

	memset(path, 'a', sizeof(path));
	path[299] = '\0';
	cr_assert_null(json_at(value, path));
	json_free(&value);
}

Test(json, never_ends_a_text_early)
{
	struct json_object *value =
		read_ok("{\"t\":\"a\\u0000b\",\"kept\":\"\\\\u0000\",\"k\\u0000\":1}");

	cr_assert_str_eq(json_text(value, "t"), "a\xef\xbf\xbd"
						"b");
	cr_assert_str_eq(json_text(value, "kept"), "\\u0000");
	cr_assert_eq(json_int(value, "k\xef\xbf\xbd", 0), 1);
	json_free(&value);
}

static void concatenate(const char *key, struct json_object *value, void *context)
{
	struct buf *buf = context;

	buf_format(buf, "%s=%d ", key, (int)json_kind(value));
}

Test(json, walks_fields_in_order)
{
	struct json_object *value = read_ok("{\"b\":1,\"a\":\"x\",\"c\":null,\"d\":[]}");
	struct buf buf = { 0 };

	json_each_field(value, concatenate, &buf);
	cr_assert_str_eq(buf_string(&buf), "b=2 a=3 c=0 d=4 ");
	buf_reset(&buf);
	json_each_field(json_at(value, "d"), concatenate, &buf);
	json_each_field(NULL, concatenate, &buf);
	cr_assert_str_eq(buf_string(&buf), "");
	buf_clear(&buf);
	json_free(&value);
}

Test(json, writes_back_what_it_read)
{
	static const char text[] = "{\"b\":[1,-2,0.1,1e+100,true,false,null,\"/"
				   "\\\"\\\\\\n\\u0001退款\"],\"a\":{},\"\":[]}";
	static const char *const scalars[] = { "1", "-1", "true", "\"\"", "0.5", "[]", "{}" };
	struct buf buf = { 0 };
	struct json_object *value = read_ok(text);

	json_append(value, &buf);
	cr_assert_str_eq(buf_string(&buf), text);
	json_free(&value);
	for (size_t i = 0; i < COUNT_OF(scalars); i++) {
		buf_reset(&buf);
		value = read_ok(scalars[i]);
		json_append(value, &buf);
		cr_assert_str_eq(buf_string(&buf), scalars[i]);
		json_free(&value);
	}
	buf_reset(&buf);
	json_append(NULL, &buf);
	cr_assert_str_eq(buf_string(&buf), "null");
	buf_clear(&buf);
}

Test(json, writes_commas_and_brackets)
{
	struct buf buf = { 0 };
	struct json_out out;

	jw_start(&out, &buf);
	jw_object(&out, NULL);
	jw_text(&out, "text", "a");
	jw_text(&out, "none", NULL);
	jw_array(&out, "list");
	jw_int(&out, NULL, 0);
	jw_int(&out, NULL, INT64_MIN);
	jw_int(&out, NULL, INT64_MAX);
	jw_object(&out, NULL);
	jw_object_end(&out);
	jw_array(&out, NULL);
	jw_array_end(&out);
	jw_array_end(&out);
	jw_bool(&out, "yes", true);
	jw_bool(&out, "no", false);
	jw_null(&out, "null");
	jw_time(&out, "at", 1795380300123);
	jw_time(&out, "never", 0);
	jw_raw(&out, "raw", "[1]", 3);
	jw_object_end(&out);
	cr_assert_str_eq(buf_string(&buf),
			 "{\"text\":\"a\",\"none\":null,\"list\":[0,-9223372036854775808,"
			 "9223372036854775807,{},[]],\"yes\":true,\"no\":false,\"null\":null,"
			 "\"at\":\"2026-11-22T20:45:00.123Z\",\"never\":null,\"raw\":[1]}");
	buf_clear(&buf);
}

struct number_case {
	double number;
	const char *text;
};

static const struct number_case numbers[] = {
	{ 0.0, "0" },        { 0.1, "0.1" },         { 1.0 / 3, "0.3333333333333333" },
	{ 1e100, "1e+100" }, { -2.5, "-2.5" },       { 5e-324, "4.94065645841247e-324" },
	{ 1e21, "1e+21" },   { 1e308 * 10, "null" }, { 0.1 + 0.2, "0.30000000000000004" },
};

Test(json, writes_numbers_that_read_back_the_same)
{
	struct buf buf = { 0 };
	struct json_out out;

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		buf_reset(&buf);
		jw_start(&out, &buf);
		jw_number(&out, NULL, numbers[i].number);
		cr_assert_str_eq(buf_string(&buf), numbers[i].text);
	}
	buf_clear(&buf);
}

Test(json, writes_only_valid_text)
{
	struct buf buf = { 0 };
	struct json_out out;
	char every[256];

	jw_start(&out, &buf);
	jw_textn(&out, NULL, "\0\x1f\x7f\b\f\r\t<\xe5\xb7\xa5\xf0\x9f\x98\x80", 15);
	cr_assert_str_eq(buf_string(&buf),
			 "\"\\u0000\\u001f\x7f\\b\\f\\r\\t<\xe5\xb7\xa5\xf0\x9f\x98\x80\"");
	buf_reset(&buf);
	jw_start(&out, &buf);
	jw_textn(&out, NULL, "a \xff\xe5\xb7z", 6);
	cr_assert_str_eq(buf_string(&buf), "\"a \xef\xbf\xbd\xef\xbf\xbdz\"");
	for (size_t i = 0; i < sizeof(every); i++)
		every[i] = (char)i;
	buf_reset(&buf);
	jw_start(&out, &buf);
	jw_textn(&out, NULL, every, sizeof(every));
	cr_assert_eq(json_check(buf.data, buf.len, NULL), 0);
	buf_clear(&buf);
}
