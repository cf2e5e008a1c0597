/* Addresses of people in the one form they are kept in, and the form they are
 * compared in. Pure; national phone numbers are read by identity/phones.h. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "converge/message.h"

enum { ADDRESS_PHONE_BYTES = 40 }; /* a number on its way to the phone worker, with its NUL */

/* email: both parts in lower case, the domain's labels beyond ASCII as xn--. phone: E.164 where the
 * number begins with "+" or "00" and the country; separators and full-width digits are read. The
 * raw value is kept beside a changed one. Other kinds are left alone.
 *
 * False: a phone number that says no country, or holds a trunk prefix. ret_phone then has its
 * digits for phones_read(), and address_settle() says what became of them. */
bool address_normalise(struct arena *arena, struct identifier *identifier,
		       char ret_phone[ADDRESS_PHONE_BYTES]);
/* e164 NULL or "": the number cannot be read. It stays as typed and becomes a claim. */
void address_settle(struct arena *arena, struct identifier *identifier, const char *e164);

/* The value under which an identifier is looked up: its own, or of a phone number that has several
 * written forms the one they share (Brazil's ninth digit, Mexico's +521, Argentina's +549). It is
 * never shown and never dialled. The answer is the value or in room. */
const char *address_match(const struct identifier *identifier, char room[ADDRESS_PHONE_BYTES]);
