#include "automation/classify_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "automation/classify_private.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/sign.h"
#include "base/text.h"
#include "config.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "services/transfer.h"
#include "store/store.h"
#include "workspace.h"

enum {
	ANSWER_MAX = 64 * 1024,
	ITEM_FIELDS = 8,
	NAMED_LINE = 4,
	STATUS_OK = 200,
	STATUS_LAST = 299
};

struct asked {
	struct classify *classify;
	struct arena *arena;
	char work_item[ID_BYTES];
	char conversation[ID_BYTES];
	int64_t index;
	int64_t version;
	const char *item[ITEM_FIELDS]; /* s q ch v ty tp ur rg */
	struct classifier classifier;  /* texts in the arena: the list may be replaced */
	bool needs_human;
	classify_done_fn *done;
	void *context;
};

static void asked_end(struct asked *asked, enum classify_outcome outcome)
{
	struct classify *classify = asked->classify;
	classify_done_fn *done = asked->done;
	void *context = asked->context;

	arena_free(&asked->arena);
	free(asked);
	done(outcome, context);
	classify_unref(classify);
}

/* ---- applying ---- */

static void on_applied(const struct store_reply *reply, const struct error *err, void *context)
{
	struct asked *asked = context;

	if (err != NULL)
		asked_end(asked, CLASSIFY_FAILED);
	else if (!reply_is(reply, "ok"))
		asked_end(asked, CLASSIFY_LATE);
	else
		asked_end(asked, asked->needs_human ? CLASSIFY_NEEDS_HUMAN : CLASSIFY_APPLIED);
}

static void apply(struct asked *asked, const struct classifier_answer *answer)
{
	struct classify *classify = asked->classify;
	struct store_call *call = store_script("reclassify", classify->name);
	bool is_unsure = answer->confidence < asked->classifier.min_confidence;

	asked->needs_human = is_unsure || answer->needs_human;
	store_key(call, "lease:steward");
	store_key(call, "w:%s", asked->work_item);
	store_arg_text(call, classify->fence);
	store_arg_text(call, asked->work_item);
	store_arg_int(call, asked->version);
	store_arg_text(call, asked->classifier.id);
	store_arg_text(call, is_unsure ? "" : answer->type);
	store_arg_text(call, is_unsure ? "" : answer->topic);
	store_arg_text(call, is_unsure ? "" : answer->urgency);
	store_arg_text(call, is_unsure ? "" : answer->queue);
	store_arg_int(call, answer->confidence);
	store_arg_text(call, asked->needs_human ? "1" : "");
	store_run(classify->parts->store, call, on_applied, asked);
}

static bool queue_is_known(const struct classify *classify, const char *queue)
{
	const struct roster *roster = workspace_roster(classify->workspace);

	return *queue == '\0' || (roster != NULL && roster_queue(roster, queue) != NULL);
}

static void answer_take(struct asked *asked, const struct transfer_answer *http)
{
	struct classifier_answer answer;
	struct error err = { 0 };

	if (classifier_read(http->body, http->body_len, asked->arena, &answer, &err) == 0 &&
	    !queue_is_known(asked->classify, answer.queue))
		error_set(&err, ERROR_PERMANENT, "its \"queue\" is not one of ours");
	if (err.kind == ERROR_NONE) {
		apply(asked, &answer);
		return;
	}
	log_warn(asked->work_item, "event=classifier_refused classifier=%s error=%s",
		 asked->classifier.id, log_quote(err.text));
	asked_end(asked, CLASSIFY_REFUSED);
}

static void on_answer(const struct transfer_answer *answer, void *context)
{
	struct asked *asked = context;
	bool is_good = answer->error == NULL && answer->status >= STATUS_OK &&
		       answer->status <= STATUS_LAST;

	if (asked->classify->is_dead) {
		asked_end(asked, CLASSIFY_FAILED);
		return;
	}
	if (is_good) {
		answer_take(asked, answer);
		return;
	}
	log_warn(asked->work_item, "event=classifier_failed classifier=%s status=%ld error=%s",
		 asked->classifier.id, answer->status,
		 log_quote(answer->error == NULL ? "" : answer->error->text));
	asked_end(asked, CLASSIFY_FAILED);
}

/* ---- asking ---- */

