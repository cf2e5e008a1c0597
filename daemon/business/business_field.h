/* Rows of the business configuration (shared by business*.c only). */
#pragma once

#include "base/json.h"
#include "base/settings_value.h"
#include "business/business.h"

enum field_form {
	FIELD_PLAIN,   /* a scalar of the row's kind */
	FIELD_LEVELS,  /* a map of skill to level 1-5 */
	FIELD_PATTERN, /* a regular expression */
	FIELD_NEED,    /* an expression over skills (plan.h) */
	FIELD_OBJECT,  /* a map with fields of its own */
	FIELD_TEXTS,   /* a text or a list of texts; row: of each, max how many */
	FIELD_WORDS,   /* a map of name to a text or a list of texts */
	FIELD_OBJECTS, /* a list of such maps, at most max of the row */
};

struct business_field {
	struct setting
		row; /* name, kind, range, fallback, choices, flags, text, check; no offset */
	enum field_form form;
	const struct business_field *fields; /* of FIELD_OBJECT and FIELD_OBJECTS */
	const char *names; /* kind of the objects that the text, or each of the list, names; ""
			      where the text says it ("queue:<id>"); NULL: none. A FIELD_LEVELS
			      names skills. */
	bool is_secret;    /* shown by its fingerprint only; a field of the object itself */
	bool is_rolled;    /* a secret that is made where none is given, and whose last one stays
			      in secret_previous until previous_until */
};

/* Types of events that an endpoint can be told of, NULL-terminated. */
extern const char *const webhook_types[];

struct references {
	struct arena *arena;
	struct business_reference *list;
	size_t count;
	const char *from; /* kind of the object that is walked */
};
/* Adds every name that the map gives of another object. */
void references_add(struct references *references, const struct business_field *fields,
		    const struct yaml_node *map, const char *path);

/* Judges a map by the fields and writes them, in the fields' order, into the open object of out. */
void business_object_read(const struct settings_source *source, const struct yaml_node *map,
			  const struct business_field *fields, const char *where,
			  struct json_out *out);
/* The name under which an object is kept: its "id", else its "name"; NULL without. */
const struct yaml_node *business_object_id(const struct yaml_node *map);

/* Compiles the pattern: false after an error. */
bool business_pattern_check(const struct settings_source *source, const struct place *at,
			    const char *name, const char *pattern);

/* What the fields of an object mean together, after each by itself was right. */
int business_kind_check(const struct business_kind *kind, struct json_object *object,
			struct error *err);
/* The same for canonical JSON: its error becomes a problem at that place. */
void business_whole_check(const struct settings_source *source, const struct business_kind *kind,
			  const struct place *at, const struct buf *json);
