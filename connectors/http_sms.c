/* http_sms: any SMS gateway that is spoken to by HTTP, described by settings
 * instead of C: the request as templates, the answer, what the gateway posts and
 * its reports by the places where they say it.
 *
 * In: JSON or a form at /in/<name>, proved by an HMAC-SHA256 of the body
 * (callback_secret) or by a token in a header or the query (callback_token). Out:
 * one request a message; no key against doubles. */
#include <string.h>

#include "http_sms_private.h"
#include "http_sms_template.h"
#include "sms_text.h"

enum { TEXT_MAX = 1000 };

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *the_host;

const struct host *http_sms_host(void)
{
	return the_host;
}

static const char *const methods[] = { "POST", "GET", "PUT", NULL };
static const char *const types[] = { "json", "form", "xml", "text", NULL };
static const char *const answer_formats[] = { "json", "text", NULL };
static const char *const incoming_formats[] = { "json", "form", NULL };

static const struct setting send_rows[] = {
	SETTING_ROW("url", TEXT, struct http_sms_send, url, NULL, .flags = SETTING_REQUIRED,
		    .text = "Where a message is sent to; {names} are filled in, escaped."),
	SETTING_ROW("method", CHOICE, struct http_sms_send, method, "POST", .choices = methods,
		    .text = "POST, GET or PUT."),
	SETTING_ROW("headers", LIST, struct http_sms_send, headers, NULL,
		    .text = "Fields such as \"X-Api-Key: {key}\"."),
	SETTING_ROW("type", CHOICE, struct http_sms_send, type, "json", .choices = types,
		    .text = "What body is, and how values are escaped in it."),
	SETTING_ROW("body", TEXT, struct http_sms_send, body, NULL,
		    .text = "The request's body: {to} {to_digits} {from} {text} {signed_text} {id} "
			    "{key} {user} {password} {sign_name} {now_s} {now_ms}."),
	SETTING_END,
};

static const struct setting answer_rows[] = {
	SETTING_ROW("format", CHOICE, struct http_sms_answer, format, "json",
		    .choices = answer_formats,
		    .text = "json: places are paths; text: the words that stand before."),
	SETTING_ROW("accepted", TEXT, struct http_sms_answer, accepted, NULL,
		    .text = "When a 2xx means accepted: \"status=queued|sent\", of a text what it "
			    "begins with. Without it every 2xx does."),
	SETTING_ROW("id", TEXT, struct http_sms_answer, id, NULL,
		    .text = "Where the gateway's id of the message stands."),
	SETTING_ROW("code", TEXT, struct http_sms_answer, code, NULL,
		    .text = "Where the code of a refusal stands."),
	SETTING_ROW("why", TEXT, struct http_sms_answer, why, NULL,
		    .text = "Where a refusal says why."),
	SETTING_ROW("retry_codes", LIST, struct http_sms_answer, retry_codes, NULL,
		    .text = "Codes after which the message is sent again later, beside 429 and "
			    "5xx."),
	SETTING_ROW("reauth_codes", LIST, struct http_sms_answer, reauth_codes, NULL,
		    .text = "Codes that say that key or password is wrong, beside 401 and 403: the "
			    "channel is parked."),
	SETTING_END,
};

static const struct setting incoming_rows[] = {
	SETTING_ROW("format", CHOICE, struct http_sms_incoming, format, "json",
		    .choices = incoming_formats, .text = "What the gateway posts."),
	SETTING_ROW("list", TEXT, struct http_sms_incoming, list, NULL,
		    .text = "Path of the list, where one request brings several; \".\": the body "
			    "is the list."),
	SETTING_ROW("message_if", TEXT, struct http_sms_incoming, message_if, NULL,
		    .text = "What is a customer's message: \"type=message\". Without it all that "
			    "is no report."),
	SETTING_ROW("id", TEXT, struct http_sms_incoming, id, "id",
		    .text = "Where its id stands: the same id is the same message."),
	SETTING_ROW("from", TEXT, struct http_sms_incoming, from, "from",
		    .text = "Where the customer's number stands."),
	SETTING_ROW("text", TEXT, struct http_sms_incoming, text, "text",
		    .text = "Where the text stands."),
	SETTING_ROW("answer", TEXT, struct http_sms_incoming, answer, NULL,
		    .text = "What the gateway wants to read as \"taken\", such as \"ok\"."),
	SETTING_END,
};

