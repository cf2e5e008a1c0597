/* A provider that tells how far somebody has read, instead of naming messages. */
#pragma once

#include "admit/admit.h"
#include "parts.h"

/* Settles the newest 50 messages of that person's conversation which we sent
 * until then. kind: of the identifier. done as with admit_receipt(): once. */
void admit_watermark(struct parts *parts, const struct admit_receipt *receipt, const char *kind,
		     admit_done_fn *done, void *context);
