/* What handlers of customers share. */
#pragma once

#include "api/api.h"

struct customer;
struct json_out;
struct store_reply;

/* What a script refused, answered; codes of scripts/README.md. */
void customer_refused(struct api_call *call, const struct store_reply *reply);
/* True for a caller, or a question, that gets the safe subset. */
bool customer_is_for_bot(struct api_call *call);
/* Members of the open object: the customer's own record, whole; orders and notes are apart. */
void customer_write_held(struct json_out *out, const struct customer *customer);
