/* twilio_voice: calls to a number at Twilio (twilio.com/docs/voice).
 *
 * In only: forms with X-Twilio-Signature, at one address: the number's own
 * webhook (answered with TwiML: what shall become of the call), the actions of
 * Enqueue and Dial, status callbacks of the call and of its legs, recordings.
 * public_url must be what Twilio was told, for it is part of what is signed.
 * Twilio asks once, unless the address ends in #rc=5, and not in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call_event.h"
#include "twilio.h"

struct twilio_voice_settings {
	char *account_sid;
	char *auth_token;
	char *auth_token_secondary;
	char *queue;
	char *twiml;
	bool trust_caller;
	char *api_base;
};

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting twilio_voice_settings_rows[] = {
	SETTING_ROW("account_sid", TEXT, struct twilio_voice_settings, account_sid, NULL,
		    .flags = SETTING_REQUIRED, .text = "Twilio console, Account SID (AC...)."),
	SETTING_ROW("auth_token", SECRET, struct twilio_voice_settings, auth_token, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Twilio console, primary Auth Token: signs what comes in."),
	SETTING_ROW("auth_token_secondary", SECRET, struct twilio_voice_settings,
		    auth_token_secondary, NULL,
		    .text = "Accepted on the way in as well while tokens are changed."),
	SETTING_ROW("queue", TEXT, struct twilio_voice_settings, queue, "support",
		    .text = "The queue at Twilio that a call is put into, where twiml is not set."),
	SETTING_ROW("twiml", TEXT, struct twilio_voice_settings, twiml, NULL,
		    .text = "What Twilio is told to do with a call, as TwiML; {url} is this "
			    "channel's address and {from} the caller's number, made for it."),
	SETTING_ROW("trust_caller", BOOL, struct twilio_voice_settings, trust_caller, "true",
		    .text = "The caller's number says who calls. Numbers can be forged: with false "
			    "a known customer is only suggested."),
	SETTING_ROW("api_base", URL, struct twilio_voice_settings, api_base, TWILIO_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

static struct twilio_account account_of(const struct channel *channel)
{
	const struct twilio_voice_settings *settings = host->channel_settings(channel);

	return (struct twilio_account){ settings->account_sid, settings->auth_token,
					settings->api_base };
}

static enum verdict twilio_voice_verify(struct channel *channel, const struct inbound *in,
					struct arena *arena, struct parsed *ret)
{
	const struct twilio_voice_settings *settings = host->channel_settings(channel);
	const char *const tokens[] = { settings->auth_token, settings->auth_token_secondary, NULL };

	(void)ret;
	if (strcmp(in->method, "POST") != 0)
		return FORGED;
	return twilio_signature_fits(host, in, arena, tokens) ? VERIFIED : FORGED;
}

/* ---- reading ---- */

struct reading {
	const struct channel *channel;
	const struct inbound *in;
	struct arena *arena;
	const struct host_pair *pairs;
	long count;
};

static const char *value_of(struct reading *reading, const char *name)
{
	return twilio_value(reading->pairs, reading->count, name);
}

static bool is(const char *one, const char *other)
{
	return strcmp(one, other) == 0;
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (is(text, *words))
			return true;
	return false;
}

/* Digits as a number; -1: there are none. */
static int64_t number_of(struct reading *reading, const char *name)
{
	const char *text = value_of(reading, name);
	size_t len = strlen(text);

	if (len == 0 || len > 12 || strspn(text, "0123456789") != len)
		return -1;
	return strtoll(text, NULL, 10);
}

/* "Fri, 02 Jan 2026 02:55:45 +0000"; -1: it is none. Twilio always tells UTC. */
static int64_t read_date(struct reading *reading, const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int day, year, hour, minute, second;
	char month[4] = "";
	const char *at;

	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d", &day, month, &year, &hour,
		   &minute, &second) != 6)
		return -1;
	at = strstr(months, month);
	if (!at || strlen(month) != 3 || (at - months) % 3 != 0)
		return -1;
	return host->parse_time(host->format(reading->arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
					     (int)(at - months) / 3 + 1, day, hour, minute,
					     second));
}

