/* Alibaba Cloud SMS: the API with the V3 signature, and the unsigned pushes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { NONCES_MAX = 1000, DATE_SPAN_MS = 15 * 60 * 1000, ANSWER_MS = 700, CHINA_S = 8 * 3600 };

struct aliyun {
	char nonces[NONCES_MAX][80];
	size_t nonce_count;
};

/* The gateway's errors are HTTP errors; those of the business come in a 200. */
static void error(struct ask *ask, const char *code, const char *detail)
{
	static const struct {
		const char *code;
		int status;
	} rows[] = {
		{ "SignatureDoesNotMatch", 400 },    { "SignatureNonceUsed", 400 },
		{ "InvalidTimeStamp.Expired", 400 }, { "InvalidAccessKeyId.NotFound", 404 },
		{ "InvalidAction.NotFound", 404 },   { "MissingAuthorization", 400 },
		{ "Throttling.User", 400 },          { "not_found", 404 },
		{ "InvalidVersion", 400 },
	};
	const char *message = quote(ask->arena, detail);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].code, code) == 0) {
			answer_json(
				ask, rows[i].status,
				"{\"RequestId\":\"9B4-SIM\",\"HostId\":\"dysmsapi.aliyuncs.com\","
				"\"Code\":\"%s\",\"Message\":%s}",
				code, message);
			return;
		}
	answer_json(ask, 200, "{\"RequestId\":\"9B4-SIM\",\"Code\":\"%s\",\"Message\":%s}", code,
		    message);
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	(void)seconds;
	return arena_format(ask->arena,
			    "{\"RequestId\":\"9B4-SIM\",\"Code\":\"%s\",\"Message\":\"-\"}",
			    status == 429 ? "Throttling.User" : "ServiceUnavailable");
}

/* ---- the signature ---- */

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The query's pairs, encoded anew and sorted by name. */
static const char *canonical_query(struct ask *ask, const char *query)
{
	const char *pairs[64];
	size_t count = 0;
	struct buf out = { 0 };
	while (query != NULL && *query != '\0' && count < COUNT_OF(pairs)) {
		size_t len = strcspn(query, "&");
		char *pair = arena_copy(ask->arena, query, len);
		char *equals = strchr(pair, '=');
		struct buf one = { 0 };
		char *value = equals != NULL ? equals + 1 : pair + len;
		if (equals != NULL)
			*equals = '\0';
		text_unpercent(pair, strlen(pair), true, pair, strlen(pair) + 1);
		text_unpercent(value, strlen(value), true, value, strlen(value) + 1);
		text_percent(&one, pair, strlen(pair));
		buf_byte(&one, '=');
		text_percent(&one, value, strlen(value));
		pairs[count++] = arena_copy(ask->arena, one.data, one.len);
		buf_clear(&one);
		query += len + (query[len] == '&');
	}
	qsort(pairs, count, sizeof(*pairs), by_bytes);
	for (size_t i = 0; i < count; i++)
		buf_format(&out, "%s%s", i > 0 ? "&" : "", pairs[i]);
	const char *result = arena_copy(ask->arena, buf_string(&out), out.len);
	buf_clear(&out);
	return result;
}

/* A member of the Authorization field: name=value up to the comma. */
static const char *member(struct ask *ask, const char *field, const char *name)
{
	const char *at = strstr(field, name);
	if (at == NULL)
		return "";
	at += strlen(name);
	return arena_copy(ask->arena, at, strcspn(at, ","));
}

static const char *trimmed(struct ask *ask, const char *value)
{
	value += strspn(value, " ");
	size_t len = strlen(value);
	while (len > 0 && value[len - 1] == ' ')
		len--;
	return arena_copy(ask->arena, value, len);
}

