#include "base/json.h"

/* json-c has a type of the name of our json_bool(). */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

/* A new one for each text would cost a third of the parsing. */
static struct json_tokener *tokener(void)
{
	static struct json_tokener *reused;

	if (reused == NULL) {
		/* The scan keeps the depth, so json-c's own bound must not be met. */
		reused = json_tokener_new_ex(LIMIT_JSON_DEPTH + 2);
		if (reused == NULL)
			abort();
	}
	json_tokener_reset(reused);
	json_tokener_set_flags(reused, JSON_TOKENER_STRICT);
	return reused;
}

struct tally {
	size_t members;
	bool has_infinity;
};

static void tally_value(struct json_object *value, struct tally *tally);

static void tally_field(const char *key, struct json_object *value, void *context)
{
	struct tally *tally = context;

	(void)key;
	tally->members++;
	tally_value(value, tally);
}

static void tally_value(struct json_object *value, struct tally *tally)
{
	if (json_object_is_type(value, json_type_double) &&
	    !isfinite(json_object_get_double(value)))
		tally->has_infinity = true;
	json_each_field(value, tally_field, tally);
	for (size_t i = 0; i < json_count(value); i++)
		tally_value(json_item(value, i), tally);
}

/* What only shows in the parsed value: json-c keeps the last of two members of
 * one name, so fewer members than were scanned means a duplicate. */
static int check_value(struct json_object *value, const struct json_facts *facts, struct error *err)
{
	struct tally tally = { 0 };

	tally_value(value, &tally);
	if (tally.members != facts->members)
		return error_set(err, ERROR_MISUSE, "an object has the same key twice");
	if (tally.has_infinity)
		return error_set(err, ERROR_MISUSE, "a number is too large");
	return 0;
}

/* Texts are handed out as C strings, and U+0000 would end them early. */
static char *without_nul_escapes(const char *bytes, size_t len)
{
	char *copy = memory_copy(bytes, len);

	for (char *p = strchr(copy, '\\'); p != NULL; p = strchr(p + 2, '\\')) {
		if (strncmp(p, "\\u0000", 6) == 0)
			memcpy(p, "\\ufffd", 6);
	}
	return copy;
}

/* The caller checks the error of the tokener: NULL is also the value null. */
static struct json_object *parse(struct json_tokener *with, const char *bytes, size_t len,
				 bool nul_escapes)
{
	char *copy = nul_escapes ? without_nul_escapes(bytes, len) : NULL;
	struct json_object *value;

	value = json_tokener_parse_ex(with, copy == NULL ? bytes : copy, (int)len);
	/* A bare number has no end of its own. */
	if (json_tokener_get_error(with) == json_tokener_continue)
		value = json_tokener_parse_ex(with, "", 1);
	free(copy);
	return value;
}

struct json_object *json_read(const char *bytes, size_t len, struct error *err)
{
	struct json_tokener *with = tokener();
	struct json_facts facts;
	struct json_object *value;

	if (len >= INT_MAX) {
		error_set(err, ERROR_MISUSE, "the text is too long");
		return NULL;
	}
	if (json_scan(bytes, len, true, &facts, err) < 0)
		return NULL;
	value = parse(with, bytes, len, facts.nul_escapes);
	if (json_tokener_get_error(with) != json_tokener_success) {
		error_set(err, ERROR_MISUSE, "%s",
			  json_tokener_error_desc(json_tokener_get_error(with)));
		json_free(&value);
		return NULL;
	}
	if (check_value(value, &facts, err) < 0)
		json_free(&value);
	else if (value == NULL)
		error_set(err, ERROR_MISUSE, "the value is null");
	return value;
}

void json_free(struct json_object **value)
{
	json_object_put(*value);
	*value = NULL;
}

static struct json_object *step(struct json_object *value, const char *name, size_t len)
{
	struct json_object *found = NULL;
	char key[128];
	uint64_t index;

	if (json_object_is_type(value, json_type_array))
		return text_uint(name, len, &index) ? json_item(value, index) : NULL;
	if (!json_object_is_type(value, json_type_object) || len >= sizeof(key))
		return NULL;
	memcpy(key, name, len);
	key[len] = '\0';
	json_object_object_get_ex(value, key, &found);
	return found;
}

