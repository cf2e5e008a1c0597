/* A text as the octets of one or more short messages. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gsm7.h"

enum { SMS_PARTS_MAX = 255 };

/* Septets and UTF-16 units of a message alone, and of each of several. */
struct sms_room {
	size_t alone_septets;
	size_t joined_septets;
	size_t alone_units;
	size_t joined_units;
};

struct sms_split {
	enum sms_alphabet alphabet;
	unsigned char *bytes;
	size_t ends[SMS_PARTS_MAX]; /* of each part in bytes */
	size_t count;               /* at least 1 */
};

/* In `plain` where it and the GSM alphabet, which the phone is reached in, have every character of
 * the text, else in UCS-2. No character is torn apart. False, and nothing to be freed: it takes
 * more than SMS_PARTS_MAX. */
bool sms_split(const char *text, enum sms_alphabet plain, const struct sms_room *room,
	       struct sms_split *ret);
void sms_split_clear(struct sms_split *split);
/* The part's octets. */
const unsigned char *sms_split_part(const struct sms_split *split, size_t index, size_t *ret_len);