static const struct setting receipt_rows[] = {
	SETTING_ROW("receipt_if", TEXT, struct http_sms_receipts, receipt_if, NULL,
		    .text = "What is a report about a message of ours: \"type=report\". Without it "
			    "none are read."),
	SETTING_ROW("id", TEXT, struct http_sms_receipts, id, "id",
		    .text = "Where it names the message, by the id that answer.id found."),
	SETTING_ROW("status", TEXT, struct http_sms_receipts, status, "status",
		    .text = "Where the state stands."),
	SETTING_ROW("code", TEXT, struct http_sms_receipts, code, NULL,
		    .text = "Where the reason of a failure stands."),
	SETTING_ROW("delivered", LIST, struct http_sms_receipts, delivered, NULL,
		    .text = "States that mean delivered; none given: delivered, DELIVRD."),
	SETTING_ROW("failed", LIST, struct http_sms_receipts, failed, NULL,
		    .text = "States that mean failed; none given: failed, undelivered, expired, "
			    "rejected, UNDELIV, EXPIRED, REJECTD."),
	SETTING_END,
};

static const struct setting http_sms_rows[] = {
	SETTING_ROW("number", TEXT, struct http_sms_settings, number, NULL,
		    .text = "Your number or name that messages are sent from: {from}."),
	SETTING_ROW("sign_name", TEXT, struct http_sms_settings, sign_name, NULL,
		    .text = "The signature (签名) that {signed_text} puts before a text."),
	SETTING_ROW("api_key", SECRET, struct http_sms_settings, api_key, NULL,
		    .text = "The gateway's key: {key}."),
	SETTING_ROW("user", TEXT, struct http_sms_settings, user, NULL,
		    .text = "The gateway's user: {user}."),
	SETTING_ROW("password", SECRET, struct http_sms_settings, password, NULL,
		    .text = "The gateway's password: {password}."),
	SETTING_ROW("callback_secret", SECRET, struct http_sms_settings, callback_secret, NULL,
		    .text = "Key of the HMAC-SHA256 over the body that the gateway sends."),
	SETTING_ROW("signature_header", TEXT, struct http_sms_settings, signature_header,
		    "x-signature",
		    .text = "Field with that HMAC in hex or base64; \"sha256=\" before it is "
			    "skipped."),
	SETTING_ROW("callback_token", SECRET, struct http_sms_settings, callback_token, NULL,
		    .text = "A word that the gateway sends along, for one that cannot sign."),
	SETTING_ROW("token_header", TEXT, struct http_sms_settings, token_header, "x-token",
		    .text = "Field with that word; it may also be ?token= of the address."),
	SETTING_ROW("test_url", TEXT, struct http_sms_settings, test_url, NULL,
		    .text = "A harmless call for `channel test`, such as that of the balance."),
	SETTING_ROW("allow_private_urls", BOOL, struct http_sms_settings, allow_private_urls,
		    "false",
		    .text = "The gateway may be on a private or loopback address, or "
			    "without TLS."),
	SETTING_ROW("send", GROUP, struct http_sms_settings, send, NULL, .flags = SETTING_REQUIRED,
		    .rows = send_rows, .text = "The request that sends a message."),
	SETTING_ROW("answer", GROUP, struct http_sms_settings, answer, NULL, .rows = answer_rows,
		    .text = "What the answer to it says."),
	SETTING_ROW("incoming", GROUP, struct http_sms_settings, incoming, NULL,
		    .rows = incoming_rows,
		    .text = "What the gateway posts when a customer writes."),
	SETTING_ROW("receipts", GROUP, struct http_sms_settings, receipts, NULL,
		    .rows = receipt_rows, .text = "What it posts about messages of ours."),
	SETTING_END,
};

/* ---- shared ---- */

bool http_sms_is_among(const char *condition, const char *found)
{
	const char *value = strchr(condition, '=');
	size_t len = strlen(found);

	while (value) {
		value++;
		if (strcspn(value, "|") == len && strncmp(value, found, len) == 0)
			return true;
		value = strchr(value, '|');
	}
	return false;
}

