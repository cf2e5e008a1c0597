/* twilio_sms: SMS and MMS by Twilio (twilio.com/docs/messaging).
 *
 * In: a form with X-Twilio-Signature, messages and status callbacks at the same
 * address; public_url must be what Twilio was told, for it is part of what is
 * signed. Twilio asks once: what we could not take is lost, unless the address
 * in the console ends in #rc=5. Out: Messages.json with a status callback. No
 * key against doubles. Limit: 1600 characters. */
#include <string.h>

#include "provider_call.h"
#include "sms_text.h"
#include "twilio.h"

enum { TEXT_MAX = 1600, MEDIA_MAX = 10, LINK_S = 24 * 3600 };

struct twilio_sms_settings {
	char *account_sid;
	char *auth_token;
	char *auth_token_secondary;
	char *number;
	char *messaging_service_sid;
	char *api_base;
};

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting twilio_sms_settings_rows[] = {
	SETTING_ROW("account_sid", TEXT, struct twilio_sms_settings, account_sid, NULL,
		    .flags = SETTING_REQUIRED, .text = "Twilio console, Account SID (AC...)."),
	SETTING_ROW("auth_token", SECRET, struct twilio_sms_settings, auth_token, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Twilio console, primary Auth Token: signs what comes in."),
	SETTING_ROW("auth_token_secondary", SECRET, struct twilio_sms_settings,
		    auth_token_secondary, NULL,
		    .text = "Accepted on the way in as well while tokens are changed."),
	SETTING_ROW("number", TEXT, struct twilio_sms_settings, number, NULL,
		    .text = "Your number that messages are sent from, such as +15005550006."),
	SETTING_ROW("messaging_service_sid", TEXT, struct twilio_sms_settings,
		    messaging_service_sid, NULL,
		    .text = "A messaging service (MG...) that sends, instead of number."),
	SETTING_ROW("api_base", URL, struct twilio_sms_settings, api_base, TWILIO_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

static struct twilio_account account_of(const struct channel *channel)
{
	const struct twilio_sms_settings *settings = host->channel_settings(channel);

	return (struct twilio_account){ settings->account_sid, settings->auth_token,
					settings->api_base };
}

/* ---- the way in ---- */

static enum verdict twilio_sms_verify(struct channel *channel, const struct inbound *in,
				      struct arena *arena, struct parsed *ret)
{
	const struct twilio_sms_settings *settings = host->channel_settings(channel);
	const char *const tokens[] = { settings->auth_token, settings->auth_token_secondary, NULL };

	(void)ret;
	if (strcmp(in->method, "POST") != 0)
		return FORGED;
	return twilio_signature_fits(host, in, arena, tokens) ? VERIFIED : FORGED;
}

struct reading {
	struct arena *arena;
	const struct host_pair *pairs;
	long count;
	struct parsed *ret;
};

static const char *value_of(struct reading *reading, const char *name)
{
	return twilio_value(reading->pairs, reading->count, name);
}

static void read_status(struct reading *reading, const char *status)
{
	static const struct {
		const char *status;
		enum receipt_state state;
	} known[] = {
		{ "sent", RECEIPT_SENT },     { "delivered", RECEIPT_DELIVERED },
		{ "read", RECEIPT_READ },     { "undelivered", RECEIPT_FAILED },
		{ "failed", RECEIPT_FAILED }, { "canceled", RECEIPT_FAILED },
	};
	struct receipt *receipt = host->alloc(reading->arena, sizeof(*receipt));
	const char *code = value_of(reading, "ErrorCode");

	reading->ret->receipts = receipt;
	receipt->provider_id = value_of(reading, "MessageSid");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].status, status) != 0)
			continue;
		receipt->state = known[i].state;
		if (receipt->state == RECEIPT_FAILED)
			receipt->error = host->format(reading->arena, "%s %s", status, code);
		reading->ret->receipt_count = receipt->provider_id[0] ? 1 : 0;
	}
}

static void read_media(struct reading *reading, struct message *message)
{
	message->attachments =
		host->alloc(reading->arena, MEDIA_MAX * sizeof(*message->attachments));
	for (int i = 0; i < MEDIA_MAX; i++) {
		const char *url = value_of(reading, host->format(reading->arena, "MediaUrl%d", i));
		const char *type =
			value_of(reading, host->format(reading->arena, "MediaContentType%d", i));

		if (!url[0])
			break;
		message->attachments[message->attachment_count++] = (struct attachment){
			.name = "",
			.type = type[0] ? type : "application/octet-stream",
			.url = url,
			.size = -1,
		};
	}
	if (message->attachment_count > 0)
		message->kind = strncmp(message->attachments[0].type, "image/", 6) == 0
					? MESSAGE_IMAGE
					: MESSAGE_FILE;
}

