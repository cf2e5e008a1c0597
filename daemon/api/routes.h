/* The route table, a group for each subject: what is in none is denied. Its rows make /openapi.json
 * and the rights matrix of the tests. */
#pragma once

#include "api/api.h"

struct route_group {
	const struct route *routes;
	size_t count;
};

extern const struct route_group routes_of_visitors;
extern const struct route_group routes_of_agents;
extern const struct route_group routes_of_work;
extern const struct route_group routes_of_conversations;
extern const struct route_group routes_of_customers;
extern const struct route_group routes_of_settings;
extern const struct route_group routes_of_operations;

/* Query parameters of a list. */
#define PAGED "limit,after,order"

/* Bodies that several groups take. */
extern const struct field body_none[];
extern const struct field body_code[];
extern const struct field body_code_answer[];