const char *http_sms_path_of(struct arena *arena, const char *condition)
{
	return http_sms_host()->copy(arena, condition, strcspn(condition, "="));
}

const char *http_sms_scalar(struct arena *arena, struct json_object *value, const char *path)
{
	struct json_object *at = http_sms_host()->json_at(value, path);
	const char *text = at ? http_sms_host()->json_text(at, "") : NULL;

	if (text)
		return http_sms_host()->text(arena, text);
	return at && http_sms_host()->json_kind(at, "") == HOST_JSON_NUMBER
		       ? http_sms_host()->json_print(at, arena)
		       : "";
}

bool http_sms_listed(const struct setting_texts *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], word) == 0)
			return true;
	return false;
}

/* ---- verify ---- */

static bool signature_fits(const struct http_sms_settings *settings, const struct inbound *in)
{
	const struct host *host = http_sms_host();
	const char *given = host->field(in, settings->signature_header);
	unsigned char right[32], proof[32];
	long len;

	if (!given)
		return false;
	if (strncmp(given, "sha256=", 7) == 0)
		given += 7;
	host->hmac_sha256(settings->callback_secret, strlen(settings->callback_secret), in->body,
			  in->body_len, right);
	if (strlen(given) == 2 * sizeof(proof)) {
		for (size_t i = 0; i < sizeof(proof); i++) {
			static const char digits[] = "0123456789abcdef";
			const char *high = memchr(digits, given[2 * i] | 32, 16);
			const char *low = memchr(digits, given[2 * i + 1] | 32, 16);

			if (!high || !low)
				return false;
			proof[i] = (unsigned char)((high - digits) << 4 | (low - digits));
		}
		len = sizeof(proof);
	} else {
		len = host->unbase64(given, strlen(given), proof, sizeof(proof));
	}
	return len == (long)sizeof(proof) && host->equal(right, 32, proof, 32);
}

static bool token_fits(const struct http_sms_settings *settings, const struct inbound *in)
{
	const struct host *host = http_sms_host();
	const char *right = settings->callback_token;
	const char *given = host->field(in, settings->token_header);

	if (!given)
		given = host->query(in, "token");
	return given && host->equal(given, strlen(given), right, strlen(right));
}

static enum verdict http_sms_verify(struct channel *channel, const struct inbound *in,
				    struct arena *arena, struct parsed *ret)
{
	const struct http_sms_settings *settings = http_sms_host()->channel_settings(channel);
	bool has_secret = settings->callback_secret && settings->callback_secret[0];
	bool has_token = settings->callback_token && settings->callback_token[0];

	(void)arena;
	(void)ret;
	if (!has_secret && !has_token)
		return FORGED;
	if (has_secret && !signature_fits(settings, in))
		return FORGED;
	return has_token && !token_fits(settings, in) ? FORGED : VERIFIED;
}

/* ---- parse ---- */

/* One message or report, of JSON or of a form. */
struct reading {
	const struct channel *channel;
	const struct http_sms_settings *settings;
	struct arena *arena;
	struct json_object *item;
	const struct host_pair *pairs;
	long pair_count;
	struct parsed *ret;
};

static const char *found(struct reading *reading, const char *path)
{
	if (!path || !path[0])
		return "";
	if (reading->item)
		return http_sms_scalar(reading->arena, reading->item, path);
	for (long i = 0; i < reading->pair_count; i++)
		if (strcmp(reading->pairs[i].name, path) == 0)
			return reading->pairs[i].value;
	return "";
}

static bool holds(struct reading *reading, const char *condition)
{
	return http_sms_is_among(condition,
				 found(reading, http_sms_path_of(reading->arena, condition)));
}

static bool is_state(const struct setting_texts *own, const char *const *usual, const char *word)
{
	if (own->count > 0)
		return http_sms_listed(own, word);
	for (; *usual; usual++)
		if (strcmp(*usual, word) == 0)
			return true;
	return false;
}