static void read_location(struct reading *reading, struct message *message)
{
	const char *latitude = value_of(reading, "Latitude");
	const char *longitude = value_of(reading, "Longitude");
	static const char number[] = "0123456789.-";

	if (!latitude[0] || strspn(latitude, number) != strlen(latitude) || !longitude[0] ||
	    strspn(longitude, number) != strlen(longitude))
		return;
	message->kind = MESSAGE_LOCATION;
	message->text = host->format(reading->arena, "%s %s (%s, %s)", value_of(reading, "Label"),
				     value_of(reading, "Address"), latitude, longitude);
	message->extra = host->format(
		reading->arena,
		"{\"location\":{\"latitude\":\"%s\",\"longitude\":\"%s\",\"name\":%s,"
		"\"address\":%s}}",
		latitude, longitude, host->json_quote(reading->arena, value_of(reading, "Label")),
		host->json_quote(reading->arena, value_of(reading, "Address")));
}

/* "whatsapp:+1..." where the number carries another service. */
static const char *bare_number(const char *from)
{
	const char *colon = strchr(from, ':');

	return colon ? colon + 1 : from;
}

static void read_message(struct reading *reading)
{
	struct message *message = host->alloc(reading->arena, sizeof(*message));
	const char *opted = value_of(reading, "OptOutType");

	message->kind = MESSAGE_TEXT;
	message->provider_id = value_of(reading, "MessageSid");
	message->text = value_of(reading, "Body");
	message->thread = "";
	message->sender_name = value_of(reading, "ProfileName");
	message->sender = (struct identifier){
		.kind = "phone",
		.scope = "",
		.value = bare_number(value_of(reading, "From")),
		.proof = PROOF_CHANNEL,
		.proved_by = "twilio",
	};
	read_media(reading, message);
	read_location(reading, message);
	if (opted[0]) {
		message->kind = MESSAGE_EVENT;
		message->extra = host->format(reading->arena, "{\"opt_out\":%s}",
					      host->json_quote(reading->arena, opted));
	}
	reading->ret->messages = message;
	reading->ret->message_count = 1;
}

static int twilio_sms_parse(const struct channel *channel, const struct inbound *in,
			    struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct reading reading = { .arena = arena, .ret = ret };
	const char *status;

	(void)channel;
	ret->answer_status = 200;
	ret->answer_type = "text/xml";
	ret->answer_body = "<Response/>";
	reading.count = host->form_read(in->body, in->body_len, arena, &reading.pairs);
	if (reading.count < 0) {
		*ret_error = "the form cannot be decoded";
		return -1;
	}
	status = value_of(&reading, "MessageStatus");
	if (!value_of(&reading, "MessageSid")[0]) {
		*ret_error = "MessageSid is missing";
		return -1;
	}
	if (status[0] && strcmp(status, "received") != 0) {
		read_status(&reading, status);
		return 0;
	}
	if (!bare_number(value_of(&reading, "From"))[0]) {
		*ret_error = "From is missing";
		return -1;
	}
	read_message(&reading);
	return 0;
}

static void twilio_sms_media(const struct channel *channel, const struct attachment *attachment,
			     struct arena *arena, struct media_request *ret)
{
	const struct twilio_account account = account_of(channel);

	twilio_media(host, &account, attachment, arena, ret);
}

/* ---- the way out ---- */

static enum send_failure failure_of(long status, int64_t code)
{
	static const struct {
		int64_t code;
		enum send_failure failure;
	} known[] = {
		{ 20003, SEND_REAUTH }, { 20429, SEND_RETRY }, { 30001, SEND_RETRY },
		{ 30003, SEND_RETRY },  { 30017, SEND_RETRY }, { 30022, SEND_RETRY },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].code == code)
			return known[i].failure;
	if (status == 401)
		return SEND_REAUTH;
	return status == 429 || status >= 500 ? SEND_RETRY : SEND_PERMANENT;
}

