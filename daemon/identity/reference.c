#include "identity/reference.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/store.h"

struct store_call *reference_command(const struct identity_place *place, const char *provider_id)
{
	struct store_call *call = store_command("HGET");
	struct identity_key key;

	identity_reference(place, provider_id, &key);
	store_arg_key(call, place->workspace, "r:%x", key.bucket);
	store_arg(call, key.field, IDENTITY_FIELD_BYTES);
	return call;
}

bool reference_parse(const char *stored, struct reference *ret_reference)
{
	uint64_t index;
	int used = 0;
	size_t digits;

	if (!stored || sscanf(stored, "%26[0-9A-Z] %26[0-9A-Z] %n", ret_reference->conversation + 4,
			      ret_reference->message + 4, &used) != 2)
		return false;
	digits = strcspn(stored + used, " ");
	if (!text_uint(stored + used, digits, &index) || index > INT64_MAX)
		return false;
	ret_reference->before[0] = '\0';
	if (stored[(size_t)used + digits] == ' ')
		snprintf(ret_reference->before, sizeof(ret_reference->before), "cnv_%.26s",
			 stored + used + digits + 1);
	ret_reference->index = (int64_t)index;
	memcpy(ret_reference->conversation, "cnv_", 4);
	memcpy(ret_reference->message, "msg_", 4);
	return true;
}