static void read_receipt(struct reading *reading)
{
	static const char *const delivered[] = { "delivered", "DELIVRD", NULL };
	static const char *const failed[] = { "failed",  "undelivered", "expired", "rejected",
					      "UNDELIV", "EXPIRED",     "REJECTD", NULL };
	const struct http_sms_receipts *rules = &reading->settings->receipts;
	struct receipt *receipt = &reading->ret->receipts[reading->ret->receipt_count];
	const char *status = found(reading, rules->status);

	*receipt = (struct receipt){ .provider_id = found(reading, rules->id) };
	if (is_state(&rules->delivered, delivered, status)) {
		receipt->state = RECEIPT_DELIVERED;
	} else if (is_state(&rules->failed, failed, status)) {
		receipt->state = RECEIPT_FAILED;
		receipt->error = http_sms_host()->format(reading->arena, "%s %s", status,
							 found(reading, rules->code));
	} else {
		return; /* on its way */
	}
	if (receipt->provider_id[0])
		reading->ret->receipt_count++;
}

static int read_message(struct reading *reading)
{
	const struct http_sms_incoming *rules = &reading->settings->incoming;
	struct message *message = &reading->ret->messages[reading->ret->message_count];

	memset(message, 0, sizeof(*message));
	message->kind = MESSAGE_TEXT;
	message->provider_id = found(reading, rules->id);
	message->text = found(reading, rules->text);
	message->thread = message->sender_name = "";
	message->sender = (struct identifier){
		.kind = "phone",
		.scope = "",
		.value = found(reading, rules->from),
		.proof = PROOF_CHANNEL,
		.proved_by = "sms",
	};
	if (!message->provider_id[0] || !message->sender.value[0])
		return -1;
	reading->ret->message_count++;
	return 0;
}

/* 0, or -1: it is a message, and lacks its id or its sender. */
static int read_one(struct reading *reading)
{
	const struct http_sms_settings *settings = reading->settings;
	const char *receipt_if = settings->receipts.receipt_if;
	const char *message_if = settings->incoming.message_if;

	if (receipt_if && receipt_if[0] && holds(reading, receipt_if)) {
		read_receipt(reading);
		return 0;
	}
	if (message_if && message_if[0] && !holds(reading, message_if)) {
		http_sms_host()->log(reading->channel, 2,
				     "event=told kind=neither_message_nor_report");
		return 0;
	}
	return read_message(reading);
}

static void make_room(struct reading *reading, size_t count)
{
	const struct host *host = http_sms_host();

	reading->ret->messages =
		host->alloc(reading->arena, (count + 1) * sizeof(*reading->ret->messages));
	reading->ret->receipts =
		host->alloc(reading->arena, (count + 1) * sizeof(*reading->ret->receipts));
}

static int read_json(struct reading *reading, struct json_object *body)
{
	const struct host *host = http_sms_host();
	const char *place = reading->settings->incoming.list;
	struct json_object *list = body;
	size_t count;
	int status = 0;

	if (place && place[0] && strcmp(place, ".") != 0)
		list = host->json_at(body, place);
	if (host->json_kind(list, "") != HOST_JSON_ARRAY) {
		make_room(reading, 1);
		reading->item = body;
		return place && place[0] ? -1 : read_one(reading);
	}
	count = host->json_count(list);
	make_room(reading, count);
	for (size_t i = 0; i < count && status == 0; i++) {
		reading->item = host->json_item(list, i);
		status = read_one(reading);
	}
	return status;
}

static int read_form(struct reading *reading, const struct inbound *in)
{
	const char *query = strchr(in->target, '?');
	bool is_get = strcmp(in->method, "GET") == 0;
	const char *form = is_get ? query ? query + 1 : "" : in->body;
	size_t len = is_get ? strlen(form) : in->body_len;

	reading->pair_count =
		http_sms_host()->form_read(form, len, reading->arena, &reading->pairs);
	if (reading->pair_count < 0)
		return -1;
	make_room(reading, 1);
	return read_one(reading);
}

static int http_sms_parse(const struct channel *channel, const struct inbound *in,
			  struct arena *arena, struct parsed *ret, const char **ret_error)
{
	const struct host *host = http_sms_host();
	const struct http_sms_settings *settings = host->channel_settings(channel);
	struct reading reading = {
		.channel = channel, .settings = settings, .arena = arena, .ret = ret
	};
	struct json_object *body;
	int status;

