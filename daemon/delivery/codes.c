#include "delivery/codes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/message.h"
#include "store/store.h"

enum { CODES = 1000000, NONCE_BYTES = 16, HASH_HEX = 2 * SHA256_BYTES + 1 };

static const char subject[] = "您的验证码 · Your code";
static const char text[] =
	"您的验证码：" CODE_PLACE "\n10 分钟内有效。请只填入您索取它的对话，不要告诉任何人。\n\n"
	"Your code: " CODE_PLACE
	"\nIt is good for 10 minutes. Enter it only in the conversation in "
	"which you asked for it, and tell it to nobody. If you did not ask for it, ignore this "
	"message.";

struct code_run {
	code_done_fn *done;
	void *context;
};

static struct code_run *run_new(code_done_fn *done, void *context)
{
	struct code_run *run = memory_new(sizeof(*run));

	run->done = done;
	run->context = context;
	return run;
}

static void run_end(struct code_run *run, const struct code_result *result, const struct error *err)
{
	run->done(result, err, run->context);
	free(run);
}

static void mac_parts(struct mac *mac, const char *const *parts, unsigned char out[SHA256_BYTES])
{
	mac_begin(mac);
	for (size_t i = 0; parts[i] != NULL; i++)
		mac_add(mac, parts[i], strlen(parts[i]) + 1);
	mac_end(mac, out);
}

static void digits_of(const struct identity_place *place, const char *message_id,
		      char out[CODE_DIGITS + 1])
{
	const char *const parts[] = { "one-time code", place->workspace, message_id, NULL };
	unsigned char hash[SHA256_BYTES];
	uint64_t number = 0;

	mac_parts(place->mac, parts, hash);
	for (int i = 0; i < 8; i++)
		number = number << 8 | hash[i];
	snprintf(out, CODE_DIGITS + 1, "%06u", (unsigned)(number % CODES));
}

/* What is kept of a code: of no use in another conversation. */
static void answer_hash(const struct identity_place *place, const char *conversation,
			const char *digits, char out[HASH_HEX])
{
	const char *const parts[] = { "one-time answer", place->workspace, conversation, digits,
				      NULL };
	unsigned char hash[SHA256_BYTES];

	mac_parts(place->mac, parts, hash);
	text_hex(hash, sizeof(hash), out);
}

char *code_text(const struct identity_place *place, const char *message_id, const char *stored,
		struct arena *arena)
{
	char digits[CODE_DIGITS + 1];
	struct buf out = { 0 };
	const char *at;
	char *copy;

	digits_of(place, message_id, digits);
	while ((at = strstr(stored, CODE_PLACE)) != NULL) {
		buf_add(&out, stored, (size_t)(at - stored));
		buf_text(&out, digits);
		stored = at + strlen(CODE_PLACE);
	}
	buf_text(&out, stored);
	copy = arena_text(arena, buf_string(&out));
	buf_clear(&out);
	return copy;
}

/* ---- asking for one ---- */

static void on_opened(const struct store_reply *reply, const struct error *err, void *context)
{
	struct code_run *run = context;
	struct code_result result = { .code = CODE_FAILED };
	bool replayed = !err && reply_is(reply, "replay");

	if (!err && (replayed || reply_is(reply, "ok"))) {
		result.code = CODE_OK;
		result.replayed = replayed;
		result.expires_ms = reply_int_at(reply, replayed ? 2 : 1);
	} else if (!err && reply_is(reply, "conflict")) {
		result.code = CODE_CONFLICT;
	} else if (!err && text_equal(reply_text_at(reply, 1), "limit")) {
		result.code = CODE_LIMIT;
		result.wait_ms = reply_int_at(reply, 2);
	} else if (!err) {
		result.code = CODE_NOWHERE;
	}
	run_end(run, &result, err);
}

static void add_message(struct store_call *call, const struct code_request *request,
			const char *conversation, const char *id)
{
	const struct message_record record = {
		.id = id,
		.conversation = conversation,
		.out = true,
		.kind = MESSAGE_TEXT,
		.text = text,
		.subject = subject,
		.author_type = "system",
		.channel = request->place.channel,
		.created_ms = request->now_ms,
		.automatic = true,
		.extra = "{\"one_time_code\":true}",
	};
	struct buf json = { 0 };

	message_write(&json, &record);
	store_arg(call, json.data, json.len);
	buf_clear(&json);
}

/* The record of the identifier once it is proved, parted where the time stands. */
static void add_record(struct store_call *call, const struct identifier *identifier)
{
	static const char by[] = "\"code\",";
	struct buf record = { 0 };
	const char *at;

	identity_record(identifier, 1000, &record);
	at = strstr(buf_string(&record), by) + strlen(by);
	store_arg(call, record.data, (size_t)(at - record.data));
	store_arg_text(call, at + strlen("1")); /* the time is the script's business */
	buf_clear(&record);
}

