/* Addresses of people in the one form they are compared in. Pure. */
#pragma once

#include "base/arena.h"
#include "converge/message.h"

/* email: both parts in lower case. phone: E.164 where it can be read: "+" or "00" and the country,
 * or a national number of the region (two upper-case letters; NULL: none). Separators and
 * full-width digits are read. The raw value is kept beside a changed one. A phone number that
 * cannot be read stays as typed, and becomes a claim. Other kinds are left alone. */
void address_normalise(struct arena *arena, struct identifier *identifier, const char *region);