/* NULL where a header that is signed is not there. */
static const char *right_signature(struct ask *ask, const char *names)
{
	struct buf text = { 0 };
	const char *query = ask->query != NULL ? ask->query : "";
	buf_format(&text, "%s\n%s\n%s\n", ask->method, ask->path, canonical_query(ask, query));
	for (const char *at = names; *at != '\0';) {
		size_t len = strcspn(at, ";");
		const char *name = arena_copy(ask->arena, at, len);
		const char *value = ask_field(ask, name);
		if (value == NULL) {
			buf_clear(&text);
			return NULL;
		}
		buf_format(&text, "%s:%s\n", name, trimmed(ask, value));
		at += len + (at[len] == ';');
	}
	buf_format(&text, "\n%s\n%s", names, sha256_hex(ask->arena, ask->body, ask->len));
	const char *string = arena_format(ask->arena, "ACS3-HMAC-SHA256\n%s",
					  sha256_hex(ask->arena, text.data, text.len));
	buf_clear(&text);
	return hmac256_hex(ask->arena, setting(ask->sim, "access_key_secret"), string,
			   strlen(string));
}

static bool nonce_is_new(struct aliyun *own, const char *nonce)
{
	for (size_t i = 0; i < own->nonce_count; i++)
		if (strcmp(own->nonces[i], nonce) == 0)
			return false;
	size_t at = own->nonce_count < NONCES_MAX ? own->nonce_count++ : 0;
	snprintf(own->nonces[at], sizeof(own->nonces[0]), "%s", nonce);
	return true;
}

static const char *wrong_with_signature(struct ask *ask)
{
	const char *field = ask_field(ask, "Authorization");
	const char *date = ask_field(ask, "x-acs-date");
	const char *nonce = ask_field(ask, "x-acs-signature-nonce");
	const char *hash = ask_field(ask, "x-acs-content-sha256");
	if (field == NULL || !text_starts(field, "ACS3-HMAC-SHA256 ") || date == NULL ||
	    nonce == NULL || hash == NULL)
		return "MissingAuthorization";
	if (strcmp(member(ask, field, "Credential="), setting(ask->sim, "access_key_id")) != 0)
		return "InvalidAccessKeyId.NotFound";
	const char *names = member(ask, field, "SignedHeaders=");
	static const char *const needed[] = {
		"host",       "x-acs-action",          "x-acs-version",
		"x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"
	};
	for (size_t i = 0; i < COUNT_OF(needed); i++)
		if (!text_has_word(names, ';', needed[i]))
			return "SignatureDoesNotMatch";
	const char *right = right_signature(ask, names);
	if (right == NULL || strcmp(right, member(ask, field, "Signature=")) != 0 ||
	    strcmp(hash, sha256_hex(ask->arena, ask->body, ask->len)) != 0)
		return "SignatureDoesNotMatch";
	int64_t at = text_parse_time(date);
	int64_t now = setting(ask->sim, "now")[0] != '\0'
			      ? text_parse_time(setting(ask->sim, "now"))
			      : sim_now_ms();
	if (at < now - DATE_SPAN_MS || at > now + DATE_SPAN_MS)
		return "InvalidTimeStamp.Expired";
	return nonce_is_new(ask->sim->own, nonce) ? NULL : "SignatureNonceUsed";
}

/* ---- SendSms ---- */

static const char *argument(struct ask *ask, const char *name)
{
	const char *value = ask_query(ask, name);
	return value != NULL ? value : ask_form(ask, name);
}

static bool number_is_right(const char *number)
{
	if (number == NULL)
		return false;
	if (text_starts(number, "+86"))
		number += 3;
	else if (text_starts(number, "86") && strlen(number) == 13)
		number += 2;
	return strlen(number) == 11 && number[0] == '1' && strspn(number, "0123456789") == 11;
}

