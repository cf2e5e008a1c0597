/* What several records say of one customer, put together: the survivor's own
 * values win, and where one that was merged into it says otherwise, that is a
 * conflict until somebody writes the field anew. Pure. */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "identity/customer.h"

/* Members of the open object: name, tier, attributes with source and age, sources of the others,
 * tags. */
void customer_write_profile(struct json_out *out, const struct customer *customer);
/* "conflicts": [{field, value, from}] */
void customer_write_conflicts(struct json_out *out, const struct customer *customer);
/* The value that counts; NULL. Borrowed. */
const char *customer_name(const struct customer *customer);
const char *customer_tier(const struct customer *customer);
/* The text, number or truth of an attribute, as text in the arena; NULL. */
const char *customer_attribute(const struct customer *customer, const char *name,
			       struct arena *arena);
/* "csat": {average, count, last} */
void customer_write_csat(struct json_out *out, const struct customer *customer);

/* "hold": the legal hold that is on it, or on one merged into it, with whose it is; or null. */
void customer_write_hold(struct json_out *out, const struct customer *customer);

/* "erased_before": when somebody who was known by one of its identifiers was erased; or null. */
void customer_write_erased(struct json_out *out, const struct customer *customer);

/* ---- editing: values are merged, and each field keeps who wrote it and when ---- */

enum { ATTRIBUTES_MAX = 100, ATTRIBUTE_NAME_MAX = 100, ATTRIBUTES_BYTES_MAX = 16384 };

/* stored: {name: value} or NULL; null in patch removes. -1 with what is wrong with it. */
int customer_attributes_merge(const char *stored, struct json_object *patch, struct buf *out,
			      struct error *err);
struct customer_writing {
	const char *source; /* agent:alice, integration:<name>, channel:<name>, import */
	int64_t at_ms;
	const char *merged; /* ids of those merged into it, whose other values this settles; NULL */
};
/* body: the PATCH, of whose members each is a field written. */
void customer_sources_merge(const char *stored, struct json_object *body,
			    const struct customer_writing *writing, struct buf *out);
