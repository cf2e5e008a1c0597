/* One connection to Redis: bytes of commands out, replies in, in order. It
 * never reconnects; who owns it opens another. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct address;
struct loop;
struct link;
struct store_reply;

struct link_handlers {
	void (*on_open)(void *context);
	/* Borrowed: dies with the call. Also called for error replies. */
	void (*on_reply)(const struct store_reply *reply, void *context);
	/* Once, also where it never opened; link_close() still has to be called. */
	void (*on_down)(const char *why, void *context);
};

/* NULL with err where the address cannot even be tried. No handler runs before
 * the return. A host's name is resolved by the C library, which blocks. */
struct link *link_open(struct loop *loop, const struct address *address,
		       const struct link_handlers *handlers, void *context, struct error *err);
/* Queues one whole RESP command; bytes are copied. Nothing leaves before link_flush(). */
void link_send(struct link *link, const char *resp, size_t len);
void link_flush(struct link *link);
/* Allowed inside a handler, which is then the last one called. NULL-tolerant. */
void link_close(struct link **link);
