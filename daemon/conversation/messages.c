/* A page of messages: from the store, from the history, or across both. In the store it is read in
 * three steps: the conversation, the texts, the marks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/conversation.h"
#include "conversation/past.h"
#include "parts.h"
#include "store/store.h"

enum { PAGE_MAX = 200 };

struct page_item {
	int64_t position;
	size_t stored; /* where its text begins in the page's; each ends with a NUL */
	size_t mark;   /* NONE */
	size_t provider_id;
	size_t files;
	char id[ID_BYTES];
};

static const size_t none = SIZE_MAX;

struct page_run {
	const struct parts *parts;
	message_page_fn *done;
	void *context;
	char workspace[48];
	char conversation[ID_BYTES];
	char customer[ID_BYTES];
	struct message_query query;
	int64_t start;  /* position of the first message in the store; 0: it is an index */
	int64_t end;    /* and after the last one */
	bool has_past;  /* there may be older ones in the history */
	bool was_asked; /* the history answered, or cannot */
	bool more;
	int64_t next;
	size_t limit;
	size_t count;
	struct page_item items[PAGE_MAX];
	struct buf texts;
	size_t hot; /* place of the first one from the store */
	size_t starts[PAGE_MAX];
	int64_t positions[PAGE_MAX];
};

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

/* ---- showing it ---- */

static const char *text_at(const struct page_run *run, size_t at)
{
	return at == none ? NULL : run->texts.data + at;
}

struct json_object *message_page_list(const struct message_page *page)
{
	struct buf bytes = { 0 };
	struct json_object *list;

	buf_byte(&bytes, '[');
	if (page != NULL)
		buf_add(&bytes, page->json, page->len);
	buf_byte(&bytes, ']');
	list = json_read(bytes.data, bytes.len, NULL);
	buf_clear(&bytes);
	return list;
}

static void page_add(struct page_run *run, const struct page_item *item, struct message_page *page,
		     struct buf *out)
{
	const char *stored = text_at(run, item->stored);
	const struct message_known known = {
		.customer = run->customer,
		.mark = text_at(run, item->mark),
		.provider_id = text_at(run, item->provider_id),
		.files = text_at(run, item->files),
	};

	if (run->query.without_notes && strstr(stored, "\"kind\":\"note\",\"text\":"))
		return;
	if (out->len > 0)
		buf_byte(out, ',');
	run->starts[page->count] = out->len;
	run->positions[page->count++] = item->position;
	message_show(out, stored, strlen(stored), &known);
}

static void page_show(struct page_run *run)
{
	struct message_page page = { .starts = run->starts,
				     .positions = run->positions,
				     .more = run->more,
				     .next = run->next };
	struct buf out = { 0 };

	for (size_t i = 0; i < run->count; i++)
		page_add(run, &run->items[i], &page, &out);
	page.json = buf_string(&out);
	page.len = out.len;
	run->done(&page, NULL, run->context);
	buf_clear(&out);
	page_free(run);
}

/* ---- collecting it ---- */

static size_t text_keep(struct page_run *run, const char *text)
{
	size_t at = run->texts.len;

	if (text == NULL)
		return none;
	buf_add(&run->texts, text, strlen(text) + 1);
	return at;
}

static struct page_item *item_add(struct page_run *run, int64_t position, const char *stored)
{
	struct page_item *item = &run->items[run->count++];

	item->position = position;
	item->stored = text_keep(run, stored);
	item->mark = item->provider_id = item->files = none;
	run->next = run->query.descending ? position - 1 : position + 1;
	return item;
}

static void page_go_on(struct page_run *run);

/* ---- the history's part ---- */

static void on_past(struct json_object *answer, const struct error *err, void *context)
{
	struct page_run *run = context;
	struct json_object *messages = json_at(answer, "messages");
	struct json_object *hash = json_at(answer, "conversation.hash");
	const char *owner = json_text(answer, "conversation.customer");
	size_t room = run->limit - run->count;

	run->was_asked = true;
	if (run->customer[0] == '\0' && (err != NULL || hash == NULL)) {
		page_fail(run, err);
		return;
	}
	if (run->customer[0] == '\0')
		snprintf(run->customer, sizeof(run->customer), "%s",
			 owner != NULL ? owner : json_text(hash, "u"));
	for (size_t i = 0; i < json_count(messages) && i < room; i++) {
		struct json_object *row = json_item(messages, i);
		struct page_item *item =
			item_add(run, json_int(row, "position", 0), json_text(row, "json"));

		item->mark = text_keep(run, json_text(row, "mark"));
		item->provider_id = text_keep(run, json_text(row, "provider_id"));
		item->files = text_keep(run, json_text(row, "files"));
	}
	run->more = json_count(messages) > room;
	page_go_on(run);
}

/* One more than there is room for says whether there are further ones. */
static void past_read(struct page_run *run)
{
	struct buf fields = { 0 };
	const struct past_question question = { "past", run->workspace, &fields };
	int64_t from = run->next;

	buf_format(&fields, ",\"conversation\":\"%s\",\"from\":%lld,\"limit\":%zu",
		   run->conversation, (long long)from, run->limit - run->count + 1);
	if (run->start > 0)
		buf_format(&fields, ",\"until\":%lld", (long long)run->start);
	if (run->query.descending)
		buf_text(&fields, ",\"descending\":true");
	past_ask(run->parts, &question, on_past, run);
	buf_clear(&fields);
}

/* ---- the store's part ---- */