static void on_sent(const struct host_answer *answer, struct json_object *body, struct arena *arena,
		    void *context)
{
	struct delivery *delivery = context;
	bool is_ok = !answer->error && answer->status >= 200 && answer->status < 300;
	int64_t code = body ? host->json_int(body, "code", 0) : 0;

	if (answer->error)
		provider_unreached(host, delivery, answer, false);
	else if (is_ok && provider_text(host, body, "sid", NULL))
		host->sent(delivery, provider_text(host, body, "sid", NULL));
	else if (is_ok)
		host->failed(delivery, SEND_UNKNOWN, "unreadable", "the answer cannot be read", -1);
	else
		host->failed(delivery, failure_of(answer->status, code),
			     host->format(arena, "%lld", code ? (long long)code : answer->status),
			     provider_text(host, body, "message", "refused"),
			     answer->retry_after_ms);
}

static const char *add(struct arena *arena, const char *form, const char *name, const char *value)
{
	return host->format(arena, "%s%s%s=%s", form, form[0] ? "&" : "", name,
			    host->url_escape(arena, value));
}

/* NULL: there is no link to the file. */
static const char *form_of(struct channel *channel, struct arena *arena,
			   const struct outbound *message)
{
	const struct twilio_sms_settings *settings = host->channel_settings(channel);
	bool has_service = settings->messaging_service_sid && settings->messaging_service_sid[0];
	const char *form = add(arena, "", "To", message->to);
	const char *callback = host->callback_url(channel, arena);
	const char *link;

	form = has_service
		       ? add(arena, form, "MessagingServiceSid", settings->messaging_service_sid)
		       : add(arena, form, "From", settings->number ? settings->number : "");
	if (callback)
		form = add(arena, form, "StatusCallback", callback);
	if (message->attachment_count == 0)
		return add(arena, form, "Body", message->text);
	link = host->attachment_url(channel, &message->attachments[0],
				    message->created_ms / 1000 + LINK_S, arena);
	return link && link[0] != '/' ? add(arena, form, "MediaUrl", link) : NULL;
}

static void twilio_sms_send(struct channel *channel, const struct outbound *message,
			    struct delivery *delivery)
{
	const struct twilio_account account = account_of(channel);
	struct arena *arena = host->arena_new();
	const char *form = form_of(channel, arena, message);
	const char *const fields[] = { "content-type", "application/x-www-form-urlencoded",
				       "authorization", twilio_authorization(host, &account, arena),
				       NULL };
	struct host_http call = { .method = "POST",
				  .fields = fields,
				  .body = form,
				  .allow_private = twilio_is_private(&account) };

	if (form) {
		call.url = host->format(arena, "%s/2010-04-01/Accounts/%s/Messages.json",
					account.api_base, account.sid);
		call.body_len = strlen(form);
		provider_call(host, channel, &call, on_sent, delivery);
	} else {
		host->failed(delivery, SEND_PERMANENT, "no_public_url",
			     "Twilio fetches files: set public_url of the channel", -1);
	}
	host->arena_free(arena);
}

static void twilio_sms_estimate(const struct channel *channel, const char *text,
				struct text_estimate *ret)
{
	(void)channel;
	sms_estimate(text, ret);
}

static void twilio_sms_test(struct channel *channel,
			    void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	const struct twilio_account account = account_of(channel);

	twilio_try(host, channel, &account, done, context);
}

/* ---- life ---- */

static int twilio_sms_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct twilio_sms_settings *settings = core->channel_settings(channel);
	const char *sid = settings->account_sid;
	bool has_number = settings->number && settings->number[0];
	bool has_service = settings->messaging_service_sid && settings->messaging_service_sid[0];

	host = core;
	if (!twilio_sid_is_good(sid))
		*ret_error = "account_sid must look like AC0123456789abcdef";
	else if (!settings->auth_token || !settings->auth_token[0])
		*ret_error = "auth_token must not be empty";
	else if (!has_number && !has_service)
		*ret_error = "number or messaging_service_sid must be set: who sends?";
	else
		return 0;
	return -1;
}

static void twilio_sms_close(struct channel *channel)
{
	(void)channel;
}

const struct connector twilio_sms_connector = {
	.name = "twilio_sms",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | HAS_RECEIPTS | SENDS_ONE_THING |
		     HAS_OPT_OUT_WORDS,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_UTF16,
	.identifier_kind = "phone",
	.settings_size = sizeof(struct twilio_sms_settings),
	.settings = twilio_sms_settings_rows,
	.open = twilio_sms_open,
	.close = twilio_sms_close,
	.verify = twilio_sms_verify,
	.parse = twilio_sms_parse,
	.send = twilio_sms_send,
	.media = twilio_sms_media,
	.estimate = twilio_sms_estimate,
	.test = twilio_sms_test,
};
