#include "history/reread.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/harvest.h"
#include "history/history.h"
#include "parts.h"
#include "services/loop.h"
#include "store/log.h"
#include "store/log_entry.h"
#include "store/store.h"

enum { KEYS_A_CALL = 2000, SCAN_BYTES = 32 };

struct reread {
	struct parts *parts;
	char *workspace;
	reread_done_fn *done;
	void *context;
	struct log_reader *reader; /* only to know where the log stands */
	struct harvest *harvest;
	char position[LOG_POSITION_BYTES];
	char scan[SCAN_BYTES]; /* cursor of SCAN; "0" at both ends */
	int64_t keys;
	int refs; /* its owner, answers under way */
	bool is_dead;
};

static void reread_unref(struct reread *reread)
{
	if (--reread->refs > 0)
		return;
	free(reread->workspace);
	free(reread);
}

static bool answer_taken(struct reread *reread)
{
	bool is_dead = reread->is_dead;

	reread_unref(reread);
	return !is_dead;
}

static void end(struct reread *reread, const struct error *err)
{
	reread->done(err == NULL ? reread->position : NULL, err, reread->context);
}

/* ---- the end ---- */

static void on_cursor(struct json_object *answer, const struct error *err, void *context)
{
	struct reread *reread = context;

	(void)answer;
	if (answer_taken(reread))
		end(reread, err);
}

static void cursor_write(struct reread *reread)
{
	struct buf fields = { 0 };

	buf_format(&fields, ",\"reset\":true,\"position\":\"%s\",\"at\":%lld", reread->position,
		   (long long)loop_unix_ms(reread->parts->loop));
	reread->refs++;
	history_tell(reread->parts->history, "write", reread->workspace, &fields, on_cursor,
		     reread);
	buf_clear(&fields);
}

/* ---- the keys, some at a time ---- */

static void scan(struct reread *reread);

static void on_written(struct json_object *answer, const struct error *err, void *context)
{
	struct reread *reread = context;

	(void)answer;
	if (!answer_taken(reread))
		return;
	if (err != NULL)
		end(reread, err);
	else if (text_equal(reread->scan, "0"))
		cursor_write(reread);
	else
		scan(reread);
}

static void on_harvest(const struct buf *rows, const struct error *err, void *context)
{
	struct reread *reread = context;
	struct buf fields = { 0 };

	if (err != NULL) {
		struct error copy = *err; /* it goes with the harvest */

		end(reread, &copy);
		return;
	}
	buf_text(&fields, ",\"anew\":true");
	buf_add(&fields, rows->data, rows->len);
	reread->refs++;
	history_tell(reread->parts->history, "write", reread->workspace, &fields, on_written,
		     reread);
	buf_clear(&fields);
	harvest_free(&reread->harvest);
}

static void want_customer(struct harvest *harvest, const char *id)
{
	harvest_customer(harvest, id);
	harvest_notes(harvest, id);
}

static void want_conversation(struct harvest *harvest, const char *id)
{
	harvest_conversation(harvest, id);
	harvest_all_messages(harvest, id);
}

static void want_events(struct harvest *harvest, const char *customer)
{
	harvest_event(harvest, customer, NULL);
}

/* "{ws}:c:<id>", "{ws}:mg:<id>"; what stands in no row here is read with what it belongs to. */
static void take_key(struct reread *reread, const char *key)
{
	static const struct {
		const char *start;
		void (*want)(struct harvest *harvest, const char *id);
	} kinds[] = {
		{ "u:", want_customer },        { "c:", want_conversation },
		{ "w:", harvest_work_item },    { "mg:", harvest_merge },
		{ "sg:", harvest_suggestions }, { "ue:", want_events },
	};
	const char *at = key + strlen(reread->workspace) + strlen("{}:");

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (!text_starts(at, kinds[i].start))
			continue;
		reread->keys++;
		kinds[i].want(reread->harvest, at + strlen(kinds[i].start));
		return;
	}
}

static void on_keys(const struct store_reply *reply, const struct error *err, void *context)
{
	struct reread *reread = context;
	const struct store_reply *keys = reply_item(reply, 1);
	const char *next = reply_text(reply_item(reply, 0), NULL);

	if (!answer_taken(reread))
		return;
	if (err != NULL || next == NULL) {
		struct error odd = { .kind = ERROR_TEMPORARY, .text = "SCAN answers oddly" };

		end(reread, err == NULL ? &odd : err);
		return;
	}
	snprintf(reread->scan, sizeof(reread->scan), "%s", next);
	harvest_free(&reread->harvest);
	reread->harvest = harvest_new(reread->parts->store, reread->workspace);
	for (size_t i = 0; i < reply_count(keys); i++)
		take_key(reread, reply_text(reply_item(keys, i), NULL));
	harvest_run(reread->harvest, on_harvest, reread);
}

/* SCAN gives every key that is there all the time, also those that no index names (closed items).
 */
static void scan(struct reread *reread)
{
	struct store_call *call = store_command("SCAN");

	store_arg_text(call, reread->scan);
	store_arg_text(call, "MATCH");
	store_arg_key(call, reread->workspace, "[cuwms][:ge]*");
	store_arg_text(call, "COUNT");
	store_arg_int(call, KEYS_A_CALL);
	reread->refs++;
	store_read(reread->parts->store, call, on_keys, reread);
}

/* ---- the beginning: where does the log stand? ---- */

static void on_entry(const struct log_entry *entry, void *context)
{
	(void)entry;
	(void)context;
}

static void on_stand(const char *position, void *context)
{
	struct reread *reread = context;

	snprintf(reread->position, sizeof(reread->position), "%s", position);
	log_reader_free(&reread->reader);
	snprintf(reread->scan, sizeof(reread->scan), "0");
	scan(reread);
}

struct reread *reread_new(struct parts *parts, const char *workspace, reread_done_fn *done,
			  void *context)
{
	struct reread *reread = memory_new(sizeof(*reread));
	const struct log_reader_options from_now_on = { .workspace = workspace };

	reread->parts = parts;
	reread->workspace = memory_text(workspace);
	reread->done = done;
	reread->context = context;
	reread->refs = 1;
	reread->reader = log_reader_new(parts->loop, parts->store, &from_now_on, on_entry, on_stand,
					on_stand, reread);
	return reread;
}

void reread_free(struct reread **reread)
{
	struct reread *held = *reread;

	*reread = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	log_reader_free(&held->reader);
	harvest_free(&held->harvest);
	reread_unref(held);
}

int64_t reread_keys(const struct reread *reread)
{
	return reread->keys;
}
