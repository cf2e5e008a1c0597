#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "../../connectors/sms_text.h"

struct sms_case {
	char unit[8];
	int count;
	char encoding[8];
	int segments;
	int left;
};

/* 3GPP 23.038 and 23.040: 160 and 153 septets, 70 and 67 units. */
ParameterizedTestParameters(sms_text, segments)
{
	static struct sms_case cases[] = {
		{ "", 0, "GSM-7", 1, 160 },    { "a", 160, "GSM-7", 1, 0 },
		{ "a", 161, "GSM-7", 2, 145 }, { "a", 306, "GSM-7", 2, 0 },
		{ "a", 307, "GSM-7", 3, 152 }, { "€", 80, "GSM-7", 1, 0 },
		{ "€", 81, "GSM-7", 2, 143 },  { "中", 70, "UCS-2", 1, 0 },
		{ "中", 71, "UCS-2", 2, 63 },  { "中", 134, "UCS-2", 2, 0 },
		{ "中", 135, "UCS-2", 3, 66 }, { "😀", 35, "UCS-2", 1, 0 },
		{ "😀", 36, "UCS-2", 2, 61 },   { "`", 1, "UCS-2", 1, 69 },
	};

	return cr_make_param_array(struct sms_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct sms_case *c, sms_text, segments)
{
	struct text_estimate estimate;
	char text[2000] = "";

	for (int i = 0; i < c->count; i++)
		strcat(text, c->unit);
	sms_estimate(text, &estimate);
	cr_expect_str_eq(estimate.encoding, c->encoding, "%s", c->unit);
	cr_expect_eq(estimate.segments, c->segments, "%s x %d: %d", c->unit, c->count,
		     estimate.segments);
	cr_expect_eq((int)estimate.left, c->left, "%s x %d: %zu", c->unit, c->count, estimate.left);
	cr_expect_eq((int)estimate.characters, c->count);
}

Test(sms_text, counts_what_the_alphabet_has)
{
	cr_expect_eq(sms_septets("Hello @£"), 8);
	cr_expect_eq(sms_septets("[x]"), 5);
	cr_expect_eq(sms_septets("\f^{}\\[~]|€"), 20);
	cr_expect_eq(sms_septets("你"), -1);
}
