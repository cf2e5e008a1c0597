#include "history/erase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/erase_retain.h"
#include "history/erase_talk.h"
#include "history/erased.h"
#include "history/history.h"
#include "parts.h"
#include "routing/work.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { TICK_MS = 1000, AGAIN_MS = 2000, POLL_MS = 200, SCAN_COUNT = 500 };

static void customers_next(struct erase *erase);
static void scan_next(struct erase *erase);
static void cases_next(struct erase *erase);
static void history_read(struct erase *erase);
static void history_erase(struct erase *erase);
static void blobs_await(struct erase *erase);
static void rewrite_start(struct erase *erase);

static const char *ws(const struct erase *erase)
{
	return workspace_name(erase->workspace);
}

static void talks_clear(struct erase *erase)
{
	for (size_t i = 0; i < erase->talk_count; i++)
		free(erase->talks[i]);
	free(erase->talks);
	erase->talks = NULL;
	erase->talk_count = erase->next_talk = 0;
}

static void job_clear(struct erase *erase)
{
	talks_clear(erase);
	erase_retain_clear(erase);
	arena_free(&erase->arena);
	free(erase->cursor);
	free(erase->job);
	erase->cursor = erase->job = NULL;
}

static void erase_unref(void *object)
{
	struct erase *erase = object;

	if (--erase->refs > 0)
		return;
	job_clear(erase);
	free(erase->fence);
	free(erase);
}

bool erase_is_wanted(struct erase *erase)
{
	bool is_dead = erase->is_dead;

	erase_unref(erase);
	return !is_dead;
}

void erase_retry(struct erase *erase, const char *step, const struct error *err)
{
	log_warn(erase->job, "event=erase_interrupted step=%s error=%s", step,
		 log_quote(err == NULL ? "refused" : err->text));
	job_clear(erase);
	loop_timer_start(erase->tick, AGAIN_MS);
}

/* The next word of a list, copied; NULL at its end. */
static const char *word_take(struct erase *erase)
{
	size_t len;
	const char *word;

	erase->at += strspn(erase->at, " ");
	len = strcspn(erase->at, " ");
	if (len == 0)
		return NULL;
	word = arena_copy(erase->arena, erase->at, len);
	erase->at += len;
	return word;
}

static bool is_in(const char *list, const char *word)
{
	return word != NULL && *word != '\0' && text_has_word(list, ' ', word);
}

/* ---- 1. the people ---- */

static void on_person(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL || reply_is(reply, "refused"))
		erase_retry(erase, "person", err);
	else
		customers_next(erase);
}

/* us, ids, wk */
static void on_known(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;
	const char *keys = reply_text_at(reply, 0);
	const char *cases = reply_text_at(reply, 1);
	struct error problem;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL) {
		erase_retry(erase, "job", err);
		return;
	}
	erase->keys = arena_text(erase->arena, keys == NULL ? "" : keys);
	erase->cases = arena_text(erase->arena, cases == NULL ? "" : cases);
	if (erased_note(erase->parts, ws(erase), erase->keys, &problem) < 0) {
		erase_retry(erase, "erased", &problem);
		return;
	}
	erase->cursor = memory_text("0");
	scan_next(erase);
}

static void customers_next(struct erase *erase)
{
	const char *customer = word_take(erase);
	struct store_call *call;

	erase->refs++;
	if (customer == NULL) {
		call = store_command("HMGET");
		store_arg_key(call, ws(erase), "j:%s", erase->job);
		store_arg_text(call, "ids");
		store_arg_text(call, "wk");
		store_read(erase->parts->store, call, on_known, erase);
		return;
	}
	call = store_script("erase_person", ws(erase));
	store_key(call, "lease:steward");
	store_key(call, "j:%s", erase->job);
	store_key(call, "u:%s", customer);
	store_arg_text(call, erase->fence);
	store_arg_text(call, erase->job);
	store_arg_text(call, customer);
	store_run(erase->parts->store, call, on_person, erase);
}

/* ---- 2. their conversations: whichever belong to one of the identifiers ---- */

static void talks_next(struct erase *erase);

static void on_index(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL)
		erase_retry(erase, "index", err);
	else if (reply_text(reply, NULL) == NULL)
		erase_talk(erase, erase->talks[erase->next_talk - 1], talks_next);
	else
		talks_next(erase);
}

/* An older conversation may still name a customer from whom its identifier was split off since:
 * whose it is, the index says. */
