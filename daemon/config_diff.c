#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/text.h"
#include "config.h"

static void add(struct config_diff *diff, const char *key, bool is_reloadable)
{
	diff->changes = memory_grow(diff->changes, diff->count + 1, sizeof(*diff->changes));
	diff->changes[diff->count].key = key;
	diff->changes[diff->count].is_reloadable = is_reloadable;
	diff->count++;
}

static void compare(struct config_diff *diff, const char *prefix, const struct setting *rows,
		    const void *a, const void *b)
{
	for (const struct setting *row = rows; row->name != NULL; row++) {
		const char *key = arena_format(diff->arena, "%s%s", prefix, row->name);

		if (row->kind == SETTING_GROUP)
			compare(diff, arena_format(diff->arena, "%s.", key), row->rows,
				(const char *)a + row->offset, (const char *)b + row->offset);
		else if (settings_differ(row, a, b))
			add(diff, key, (row->flags & SETTING_RELOADABLE) != 0);
	}
}

static const struct config_channel *find(const struct config *config,
					 const struct config_channel *like)
{
	for (size_t i = 0; i < config->channel_count; i++) {
		const struct config_channel *channel = &config->channels[i];

		if (text_equal(channel->name, like->name) &&
		    text_equal(channel->workspace, like->workspace))
			return channel;
	}
	return NULL;
}

static bool rows_differ(const struct setting *rows, const void *a, const void *b)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		if (settings_differ(rows, a, b))
			return true;
	}
	return false;
}

static bool channels_differ(const struct config_channel *a, const struct config_channel *b)
{
	return a->connector != b->connector || rows_differ(config_channel_rows, a, b) ||
	       rows_differ(a->connector->settings, a->settings, b->settings);
}

static const char *channel_key(struct config_diff *diff, const struct config_channel *channel)
{
	return strcmp(channel->workspace, "main") == 0
		       ? arena_format(diff->arena, "channels.%s", channel->name)
		       : arena_format(diff->arena, "channels.%s.%s", channel->workspace,
				      channel->name);
}

struct config_diff *config_diff(const struct config *old, const struct config *new)
{
	struct config_diff *diff = memory_new(sizeof(*diff));

	diff->arena = arena_new(0);
	compare(diff, "", config_rows, old, new);
	for (size_t i = 0; i < old->channel_count; i++) {
		const struct config_channel *now = find(new, &old->channels[i]);

		if (now == NULL || channels_differ(&old->channels[i], now))
			add(diff, channel_key(diff, &old->channels[i]), true);
	}
	for (size_t i = 0; i < new->channel_count; i++) {
		if (find(old, &new->channels[i]) == NULL)
			add(diff, channel_key(diff, &new->channels[i]), true);
	}
	return diff;
}

void config_diff_free(struct config_diff **diff)
{
	if (*diff == NULL)
		return;
	free((*diff)->changes);
	arena_free(&(*diff)->arena);
	free(*diff);
	*diff = NULL;
}
