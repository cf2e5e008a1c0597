#include "conversation/conversation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/store.h"

enum { PAGE_MAX = 200 };

struct read_run {
	conversation_fn *done;
	void *context;
	char id[ID_BYTES];
};

/* A page is read in three steps: the conversation, the texts, the marks. */
struct page_run {
	struct store *store;
	message_page_fn *done;
	void *context;
	char workspace[48];
	char conversation[ID_BYTES];
	char customer[ID_BYTES];
	int64_t from;
	size_t limit;
	bool descending;
	bool without_notes;
	int64_t total;
	struct buf texts; /* stored texts, each with its NUL */
	size_t offsets[PAGE_MAX + 1];
	char ids[PAGE_MAX][ID_BYTES];
	size_t count;
	size_t starts[PAGE_MAX];
	int64_t indexes[PAGE_MAX];
};

static void on_conversation(const struct store_reply *reply, const struct error *err, void *context)
{
	struct read_run *run = context;
	struct conversation conversation = { .id = run->id };

	if (err || reply_count(reply) == 0) {
		run->done(NULL, err, run->context);
		free(run);
		return;
	}
	conversation.channel = reply_field_text(reply, "ch");
	conversation.customer = reply_field_text(reply, "u");
	conversation.address = reply_field_text(reply, "ad");
	conversation.name = reply_field_text(reply, "nm");
	conversation.thread = reply_field_text(reply, "th");
	conversation.subject = reply_field_text(reply, "sub");
	conversation.work_item = reply_field_text(reply, "w");
	conversation.open = text_equal(reply_field_text(reply, "s"), "open");
	conversation.is_notice = text_equal(reply_field_text(reply, "one"), "1");
	conversation.messages = reply_field_int(reply, "n");
	conversation.created_ms = reply_field_int(reply, "ct");
	conversation.updated_ms = reply_field_int(reply, "ut");
	conversation.version = reply_field_int(reply, "v");
	conversation.last_inbound = reply_field_text(reply, "li");
	conversation.last_inbound_ms = reply_field_int(reply, "lt");
	run->done(&conversation, NULL, run->context);
	free(run);
}

void conversation_read(struct store *store, const char *workspace, const char *id,
		       conversation_fn *done, void *context)
{
	struct store_call *call = store_command("HGETALL");
	struct read_run *run = memory_new(sizeof(*run));

	run->done = done;
	run->context = context;
	snprintf(run->id, sizeof(run->id), "%s", id);
	store_arg_key(call, workspace, "c:%s", id);
	store_read(store, call, on_conversation, run);
}

static void page_free(struct page_run *run)
{
	buf_clear(&run->texts);
	free(run);
}

static void page_fail(struct page_run *run, const struct error *err)
{
	run->done(NULL, err, run->context);
	page_free(run);
}

static void page_add(struct page_run *run, const struct store_reply *marks, size_t at,
		     struct message_page *page, struct buf *out)
{
	const char *stored = run->texts.data + run->offsets[at];
	const struct message_known known = {
		.customer = run->customer,
		.mark = reply_text(reply_item(marks, 3 * at), NULL),
		.provider_id = reply_text(reply_item(marks, 3 * at + 1), NULL),
		.files = reply_text(reply_item(marks, 3 * at + 2), NULL),
	};

	if (run->without_notes && strstr(stored, "\"kind\":\"note\",\"text\":"))
		return;
	if (out->len > 0)
		buf_byte(out, ',');
	run->starts[page->count] = out->len;
	run->indexes[page->count++] = page->first + (int64_t)at;
	message_show(out, stored, strlen(stored), &known);
}

static void page_show(struct page_run *run, const struct store_reply *marks)
{
	struct message_page page = { .first = run->from,
				     .total = run->total,
				     .starts = run->starts,
				     .indexes = run->indexes };
	struct buf out = { 0 };

	if (run->descending)
		page.first = run->from - (int64_t)run->count + 1;
	for (size_t i = 0; i < run->count; i++)
		page_add(run, marks, run->descending ? run->count - 1 - i : i, &page, &out);
	page.next = page.first + (int64_t)run->count;
	page.more = run->descending ? page.first > 0 : page.next < run->total;
	page.json = buf_string(&out);
	page.len = out.len;
	run->done(&page, NULL, run->context);
	buf_clear(&out);
	page_free(run);
}

