#include "history/erase_retain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/history.h"
#include "history/retention.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { PAGE = 50 };

struct due {
	char id[ID_BYTES];
	char key[2 * IDENTITY_FIELD_BYTES + 1];
	bool is_past; /* out of the store */
	bool is_hot;  /* in it, and at rest */
};

struct retaining {
	struct arena *arena;
	struct retain_rules rules;
	int64_t now_ms;       /* of the job's begin: it has an end */
	size_t rule;          /* the one in hand */
	char after[ID_BYTES]; /* conversation looked at last */
	struct due page[PAGE];
	size_t count;
	size_t at;
	int64_t number; /* of the message looked at last */
	char **texts;   /* of messages, and their files behind each */
	size_t text_count;
	size_t next_text;
	int64_t taken;  /* conversations, by the whole job */
	bool has_taken; /* or was about to, before a death */
	erase_next_fn *next;
};

static void select_next(struct erase *erase);
static void due_next(struct erase *erase);
static void messages_ask(struct erase *erase);
static void text_next(struct erase *erase);

static const char *ws(const struct erase *erase)
{
	return workspace_name(erase->workspace);
}

static const struct retain_rule *rule_of(const struct erase *erase)
{
	return &erase->retaining->rules.list[erase->retaining->rule];
}

/* Texts of what is done are not needed for the next. */
static void texts_forget(struct erase *erase)
{
	arena_free(&erase->arena);
	erase->arena = arena_new(0);
}

static void count(struct erase *erase)
{
	for (size_t i = 0; i < RETAIN_WHATS; i++)
		if (text_equal(retain_whats[i], rule_of(erase)->what))
			erase->counts->of[i]++;
	erase->retaining->taken++;
}

/* ---- one conversation ---- */

static void on_taken(struct json_object *answer, const struct error *err, void *context)
{
	struct erase *erase = context;

	(void)answer;
	if (!erase_is_wanted(erase))
		return;
	if (err != NULL) {
		erase_retry(erase, "retain", err);
		return;
	}
	count(erase);
	erase->retaining->at++;
	due_next(erase);
}

static void take(struct erase *erase)
{
	struct buf fields = { 0 };
	struct json_out out;

	jw_start(&out, &fields);
	out.need_comma = true;
	jw_text(&out, "conversation", erase->retaining->page[erase->retaining->at].id);
	jw_text(&out, "what", rule_of(erase)->what);
	erase->refs++;
	history_tell(erase->parts->history, "retain", ws(erase), &fields, on_taken, erase);
	buf_clear(&fields);
}

static void on_messages(struct json_object *answer, const struct error *err, void *context)
{
	struct erase *erase = context;
	struct retaining *retaining = erase->retaining;
	struct json_object *list = json_at(answer, "messages");

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL) {
		erase_retry(erase, "messages", err);
		return;
	}
	texts_forget(erase);
	retaining->texts = arena_alloc(erase->arena, (2 * json_count(list) + 1) * sizeof(char *));
	retaining->text_count = retaining->next_text = 0;
	for (size_t i = 0; i < json_count(list); i++) {
		struct json_object *row = json_item(list, i);

		retaining->texts[retaining->text_count++] =
			json_text_copy(row, "json", erase->arena);
		retaining->texts[retaining->text_count++] =
			json_text_copy(row, "files", erase->arena);
		retaining->number = json_int(row, "number", 0);
	}
	if (retaining->text_count == 0)
		take(erase);
	else
		text_next(erase);
}

static void text_next(struct erase *erase)
{
	struct retaining *retaining = erase->retaining;
	char **text = &retaining->texts[retaining->next_text];

	if (retaining->next_text == retaining->text_count) {
		messages_ask(erase);
		return;
	}
	retaining->next_text += 2;
	erase_blobs(erase, text[0], text[1], text_next);
}

static void messages_ask(struct erase *erase)
{
	struct buf fields = { 0 };
	struct json_out out;

	jw_start(&out, &fields);
	out.need_comma = true;
	jw_text(&out, "conversation", erase->retaining->page[erase->retaining->at].id);
	jw_int(&out, "after", erase->retaining->number);
	erase->refs++;
	history_ask(erase->parts->history, "retain_read", ws(erase), &fields, on_messages, erase);
	buf_clear(&fields);
}

/* What is in the store leaves it by itself before its texts or files are taken. */
static void due_next(struct erase *erase)
{
	struct retaining *retaining = erase->retaining;

	for (; retaining->at < retaining->count; retaining->at++) {
		const struct due *due = &retaining->page[retaining->at];
		bool is_whole = text_equal(rule_of(erase)->what, "conversation");

		retaining->number = 0;
		texts_forget(erase);
		if (is_whole && due->is_hot) {
			erase_talk(erase, due->id, messages_ask);
			return;
		}
		if (due->is_past) {
			messages_ask(erase);
			return;
		}
	}
	select_next(erase);
}

/* ---- how far it is ---- */

