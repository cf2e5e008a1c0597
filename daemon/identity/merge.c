#include "identity/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/json.h"
#include "base/memory.h"
#include "store/store.h"

struct merging {
	merge_done_fn *done;
	void *context;
};

/* Places in an answer, behind its first word. */
enum {
	AT_MERGE = 1,
	AT_CUSTOMER,
	AT_VERSION,
	AT_OTHER,
	AT_OTHER_VERSION,
	AT_IDENTIFIERS,
	AT_TALKS
};

static void on_done(const struct store_reply *reply, const struct error *err, void *context)
{
	struct merging *merging = context;
	struct merge_result result = { .code = MERGE_FAILED };

	if (err == NULL && reply_is(reply, "conflict")) {
		result.code = MERGE_CONFLICT;
	} else if (err == NULL && reply_is(reply, "refused")) {
		result.code = MERGE_REFUSED;
		result.refusal = reply_text_at(reply, 1);
		result.who = reply_text_at(reply, 2);
		result.detail = reply_text_at(reply, 3);
	} else if (err == NULL) {
		/* A repeated one answers {'replay', 'ok', ...}. */
		result.replayed = reply_is(reply, "replay");
		size_t more = result.replayed ? 1 : 0;

		result.code = MERGE_OK;
		result.merge = reply_text_at(reply, AT_MERGE + more);
		result.customer = reply_text_at(reply, AT_CUSTOMER + more);
		result.version = reply_int_at(reply, AT_VERSION + more);
		result.other = reply_text_at(reply, AT_OTHER + more);
		result.other_version = reply_int_at(reply, AT_OTHER_VERSION + more);
		result.identifiers = reply_int_at(reply, AT_IDENTIFIERS + more);
		result.conversations = reply_int_at(reply, AT_TALKS + more);
	}
	merging->done(&result, err, merging->context);
	free(merging);
}

static void run(const struct merge_act *act, struct store_call *take_call, merge_done_fn *done,
		void *context)
{
	struct merging *merging = memory_new(sizeof(*merging));

	*merging = (struct merging){ done, context };
	store_run(act->store, take_call, on_done, merging);
}

static void add_once(struct store_call *call, const struct merge_act *act)
{
	store_arg_once(call, act->key != NULL && *act->key != '\0' ? act->key : NULL, act->request);
}

static void add_version(struct store_call *call, int64_t version)
{
	if (version > 0)
		store_arg_int(call, version);
	else
		store_arg_text(call, "");
}

void customer_merge(const struct merge *merge, merge_done_fn *done, void *context)
{
	struct store_call *call = store_script("merge", merge->act.workspace);
	char id[ID_BYTES];

	id_new("mrg_", id);
	store_key(call, "u:%s", merge->into);
	store_key(call, "u:%s", merge->from);
	store_key(call, "mg:%s", id);
	add_once(call, &merge->act);
	store_arg_text(call, merge->into);
	store_arg_text(call, merge->from);
	store_arg_text(call, id);
	add_version(call, merge->into_version);
	add_version(call, merge->from_version);
	store_arg_text(call, merge->act.by);
	store_arg_text(call, merge->evidence);
	store_arg_text(call, merge->is_automatic ? "1" : "");
	store_arg_text(call, merge->is_suggested ? "1" : "");
	run(&merge->act, call, done, context);
}

void customer_merge_revert(const struct merge_revert *revert, merge_done_fn *done, void *context)
{
	struct store_call *call = store_script("merge_revert", revert->act.workspace);

	store_key(call, "mg:%s", revert->merge);
	add_once(call, &revert->act);
	store_arg_text(call, revert->merge);
	add_version(call, revert->version);
	add_version(call, revert->other_version);
	store_arg_text(call, revert->act.by);
	run(&revert->act, call, done, context);
}

void customer_split(const struct split *split, merge_done_fn *done, void *context)
{
	struct store_call *call = store_script("split", split->act.workspace);
	char id[ID_BYTES];
	char customer[ID_BYTES];

	id_new("mrg_", id);
	id_new("cus_", customer);
	store_key(call, "u:%s", split->customer);
	store_key(call, "u:%s", customer);
	store_key(call, "mg:%s", id);
	add_once(call, &split->act);
	store_arg_text(call, split->customer);
	store_arg_text(call, customer);
	store_arg_text(call, id);
	add_version(call, split->version);
	store_arg_text(call, split->identifier);
	store_arg_text(call, split->name);
	store_arg_text(call, split->act.by);
	store_arg_text(call, split->evidence);
	run(&split->act, call, done, context);
}

/* [kind, scope, value, proof, by, at s, raw, "sh"]: raw is the value where there is none. */
static void record_write(const char *record, bool is_shared, struct buf *out)
{
	struct json_object *list = json_read(record, strlen(record), NULL);
	struct json_out json;
	enum { VALUE = 2, FIELDS = 7 };

	jw_start(&json, out);
	jw_array(&json, NULL);
	for (size_t i = 0; i < FIELDS; i++) {
		struct buf one = { 0 };
		size_t at = i == FIELDS - 1 && json_count(list) < FIELDS ? VALUE : i;

		json_append(json_item(list, at), &one);
		jw_raw(&json, NULL, one.data, one.len);
		buf_clear(&one);
	}
	if (is_shared)
		jw_text(&json, NULL, "sh");
	jw_array_end(&json);
	json_free(&list);
}

void identifier_share(const struct share *share, merge_done_fn *done, void *context)
{
	struct store_call *call = store_script("identifier_share", share->act.workspace);
	struct buf record = { 0 };

	store_key(call, "u:%s", share->customer);
	add_once(call, &share->act);
	store_arg_text(call, share->customer);
	add_version(call, share->version);
	store_arg_text(call, share->identifier);
	store_arg_text(call, share->record);
	record_write(share->record, share->is_shared, &record);
	store_arg(call, record.data, record.len);
	buf_clear(&record);
	run(&share->act, call, done, context);
}
