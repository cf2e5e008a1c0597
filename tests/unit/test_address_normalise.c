#include <criterion/criterion.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"
#include "identity/address.h"

Test(address, reads_phone_numbers_as_people_type_them)
{
	static const struct {
		const char *typed;
		const char *region;
		const char *value; /* NULL: stays as typed, a claim */
	} rows[] = {
		{ "+86 138 0013 8000", NULL, "+8613800138000" },
		{ "0086-138-0013-8000", NULL, "+8613800138000" },
		{ "13800138000", "CN", "+8613800138000" },
		{ "１３８００１３８０００", "CN", "+8613800138000" },
		{ "＋８６ 13800138000", NULL, "+8613800138000" },
		{ "010-6552 9988", "CN", "+861065529988" },
		{ "(0)20 7946 0958", "GB", "+442079460958" },
		{ "020 7946 0958", "GB", "+442079460958" },
		{ "(415) 555-2671", "US", "+14155552671" },
		{ "1-415-555-2671", "US", "+14155552671" },
		{ "2123 4567", "HK", "+85221234567" },
		{ "06 12345678", "IT", "+390612345678" },
		{ "13800138000", NULL, NULL },
		{ "13800138000", "XX", NULL },
		{ "+0138001380", NULL, NULL },
		{ "+12", NULL, NULL },
		{ "+1234567890123456", NULL, NULL },
		{ "call me", "US", NULL },
		{ "138 0013 8000 ext 5", "CN", NULL },
		{ "+86 138 0013 8000 +1", NULL, NULL },
		{ "", "CN", NULL },
	};
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct identifier phone = { .kind = "phone",
					    .value = rows[i].typed,
					    .proof = PROOF_CHANNEL,
					    .proved_by = "webhook" };

		address_normalise(arena, &phone, rows[i].region);
		if (rows[i].value == NULL) {
			cr_expect_str_eq(phone.value, rows[i].typed);
			cr_expect_eq(phone.proof, PROOF_CLAIMED, "%s", rows[i].typed);
			continue;
		}
		cr_expect_str_eq(phone.value, rows[i].value, "%s gave %s", rows[i].typed,
				 phone.value);
		cr_expect_eq(phone.proof, PROOF_CHANNEL);
	}
	arena_free(&arena);
}

Test(address, folds_mail_and_keeps_what_was_typed)
{
	struct arena *arena = arena_new(0);
	struct identifier mail = { .kind = "email", .value = "Wang@Example.COM" };
	struct identifier other = { .kind = "wechat", .value = "oAbC" };

	address_normalise(arena, &mail, NULL);
	cr_expect_str_eq(mail.value, "wang@example.com");
	cr_expect_str_eq(mail.raw, "Wang@Example.COM");
	address_normalise(arena, &other, "CN");
	cr_expect_str_eq(other.value, "oAbC");
	cr_expect_null(other.raw);
	arena_free(&arena);
}
