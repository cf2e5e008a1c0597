#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit/run.h"
#include "base/memory.h"
#include "base/text.h"
#include "identity/identity.h"
#include "identity/reference.h"
#include "store/store.h"

enum { REFERENCES_MAX = 20, ERROR_BYTES = 300, KEEP_S = 600 };

struct receipt_run {
	struct admit_run *run;
	struct identity_key key; /* of the provider's id */
	const char *state;
	char channel[48];
	char error[ERROR_BYTES];
};

struct find_run {
	admit_found_fn *found;
	void *context;
	size_t left;
	size_t best; /* place in the list of what was found; REFERENCES_MAX: nothing yet */
	struct reference reference;
	struct error err;
	bool failed;
};

struct find_one {
	struct find_run *run;
	size_t place;
};

static void on_receipt_stored(const struct store_reply *reply, const struct error *err,
			      void *context)
{
	struct admit_run *run = context;
	struct admit_result result = { .code = ADMIT_DUPLICATE };

	if (err) {
		admit_run_fail(run, err);
		return;
	}
	if (reply_is(reply, "ok"))
		result.code = ADMIT_STORED;
	admit_run_end(run, &result, NULL);
}

static void store_receipt(struct receipt_run *receipt, const struct reference *reference)
{
	struct admit_run *run = receipt->run;
	struct store_call *call = store_script("admit_receipt", run->workspace);

	store_key(call, "y:%s", reference->conversation);
	store_arg_text(call, reference->conversation);
	store_arg_text(call, reference->message);
	store_arg_int(call, reference->index);
	store_arg_text(call, receipt->state);
	store_arg_text(call, receipt->error);
	store_arg_text(call, receipt->channel);
	store_run(run->admit->store, call, on_receipt_stored, run);
}

/* It may be the id of a message whose end is being written this moment. */
static void on_receipt_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	struct receipt_run *receipt = context;
	const struct admit_result kept = { .code = ADMIT_DUPLICATE };
	struct reference reference;

	if (err)
		admit_run_fail(receipt->run, err);
	else if (reply_is(reply, "known") && reply_count(reply) > 1 &&
		 reference_parse(reply_text(reply_item(reply, 1), NULL), &reference))
		store_receipt(receipt, &reference);
	else
		admit_run_end(receipt->run, &kept, NULL);
	free(receipt);
}

static void keep_receipt(struct receipt_run *receipt)
{
	struct store_call *call = store_script("receipt_keep", receipt->run->workspace);

	store_key(call, "r:%x", receipt->key.bucket);
	store_key(call, "early:%s", receipt->key.hex);
	store_arg(call, receipt->key.field, IDENTITY_FIELD_BYTES);
	store_arg_text(call, receipt->state);
	store_arg_text(call, receipt->error);
	store_arg_int(call, KEEP_S);
	if (receipt->run->admit->keeps_late) {
		struct buf late = { 0 };

		buf_format(&late, "%s %s %s%s%s", receipt->key.hex, receipt->channel,
			   receipt->state, receipt->error[0] == '\0' ? "" : " ", receipt->error);
		store_arg(call, late.data, late.len);
		buf_clear(&late);
	}
	store_run(receipt->run->admit->store, call, on_receipt_kept, receipt);
}

static void on_receipt_found(const struct store_reply *reply, const struct error *err,
			     void *context)
{
	struct receipt_run *receipt = context;
	struct reference reference;

	if (!err && !reference_parse(reply_text(reply, NULL), &reference)) {
		keep_receipt(receipt);
		return;
	}
	if (err)
		admit_run_fail(receipt->run, err);
	else
		store_receipt(receipt, &reference);
	free(receipt);
}

void admit_receipt(struct admit *admit, const struct admit_receipt *receipt, admit_done_fn *done,
		   void *context)
{
	static const char *const states[] = {
		[RECEIPT_SENT] = "sent",
		[RECEIPT_DELIVERED] = "delivered",
		[RECEIPT_READ] = "read",
		[RECEIPT_FAILED] = "failed",
	};
	const struct identity_place place = { admit->mac, receipt->workspace, receipt->channel };
	const char *why = receipt->receipt->error ? receipt->receipt->error : "";
	struct receipt_run *one = memory_new(sizeof(*one));

	one->run = admit_run_new(admit, receipt->workspace, done, context);
	one->state = states[receipt->receipt->state];
	identity_reference(&place, receipt->receipt->provider_id, &one->key);
	snprintf(one->channel, sizeof(one->channel), "%s", receipt->channel);
	snprintf(one->error, sizeof(one->error), "%.*s",
		 (int)text_prefix(why, strlen(why), ERROR_BYTES - 1), why);
	store_read(admit->store, reference_command(&place, receipt->receipt->provider_id),
		   on_receipt_found, one);
}

static void on_reference(const struct store_reply *reply, const struct error *err, void *context)
{
	struct find_one *one = context;
	struct find_run *run = one->run;
	struct reference reference;

	if (err) {
		run->failed = true;
		run->err = *err;
	} else if (one->place < run->best && reference_parse(reply_text(reply, NULL), &reference)) {
		run->best = one->place;
		run->reference = reference;
	}
	free(one);
	if (--run->left > 0)
		return;
	if (run->failed)
		run->found(NULL, NULL, -1, &run->err, run->context);
	else if (run->best < REFERENCES_MAX)
		run->found(run->reference.conversation, run->reference.message,
			   run->reference.index, NULL, run->context);
	else
		run->found(NULL, NULL, -1, NULL, run->context);
	free(run);
}

void admit_find(struct admit *admit, const struct admission *admission,
		const char *const *provider_ids, size_t count, admit_found_fn *found, void *context)
{
	const struct identity_place place = { admit->mac, admission->workspace,
					      admission->channel };
	struct find_run *run = memory_new(sizeof(*run));

	run->found = found;
	run->context = context;
	run->best = REFERENCES_MAX;
	run->left = count < REFERENCES_MAX ? count : REFERENCES_MAX;
	for (size_t i = 0; i < count && i < REFERENCES_MAX; i++) {
		struct find_one *one = memory_new(sizeof(*one));

		one->run = run;
		one->place = i;
		store_read(admit->store, reference_command(&place, provider_ids[i]), on_reference,
			   one);
	}
}