	if (settings->incoming.answer && settings->incoming.answer[0]) {
		ret->answer_status = 200;
		ret->answer_type = "text/plain; charset=utf-8";
		ret->answer_body = settings->incoming.answer;
	}
	*ret_error = "it has no id or no sender where incoming says";
	if (settings->incoming.format == 1)
		return read_form(&reading, in);
	body = host->json_read(in->body, in->body_len, arena, ret_error);
	if (!body)
		return -1;
	*ret_error = "it has no list, no id or no sender where incoming says";
	status = read_json(&reading, body);
	host->json_free(body);
	return status;
}

static void http_sms_estimate(const struct channel *channel, const char *text,
			      struct text_estimate *ret)
{
	(void)channel;
	sms_estimate(text, ret);
}

/* ---- life ---- */

static int check_template(struct arena *arena, const char *name, const char *template,
			  const struct host_pair *values, const char **ret_error)
{
	const char *unknown =
		template ? sms_template_unknown(http_sms_host(), arena, template, values) : NULL;

	if (!unknown)
		return 0;
	*ret_error = http_sms_host()->format(arena,
					     "%s: %s is no name; there are {to} {to_digits} {from} "
					     "{text} {signed_text} {id} {key} {user} {password} "
					     "{sign_name} {now_s} {now_ms}",
					     name, unknown);
	return -1;
}

static int check_condition(struct arena *arena, const char *name, const char *condition,
			   const char **ret_error)
{
	if (!condition || !condition[0] || (strchr(condition, '=') && condition[0] != '='))
		return 0;
	*ret_error = http_sms_host()->format(arena, "%s must look like path=value", name);
	return -1;
}

static int check_send(const struct http_sms_settings *settings, struct arena *arena,
		      const char **ret_error)
{
	const struct host_pair *values = http_sms_values(settings, arena, NULL);
	const char *url = settings->send.url;

	if (strncmp(url, "https://", 8) != 0 &&
	    !(settings->allow_private_urls && strncmp(url, "http://", 7) == 0)) {
		*ret_error = "send.url must be https:// (or http:// with allow_private_urls)";
		return -1;
	}
	if (check_template(arena, "send.url", url, values, ret_error) != 0 ||
	    check_template(arena, "send.body", settings->send.body, values, ret_error) != 0 ||
	    check_template(arena, "test_url", settings->test_url, values, ret_error) != 0)
		return -1;
	for (size_t i = 0; i < settings->send.headers.count; i++) {
		const char *line = settings->send.headers.items[i];

		if (check_template(arena, "send.headers", line, values, ret_error) != 0)
			return -1;
		if (!strchr(line, ':') || line[0] == ':' || strpbrk(line, "\r\n")) {
			*ret_error = "send.headers must look like \"Name: value\"";
			return -1;
		}
	}
	return 0;
}

static int http_sms_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct http_sms_settings *settings = core->channel_settings(channel);
	struct arena *arena = core->channel_arena(channel);

	the_host = core;
	if (!settings->send.url || !settings->send.url[0]) {
		*ret_error = "send.url must not be empty";
		return -1;
	}
	if (check_send(settings, arena, ret_error) != 0 ||
	    check_condition(arena, "incoming.message_if", settings->incoming.message_if,
			    ret_error) != 0 ||
	    check_condition(arena, "receipts.receipt_if", settings->receipts.receipt_if,
			    ret_error) != 0)
		return -1;
	return settings->answer.format == 0 ? check_condition(arena, "answer.accepted",
							      settings->answer.accepted, ret_error)
					    : 0;
}

static void http_sms_close(struct channel *channel)
{
	(void)channel;
}

const struct connector http_sms_connector = {
	.name = "http_sms",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_RECEIPTS | SENDS_ONE_THING | HAS_OPT_OUT_WORDS,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_CHARACTERS,
	.identifier_kind = "phone",
	.settings_size = sizeof(struct http_sms_settings),
	.settings = http_sms_rows,
	.open = http_sms_open,
	.close = http_sms_close,
	.verify = http_sms_verify,
	.parse = http_sms_parse,
	.send = http_sms_send,
	.estimate = http_sms_estimate,
	.test = http_sms_test,
};
