/* cti: call events of any phone system, in one form (docs/voice.md), signed by
 * the Standard Webhooks rules like the webhook connector's messages.
 *
 * In only: POST /in/<channel> with one event, or a list of at most 100. Whoever
 * sends repeats what was not answered with 2xx; an event told twice is dropped
 * by its event_id. */
#include <stdlib.h>
#include <string.h>

#include "call_event.h"
#include "standard_webhook.h"

enum { EVENTS_MAX = 100, ID_MAX = 512, TEXT_MAX = 1024, SECONDS_MAX = 366 * 24 * 3600 };

struct cti_settings {
	char *secret;
	char *secret_previous;
	bool trust_caller;
	bool allow_private_urls;
};

struct cti_state {
	struct standard_webhook keys;
};

static const struct setting cti_settings_rows[] = {
	SETTING_ROW("secret", SECRET, struct cti_settings, secret, NULL, .flags = SETTING_REQUIRED,
		    .text = "Signs what comes in: whsec_ and the base64 of 24 to 64 random bytes."),
	SETTING_ROW("secret_previous", SECRET, struct cti_settings, secret_previous, NULL,
		    .text = "Still accepted while a new secret is rolled out."),
	SETTING_ROW("trust_caller", BOOL, struct cti_settings, trust_caller, "true",
		    .text = "The caller's number says who calls. Numbers can be forged: with false "
			    "a known customer is only suggested."),
	SETTING_ROW("allow_private_urls", BOOL, struct cti_settings, allow_private_urls, "false",
		    .text = "recording_url may be http and may lead to a loopback or private "
			    "address."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

static enum verdict cti_verify(struct channel *channel, const struct inbound *in,
			       struct arena *arena, struct parsed *ret)
{
	const struct cti_state *state = host->channel_state(channel);

	(void)ret;
	if (strcmp(in->method, "POST") != 0)
		return FORGED;
	return standard_webhook_fits(host, &state->keys, in, arena) ? VERIFIED : FORGED;
}

/* ---- reading ---- */

/* One event; the first complaint wins. */
struct reader {
	struct arena *arena;
	struct json_object *body;
	const char *error;
};

static void complain(struct reader *reader, const char *name, const char *what)
{
	if (!reader->error)
		reader->error = host->format(reader->arena, "%s: %s", name, what);
}

/* Absent and null read as "". */
static const char *text_at(struct reader *reader, const char *name, size_t max)
{
	enum host_json_kind kind = host->json_kind(reader->body, name);
	const char *text = kind == HOST_JSON_TEXT ? host->json_text(reader->body, name) : NULL;

	if (kind == HOST_JSON_ABSENT)
		return "";
	if (!text || strlen(text) > max) {
		complain(reader, name,
			 host->format(reader->arena, "must be a text of at most %zu bytes", max));
		return "";
	}
	return host->text(reader->arena, text);
}

static const char *required_at(struct reader *reader, const char *name)
{
	const char *text = text_at(reader, name, ID_MAX);

	if (!text[0])
		complain(reader, name, "is missing");
	return text;
}

/* Whole or broken seconds; -1 where there are none. */
static int64_t seconds_at(struct reader *reader, const char *name)
{
	enum host_json_kind kind = host->json_kind(reader->body, name);
	double seconds = -1;

	if (kind == HOST_JSON_NUMBER)
		seconds = strtod(host->json_print(host->json_at(reader->body, name), reader->arena),
				 NULL);
	if (kind != HOST_JSON_ABSENT && !(seconds >= 0 && seconds < SECONDS_MAX))
		complain(reader, name, "must be a number of seconds, less than a year of them");
	return reader->error || kind == HOST_JSON_ABSENT ? -1 : (int64_t)seconds;
}

static bool is(const char *one, const char *other)
{
	return strcmp(one, other) == 0;
}

/* left_queue is told with a reason: timeout and full go on elsewhere, or end. */
static enum call_state left_queue_state(const char *reason)
{
	if (is(reason, "answered"))
		return CALL_ANSWERED;
	return is(reason, "abandoned") ? CALL_MISSED : CALL_NOTED;
}

static enum call_state state_of(const char *event, const char *reason, const char *agent)
{
	static const struct {
		const char *event;
		enum call_state state;
	} known[] = {
		{ "offered", CALL_RINGING }, { "queued", CALL_RINGING },
		{ "ringing", CALL_RINGING }, { "answered", CALL_ANSWERED },
		{ "missed", CALL_MISSED },   { "abandoned", CALL_MISSED },
		{ "ended", CALL_ENDED },
	};

	if (is(event, "left_queue"))
		return left_queue_state(reason);
	/* To somebody else, who talks from now on. */
	if (is(event, "transferred") && agent[0])
		return CALL_ANSWERED;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (is(known[i].event, event))
			return known[i].state;
	return CALL_NOTED;
}

static const char *bare_event(struct reader *reader)
{
	const char *event = required_at(reader, "event");

	return strncmp(event, "call.", 5) == 0 ? event + 5 : event;
}

static bool read_direction(struct reader *reader)
{
	const char *direction = text_at(reader, "direction", ID_MAX);

	if (direction[0] && !is(direction, "in") && !is(direction, "out"))
		complain(reader, "direction", "must be in or out");
	return is(direction, "out");
}

static const char *recording_of(struct reader *reader, bool allow_private)
{
	const char *url = text_at(reader, "recording_url", 4 * TEXT_MAX);

	if (url[0] && strncmp(url, "https://", 8) != 0 &&
	    !(allow_private && strncmp(url, "http://", 7) == 0))
		complain(reader, "recording_url", "must be an https address");
	return url;
}

static int64_t time_of(struct reader *reader)
{
	const char *text = text_at(reader, "ts", 64);
	int64_t at_ms = text[0] ? host->parse_time(text) : 0;

	if (at_ms < 0)
		complain(reader, "ts", "must be a time such as 2026-01-02T03:04:05Z");
	return at_ms;
}

static int64_t order_of(struct reader *reader, int64_t at_ms)
{
	int64_t seq = host->json_int(reader->body, "seq", 0);

	if (seq < 0)
		complain(reader, "seq", "must be a number from 0");
	/* Counted from 0 by whoever counts. */
	return host->json_kind(reader->body, "seq") == HOST_JSON_NUMBER ? seq + 1 : at_ms;
}

/* A leg of another call tells of that call. */
static const char *call_of(struct reader *reader)
{
	const char *parent = text_at(reader, "parent_call_id", ID_MAX);

	return parent[0] ? parent : required_at(reader, "call_id");
}

static struct message *read_event(struct reader *reader, const struct channel *channel)
{
	const struct cti_settings *settings = host->channel_settings(channel);
	struct call_event event = { .event = bare_event(reader), .total_s = -1 };
	const char *cause = text_at(reader, "cause", TEXT_MAX);
	const char *from = text_at(reader, "from", ID_MAX);
	const char *to = text_at(reader, "to", ID_MAX);
	int64_t talk_s = seconds_at(reader, "talk_s");

	event.id = call_of(reader);
	event.event_id = required_at(reader, "event_id");
	event.is_outgoing = read_direction(reader);
	event.customer = event.is_outgoing ? to : from;
	event.number = event.is_outgoing ? from : to;
	event.name = text_at(reader, "name", TEXT_MAX);
	event.queue = text_at(reader, "queue", TEXT_MAX);
	event.agent = text_at(reader, "agent", TEXT_MAX);
	event.reason = text_at(reader, "reason", TEXT_MAX);
	event.state = state_of(event.event, event.reason, event.agent);
	event.reason = cause[0] ? cause : event.reason;
	event.recording = recording_of(reader, settings->allow_private_urls);
	event.wait_s = seconds_at(reader, "wait_s");
	/* Nobody talked: that is no duration. */
	event.talk_s = talk_s > 0 ? talk_s : -1;
	event.at_ms = time_of(reader);
	event.order = order_of(reader, event.at_ms);
	event.is_proved = settings->trust_caller;
	event.proved_by = "caller_id";
	return reader->error ? NULL : call_event_message(host, channel, reader->arena, &event);
}

static int read_all(struct reader *reader, const struct channel *channel, struct parsed *ret)
{
	struct json_object *whole = reader->body;
	bool is_list = host->json_kind(whole, "") == HOST_JSON_ARRAY;
	size_t count = is_list ? host->json_count(whole) : 1;

	if (count > EVENTS_MAX) {
		reader->error = "the list has more than 100 events";
		return -1;
	}
	ret->messages = host->alloc(reader->arena, (count + 1) * sizeof(*ret->messages));
	for (size_t i = 0; i < count; i++) {
		struct message *message;

		reader->body = is_list ? host->json_item(whole, i) : whole;
		if (host->json_kind(reader->body, "") != HOST_JSON_OBJECT)
			complain(reader, "event", "must be a JSON object");
		message = reader->error ? NULL : read_event(reader, channel);
		if (!message && is_list)
			reader->error = host->format(reader->arena, "[%zu].%s", i, reader->error);
		if (!message)
			return -1;
		ret->messages[ret->message_count++] = *message;
	}
	return 0;
}

static int cti_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		     struct parsed *ret, const char **ret_error)
{
	struct reader reader = { .arena = arena };
	struct json_object *whole = host->json_read(in->body, in->body_len, arena, ret_error);
	int status;

	if (!whole)
		return -1;
	reader.body = whole;
	status = read_all(&reader, channel, ret);
	host->json_free(whole);
	if (status < 0) {
		ret->message_count = 0;
		*ret_error = reader.error;
	}
	return status;
}

static void cti_media(const struct channel *channel, const struct attachment *attachment,
		      struct arena *arena, struct media_request *ret)
{
	const struct cti_settings *settings = host->channel_settings(channel);

	(void)attachment;
	(void)arena;
	ret->allow_private = settings->allow_private_urls;
}

/* ---- life ---- */

static int cti_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct cti_settings *settings = core->channel_settings(channel);
	struct cti_state *state = core->channel_state(channel);

	host = core;
	if (!settings->secret || standard_webhook_add(core, &state->keys, settings->secret) < 0) {
		*ret_error = "secret must be whsec_ and the base64 of 24 to 64 bytes";
		return -1;
	}
	if (settings->secret_previous && settings->secret_previous[0] &&
	    standard_webhook_add(core, &state->keys, settings->secret_previous) < 0) {
		*ret_error = "secret_previous must be whsec_ and the base64 of 24 to 64 bytes";
		return -1;
	}
	return 0;
}

static void cti_close(struct channel *channel)
{
	(void)channel;
}

const struct connector cti_connector = {
	.name = "cti",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | HAS_MEDIA | PROVIDER_RETRIES | REFUSES_UNREADABLE | HAS_CALLS,
	.body_format = BODY_RAW,
	.identifier_kind = "phone",
	.settings_size = sizeof(struct cti_settings),
	.settings = cti_settings_rows,
	.state_size = sizeof(struct cti_state),
	.open = cti_open,
	.close = cti_close,
	.verify = cti_verify,
	.parse = cti_parse,
	.media = cti_media,
};
