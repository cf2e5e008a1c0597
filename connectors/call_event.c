#include "call_event.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEL_DIGITS_MIN = 3 };

static bool is_told(const char *text)
{
	return text && text[0];
}

/* ---- who ---- */

/* "+86139...", "0086 139 ...", "sip:+86139...@host" as the number alone; NULL: it is none, such as
 * "anonymous" or the address of a device. */
static const char *phone_of(const struct host *host, struct arena *arena, const char *customer)
{
	static const char *const schemes[] = { "sip:", "sips:", "tel:" };
	static const char allowed[] = "+0123456789 -().";
	size_t len, digits = 0;

	if (!customer)
		return NULL;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncasecmp(customer, schemes[i], strlen(schemes[i])) == 0)
			customer += strlen(schemes[i]);
	len = strcspn(customer, "@;");
	if (strspn(customer, allowed) < len)
		return NULL;
	for (size_t i = 0; i < len; i++)
		digits += customer[i] >= '0' && customer[i] <= '9';
	return digits < TEL_DIGITS_MIN ? NULL : host->format(arena, "%.*s", (int)len, customer);
}

/* Whoever hides the number is somebody new with every call. */
static struct identifier sender_of(const struct host *host, const struct channel *channel,
				   struct arena *arena, const struct call_event *event)
{
	const char *phone = phone_of(host, arena, event->customer);

	if (!phone)
		return (struct identifier){ .kind = "call",
					    .scope = host->text(arena, host->channel_name(channel)),
					    .value = event->id };
	return (struct identifier){ .kind = "phone",
				    .scope = "",
				    .value = phone,
				    .proof = event->is_proved ? PROOF_CHANNEL : PROOF_CLAIMED,
				    .proved_by = event->is_proved ? event->proved_by : NULL };
}

/* ---- what ---- */

static char *seconds_text(const struct host *host, struct arena *arena, int64_t seconds)
{
	if (seconds < 60)
		return host->format(arena, "%lld s", (long long)seconds);
	return host->format(arena, "%lld min %lld s", (long long)(seconds / 60),
			    (long long)(seconds % 60));
}

/* One line for people; pages make their own from extra.call. */
static const char *text_of(const struct host *host, struct arena *arena,
			   const struct call_event *event)
{
	const char *way = event->is_outgoing ? "Outgoing call" : "Incoming call";
	bool is_answer = event->state == CALL_ANSWERED;
	int64_t took = event->state == CALL_ENDED ? event->talk_s : -1;

	if (event->state == CALL_MISSED)
		return event->wait_s < 0 ? "Missed call"
					 : host->format(arena, "Missed call after %s",
							seconds_text(host, arena, event->wait_s));
	if (is_answer && is_told(event->agent))
		return host->format(arena, "%s: %s %s %s", way, event->event,
				    strcmp(event->event, "transferred") == 0 ? "to" : "by",
				    event->agent);
	if (took >= 0)
		return host->format(arena, "%s: %s after %s", way, event->event,
				    seconds_text(host, arena, took));
	return host->format(arena, "%s: %s", way, event->event);
}

static const char *add_text(const struct host *host, struct arena *arena, const char *json,
			    const char *name, const char *value)
{
	if (!is_told(value))
		return json;
	return host->format(arena, "%s,\"%s\":%s", json, name, host->json_quote(arena, value));
}

static const char *add_seconds(const struct host *host, struct arena *arena, const char *json,
			       const char *name, int64_t value)
{
	return value < 0 ? json
			 : host->format(arena, "%s,\"%s\":%lld", json, name, (long long)value);
}

static const char *state_name(enum call_state state)
{
	static const char *const names[] = {
		[CALL_NOTED] = "noted", [CALL_RINGING] = "ringing", [CALL_ANSWERED] = "answered",
		[CALL_ENDED] = "ended", [CALL_MISSED] = "missed",
	};

	return names[state];
}

static const char *extra_of(const struct host *host, struct arena *arena,
			    const struct call_event *event)
{
	const char *json =
		host->format(arena, "{\"call\":{\"id\":%s", host->json_quote(arena, event->id));

	json = add_text(host, arena, json, "event", event->event);
	json = add_text(host, arena, json, "state", state_name(event->state));
	json = add_text(host, arena, json, "direction", event->is_outgoing ? "out" : "in");
	json = add_text(host, arena, json, "number", event->number);
	json = add_text(host, arena, json, "queue", event->queue);
	json = add_text(host, arena, json, "agent", event->agent);
	json = add_text(host, arena, json, "reason", event->reason);
	json = add_seconds(host, arena, json, "wait_s", event->wait_s);
	json = add_seconds(host, arena, json, "talk_s", event->talk_s);
	json = add_seconds(host, arena, json, "total_s", event->total_s);
	return host->format(arena, "%s}}", json);
}

static void recording_add(const struct host *host, struct arena *arena, const char *url,
			  struct message *message)
{
	message->attachments = host->alloc(arena, sizeof(*message->attachments));
	message->attachment_count = 1;
	message->attachments[0] = (struct attachment){
		.name = "recording", .type = "audio/mpeg", .url = url, .size = -1
	};
}

struct message *call_event_message(const struct host *host, const struct channel *channel,
				   struct arena *arena, const struct call_event *event)
{
	struct message *message = host->alloc(arena, sizeof(*message));
	struct phone_call *call = host->alloc(arena, sizeof(*call));

	*call = (struct phone_call){ .state = event->state,
				     .is_outgoing = event->is_outgoing,
				     .order = event->order,
				     .agent = is_told(event->agent) ? event->agent : NULL,
				     .talk_s = event->talk_s };
	*message = (struct message){
		.kind = MESSAGE_EVENT,
		.provider_id = event->event_id,
		.text = text_of(host, arena, event),
		.sender = sender_of(host, channel, arena, event),
		.sender_name = is_told(event->name) ? event->name : "",
		.thread = event->id,
		.sent_ms = event->at_ms,
		.automatic = true, /* no machine answers a call */
		.extra = extra_of(host, arena, event),
		.window_ms = WINDOW_NONE,
		.call = call,
	};
	if (is_told(event->recording))
		recording_add(host, arena, event->recording, message);
	return message;
}
