/* Words that no text has, of private characters; shared by search_*.c only. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

#define SEARCH_EDGE "\xee\x80\x80" /* U+E000: where a field ends */
#define SEARCH_TAIL "\xee\x80\x81" /* U+E001: then digits from the last to the first */

void search_tail_write(struct buf *out, const char *digits, size_t len);
