/* The configuration with the connectors of this process. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "channel.h"
#include "config.h"
#include "config_doc.h"
#include "connectors.h"
#include "services/loop.h"

static const struct config_registry registry = { connector_find, connector_at, connector_load };

/* A connector's phrase begins with the setting that it is about. */
static struct place place_of_phrase(const struct config_channel *channel, const char *phrase)
{
	size_t word = strcspn(phrase, " ");

	for (size_t i = 0; i < channel->node->count; i++) {
		const struct yaml_pair *pair = &channel->node->pairs[i];

		if (strncmp(pair->key, phrase, word) == 0 &&
		    (pair->key[word] == '\0' || strcmp(pair->key + word, "_file") == 0))
			return pair->value->at;
	}
	return channel->at;
}

static void try_channel(struct channels *channels, const struct config_channel *channel,
			struct problems *problems)
{
	struct channel_options options = {
		.workspace = channel->workspace,
		.name = channel->name,
		.connector = channel->connector,
		.settings = channel->settings,
		.public_url = channel->public_url,
		.default_region = channel->default_region,
	};
	struct error err = { 0 };
	const char *phrase;
	struct place at;

	if (channel_open(channels, &options, &err) == 0)
		return;
	phrase = strstr(err.text, ": ");
	phrase = phrase == NULL ? err.text : phrase + 2;
	at = place_of_phrase(channel, phrase);
	problem_error(problems, &at, "%s\tsee the options of the %s connector", phrase,
		      channel->connector->name);
}

static void try_channels(const struct config *config, struct problems *problems)
{
	struct loop *loop = loop_new();
	struct channels_options options = { .loop = loop };
	struct channels *channels = channels_new(&options);

	for (size_t i = 0; i < config->channel_count; i++)
		try_channel(channels, &config->channels[i], problems);
	channels_free(&channels);
	loop_free(&loop);
}

struct config *config_load(const char *file, struct problems *problems)
{
	struct config *config = config_load_with(file, &registry, problems);

	if (config == NULL)
		return NULL;
	try_channels(config, problems);
	if (problems_errors(problems) > 0)
		config_free(&config);
	return config;
}

int config_test(const char *file)
{
	struct problems *problems = problems_new();
	struct config *config = config_load(file, problems);
	int status = config == NULL ? EX_CONFIG : EX_OK;

	problems_print(problems, stderr);
	if (config != NULL)
		printf("%s: fine\n", file);
	config_free(&config);
	problems_free(&problems);
	return status;
}

void config_print_sample(struct buf *out)
{
	config_write_sample(out, &registry);
}

void config_print_tables(struct buf *out)
{
	config_write_tables(out, &registry);
}
