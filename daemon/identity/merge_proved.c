#include "identity/merge_proved.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "identity/merge.h"

enum { TRIES = 5, BY_BYTES = 32 };

struct proving {
	struct store *store;
	merge_proved_fn *done;
	void *context;
	char *workspace;
	char *evidence;
	char by[BY_BYTES];
	char one[ID_BYTES];
	char other[ID_BYTES];
	int tries;
};

static void proving_end(struct proving *proving, const char *customer, const struct error *err)
{
	proving->done(customer, err, proving->context);
	free(proving->workspace);
	free(proving->evidence);
	free(proving);
}

static void merge_try(struct proving *proving);

/* Somebody else merged one of them meanwhile: go on with whom it is part of now. */
static bool follow(struct proving *proving, const struct merge_result *result)
{
	char *who = text_equal(result->who, proving->one) ? proving->one : proving->other;

	if (!text_equal(result->refusal, "moved") || result->detail == NULL ||
	    ++proving->tries == TRIES)
		return false;
	snprintf(who, ID_BYTES, "%s", result->detail);
	return true;
}

static void on_merged(const struct merge_result *result, const struct error *err, void *context)
{
	struct proving *proving = context;

	if (result->code == MERGE_OK) {
		proving_end(proving, result->customer, NULL);
	} else if (err != NULL || result->code != MERGE_REFUSED) {
		proving_end(proving, NULL, err);
	} else if (!follow(proving, result)) {
		log_warn(proving->one, "event=not_merged with=%s why=%s", proving->other,
			 result->refusal == NULL ? "-" : result->refusal);
		proving_end(proving, NULL, NULL);
	} else if (text_equal(proving->one, proving->other)) {
		proving_end(proving, proving->one, NULL);
	} else {
		merge_try(proving);
	}
}

/* Ids are in the order of time. */
static void merge_try(struct proving *proving)
{
	bool is_older = strcmp(proving->one, proving->other) < 0;
	const struct merge merge = {
		.act = { .store = proving->store,
			 .workspace = proving->workspace,
			 .by = proving->by },
		.into = is_older ? proving->one : proving->other,
		.from = is_older ? proving->other : proving->one,
		.evidence = proving->evidence,
		.is_automatic = true,
	};

	customer_merge(&merge, on_merged, proving);
}

static void evidence_write(struct proving *proving, const struct proved_pair *pair)
{
	OWNED(json_free)
	struct json_object *record = json_read(pair->record, strlen(pair->record), NULL);
	const char *by = json_text(record, "4");
	struct buf text = { 0 };
	struct json_out out;

	snprintf(proving->by, sizeof(proving->by), "%s", by == NULL ? "proof" : by);
	jw_start(&out, &text);
	jw_object(&out, NULL);
	jw_text(&out, "kind", proving->by);
	jw_text(&out, "channel", pair->channel);
	jw_object(&out, "identifier");
	jw_text(&out, "kind", json_text(record, "0"));
	jw_text(&out, "scope", json_text(record, "1"));
	jw_text(&out, "value", json_text(record, "2"));
	jw_object_end(&out);
	jw_object_end(&out);
	proving->evidence = memory_text(buf_string(&text));
	buf_clear(&text);
}

void customer_merge_proved(struct store *store, const struct proved_pair *pair,
			   merge_proved_fn *done, void *context)
{
	struct proving *proving = memory_new(sizeof(*proving));

	proving->store = store;
	proving->done = done;
	proving->context = context;
	proving->workspace = memory_text(pair->workspace);
	snprintf(proving->one, sizeof(proving->one), "%s", pair->customer);
	snprintf(proving->other, sizeof(proving->other), "%s", pair->other);
	evidence_write(proving, pair);
	merge_try(proving);
}
