/* Query parameters against what a route says it takes. */
#pragma once

#include "api/api.h"

/* False after having answered 400: a parameter that the route does not know, that comes twice, or
 * that is not percent-encoded UTF-8. */
bool query_check(struct api_call *call);
