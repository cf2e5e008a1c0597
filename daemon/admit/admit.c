#include "admit/admit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit/run.h"
#include "admit/sabotage.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/message.h"
#include "identity/identity.h"
#include "store/blob_owner.h"
#include "store/store.h"

enum {
	DIGEST_BYTES = 6,
	STORED_FIELDS = 7,
	REPLY_CONTEXT_MAX = 1024,
	PREFIX_CHARACTERS = 4,
	SCRATCH_KEPT = 64 * 1024
};

/* The identifiers of a message in the order in which they are asked. */
struct people {
	struct identifier list[LIMIT_IDENTIFIERS];
	struct identity_key keys[LIMIT_IDENTIFIERS];
	struct identity_key proved[LIMIT_IDENTIFIERS]; /* of a claimed one: where a proved one is */
	bool asked[LIMIT_IDENTIFIERS];
	size_t count;
	char digest[4 * DIGEST_BYTES + 1]; /* of the sender, then of all */
};

struct admit *admit_new(struct store *store, struct mac *mac)
{
	struct admit *admit = memory_new(sizeof(*admit));

	admit->store = store;
	admit->mac = mac;
	admit->remembered = remember_cache_new();
	return admit;
}

void admit_keep_late(struct admit *admit)
{
	admit->keeps_late = true;
}

void admit_free(struct admit **admit)
{
	if (!*admit)
		return;
	remember_cache_free(&(*admit)->remembered);
	buf_clear(&(*admit)->scratch);
	free(*admit);
	*admit = NULL;
}

/* Where anything about the person is proved, only that leads to a record: what
 * was merely claimed beside it is shown, never looked up. */
static void collect_people(const struct identity_place *place, const struct message *message,
			   struct buf *scratch, struct people *people)
{
	unsigned char hash[SHA256_BYTES];
	bool proved = false;

	people->list[people->count++] = message->sender;
	for (size_t i = 0; i < message->other_count && people->count < LIMIT_IDENTIFIERS; i++)
		people->list[people->count++] = message->others[i];
	buf_reset(scratch);
	for (size_t i = 0; i < people->count; i++)
		proved = proved || identity_is_proved(&people->list[i]);
	for (size_t i = 0; i < people->count; i++) {
		people->asked[i] = identity_is_proved(&people->list[i]) == proved;
		identity_index(place, &people->list[i], &people->keys[i]);
		if (!identity_is_proved(&people->list[i]))
			identity_index_proved(place, &people->list[i], &people->proved[i]);
		buf_add(scratch, people->keys[i].field, IDENTITY_FIELD_BYTES);
	}
	crypto_sha256(scratch->data, scratch->len, hash);
	text_hex(people->keys[0].field, DIGEST_BYTES, people->digest);
	text_hex(hash, DIGEST_BYTES, people->digest + 2 * DIGEST_BYTES);
}

static void pack_identifier(struct buf *out, const struct people *people, size_t i, int64_t now_ms)
{
	buf_add(out, people->keys[i].field, IDENTITY_FIELD_BYTES);
	if (people->asked[i])
		buf_format(out, "%x", people->keys[i].bucket);
	buf_byte(out, '\0');
	buf_format(out, "i:%s", people->keys[i].hex);
	buf_byte(out, '\0');
	identity_record(&people->list[i], now_ms, out);
	buf_byte(out, '\0');
}

/* What only somebody new, or with new addresses, needs to be told from others. */
static void pack_proofs(struct buf *out, const struct people *people)
{
	buf_reset(out);
	if (people->count == 1 && identity_is_proved(&people->list[0]))
		return;
	for (size_t i = 0; i < people->count; i++) {
		buf_byte(out, (char)('0' + people->list[i].proof));
		if (!identity_is_proved(&people->list[i]))
			buf_format(out, "%x", people->proved[i].bucket);
		buf_byte(out, '\0');
		buf_add(out, people->proved[i].field, IDENTITY_FIELD_BYTES);
	}
}

static void add_identifiers(struct store_call *call, const struct people *people, int64_t now_ms,
			    struct buf *scratch)
{
	buf_reset(scratch);
	for (size_t i = 0; i < people->count; i++)
		pack_identifier(scratch, people, i, now_ms);
	store_arg(call, scratch->data, scratch->len);
}

static void add_message(struct store_call *call, const struct admission *admission,
			const char *conversation, const char *id, struct buf *scratch)
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

	buf_reset(scratch);
	message_write(scratch, &record);
	store_arg(call, scratch->data, scratch->len);
}

static void pack_text(struct buf *out, const char *text)
{
	buf_text(out, text ? text : "");
	buf_byte(out, '\0');
}

