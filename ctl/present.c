#include "present.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "ctl.h"

enum { PAGES_MAX = 1000 };

void present_clear(struct present *present)
{
	for (size_t i = 0; i < present->page_count; i++)
		json_free(&present->pages[i]);
	free(present->pages);
	*present = (struct present){ 0 };
}

int present_fetch(struct call *call, const char *kind, struct present *present)
{
	char *after = NULL;
	int code;
	do {
		struct buf target = { 0 };
		buf_format(&target, "/v1/%s?limit=200", kind);
		if (after != NULL) {
			buf_text(&target, "&after=");
			text_percent(&target, after, strlen(after));
		}
		struct json_object *page = call_request(call, "GET", target.data, NULL, &code);
		buf_clear(&target);
		if (page == NULL)
			return code == EXIT_DONE ? EX_PROTOCOL : code;
		present->pages = memory_grow(present->pages, present->page_count + 1,
					     sizeof(struct json_object *));
		present->pages[present->page_count++] = page;
		after = json_text_copy(page, "next_cursor", call->arena);
	} while (after != NULL && present->page_count < PAGES_MAX);
	return EXIT_DONE;
}

struct json_object *present_at(const struct present *present, size_t index)
{
	for (size_t i = 0; i < present->page_count; i++) {
		struct json_object *data = json_at(present->pages[i], "data");
		if (index < json_count(data))
			return json_item(data, index);
		index -= json_count(data);
	}
	return NULL;
}

struct json_object *present_find(const struct present *present, const char *id)
{
	for (size_t i = 0; i < present->page_count; i++) {
		struct json_object *data = json_at(present->pages[i], "data");
		for (size_t j = 0; j < json_count(data); j++)
			if (text_equal(json_text(json_item(data, j), "id"), id))
				return json_item(data, j);
	}
	return NULL;
}