static void index_ask(struct erase *erase, const char *hex)
{
	unsigned char field[IDENTITY_FIELD_BYTES];
	struct store_call *call;

	if (hex == NULL || text_unhex(hex, strlen(hex), field, sizeof(field)) != sizeof(field)) {
		erase_talk(erase, erase->talks[erase->next_talk - 1], talks_next);
		return;
	}
	call = store_command("HGET");
	store_arg_key(
		call, ws(erase), "i:%x",
		((unsigned)field[IDENTITY_FIELD_BYTES - 2] << 8 | field[IDENTITY_FIELD_BYTES - 1]) %
			IDENTITY_BUCKETS);
	store_arg(call, field, sizeof(field));
	erase->refs++;
	store_read(erase->parts->store, call, on_index, erase);
}

/* ik, u */
static void on_owner(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;
	const char *id;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL) {
		erase_retry(erase, "owner", err);
		return;
	}
	id = erase->talks[erase->next_talk++];
	if (is_in(erase->keys, reply_text_at(reply, 0)))
		erase_talk(erase, id, talks_next);
	else if (is_in(erase->customers, reply_text_at(reply, 1)))
		index_ask(erase, reply_text_at(reply, 0));
	else
		talks_next(erase);
}

static void talks_next(struct erase *erase)
{
	struct store_call *call;

	if (erase->next_talk == erase->talk_count) {
		if (text_equal(erase->cursor, "0")) {
			erase->at = erase->cases;
			cases_next(erase);
		} else {
			scan_next(erase);
		}
		return;
	}
	call = store_command("HMGET");
	store_arg_key(call, ws(erase), "c:%s", erase->talks[erase->next_talk]);
	store_arg_text(call, "ik");
	store_arg_text(call, "u");
	erase->refs++;
	store_read(erase->parts->store, call, on_owner, erase);
}

static void on_scanned(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;
	const struct store_reply *keys = reply_item(reply, 1);
	size_t prefix = strlen(ws(erase)) + strlen("{}:c:");

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL) {
		erase_retry(erase, "scan", err);
		return;
	}
	talks_clear(erase);
	free(erase->cursor);
	erase->cursor = memory_text(reply_text(reply_item(reply, 0), NULL));
	erase->talks = memory_new((reply_count(keys) + 1) * sizeof(*erase->talks));
	for (; erase->talk_count < reply_count(keys); erase->talk_count++)
		erase->talks[erase->talk_count] =
			memory_text(reply_text(reply_item(keys, erase->talk_count), NULL) + prefix);
	talks_next(erase);
}

static void scan_next(struct erase *erase)
{
	struct store_call *call = store_command("SCAN");

	store_arg_text(call, erase->cursor);
	store_arg_text(call, "MATCH");
	store_arg_key(call, ws(erase), "c:*");
	store_arg_text(call, "COUNT");
	store_arg_int(call, SCAN_COUNT);
	erase->refs++;
	store_read(erase->parts->store, call, on_scanned, erase);
}

/* ---- 3. cases ---- */

static const char *case_in_hand(struct erase *erase)
{
	const char *end = erase->at;
	const char *start = end;

	while (start > erase->cases && start[-1] != ' ')
		start--;
	return arena_copy(erase->arena, start, (size_t)(end - start));
}

static void case_erase(struct erase *erase, const char *item);

static void on_case_ended(const struct work_result *result, const struct error *err, void *context)
{
	struct erase *erase = context;

	if (!erase_is_wanted(erase))
		return;
	if (result->code != WORK_OK)
		erase_retry(erase, "case", err);
	else
		case_erase(erase, case_in_hand(erase));
}

static void on_case(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;
	struct work_call call;

	if (!erase_is_wanted(erase))
		return;
	if (err == NULL && reply_is(reply, "refused") &&
	    text_equal(reply_text_at(reply, 1), "open")) {
		call = (struct work_call){ .store = erase->parts->store,
					   .workspace = ws(erase),
					   .work_item = reply_text_at(reply, 2) };
		erase->refs++;
		if (text_equal(reply_text_at(reply, 3), "offered"))
			work_cancel(&call, "erased", on_case_ended, erase);
		else
			work_close(&call, "erased", on_case_ended, erase);
	} else if (err != NULL || reply_is(reply, "refused")) {
		erase_retry(erase, "case", err);
	} else {
		cases_next(erase);
	}
}

static void case_erase(struct erase *erase, const char *item)
{
	struct store_call *call = store_script("erase_item", ws(erase));

	store_key(call, "lease:steward");
	store_key(call, "w:%s", item);
	store_arg_text(call, erase->fence);
	store_arg_text(call, item);
	erase->refs++;
	store_run(erase->parts->store, call, on_case, erase);
}