/* "SMS_1:name+code,SMS_2:": the variables of one template; NULL: there is none such. */
static const char *variables_of(struct ask *ask, const char *template)
{
	const char *at = setting(ask->sim, "templates");
	while (template != NULL && *at != '\0') {
		size_t len = strcspn(at, ",");
		size_t name = strcspn(at, ":,");
		if (strlen(template) == name && strncmp(at, template, name) == 0)
			return arena_copy(ask->arena, at + name + (at[name] == ':'),
					  len - name - (at[name] == ':'));
		at += len + (at[len] == ',');
	}
	return NULL;
}

static void check_value(const char *key, struct json_object *value, void *context)
{
	bool *all_texts = context;
	(void)key;
	*all_texts = *all_texts && json_kind(value) == JSON_TEXT;
}

static const char *wrong_with_params(struct ask *ask, const char *variables)
{
	const char *given = argument(ask, "TemplateParam");
	struct error err;
	bool all_texts = true;
	struct json_object *json = given != NULL ? json_read(given, strlen(given), &err) : NULL;
	const char *wrong = NULL;
	if (given != NULL && json_kind(json) != JSON_OBJECT)
		wrong = "isv.INVALID_JSON_PARAM";
	json_each_field(json, check_value, &all_texts);
	if (!all_texts)
		wrong = "isv.INVALID_PARAMETERS";
	for (const char *at = variables; wrong == NULL && *at != '\0';) {
		size_t len = strcspn(at, "+");
		if (json_text(json, arena_copy(ask->arena, at, len)) == NULL)
			wrong = "isv.TEMPLATE_MISSING_PARAMETERS";
		at += len + (at[len] == '+');
	}
	json_free(&json);
	return wrong;
}

static const char *wrong_with(struct ask *ask, const char *number)
{
	const char *sign_name = argument(ask, "SignName");
	const char *variables = variables_of(ask, argument(ask, "TemplateCode"));
	const struct person *person = person_find(ask->sim, number);
	if (!number_is_right(number))
		return "isv.MOBILE_NUMBER_ILLEGAL";
	if (sign_name == NULL || !text_has_word(setting(ask->sim, "sign_names"), ',', sign_name))
		return "isv.SMS_SIGNATURE_ILLEGAL";
	if (variables == NULL)
		return "isv.SMS_TEMPLATE_ILLEGAL";
	const char *wrong = wrong_with_params(ask, variables);
	if (wrong == NULL && person != NULL && person->is_blocked)
		wrong = "isv.BLACK_KEY_CONTROL_LIMIT";
	return wrong;
}

static void on_send(struct ask *ask)
{
	const char *number = argument(ask, "PhoneNumbers");
	const char *wrong = wrong_with(ask, number);
	if (wrong != NULL) {
		refuse(ask, wrong, "the message cannot be sent");
		return;
	}
	const char *id =
		arena_format(ask->arena, "93270230408%06lld^0", (long long)next_number(ask->sim));
	/* The template's code is its text: free text cannot be sent. */
	accept_send(ask, &(struct accepted){ .id = id,
					     .to = number,
					     .kind = argument(ask, "TemplateCode"),
					     .text = argument(ask, "TemplateParam"),
					     .media = argument(ask, "SmsUpExtendCode"),
					     .key = argument(ask, "OutId") });
	answer_json(
		ask, 200,
		"{\"Code\":\"OK\",\"Message\":\"OK\",\"BizId\":\"%s\",\"RequestId\":\"9B4-SIM\"}",
		id);
}

