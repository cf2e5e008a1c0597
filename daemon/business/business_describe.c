/* The kinds of objects as data: what forms and documents are made of. */
#include "base/memory.h"
#include "business/business_field.h"

static const char *const kind_words[] = {
	[SETTING_TEXT] = "text", [SETTING_BOOL] = "bool",     [SETTING_COUNT] = "count",
	[SETTING_SIZE] = "size", [SETTING_TIME] = "time",     [SETTING_CHOICE] = "choice",
	[SETTING_LIST] = "list", [SETTING_SECRET] = "secret", [SETTING_GROUP] = "group",
};

static const char *const form_words[] = {
	[FIELD_PLAIN] = "plain", [FIELD_LEVELS] = "levels",   [FIELD_PATTERN] = "pattern",
	[FIELD_NEED] = "need",   [FIELD_OBJECT] = "object",   [FIELD_TEXTS] = "texts",
	[FIELD_WORDS] = "words", [FIELD_OBJECTS] = "objects",
};

static const char *kind_word(enum setting_kind kind)
{
	const char *known = (size_t)kind < COUNT_OF(kind_words) ? kind_words[kind] : NULL;

	return known == NULL ? "text" : known;
}

/* The fields that hold the one at hand, outermost first. */
struct within {
	const struct within *outer;
	const struct business_field *field;
};

static void describe_fields(struct json_out *out, const struct business_field *fields,
			    const struct within *outer);

/* A condition holds conditions: such a field names the one around it that has the same fields. */
static void describe_inner(struct json_out *out, const struct within *within)
{
	for (const struct within *outer = within->outer; outer != NULL; outer = outer->outer) {
		if (outer->field->fields != within->field->fields)
			continue;
		jw_text(out, "fields_of", outer->field->row.name);
		return;
	}
	jw_array(out, "fields");
	describe_fields(out, within->field->fields, within);
	jw_array_end(out);
}

static void describe_field(struct json_out *out, const struct business_field *field,
			   const struct within *outer)
{
	const struct setting *row = &field->row;

	jw_object(out, NULL);
	jw_text(out, "name", row->name);
	jw_text(out, "kind", kind_word(row->kind));
	jw_text(out, "form", form_words[field->form]);
	jw_bool(out, "required", (row->flags & SETTING_REQUIRED) != 0);
	jw_bool(out, "secret", field->is_secret);
	jw_text(out, "default", row->fallback);
	if (row->kind == SETTING_COUNT) {
		jw_int(out, "min", row->min);
		jw_int(out, "max", row->max);
	}
	if (row->choices != NULL) {
		jw_array(out, "choices");
		for (const char *const *choice = row->choices; *choice != NULL; choice++)
			jw_text(out, NULL, *choice);
		jw_array_end(out);
	}
	if (field->names != NULL && *field->names != '\0')
		jw_text(out, "names", field->names);
	jw_text(out, "help", row->text);
	if (field->fields != NULL)
		describe_inner(out, &(struct within){ outer, field });
	jw_object_end(out);
}

static void describe_fields(struct json_out *out, const struct business_field *fields,
			    const struct within *outer)
{
	for (; fields->row.name != NULL; fields++)
		describe_field(out, fields, outer);
}

void business_describe(struct json_out *out)
{
	for (const struct business_kind *kind = business_kinds; kind->key != NULL; kind++) {
		jw_object(out, NULL);
		jw_text(out, "id", kind->store);
		jw_text(out, "key", kind->key);
		jw_array(out, "fields");
		describe_fields(out, kind->fields, NULL);
		jw_array_end(out);
		jw_object_end(out);
	}
}
