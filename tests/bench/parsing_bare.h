/* json-c itself: its header and the daemon's own wrapper of it do not go together. */
#pragma once

#include <stddef.h>

/* Parses and drops. A body that is no JSON (XML, a form) costs what its first error costs. */
void parsing_bare(const char *body, size_t len);
