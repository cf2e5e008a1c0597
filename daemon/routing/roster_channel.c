#include "routing/roster_channel.h"

#include <string.h>

#include "base/json.h"

static const char *const *names_read(struct json_object *list, struct arena *arena)
{
	size_t count = json_count(list);
	const char **names = arena_alloc(arena, (count + 1) * sizeof(*names));
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (json_string(json_item(list, i)) != NULL)
			names[used++] = arena_text(arena, json_string(json_item(list, i)));
	return names;
}

void channel_row_read(struct channel_row *row, const char *id, struct json_object *object,
		      struct arena *arena)
{
	*row = (struct channel_row){
		.id = arena_text(arena, id),
		.cost = json_int(object, "cost", 0),
		.waiting_cost = json_int(object, "waiting_cost", 0),
	};
	if (json_kind(json_at(object, "interrupts")) == JSON_ARRAY)
		row->interrupts = names_read(json_at(object, "interrupts"), arena);
}

const struct limit_row *limits_read(struct json_object *list, struct arena *arena,
				    size_t *ret_count)
{
	struct limit_row *rows = arena_alloc(arena, (json_count(list) + 1) * sizeof(*rows));

	*ret_count = 0;
	for (size_t i = 0; i < json_count(list); i++) {
		const char *channel = json_text_copy(json_item(list, i), "channel", arena);

		if (channel != NULL)
			rows[(*ret_count)++] =
				(struct limit_row){ channel,
						    json_int(json_item(list, i), "at_once", 1) };
	}
	return rows;
}

int64_t channel_cost(const struct channel_row *channel, int64_t capacity)
{
	return channel->cost != CHANNEL_COST_WHOLE ? channel->cost : capacity > 0 ? capacity : 1;
}

/* ---- what is in an agent's hands ---- */

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
bool channel_may_interrupt(const struct channel_row *channel, const char *held)
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

bool limits_are_full(const struct limit_row *limits, size_t count, const char *held,
		     const char *channel)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(limits[i].channel, channel) == 0)
			return held_of(held, channel) >= limits[i].at_once;
	return false;
}