static void cases_next(struct erase *erase)
{
	const char *item = word_take(erase);

	if (item != NULL) {
		case_erase(erase, item);
		return;
	}
	erase->at = erase->keys;
	erase->after = 0;
	erase->is_last_pass = false;
	if (history_is_kept(erase->parts->history))
		history_read(erase);
	else
		blobs_await(erase);
}

/* ---- 4. the history: first the blobs that its messages name, then its rows ---- */

/* The messages of the page in hand, each with how its files stand. */
static void messages_next(struct erase *erase);

static const char *key_in_hand(struct erase *erase)
{
	erase->at += strspn(erase->at, " ");
	return arena_copy(erase->arena, erase->at, strcspn(erase->at, " "));
}

static void on_messages(struct json_object *answer, const struct error *err, void *context)
{
	struct erase *erase = context;
	struct json_object *list = json_at(answer, "messages");

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL) {
		erase_retry(erase, "history", err);
		return;
	}
	talks_clear(erase);
	erase->talks = memory_new((2 * json_count(list) + 1) * sizeof(*erase->talks));
	for (size_t i = 0; i < json_count(list); i++) {
		const char *files = json_text(json_item(list, i), "files");

		erase->talks[erase->talk_count++] =
			memory_text(json_text(json_item(list, i), "json"));
		erase->talks[erase->talk_count++] = memory_text(files == NULL ? "" : files);
		erase->after = json_int(json_item(list, i), "number", erase->after);
	}
	if (json_count(list) == 0) { /* the next identifier's */
		erase->at += strcspn(erase->at, " ");
		erase->after = 0;
	}
	messages_next(erase);
}

static void messages_next(struct erase *erase)
{
	if (erase->next_talk == erase->talk_count) {
		history_read(erase);
		return;
	}
	erase->next_talk += 2;
	erase_blobs(erase, erase->talks[erase->next_talk - 2], erase->talks[erase->next_talk - 1],
		    messages_next);
}

static void history_read(struct erase *erase)
{
	const char *key = key_in_hand(erase);
	struct buf fields = { 0 };
	struct json_out out;

	if (*key == '\0') {
		history_erase(erase);
		return;
	}
	jw_start(&out, &fields);
	out.need_comma = true;
	jw_text(&out, "key", key);
	jw_int(&out, "after", erase->after);
	erase->refs++;
	history_ask(erase->parts->history, "erase_read", ws(erase), &fields, on_messages, erase);
	buf_clear(&fields);
}

static void words_write(struct json_out *out, const char *name, const char *words)
{
	jw_array(out, name);
	while (*(words += strspn(words, " ")) != '\0') {
		size_t len = strcspn(words, " ");

		jw_textn(out, NULL, words, len);
		words += len;
	}
	jw_array_end(out);
}

static void on_history(struct json_object *answer, const struct error *err, void *context)
{
	struct erase *erase = context;

	(void)answer;
	if (!erase_is_wanted(erase))
		return;
	if (err != NULL)
		erase_retry(erase, "history", err);
	else if (erase->is_last_pass)
		erase_done(erase);
	else
		blobs_await(erase);
}

static void history_erase(struct erase *erase)
{
	struct buf fields = { 0 };
	struct json_out out;

	jw_start(&out, &fields);
	out.need_comma = true;
	words_write(&out, "keys", erase->keys);
	words_write(&out, "customers", erase->customers);
	jw_bool(&out, "purge", erase->is_last_pass);
	erase->refs++;
	history_tell(erase->parts->history, "erase", ws(erase), &fields, on_history, erase);
	buf_clear(&fields);
}

/* ---- 5. blobs, and the store's own files ---- */

static void on_blobs(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL)
		erase_retry(erase, "blobs", err);
	else if (reply_int(reply) > 0)
		loop_timer_start(erase->tick, POLL_MS);
	else
		rewrite_start(erase);
}

/* The steward destroys what stands in bx (media/discard.h). */
static void blobs_await(struct erase *erase)
{
	struct store_call *call = store_command("ZCARD");

	erase->at = NULL; /* the tick asks again */
	store_arg_key(call, ws(erase), "bx");
	erase->refs++;
	store_read(erase->parts->store, call, on_blobs, erase);
}

void erase_finish(struct erase *erase)
{
	erase->customers = erase->keys = erase->cases = "";
	blobs_await(erase);
}

