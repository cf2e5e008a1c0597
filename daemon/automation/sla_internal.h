/* Shared by sla_clock.c and sla_record.c only. */
#pragma once

#include "automation/sla_clock.h"

void sla_copy(char *to, size_t room, const char *text); /* cut off where too long; NULL is "" */
/* active, paused, warned, breached, fulfilled; NULL where there is nothing to show. */
const char *sla_shown_state(const struct sla_clock *clock);
