/* http_sms, the way out: a request made of templates, and what its answer says. */
#include <stdlib.h>
#include <string.h>

#include "http_sms_private.h"
#include "http_sms_template.h"

static const char *const methods[] = { "POST", "GET", "PUT" };

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

const struct host_pair *http_sms_values(const struct http_sms_settings *settings,
					struct arena *arena, const struct outbound *message)
{
	const struct host *host = http_sms_host();
	const char *to = message ? message->to : "";
	const char *text = message ? message->text : "";
	int64_t now_ms = host->unix_ms();
	struct host_pair values[] = {
		{ "to", to },
		{ "to_digits", to[0] == '+' ? to + 1 : to },
		{ "from", or_empty(settings->number) },
		{ "text", text },
		{ "signed_text", text },
		{ "id", message ? message->id : "" },
		{ "key", or_empty(settings->api_key) },
		{ "user", or_empty(settings->user) },
		{ "password", or_empty(settings->password) },
		{ "sign_name", or_empty(settings->sign_name) },
		{ "now_s", host->format(arena, "%lld", (long long)now_ms / 1000) },
		{ "now_ms", host->format(arena, "%lld", (long long)now_ms) },
		{ NULL, NULL },
	};
	struct host_pair *kept = host->alloc(arena, sizeof(values));

	if (settings->sign_name && settings->sign_name[0])
		values[4].value = host->format(arena, "【%s】%s", settings->sign_name, text);
	memcpy(kept, values, sizeof(values));
	return kept;
}

const char *const *http_sms_fields(const struct http_sms_settings *settings, struct arena *arena,
				   const struct host_pair *values)
{
	static const char *const types[] = { "application/json",
					     "application/x-www-form-urlencoded", "application/xml",
					     "text/plain; charset=utf-8" };
	const struct host *host = http_sms_host();
	size_t count = settings->send.headers.count;
	const char **fields = host->alloc(arena, (2 * count + 3) * sizeof(*fields));
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		const char *line = sms_template_fill(host, arena, settings->send.headers.items[i],
						     SMS_ESCAPE_TEXT, values);
		const char *colon = strchr(line, ':');

		if (!colon)
			continue; /* open() refused it */
		fields[used++] = host->copy(arena, line, (size_t)(colon - line));
		fields[used++] = colon + 1 + strspn(colon + 1, " ");
	}
	if (settings->send.body && settings->send.body[0]) {
		fields[used++] = "Content-Type";
		fields[used++] = types[settings->send.type];
	}
	return fields;
}

/* ---- the answer ---- */

/* What an answer says at a place: of JSON a path, of a text the word behind a mark. */
static const char *said(const struct http_sms_answer *rules, const char *place,
			const struct host_answer *answer, struct json_object *body,
			struct arena *arena)
{
	const char *text;

	if (!place || !place[0])
		return "";
	if (rules->format == 0)
		return body ? http_sms_scalar(arena, body, place) : "";
	text = http_sms_host()->copy(arena, answer->body, answer->body_len);
	text = strstr(text, place);
	if (!text)
		return "";
	text += strlen(place);
	return http_sms_host()->copy(arena, text, strcspn(text, " \t\r\n,;"));
}

static bool is_accepted(const struct http_sms_answer *rules, const struct host_answer *answer,
			struct json_object *body, struct arena *arena)
{
	const char *accepted = or_empty(rules->accepted);

	if (answer->status < 200 || answer->status > 299)
		return false;
	if (!accepted[0])
		return true;
	if (rules->format == 0)
		return body &&
		       http_sms_is_among(
			       accepted,
			       http_sms_scalar(arena, body, http_sms_path_of(arena, accepted)));
	return answer->body_len >= strlen(accepted) &&
	       memcmp(answer->body, accepted, strlen(accepted)) == 0;
}

static enum send_failure failure_of(const struct http_sms_answer *rules, long status,
				    const char *code)
{
	if (http_sms_listed(&rules->retry_codes, code))
		return SEND_RETRY;
	if (http_sms_listed(&rules->reauth_codes, code) || status == 401 || status == 403)
		return SEND_REAUTH;
	return status == 429 || status >= 500 ? SEND_RETRY : SEND_PERMANENT;
}

struct sending {
	const struct http_sms_answer *rules;
	struct delivery *delivery;
};

static void on_answer(const struct host_answer *answer, struct json_object *body,
		      struct arena *arena, void *context)
{
	const struct host *host = http_sms_host();
	struct sending *sending = context;
	const struct http_sms_answer *rules = sending->rules;
	struct delivery *delivery = sending->delivery;
	const char *code, *id;

	free(sending);
	if (answer->error) {
		provider_unreached(host, delivery, answer, false);
		return;
	}
	code = said(rules, rules->code, answer, body, arena);
	id = said(rules, rules->id, answer, body, arena);
	if (is_accepted(rules, answer, body, arena) && (id[0] || !or_empty(rules->id)[0]))
		host->sent(delivery, id[0] ? id : NULL);
	else if (answer->status >= 200 && answer->status < 300 && !code[0])
		host->failed(delivery, SEND_UNKNOWN, "unreadable",
			     "the answer says neither that it was accepted nor why not", -1);
	else
		host->failed(delivery, failure_of(rules, answer->status, code),
			     code[0] ? code : host->format(arena, "%ld", answer->status),
			     said(rules, rules->why, answer, body, arena), answer->retry_after_ms);
}

void http_sms_send(struct channel *channel, const struct outbound *message,
		   struct delivery *delivery)
{
	const struct host *host = http_sms_host();
	const struct http_sms_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	const struct host_pair *values = http_sms_values(settings, arena, message);
	struct sending *sending = malloc(sizeof(*sending));
	struct host_http call = { .method = methods[settings->send.method],
				  .fields = http_sms_fields(settings, arena, values),
				  .has_effect = true,
				  .allow_private = settings->allow_private_urls };

	if (!sending)
		abort();
	*sending = (struct sending){ &settings->answer, delivery };
	call.url = sms_template_fill(host, arena, settings->send.url, SMS_ESCAPE_FORM, values);
	if (settings->send.body && settings->send.body[0]) {
		call.body = sms_template_fill(host, arena, settings->send.body,
					      (enum sms_escape)settings->send.type, values);
		call.body_len = strlen(call.body);
	}
	provider_call(host, channel, &call, on_answer, sending);
	host->arena_free(arena);
}

/* ---- test ---- */

static void on_tried(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct provider_trial *trial = context;
	bool ok = !answer->error && answer->status >= 200 && answer->status < 300;

	(void)body;
	provider_tried(trial, ok,
		       ok              ? "the gateway answers"
		       : answer->error ? answer->error
				       : http_sms_host()->format(arena, "the gateway answers %ld",
								 answer->status));
}

void http_sms_test(struct channel *channel,
		   void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	const struct host *host = http_sms_host();
	const struct http_sms_settings *settings = host->channel_settings(channel);
	const struct host_pair *values;
	struct arena *arena;
	struct provider_trial *trial;
	struct host_http call = { .method = "GET", .allow_private = settings->allow_private_urls };

	if (!settings->test_url || !settings->test_url[0]) {
		done(true, "there is no test_url: nothing was asked", context);
		return;
	}
	trial = provider_trial_new(done, context);
	arena = host->arena_new();
	values = http_sms_values(settings, arena, NULL);
	call.fields = http_sms_fields(settings, arena, values);
	call.url = sms_template_fill(host, arena, settings->test_url, SMS_ESCAPE_FORM, values);
	provider_call(host, channel, &call, on_tried, trial);
	host->arena_free(arena);
}
