/* The scripts of scripts/ as the binary carries them. */
#pragma once

#include <stddef.h>

struct script_text {
	const char *name;
	const char *text; /* preludes filled in, NUL-terminated */
	size_t len;
};

/* Generated; sorted by name; the last row has a NULL name. */
extern const struct script_text script_texts[];

struct script {
	const struct script_text *source;
	char sha[41]; /* SHA1 of the text in hex, as EVALSHA wants it */
};

const struct script *script_find(const char *name); /* NULL where there is none */
size_t script_count(void);
const struct script *script_at(size_t index);
