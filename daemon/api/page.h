/* Pages of lists: ?limit=&after=&order=. A cursor is opaque: it names its list and order, and the
 * row after which the next page goes on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/api.h"

struct page {
	struct api_call *call;
	size_t limit; /* 1-200 */
	bool ascending;
	const char *after; /* as given to page_end() before; NULL: the first page */
};

/* False after having answered 400. ascending: where the request does not say. */
bool page_read(struct api_call *call, bool ascending, struct page *ret_page);
/* 400: what `after` holds is none of this list's cursors. */
void page_refuse(struct api_call *call);

/* {"data":[ ... ],"next_cursor":...}: the rows are written in between. last: after which the next
 * page goes on; NULL: there is none. Ends the call. */
void page_start(struct json_out *out, struct buf *body);
void page_end(const struct page *page, struct json_out *out, struct buf *body, const char *last);
/* Of a list that has no pages. */
void page_end_whole(struct api_call *call, struct json_out *out, struct buf *body);

/* A list that is read whole: sorted, cut and answered here. Descending by default. */
struct page_row {
	const char *id;
	int64_t place; /* creation, ms; among equals the id decides */
	const void *what;
};
typedef void page_write_fn(struct json_out *out, const struct page_row *row);
void page_answer(struct api_call *call, struct page_row *rows, size_t count, page_write_fn *write);
