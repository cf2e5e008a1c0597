#include <criterion/criterion.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "identity/address.h"
#include "identity/identity.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new(0);
}

static void teardown(void)
{
	arena_free(&arena);
}

TestSuite(address, .init = setup, .fini = teardown);

static struct identifier phone_of(const char *typed)
{
	return (struct identifier){
		.kind = "phone", .value = typed, .proof = PROOF_CHANNEL, .proved_by = "webhook"
	};
}

Test(address, reads_numbers_that_say_their_country)
{
	static const struct {
		const char *typed;
		const char *value; /* NULL: stays as typed, a claim */
	} rows[] = {
		{ "+86 138 0013 8000", "+8613800138000" },
		{ "0086-138-0013-8000", "+8613800138000" },
		{ "＋８６ 13800138000", "+8613800138000" },
		{ "００８６１３８００１３８０００", "+8613800138000" },
		{ "+86 (10) 6552‑9988", "+861065529988" },
		{ "+86（10）6552－9988", "+861065529988" },
		{ "+39 06 12345678", "+390612345678" },
		{ "+52 1 55 1234 5678", "+5215512345678" },
		{ "+0138001380", NULL },
		{ "+12", NULL },
		{ "+1234567890123456", NULL },
		{ "+86 138 0013 8000 +1", NULL },
		{ "+86 138 0013 8000 ext 5", NULL },
		{ "+86 138 0013 8000;ext=5", NULL },
		{ "call me", NULL },
		{ "tel", NULL },
		{ "+86\xff", NULL },
		{ "٠١٢٣٤٥٦٧٨٩", NULL },
		{ "+861380013800013800138000138001380001380013800013800138000", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct identifier phone = phone_of(rows[i].typed);
		char digits[ADDRESS_PHONE_BYTES];

		cr_expect(address_normalise(arena, &phone, digits), "%s", rows[i].typed);
		cr_expect_str_eq(phone.value, rows[i].value ? rows[i].value : rows[i].typed);
		cr_expect_eq(phone.proof, rows[i].value ? PROOF_CHANNEL : PROOF_CLAIMED, "%s",
			     rows[i].typed);
		cr_expect_eq(phone.raw == NULL, rows[i].value == NULL, "%s", rows[i].typed);
	}
}

Test(address, leaves_national_numbers_to_the_worker)
{
	static const struct {
		const char *typed;
		const char *digits;
	} rows[] = {
		{ "138 0013 8000", "13800138000" },
		{ "１３８００１３８０００", "13800138000" },
		{ "（010）6552-9988", "01065529988" },
		{ "(0xx11) 98765-4321", "0xx11987654321" },
		{ "+44 (0)20 7946 0958", "+4402079460958" },
		{ "0044 (0)20 7946 0958", "+4402079460958" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct identifier phone = phone_of(rows[i].typed);
		char digits[ADDRESS_PHONE_BYTES];

		cr_expect_not(address_normalise(arena, &phone, digits), "%s", rows[i].typed);
		cr_expect_str_eq(digits, rows[i].digits);
		cr_expect_str_eq(phone.value, rows[i].typed);
		address_settle(arena, &phone, "+8613800138000");
		cr_expect_str_eq(phone.value, "+8613800138000");
		cr_expect_str_eq(phone.raw, rows[i].typed);
		cr_expect_eq(phone.proof, PROOF_CHANNEL);
		phone = phone_of(rows[i].typed);
		address_settle(arena, &phone, "");
		cr_expect_str_eq(phone.value, rows[i].typed);
		cr_expect_eq(phone.proof, PROOF_CLAIMED);
	}
}

Test(address, matches_the_written_forms_of_one_number_and_rewrites_none)
{
	static const struct {
		const char *a;
		const char *b;
		bool same;
	} rows[] = {
		{ "+5511987654321", "+551187654321", true },
		{ "+5511967654321", "+551167654321", true },
		{ "+5521999999999", "+552199999999", true },
		{ "+5215512345678", "+525512345678", true },
		{ "+5491112345678", "+541112345678", true },
		/* A landline, and a mobile number that never had eight digits. */
		{ "+5511932345678", "+551132345678", false },
		{ "+551132345678", "+5511987654321", false },
		{ "+5511987654321", "+5521987654321", false },
		{ "+5511987654321", "+551187654322", false },
		{ "+525512345678", "+525512345679", false },
		{ "+5491112345678", "+5491112345679", false },
		/* Italy: with the zero it is another number. */
		{ "+390612345678", "+39612345678", false },
		/* Only these countries. */
		{ "+8619912345678", "+869912345678", false },
		{ "+14155552671", "+4155552671", false },
	};
	struct mac *mac = mac_new("k", 1);
	const struct identity_place place = { mac, "main", "desk" };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct identifier a = phone_of(rows[i].a);
		struct identifier b = phone_of(rows[i].b);
		struct identity_key of_a;
		struct identity_key of_b;

		identity_index(&place, &a, &of_a);
		identity_index(&place, &b, &of_b);
		cr_expect_eq(text_equal(of_a.hex, of_b.hex), rows[i].same, "%s %s", rows[i].a,
			     rows[i].b);
		cr_expect_str_eq(a.value, rows[i].a);
	}
	mac_free(&mac);
}

Test(address, folds_mail_and_keeps_what_was_typed)
{
	static const struct {
		const char *typed;
		const char *value;
	} rows[] = {
		{ "Wang@Example.COM", "wang@example.com" },
		{ "wang@Bücher.Example", "wang@xn--bcher-kva.example" },
		{ "wang@bu\xcc\x88"
		  "cher.example",
		  "wang@xn--bcher-kva.example" },
		{ "wang@XN--BCHER-KVA.example", "wang@xn--bcher-kva.example" },
		{ "wang@例子。中国", "wang@xn--fsqu00a.xn--fiqs8s" },
		{ "wang@straße.example", "wang@xn--strae-oqa.example" },
		{ "wang@example.com.", "wang@example.com" },
		{ "\"a@b\"@Example.com", "\"a@b\"@example.com" },
		{ "Nobody", "nobody" },
		{ "Wang@", "wang@" },
		{ "wang@\xff\xfe", "wang@\xff\xfe" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct identifier mail = { .kind = "email", .value = rows[i].typed };
		char digits[ADDRESS_PHONE_BYTES];

		cr_expect(address_normalise(arena, &mail, digits));
		cr_expect_str_eq(mail.value, rows[i].value, "%s gave %s", rows[i].typed,
				 mail.value);
		cr_expect(mail.raw == NULL || text_equal(mail.raw, rows[i].typed));
	}
}

Test(address, leaves_ids_of_providers_alone)
{
	struct identifier other = { .kind = "wechat", .value = "oAbC" };
	char digits[ADDRESS_PHONE_BYTES];

	cr_expect(address_normalise(arena, &other, digits));
	cr_expect_str_eq(other.value, "oAbC");
	cr_expect_null(other.raw);
}
