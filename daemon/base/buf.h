/* A growable byte buffer, always NUL-terminated after the last byte. */
#pragma once

#include <stddef.h>

struct buf {
	char *data; /* NULL while empty */
	size_t len;
	size_t room;
};

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_text(struct buf *buf, const char *text);
void buf_byte(struct buf *buf, char byte);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_reserve(struct buf *buf, size_t more); /* room for `more` bytes beyond len */
void buf_reset(struct buf *buf);                /* len 0, memory kept */
void buf_clear(struct buf *buf);                /* frees; usable again afterwards */
const char *buf_string(const struct buf *buf);  /* "" while empty; borrowed */
