/* The scripts of scripts/ as the binary carries them, and what a connection
 * has to know to run them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct script_text {
	const char *name;
	const char *text; /* preludes filled in, NUL-terminated */
	size_t len;
};

/* Generated; sorted by name; the last row has a NULL name. */
extern const struct script_text script_texts[];
