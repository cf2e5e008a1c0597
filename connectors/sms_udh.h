/* The user data header of a short message (3GPP 23.040, 9.2.3.24): which part of a longer text it
 * is. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct sms_part {
	unsigned ref;
	bool is_wide; /* ref has 16 bits */
	unsigned total;
	unsigned number; /* 1 .. total */
};

enum { SMS_UDH_MAX = 7 };

/* Octets of the header that data begins with, its length octet among them; 0: it reaches past the
 * end. ret->total is 0 where the data is no part of a longer text. */
size_t sms_udh_read(const unsigned char *data, size_t len, struct sms_part *ret);
/* Octets written to out. */
size_t sms_udh_write(const struct sms_part *part, unsigned char out[SMS_UDH_MAX]);
