#include "api/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { LIST_DEFAULT = 50, LIST_MAX = 200, CURSOR_MAX = 600 };

/* ---- cursors: base64url of "<pattern> <a or d> <after>" ---- */

static const char *cursor_start(const struct page *page)
{
	return arena_format(page->call->arena, "%s %c ", page->call->route->pattern,
			    page->ascending ? 'a' : 'd');
}

static bool cursor_read(struct page *page, const char *text)
{
	const char *start = cursor_start(page);
	size_t len = strlen(text);
	char *cursor = arena_alloc(page->call->arena, len + 1);
	long used = len > CURSOR_MAX ? -1 : text_unbase64url(text, len, cursor, len);

	if (used <= 0 || strlen(cursor) != (size_t)used || !text_starts(cursor, start))
		return false;
	page->after = cursor + strlen(start);
	return true;
}

void page_refuse(struct api_call *call)
{
	api_problem(call, 400, "bad_cursor",
		    "after must be a next_cursor of this list in the same order");
}

static bool limit_read(struct page *page)
{
	const char *text = api_query(page->call, "limit");
	uint64_t number = LIST_DEFAULT;

	if (text == NULL ||
	    (text_uint(text, strlen(text), &number) && number >= 1 && number <= LIST_MAX)) {
		page->limit = (size_t)number;
		return true;
	}
	api_problem(page->call, 400, "bad_limit", "limit must be a number between 1 and %d",
		    LIST_MAX);
	return false;
}

static bool order_read(struct page *page, bool ascending)
{
	const char *order = api_query(page->call, "order");

	page->ascending = order == NULL ? ascending : text_equal(order, "asc");
	if (order == NULL || page->ascending || text_equal(order, "desc"))
		return true;
	api_problem(page->call, 400, "bad_order", "order must be asc or desc");
	return false;
}

bool page_read(struct api_call *call, bool ascending, struct page *ret_page)
{
	const char *after = api_query(call, "after");

	*ret_page = (struct page){ .call = call };
	if (!limit_read(ret_page) || !order_read(ret_page, ascending))
		return false;
	if (after == NULL || cursor_read(ret_page, after))
		return true;
	page_refuse(call);
	return false;
}

void page_start(struct json_out *out, struct buf *body)
{
	jw_start(out, body);
	jw_object(out, NULL);
	jw_array(out, "data");
}

void page_end(const struct page *page, struct json_out *out, struct buf *body, const char *last)
{
	const char *start = cursor_start(page);
	char *cursor = NULL;
	char *text;

	if (last != NULL) {
		text = arena_format(page->call->arena, "%s%s", start, last);
		cursor = arena_alloc(page->call->arena, strlen(text) * 2 + 4);
		text_base64url(text, strlen(text), cursor);
	}
	jw_array_end(out);
	jw_text(out, "next_cursor", cursor);
	jw_object_end(out);
	api_answer(page->call, 200, body);
}

void page_end_whole(struct api_call *call, struct json_out *out, struct buf *body)
{
	jw_array_end(out);
	jw_null(out, "next_cursor");
	jw_object_end(out);
	api_answer(call, 200, body);
}

/* ---- lists that are read whole ---- */

static int by_place(const void *a, const void *b)
{
	const struct page_row *left = a;
	const struct page_row *right = b;

	if (left->place != right->place)
		return left->place < right->place ? -1 : 1;
	return strcmp(left->id, right->id);
}

/* "<place> <id>" of the last row shown; false where it is not one. */
static bool mark_read(const char *text, struct page_row *ret_mark)
{
	char *end;

	ret_mark->place = strtoll(text, &end, 10);
	ret_mark->id = end + 1;
	return end != text && *end == ' ';
}

void page_answer(struct api_call *call, struct page_row *rows, size_t count, page_write_fn *write)
{
	struct page page;
	struct page_row mark = { 0 };
	struct buf body = { 0 };
	struct json_out out;
	const struct page_row *last = NULL;
	size_t shown = 0;

	if (!page_read(call, false, &page))
		return;
	if (page.after != NULL && !mark_read(page.after, &mark)) {
		page_refuse(call);
		return;
	}
	qsort(rows, count, sizeof(*rows), by_place);
	page_start(&out, &body);
	for (size_t i = 0; i < count; i++) {
		const struct page_row *row = &rows[page.ascending ? i : count - 1 - i];
		int side = page.after == NULL ? 1 : by_place(row, &mark);

		if (page.after != NULL && (page.ascending ? side <= 0 : side >= 0))
			continue;
		if (shown++ == page.limit) {
			page_end(&page, &out, &body,
				 arena_format(call->arena, "%lld %s", (long long)last->place,
					      last->id));
			return;
		}
		write(&out, row);
		last = row;
	}
	page_end(&page, &out, &body, NULL);
}
