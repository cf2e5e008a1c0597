/* Where the daemon is, by its own settings file. */
#include <string.h>

#include "base/text.h"
#include "config.h"
#include "ctl.h"

static const char *path_of(const char *address)
{
	return text_starts(address, "unix:") ? address + strlen("unix:") : address;
}

static bool has_exposed_secret(struct problems *problems)
{
	const struct problem *problem;
	for (size_t i = 0; (problem = problem_at(problems, i)) != NULL; i++)
		if (strstr(problem->text, "others can read") != NULL)
			return true;
	return false;
}

static char **workspaces_of(const struct config *config, struct arena *arena)
{
	char **names = arena_alloc(arena, (config->channel_count + 2) * sizeof(*names));
	size_t count = 0;
	names[count++] = arena_text(arena, "main");
	for (size_t i = 0; i < config->channel_count; i++) {
		size_t at = 0;
		while (at < count && !text_equal(names[at], config->channels[i].workspace))
			at++;
		if (at == count)
			names[count++] = arena_text(arena, config->channels[i].workspace);
	}
	names[count] = NULL;
	return names;
}

int locate(const char *config_file, struct arena *arena, struct location *ret, struct error *err)
{
	struct problems *problems = problems_new();
	struct config *config = config_load(config_file, problems);
	int result = 0;
	if (config == NULL) {
		problems_print(problems, stderr);
		result = error_set(err, ERROR_MISUSE, "the settings in %s cannot be used",
				   config_file);
	} else {
		ret->state_dir = arena_text(arena, config->state_dir);
		ret->workspaces = workspaces_of(config, arena);
		ret->shows_secrets = has_exposed_secret(problems);
		ret->store = arena_text(arena, config->store.url);
		ret->history =
			config->history.url != NULL
				? arena_text(arena, config->history.url)
				: arena_format(arena, "sqlite:%s/history.db", config->state_dir);
		ret->history_password = arena_text(arena, config->history.password);
		ret->blobs_access_key = arena_text(arena, config->blobs.access_key);
		ret->blobs_secret_key = arena_text(arena, config->blobs.secret_key);
		ret->blobs = arena_text(arena, config->blobs.url);
		ret->socket = config->listen.admin != NULL
				      ? arena_text(arena, path_of(config->listen.admin))
				      : arena_format(arena, "%s/admin.sock", config->state_dir);
	}
	config_free(&config);
	problems_free(&problems);
	return result;
}
