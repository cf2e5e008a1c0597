/* The clocks of one work item: what is kept of them, and what one fact (a log
 * entry, a deadline that passed, a changed policy) does to them. Pure: all
 * times are unix milliseconds and none is read here.
 *
 * first_response  from the start until an agent answers; answers of programs and notes do not count
 * next_response   from a later message of the customer until an agent answers
 * resolution      from the start until resolved; goes on where it stopped when reopened
 * owner_accept    from each hand-over (to a queue, to an agent) until somebody takes it
 * owner           from each taking until that agent answers, resolves or lets it wait
 *
 * A deadline is met up to its last millisecond. What passed is stamped with
 * the deadline, whenever it is noticed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "routing/sla_policy.h"

enum { SLA_NAME_BYTES = 48, SLA_AGENT_BYTES = 128, SLA_POSITION_BYTES = 96, SLA_CHANGES_MAX = 64 };

struct sla_clock {
	enum { SLA_IDLE, SLA_ACTIVE, SLA_PAUSED, SLA_FULFILLED, SLA_CANCELLED } state;
	char policy[SLA_NAME_BYTES];
	int64_t number; /* how many there have been, this one included */
	int64_t started_ms;
	int64_t used_ms;                          /* of the target, before since_ms */
	int64_t since_ms;                         /* while active: counting from */
	int64_t due_ms;                           /* while active, and as it was when it ended */
	int64_t warn_due_ms;                      /* while active */
	int64_t warned_ms, breached_ms, ended_ms; /* 0: not */
};

struct sla_record {
	char policy[SLA_NAME_BYTES]; /* "": none */
	char state[16];              /* of the work item, as far as the log was read */
	char waiting[16];
	char owner[SLA_AGENT_BYTES];
	char position[SLA_POSITION_BYTES];       /* of the last entry taken in */
	bool responded;                          /* an agent has answered */
	int64_t priority;                        /* minutes added by warnings and breaches */
	char urgency[16], raised[16];            /* before, and what they made it */
	char escalate[SLA_NAME_BYTES];           /* queue:<id> or agent:<id>, not yet asked */
	int64_t escalate_accept_ms, escalate_ms; /* for how long they are asked; since when */
	struct sla_clock clocks[SLA_METRICS];
};

struct sla_fact {
	int64_t time_ms;
	const char *position; /* of a log entry; NULL: time alone has passed */
	bool created;         /* the work item begins */
	bool by_us;           /* ... with a message of ours */
	bool customer;        /* the customer wrote */
	bool answer;          /* an agent answered */
	bool handed_over;     /* to a queue or, asked only, to an agent */
	bool hand_over_ended; /* nobody took it */
	bool escalated;       /* who was to be asked has been asked */
	const char *state;    /* of the item from now on; NULL: as before */
	const char *waiting;  /* whom for, with "waiting" */
	const char *agent;    /* whose it is, with "assigned" */
	/* The item as the store has it. */
	struct sla_subject subject;
	bool has_conversation;
	int64_t created_ms, first_response_ms;
};

struct sla_change {
	enum sla_metric metric;
	const char *event;     /* activate, pause, resume, warn, fulfil, breach, cancel */
	const char *from, *to; /* states as shown */
	const char *waiting;   /* of a pause; NULL */
	char policy[SLA_NAME_BYTES];
	int64_t number, at_ms, due_ms;
};

struct sla_changes {
	struct sla_change list[SLA_CHANGES_MAX];
	size_t count;
	int64_t priority; /* minutes to add to the item's; may be negative */
	bool has_urgency;
	char urgency[16]; /* the item's from now on; "" is none */
};

void sla_step(struct sla_record *record, const struct sla_policies *policies,
	      const struct sla_fact *fact, struct sla_changes *changes);
/* When time alone changes something next; 0: never. */
int64_t sla_next_due(const struct sla_record *record);
/* "" where it needs no attention, "warned" or "breached". */
const char *sla_attention(const struct sla_record *record);

/* As a text and back; of "" nothing has happened yet. */
void sla_record_write(const struct sla_record *record, struct buf *out);
int sla_record_read(const char *text, struct sla_record *record, struct error *err);

/* The list "sla" of a work item in answers. */
void sla_record_show(const struct sla_record *record, struct buf *out);
