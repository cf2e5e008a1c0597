/* Twilio: SMS and MMS, status callbacks, and the callbacks of calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { BODY_MAX = 1600, MEDIA_MAX = 10, PARAMS_MAX = 40, RECEIVED_MAX = 500 };

/* What customers sent, for those who ask afterwards; and where the fate of a message is told. */
struct twilio {
	char *received[RECEIVED_MAX];
	size_t count;
};

static void error(struct ask *ask, const char *code, const char *detail)
{
	static const struct {
		const char *code;
		int status;
		const char *words;
	} rows[] = {
		{ "20003", 401, "Authenticate" },
		{ "20404", 404, "The requested resource was not found" },
		{ "20429", 429, "Too Many Requests" },
		{ "21211", 400, "Invalid 'To' Phone Number" },
		{ "21602", 400, "Message body is required." },
		{ "21603", 400, "A 'From' phone number is required." },
		{ "21606", 400,
		  "The 'From' phone number provided is not a valid message-capable "
		  "Twilio phone number" },
		{ "21610", 400, "Attempt to send to unsubscribed recipient" },
		{ "21617", 400, "The concatenated message body exceeds the 1600 character limit" },
		{ "21623", 400, "Number of media files exceeds allowed limit" },
		{ "30034", 400, "US A2P 10DLC - Message from an Unregistered Number" },
	};
	int status = 400;
	const char *words = detail;
	if (strcmp(code, "not_found") == 0)
		code = "20404";
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].code, code) == 0) {
			status = rows[i].status;
			words = rows[i].words;
		}
	answer_json(ask, status,
		    "{\"code\":%s,\"message\":%s,\"more_info\":\"https://www.twilio.com/docs/"
		    "errors/%s\","
		    "\"status\":%d}",
		    code, quote(ask->arena, words), code, status);
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	(void)seconds;
	return arena_format(ask->arena,
			    "{\"code\":%d,\"message\":\"%s\",\"more_info\":\"\",\"status\":%d}",
			    status == 429 ? 20429 : 20500,
			    status == 429 ? "Too Many Requests" : "Internal Server Error", status);
}

/* HTTP Basic, by the account's token or an API key. */
static bool login_is_right(struct ask *ask)
{
	char given[256] = "";
	const char *field = ask_field(ask, "Authorization");
	struct standin *sim = ask->sim;
	long len = -1;
	if (field != NULL && text_starts(field, "Basic "))
		len = text_unbase64(field + 6, strlen(field + 6), given, sizeof(given) - 1);
	given[len > 0 ? len : 0] = '\0';
	if (strcmp(given, arena_format(ask->arena, "%s:%s", setting(sim, "account_sid"),
				       setting(sim, "auth_token"))) == 0 ||
	    strcmp(given, arena_format(ask->arena, "%s:%s", setting(sim, "api_key_sid"),
				       setting(sim, "api_key_secret"))) == 0)
		return true;
	refuse(ask, "20003", "user or password is wrong");
	return false;
}

static bool account_is_right(struct ask *ask)
{
	if (!login_is_right(ask))
		return false;
	if (strcmp(ask->rest[0], setting(ask->sim, "account_sid")) == 0)
		return true;
	refuse(ask, "not_found", "not your account");
	return false;
}

/* ---- sends ---- */

static bool number_is_right(const char *number)
{
	if (number == NULL)
		return false;
	if (text_starts(number, "whatsapp:"))
		number += strlen("whatsapp:");
	size_t digits = number[0] == '+' ? strspn(number + 1, "0123456789") : 0;
	return digits >= 7 && digits <= 15 && number[1] != '0' && number[1 + digits] == '\0';
}

/* How often a field stands in the form. */
static size_t count_of(struct ask *ask, const char *name)
{
	const char *mark = arena_format(ask->arena, "%s=", name);
	size_t count = 0;
	for (const char *at = ask->body; (at = strstr(at, mark)) != NULL; at += strlen(mark))
		count += at == ask->body || at[-1] == '&' ? 1 : 0;
	return count;
}

