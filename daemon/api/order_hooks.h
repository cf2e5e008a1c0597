/* Orders that a shop is asked for: shown as they were known last, and asked for anew behind it. */
#pragma once

#include "api/api.h"
#include "base/json.h"
#include "identity/customer.h"

/* "pulled_orders": for each hook [{hook, name, orders, fetched_at, age_s, stale}]. Never waits. */
void order_hooks_write(struct api_call *call, struct json_out *out,
		       const struct customer *customer);
