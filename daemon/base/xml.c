#include <expat.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/xml.h"

struct element {
	const char *name;
	struct buf text;
	struct element *parent;
	struct element *first;
	struct element *last;
	struct element *next;
	bool is_written;
};

struct reading {
	XML_Parser parser;
	struct arena *arena;
	struct element *root;
	struct element *open;
	int depth;
	int elements;
	const char *refusal;
};

static void parser_free(XML_Parser *parser)
{
	if (*parser)
		XML_ParserFree(*parser);
}

static void refuse(struct reading *reading, const char *why)
{
	if (!reading->refusal)
		reading->refusal = why;
	XML_StopParser(reading->parser, XML_FALSE);
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *reading = context;
	struct element *element;

	(void)attributes;
	if (reading->refusal)
		return;
	if (++reading->depth > XML_MAX_DEPTH || ++reading->elements > XML_MAX_ELEMENTS) {
		refuse(reading, "too many elements or levels");
		return;
	}
	element = arena_alloc(reading->arena, sizeof(*element));
	element->name = arena_text(reading->arena, name);
	element->parent = reading->open;
	if (!reading->root)
		reading->root = element;
	else if (reading->open->last)
		reading->open->last->next = element;
	else
		reading->open->first = element;
	if (reading->open)
		reading->open->last = element;
	reading->open = element;
}

static void on_end(void *context, const XML_Char *name)
{
	struct reading *reading = context;

	(void)name;
	reading->depth--;
	if (reading->open)
		reading->open = reading->open->parent;
}

static void on_text(void *context, const XML_Char *text, int len)
{
	struct reading *reading = context;

	if (reading->open && !reading->open->first)
		buf_add(&reading->open->text, text, (size_t)len);
}

static void on_doctype(void *context, const XML_Char *name, const XML_Char *system,
		       const XML_Char *public, int has_internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_internal;
	refuse(context, "a document type is not accepted");
}

static void write_value(struct json_out *out, const char *key, struct element *element)
{
	if (!element->first) {
		jw_textn(out, key, buf_string(&element->text), element->text.len);
		return;
	}
	jw_object(out, key);
	for (struct element *child = element->first; child; child = child->next) {
		bool repeats = false;

		if (child->is_written)
			continue;
		for (struct element *twin = child->next; twin; twin = twin->next)
			repeats |= strcmp(twin->name, child->name) == 0;
		if (!repeats) {
			write_value(out, child->name, child);
			continue;
		}
		jw_array(out, child->name);
		for (struct element *twin = child; twin; twin = twin->next) {
			if (strcmp(twin->name, child->name) != 0)
				continue;
			write_value(out, NULL, twin);
			twin->is_written = true;
		}
		jw_array_end(out);
	}
	jw_object_end(out);
}

static void texts_free(struct element *element)
{
	for (; element; element = element->next) {
		buf_clear(&element->text);
		texts_free(element->first);
	}
}

static struct json_object *tree_read(struct reading *reading, struct error *err)
{
	OWNED(buf_clear) struct buf json = { 0 };
	struct json_out out;

	if (!reading->root->first) {
		error_set(err, ERROR_MISUSE, "the root element has no children");
		return NULL;
	}
	jw_start(&out, &json);
	write_value(&out, NULL, reading->root);
	return json_read(buf_string(&json), json.len, err);
}

struct json_object *xml_read(const char *bytes, size_t len, struct error *err)
{
	OWNED(arena_free) struct arena *arena = arena_new(0);
	OWNED(parser_free) XML_Parser parser = NULL;
	struct reading reading = { .arena = arena };
	struct json_object *value = NULL;

	if (len > XML_MAX_BYTES) {
		error_set(err, ERROR_MISUSE, "xml of more than %d bytes", XML_MAX_BYTES);
		return NULL;
	}
	reading.parser = parser = XML_ParserCreate(NULL);
	XML_SetUserData(parser, &reading);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);
	if (XML_Parse(parser, bytes, (int)len, 1) == XML_STATUS_OK)
		value = tree_read(&reading, err);
	else
		error_set(err, ERROR_MISUSE, "xml: line %lu: %s",
			  (unsigned long)XML_GetCurrentLineNumber(parser),
			  reading.refusal ? reading.refusal
					  : XML_ErrorString(XML_GetErrorCode(parser)));
	texts_free(reading.root);
	return value;
}
