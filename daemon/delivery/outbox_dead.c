#include <stdlib.h>

#include "base/memory.h"
#include "delivery/outbox.h"
#include "store/store.h"

enum { PAGE_MAX = 200 };

struct dead_run {
	dead_page_fn *done;
	void *context;
};

static void letter_read(const struct store_reply *row, struct dead_letter *letter)
{
	const struct store_reply *fields = reply_item(row, 2);

	*letter = (struct dead_letter){
		.message = reply_text(reply_item(row, 0), NULL),
		.conversation = reply_field_text(fields, "c"),
		.channel = reply_field_text(fields, "ch"),
		.what = reply_field_text(fields, "m"),
		.state = reply_field_text(fields, "s"),
		.code = reply_field_text(fields, "code"),
		.why = reply_field_text(fields, "why"),
		.index = reply_field_int(fields, "n"),
		.attempts = reply_field_int(fields, "at"),
		.died_ms = reply_int(reply_item(row, 1)),
	};
}

static void on_list(const struct store_reply *reply, const struct error *err, void *context)
{
	struct dead_run *run = context;
	struct dead_letter *letters = memory_new(PAGE_MAX * sizeof(*letters));
	struct dead_page page = { .letters = letters };
	const char *last = err ? NULL : reply_text(reply_item(reply, 0), NULL);

	for (size_t i = 1; !err && i < reply_count(reply) && page.count < PAGE_MAX; i++)
		letter_read(reply_item(reply, i), &letters[page.count++]);
	page.last = last && *last ? last : NULL;
	run->done(err ? NULL : &page, err, run->context);
	free(letters);
	free(run);
}

void outbox_read_dead(struct store *store, const struct dead_query *query, dead_page_fn *done,
		      void *context)
{
	struct dead_run *run = memory_new(sizeof(*run));
	struct store_call *call = store_script("dead_list", query->workspace);
	size_t limit = query->limit > 0 && query->limit <= PAGE_MAX ? query->limit : PAGE_MAX;

	run->done = done;
	run->context = context;
	store_key(call, "dead");
	store_arg_text(call, query->ascending ? "asc" : "desc");
	store_arg_int(call, (int64_t)limit);
	store_arg_text(call, query->after);
	store_read(store, call, on_list, run);
}
