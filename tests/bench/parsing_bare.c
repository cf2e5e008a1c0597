#include "parsing_bare.h"

#include <json-c/json.h>

void parsing_bare(const char *body, size_t len)
{
	static struct json_tokener *tokener;

	if (tokener == NULL)
		tokener = json_tokener_new();
	json_tokener_reset(tokener);
	json_object_put(json_tokener_parse_ex(tokener, body, (int)len));
}
