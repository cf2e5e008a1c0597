/* aliyun_sms: Alibaba Cloud SMS (阿里云短信, dysmsapi 2017-05-25).
 *
 * In: JSON lists without any signature, what customers wrote (SmsUp) and reports
 * (SmsReport); proved by a word in the address (push_token), by where they come
 * from (allow_from), or both. The answer must be there in 700 ms. Out: SendSms
 * with signature V3; approved templates only, so a reply in free words needs a
 * template that holds it (reply_template). Not idempotent; OutId is our id, which
 * reports bring back. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "acs3.h"
#include "provider_call.h"
#include "sms_text.h"

enum { TEXT_MAX = 500, CHINA_S = 8 * 3600, TIME_LEN = 19 };

static const char provider_address[] = "https://dysmsapi.aliyuncs.com";
static const char api_version[] = "2017-05-25";
static const char no_template[] = "only an approved template can be sent: template.name, and "
				  "template.parameters as an object";

struct aliyun_sms_settings {
	char *access_key_id;
	char *access_key_secret;
	char *sign_name;
	char *reply_template;
	char *reply_variable;
	char *extend_code;
	char *push_token;
	struct setting_texts allow_from;
	char *api_base;
};

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting aliyun_sms_rows[] = {
	SETTING_ROW("access_key_id", TEXT, struct aliyun_sms_settings, access_key_id, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "RAM console, AccessKey ID of a user who may send SMS."),
	SETTING_ROW("access_key_secret", SECRET, struct aliyun_sms_settings, access_key_secret,
		    NULL, .flags = SETTING_REQUIRED, .text = "Its AccessKey Secret."),
	SETTING_ROW("sign_name", TEXT, struct aliyun_sms_settings, sign_name, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "The approved signature (签名) that stands before every message."),
	SETTING_ROW("reply_template", TEXT, struct aliyun_sms_settings, reply_template, NULL,
		    .text = "An approved template (SMS_...) that holds a reply in free words. "
			    "Without it only templates can be sent."),
	SETTING_ROW("reply_variable", TEXT, struct aliyun_sms_settings, reply_variable, "content",
		    .text = "The variable of that template which the words fill."),
	SETTING_ROW("extend_code", TEXT, struct aliyun_sms_settings, extend_code, NULL,
		    .text = "SmsUpExtendCode: the digits behind your number that answers come to."),
	SETTING_ROW(
		"push_token", SECRET, struct aliyun_sms_settings, push_token, NULL,
		.text = "A long random word; the address of the pushes ends in ?token= and it."),
	SETTING_ROW("allow_from", LIST, struct aliyun_sms_settings, allow_from, NULL,
		    .text = "Addresses (1.2.3.4, 10.0.0.0/8) that pushes may come from."),
	SETTING_ROW("api_base", URL, struct aliyun_sms_settings, api_base, provider_address,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

static bool is_set(const char *text)
{
	return text && text[0];
}

/* ---- verify ---- */

static bool is_allowed(const struct setting_texts *allowed, const char *source)
{
	for (size_t i = 0; i < allowed->count; i++)
		if (host->network_has(allowed->items[i], source) == 1)
			return true;
	return false;
}

static enum verdict aliyun_sms_verify(struct channel *channel, const struct inbound *in,
				      struct arena *arena, struct parsed *ret)
{
	const struct aliyun_sms_settings *settings = host->channel_settings(channel);
	const char *given = host->query(in, "token");
	bool has_list = settings->allow_from.count > 0;

	(void)arena;
	(void)ret;
	if (strcmp(in->method, "POST") != 0 || (!is_set(settings->push_token) && !has_list))
		return FORGED;
	if (is_set(settings->push_token) &&
	    (!given || !host->equal(given, strlen(given), settings->push_token,
				    strlen(settings->push_token))))
		return FORGED;
	return has_list && !is_allowed(&settings->allow_from, in->source) ? FORGED : VERIFIED;
}

/* ---- parse ---- */

struct reading {
	struct arena *arena;
	struct json_object *item;
	struct parsed *ret;
};

/* A text or a number: sequence_id is the one in newer pushes, the other in older. */
static const char *scalar(struct reading *reading, const char *name)
{
	const char *text = provider_text(host, reading->item, name, NULL);

	if (text)
		return host->text(reading->arena, text);
	return host->json_kind(reading->item, name) == HOST_JSON_NUMBER
		       ? host->json_print(host->json_at(reading->item, name), reading->arena)
		       : "";
}

