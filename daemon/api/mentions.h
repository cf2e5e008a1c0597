/* Agents whom a note names. */
#pragma once

#include "api/api.h"

/* The body's "mentions", parted by spaces; NULL where it has none. False after having answered:
 * nobody of that id, or a reply, which the customer reads. */
bool mentions_read(struct api_call *call, bool is_note, const char **ret);
