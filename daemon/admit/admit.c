#include "admit/admit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit/run.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/message.h"
#include "identity/identity.h"
#include "store/store.h"

enum { DIGEST_BYTES = 6, STORED_FIELDS = 7, PREFIX_CHARACTERS = 4 };

/* The identifiers of a message in the order in which they are asked. */
struct people {
	struct identifier list[LIMIT_IDENTIFIERS];
	struct identity_key keys[LIMIT_IDENTIFIERS];
	bool asked[LIMIT_IDENTIFIERS];
	size_t count;
	char digest[2 * DIGEST_BYTES + 1];
};

struct admit *admit_new(struct store *store, struct mac *mac)
{
	struct admit *admit = memory_new(sizeof(*admit));

	admit->store = store;
	admit->mac = mac;
	admit->remembered = remember_cache_new();
	return admit;
}

void admit_free(struct admit **admit)
{
	if (!*admit)
		return;
	remember_cache_free(&(*admit)->remembered);
	free(*admit);
	*admit = NULL;
}

/* Where anything about the person is proved, only that leads to a record: what
 * was merely claimed beside it is shown, never looked up. */
static void collect_people(const struct identity_place *place, const struct message *message,
			   struct people *people)
{
	unsigned char hash[SHA256_BYTES];
	struct buf all = { 0 };
	bool proved = false;

	people->list[people->count++] = message->sender;
	for (size_t i = 0; i < message->other_count && people->count < LIMIT_IDENTIFIERS; i++)
		people->list[people->count++] = message->others[i];
	for (size_t i = 0; i < people->count; i++)
		proved = proved || identity_is_proved(&people->list[i]);
	for (size_t i = 0; i < people->count; i++) {
		people->asked[i] = identity_is_proved(&people->list[i]) == proved;
		identity_index(place, &people->list[i], &people->keys[i]);
		buf_add(&all, people->keys[i].field, IDENTITY_FIELD_BYTES);
	}
	crypto_sha256(all.data, all.len, hash);
	text_hex(hash, DIGEST_BYTES, people->digest);
	buf_clear(&all);
}

/* [kind, scope, value, proved, by, at, raw]: short enough for the store's compact form. */
static void add_identifier(struct store_call *call, const struct people *people, size_t i,
			   int64_t now_ms)
{
	const struct identifier *identifier = &people->list[i];
	char name[2 * IDENTITY_FIELD_BYTES + 3];
	struct json_out json;
	struct buf text = { 0 };

	jw_start(&json, &text);
	jw_array(&json, NULL);
	jw_text(&json, NULL, identifier->kind);
	jw_text(&json, NULL, identifier->scope ? identifier->scope : "");
	jw_text(&json, NULL, identifier->value);
	jw_int(&json, NULL, identifier->proof);
	jw_text(&json, NULL, identifier->proved_by ? identifier->proved_by : "");
	jw_int(&json, NULL, now_ms / 1000);
	if (identifier->raw && !text_equal(identifier->raw, identifier->value))
		jw_text(&json, NULL, identifier->raw);
	jw_array_end(&json);
	snprintf(name, sizeof(name), "i:%s", people->keys[i].hex);
	store_arg(call, people->keys[i].field, IDENTITY_FIELD_BYTES);
	store_arg_text(call, name);
	store_arg(call, text.data, text.len);
	store_arg_text(call, people->asked[i] ? "1" : "0");
	buf_clear(&text);
}

static void add_message(struct store_call *call, const struct admission *admission,
			const char *conversation, const char *id)
{
	const struct message *message = admission->message;
	const struct message_record record = {
		.id = id,
		.conversation = conversation,
		.kind = message->kind,
		.text = message->text,
		.html = message->html,
		.subject = message->subject,
		.attachments = message->attachments,
		.attachment_count = message->attachment_count,
		.author_type = "customer",
		.author_name = message->sender_name,
		.channel = admission->channel,
		.provider_id = message->provider_id,
		.created_ms = admission->now_ms,
		.sent_ms = message->sent_ms,
		.language = message->language,
		.automatic = message->automatic,
		.raw_blob = message->raw_blob,
		.extra = message->extra,
	};
	struct buf text = { 0 };

	message_write(&text, &record);
	store_arg(call, text.data, text.len);
	buf_clear(&text);
}

static void add_work(struct store_call *call, const struct admit_work *work)
{
	store_arg_text(call, work->queue);
	store_arg_text(call, work->type);
	store_arg_text(call, work->topic);
	store_arg_text(call, work->urgency);
	store_arg_int(call, work->priority);
	store_arg_text(call, work->skills);
	store_arg_text(call, work->rule);
}

static void add_conversation(struct store_call *call, const struct admission *admission,
			     const struct people *people)
{
	const struct message *message = admission->message;

	store_arg_text(call, admission->channel);
	store_arg_text(call, people->keys[0].hex);
	store_arg_text(call, people->digest);
	store_arg_text(call, message->sender.raw ? message->sender.raw : message->sender.value);
	store_arg_text(call, message->sender_name);
	store_arg_text(call, message->thread);
	store_arg_text(call, message->subject);
	store_arg_text(call, message->provider_id);
}

