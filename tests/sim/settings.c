/* The doors, as the daemon's settings file describes them. Only what the providers' side of a
 * channel would know anyway: addresses, the shared secret, where answers go. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml.h"
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

static void take_channel(struct sim *sim, const char *file, const struct yaml_node *channel)
{
	const char *connector = text_at(channel, "connector");
	if (connector == NULL)
		return;
	if (strcmp(connector, webhook_door.name) == 0)
		take_webhook(sim, file, channel);
	else if (strcmp(connector, chat_door.name) == 0 && sim->chat_channel == NULL)
		sim->chat_channel = text_at(channel, "name");
	else if (strcmp(connector, mail_door.name) == 0)
		take_mail(sim, channel);
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
		take_channel(sim, file, channels->items[i]);
	return 0;
}