static const char *wrong_with(struct ask *ask, const char *to)
{
	const char *from = ask_form(ask, "From");
	const char *service = ask_form(ask, "MessagingServiceSid");
	const char *body = ask_form(ask, "Body");
	const struct person *person = person_find(ask->sim, to);
	if (!number_is_right(to))
		return "21211";
	if (from == NULL && service == NULL)
		return "21603";
	if (from != NULL && !text_equal(from, setting(ask->sim, "number")))
		return "21606";
	if (service != NULL && !text_starts(service, "MG"))
		return "21606";
	if ((body == NULL || body[0] == '\0') && count_of(ask, "MediaUrl") == 0)
		return "21602";
	if (body != NULL && text_characters(body, strlen(body)) > BODY_MAX)
		return "21617";
	if (count_of(ask, "MediaUrl") > MEDIA_MAX)
		return "21623";
	return person != NULL && person->is_blocked ? "21610" : NULL;
}

static void on_message(struct ask *ask)
{
	if (!account_is_right(ask))
		return;
	const char *to = ask_form(ask, "To");
	const char *wrong = wrong_with(ask, to);
	if (wrong != NULL) {
		refuse(ask, wrong, "the message cannot be sent");
		return;
	}
	const char *media = ask_form(ask, "MediaUrl");
	const char *id = arena_format(ask->arena, "%s%032lld", media != NULL ? "MM" : "SM",
				      (long long)next_number(ask->sim));
	/* key: where its fate is to be told */
	accept_send(ask, &(struct accepted){ .id = id,
					     .to = to,
					     .kind = media != NULL ? "media" : "text",
					     .text = ask_form(ask, "Body"),
					     .media = media,
					     .key = ask_form(ask, "StatusCallback") });
	answer_json(ask, 201,
		    "{\"sid\":\"%s\",\"account_sid\":\"%s\",\"status\":\"queued\",\"to\":%s,"
		    "\"from\":%s,"
		    "\"body\":%s,\"num_segments\":\"1\",\"num_media\":\"%zu\",\"error_code\":null,"
		    "\"error_message\":null,\"direction\":\"outbound-api\"}",
		    id, ask->rest[0], quote(ask->arena, to),
		    quote(ask->arena, ask_form(ask, "From")),
		    quote(ask->arena, ask_form(ask, "Body")), count_of(ask, "MediaUrl"));
}

static void on_list(struct ask *ask)
{
	const struct twilio *own = ask->sim->own;
	struct buf out = { 0 };
	if (!account_is_right(ask))
		return;
	for (size_t i = own->count; i > 0; i--)
		buf_format(&out, "%s%s", out.len > 0 ? "," : "", own->received[i - 1]);
	answer_json(ask, 200,
		    "{\"messages\":[%s],\"page\":0,\"page_size\":50,\"next_page_uri\":null}",
		    buf_string(&out));
	buf_clear(&out);
}

static void on_account(struct ask *ask)
{
	if (!login_is_right(ask))
		return;
	if (strncmp(ask->rest[0], setting(ask->sim, "account_sid"),
		    strlen(setting(ask->sim, "account_sid"))) != 0)
		refuse(ask, "not_found", "not your account");
	else
		answer_json(ask, 200,
			    "{\"sid\":\"%s\",\"friendly_name\":\"Sim\",\"status\":\"active\"}",
			    setting(ask->sim, "account_sid"));
}

static void on_call(struct ask *ask)
{
	if (!account_is_right(ask))
		return;
	accept_send(ask, &(struct accepted){ .id = ask->rest[1],
					     .kind = "call",
					     .text = ask_form(ask, "Status"),
					     .media = ask_form(ask, "Twiml") });
	answer_json(ask, 200, "{\"sid\":\"%s\",\"status\":\"in-progress\"}",
		    arena_copy(ask->arena, ask->rest[1], strcspn(ask->rest[1], ".")));
}

