/* How attachments stand that their provider keeps and the steward fetches (daemon/media): a line
 * for each attachment with a url, in their order, in {ws}:y:<cnv> under <msg>.files. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum file_standing { FILE_PENDING, FILE_STORED, FILE_FAILED };

enum { FILE_BLOB_BYTES = 65, FILE_WHY_BYTES = 200 };

struct file_state {
	enum file_standing standing;
	int attempts;               /* PENDING: how often it was tried */
	char blob[FILE_BLOB_BYTES]; /* STORED */
	int64_t size;               /* STORED */
	char why[FILE_WHY_BYTES];   /* PENDING after a try, FAILED; else "" */
};

const char *file_standing_name(enum file_standing standing);
/* The state of attachment `place`; PENDING where text (NULL: none yet) says nothing of it. */
void file_state_read(const char *text, size_t place, struct file_state *ret);
/* Appends one line. */
void file_state_write(struct buf *out, const struct file_state *state);
