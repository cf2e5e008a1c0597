/* What a log entry means for the clocks of its work item. Pure. */
#pragma once

#include <stdbool.h>

#include "automation/sla_clock.h"

struct log_entry;

/* One fact with texts of its own: the entry's go when the reader moves on. */
struct sla_news {
	struct sla_fact fact; /* its texts point into here */
	char position[SLA_POSITION_BYTES];
	char state[16], waiting[16], agent[SLA_AGENT_BYTES];
};

/* False where the entry changes nothing. What the item is like is not filled in. */
bool sla_news_read(const struct log_entry *entry, struct sla_news *ret_news);
