/* What the tables of fields are made with (business_kinds*.c only). */
#pragma once

#include "business/business_field.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define FIELD(field_name, field_kind, field_fallback, ...)                                         \
	{                                                                                          \
		.row = {.name = (field_name),                                                      \
			.kind = SETTING_##field_kind,                                              \
			.fallback = (field_fallback),                                              \
			__VA_ARGS__ }                                                              \
	}
/* A field whose text, or each text of its list, names an object of that kind; "": the text says of
 * which kind. */
#define NAMING_FIELD(kind_named, field_name, field_kind, ...)                                      \
	{                                                                                          \
		.row = { .name = (field_name), .kind = SETTING_##field_kind, __VA_ARGS__ },        \
		.names = (kind_named)                                                              \
	}
#define FIELD_END                                                                                  \
	{                                                                                          \
		.row = {.name = NULL }                                                             \
	}

/* NULL, or what the text must be. */
const char *business_check_id(const char *text);
const char *business_check_line(const char *text);
const char *business_check_web_url(const char *text);
const char *business_check_webhook_secret(const char *text);

#define ID_FIELD                                                                                   \
	FIELD("id", TEXT, NULL, .min = 1, .max = 40, .flags = SETTING_REQUIRED,                    \
	      .check = business_check_id,                                                          \
	      .text = "Its id: a-z, 0-9, \"-\", \"_\" and \".\", at most 40 characters.")
#define NAME_FIELD                                                                                 \
	FIELD("name", TEXT, NULL, .min = 1, .max = 200, .check = business_check_line,              \
	      .text = "The name that people see.")

extern const struct business_field context_link_fields[];
extern const struct business_field order_hook_fields[];
extern const struct business_field retention_fields[];
extern const struct business_field webhook_fields[];