/* ---- what happened ---- */

/* The action of Dial: how it went with whom was dialled. */
static void read_dial(struct reading *reading, struct call_event *event)
{
	const char *status = value_of(reading, "DialCallStatus");
	bool was_answered = is(status, "completed") || is(status, "answered");

	event->event = host->format(reading->arena, "dial %s", status);
	event->state = was_answered ? CALL_ENDED : CALL_MISSED;
	event->talk_s = was_answered ? number_of(reading, "DialCallDuration") : -1;
	if (was_answered && event->talk_s < 0)
		event->talk_s = 0;
	event->event_id = host->format(reading->arena, "%s:dial:%s:%s", event->id,
				       value_of(reading, "DialCallSid"), status);
}

/* The action of Enqueue: how it left the queue. */
static void read_queue(struct reading *reading, struct call_event *event)
{
	static const char *const answered[] = { "bridged", "bridging-in-process",
						"redirected-from-bridged", NULL };
	static const char *const lost[] = { "hangup", "queue-full", "error", "system-error", NULL };
	const char *result = value_of(reading, "QueueResult");

	event->event = host->format(reading->arena, "queue %s", result);
	event->state = is_one_of(result, answered) ? CALL_ANSWERED
		       : is_one_of(result, lost)   ? CALL_MISSED
						   : CALL_NOTED;
	event->wait_s = number_of(reading, "QueueTime");
	event->event_id = host->format(reading->arena, "%s:queue:%s:%s", event->id,
				       value_of(reading, "QueueSid"), result);
}

/* The url of Queue inside Dial: an agent takes this call out of the queue. */
static void read_dequeue(struct reading *reading, struct call_event *event)
{
	event->event = "answered";
	event->state = CALL_ANSWERED;
	event->wait_s = number_of(reading, "QueueTime");
	event->event_id = host->format(reading->arena, "%s:dequeued:%s", event->id,
				       value_of(reading, "DequeingCallSid"));
}

/* A recording that is told by itself. */
static void read_recording(struct reading *reading, struct call_event *event)
{
	event->event = "recorded";
	event->event_id = host->format(reading->arena, "%s:%s", value_of(reading, "RecordingSid"),
				       value_of(reading, "RecordingStatus"));
}

/* A call to somebody of ours that belongs to the customer's: only its answer matters. */
static void read_leg(struct reading *reading, const char *status, struct call_event *event)
{
	event->event = host->format(reading->arena, "agent %s", status);
	event->agent = value_of(reading, "To");
	if (is(status, "in-progress") || is(status, "answered")) {
		event->event = "answered";
		event->state = CALL_ANSWERED;
	}
}

/* Completed says nothing of who talked: a call that waited until the caller hung up is completed,
 * too. So is "in-progress" when TwiML began to be run. */
static void read_status(struct reading *reading, const char *status, struct call_event *event)
{
	static const char *const waiting[] = { "queued", "initiated", "ringing", NULL };
	static const char *const lost[] = { "busy", "no-answer", "canceled", "failed", NULL };
	int64_t total = number_of(reading, "CallDuration");

	event->event = status;
	if (is_one_of(status, waiting))
		event->state = CALL_RINGING;
	else if (is_one_of(status, lost))
		event->state = CALL_MISSED;
	else if (is(status, "completed"))
		event->state = CALL_ENDED;
	if (event->is_outgoing && event->state == CALL_ENDED && total >= 0)
		event->talk_s = total;
	event->total_s = total;
}

