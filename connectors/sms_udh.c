#include "sms_udh.h"

enum { CONCATENATED_8 = 0x00, CONCATENATED_16 = 0x08 };

static void read_element(unsigned char kind, const unsigned char *data, size_t len,
			 struct sms_part *ret)
{
	bool is_wide = kind == CONCATENATED_16 && len == 4;
	unsigned ref, total, number;

	if (!is_wide && (kind != CONCATENATED_8 || len != 3))
		return;
	ref = is_wide ? (unsigned)data[0] << 8 | data[1] : data[0];
	total = data[len - 2];
	number = data[len - 1];
	/* 23.040: an element that makes no sense is passed over. */
	if (number == 0 || number > total)
		return;
	*ret = (struct sms_part){
		.ref = ref, .is_wide = is_wide, .total = total, .number = number
	};
}

size_t sms_udh_read(const unsigned char *data, size_t len, struct sms_part *ret)
{
	size_t end = len > 0 ? (size_t)data[0] + 1 : 0;
	size_t at = 1;

	*ret = (struct sms_part){ 0 };
	if (len == 0 || end > len)
		return 0;
	while (at + 2 <= end) {
		size_t element_len = data[at + 1];

		if (at + 2 + element_len > end)
			break;
		read_element(data[at], data + at + 2, element_len, ret);
		at += 2 + element_len;
	}
	return end;
}

size_t sms_udh_write(const struct sms_part *part, unsigned char out[SMS_UDH_MAX])
{
	size_t len = 1;

	out[len++] = part->is_wide ? CONCATENATED_16 : CONCATENATED_8;
	out[len++] = part->is_wide ? 4 : 3;
	if (part->is_wide)
		out[len++] = (unsigned char)(part->ref >> 8);
	out[len++] = (unsigned char)part->ref;
	out[len++] = (unsigned char)part->total;
	out[len++] = (unsigned char)part->number;
	out[0] = (unsigned char)(len - 1);
	return len;
}
