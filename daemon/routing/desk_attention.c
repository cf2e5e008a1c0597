#include <string.h>

#include "base/text.h"
#include "routing/desk_private.h"

static size_t word_len(const char *text)
{
	return strcspn(text, " ");
}

static const char *word_next(const char *text)
{
	return text + word_len(text) + strspn(text + word_len(text), " ");
}

static bool is_word(const char *text, const char *word)
{
	return strlen(word) == word_len(text) && memcmp(text, word, word_len(text)) == 0;
}

static bool has_name(const char *const *names, const char *word)
{
	for (; *names != NULL; names++)
		if (is_word(word, *names))
			return true;
	return false;
}

/* Its own channel is a matter of limits, not of interruption. */
static bool may_interrupt(const struct channel_row *channel, const char *held)
{
	if (channel->interrupts == NULL)
		return true;
	for (; *held != '\0'; held = word_next(held))
		if (!is_word(held, channel->id) && !has_name(channel->interrupts, held))
			return false;
	return true;
}

static int64_t held_of(const char *held, const char *channel)
{
	int64_t count = 0;

	for (; *held != '\0'; held = word_next(held))
		count += is_word(held, channel);
	return count;
}

static bool has_most(const struct agent_row *row, const char *held, const char *channel)
{
	for (size_t i = 0; i < row->limit_count; i++)
		if (strcmp(row->limits[i].channel, channel) == 0)
			return held_of(held, channel) >= row->limits[i].at_once;
	return false;
}

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
		if (!may_interrupt(&channels[i], held))
			bits_set(&agent->closed, i);
		if (has_most(agent->row, held, channels[i].id))
			bits_set(&agent->full, i);
	}
}
