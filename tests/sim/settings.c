/* The doors, as the daemon's settings file describes them. Only what the providers' side of a
 * channel would know anyway: addresses, the shared secret, where answers go. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml.h"
#include "provider.h"
#include "sim.h"

static const char *text_at(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_find(map, key);
	return node != NULL && node->kind == NODE_TEXT && !yaml_is_empty(node) ? node->text : NULL;
}

/* A secret beside the file, in its first line. */
static const char *secret_in(struct sim *sim, const char *settings_file, const char *name)
{
	char path[1024], line[256];
	const char *slash = strrchr(settings_file, '/');
	int folder = slash != NULL && name[0] != '/' ? (int)(slash - settings_file) + 1 : 0;
	snprintf(path, sizeof(path), "%.*s%s", folder, settings_file, name);
	FILE *file = fopen(path, "re");
	const char *got = file != NULL ? fgets(line, sizeof(line), file) : NULL;
	if (file != NULL)
		fclose(file);
	return got != NULL ? arena_copy(sim->arena, line, strcspn(line, "\r\n")) : NULL;
}

static void take_webhook(struct sim *sim, const char *file, const struct yaml_node *channel)
{
	const char *secret = text_at(channel, "secret");
	if (secret == NULL && text_at(channel, "secret_file") != NULL)
		secret = secret_in(sim, file, text_at(channel, "secret_file"));
	if (secret == NULL || sim->webhook_channel != NULL)
		return;
	sim->webhook_channel = text_at(channel, "name");
	sim->webhook_secret = secret;
	sim->deliver_url = text_at(channel, "deliver_url");
}

static void take_mail(struct sim *sim, const struct yaml_node *channel)
{
	const char *url = text_at(yaml_find(channel, "smtp"), "url");
	if (sim->lmtp == NULL || sim->mail_address != NULL)
		return;
	sim->mail_address = text_at(channel, "address");
	if (url != NULL && text_starts(url, "smtp://"))
		sim->smtp = url + strlen("smtp://");
}

/* A setting as text, or the first line of its file; NULL: neither. */
static const char *setting_at(struct sim *sim, const char *file, const struct yaml_node *channel,
			      const char *name)
{
	const char *text = text_at(channel, name);
	const char *secret = text_at(channel, arena_format(sim->arena, "%s_file", name));
	return text == NULL && secret != NULL ? secret_in(sim, file, secret) : text;
}

/* A provider's channel whose provider is to be on this machine. */
static int take_provider(struct sim *sim, const char *file, const struct yaml_node *channel)
{
	struct provider_channel row = { .provider = provider_find(text_at(channel, "connector")),
					.name = text_at(channel, "name"),
					.api_base = text_at(channel, "api_base") };
	if (row.provider == NULL || row.name == NULL || row.api_base == NULL || sim->http == NULL ||
	    !text_starts(row.api_base, "http://127.0.0.1:") || sim->standin_count == STANDINS_MAX)
		return 0;
	for (const struct setting_default *at = row.provider->settings;
	     at->name != NULL && row.setting_count < CHANNEL_SETTINGS_MAX; at++) {
		const char *value = setting_at(sim, file, channel, at->name);
		if (value == NULL)
			continue;
		row.settings[row.setting_count][0] = at->name;
		row.settings[row.setting_count++][1] = value;
	}
	return provider_door_open(sim, &row);
}

static int take_channel(struct sim *sim, const char *file, const struct yaml_node *channel)
{
	const char *connector = text_at(channel, "connector");
	if (connector == NULL)
		return 0;
	if (strcmp(connector, webhook_door.name) == 0)
		take_webhook(sim, file, channel);
	else if (strcmp(connector, chat_door.name) == 0 && sim->chat_channel == NULL)
		sim->chat_channel = text_at(channel, "name");
	else if (strcmp(connector, mail_door.name) == 0)
		take_mail(sim, channel);
	else
		return take_provider(sim, file, channel);
	return 0;
}

int sim_settings(struct sim *sim, const char *file)
{
	struct problems *problems = problems_new();
	struct yaml_node *top = yaml_read(file, sim->arena, problems);
	int result = problems_errors(problems) > 0 || top == NULL ? -1 : 0;
	problems_print(problems, stderr);
	problems_free(&problems);
	if (result < 0)
		return -1;
	const struct yaml_node *listen = yaml_find(top, "listen");
	sim->http = text_at(listen, "http");
	sim->lmtp = text_at(listen, "lmtp");
	const struct yaml_node *channels = yaml_find(top, "channels");
	for (size_t i = 0; channels != NULL && channels->kind == NODE_LIST && i < channels->count;
	     i++)
		if (take_channel(sim, file, channels->items[i]) < 0)
			return -1;
	return 0;
}