/* "2026-01-02 10:55:45", in China; 0: it is no such time. */
static int64_t china_time(const char *text)
{
	static const char shape[] = "dddd-dd-dd dd:dd:dd";
	struct tm parts = { 0 };

	for (size_t i = 0; i < TIME_LEN; i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return 0;
	parts.tm_year = (int)strtol(text, NULL, 10) - 1900;
	parts.tm_mon = (int)strtol(text + 5, NULL, 10) - 1;
	parts.tm_mday = (int)strtol(text + 8, NULL, 10);
	parts.tm_hour = (int)strtol(text + 11, NULL, 10);
	parts.tm_min = (int)strtol(text + 14, NULL, 10);
	parts.tm_sec = (int)strtol(text + 17, NULL, 10);
	return provider_time((int64_t)timegm(&parts) - CHINA_S);
}

/* 13900000000 is a number of China; others come with their country, without +. */
static const char *number_of(struct reading *reading)
{
	const char *number = scalar(reading, "phone_number");

	if (strlen(number) == 11 && number[0] == '1')
		return host->format(reading->arena, "+86%s", number);
	return number[0] && number[0] != '+' ? host->format(reading->arena, "+%s", number) : number;
}

/* 0, or -1: it names nobody. */
static int read_message(struct reading *reading, bool is_known)
{
	struct message *message = &reading->ret->messages[reading->ret->message_count];
	const char *number = number_of(reading);
	const char *sequence = scalar(reading, "sequence_id");

	memset(message, 0, sizeof(*message));
	message->kind = is_known ? MESSAGE_TEXT : MESSAGE_UNKNOWN;
	message->text = is_known ? scalar(reading, "content")
				 : host->json_print(reading->item, reading->arena);
	message->provider_id = host->format(reading->arena, "%s:%s", sequence, number);
	message->sent_ms = china_time(scalar(reading, "send_time"));
	message->thread = message->sender_name = "";
	message->sender = (struct identifier){
		.kind = "phone",
		.scope = "",
		.value = number,
		.proof = PROOF_CHANNEL,
		.proved_by = "sms",
	};
	if (!number[0] || !sequence[0])
		return -1;
	reading->ret->message_count++;
	return 0;
}

static void read_report(struct reading *reading)
{
	struct receipt *receipt = &reading->ret->receipts[reading->ret->receipt_count];
	bool is_ok = host->json_bool(reading->item, "success", false);

	*receipt = (struct receipt){ .provider_id = scalar(reading, "out_id"),
				     .state = is_ok ? RECEIPT_DELIVERED : RECEIPT_FAILED };
	if (!is_ok)
		receipt->error = host->format(reading->arena, "%s %s", scalar(reading, "err_code"),
					      scalar(reading, "err_msg"));
	if (receipt->provider_id[0])
		reading->ret->receipt_count++;
}

static int read_list(struct reading *reading, struct json_object *list)
{
	size_t count = host->json_count(list);
	int status = 0;

	reading->ret->messages =
		host->alloc(reading->arena, (count + 1) * sizeof(*reading->ret->messages));
	reading->ret->receipts =
		host->alloc(reading->arena, (count + 1) * sizeof(*reading->ret->receipts));
	for (size_t i = 0; i < count && status == 0; i++) {
		reading->item = host->json_item(list, i);
		if (host->json_kind(reading->item, "success") == HOST_JSON_BOOL)
			read_report(reading);
		else
			status = read_message(reading, host->json_kind(reading->item, "content") ==
							       HOST_JSON_TEXT);
	}
	return status;
}

static int aliyun_sms_parse(const struct channel *channel, const struct inbound *in,
			    struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct reading reading = { .arena = arena, .ret = ret };
	struct json_object *body;
	int status = -1;

	(void)channel;
	ret->answer_status = 200;
	ret->answer_type = "application/json";
	ret->answer_body = "{\"code\":0,\"msg\":\"ok\"}";
	body = host->json_read(in->body, in->body_len, arena, ret_error);
	if (!body)
		return -1;
	*ret_error = "it is no list whose items have phone_number and sequence_id, or success";
	if (host->json_kind(body, "") == HOST_JSON_ARRAY)
		status = read_list(&reading, body);
	host->json_free(body);
	return status;
}

/* ---- the way out ---- */

static enum send_failure failure_of(long status, const char *code)
{
	static const struct {
		const char *code;
		enum send_failure failure;
	} known[] = {
		{ "isv.BUSINESS_LIMIT_CONTROL", SEND_RETRY },
		{ "isv.DAY_LIMIT_CONTROL", SEND_RETRY },
		{ "isv.MONTH_LIMIT_CONTROL", SEND_RETRY },
		{ "Throttling.User", SEND_RETRY },
		{ "isp.SYSTEM_ERROR", SEND_RETRY },
		{ "isp.GATEWAY_ERROR", SEND_RETRY },
		{ "ServiceUnavailable", SEND_RETRY },
		{ "SignatureNonceUsed", SEND_RETRY },
		{ "InvalidTimeStamp.Expired", SEND_RETRY },
		{ "SignatureDoesNotMatch", SEND_REAUTH },
		{ "InvalidAccessKeyId.NotFound", SEND_REAUTH },
		{ "InvalidAccessKeyId.Inactive", SEND_REAUTH },
		{ "isp.RAM_PERMISSION_DENY", SEND_REAUTH },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].code, code) == 0)
			return known[i].failure;
	return status == 429 || status >= 500 ? SEND_RETRY : SEND_PERMANENT;
}

