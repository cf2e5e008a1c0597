/* The known answers of RFC 6238, appendix B (SHA-1), cut to six digits, and of RFC 4648. */
#include <criterion/criterion.h>

#include "api/totp_code.h"

static const unsigned char secret[] = "12345678901234567890";

Test(totp_code, knows_the_answers_of_the_rfc)
{
	static const struct {
		int64_t at_s;
		const char *digits;
	} known[] = {
		{ 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
		{ 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		cr_expect_eq(totp_step(secret, known[i].digits, known[i].at_s),
			     known[i].at_s / TOTP_STEP_S, "%s", known[i].digits);
}

Test(totp_code, takes_the_step_before_and_after_and_no_other)
{
	cr_expect_eq(totp_step(secret, "287082", 59 + TOTP_STEP_S), 1);
	cr_expect_eq(totp_step(secret, "287082", 29), 1);
	cr_expect_eq(totp_step(secret, "287082", 59 + 2 * TOTP_STEP_S), -1);
	cr_expect_eq(totp_step(secret, "287 082", 59), 1);
}

Test(totp_code, refuses_what_is_no_code)
{
	static const char *const wrong[] = { "", "28708", "2870820", "28708a", "287083", "-87082" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_eq(totp_step(secret, wrong[i], 59), -1, "%s", wrong[i]);
}

Test(totp_code, writes_a_secret_as_apps_take_it)
{
	char text[TOTP_SECRET_TEXT];

	totp_secret_text(secret, text);
	cr_expect_str_eq(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}
