/* Ids: a prefix and 26 characters of Crockford base 32. */
#pragma once

#include <stdint.h>

enum { ID_BYTES = 32 }; /* "msg_" + 26 + NUL, rounded */

/* A ULID: time first, monotonic inside one process and millisecond. */
void id_new(const char *prefix, char out[ID_BYTES]);
/* The same alphabet over 16 given bytes: ids that are derived by a keyed hash. */
void id_from_bytes(const char *prefix, const unsigned char bytes[16], char out[ID_BYTES]);
/* Has this prefix and a well-formed rest? */
int id_is(const char *text, const char *prefix);
