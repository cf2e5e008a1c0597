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
	bool is_template;     /* extra.template is set */
	int64_t opted_out_ms; /* since when the addressee wants no messages; 0: wants them */
};

struct window_answer {
	bool may;
	/* NULL where it may; opted_out, window_closed, window_used_up, template_only */
	const char *code;
	const char *why;
	int64_t until_ms;       /* 0: always open, or closed */
	int64_t left;           /* -1: any number */
	bool template_possible; /* an approved template may be sent, now or after the end */
};

struct window_answer window_judge(const struct window_facts *facts);
