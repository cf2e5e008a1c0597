#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"
#include "identity/address.h"
#include "identity/phones.h"
#include "services/loop.h"

struct answer {
	bool ended;
	char e164[64];
	char error[600];
};

static struct loop *loop;
static struct phones *phones;

static void setup(void)
{
	loop = loop_new();
	phones = phones_new(loop, BUILD_DIR "/converged");
}

static void teardown(void)
{
	phones_free(&phones);
	loop_free(&loop);
}

TestSuite(phones, .init = setup, .fini = teardown);

static void on_phone(const char *e164, const struct error *err, void *context)
{
	struct answer *answer = context;

	answer->ended = true;
	snprintf(answer->e164, sizeof(answer->e164), "%s", e164 == NULL ? "" : e164);
	snprintf(answer->error, sizeof(answer->error), "%s", err == NULL ? "" : err->text);
}

static const char *ask(const char *region, const char *number)
{
	static struct answer answer;
	struct error err;

	answer = (struct answer){ 0 };
	cr_assert_eq(phones_read(phones, region, number, on_phone, &answer, &err), 0);
	while (!answer.ended)
		loop_turn(loop, true);
	cr_expect_str_eq(answer.error, "");
	return answer.e164;
}

struct row {
	const char *typed;
	const char *region;
	const char *e164; /* "": no number */
};

static void check(const struct row *rows, size_t count)
{
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < count; i++) {
		struct identifier phone = { .kind = "phone", .value = rows[i].typed };
		char digits[ADDRESS_PHONE_BYTES];

		cr_assert_not(address_normalise(arena, &phone, digits), "%s", rows[i].typed);
		cr_expect_str_eq(ask(rows[i].region, digits), rows[i].e164, "%s in %s: %s",
				 rows[i].typed, rows[i].region ? rows[i].region : "none",
				 ask(rows[i].region, digits));
	}
	arena_free(&arena);
}

Test(phones, reads_chinese_mobiles_landlines_and_free_phones)
{
	static const struct row rows[] = {
		{ "138 0013 8000", "CN", "+8613800138000" },
		{ "19912345678", "CN", "+8619912345678" },
		{ "１３８００１３８０００", "CN", "+8613800138000" },
		{ "010-6552 9988", "CN", "+861065529988" },
		{ "（010）65529988", "CN", "+861065529988" },
		{ "0755-8888 8888", "CN", "+8675588888888" },
		{ "400-800-8888", "CN", "+864008008888" },
		{ "10086", "CN", "" },
		{ "110", "CN", "" },
		/* A digit is missing, but a number could have so many: what is in use is not asked.
		 */
		{ "1380013800", "CN", "+861380013800" },
		{ "138001380001380013800", "CN", "" },
	};

	check(rows, COUNT_OF(rows));
}

Test(phones, reads_what_people_type_in_other_countries)
{
	static const struct row rows[] = {
		{ "(0)20 7946 0958", "GB", "+442079460958" },
		{ "020 7946 0958", "GB", "+442079460958" },
		{ "+44 (0)20 7946 0958", NULL, "+442079460958" },
		{ "+49 (0)30 901820", NULL, "+4930901820" },
		{ "(415) 555-2671", "US", "+14155552671" },
		{ "1-415-555-2671", "US", "+14155552671" },
		{ "011 86 138 0013 8000", "US", "+8613800138000" },
		{ "2123 4567", "HK", "+85221234567" },
		{ "0912 345 678", "TW", "+886912345678" },
		{ "090-1234-5678", "JP", "+819012345678" },
		{ "06 12345678", "IT", "+390612345678" },
		{ "+39 (0)6 12345678", NULL, "+390612345678" },
		{ "312 345 6789", "IT", "+393123456789" },
		{ "(011) 15-1234-5678", "AR", "+5491112345678" },
		{ "011 4321-5678", "AR", "+541143215678" },
		{ "044 55 1234 5678", "MX", "+525512345678" },
		{ "55 1234 5678", "MX", "+525512345678" },
		{ "11 98765-4321", "BR", "+5511987654321" },
		{ "(0xx11) 98765-4321", "BR", "+5511987654321" },
		{ "(11) 3234-5678", "BR", "+551132345678" },
	};

	check(rows, COUNT_OF(rows));
}

Test(phones, reads_no_garbage)
{
	static const struct row rows[] = {
		{ "13800138000", "XX", "" },
		{ "xxxxxxxx", "CN", "" },
		{ "0", "US", "" },
		{ "13800138000x5", "CN", "" },
	};

	check(rows, COUNT_OF(rows));
}

Test(phones, remembers_what_was_asked)
{
	cr_expect_null(phones_known(phones, "CN", "13800138000"));
	ask("CN", "13800138000");
	cr_expect_str_eq(phones_known(phones, "CN", "13800138000"), "+8613800138000");
	cr_expect_null(phones_known(phones, "US", "13800138000"));
	ask("CN", "1");
	cr_expect_str_eq(phones_known(phones, "CN", "1"), "");
}

Test(phones, forgets_before_it_grows)
{
	char number[32];

	ask("CN", "13800138000");
	for (int i = 0; i < 1030; i++) {
		snprintf(number, sizeof(number), "138%08d", i);
		ask("CN", number);
	}
	cr_expect_null(phones_known(phones, "CN", "13800138000"));
	cr_expect_str_eq(phones_known(phones, "CN", number), "+8613800001029");
}

Test(phones, asks_nobody_without_a_country)
{
	cr_expect_str_eq(phones_known(phones, NULL, "13800138000"), "");
	cr_expect_null(phones_known(phones, NULL, "+4402079460958"));
	cr_expect_eq(phones_stats(phones).done, 0);
}

Test(phones, ends_waiting_questions_when_it_is_freed)
{
	struct answer answer = { 0 };
	struct error err;

	cr_assert_eq(phones_read(phones, "CN", "13800138000", on_phone, &answer, &err), 0);
	phones_free(&phones);
	cr_expect(answer.ended);
	cr_expect(strlen(answer.error) > 0);
}

Test(phones, say_to_ask_again_where_the_program_is_missing)
{
	struct phones *broken = phones_new(loop, BUILD_DIR "/no-such-program");
	struct answer answer = { 0 };
	struct error err;

	cr_assert_eq(phones_read(broken, "CN", "13800138000", on_phone, &answer, &err), 0);
	while (!answer.ended)
		loop_turn(loop, true);
	cr_expect_str_eq(answer.e164, "");
	cr_expect(strlen(answer.error) > 0);
	cr_expect_null(phones_known(broken, "CN", "13800138000"), "nothing was learned");
	phones_free(&broken);
}