struct sending {
	struct delivery *delivery;
	char id[]; /* OutId, which the report brings back */
};

static void on_sent(const struct host_answer *answer, struct json_object *body, struct arena *arena,
		    void *context)
{
	struct sending *sending = context;
	const char *code = provider_text(host, body, "Code", "");

	if (answer->error)
		provider_unreached(host, sending->delivery, answer, false);
	else if (answer->status == 200 && strcmp(code, "OK") == 0)
		host->sent(sending->delivery, sending->id);
	else if (answer->status == 200 && !code[0])
		host->failed(sending->delivery, SEND_UNKNOWN, "unreadable",
			     "the answer cannot be read", -1);
	else
		host->failed(sending->delivery, failure_of(answer->status, code),
			     code[0] ? code : host->format(arena, "%ld", answer->status),
			     provider_text(host, body, "Message", "refused"),
			     answer->retry_after_ms);
	free(sending);
}

static const char *now_text(struct arena *arena)
{
	time_t now = (time_t)(host->unix_ms() / 1000);
	struct tm parts;
	char text[32];

	gmtime_r(&now, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	return host->text(arena, text);
}

/* The query is sorted and escaped. */
static void call_api(struct channel *channel, struct arena *arena, const char *action,
		     const char *query, struct host_http *ret)
{
	const struct aliyun_sms_settings *settings = host->channel_settings(channel);
	const char *base = settings->api_base;
	unsigned char nonce[16];
	struct acs3_request request = {
		.method = "POST",
		.host = strstr(base, "://") ? strstr(base, "://") + 3 : base,
		.query = query,
		.action = action,
		.version = api_version,
		.date = now_text(arena),
		.key_id = settings->access_key_id,
		.key_secret = settings->access_key_secret,
	};

	host->random(nonce, sizeof(nonce));
	request.nonce = host->hex(arena, nonce, sizeof(nonce));
	*ret = (struct host_http){
		.method = "POST",
		.url = host->format(arena, "%s/?%s", base, query),
		.fields = acs3_fields(host, arena, &request),
		.body = "",
		.allow_private = strcmp(base, provider_address) != 0,
	};
}

/* A number of China goes without its country. */
static const char *number_to(const char *to)
{
	if (strncmp(to, "+86", 3) == 0)
		return to + 3;
	return to[0] == '+' ? to + 1 : to;
}

/* False: nothing that could be sent. */
static bool template_of(const struct aliyun_sms_settings *settings, struct arena *arena,
			const struct outbound *message, const char **ret_code,
			const char **ret_params)
{
	struct json_object *extra =
		message->extra
			? host->json_read(message->extra, strlen(message->extra), arena, NULL)
			: NULL;
	const char *name = extra ? provider_text(host, extra, "template.name", NULL) : NULL;
	enum host_json_kind kind =
		extra ? host->json_kind(extra, "template.parameters") : HOST_JSON_ABSENT;
	bool is_good = name && (kind == HOST_JSON_OBJECT || kind == HOST_JSON_ABSENT);

	*ret_code = name ? host->text(arena, name) : settings->reply_template;
	*ret_params = "{}";
	if (kind == HOST_JSON_OBJECT)
		*ret_params = host->json_print(host->json_at(extra, "template.parameters"), arena);
	if (extra)
		host->json_free(extra);
	if (name || !is_set(settings->reply_template))
		return is_good;
	*ret_params =
		host->format(arena, "{%s:%s}", host->json_quote(arena, settings->reply_variable),
			     host->json_quote(arena, message->text));
	return message->text[0] != '\0';
}

static void aliyun_sms_send(struct channel *channel, const struct outbound *message,
			    struct delivery *delivery)
{
	const struct aliyun_sms_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	const char *code, *params, *query;
	struct sending *sending;
	struct host_http call;

	if (!template_of(settings, arena, message, &code, &params)) {
		host->failed(delivery, SEND_PERMANENT, "template_only", no_template, -1);
		host->arena_free(arena);
		return;
	}
	query = host->format(arena, "OutId=%s&PhoneNumbers=%s&SignName=%s",
			     host->url_escape(arena, message->id),
			     host->url_escape(arena, number_to(message->to)),
			     host->url_escape(arena, settings->sign_name));
	if (is_set(settings->extend_code))
		query = host->format(arena, "%s&SmsUpExtendCode=%s", query,
				     host->url_escape(arena, settings->extend_code));
	query = host->format(arena, "%s&TemplateCode=%s&TemplateParam=%s", query,
			     host->url_escape(arena, code), host->url_escape(arena, params));
	sending = malloc(sizeof(*sending) + strlen(message->id) + 1);
	if (!sending)
		abort();
	sending->delivery = delivery;
	memcpy(sending->id, message->id, strlen(message->id) + 1);
	call_api(channel, arena, "SendSms", query, &call);
	provider_call(host, channel, &call, on_sent, sending);
	host->arena_free(arena);
}

static const char *aliyun_sms_sent_as(const struct channel *channel, const struct outbound *message,
				      struct arena *arena)
{
	(void)channel;
	return host->text(arena, message->id);
}

static void aliyun_sms_window(const struct channel *channel, struct window_rules *ret)
{
	const struct aliyun_sms_settings *settings = host->channel_settings(channel);

	ret->after = AFTER_TEMPLATE;
	ret->template_only = !is_set(settings->reply_template);
}

static void aliyun_sms_estimate(const struct channel *channel, const char *text,
				struct text_estimate *ret)
{
	const struct aliyun_sms_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();

	/* The signature is part of what is paid for. */
	sms_estimate(host->format(arena, "【%s】%s", settings->sign_name, text), ret);
	host->arena_free(arena);
}

/* ---- test ---- */

static void on_tried(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct provider_trial *trial = context;
	const char *code = provider_text(host, body, "Code", "");
	bool ok = !answer->error && strcmp(code, "OK") == 0;

	provider_tried(trial, ok,
		       ok              ? "the access key may use SMS"
		       : answer->error ? answer->error
				       : host->format(arena, "%s %s", code,
						      provider_text(host, body, "Message", "")));
}

static void aliyun_sms_test(struct channel *channel,
			    void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	struct provider_trial *trial = provider_trial_new(done, context);
	struct arena *arena = host->arena_new();
	struct host_http call;

	call_api(channel, arena, "QuerySmsSignList", "PageIndex=1&PageSize=1", &call);
	provider_call(host, channel, &call, on_tried, trial);
	host->arena_free(arena);
}

/* ---- life ---- */

static int aliyun_sms_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct aliyun_sms_settings *settings = core->channel_settings(channel);

	host = core;
	*ret_error = NULL;
	if (!is_set(settings->access_key_id) || !is_set(settings->access_key_secret))
		*ret_error = "access_key_id and access_key_secret must not be empty";
	else if (!is_set(settings->sign_name))
		*ret_error = "sign_name must not be empty: nothing is sent without a signature";
	else if (is_set(settings->reply_template) && !is_set(settings->reply_variable))
		*ret_error = "reply_variable must name the variable of reply_template";
	for (size_t i = 0; i < settings->allow_from.count; i++)
		if (host->network_has(settings->allow_from.items[i], NULL) < 0)
			*ret_error = "allow_from must list addresses such as 1.2.3.4 or 10.0.0.0/8";
	return *ret_error ? -1 : 0;
}

static void aliyun_sms_close(struct channel *channel)
{
	(void)channel;
}

const struct connector aliyun_sms_connector = {
	.name = "aliyun_sms",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_RECEIPTS | PROVIDER_RETRIES | SENDS_ONE_THING |
		     HAS_OPT_OUT_WORDS,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_CHARACTERS,
	.identifier_kind = "phone",
	.settings_size = sizeof(struct aliyun_sms_settings),
	.settings = aliyun_sms_rows,
	.open = aliyun_sms_open,
	.close = aliyun_sms_close,
	.verify = aliyun_sms_verify,
	.parse = aliyun_sms_parse,
	.send = aliyun_sms_send,
	.sent_as = aliyun_sms_sent_as,
	.window = aliyun_sms_window,
	.estimate = aliyun_sms_estimate,
	.test = aliyun_sms_test,
};