/* What only a new conversation, item or customer needs, in the script's order. */
static void add_new(struct store_call *call, const struct admission *admission,
		    const struct people *people, struct buf *scratch)
{
	const struct message *message = admission->message;
	const struct admit_work *work = &admission->work;
	const struct identifier *sender = &message->sender;
	char ids[2][ID_BYTES];
	char priority[24] = "";
	char version[24] = "";

	id_new("wrk_", ids[0]);
	id_new("cus_", ids[1]);
	if (work->priority != 0)
		snprintf(priority, sizeof(priority), "%" PRId64, work->priority);
	if (work->version != 0)
		snprintf(version, sizeof(version), "%" PRId64, work->version);
	buf_reset(scratch);
	pack_text(scratch, ids[0]);
	pack_text(scratch, ids[1]);
	pack_text(scratch, people->keys[0].hex);
	pack_text(scratch, sender->raw ? sender->raw : sender->value);
	pack_text(scratch, message->sender_name);
	pack_text(scratch, message->thread);
	pack_text(scratch, message->subject);
	pack_text(scratch, work->queue);
	pack_text(scratch, work->type);
	pack_text(scratch, work->topic);
	pack_text(scratch, work->urgency);
	pack_text(scratch, priority);
	pack_text(scratch, work->skills);
	pack_text(scratch, work->rule);
	pack_text(scratch, work->given);
	pack_text(scratch, version);
	pack_text(scratch, work->bits);
	store_arg(call, scratch->data, scratch->len);
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
		result.message = run->steady_id ? reply_text_at(reply, 1) : NULL;
		admit_run_end(run, &result, NULL);
		return;
	}
	if (!reply_is(reply, "ok") || reply_count(reply) < STORED_FIELDS) {
		error_set(&unknown, ERROR_TEMPORARY, "the store gave an unknown answer");
		admit_run_fail(run, &unknown);
		return;
	}
	remember_note(run->admit->remembered, run->workspace, &run->place);
	flags = reply_text_at(reply, 6);
	flags = flags ? flags : "";
	result.message = reply_text_at(reply, 1);
	result.conversation = reply_text_at(reply, 2);
	result.customer = reply_text_at(reply, 3);
	result.work_item = reply_text_at(reply, 4);
	result.index = reply_int(reply_item(reply, 5));
	result.new_customer = strchr(flags, 'u') != NULL;
	result.new_conversation = strchr(flags, 'c') != NULL;
	result.new_work_item = strchr(flags, 'w') != NULL;
	result.reopened = strchr(flags, 'r') != NULL;
	result.opted_out = strchr(flags, 'o') != NULL;
	result.opted_in = strchr(flags, 'i') != NULL;
	result.left_out = strchr(flags, 'l') != NULL;
	for (size_t at = STORED_FIELDS;
	     at + 1 < reply_count(reply) && result.proved_count < ADMIT_PROVED_MAX; at += 2) {
		result.proved[result.proved_count].other = reply_text_at(reply, at);
		result.proved[result.proved_count++].record = reply_text_at(reply, at + 1);
	}
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

static void choose_ids(const struct admission *admission, const struct identity_place *place,
		       const struct identity_key *sender, char conversation[ID_BYTES],
		       char id[ID_BYTES])
{
	const struct message *message = admission->message;

	if (admission->conversation)
		snprintf(conversation, ID_BYTES, "%s", admission->conversation);
	else
		identity_conversation_of(place, sender, message->thread ? message->thread : "",
					 conversation);
	if (admission->steady_id)
		identity_message(place, message->dedupe ? message->dedupe : message->provider_id,
				 id);
	else
		id_new("msg_", id);
}

static bool has_media(const struct message *message)
{
	for (size_t i = 0; i < message->attachment_count; i++)
		if (message->attachments[i].url && !message->attachments[i].blob)
			return true;
	return false;
}

static void pack_blobs(struct buf *out, const struct message *message)
{
	buf_reset(out);
	for (size_t i = 0; i < message->attachment_count; i++)
		if (blob_is_id(message->attachments[i].blob))
			blob_pack(out, message->attachments[i].blob);
	if (blob_is_id(message->raw_blob))
		blob_pack(out, message->raw_blob);
}

/* The arguments that few messages have. */
struct rare {
	const struct identity_key *reference; /* NULL: none */
	const char *conversation;
	const char *id;
	const struct people *people;
	const struct admission *admission;
};

static void add_number(struct buf *out, int64_t number)
{
	if (number > 0)
		buf_format(out, "%lld", (long long)number);
	buf_byte(out, 0);
}