/* A file lies elsewhere: the way there needs the login, the place refuses it. */
static void on_media(struct ask *ask)
{
	if (!account_is_right(ask))
		return;
	const struct media *media = media_find(ask->sim, ask->rest[2]);
	const char *port = strrchr(ask->sim->listen, ':');
	if (media == NULL) {
		refuse(ask, "not_found", "no such file");
	} else if (strcmp(setting(ask->sim, "media_redirect"), "yes") != 0) {
		answer_media(ask, media);
	} else {
		answer_field(ask, "Location",
			     arena_format(ask->arena, "http://localhost%s/s3/%s", port, media->id));
		answer(ask, 307, NULL, "", 0);
	}
}

/* The sound of a call, as MP3 where the address asks for that. */
static void on_recording(struct ask *ask)
{
	if (!account_is_right(ask))
		return;
	const struct media *media = media_find(
		ask->sim, arena_copy(ask->arena, ask->rest[1], strcspn(ask->rest[1], ".")));
	if (media == NULL)
		refuse(ask, "not_found", "no such recording");
	else
		answer_media(ask, media);
}

static void on_stored(struct ask *ask)
{
	const struct media *media = media_find(ask->sim, ask->rest[0]);
	if (ask_field(ask, "Authorization") != NULL)
		answer(ask, 400, "application/xml", "<Error><Code>InvalidArgument</Code></Error>",
		       43);
	else if (media == NULL)
		refuse(ask, "not_found", "no such file");
	else
		answer_media(ask, media);
}

/* ---- what is posted ---- */

struct params {
	const char *names[PARAMS_MAX];
	const char *values[PARAMS_MAX];
	size_t count;
};

static void add(struct params *params, const char *name, const char *value)
{
	if (value == NULL || params->count == PARAMS_MAX)
		return;
	params->names[params->count] = name;
	params->values[params->count++] = value;
}

static void add_given(const char *key, struct json_object *value, void *context)
{
	add(context, key, json_string(value));
}

/* The address as it stands in the console: what is signed. */
static const char *signed_url(struct post *post)
{
	const char *given = setting(post->sim, "signed_url");
	const char *reply = post->given_nonce; /* the StatusCallback of a message */
	if (reply != NULL)
		return reply;
	if (given[0] != '\0' && given[strlen(given) - 1] == '*') {
		const char *to = post->url != NULL ? post->url : setting(post->sim, "in");
		const char *path = strstr(to, "://");

		path = path != NULL ? strchr(path + 3, '/') : NULL;
		return arena_format(post->arena, "%.*s%s", (int)strlen(given) - 1, given,
				    path != NULL ? path : "/");
	}
	if (given[0] != '\0')
		return given;
	return post->url != NULL ? post->url : setting(post->sim, "in");
}

struct pair {
	const char *name;
	const char *value;
};

static int by_name(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;
	int order = strcmp(left->name, right->name);
	return order != 0 ? order : strcmp(left->value, right->value);
}

/* The form's fields, decoded and sorted by name, each name with its value. */
static void add_sorted(struct post *post, struct buf *text)
{
	struct pair pairs[PARAMS_MAX];
	size_t count = 0;
	for (const char *at = post->body; *at != '\0' && count < PARAMS_MAX;) {
		size_t len = strcspn(at, "&");
		char *name = arena_copy(post->arena, at, len);
		char *value = strchr(name, '=');
		*value++ = '\0';
		text_unpercent(value, strlen(value), true, value, strlen(value) + 1);
		pairs[count++] = (struct pair){ name, value };
		at += len + (at[len] == '&');
	}
	qsort(pairs, count, sizeof(*pairs), by_name);
	for (size_t i = 0; i < count; i++)
		buf_format(text, "%s%s", pairs[i].name, pairs[i].value);
}