static void on_marks(const struct store_reply *reply, const struct error *err, void *context)
{
	struct page_run *run = context;

	if (err != NULL) {
		page_fail(run, err);
		return;
	}
	for (size_t i = run->hot; i < run->count; i++) {
		size_t at = 3 * (i - run->hot);

		run->items[i].mark = text_keep(run, reply_text(reply_item(reply, at), NULL));
		run->items[i].provider_id =
			text_keep(run, reply_text(reply_item(reply, at + 1), NULL));
		run->items[i].files = text_keep(run, reply_text(reply_item(reply, at + 2), NULL));
	}
	page_go_on(run);
}

/* The id stands right after the author, whose texts cannot hold an unescaped quote. */
static void id_of(const char *stored, char out[ID_BYTES])
{
	const char *at = strstr(stored, "},\"id\":\"");

	out[0] = '\0';
	if (at)
		snprintf(out, ID_BYTES, "%.30s", at + strlen("},\"id\":\""));
}

static void marks_read(struct page_run *run)
{
	struct store_call *call = store_command("HMGET");
	char name[ID_BYTES + sizeof(".files")];

	store_arg_key(call, run->workspace, "y:%s", run->conversation);
	for (size_t i = run->hot; i < run->count; i++) {
		store_arg_text(call, run->items[i].id);
		snprintf(name, sizeof(name), "%s.id", run->items[i].id);
		store_arg_text(call, name);
		snprintf(name, sizeof(name), "%s.files", run->items[i].id);
		store_arg_text(call, name);
	}
	store_read(run->parts->store, call, on_marks, run);
}

static void on_texts(const struct store_reply *reply, const struct error *err, void *context)
{
	struct page_run *run = context;
	size_t count = err != NULL ? 0 : reply_count(reply);
	int64_t first = run->query.descending ? run->next - (int64_t)count + 1 : run->next;

	if (err != NULL) {
		page_fail(run, err);
		return;
	}
	run->hot = run->count;
	for (size_t i = 0; i < count && run->count < PAGE_MAX; i++) {
		size_t at = run->query.descending ? count - 1 - i : i;
		const char *stored = reply_text(reply_item(reply, at), NULL);
		struct page_item *item = item_add(run, first + (int64_t)at, stored);

		id_of(stored, item->id);
	}
	run->more = run->query.descending ? run->next >= run->start : run->next < run->end;
	/* Nothing where it said there was: it left this moment. */
	if (count == 0)
		run->end = run->start;
	if (count > 0)
		marks_read(run);
	else
		page_go_on(run);
}

static void hot_read(struct page_run *run)
{
	struct store_call *call = store_command("LRANGE");
	int64_t at = run->next - run->start;
	int64_t room = (int64_t)(run->limit - run->count);
	int64_t first = run->query.descending ? at - room + 1 : at;

	store_arg_key(call, run->workspace, "m:%s", run->conversation);
	store_arg_int(call, first < 0 ? 0 : first);
	store_arg_int(call, run->query.descending ? at : at + room - 1);
	store_read(run->parts->store, call, on_texts, run);
}

/* ---- across both ---- */

static bool is_hot_next(const struct page_run *run)
{
	return run->next >= run->start && run->next < run->end && run->count < run->limit;
}

/* Older ones are due: upwards before what the store has, downwards after it. */
static bool is_past_next(const struct page_run *run)
{
	if (!run->has_past || run->was_asked)
		return false;
	return run->next < run->start || run->start == run->end;
}

static void page_go_on(struct page_run *run)
{
	if (is_past_next(run)) {
		past_read(run);
		return;
	}
	/* Upwards, past what the history has. */
	if (!run->query.descending && run->next < run->start && !run->more &&
	    run->end > run->start && run->count < run->limit)
		run->next = run->start;
	if (is_hot_next(run)) {
		hot_read(run);
		return;
	}
	if (!run->query.descending && run->next < run->end)
		run->more = true;
	page_show(run);
}

static void on_conversation(const struct store_reply *reply, const struct error *err, void *context)
{
	struct page_run *run = context;
	const char *customer = err ? NULL : reply_text(reply_item(reply, 0), NULL);
	bool is_kept = past_is_kept(run->parts) && !run->query.is_index;

	if (customer == NULL && (err != NULL || !is_kept || !id_is(run->conversation, "cnv_"))) {
		page_fail(run, err);
		return;
	}
	if (customer != NULL) {
		snprintf(run->customer, sizeof(run->customer), "%s", customer);
		if (!run->query.is_index)
			run->start = past_position(reply_int(reply_item(reply, 2)), 0);
		run->end = run->start + reply_int(reply_item(reply, 1));
	}
	run->has_past = is_kept && !text_equal(reply_text(reply_item(reply, 3), NULL), "0");
	if (run->next < 0 || (run->query.descending && run->next >= run->end && run->end > 0))
		run->next = run->end > 0 ? run->end - 1 : INT64_MAX;
	if (!run->has_past && !run->query.descending && run->next < run->start)
		run->next = run->start;
	page_go_on(run);
}

void conversation_messages(const struct parts *parts, const struct message_query *query,
			   message_page_fn *done, void *context)
{
	struct store_call *call = store_command("HMGET");
	struct page_run *run = memory_new(sizeof(*run));

	run->parts = parts;
	run->done = done;
	run->context = context;
	run->query = *query;
	snprintf(run->workspace, sizeof(run->workspace), "%s", query->workspace);
	snprintf(run->conversation, sizeof(run->conversation), "%s", query->conversation);
	run->query.workspace = run->workspace;
	run->query.conversation = run->conversation;
	run->query.descending = query->descending || query->from < 0;
	run->next = query->from;
	run->limit = query->limit > 0 && query->limit <= PAGE_MAX ? query->limit : PAGE_MAX;
	store_arg_key(call, run->workspace, "c:%s", run->conversation);
	store_arg_text(call, "u");
	store_arg_text(call, "n");
	store_arg_text(call, "ct");
	store_arg_text(call, "pn");
	store_read(parts->store, call, on_conversation, run);
}
