/* Any text as an address: one form, and the form of that form is itself. */
#include <string.h>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "identity/address.h"

static void email(struct arena *arena, const char *text)
{
	struct identifier once = { .kind = "email", .value = text };
	struct identifier twice;
	char phone[ADDRESS_PHONE_BYTES];

	MUST(address_normalise(arena, &once, phone));
	twice = (struct identifier){ .kind = "email", .value = once.value };
	MUST(address_normalise(arena, &twice, phone));
	if (strrchr(once.value, '@') == NULL ||
	    text_ascii(once.value, strlen(once.value)) == strlen(once.value))
		MUST(text_equal(once.value, twice.value) ||
		     once.value[strlen(once.value) - 1] == '.');
}

static void phone(struct arena *arena, const char *text)
{
	struct identifier one = { .kind = "phone", .value = text, .proof = PROOF_CHANNEL };
	char digits[ADDRESS_PHONE_BYTES];
	char room[ADDRESS_PHONE_BYTES];

	if (!address_normalise(arena, &one, digits)) {
		MUST(strlen(digits) > 0 && strspn(digits, "+0123456789xX") == strlen(digits));
		MUST(text_equal(one.value, text));
	} else if (one.proof == PROOF_CHANNEL) {
		MUST(one.value[0] == '+' && one.value[1] != '0' && strlen(one.value) <= 16);
		MUST(strspn(one.value + 1, "0123456789") == strlen(one.value) - 1);
	}
	MUST(strlen(address_match(&one, room)) <= strlen(one.value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	const char *text = arena_copy(arena, data, size);

	email(arena, text);
	phone(arena, text);
	arena_free(&arena);
	return 0;
}
