/* One block of AMI to one event of a call. Pure. */
#include <stdlib.h>
#include <string.h>

#include "asterisk_private.h"
#include "call_event.h"

/* The documentation calls a HoldTime an epoch time in one place; seconds waited are less. */
enum { SECONDS_MAX = 1000000 };

struct reading {
	const struct host *host;
	const struct channel *channel;
	struct arena *arena;
	struct ami_block block;
	struct call_event event;
};

/* "" where it is absent, or what Asterisk writes for nothing. */
static const char *text_of(struct reading *reading, const char *name)
{
	struct ami_text value = ami_value(&reading->block, name);

	if (!value.bytes || ami_is(value, "<unknown>") || ami_is(value, "unknown") ||
	    ami_is(value, "<none>"))
		return "";
	return reading->host->copy(reading->arena, value.bytes, value.len);
}

static int64_t number_of(struct reading *reading, const char *name)
{
	const char *text = text_of(reading, name);
	size_t len = strlen(text);

	if (len == 0 || len > 15 || strspn(text, "0123456789") != len)
		return -1;
	return strtoll(text, NULL, 10);
}

static int64_t seconds_of(struct reading *reading, const char *name)
{
	int64_t seconds = number_of(reading, name);

	return seconds < SECONDS_MAX ? seconds : -1;
}

static const char *agent_of(struct reading *reading)
{
	const struct asterisk_settings *settings =
		reading->host->channel_settings(reading->channel);
	const char *name = text_of(reading, "MemberName");
	const char *interface = text_of(reading, "Interface");

	if (settings->agent == ASTERISK_MEMBER)
		return name[0] ? name : interface;
	return interface[0] ? interface : name;
}

/* AMI has no ids: an event is what happened to which channel where. */
static const char *key_of(struct reading *reading, const char *what, const char *more)
{
	return reading->host->format(reading->arena, "%s|%s|%s|%s", what,
				     text_of(reading, "Uniqueid"), text_of(reading, "Queue"), more);
}

static void read_join(struct reading *reading)
{
	reading->event.event = "queued";
	reading->event.state = CALL_RINGING;
	reading->event.event_id = key_of(reading, "join", "");
}

static void read_connect(struct reading *reading)
{
	reading->event.event = "answered";
	reading->event.state = CALL_ANSWERED;
	reading->event.agent = agent_of(reading);
	reading->event.wait_s = seconds_of(reading, "HoldTime");
	reading->event.event_id = key_of(reading, "connect", text_of(reading, "MemberName"));
}

static void read_abandon(struct reading *reading)
{
	reading->event.event = "abandoned";
	reading->event.state = CALL_MISSED;
	reading->event.wait_s = seconds_of(reading, "HoldTime");
	reading->event.event_id = key_of(reading, "abandon", "");
}

/* Put through: the call goes on with somebody else. */
static void read_complete(struct reading *reading)
{
	const char *reason = text_of(reading, "Reason");
	bool goes_on = strcmp(reason, "transfer") == 0;

	reading->event.event = goes_on ? "transferred" : "ended";
	reading->event.state = goes_on ? CALL_NOTED : CALL_ENDED;
	reading->event.agent = agent_of(reading);
	reading->event.reason = reason;
	reading->event.wait_s = seconds_of(reading, "HoldTime");
	reading->event.talk_s = seconds_of(reading, "TalkTime");
	if (!goes_on && reading->event.talk_s < 0)
		reading->event.talk_s = 0;
	reading->event.event_id = key_of(reading, "complete", text_of(reading, "MemberName"));
}

static void read_no_answer(struct reading *reading)
{
	reading->event.event = "not answered";
	reading->event.agent = agent_of(reading);
	reading->event.event_id = key_of(reading, "no_answer", text_of(reading, ASTERISK_TIME));
}

static void read_hold(struct reading *reading)
{
	reading->event.event = "held";
	reading->event.event_id = key_of(reading, "hold", text_of(reading, ASTERISK_TIME));
}

static void read_unhold(struct reading *reading)
{
	reading->event.event = "resumed";
	reading->event.event_id = key_of(reading, "unhold", text_of(reading, ASTERISK_TIME));
}

/* Also what we noticed after a reconnect; the queue is none of a hangup's. */
static void read_hangup(struct reading *reading)
{
	reading->event.event = "hung up";
	reading->event.state = CALL_ENDED;
	reading->event.reason = text_of(reading, "Cause-txt");
	reading->event.event_id =
		reading->host->format(reading->arena, "hangup|%s", text_of(reading, "Uniqueid"));
}

static const struct {
	const char *name;
	void (*read)(struct reading *reading);
} events[] = {
	{ "QueueCallerJoin", read_join },
	{ "QueueEntry", read_join },
	{ "AgentConnect", read_connect },
	{ "QueueCallerAbandon", read_abandon },
	{ "AgentComplete", read_complete },
	{ "AgentRingNoAnswer", read_no_answer },
	{ "Hold", read_hold },
	{ "Unhold", read_unhold },
	{ "Hangup", read_hangup },
};

static void read_people(struct reading *reading)
{
	const struct asterisk_settings *settings =
		reading->host->channel_settings(reading->channel);
	struct call_event *event = &reading->event;

	event->customer = text_of(reading, "CallerIDNum");
	event->name = text_of(reading, "CallerIDName");
	/* Who sends no name is shown by number in its place. */
	if (strcmp(event->name, event->customer) == 0)
		event->name = "";
	event->queue = text_of(reading, "Queue");
	event->is_proved = settings->trust_caller;
	event->proved_by = "caller_id";
}

int asterisk_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		   struct parsed *ret, const char **ret_error)
{
	const struct host *host = asterisk_host();
	struct reading *reading = host->alloc(arena, sizeof(*reading));
	const char *name;
	int64_t at_ms;

	*reading = (struct reading){ .host = host, .channel = channel, .arena = arena };
	if (ami_read(in->body, in->body_len, &reading->block) != AMI_BLOCK) {
		*ret_error = "the bytes are no block of AMI";
		return -1;
	}
	reading->event = (struct call_event){ .wait_s = -1, .talk_s = -1, .total_s = -1 };
	at_ms = number_of(reading, ASTERISK_TIME);
	reading->event.at_ms = reading->event.order = at_ms > 0 ? at_ms : 0;
	reading->event.id = text_of(reading, ASTERISK_CALL);
	name = text_of(reading, "Event");
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strcmp(events[i].name, name) != 0 || !reading->event.id[0])
			continue;
		read_people(reading);
		events[i].read(reading);
		ret->messages = call_event_message(host, channel, arena, &reading->event);
		ret->message_count = 1;
		return 0;
	}
	*ret_error = "the block is no event of a call";
	return -1;
}