static void pack_answering(struct buf *out, const struct admission *admission)
{
	const char *context = admission->message->reply_context;

	if (admission->window_ms == 0 && context == NULL)
		return;
	add_number(out, admission->window_ms);
	add_number(out, admission->window_count);
	if (context != NULL)
		buf_add(out, context, strnlen(context, REPLY_CONTEXT_MAX));
	buf_byte(out, 0);
}

/* The place of who is proved: the same whoever wrote first, they or we. */
static void pack_opt(struct buf *out, const struct rare *rare, const struct identity_place *place)
{
	const struct admit_opt *opt = rare->admission->opt;
	struct identity_key proved;

	if (opt == NULL)
		return;
	identity_index_proved(place, &rare->admission->message->sender, &proved);
	pack_text(out, opt->word);
	pack_text(out, proved.hex);
	buf_format(out, "k:messages:%s#%s", place->channel, proved.hex);
	buf_byte(out, '\0');
	pack_text(out, opt->consent);
}

/* Those behind the last one that is needed are left out. */
static void add_rare(struct store_call *call, const struct identity_place *place,
		     const struct rare *rare)
{
	const struct message *message = rare->admission->message;
	struct buf blobs = { 0 };
	struct buf proofs = { 0 };
	struct buf answering = { 0 };
	struct buf opt = { 0 };
	bool media = has_media(message);
	bool is_call = message->call != NULL;
	bool more[5]; /* is an argument from here on needed? */

	pack_blobs(&blobs, message);
	pack_proofs(&proofs, rare->people);
	pack_answering(&answering, rare->admission);
	pack_opt(&opt, rare, place);
	more[4] = is_call || opt.len > 0;
	more[3] = more[4] || answering.len > 0;
	more[2] = more[3] || proofs.len > 0;
	more[1] = more[2] || blobs.len > 0;
	more[0] = more[1] || media;
	if (rare->reference) {
		store_arg(call, rare->reference->field, IDENTITY_FIELD_BYTES);
		add_reference(call, rare->conversation, rare->id);
	} else if (more[0]) {
		store_arg_text(call, "");
		store_arg_text(call, "");
	}
	if (more[0])
		store_arg_text(call, media ? "1" : "");
	if (more[1])
		store_arg(call, buf_string(&blobs), blobs.len);
	if (more[2])
		store_arg(call, buf_string(&proofs), proofs.len);
	if (more[3])
		store_arg(call, buf_string(&answering), answering.len);
	if (more[4])
		store_arg_text(call, is_call ? "1" : "");
	if (opt.len > 0)
		store_arg(call, opt.data, opt.len);
	buf_clear(&opt);
	buf_clear(&answering);
	buf_clear(&blobs);
	buf_clear(&proofs);
}

static struct store_call *build(struct admit_run *run, const struct admission *admission,
				const struct identity_place *place, const struct people *people)
{
	struct store_call *call = store_script("admit", admission->workspace);
	struct buf *scratch = &run->admit->scratch;
	struct identity_key reference = { 0 };
	char conversation[ID_BYTES];
	char id[ID_BYTES];
	bool kept = remember_is_kept(run->admit->remembered, admission->workspace, &run->place);

	choose_ids(admission, place, &people->keys[0], conversation, id);
	store_key(call, "%s", run->place.current);
	store_key(call, "%s", run->place.previous);
	store_key(call, "c:%s", conversation);
	store_key(call, "m:%s", conversation);
	if (admission->reference) {
		identity_reference(place, admission->message->provider_id, &reference);
		store_key(call, "r:%x", reference.bucket);
	}
	store_arg_text(call, run->place.number);
	store_arg_int(call, kept ? 0 : run->place.keep_s);
	store_arg_text(call, conversation);
	store_arg_text(call, id);
	add_message(call, admission, conversation, id, scratch);
	store_arg_text(call, admission->channel);
	store_arg_text(call, people->digest);
	store_arg_text(call, admission->message->provider_id);
	add_new(call, admission, people, scratch);
	add_identifiers(call, people, admission->now_ms, scratch);
	add_rare(call, place,
		 &(struct rare){ admission->reference ? &reference : NULL, conversation, id, people,
				 admission });
	if (scratch->room > SCRATCH_KEPT)
		buf_clear(scratch);
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
	uint64_t number;

	run->steady_id = admission->steady_id;
	number = identity_remembered(&place, remembered);
	if (SABOTAGE_DEDUPE_OFF)
		crypto_random(&number, sizeof(number) - 1);
	remember_place(number, admission->remember_ms, admission->now_ms, &run->place);
	collect_people(&place, message, &admit->scratch, &people);
	call = build(run, admission, &place, &people);
	store_run(admit->store, call, on_admitted, run);
}