static void ask(struct asked *asked, const char *message)
{
	struct classify *classify = asked->classify;
	int64_t now_ms = loop_unix_ms(classify->parts->loop);
	const struct classifier_question question = {
		.work_item = asked->work_item,
		.conversation = asked->conversation,
		.queue = asked->item[1],
		.channel = asked->item[2],
		.type = asked->item[4],
		.topic = asked->item[5],
		.urgency = asked->item[6],
		.message = message,
		.now_ms = now_ms,
	};
	char timestamp[24];
	char signature[SIGNATURE_TEXT_BYTES];
	const struct transfer_field fields[] = {
		{ "Content-Type", "application/json" },
		{ "webhook-id", asked->work_item },
		{ "webhook-timestamp", timestamp },
		{ "webhook-signature", signature },
	};
	struct transfer_options options = {
		.url = asked->classifier.url,
		.method = "POST",
		.fields = fields,
		.field_count = COUNT_OF(fields),
		.allow_private = classify->parts->config->limits.private_classifiers,
		.timeout_ms = asked->classifier.deadline_ms,
		.connect_ms = asked->classifier.deadline_ms,
		.answer_max = ANSWER_MAX,
	};
	struct buf body = { 0 };

	classifier_body(&question, &body);
	snprintf(timestamp, sizeof(timestamp), "%" PRId64, now_ms / 1000);
	if (options.url == NULL || sign_webhook(asked->classifier.secret, asked->work_item,
						now_ms / 1000, &body, signature) != 0) {
		asked_end(asked, CLASSIFY_FAILED);
	} else {
		options.body = body.data;
		options.body_len = body.len;
		transfer_start(classify->parts->transfers, &options, NULL, on_answer, asked);
	}
	buf_clear(&body);
}

static void on_message(const struct store_reply *reply, const struct error *err, void *context)
{
	struct asked *asked = context;
	const char *message = err == NULL ? reply_text(reply, NULL) : NULL;

	if (err != NULL || asked->classify->is_dead)
		asked_end(asked, CLASSIFY_FAILED);
	else if (message == NULL)
		asked_end(asked, CLASSIFY_LATE);
	else
		ask(asked, message);
}

static void message_read(struct asked *asked)
{
	struct store_call *call = store_command("LINDEX");

	store_arg_key(call, asked->classify->name, "m:%s", asked->conversation);
	store_arg_int(call, asked->index);
	store_read(asked->classify->parts->store, call, on_message, asked);
}

static void classifier_keep(struct asked *asked, const struct classifier *found)
{
	asked->classifier = *found;
	asked->classifier.id = arena_text(asked->arena, found->id);
	asked->classifier.url = arena_text(asked->arena, found->url);
	asked->classifier.secret = arena_text(asked->arena, found->secret);
	asked->classifier.queues = NULL;
	asked->classifier.channels = NULL;
}

/* A rule's choice counts for any queue and channel. */
static const struct classifier *classifier_of(const struct asked *asked)
{
	const struct classifier_list *list = asked->classify->list;
	const char *line = asked->item[7];

	for (int i = 0; i < NAMED_LINE; i++) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return *line == '\0' ? classifier_find(list, asked->item[1], asked->item[2])
			     : classifier_named(list, line);
}

static void on_item(const struct store_reply *reply, const struct error *err, void *context)
{
	struct asked *asked = context;
	const struct classifier *found;

	if (err != NULL || asked->classify->is_dead) {
		asked_end(asked, CLASSIFY_FAILED);
		return;
	}
	for (size_t i = 0; i < ITEM_FIELDS; i++) {
		const char *text = reply_text(reply_item(reply, i), NULL);

		asked->item[i] = arena_text(asked->arena, text == NULL ? "" : text);
	}
	asked->version = strtoll(asked->item[3], NULL, 10);
	found = classifier_of(asked);
	if (found == NULL) {
		asked_end(asked, CLASSIFY_UNWANTED);
	} else if (!text_equal(asked->item[0], "queued") || asked->version != 1) {
		asked_end(asked, CLASSIFY_LATE);
	} else {
		classifier_keep(asked, found);
		message_read(asked);
	}
}

void classify_call(struct classify *classify, const struct classify_target *target,
		   classify_done_fn *done, void *context)
{
	static const char *const fields[ITEM_FIELDS] = {
		"s", "q", "ch", "v", "ty", "tp", "ur", "rg"
	};
	struct asked *asked = memory_new(sizeof(*asked));
	struct store_call *call = store_command("HMGET");

	classify_ref(classify);
	asked->classify = classify;
	asked->arena = arena_new(0);
	asked->index = target->index;
	asked->done = done;
	asked->context = context;
	snprintf(asked->work_item, sizeof(asked->work_item), "%s", target->work_item);
	snprintf(asked->conversation, sizeof(asked->conversation), "%s", target->conversation);
	store_arg_key(call, classify->name, "w:%s", target->work_item);
	for (size_t i = 0; i < ITEM_FIELDS; i++)
		store_arg_text(call, fields[i]);
	store_read(classify->parts->store, call, on_item, asked);
}
