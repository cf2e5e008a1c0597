/* What a SQLite file holds beside its rows. */
#pragma once

#include "base/error.h"

/* Where a page is balanced, SQLite copies its cells elsewhere and leaves their bytes in the page's
 * unused middle, secure_delete or not. This writes zeros over those middles; rows are not touched.
 * Only while nobody writes, and with an empty write-ahead log. 0, or -1 with err. */
int sqlite_file_scrub(const char *path, struct error *err);
