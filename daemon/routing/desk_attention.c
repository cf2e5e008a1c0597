#include "routing/desk_private.h"

void attention_learn(const struct desk *desk, struct desk_agent *agent)
{
	size_t count = 0;
	const struct channel_row *channels =
		desk->roster == NULL ? NULL : roster_channels(desk->roster, &count);
	const char *held = agent->held == NULL ? "" : agent->held;

	bits_clear(&agent->closed);
	bits_clear(&agent->full);
	if (agent->row == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		if (!channel_may_interrupt(&channels[i], held))
			bits_set(&agent->closed, i);
		if (limits_are_full(agent->row->limits, agent->row->limit_count, held,
				    channels[i].id))
			bits_set(&agent->full, i);
	}
}