static void on_marks(const struct store_reply *reply, const struct error *err, void *context)
{
	struct page_run *run = context;

	if (err)
		page_fail(run, err);
	else
		page_show(run, reply);
}

/* The id stands right after the author, whose texts cannot hold an unescaped quote. */
static void id_of(const char *stored, char out[ID_BYTES])
{
	const char *at = strstr(stored, "},\"id\":\"");

	out[0] = '\0';
	if (at)
		snprintf(out, ID_BYTES, "%.30s", at + strlen("},\"id\":\""));
}

static void page_read_marks(struct page_run *run)
{
	struct store_call *call = store_command("HMGET");

	store_arg_key(call, run->workspace, "y:%s", run->conversation);
	for (size_t i = 0; i < run->count; i++) {
		char name[ID_BYTES + sizeof(".files")];

		store_arg_text(call, run->ids[i]);
		snprintf(name, sizeof(name), "%s.id", run->ids[i]);
		store_arg_text(call, name);
		snprintf(name, sizeof(name), "%s.files", run->ids[i]);
		store_arg_text(call, name);
	}
	store_read(run->store, call, on_marks, run);
}

static void on_texts(const struct store_reply *reply, const struct error *err, void *context)
{
	struct page_run *run = context;

	if (err) {
		page_fail(run, err);
		return;
	}
	for (size_t i = 0; i < reply_count(reply) && i < PAGE_MAX; i++) {
		size_t len = 0;
		const char *text = reply_text(reply_item(reply, i), &len);

		run->offsets[run->count] = run->texts.len;
		buf_add(&run->texts, text, len + 1);
		id_of(text, run->ids[run->count++]);
	}
	if (run->count > 0)
		page_read_marks(run);
	else
		page_show(run, NULL);
}

static void on_page_conversation(const struct store_reply *reply, const struct error *err,
				 void *context)
{
	struct page_run *run = context;
	const char *customer = err ? NULL : reply_text(reply_item(reply, 0), NULL);
	struct store_call *call;
	int64_t first;
	int64_t last;

	if (!customer) {
		page_fail(run, err);
		return;
	}
	snprintf(run->customer, sizeof(run->customer), "%s", customer);
	run->total = reply_int(reply_item(reply, 1));
	if (run->from < 0 || (run->descending && run->from >= run->total))
		run->from = run->descending ? run->total - 1 : 0;
	first = run->descending ? run->from - (int64_t)run->limit + 1 : run->from;
	last = run->descending ? run->from : run->from + (int64_t)run->limit - 1;
	call = store_command("LRANGE");
	store_arg_key(call, run->workspace, "m:%s", run->conversation);
	store_arg_int(call, first < 0 ? 0 : first);
	store_arg_int(call, last);
	store_read(run->store, call, on_texts, run);
}

void conversation_messages(struct store *store, const struct message_query *query,
			   message_page_fn *done, void *context)
{
	struct store_call *call = store_command("HMGET");
	struct page_run *run = memory_new(sizeof(*run));

	run->store = store;
	run->done = done;
	run->context = context;
	snprintf(run->workspace, sizeof(run->workspace), "%s", query->workspace);
	snprintf(run->conversation, sizeof(run->conversation), "%s", query->conversation);
	run->descending = query->descending || query->from < 0;
	run->from = query->from;
	run->limit = query->limit > 0 && query->limit <= PAGE_MAX ? query->limit : PAGE_MAX;
	run->without_notes = query->without_notes;
	store_arg_key(call, run->workspace, "c:%s", run->conversation);
	store_arg_text(call, "u");
	store_arg_text(call, "n");
	store_read(store, call, on_page_conversation, run);
}
