#include <string.h>

#include "base/text.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void text_hex(const void *bytes, size_t len, char *out)
{
	const unsigned char *in = bytes;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex_digits[in[i] >> 4];
		out[2 * i + 1] = hex_digits[in[i] & 15];
	}
	out[2 * len] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte of two hex digits, or -1. */
static int hex_byte(const char *digits)
{
	int high = hex_value(digits[0]);
	int low = hex_value(digits[1]);

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

long text_unhex(const char *hex, size_t len, void *out, size_t room)
{
	unsigned char *bytes = out;

	if (len % 2 != 0 || len / 2 > room)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		int byte = hex_byte(hex + 2 * i);

		if (byte < 0)
			return -1;
		bytes[i] = (unsigned char)byte;
	}
	return (long)(len / 2);
}

static size_t encode(const unsigned char *in, size_t len, char *out, const char *digits)
{
	size_t used = 0;
	size_t i = 0;

	for (; i + 2 < len; i += 3) {
		uint32_t three = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];

		out[used++] = digits[three >> 18];
		out[used++] = digits[three >> 12 & 63];
		out[used++] = digits[three >> 6 & 63];
		out[used++] = digits[three & 63];
	}
	if (i < len) {
		uint32_t rest = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			rest |= (uint32_t)in[i + 1] << 8;
		out[used++] = digits[rest >> 18];
		out[used++] = digits[rest >> 12 & 63];
		if (i + 1 < len)
			out[used++] = digits[rest >> 6 & 63];
	}
	out[used] = '\0';
	return used;
}

size_t text_base64url(const void *bytes, size_t len, char *out)
{
	return encode(bytes, len, out, base64url_digits);
}

size_t text_base64(const void *bytes, size_t len, char *out)
{
	size_t used = encode(bytes, len, out, base64_digits);

	while (used % 4 != 0)
		out[used++] = '=';
	out[used] = '\0';
	return used;
}

static int base64_value(char c, const char *digits)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == digits[62])
		return 62;
	return c == digits[63] ? 63 : -1;
}

/* Text without padding. */
static long decode(const char *text, size_t len, unsigned char *out, size_t room,
		   const char *digits)
{
	size_t need = len / 4 * 3 + (len % 4 == 0 ? 0 : len % 4 - 1);
	size_t used = 0;
	uint32_t bits = 0;
	unsigned held = 0;

	if (len % 4 == 1 || need > room)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(text[i], digits);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[used++] = (unsigned char)(bits >> held);
			bits &= (1U << held) - 1;
		}
	}
	/* Left-over bits that are set would give one value two spellings. */
	return bits == 0 ? (long)used : -1;
}

long text_unbase64url(const char *text, size_t len, void *out, size_t room)
{
	return decode(text, len, out, room, base64url_digits);
}

long text_unbase64(const char *text, size_t len, void *out, size_t room)
{
	size_t digits = len;

	if (len % 4 != 0)
		return -1;
	while (digits > 0 && len - digits < 2 && text[digits - 1] == '=')
		digits--;
	return decode(text, digits, out, room, base64_digits);
}

long text_unpercent(const char *text, size_t len, bool form, char *out, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		int byte = (unsigned char)text[i];

		if (byte == '%') {
			byte = len - i > 2 ? hex_byte(text + i + 1) : -1;
			i += 2;
		} else if (byte == '+' && form) {
			byte = ' ';
		}
		if (byte <= 0 || used + 1 >= room)
			return -1;
		out[used++] = (char)byte;
	}
	if (room == 0)
		return -1;
	out[used] = '\0';
	return (long)used;
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void text_percent(struct buf *out, const char *text, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";

	buf_reserve(out, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (is_unreserved(text[i])) {
			buf_byte(out, text[i]);
		} else {
			char escape[3] = { '%', digits[byte >> 4], digits[byte & 15] };

			buf_add(out, escape, sizeof(escape));
		}
	}
}