static void on_admitted(const struct store_reply *reply, const struct error *err, void *context)
{
	struct admit_run *run = context;
	struct admit_result result = { .code = ADMIT_STORED };
	const char *flags;
	struct error unknown;

	if (err) {
		admit_run_fail(run, err);
		return;
	}
	if (reply_is(reply, "duplicate")) {
		result.code = ADMIT_DUPLICATE;
		result.message = run->steady_id ? admit_text(reply, 1) : NULL;
		admit_run_end(run, &result, NULL);
		return;
	}
	if (!reply_is(reply, "ok") || reply_count(reply) < STORED_FIELDS) {
		error_set(&unknown, ERROR_TEMPORARY, "the store gave an unknown answer");
		admit_run_fail(run, &unknown);
		return;
	}
	remember_note(run->admit->remembered, run->workspace, &run->place);
	flags = admit_text(reply, 6);
	flags = flags ? flags : "";
	result.message = admit_text(reply, 1);
	result.conversation = admit_text(reply, 2);
	result.customer = admit_text(reply, 3);
	result.work_item = admit_text(reply, 4);
	result.index = reply_int(reply_item(reply, 5));
	result.new_customer = strchr(flags, 'u') != NULL;
	result.new_conversation = strchr(flags, 'c') != NULL;
	result.new_work_item = strchr(flags, 'w') != NULL;
	result.reopened = strchr(flags, 'r') != NULL;
	admit_run_end(run, &result, NULL);
}

/* "cnv_" and "msg_" are left out: the pair stays short enough for the store's compact form. */
static void add_reference(struct store_call *call, const char *conversation, const char *id)
{
	struct buf pair = { 0 };

	buf_format(&pair, "%s %s", conversation + PREFIX_CHARACTERS, id + PREFIX_CHARACTERS);
	store_arg(call, pair.data, pair.len);
	buf_clear(&pair);
}

static struct store_call *build(struct admit_run *run, const struct admission *admission,
				const struct identity_place *place, const struct people *people)
{
	const struct message *message = admission->message;
	struct store_call *call = store_script("admit", admission->workspace);
	const char *remembered = message->dedupe ? message->dedupe : message->provider_id;
	struct identity_key reference = { 0 };
	char conversation[ID_BYTES];
	char fresh[3][ID_BYTES];

	identity_conversation(place, &message->sender, message->thread ? message->thread : "",
			      conversation);
	if (admission->conversation)
		snprintf(conversation, sizeof(conversation), "%s", admission->conversation);
	if (admission->steady_id)
		identity_message(place, remembered, fresh[0]);
	else
		id_new("msg_", fresh[0]);
	id_new("wrk_", fresh[1]);
	id_new("cus_", fresh[2]);
	if (admission->reference)
		identity_reference(place, message->provider_id, &reference);
	store_key(call, "%s", run->place.current);
	store_key(call, "%s", run->place.previous);
	store_key(call, "c:%s", conversation);
	store_key(call, "m:%s", conversation);
	if (admission->reference)
		store_key(call, "r:%x", reference.bucket);
	else
		store_key(call, "c:%s", conversation);
	for (size_t i = 0; i < people->count; i++)
		store_key(call, "i:%x", people->keys[i].bucket);
	store_arg_text(call, run->place.number);
	store_arg_int(call,
		      remember_is_kept(run->admit->remembered, admission->workspace, &run->place)
			      ? 0
			      : run->place.keep_s);
	store_arg_text(call, conversation);
	store_arg_text(call, fresh[0]);
	add_message(call, admission, conversation, fresh[0]);
	store_arg_text(call, fresh[1]);
	store_arg_text(call, fresh[2]);
	add_conversation(call, admission, people);
	store_arg(call, reference.field, admission->reference ? IDENTITY_FIELD_BYTES : 0);
	add_work(call, &admission->work);
	add_reference(call, conversation, fresh[0]);
	return call;
}

void admit_run(struct admit *admit, const struct admission *admission, admit_done_fn *done,
	       void *context)
{
	const struct message *message = admission->message;
	const char *remembered = message->dedupe ? message->dedupe : message->provider_id;
	const struct identity_place place = { admit->mac, admission->workspace,
					      admission->channel };
	struct admit_run *run = admit_run_new(admit, admission->workspace, done, context);
	struct people people = { 0 };
	struct store_call *call;

	run->steady_id = admission->steady_id;
	remember_place(identity_remembered(&place, remembered), admission->remember_ms,
		       admission->now_ms, &run->place);
	collect_people(&place, message, &people);
	call = build(run, admission, &place, &people);
	for (size_t i = 0; i < people.count; i++)
		add_identifier(call, &people, i, admission->now_ms);
	store_run(admit->store, call, on_admitted, run);
}
