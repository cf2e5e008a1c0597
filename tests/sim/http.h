/* HTTP/1.1 as a customer's program speaks it: one request on one connection. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

struct event_base;
struct http_call;

/* on_data (may be NULL) gets the body of a 200 as it arrives, and the whole body is then not kept.
 * on_done comes once: status 0 where no answer came. */
struct http_call_fns {
	void (*on_data)(const char *bytes, size_t len, void *context);
	void (*on_done)(int status, const char *body, size_t len, void *context);
};

/* head is "POST /path HTTP/1.1\r\n" and fields, each with its line end; Host and Content-Length are
 * added. body NULL: none. */
struct http_call *http_call_start(struct event_base *base, const char *address, const char *head,
				  const char *body, size_t body_len,
				  const struct http_call_fns *fns, void *context);
/* on_done will not be called. */
void http_call_cancel(struct http_call **call);
