/* One-time codes: an address is proved by answering what was sent there. The
 * answer to asking is the same whether the address is known here or not. */
#include <string.h>

#include "api/chat.h"
#include "api/handlers.h"
#include "api/visitor.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/conversation.h"
#include "delivery/codes.h"
#include "identity/address.h"
#include "identity/merge_proved.h"
#include "identity/phones.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

/* A code that is asked for or answered: by a visitor, or by an agent for them. */
struct coding {
	const char *workspace;
	const char *conversation;
	const struct channel *channel; /* the conversation's */
	struct visitor_rules rules;    /* which channels may carry it */
	struct identifier identifier;
	bool is_visitor;
	/* of a right answer */
	const char *channel_name;
	const char *customer;
	const char *record;
};

/* ---- asking ---- */

static void on_opened(const struct code_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	switch (result->code) {
	case CODE_OK:
		break;
	case CODE_LIMIT:
		api_slow_down(call, result->wait_ms);
		return;
	case CODE_CONFLICT:
		api_key_conflict(call);
		return;
	case CODE_FAILED:
		api_fail(call, err);
		return;
	default:
		api_problem(call, 404, "no_such_conversation",
			    "there is no conversation yet: write a message first");
		return;
	}
	if (result->replayed)
		api_replayed(call);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_time(&out, "expires_at", result->expires_ms);
	jw_int(&out, "digits", CODE_DIGITS);
	jw_object_end(&out);
	api_answer(call, 202, &body);
}

static bool is_named(const struct visitor_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->code_channel_count; i++)
		if (text_equal(rules->code_channels[i], name))
			return true;
	return rules->code_channel_count == 0;
}

/* The settings may be replaced while the store is asked. */
static void rules_keep(struct arena *arena, struct visitor_rules *rules)
{
	const char **names = arena_alloc(arena, (rules->code_channel_count + 1) * sizeof(*names));

	for (size_t i = 0; i < rules->code_channel_count; i++)
		names[i] = arena_text(arena, rules->code_channels[i]);
	rules->code_channels = names;
}

/* The channel that carries the code: the first that can. */
static const struct channel *carrier_of(const struct api_call *call, const struct coding *coding)
{
	const struct channel *channel;

	for (size_t i = 0; (channel = channel_at(call->parts->channels, i)) != NULL; i++) {
		const struct connector *connector = channel_connector(channel);
		struct window_rules rules;

		channel_window(channel, &rules);
		if (!rules.template_only &&
		    text_equal(channel_workspace(channel), coding->workspace) &&
		    text_equal(connector->identifier_kind, coding->identifier.kind) &&
		    (connector->abilities & CAN_SEND) != 0 && channel_parked(channel) == NULL &&
		    is_named(&coding->rules, channel_name(channel)))
			return channel;
	}
	return NULL;
}

static void code_ask(struct api_call *call)
{
	const struct coding *coding = call->state;
	const struct channel *carrier = carrier_of(call, coding);
	bool has_key = call->idempotency_key != NULL && *call->idempotency_key != '\0';
	struct code_request request = {
		.conversation = coding->conversation,
		.identifier = &coding->identifier,
		.key = has_key ? call->idempotency_key : NULL,
		.request = has_key ? call->request_hash : NULL,
		.now_ms = loop_unix_ms(call->parts->loop),
	};

	if (carrier == NULL) {
		api_problem(call, 409, "no_channel",
			    "no channel can send a code to an address of this kind");
		return;
	}
	request.place = (struct identity_place){ call->parts->key, coding->workspace,
						 channel_name(carrier) };
	request.idempotent = (channel_connector(carrier)->abilities & IDEMPOTENT_SEND) != 0;
	code_open(call->parts->store, &request, on_opened, call);
}

static void on_phone(const char *e164, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct coding *coding = call->state;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	address_settle(call->arena, &coding->identifier, e164);
	if (coding->identifier.proof == PROOF_CLAIMED)
		api_invalid(call, "#/body/phone",
			    "this is no phone number; begin with + and the country");
	else
		code_ask(call);
}

static void phone_ask(struct api_call *call, const char *digits)
{
	const struct coding *coding = call->state;
	const char *region = channel_default_region(coding->channel);
	const char *known = phones_known(call->parts->phones, region, digits);
	struct error err;

	if (known != NULL)
		on_phone(known, NULL, call);
	else if (phones_read(call->parts->phones, region, digits, on_phone, call, &err) != 0)
		api_fail(call, &err);
}

/* One address, that no header and no envelope could take for two. */
static bool is_mailbox(const char *address)
{
	const char *at = strchr(address, '@');

	if (at == NULL || at == address || at[1] == '\0' || strchr(at + 1, '@') != NULL)
		return false;
	for (const char *p = address; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("<>()[],;:\\\"", *p) != NULL)
			return false;
	return true;
}

