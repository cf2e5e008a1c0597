/* Why does a work item wait? In words (en, zh) and as data. */
#pragma once

#include <stdint.h>

struct api_call;
struct roster;
struct store_reply;

struct explain_item {
	const char *id;
	const char *state;
	const char *queue;
	const char *skills; /* "refunds>=2"; "" or NULL none */
	const char *agent;  /* NULL */
	const char *rule;   /* NULL */
	const char *given;  /* names of the rules that gave type, topic, urgency, by line; NULL */
	int64_t rules_version; /* by which it was classified; 0: not known */
	int64_t queued_ms;
};

/* agents: the second list of live_read.lua. */
void explain_answer(struct api_call *call, const struct explain_item *item,
		    const struct roster *roster, const struct store_reply *agents);