static void sign(struct post *post)
{
	struct buf text = { 0 };
	const char *url = signed_url(post);
	buf_text(&text, url);
	if (text_starts(post->type, "application/json")) {
		const char *hash = sha256_hex(post->arena, post->body, post->len);
		buf_format(&text, "%cbodySHA256=%s", strchr(url, '?') != NULL ? '&' : '?', hash);
		post_query(post, "bodySHA256", hash);
	} else {
		add_sorted(post, &text);
	}
	post_field(post, "X-Twilio-Signature",
		   hmac1_base64(post->arena, secret(post->sim, "auth_token"), text.data, text.len));
	post_field(post, "I-Twilio-Idempotency-Token", post->id);
	buf_clear(&text);
}

/* No repetition unless the address asks for it (#rc=). */
static const char *check(struct post *post, int status, const char *body)
{
	const char *type = status != 0 ? post_answer_field(post, "Content-Type") : NULL;
	post->is_last = post->attempts > strtoll(setting(post->sim, "retries"), NULL, 10);
	if (status != 200 && status != 204)
		return status == 0 ? "no answer in 15 s (11205)" : "not 200 (11200)";
	if (body[0] == '\0')
		return NULL;
	if (type == NULL || strstr(type, "xml") == NULL)
		return "a body that is no text/xml (12300)";
	return strstr(body, "<Response") != NULL ? NULL : "no TwiML (12100)";
}

static const char *check_call(struct post *post, int status, const char *body)
{
	const char *wrong = check(post, status, body);
	return wrong == NULL && body[0] == '\0' ? "a call that rings needs TwiML" : wrong;
}

static struct post *form_post(struct standin *sim, const char *id, struct json_object *what,
			      const struct params *params)
{
	struct post *post = post_new(sim, id, what);
	struct buf body = { 0 };
	for (size_t i = 0; i < params->count; i++) {
		buf_format(&body, "%s%s=", i > 0 ? "&" : "", params->names[i]);
		text_percent(&body, params->values[i], strlen(params->values[i]));
	}
	post_body(post, "application/x-www-form-urlencoded; charset=UTF-8", buf_string(&body),
		  body.len);
	buf_clear(&body);
	post->sign = sign;
	post->check = check;
	return post;
}

static void add_call(struct standin *sim, struct json_object *what, const char *id,
		     struct params *params, struct arena *arena)
{
	const char *status = said(what, "status", "ringing");
	bool is_ringing = strcmp(status, "ringing") == 0;
	add(params, "CallSid", id);
	add(params, "AccountSid", setting(sim, "account_sid"));
	add(params, "From", said(what, "from", "+15005550001"));
	add(params, "To", setting(sim, "number"));
	add(params, "CallStatus", status);
	add(params, "ApiVersion", "2010-04-01");
	add(params, "Direction", "inbound");
	add(params, "CallerName", json_text(what, "name"));
	if (is_ringing && !json_has(what, "sequence"))
		return;
	add(params, "CallbackSource", "call-progress-events");
	add(params, "SequenceNumber", said(what, "sequence", "0"));
	add(params, "Timestamp", said(what, "at", "Fri, 02 Jan 2026 02:55:45 +0000"));
	add(params, "CallDuration", json_text(what, "duration"));
	if (json_has(what, "duration"))
		add(params, "Duration", "1");
	const char *recording = arena_format(arena, "RE%lld", (long long)next_number(sim));
	if (media_said(sim, what, recording) == NULL)
		return;
	add(params, "RecordingSid", recording);
	add(params, "RecordingDuration", said(what, "duration", "0"));
	add(params, "RecordingUrl",
	    arena_format(arena, "%s/2010-04-01/Accounts/%s/Recordings/%s", own_base(sim, arena),
			 setting(sim, "account_sid"), recording));
}