static void on_noted(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL || reply_is(reply, "refused"))
		erase_retry(erase, "note", err);
	else
		erase->retaining->next(erase);
}

/* will_take: from here on the job ends with files written anew, also if it dies meanwhile. A job
 * that is another steward's now ends here. */
static void note(struct erase *erase, bool will_take, erase_next_fn *next)
{
	struct store_call *call = store_script("retain_note", ws(erase));

	erase->retaining->next = next;
	store_key(call, "lease:steward");
	store_key(call, "j:%s", erase->job);
	store_arg_text(call, erase->fence);
	store_arg_int(call, erase->retaining->taken);
	store_arg_text(call, will_take ? "1" : "");
	erase->refs++;
	store_run(erase->parts->store, call, on_noted, erase);
}

static void retain_end(struct erase *erase)
{
	if (erase->retaining->has_taken)
		erase_finish(erase);
	else
		erase_done(erase);
}

/* ---- a page of them ---- */

static void on_checked(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;
	struct retaining *retaining = erase->retaining;
	bool is_any = false;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL || reply_count(reply) != retaining->count) {
		erase_retry(erase, "check", err);
		return;
	}
	for (size_t i = 0; i < retaining->count; i++) {
		const char *state = reply_text_at(reply, i);

		retaining->page[i].is_past = text_equal(state, "past");
		retaining->page[i].is_hot = text_equal(state, "hot");
		is_any |= retaining->page[i].is_past || retaining->page[i].is_hot;
		if (text_equal(state, "held"))
			erase->counts->held++;
	}
	retaining->at = 0;
	if (is_any) {
		retaining->has_taken = true;
		note(erase, true, due_next);
	} else {
		due_next(erase);
	}
}

static void check(struct erase *erase)
{
	struct retaining *retaining = erase->retaining;
	struct store_call *call = store_script("retain_check", ws(erase));

	store_arg_int(call, retaining->now_ms - rule_of(erase)->keep_ms);
	for (size_t i = 0; i < retaining->count; i++) {
		store_arg_text(call, retaining->page[i].id);
		store_arg_text(call, retaining->page[i].key);
	}
	erase->refs++;
	store_read(erase->parts->store, call, on_checked, erase);
}

static void due_read(struct due *due, struct json_object *row)
{
	const char *id = json_text(row, "id");
	const char *key = json_text(row, "key");

	*due = (struct due){ 0 };
	snprintf(due->id, sizeof(due->id), "%s", id == NULL ? "" : id);
	snprintf(due->key, sizeof(due->key), "%s", key == NULL ? "" : key);
}

static void on_selected(struct json_object *answer, const struct error *err, void *context)
{
	struct erase *erase = context;
	struct retaining *retaining = erase->retaining;
	struct json_object *list = json_at(answer, "due");

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL) {
		erase_retry(erase, "select", err);
		return;
	}
	retaining->count = json_count(list) < PAGE ? json_count(list) : PAGE;
	for (size_t i = 0; i < retaining->count; i++)
		due_read(&retaining->page[i], json_item(list, i));
	if (retaining->count > 0) {
		memcpy(retaining->after, retaining->page[retaining->count - 1].id, ID_BYTES);
		check(erase);
		return;
	}
	retaining->rule++;
	retaining->after[0] = '\0';
	select_next(erase);
}

static void select_next(struct erase *erase)
{
	struct retaining *retaining = erase->retaining;
	struct buf fields = { 0 };
	struct json_out out;

	if (retaining->rule == retaining->rules.count) {
		note(erase, false, retain_end);
		return;
	}
	jw_start(&out, &fields);
	out.need_comma = true;
	retain_rules_write(&out, &retaining->rules, retaining->now_ms);
	jw_int(&out, "rule", (int64_t)retaining->rule);
	jw_text(&out, "after", retaining->after);
	erase->refs++;
	history_ask(erase->parts->history, "retain_select", ws(erase), &fields, on_selected, erase);
	buf_clear(&fields);
}

static void on_rules(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL) {
		erase_retry(erase, "rules", err);
		return;
	}
	retain_rules_take(reply, erase->retaining->arena, &erase->retaining->rules);
	select_next(erase);
}

void erase_retain(struct erase *erase, int64_t taken, bool has_taken)
{
	struct store_call *read = store_command("HVALS");

	erase->retaining = memory_new(sizeof(*erase->retaining));
	erase->retaining->arena = arena_new(0);
	erase->retaining->now_ms = loop_unix_ms(erase->parts->loop);
	erase->retaining->taken = taken;
	erase->retaining->has_taken = has_taken;
	store_arg_key(read, ws(erase), "cfg:retention");
	erase->refs++;
	store_read(erase->parts->store, read, on_rules, erase);
}

void erase_retain_clear(struct erase *erase)
{
	if (erase->retaining == NULL)
		return;
	arena_free(&erase->retaining->arena);
	free(erase->retaining);
	erase->retaining = NULL;
}
