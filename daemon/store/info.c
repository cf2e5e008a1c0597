#include <stdlib.h>
#include <string.h>

#include "store/store_internal.h"

const char *info_field(const char *info, const char *name, size_t *ret_len)
{
	size_t name_len = strlen(name);

	while (info != NULL && *info != '\0') {
		if (strncmp(info, name, name_len) == 0 && info[name_len] == ':') {
			info += name_len + 1;
			*ret_len = strcspn(info, "\r\n");
			return info;
		}
		info = strchr(info, '\n');
		if (info != NULL)
			info++;
	}
	return NULL;
}

int64_t info_number(const char *info, const char *name, int64_t fallback)
{
	size_t len;
	const char *value = info_field(info, name, &len);

	return value == NULL || len == 0 ? fallback : strtoll(value, NULL, 10);
}