static bool add_message(struct standin *sim, struct json_object *what, const char *id,
			struct params *params, struct arena *arena)
{
	const char *text = said(what, "text", "");
	const char *kind = said(what, "kind", "text");
	const char *media_id = arena_format(arena, "ME%lld", (long long)next_number(sim));
	const struct media *media = media_said(sim, what, media_id);
	bool is_place = strcmp(kind, "location") == 0;
	add(params, "ToCountry", "US");
	add(params, "MessageSid", id);
	add(params, "SmsSid", id);
	add(params, "SmsMessageSid", id);
	add(params, "AccountSid", setting(sim, "account_sid"));
	add(params, "From", said(what, "from", "+15005550001"));
	add(params, "To", setting(sim, "number"));
	add(params, "Body", is_place ? "" : text);
	add(params, "NumMedia", media != NULL ? "1" : "0");
	add(params, "NumSegments", "1");
	add(params, "SmsStatus", "received");
	add(params, "ApiVersion", "2010-04-01");
	add(params, "OptOutType", json_text(what, "opt_out"));
	if (is_place) {
		add(params, "Latitude", said(what, "latitude", "31.2304"));
		add(params, "Longitude", said(what, "longitude", "121.4737"));
		add(params, "Label", text);
	}
	if (media == NULL)
		return strcmp(kind, "text") == 0 || is_place;
	add(params, "MediaContentType0", media->type);
	add(params, "MediaUrl0",
	    arena_format(arena, "%s/2010-04-01/Accounts/%s/Messages/%s/Media/%s",
			 own_base(sim, arena), setting(sim, "account_sid"), id, media_id));
	return true;
}

static void keep_received(struct standin *sim, struct json_object *what, const char *id)
{
	struct twilio *own = sim->own;
	struct arena *arena = arena_new(0);
	if (own->count < RECEIVED_MAX)
		own->received[own->count++] = memory_text(arena_format(
			arena,
			"{\"sid\":\"%s\",\"from\":%s,\"to\":\"%s\",\"body\":%s,\"direction\":"
			"\"inbound\","
			"\"status\":\"received\",\"num_media\":\"0\",\"date_sent\":%s}",
			id, quote(arena, said(what, "from", "+15005550001")),
			setting(sim, "number"), quote(arena, said(what, "text", "")),
			quote(arena, http_date(arena, sim_now_ms() / 1000))));
	arena_free(&arena);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct params params = { 0 };
	struct arena *arena = arena_new(0);
	const char *kind = said(what, "kind", "text");
	const char *raw = json_text(what, "raw");
	bool is_call = strcmp(kind, "call") == 0;
	bool is_right = true;
	snprintf(ret_id, 128, "%s%032lld", is_call ? "CA" : "SM", (long long)next_number(sim));
	if (json_has(what, "id"))
		snprintf(ret_id, 128, "%s", said(what, "id", ""));
	person_of(sim, said(what, "from", "+15005550001"));
	if (json_has(what, "params"))
		json_each_field(json_at(what, "params"), add_given, &params);
	else if (is_call)
		add_call(sim, what, ret_id, &params, arena);
	else
		is_right = add_message(sim, what, ret_id, &params, arena);
	if (is_right) {
		struct post *post = form_post(sim, ret_id, what, &params);
		if (raw != NULL)
			post_body(post, "application/json", raw, strlen(raw));
		if (is_call && setting(sim, "voice_in")[0] != '\0')
			post->url = arena_text(post->arena, setting(sim, "voice_in"));
		if (is_call && strcmp(said(what, "status", "ringing"), "ringing") == 0)
			post->check = check_call;
		if (!is_call)
			keep_received(sim, what, ret_id);
		if (!json_bool(what, "silent", false))
			post_start(post);
		else
			post_free(post);
	}
	arena_free(&arena);
	return is_right ? NULL : "media.base64 is missing or unreadable";
}

