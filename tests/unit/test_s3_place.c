#include <criterion/criterion.h>
#include <string.h>

#include "base/memory.h"
#include "services/s3_place.h"

static const struct good {
	const char *url;
	const char *base;
	const char *name;
	const char *region;
	bool is_plain;
} goods[] = {
	{ "s3://mails", "https://s3.us-east-1.amazonaws.com/mails/",
	  "s3://s3.us-east-1.amazonaws.com/mails", "us-east-1", false },
	{ "s3://mails/a/b/?region=cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn/mails/a/b/",
	  "s3://s3.cn-north-1.amazonaws.com.cn/mails/a/b", "cn-north-1", false },
	{ "s3://mails/a?endpoint=http://127.0.0.1:9000/&region=x", "http://127.0.0.1:9000/mails/a/",
	  "s3://127.0.0.1:9000/mails/a", "x", true },
	{ "s3://mails/a?style=virtual&endpoint=https%3A%2F%2Foss.example",
	  "https://mails.oss.example/a/", "s3://oss.example/mails/a", "us-east-1", false },
	{ "s3://mails?endpoint=https://[::1]:9000", "https://[::1]:9000/mails/",
	  "s3://[::1]:9000/mails", "us-east-1", false },
};

Test(s3_place, is_read_from_a_url)
{
	for (size_t i = 0; i < COUNT_OF(goods); i++) {
		struct s3_place place;
		struct error err = { 0 };

		cr_assert_eq(s3_place_read(goods[i].url, &place, &err), 0, "%s: %s", goods[i].url,
			     err.text);
		cr_expect_str_eq(place.base, goods[i].base);
		cr_expect_str_eq(place.name, goods[i].name);
		cr_expect_str_eq(place.region, goods[i].region);
		cr_expect_eq(place.is_plain, goods[i].is_plain);
	}
}

Test(s3_place, that_is_ambiguous_or_unknown_is_refused)
{
	static const char *const bads[] = {
		"file:/x",
		"s3://",
		"s3://ab/x",
		"s3://my_bucket",
		"s3://mails/a b",
		"s3://mails/a%20b",
		"s3://mails/../b",
		"s3://mails/a//b",
		"s3://mails?bucket=x",
		"s3://mails?region=EU",
		"s3://mails?region=",
		"s3://mails?region=a&style=both",
		"s3://mails?endpoint=ftp://x",
		"s3://mails?endpoint=https://",
		"s3://mails?endpoint=https://user@x",
		"s3://mails?endpoint=https://x/path",
		"s3://mails?endpoint=https://x%00y",
		"s3://mails?endpoint=x",
	};

	for (size_t i = 0; i < COUNT_OF(bads); i++) {
		struct s3_place place;
		struct error err = { 0 };

		cr_expect_eq(s3_place_read(bads[i], &place, &err), -1, "%s", bads[i]);
		cr_expect_neq(err.text[0], '\0');
	}
}
