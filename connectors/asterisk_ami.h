/* Blocks of Asterisk's manager interface (AMI): lines "Key: Value" ended by CRLF, a block ended by
 * an empty line. Pure; everything points into the bytes it was read from. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { AMI_FIELDS_MAX = 256, AMI_BLOCK_MAX = 64 * 1024, AMI_LINE_MAX = 8 * 1024 };

struct ami_text {
	const char *bytes;
	size_t len;
};

struct ami_field {
	struct ami_text name;
	struct ami_text value;
};

struct ami_block {
	struct ami_field fields[AMI_FIELDS_MAX];
	size_t count;
	size_t len; /* bytes that were read, with the empty line */
};

enum ami_result {
	AMI_MORE,   /* no whole block yet */
	AMI_BLOCK,  /* one was read */
	AMI_BAD,    /* len bytes are no block: to be left out */
	AMI_BROKEN, /* this is no AMI, or too much of it: to be hung up */
};

/* The first line of a connection: "Asterisk Call Manager/..."; never AMI_BAD. */
enum ami_result ami_read_banner(const char *bytes, size_t len, size_t *ret_len);
enum ami_result ami_read(const char *bytes, size_t len, struct ami_block *ret);

/* The first field of that name, in whatever case; {NULL, 0} where there is none. */
struct ami_text ami_value(const struct ami_block *block, const char *name);
bool ami_is(struct ami_text text, const char *word);