static void address_read(struct api_call *call)
{
	struct coding *coding = call->state;
	const char *email = json_text_copy(call->body, "email", call->arena);
	const char *phone = json_text_copy(call->body, "phone", call->arena);
	char digits[ADDRESS_PHONE_BYTES];

	if ((email == NULL) == (phone == NULL)) {
		api_invalid(call, "#/body", "name email or phone, one of them");
		return;
	}
	if (email != NULL && !is_mailbox(email)) {
		api_invalid(call, "#/body/email", "this is no mail address");
		return;
	}
	coding->identifier = (struct identifier){ .kind = email != NULL ? "email" : "phone",
						  .scope = "",
						  .value = email != NULL ? email : phone,
						  .proof = PROOF_PERSON };
	if (!address_normalise(call->arena, &coding->identifier, digits))
		phone_ask(call, digits);
	else if (coding->identifier.proof == PROOF_CLAIMED)
		on_phone("", NULL, call);
	else
		code_ask(call);
}

/* ---- answering ---- */

static void proved_write(struct api_call *call, const char *customer)
{
	const struct coding *coding = call->state;
	OWNED(json_free)
	struct json_object *record = json_read(coding->record, strlen(coding->record), NULL);
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "kind", json_text(record, "0"));
	jw_text(&out, "value", json_text(record, "2"));
	if (!coding->is_visitor)
		jw_text(&out, "customer", customer);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static void on_merged(const char *customer, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct coding *coding = call->state;

	if (err != NULL)
		api_fail(call, err);
	else
		proved_write(call, customer != NULL ? customer : coding->customer);
}

/* Where another customer had proved the address, both are one now. */
static void proved_take(struct api_call *call, const struct code_result *result)
{
	struct coding *coding = call->state;
	const struct proved_pair pair = { .workspace = coding->workspace,
					  .customer = result->customer,
					  .other = result->other,
					  .channel = coding->channel_name,
					  .record = result->record };

	coding->record = arena_text(call->arena, result->record);
	coding->customer = arena_text(call->arena, result->customer);
	if (result->other != NULL && *result->other != '\0')
		customer_merge_proved(call->parts->store, &pair, on_merged, call);
	else
		proved_write(call, coding->customer);
}

static void on_verified(const struct code_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (result->code == CODE_OK)
		proved_take(call, result);
	else if (result->code == CODE_WRONG)
		api_problem(call, 422, "wrong_code", "this is not the code; attempts left: %lld",
			    (long long)result->left);
	else if (result->code == CODE_FULL)
		api_problem(call, 409, "too_many_identifiers",
			    "a customer has at most 64 identifiers");
	else if (result->code == CODE_NONE)
		api_problem(call, 409, "no_code",
			    "no code is waiting for an answer, or it is too old: ask for one");
	else
		api_fail(call, err);
}

static void answer_read(struct api_call *call)
{
	struct coding *coding = call->state;
	const struct code_answer answer = {
		.place = { call->parts->key, coding->workspace, channel_name(coding->channel) },
		.conversation = coding->conversation,
		.digits = json_text(call->body, "code"),
	};

	coding->channel_name = arena_text(call->arena, channel_name(coding->channel));
	code_verify(call->parts->store, &answer, on_verified, call);
}

/* ---- who does it ---- */

static void visitor_start(struct api_call *call, route_fn *go_on)
{
	struct chat_call *chat = chat_call_visitor(call);
	char conversation[ID_BYTES];
	struct coding *coding;

	if (chat == NULL)
		return;
	if (!visitor_conversation(call->parts->key, chat->channel, &chat->visitor, call->arena,
				  conversation)) {
		api_problem(call, 404, "no_such_conversation", "this session has no conversation");
		return;
	}
	coding = arena_alloc(call->arena, sizeof(*coding));
	coding->workspace = arena_text(call->arena, channel_workspace(chat->channel));
	coding->conversation = arena_text(call->arena, conversation);
	coding->channel = chat->channel;
	coding->is_visitor = true;
	channel_connector(chat->channel)
		->visitor_rules(chat->channel, loop_unix_ms(call->parts->loop) / 1000,
				&coding->rules);
	rules_keep(call->arena, &coding->rules);
	chat->coding = coding;
	chat_rate(call, go_on);
}

/* The rate of the visitor's messages counts codes too; then the call is about the code. */
static void visitor_ask(struct api_call *call)
{
	const struct chat_call *chat = call->state;

	call->state = chat->coding;
	address_read(call);
}

static void visitor_answer(struct api_call *call)
{
	const struct chat_call *chat = call->state;

	call->state = chat->coding;
	answer_read(call);
}

void handle_chat_code_open(struct api_call *call)
{
	visitor_start(call, visitor_ask);
}

void handle_chat_code_verify(struct api_call *call)
{
	visitor_start(call, visitor_answer);
}

static void on_conversation(const struct conversation *conversation, const struct error *err,
			    void *context)
{
	struct api_call *call = context;
	struct coding *coding = call->state;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (conversation != NULL)
		coding->channel = channel_find(call->parts->channels, coding->workspace,
					       conversation->channel);
	if (conversation == NULL || coding->channel == NULL) {
		api_no_conversation(call);
		return;
	}
	if (json_text(call->body, "code") != NULL)
		answer_read(call);
	else
		address_read(call);
}

void handle_code_open(struct api_call *call)
{
	struct coding *coding = arena_alloc(call->arena, sizeof(*coding));

	coding->workspace = call->who.workspace;
	coding->conversation = call->params[0];
	call->state = coding;
	conversation_read(call->parts, call->who.workspace, call->params[0], on_conversation, call);
}

void handle_code_verify(struct api_call *call)
{
	handle_code_open(call);
}
