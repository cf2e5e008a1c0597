/* A request as it lies in the spool: a line of our own ("<unix seconds> <source>"), the request's
 * head and its body, so that it can be read with the eye and by the parser of HTTP. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "channel.h"
#include "services/http_parser.h"

/* in->request is not looked at: its fields come from head. Fields with credentials of people
 * (Authorization, Cookie) are left out. */
void spool_record_write(const struct inbound *in, const struct http_head *head, struct buf *ret);

struct spool_request {
	struct http_head head;
	struct arena *arena;
	struct request_view view;
};
/* Fills in and request; all of it lives in arena. False: bytes are no such record. */
bool spool_record_read(const void *bytes, size_t len, struct arena *arena, struct inbound *in,
		       struct spool_request *request);
