/* Strict JSON in, over json-c (json.c is the only file of daemon/ that parses
 * with it), and a small writer out.
 *
 * json-c alone is not a validator: it takes single quotes, NaN, leading zeros,
 * duplicate keys, lone surrogates and clamps large integers. json_read() scans
 * the bytes first and refuses whatever RFC 8259 refuses, then hands them on.
 * Numbers outside int64 are refused when they are integers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

struct json_object;

/* Checks syntax only: 0, or -1 with "line L, column C: what" (column in characters). */
int json_check(const char *bytes, size_t len, struct error *err);

/* The parsed value, or NULL with err. The caller frees it. Any JSON value but
 * null is allowed at the top; duplicate keys in an object are refused. \u0000
 * in a text becomes U+FFFD, so that C strings never end early. */
struct json_object *json_read(const char *bytes, size_t len, struct error *err);
void json_free(struct json_object **value); /* OWNED(json_free) works */

/* Look-ups take a dotted path ("from.id", "items.0.id"); NULL / fallback where
 * absent or of another type. Strings are borrowed from the value. */
struct json_object *json_at(struct json_object *value, const char *path);
const char *json_text(struct json_object *value, const char *path);
char *json_text_copy(struct json_object *value, const char *path, struct arena *arena);
int64_t json_int(struct json_object *value, const char *path, int64_t fallback);
bool json_bool(struct json_object *value, const char *path, bool fallback);
bool json_has(struct json_object *value, const char *path); /* present and not null */

/* Arrays and objects: value may be NULL (count 0). */
size_t json_count(struct json_object *array);
struct json_object *json_item(struct json_object *array, size_t index);
enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };
enum json_kind json_kind(struct json_object *value); /* of NULL: JSON_NULL */
const char *json_string(struct json_object *value);  /* a JSON_TEXT's bytes; NULL otherwise */

typedef void json_field_fn(const char *key, struct json_object *value, void *context);
void json_each_field(struct json_object *object, json_field_fn *fn, void *context);

/* The text of a value without spaces, keys in the order read, appended to out. */
void json_append(struct json_object *value, struct buf *out);

/* The writer. Commas and quoting are its business; text must be valid UTF-8
 * (invalid bytes become U+FFFD). key is NULL inside arrays and at the top. */
struct json_out {
	struct buf *buf;
	bool need_comma;
};

void jw_start(struct json_out *out, struct buf *buf);
void jw_object(struct json_out *out, const char *key);
void jw_object_end(struct json_out *out);
void jw_array(struct json_out *out, const char *key);
void jw_array_end(struct json_out *out);
void jw_text(struct json_out *out, const char *key, const char *text); /* NULL writes null */
void jw_textn(struct json_out *out, const char *key, const char *bytes, size_t len);
void jw_int(struct json_out *out, const char *key, int64_t number);
void jw_number(struct json_out *out, const char *key, double number);
void jw_bool(struct json_out *out, const char *key, bool flag);
void jw_null(struct json_out *out, const char *key);
void jw_time(struct json_out *out, const char *key,
	     int64_t unix_ms); /* RFC 3339 UTC, ms; 0 writes null */
void jw_raw(struct json_out *out, const char *key, const char *json, size_t len); /* trusted JSON */

const char *json_version(void); /* of the library that runs */