static void on_details(struct ask *ask)
{
	const char *number = argument(ask, "PhoneNumber");
	const char *wanted = argument(ask, "BizId");
	const char *date = argument(ask, "SendDate");
	struct buf out = { 0 };
	size_t count = 0;
	if (number == NULL || date == NULL || strlen(date) != 8 ||
	    argument(ask, "PageSize") == NULL || argument(ask, "CurrentPage") == NULL) {
		refuse(ask, "isv.INVALID_PARAMETERS",
		       "PhoneNumber, SendDate, PageSize, CurrentPage");
		return;
	}
	for (size_t i = ask->sim->sent.count; i > 0; i--) {
		const char *line = ask->sim->sent.items[i - 1];
		struct json_object *sent = json_read(line, strlen(line), NULL);
		bool fits = strcmp(said(sent, "to", ""), number) == 0 &&
			    (wanted == NULL || strcmp(said(sent, "id", ""), wanted) == 0);
		if (fits)
			buf_format(
				&out,
				"%s{\"PhoneNum\":\"%s\",\"SendStatus\":3,\"ErrCode\":\"DELIVERED\","
				"\"TemplateCode\":\"%s\",\"Content\":\"-\",\"OutId\":%s}",
				count++ > 0 ? "," : "", number, said(sent, "kind", ""),
				quote(ask->arena, said(sent, "key", "")));
		json_free(&sent);
	}
	answer_json(
		ask, 200,
		"{\"Code\":\"OK\",\"Message\":\"OK\",\"RequestId\":\"9B4-SIM\",\"TotalCount\":%zu,"
		"\"SmsSendDetailDTOs\":{\"SmsSendDetailDTO\":[%s]}}",
		count, buf_string(&out));
	buf_clear(&out);
}

static void on_api(struct ask *ask)
{
	const char *action = ask_field(ask, "x-acs-action");
	const char *wrong = wrong_with_signature(ask);
	if (wrong != NULL)
		refuse(ask, wrong, "the request is not signed as it must be");
	else if (!text_equal(ask_field(ask, "x-acs-version"), "2017-05-25"))
		refuse(ask, "InvalidVersion", "Specified parameter Version is not valid.");
	else if (text_equal(action, "SendSms"))
		on_send(ask);
	else if (text_equal(action, "QuerySendDetails"))
		on_details(ask);
	else if (text_has_word("QuerySmsTemplateList,QuerySmsSignList", ',', action))
		answer_json(ask, 200,
			    "{\"Code\":\"OK\",\"Message\":\"OK\",\"RequestId\":\"9B4-SIM\"}");
	else
		refuse(ask, "InvalidAction.NotFound", "no such action");
}

/* ---- pushes ---- */

static const char *check(struct post *post, int status, const char *body)
{
	struct error err;
	struct json_object *json = json_read(body, strlen(body), &err);
	const char *wrong = NULL;
	if (status != 200)
		wrong = status == 0 ? "no answer in 700 ms" : "not 200";
	else if (post->took_ms > ANSWER_MS)
		wrong = "later than 700 ms";
	else if (json_kind(json_at(json, "code")) != JSON_NUMBER)
		wrong = "no number in code";
	json_free(&json);
	return wrong;
}

/* "2026-01-02 10:55:45", in China, without saying so. */
static const char *china_time(struct arena *arena)
{
	char text[32];
	struct tm parts;
	time_t when = (time_t)(sim_now_ms() / 1000 + CHINA_S);
	gmtime_r(&when, &parts);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
	return arena_text(arena, text);
}

static struct post *push(struct standin *sim, const char *id, struct json_object *what,
			 const struct buf *body)
{
	struct post *post = post_new(sim, id, what);
	post_body(post, "application/json", body->data, body->len);
	post->check = check;
	return post;
}