/* The callback's path and query at the broker that "in" leads to: its public name leads nowhere
 * here. */
static const char *callback_url(struct standin *sim, struct arena *arena, const char *callback)
{
	const char *in = setting(sim, "in");
	const char *host = strstr(in, "://");
	const char *public_host = strstr(callback, "://");
	if (host == NULL || public_host == NULL)
		return in;
	size_t base = (size_t)(host - in) + 3 + strcspn(host + 3, "/");
	const char *path = public_host + 3 + strcspn(public_host + 3, "/");
	return arena_format(arena, "%.*s%.*s", (int)base, in, (int)strcspn(path, "#"), path);
}

static const char *receipt(struct standin *sim, struct json_object *what, char ret_id[128])
{
	const char *id = said(what, "id", "");
	const char *status = said(what, "status", "delivered");
	struct params params = { 0 };
	struct json_object *line = NULL;
	for (size_t i = 0; i < sim->sent.count && line == NULL; i++) {
		line = json_read(sim->sent.items[i], strlen(sim->sent.items[i]), NULL);
		if (strcmp(said(line, "id", ""), id) != 0)
			json_free(&line);
	}
	const char *callback = json_text(line, "key");
	snprintf(ret_id, 128, "%s", id);
	if (callback != NULL) {
		add(&params, "SmsSid", id);
		add(&params, "SmsStatus", status);
		add(&params, "MessageStatus", status);
		add(&params, "To", said(line, "to", ""));
		add(&params, "MessageSid", id);
		add(&params, "AccountSid", setting(sim, "account_sid"));
		add(&params, "From", setting(sim, "number"));
		add(&params, "ApiVersion", "2010-04-01");
		add(&params, "ErrorCode", json_text(what, "code"));
		struct post *post = form_post(sim, id, what, &params);
		post->url = callback_url(sim, post->arena, callback);
		post->given_nonce = arena_copy(post->arena, callback, strcspn(callback, "#"));
		post_start(post);
	}
	json_free(&line);
	return params.count > 0 ? NULL : "nothing was sent as that id with a StatusCallback";
}

static void end(struct standin *sim)
{
	struct twilio *own = sim->own;
	for (size_t i = 0; i < own->count; i++)
		free(own->received[i]);
}

static const struct setting_default settings[] = {
	{ "account_sid", "AC0123456789abcdef0123456789abcdef" },
	{ "auth_token", "twilio_auth_token_0001" },
	{ "api_key_sid", "SK0123456789abcdef0123456789abcdef" },
	{ "api_key_secret", "simulated-api-key-secret" },
	{ "number", "+15005550006" },
	{ "signed_url", "" }, /* as it stands in the console, where that is not "in"; a * at its
			       * end is the path of "in" */
	{ "voice_in", "" },   /* where calls are told, where that is not "in" */
	{ "media_redirect", "yes" },
	{ "retries", "0" },
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/2010-04-01/Accounts/*/Messages.json", "send", on_message },
	{ "GET", "/2010-04-01/Accounts/*/Messages.json", "poll", on_list },
	{ "GET", "/2010-04-01/Accounts/*/Messages/*/Media/*", "media", on_media },
	{ "GET", "/2010-04-01/Accounts/*/Recordings/*", "media", on_recording },
	{ "POST", "/2010-04-01/Accounts/*/Calls/*", "other", on_call },
	{ "GET", "/2010-04-01/Accounts/*", "other", on_account },
	{ "GET", "/s3/*", "media", on_stored },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 0, 0, 0, 0, 0, -1 };

const struct provider twilio_provider = {
	.name = "twilio",
	.settings = settings,
	.routes = routes,
	.answer_ms = 15000,
	.retry_ms = retry_ms,
	.token_code = "20003",
	.own_size = sizeof(struct twilio),
	.error = error,
	.trouble = trouble,
	.say = say,
	.receipt = receipt,
	.end = end,
};