struct json_object *json_at(struct json_object *value, const char *path)
{
	size_t len = strcspn(path, ".");

	while (value != NULL && *path != '\0') {
		value = step(value, path, len);
		path += len;
		if (*path == '\0')
			break;
		path++;
		len = strcspn(path, ".");
	}
	return value;
}

const char *json_text(struct json_object *value, const char *path)
{
	return json_string(json_at(value, path));
}

char *json_text_copy(struct json_object *value, const char *path, struct arena *arena)
{
	return arena_text(arena, json_text(value, path));
}

int64_t json_int(struct json_object *value, const char *path, int64_t fallback)
{
	static const double exact = 9007199254740992.0; /* 2^53 */
	struct json_object *found = json_at(value, path);
	double number;

	if (json_object_is_type(found, json_type_int))
		return json_object_get_int64(found);
	if (!json_object_is_type(found, json_type_double))
		return fallback;
	/* 3.0 and 1e3 are integers too: JSON has one kind of number. */
	number = json_object_get_double(found);
	return fabs(number) <= exact && trunc(number) == number ? (int64_t)number : fallback;
}

bool json_bool(struct json_object *value, const char *path, bool fallback)
{
	struct json_object *found = json_at(value, path);

	return json_object_is_type(found, json_type_boolean) ? json_object_get_boolean(found) != 0
							     : fallback;
}

bool json_has(struct json_object *value, const char *path)
{
	return json_at(value, path) != NULL;
}

size_t json_count(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

struct json_object *json_item(struct json_object *array, size_t index)
{
	return index < json_count(array) ? json_object_array_get_idx(array, index) : NULL;
}

enum json_kind json_kind(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return JSON_BOOL;
	case json_type_int:
	case json_type_double:
		return JSON_NUMBER;
	case json_type_string:
		return JSON_TEXT;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_null:
		break;
	}
	return JSON_NULL;
}

const char *json_string(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

void json_each_field(struct json_object *object, json_field_fn *fn, void *context)
{
	struct json_object_iterator at;
	struct json_object_iterator end;

	if (!json_object_is_type(object, json_type_object))
		return;
	at = json_object_iter_begin(object);
	end = json_object_iter_end(object);
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		fn(json_object_iter_peek_name(&at), json_object_iter_peek_value(&at), context);
}

static void write_value(struct json_out *out, const char *key, struct json_object *value);

static void write_field(const char *key, struct json_object *value, void *context)
{
	write_value(context, key, value);
}

static void write_number(struct json_out *out, const char *key, struct json_object *value)
{
	if (json_object_is_type(value, json_type_int))
		jw_int(out, key, json_object_get_int64(value));
	else
		jw_number(out, key, json_object_get_double(value));
}

static void write_array(struct json_out *out, const char *key, struct json_object *value)
{
	jw_array(out, key);
	for (size_t i = 0; i < json_count(value); i++)
		write_value(out, NULL, json_item(value, i));
	jw_array_end(out);
}

static void write_value(struct json_out *out, const char *key, struct json_object *value)
{
	switch (json_kind(value)) {
	case JSON_NULL:
		jw_null(out, key);
		break;
	case JSON_BOOL:
		jw_bool(out, key, json_object_get_boolean(value) != 0);
		break;
	case JSON_NUMBER:
		write_number(out, key, value);
		break;
	case JSON_TEXT:
		jw_textn(out, key, json_object_get_string(value),
			 (size_t)json_object_get_string_len(value));
		break;
	case JSON_ARRAY:
		write_array(out, key, value);
		break;
	case JSON_OBJECT:
		jw_object(out, key);
		json_each_field(value, write_field, out);
		jw_object_end(out);
		break;
	}
}

void json_append(struct json_object *value, struct buf *out)
{
	struct json_out writer;

	jw_start(&writer, out);
	write_value(&writer, NULL, value);
}

const char *json_version(void)
{
	return json_c_version();
}
