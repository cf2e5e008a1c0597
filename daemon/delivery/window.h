/* May we send now? One answer for people, bots and automation alike: what the
 * addressee said, and what the channel's reply window says of one conversation. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "converge/connector.h"

struct window_facts {
	struct window_rules rules; /* channel_window() */
	const char *kept;          /* of the conversation: "until-ms left"; NULL or "": none */
	int64_t last_inbound_ms;   /* 0: never */
	int64_t now_ms;
	bool is_template;       /* extra.template is set */
	int64_t opted_out_ms;   /* since when the addressee wants no messages; 0: wants them */
	int64_t quiet_until_ms; /* machines write from then on; 0: now */
	int64_t capped_ms;      /* until one more may leave for the addressee; 0: at once */
	bool is_automatic;      /* a machine writes: what may leave later waits */
};

struct window_answer {
	bool may;
	/* NULL where it may; opted_out, window_closed, window_used_up, template_only, quiet_hours,
	 * recipient_cap */
	const char *code;
	const char *why;
	int64_t from_ms;        /* where only waiting helps: until then; 0 */
	bool is_quiet;          /* machines would wait: people are only told */
	int64_t until_ms;       /* 0: always open, or closed */
	int64_t left;           /* -1: any number */
	bool template_possible; /* an approved template may be sent, now or after the end */
};

struct window_answer window_judge(const struct window_facts *facts);

/* quiet_until_ms by the calendar of automatic messages; NULL: none. */
struct calendar;
int64_t window_quiet_until(const struct calendar *calendar, int64_t now_ms);
