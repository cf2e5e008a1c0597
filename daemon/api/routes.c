#include "api/routes.h"

#include "base/memory.h"

const struct field body_none[] = { { 0 } };
const struct field body_code[] = {
	{ "email", FIELD_TEXT, false, 3, 254, NULL, "where the code goes: this, or phone" },
	{ "phone", FIELD_TEXT, false, 3, 40, NULL, "where the code goes: this, or email" },
	{ 0 },
};
const struct field body_code_answer[] = {
	{ "code", FIELD_TEXT, true, 1, 40, NULL, "the six digits" },
	{ 0 },
};

const struct route *api_route(size_t index)
{
	static const struct route_group *const groups[] = {
		&routes_of_visitors,      &routes_of_agents,    &routes_of_work,
		&routes_of_conversations, &routes_of_customers, &routes_of_settings,
		&routes_of_operations,
	};

	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		if (index < groups[i]->count)
			return &groups[i]->routes[index];
		index -= groups[i]->count;
	}
	return NULL;
}