static void add_places(struct store_call *call, const struct code_request *request,
		       const struct identifier *proved)
{
	struct identity_key key;
	char line[64];

	identity_index(&request->place, proved, &key);
	store_arg(call, key.field, sizeof(key.field));
	snprintf(line, sizeof(line), "%x", key.bucket);
	store_arg_text(call, line);
	snprintf(line, sizeof(line), "i:%s", key.hex);
	store_arg_text(call, line);
}

static void add_keys(struct store_call *call, const struct code_request *request,
		     const char *conversation, const char *id, const struct identity_key *address)
{
	store_key(call, "c:%s", request->conversation);
	store_key(call, "otp:%s", request->conversation);
	store_key(call, "otpn:%s", request->conversation);
	store_key(call, "otpa:%s", address->hex);
	store_key(call, "c:%s", conversation);
	store_key(call, "m:%s", conversation);
	store_key(call, "oq:%s", conversation);
	store_key(call, "x:%s", id);
}

void code_open(struct store *store, const struct code_request *request, code_done_fn *done,
	       void *context)
{
	struct store_call *call = store_script("code_open", request->place.workspace);
	struct identifier proved = *request->identifier;
	struct identity_key address;
	char conversation[ID_BYTES], id[ID_BYTES], digits[CODE_DIGITS + 1], hash[HASH_HEX];

	proved.proof = PROOF_PERSON;
	proved.proved_by = "code";
	identity_index(&request->place, &proved, &address);
	id_new("cnv_", conversation);
	id_new("msg_", id);
	digits_of(&request->place, id, digits);
	answer_hash(&request->place, request->conversation, digits, hash);
	explicit_bzero(digits, sizeof(digits));
	add_keys(call, request, conversation, id, &address);
	store_arg_once(call, request->key, request->request);
	store_arg_text(call, conversation);
	store_arg_text(call, id);
	add_message(call, request, conversation, id);
	store_arg_text(call, request->place.channel);
	store_arg_text(call, request->identifier->value);
	store_arg_text(call, subject);
	store_arg_text(call, request->idempotent ? "1" : "0");
	store_arg_text(call, hash);
	add_places(call, request, &proved);
	add_record(call, &proved);
	store_run(store, call, on_opened, run_new(done, context));
}

/* ---- answering it ---- */

static void on_verified(const struct store_reply *reply, const struct error *err, void *context)
{
	struct code_run *run = context;
	struct code_result result = { .code = CODE_FAILED };

	if (!err && reply_is(reply, "ok")) {
		result.code = CODE_OK;
		result.customer = reply_text_at(reply, 1);
		result.other = reply_text_at(reply, 2);
		result.record = reply_text_at(reply, 3);
	} else if (!err && reply_is(reply, "wrong")) {
		result.code = CODE_WRONG;
		result.left = reply_int_at(reply, 1);
	} else if (!err) {
		result.code =
			text_equal(reply_text_at(reply, 1), "too_many") ? CODE_FULL : CODE_NONE;
	}
	run_end(run, &result, err);
}

/* The digits as people type them; others are left as they are, and are wrong. */
static void digits_read(const char *typed, char out[CODE_ANSWER_MAX])
{
	size_t len = strlen(typed);
	size_t used = 0;

	for (size_t at = 0; at < len && used + 1 < CODE_ANSWER_MAX;) {
		uint32_t c;
		size_t step = text_character(typed + at, len - at, &c);

		if (step == 0)
			break;
		if (c >= 0xff10 && c <= 0xff19)
			c = '0' + (c - 0xff10);
		if (c != ' ' && c != 0x3000 && c != '-')
			out[used++] = c < 0x80 ? (char)c : '?';
		at += step;
	}
	out[used] = '\0';
}

void code_verify(struct store *store, const struct code_answer *answer, code_done_fn *done,
		 void *context)
{
	struct store_call *call = store_script("code_verify", answer->place.workspace);
	unsigned char random[NONCE_BYTES];
	char nonce[2 * NONCE_BYTES + 1], digits[CODE_ANSWER_MAX], hash[HASH_HEX];

	digits_read(answer->digits, digits);
	answer_hash(&answer->place, answer->conversation, digits, hash);
	crypto_random(random, sizeof(random));
	text_hex(random, sizeof(random), nonce);
	store_key(call, "c:%s", answer->conversation);
	store_key(call, "otp:%s", answer->conversation);
	store_arg_text(call, answer->conversation);
	store_arg_text(call, hash);
	store_arg_text(call, nonce);
	store_arg_text(call, answer->place.channel);
	store_run(store, call, on_verified, run_new(done, context));
}