static void read_what(struct reading *reading, struct call_event *event)
{
	const char *status = value_of(reading, "CallStatus");
	const char *sound = value_of(reading, "RecordingUrl");
	int64_t sequence = number_of(reading, "SequenceNumber");
	bool is_leg = value_of(reading, "ParentCallSid")[0] != '\0';

	event->event_id = sequence < 0 ? host->format(reading->arena, "%s:%s",
						      value_of(reading, "CallSid"), status)
				       : host->format(reading->arena, "%s:%s:%lld",
						      value_of(reading, "CallSid"), status,
						      (long long)sequence);
	if (strncmp(sound, "https://", 8) == 0 || strncmp(sound, "http://", 7) == 0)
		event->recording = host->format(reading->arena, "%s.mp3", sound);
	if (value_of(reading, "RecordingStatus")[0])
		read_recording(reading, event);
	else if (value_of(reading, "DialCallStatus")[0])
		read_dial(reading, event);
	else if (value_of(reading, "QueueResult")[0])
		read_queue(reading, event);
	else if (value_of(reading, "DequeingCallSid")[0])
		read_dequeue(reading, event);
	else if (is_leg)
		read_leg(reading, status, event);
	else
		read_status(reading, status, event);
}

/* ---- who and when ---- */

static void read_people(struct reading *reading, struct call_event *event)
{
	const struct twilio_voice_settings *settings = host->channel_settings(reading->channel);
	const char *from = host->query(reading->in, "from");
	const char *agent = host->query(reading->in, "agent");
	bool is_leg = value_of(reading, "ParentCallSid")[0] != '\0';

	event->is_outgoing = !is_leg && strncmp(value_of(reading, "Direction"), "outbound", 8) == 0;
	event->customer = value_of(reading, event->is_outgoing ? "To" : "From");
	event->number = is_leg ? "" : value_of(reading, event->is_outgoing ? "From" : "To");
	/* Twilio does not say whose call a leg or a recording is of: the address does. */
	if (from && from[0])
		event->customer = host->text(reading->arena, from);
	if (agent && agent[0])
		event->agent = host->text(reading->arena, agent);
	event->name = is_leg ? "" : value_of(reading, "CallerName");
	event->is_proved = settings->trust_caller && strncmp(value_of(reading, "StirVerstat"),
							     "TN-Validation-Failed", 20) != 0;
	event->proved_by = "caller_id";
}

static void read_when(struct reading *reading, struct call_event *event)
{
	int64_t at_ms = read_date(reading, value_of(reading, "Timestamp"));

	event->at_ms = at_ms > 0 ? at_ms : 0;
	event->order = at_ms > 0 ? at_ms : reading->in->now_s * 1000;
}

/* ---- the answer ---- */

static const char *xml_text(struct arena *arena, const char *text)
{
	static const char special[] = "<>&\"'";
	static const char *const escaped[] = { "&lt;", "&gt;", "&amp;", "&quot;", "&apos;" };
	char *out = host->text(arena, "");

	while (*text) {
		size_t plain = strcspn(text, special);
		const char *at = text[plain] ? strchr(special, text[plain]) : NULL;

		out = host->format(arena, "%s%.*s%s", out, (int)plain, text,
				   at ? escaped[at - special] : "");
		text += plain + (at ? 1 : 0);
	}
	return out;
}

/* The channel's address for attributes of TwiML; "" without public_url. */
static const char *address_of(struct reading *reading)
{
	const char *url = host->callback_url(reading->channel, reading->arena);

	return url ? xml_text(reading->arena, url) : "";
}

static const char *filled(struct reading *reading, const char *twiml)
{
	static const char *const names[] = { "{url}", "{from}" };
	const char *const values[] = {
		address_of(reading),
		host->url_escape(reading->arena, value_of(reading, "From")),
	};
	char *out = host->text(reading->arena, "");

	while (*twiml) {
		size_t plain = strcspn(twiml, "{");
		size_t skip = twiml[plain] ? 1 : 0;
		const char *value = skip ? "{" : "";

		for (size_t i = 0; skip && i < 2; i++) {
			if (strncmp(twiml + plain, names[i], strlen(names[i])) != 0)
				continue;
			value = values[i];
			skip = strlen(names[i]);
		}
		out = host->format(reading->arena, "%s%.*s%s", out, (int)plain, twiml, value);
		twiml += plain + skip;
	}
	return out;
}

