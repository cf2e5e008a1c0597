#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "base/id.h"

Test(id, has_a_prefix_and_26_characters)
{
	char id[ID_BYTES];

	id_new("msg_", id);
	cr_assert_eq(strlen(id), 30);
	cr_assert(id_is(id, "msg_"));
	cr_assert_not(id_is(id, "cus_"));
	id_new("", id);
	cr_assert_eq(strlen(id), 26);
	cr_assert(id_is(id, ""));
}

Test(id, rises_strictly_even_inside_one_millisecond)
{
	char before[ID_BYTES];
	char after[ID_BYTES];

	id_new("evt_", before);
	for (int i = 0; i < 200000; i++) {
		id_new("evt_", after);
		cr_assert_lt(strcmp(before, after), 0, "%s then %s", before, after);
		memcpy(before, after, sizeof(before));
	}
}

Test(id, starts_with_the_time)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char id[ID_BYTES];
	long ms = 0;
	long now;

	id_new("", id);
	now = time(NULL);
	for (int i = 0; i < 10; i++)
		ms = ms * 32 + (strchr(alphabet, id[i]) - alphabet);
	cr_assert_leq(ms / 1000, now);
	cr_assert_geq(ms / 1000, now - 60);
}

Test(id, writes_given_bytes_in_order)
{
	unsigned char bytes[16];
	char id[ID_BYTES];

	memset(bytes, 0, sizeof(bytes));
	id_from_bytes("wrk_", bytes, id);
	cr_assert_str_eq(id, "wrk_00000000000000000000000000");
	memset(bytes, 0xff, sizeof(bytes));
	id_from_bytes("wrk_", bytes, id);
	cr_assert_str_eq(id, "wrk_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
	/* The example of the ULID specification's time part: 1469918176385 ms. */
	memcpy(bytes, "\x01\x56\x3d\xf3\x64\x81\0\0\0\0\0\0\0\0\0\x01", 16);
	id_from_bytes("", bytes, id);
	cr_assert_str_eq(id, "01ARYZ6S410000000000000001");
}

Test(id, refuses_malformed_text)
{
	static const char *const wrong[] = {
		"",
		"msg_",
		"msg_01ARYZ6S41000000000000000",        /* short */
		"msg_01ARYZ6S4100000000000000011",      /* long */
		"msg_81ARYZ6S410000000000000001",       /* more than 128 bits */
		"msg_01ARYZ6S41000000000000000I",       /* not in the alphabet */
		"msg_01ARYZ6S41000000000000000a",       /* one spelling only */
		"msg_01ARYZ6S4100000000000000\xe4\xbd", /* not ASCII */
		"cus_01ARYZ6S410000000000000001",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert_not(id_is(wrong[i], "msg_"), "%s", wrong[i]);
	cr_assert_not(id_is(NULL, "msg_"));
	cr_assert(id_is("msg_01ARYZ6S410000000000000001", "msg_"));
}

Test(id, bounds_a_prefix_that_is_too_long)
{
	char id[ID_BYTES];

	id_new("much_too_long_", id);
	cr_assert_eq(strlen(id), ID_BYTES - 1);
}
