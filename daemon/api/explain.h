/* Why does a work item wait, and what comes next? In words (en, zh) and as data. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

struct api_call;
struct figures;
struct roster;
struct store_reply;

/* Texts are "" where there is nothing. */
struct explain_item {
	const char *id;
	const char *state;
	const char *queue;
	const char *plan; /* business/plan.h */
	const char *channel;
	const char *agent;
	const char *last_agent;
	const char *declined; /* space-separated */
	const char *waiting_for;
	const char *offers; /* pending, space-separated */
	const char *clocks; /* its service level clocks, automation/sla_clock.h */
	const char *rule;
	const char *given;     /* names of the rules that gave type, topic, urgency, by line */
	int64_t rules_version; /* by which it was classified; 0: not known */
	int64_t queued_ms;
	int64_t priority;
	int64_t place;       /* by waiting time, from 1; 0: does not wait */
	int64_t waiting;     /* in its queue */
	int64_t transfer_ms; /* until when its pending transfer stands; 0: none */
};

struct explaining {
	const struct explain_item *item;
	const struct roster *roster;
	const struct figures *figures;
	const struct store_reply *agents; /* standings_read.lua */
	int64_t now_ms;
};

/* In two languages at once; every sentence leaves a space behind it. */
struct words {
	struct buf en;
	struct buf zh;
};

/* "56 h 54 min": seconds up to two minutes, then the two largest units. */
struct spoken {
	char en[32];
	char zh[40];
};
struct spoken spoken_duration(int64_t seconds);

/* explain_sla.c: its clocks, as data (`sla`, `sla_next`) and in words. */
void explain_clocks(struct json_out *out, struct words *words, const struct explaining *what);
void explain_answer(struct api_call *call, const struct explaining *what);
