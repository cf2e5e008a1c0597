/* Strict XML to JSON: what providers that still speak XML send (xml.c is the only expat file). */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct json_object;

enum { XML_MAX_BYTES = 64 * 1024, XML_MAX_DEPTH = 16, XML_MAX_ELEMENTS = 500 };

/* The root element's children by name: a text where an element has no children,
 * an object where it has, an array where a name repeats beside itself.
 * Attributes, comments and text beside elements are dropped. A document type is
 * refused (entities of its own come with one). NULL with err. */
struct json_object *xml_read(const char *bytes, size_t len, struct error *err);