/* Only the number's own webhook asks what to do; nobody reads the answer to a callback. */
static bool is_asking(struct reading *reading)
{
	return is(value_of(reading, "CallStatus"), "ringing") &&
	       is(value_of(reading, "Direction"), "inbound") &&
	       !value_of(reading, "CallbackSource")[0] && !value_of(reading, "ParentCallSid")[0];
}

static const char *answer_of(struct reading *reading)
{
	const struct twilio_voice_settings *settings = host->channel_settings(reading->channel);

	if (!is_asking(reading))
		return "<Response/>";
	if (settings->twiml && settings->twiml[0])
		return filled(reading, settings->twiml);
	return host->format(reading->arena,
			    "<Response><Enqueue action=\"%s\">%s</Enqueue></Response>",
			    address_of(reading), xml_text(reading->arena, settings->queue));
}

static int twilio_voice_parse(const struct channel *channel, const struct inbound *in,
			      struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct reading reading = { .channel = channel, .in = in, .arena = arena };
	struct call_event event = { .wait_s = -1, .talk_s = -1, .total_s = -1 };
	const char *parent;

	ret->answer_status = 200;
	ret->answer_type = "text/xml";
	ret->answer_body = "<Response/>";
	reading.count = host->form_read(in->body, in->body_len, arena, &reading.pairs);
	if (reading.count < 0) {
		*ret_error = "the form cannot be decoded";
		return -1;
	}
	ret->answer_body = answer_of(&reading);
	parent = value_of(&reading, "ParentCallSid");
	event.id = parent[0] ? parent : value_of(&reading, "CallSid");
	if (!event.id[0]) {
		*ret_error = "CallSid is missing";
		return -1;
	}
	read_people(&reading, &event);
	read_when(&reading, &event);
	read_what(&reading, &event);
	ret->messages = call_event_message(host, channel, arena, &event);
	ret->message_count = 1;
	return 0;
}

/* ---- the rest ---- */

static void twilio_voice_media(const struct channel *channel, const struct attachment *attachment,
			       struct arena *arena, struct media_request *ret)
{
	const struct twilio_account account = account_of(channel);

	twilio_media(host, &account, attachment, arena, ret);
}

static void twilio_voice_test(struct channel *channel,
			      void (*done)(bool ok, const char *phrase, void *context),
			      void *context)
{
	const struct twilio_account account = account_of(channel);

	twilio_try(host, channel, &account, done, context);
}

static int twilio_voice_open(const struct host *core, struct channel *channel,
			     const char **ret_error)
{
	const struct twilio_voice_settings *settings = core->channel_settings(channel);

	host = core;
	if (!twilio_sid_is_good(settings->account_sid))
		*ret_error = "account_sid must look like AC0123456789abcdef";
	else if (!settings->auth_token || !settings->auth_token[0])
		*ret_error = "auth_token must not be empty";
	else
		return 0;
	return -1;
}

static void twilio_voice_close(struct channel *channel)
{
	(void)channel;
}

const struct connector twilio_voice_connector = {
	.name = "twilio_voice",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | HAS_MEDIA | HAS_CALLS,
	.body_format = BODY_RAW,
	.identifier_kind = "phone",
	.settings_size = sizeof(struct twilio_voice_settings),
	.settings = twilio_voice_settings_rows,
	.open = twilio_voice_open,
	.close = twilio_voice_close,
	.verify = twilio_voice_verify,
	.parse = twilio_voice_parse,
	.media = twilio_voice_media,
	.test = twilio_voice_test,
};
