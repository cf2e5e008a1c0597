/* What a phone system tells of a call as a message: for the connectors that bring calls. */
#pragma once

#include "converge/connector.h"

/* Texts may be NULL or "" where they are not told, but id, event_id and event. */
struct call_event {
	const char *id;       /* of the call */
	const char *event_id; /* drops what is told twice */
	const char *event;    /* what happened, in the words of docs/voice.md */
	enum call_state state;
	bool is_outgoing;
	const char *customer; /* the number outside */
	const char *name;     /* of it, as the network tells */
	const char *number;   /* ours */
	const char *queue;
	const char *agent;
	const char *reason; /* why it went on or ended, in the provider's words */
	const char *recording;
	int64_t wait_s; /* -1: not told */
	int64_t talk_s;
	int64_t total_s; /* from first to last */
	int64_t order;
	int64_t at_ms;         /* 0: not told */
	bool is_proved;        /* the network's word for the number counts */
	const char *proved_by; /* where it does */
};

/* Lives in the arena; the event's texts must, too. recording becomes an attachment of the type
 * audio. */
struct message *call_event_message(const struct host *host, const struct channel *channel,
				   struct arena *arena, const struct call_event *event);
