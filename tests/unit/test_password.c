#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "services/loop.h"
#include "services/password.h"
#include "services/worker.h"

struct answer {
	bool ended;
	bool matches;
	char hash[200];
	char error[600];
};

static struct loop *loop;
static struct worker_pool *pool;

static void setup(void)
{
	loop = loop_new();
	pool = worker_pool_new(loop,
			       &(struct worker_options){ .name = "password",
							 .queue_max = 10,
							 .deadline_ms = 60000,
							 .executable = BUILD_DIR "/converged" });
}

static void teardown(void)
{
	worker_pool_free(&pool);
	loop_free(&loop);
}

TestSuite(password, .init = setup, .fini = teardown);

static void on_hash(const char *hash, const struct error *err, void *context)
{
	struct answer *answer = context;

	answer->ended = true;
	snprintf(answer->hash, sizeof(answer->hash), "%s", hash == NULL ? "" : hash);
	snprintf(answer->error, sizeof(answer->error), "%s", err == NULL ? "" : err->text);
}

static void on_verify(bool matches, const struct error *err, void *context)
{
	struct answer *answer = context;

	answer->ended = true;
	answer->matches = matches;
	snprintf(answer->error, sizeof(answer->error), "%s", err == NULL ? "" : err->text);
}

static bool verify(const char *hash, const char *password)
{
	struct answer answer = { 0 };
	struct error err;

	cr_assert_eq(password_verify(pool, hash, password, on_verify, &answer, &err), 0);
	while (!answer.ended)
		loop_turn(loop, true);
	cr_assert_str_eq(answer.error, "");
	return answer.matches;
}

Test(password, matches_its_own_hash_only)
{
	struct answer answer = { 0 };
	struct error err;

	cr_assert_eq(password_hash(pool, "密码 correct horse", on_hash, &answer, &err), 0);
	while (!answer.ended)
		loop_turn(loop, true);
	cr_assert_str_eq(answer.error, "");
	cr_assert_eq(strncmp(answer.hash, "$argon2id$", 10), 0);
	cr_assert(verify(answer.hash, "密码 correct horse"));
	cr_assert_not(verify(answer.hash, "密码 correct horsf"));
	cr_assert_not(verify("not a hash", "x"));
	cr_assert_not(verify("", "x"));
}

Test(password, that_is_empty_or_huge_is_refused)
{
	char huge[PASSWORD_MAX_BYTES + 2];
	struct answer answer = { 0 };
	struct error err;

	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	cr_assert_eq(password_hash(pool, "", on_hash, &answer, &err), -1);
	cr_assert_eq(password_hash(pool, huge, on_hash, &answer, &err), -1);
	cr_assert_eq(err.kind, ERROR_MISUSE);
}