static void on_persistence(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;
	const char *text = reply_text(reply, NULL);

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL || text == NULL) {
		erase_retry(erase, "rewrite", err);
		return;
	}
	if (strstr(text, "aof_rewrite_in_progress:0") == NULL ||
	    strstr(text, "aof_rewrite_scheduled:0") == NULL) {
		loop_timer_start(erase->tick, POLL_MS);
		return;
	}
	if (strstr(text, "aof_last_bgrewrite_status:ok") == NULL) {
		erase_retry(erase, "rewrite", NULL);
		return;
	}
	erase->is_last_pass = true;
	if (history_is_kept(erase->parts->history))
		history_erase(erase); /* what was on its way into it before */
	else
		erase_done(erase);
}

static void rewrite_look(struct erase *erase)
{
	struct store_call *call = store_command("INFO");

	store_arg_text(call, "persistence");
	erase->refs++;
	store_read(erase->parts->store, call, on_persistence, erase);
}

static void on_rewriting(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;

	(void)reply; /* an error: one is running already, and another one is waited for */
	if (!erase_is_wanted(erase))
		return;
	if (err != NULL && strstr(err->text, "already in progress") == NULL) {
		erase_retry(erase, "rewrite", err);
		return;
	}
	if (err != NULL) { /* it began before: wait for its end and begin anew */
		loop_timer_start(erase->tick, POLL_MS);
		return;
	}
	erase->cases = NULL; /* the tick looks how far it is */
	rewrite_look(erase);
}

static void rewrite_start(struct erase *erase)
{
	erase->refs++;
	store_run(erase->parts->store, store_command("BGREWRITEAOF"), on_rewriting, erase);
}

/* ---- the job ---- */

static void on_ended(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL || reply_is(reply, "refused")) {
		erase_retry(erase, "end", err);
		return;
	}
	log_info(erase->job, "event=erased workspace=%s", ws(erase));
	job_clear(erase);
	loop_timer_start(erase->tick, 0);
}

void erase_done(struct erase *erase)
{
	struct store_call *call = store_script("job_end", ws(erase));

	store_key(call, "lease:steward");
	store_key(call, "j:%s", erase->job);
	store_arg_text(call, erase->fence);
	store_arg_text(call, erase->job);
	erase->refs++;
	store_run(erase->parts->store, call, on_ended, erase);
}

/* k, us, talks, took */
static void on_job(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL || reply_text_at(reply, 0) == NULL) {
		erase_retry(erase, "job", err);
		return;
	}
	if (text_equal(reply_text_at(reply, 0), "retention")) {
		erase_retain(erase, reply_int_at(reply, 2), reply_text_at(reply, 3) != NULL);
		return;
	}
	erase->customers = arena_text(erase->arena, reply_text_at(reply, 1));
	erase->keys = erase->cases = "";
	erase->at = erase->customers;
	customers_next(erase);
}

static void on_jobs(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;
	struct store_call *call;

	if (!erase_is_wanted(erase))
		return;
	if (err != NULL || reply_count(reply) == 0) {
		loop_timer_start(erase->tick, TICK_MS);
		return;
	}
	erase->job = memory_text(reply_text(reply_item(reply, 0), NULL));
	erase->arena = arena_new(0);
	call = store_command("HMGET");
	store_arg_key(call, ws(erase), "j:%s", erase->job);
	store_arg_text(call, "k");
	store_arg_text(call, "us");
	store_arg_text(call, "talks");
	store_arg_text(call, "took");
	erase->refs++;
	store_read(erase->parts->store, call, on_job, erase);
}

static void on_tick(void *context)
{
	struct erase *erase = context;
	struct store_call *call;

	if (!store_is_up(erase->parts->store)) {
		loop_timer_start(erase->tick, TICK_MS);
		return;
	}
	if (erase->job != NULL) {
		if (erase->cases == NULL)
			rewrite_look(erase);
		else
			blobs_await(erase);
		return;
	}
	call = store_command("ZRANGE");
	store_arg_key(call, ws(erase), "jobs:open");
	store_arg_int(call, 0);
	store_arg_int(call, 0);
	erase->refs++;
	store_read(erase->parts->store, call, on_jobs, erase);
}

struct erase *erase_new(struct parts *parts, struct workspace *workspace, const char *fence,
			struct retain_counts *counts)
{
	struct erase *erase = memory_new(sizeof(*erase));

	erase->parts = parts;
	erase->workspace = workspace;
	erase->counts = counts;
	erase->fence = memory_text(fence);
	erase->refs = 1;
	erase->tick = loop_timer_new(parts->loop, on_tick, erase);
	loop_timer_start(erase->tick, 0);
	return erase;
}

void erase_free(struct erase **erase)
{
	struct erase *held = *erase;

	*erase = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_timer_free(&held->tick);
	loop_defer_free(held->parts->loop, held, erase_unref);
}
