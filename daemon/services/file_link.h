/* Signed, time-limited links to blobs, for programs that have no token of ours. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct mac;

/* Appends "/files/<blob>?expires=<unix s>&signature=<hex>". */
void file_link_write(struct mac *mac, const char *blob, int64_t expires_s, struct buf *out);
/* Is this link ours and still good? The texts come from outside; NULL is refused. */
bool file_link_ok(struct mac *mac, const char *blob, const char *expires, const char *signature,
		  int64_t now_s);
