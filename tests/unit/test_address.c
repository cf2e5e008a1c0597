#include <criterion/criterion.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/address.h"

Test(address, takes_apart_what_it_supports)
{
	static const struct {
		const char *url, *path, *host;
		int port, database;
		const char *user, *password, *shown;
	} rows[] = {
		{ "unix:/run/redis.sock", "/run/redis.sock", NULL, 0, 0, NULL, NULL,
		  "unix:/run/redis.sock" },
		{ "unix:///run/redis.sock", "/run/redis.sock", NULL, 0, 0, NULL, NULL,
		  "unix:/run/redis.sock" },
		{ "redis://db", NULL, "db", 6379, 0, NULL, NULL, "redis://db:6379/0" },
		{ "redis://10.0.0.1:7000/2", NULL, "10.0.0.1", 7000, 2, NULL, NULL,
		  "redis://10.0.0.1:7000/2" },
		{ "redis://:secret@db:1", NULL, "db", 1, 0, NULL, "secret", "redis://db:1/0" },
		{ "redis://me:p%40ss%3A@db/", NULL, "db", 6379, 0, "me",
		  "p@ss:", "redis://db:6379/0" },
		{ "redis://me:a@b@db", NULL, "db", 6379, 0, "me", "a@b", "redis://db:6379/0" },
		{ "redis://[::1]:7000/1", NULL, "::1", 7000, 1, NULL, NULL, "redis://::1:7000/1" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(0);
		struct address got;
		struct error err;

		cr_assert_eq(address_parse(rows[i].url, arena, &got, &err), 0, "%s: %s",
			     rows[i].url, err.text);
		cr_expect(text_equal(got.path, rows[i].path), "%s", rows[i].url);
		cr_expect(text_equal(got.host, rows[i].host), "%s", rows[i].url);
		cr_expect_eq(got.port, rows[i].port, "%s", rows[i].url);
		cr_expect_eq(got.database, rows[i].database, "%s", rows[i].url);
		cr_expect(text_equal(got.user, rows[i].user), "%s", rows[i].url);
		cr_expect(text_equal(got.password, rows[i].password), "%s", rows[i].url);
		cr_expect(text_equal(got.shown, rows[i].shown), "%s: %s", rows[i].url, got.shown);
		arena_free(&arena);
	}
}

Test(address, refuses_the_rest_and_never_repeats_a_password)
{
	static const char *const rows[] = {
		"",
		"redis:/",
		"unix:relative",
		"rediss://h",
		"sentinel://u:secret@a,b/main",
		"cluster://u:secret@a",
		"redis://u:secret@:1",
		"redis://u:secret@h:0",
		"redis://u:secret@h:70000",
		"redis://u:secret@h:x",
		"redis://u:secret@h/x",
		"redis://u:secret@h/-1",
		"redis://secret@h",
		"redis://u:secret%zz@h",
		"redis://u:secret@[::1",
		"http://u:secret@h",
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(0);
		struct address got;
		struct error err = { 0 };

		cr_expect_eq(address_parse(rows[i], arena, &got, &err), -1, "%s", rows[i]);
		cr_expect_eq(err.kind, ERROR_MISUSE, "%s", rows[i]);
		cr_expect_null(strstr(err.text, "secret"), "%s", err.text);
		arena_free(&arena);
	}
}