static void add_up(struct standin *sim, struct json_object *what, const char *text, struct buf *out)
{
	struct arena *arena = arena_new(0);
	/* Newer pages have texts as ids, older ones numbers. */
	const char *mark = strcmp(setting(sim, "sequence_id"), "number") == 0 ? "" : "\"";
	buf_format(out,
		   "%s{\"phone_number\":%s,\"content\":%s,\"send_time\":\"%s\",\"dest_code\":%s,"
		   "\"sequence_id\":%s1234%06lld%s%s}",
		   out->len > 1 ? "," : "", quote(arena, said(what, "from", "13900000000")),
		   quote(arena, text), china_time(arena),
		   quote(arena, said(what, "dest_code", "1234")), mark, (long long)next_number(sim),
		   mark, mark[0] == '\0' ? ",\"sign_name\":\"测试\"" : "");
	arena_free(&arena);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct json_object *texts = json_at(what, "texts");
	const char *raw = json_text(what, "raw");
	struct buf body = { 0 };
	buf_text(&body, "[");
	for (size_t i = 0; i < json_count(texts); i++)
		add_up(sim, what, json_string(json_item(texts, i)), &body);
	if (json_count(texts) == 0)
		add_up(sim, what, said(what, "text", ""), &body);
	buf_text(&body, "]");
	if (raw != NULL) {
		buf_reset(&body);
		buf_text(&body, raw);
	}
	snprintf(ret_id, 128, "1234%06lld", (long long)sim->counter);
	person_of(sim, said(what, "from", "13900000000"));
	post_start(push(sim, ret_id, what, &body));
	buf_clear(&body);
	return NULL;
}

static const char *receipt(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	struct buf body = { 0 };
	bool is_failed = strcmp(said(what, "status", "delivered"), "failed") == 0;
	const char *number = said(what, "to", "13900000000");
	const char *out_id = "";
	snprintf(ret_id, 128, "%s", said(what, "id", ""));
	for (size_t i = 0; i < sim->sent.count; i++) {
		struct json_object *line =
			json_read(sim->sent.items[i], strlen(sim->sent.items[i]), NULL);
		if (strcmp(said(line, "id", ""), ret_id) == 0) {
			number = arena_text(arena, said(line, "to", number));
			out_id = arena_text(arena, said(line, "key", ""));
		}
		json_free(&line);
	}
	buf_format(
		&body,
		"[{\"phone_number\":%s,\"send_time\":\"%s\",\"report_time\":\"%s\",\"success\":%s,"
		"\"err_code\":\"%s\",\"err_msg\":\"-\",\"sms_size\":\"1\",\"biz_id\":%s,\"out_id\":"
		"%s}]",
		quote(arena, number), china_time(arena), china_time(arena),
		is_failed ? "false" : "true",
		is_failed ? said(what, "code", "MOBILE_NOT_ON_SERVICE") : "DELIVERED",
		quote(arena, ret_id), quote(arena, out_id));
	struct post *post = push(sim, ret_id, what, &body);
	if (setting(sim, "report_in")[0] != '\0')
		post->url = arena_text(post->arena, setting(sim, "report_in"));
	post_start(post);
	buf_clear(&body);
	arena_free(&arena);
	return NULL;
}

/* Saving the address in the console probes it. */
static const char *handshake(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct buf body = { 0 };
	buf_text(&body, "[]");
	struct post *post = push(sim, "probe", what, &body);
	snprintf(ret_id, 128, "probe");
	post->is_once = true;
	post_start(post);
	buf_clear(&body);
	return NULL;
}

static const struct setting_default settings[] = {
	{ "access_key_id", "YourAccessKeyId" },
	{ "access_key_secret", "YourAccessKeySecret" },
	{ "sign_names", "阿里云短信测试专用,测试" },
	{ "templates", "SMS_71390007:customer,SMS_100:" }, /* code:variable+variable */
	{ "sequence_id", "text" },                         /* or number */
	{ "report_in", "" },                               /* where reports go, if not to "in" */
	{ "now", "" },                                     /* for known answers */
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/", "send", on_api },
	{ "GET", "/", "send", on_api },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 60000, 300000, 600000, -1 };

const struct provider aliyun_sms_provider = {
	.name = "aliyun_sms",
	.settings = settings,
	.routes = routes,
	.answer_ms = ANSWER_MS,
	.retry_ms = retry_ms,
	.token_code = "SignatureDoesNotMatch",
	.own_size = sizeof(struct aliyun),
	.error = error,
	.trouble = trouble,
	.say = say,
	.receipt = receipt,
	.handshake = handshake,
};
