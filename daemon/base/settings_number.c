#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/text.h"

struct unit {
	const char *name;
	int64_t factor;
	bool is_shown;
};

static const struct unit size_units[] = {
	{ "T", INT64_C(1) << 40, true },
	{ "G", 1 << 30, true },
	{ "M", 1 << 20, true },
	{ "k", 1 << 10, true },
	{ "K", 1 << 10, false },
	{ "KB", 1 << 10, false },
	{ "kB", 1 << 10, false },
	{ "KiB", 1 << 10, false },
	{ "MB", 1 << 20, false },
	{ "MiB", 1 << 20, false },
	{ "GB", 1 << 30, false },
	{ "GiB", 1 << 30, false },
	{ "m", 1 << 20, false },
	{ "g", 1 << 30, false },
	{ "B", 1, false },
	{ "", 1, true },
};

static const struct unit time_units[] = {
	{ "d", 86400000, true }, { "h", 3600000, true }, { "m", 60000, true },
	{ "s", 1000, true },     { "ms", 1, true },      { "min", 60000, false },
};

static bool parse(const char *text, const struct unit *units, size_t count, int64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits + strspn(text + digits, " ");
	uint64_t number;

	if (!text_uint(text, digits, &number) || number > INT64_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		int64_t product;

		if (strcmp(units[i].name, unit) != 0)
			continue;
		if (__builtin_mul_overflow((int64_t)number, units[i].factor, &product))
			return false;
		*ret = product;
		return true;
	}
	return false;
}

bool settings_parse_size(const char *text, int64_t *ret_bytes)
{
	return parse(text, size_units, COUNT_OF(size_units), ret_bytes);
}

bool settings_parse_time(const char *text, int64_t *ret_ms)
{
	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return true;
	}
	return parse(text, time_units, COUNT_OF(time_units), ret_ms);
}

static void format(int64_t number, const struct unit *units, size_t count, char out[32])
{
	for (size_t i = 0; i < count && number != 0; i++) {
		if (!units[i].is_shown || number % units[i].factor != 0)
			continue;
		snprintf(out, 32, "%" PRId64 "%s", number / units[i].factor, units[i].name);
		return;
	}
	snprintf(out, 32, "%" PRId64, number);
}

void settings_format_number(enum setting_kind kind, int64_t number, char out[32])
{
	if (kind == SETTING_SIZE)
		format(number, size_units, COUNT_OF(size_units), out);
	else if (kind == SETTING_TIME)
		format(number, time_units, COUNT_OF(time_units), out);
	else
		snprintf(out, 32, "%" PRId64, number);
}
