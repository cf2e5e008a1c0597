#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/text.h"
#include "base/yaml.h"
#include "services/http_server.h"
#include "services/s3_place.h"

enum { CHANNELS_MAX = 5000 };

struct loading {
	struct config *config;
	struct settings_source source;
	const struct config_registry *registry;
	const struct yaml_node *root;
};

static void upper(char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		*text = (char)toupper((unsigned char)*text);
}

/* Where a setting stands in the file, or the group it is missing from. */
static struct place place_in(const struct loading *loading, const char *group, const char *key)
{
	const struct yaml_node *node = loading->root;
	const struct yaml_node *found;

	if (group != NULL && (found = yaml_find(node, group)) != NULL)
		node = found;
	found = yaml_find(node, key);
	return found != NULL ? found->at : node->at;
}

/* ---- rules over several settings ---- */

static void check_file(const struct loading *loading, const char *key, const char *path)
{
	struct place at = place_in(loading, "listen", key);

	if (path != NULL && access(path, R_OK) != 0)
		problem_error(loading->source.problems, &at,
			      "\"%s\": %s cannot be read: %s\tcheck its name and mode", key,
			      settings_shown(loading->source.arena, path), strerror(errno));
}

static void check_tls(const struct loading *loading)
{
	const struct config_listen *listen = &loading->config->listen;
	struct place at = place_in(loading, "listen", "tls_cert");
	struct error err;

	if (listen->tls_cert == NULL || listen->tls_key == NULL ||
	    access(listen->tls_cert, R_OK) != 0 || access(listen->tls_key, R_OK) != 0)
		return;
	if (http_server_check_tls(listen->tls_cert, listen->tls_key, &err) != 0)
		problem_error(loading->source.problems, &at,
			      "%s\tgive a PEM certificate (with its chain) and the key it was "
			      "made for",
			      err.text);
}

static void check_listen(const struct loading *loading)
{
	const struct config_listen *listen = &loading->config->listen;
	struct problems *problems = loading->source.problems;
	struct place at;

	check_file(loading, "tls_cert", listen->tls_cert);
	check_file(loading, "tls_key", listen->tls_key);
	check_tls(loading);
	if ((listen->tls_cert == NULL) != (listen->tls_key == NULL)) {
		const char *given = listen->tls_cert != NULL ? "tls_cert" : "tls_key";

		at = place_in(loading, "listen", given);
		problem_error(problems, &at, "\"%s\" stands alone\tgive both tls_cert and tls_key",
			      given);
	}
	if (text_equal(listen->http, listen->lmtp) && listen->lmtp != NULL &&
	    strcmp(listen->lmtp + strlen(listen->lmtp) - 2, ":0") != 0) {
		at = place_in(loading, "listen", "lmtp");
		problem_error(problems, &at,
			      "\"lmtp\" and \"http\" have one address\tgive each its own");
	}
	if (listen->admin != NULL && !text_starts(listen->admin, "unix:")) {
		at = place_in(loading, "listen", "admin");
		problem_error(problems, &at, "\"admin\" must be a socket\twrite unix:/path");
	}
}

static void check_store(const struct loading *loading)
{
	const struct config_store *store = &loading->config->store;
	struct place at;

	if (strcmp(store->url, "embedded") == 0 && store->ack == ACK_REPLICAS) {
		at = place_in(loading, "store", "ack");
		problem_error(
			loading->source.problems, &at,
			"an embedded store has no replicas\twrite \"ack: local\", or name a Redis "
			"with replicas");
	}
	if (strcmp(store->url, "embedded") != 0 && store->max_memory != 0) {
		at = place_in(loading, "store", "max_memory");
		problem_warn(loading->source.problems, &at,
			     "\"max_memory\" is of the embedded store only\tset maxmemory in "
			     "redis.conf");
	}
}

static void key_default(const struct loading *loading, char **key, const char *variable)
{
	const char *value = getenv(variable);

	if (*key == NULL && value != NULL && *value != '\0')
		*key = arena_text(loading->config->arena, value);
}

static void check_blobs(const struct loading *loading)
{
	struct config_blobs *blobs = &loading->config->blobs;
	struct place at = place_in(loading, "blobs", "url");
	struct s3_place place;
	struct error err;

	if (blobs->url == NULL || !text_starts(blobs->url, "s3:"))
		return;
	key_default(loading, &blobs->access_key, "AWS_ACCESS_KEY_ID");
	key_default(loading, &blobs->secret_key, "AWS_SECRET_ACCESS_KEY");
	if (s3_place_read(blobs->url, &place, &err) != 0)
		problem_error(loading->source.problems, &at,
			      "\"url\": %s\twrite "
			      "s3://bucket/prefix?endpoint=https://host&region=name",
			      err.text);
	if (blobs->access_key == NULL || blobs->secret_key == NULL)
		problem_error(loading->source.problems, &at,
			      "an S3 store needs access_key and secret_key\tgive them beside url "
			      "(secret_key_file), or as AWS_ACCESS_KEY_ID and "
			      "AWS_SECRET_ACCESS_KEY in the environment");
}

static void check_oidc(const struct loading *loading)
{
	const struct config_oidc *oidc = &loading->config->oidc;
	struct problems *problems = loading->source.problems;
	struct place at = place_in(loading, "oidc", "issuer");

	if (oidc->issuer == NULL) {
		if (oidc->client_id != NULL)
			problem_error(problems, &at,
				      "\"client_id\" stands alone\tgive \"issuer\" too, the "
				      "provider's URL");
		return;
	}
	if (oidc->client_id == NULL)
		problem_error(problems, &at,
			      "\"issuer\" stands alone\tgive \"client_id\" too, from the "
			      "provider's console");
	if (loading->config->public_url == NULL)
		problem_error(problems, &at,
			      "signing in through a provider needs \"public_url\"\tthe provider "
			      "sends people back to its /v1/oidc/callback");
	if (!oidc->allow_private && !text_starts(oidc->issuer, "https://"))
		problem_error(problems, &at,
			      "\"issuer\" has no TLS\twrite https://, or \"allow_private: true\" "
			      "for one in a private network");
}

/* ---- channels ---- */

static void unknown_connector(const struct loading *loading, const struct yaml_node *node)
{
	struct arena *arena = loading->source.arena;
	const char *names[128], *list = "", *near;
	const struct connector *connector;
	size_t count = 0;

	while (count < COUNT_OF(names) - 1 && (connector = loading->registry->at(count)) != NULL) {
		list = arena_format(arena, "%s%s%s", list, count == 0 ? "" : ", ", connector->name);
		names[count++] = connector->name;
	}
	names[count] = NULL;
	near = settings_nearest(node->text, names);
	if (near != NULL)
		problem_error(loading->source.problems, &node->at,
			      "no connector \"%s\"\tdid you mean \"%s\"? Built in: %s",
			      settings_shown(arena, node->text), near, list);
	else
		problem_error(loading->source.problems, &node->at,
			      "no connector \"%s\" in this program\tbuilt in: %s",
			      settings_shown(arena, node->text), list);
}

/* The connector decides which rows a channel has, so it is looked at first. */
static const struct connector *find_connector(const struct loading *loading,
					      const struct yaml_node *item)
{
	const struct yaml_node *node = yaml_find(item, "connector");
	const struct connector *connector;

	if (node == NULL || node->kind != NODE_TEXT || yaml_is_empty(node))
		return NULL;
	connector = loading->registry->find(node->text);
	if (connector == NULL)
		unknown_connector(loading, node);
	return connector;
}

static const char *title_of(const struct loading *loading, const struct yaml_node *item)
{
	const struct yaml_node *name = yaml_find(item, "name");

	if (name == NULL || name->kind != NODE_TEXT)
		return "this channel";
	return arena_format(loading->source.arena, "channel \"%s\"",
			    settings_shown(loading->source.arena, name->text));
}

static void check_unique(const struct loading *loading, const struct config_channel *channel)
{
	const struct config *config = loading->config;

	for (size_t i = 0; i < config->channel_count; i++) {
		const struct config_channel *other = &config->channels[i];

		if (channel->name == NULL || !text_equal(other->name, channel->name) ||
		    !text_equal(other->workspace, channel->workspace))
			continue;
		problem_error(
			loading->source.problems, &channel->at,
			"a second channel \"%s\"\tthe first stands in line %u; give each its own "
			"name",
			channel->name, other->at.line);
	}
}

static void channel_read(const struct loading *loading, const struct yaml_node *item)
{
	struct config *config = loading->config;
	struct config_channel *channel = &config->channels[config->channel_count];
	struct settings_table tables[3] = { { config_channel_rows, channel } };
	const struct yaml_node *name = yaml_find(item, "name");

	if (item->kind != NODE_MAP) {
		problem_error(loading->source.problems, &item->at,
			      "a channel must be a map\twrite { name: ..., connector: ... }");
		return;
	}
	channel->at = name == NULL ? item->at : name->at;
	channel->node = item;
	channel->connector = find_connector(loading, item);
	if (channel->connector != NULL && channel->connector->settings != NULL) {
		channel->settings =
			arena_alloc(config->arena, channel->connector->settings_size + 1);
		tables[1].rows = channel->connector->settings;
		tables[1].target = channel->settings;
	}
	settings_defaults(&loading->source, tables);
	if (channel->connector != NULL) {
		settings_read(&loading->source, item, title_of(loading, item), tables, NULL);
	} else if (yaml_find(item, "connector") == NULL) {
		problem_error(
			loading->source.problems, &item->at,
			"\"connector\" is missing in %s\tname the connector that serves it, such "
			"as webhook",
			title_of(loading, item));
	} else {
		/* Its own keys cannot be judged: only the common ones are. */
		channel->connector_name = NULL;
	}
	upper(channel->default_region);
	if (channel->public_url == NULL)
		channel->public_url = config->public_url;
	if (channel->default_region == NULL)
		channel->default_region = config->default_region;
	check_unique(loading, channel);
	config->channel_count++;
}

static void channels_read(const struct loading *loading)
{
	const struct yaml_node *list = yaml_find(loading->root, "channels");
	struct config *config = loading->config;

	if (list == NULL || yaml_is_empty(list))
		return;
	if (list->kind != NODE_LIST) {
		problem_error(
			loading->source.problems, &list->at,
			"\"channels\" must be a list\twrite \"- name: ...\" for each channel");
		return;
	}
	config->channels =
		arena_alloc(config->arena, (list->count + 1) * sizeof(*config->channels));
	for (size_t i = 0; i < list->count; i++)
		channel_read(loading, list->items[i]);
}

static void plugins_load(const struct loading *loading)
{
	struct setting_texts *paths = &loading->config->connector_path;
	const struct yaml_node *list = yaml_find(loading->root, "connector_path");
	struct error err;

	for (size_t i = 0; i < paths->count; i++) {
		paths->items[i] = settings_path(&loading->source, paths->items[i]);
		if (loading->registry->load(paths->items[i], &err) < 0)
			problem_error(loading->source.problems, &list->items[i]->at,
				      "the connector cannot be loaded: %s\tcheck connector_path",
				      err.text);
	}
}

/* ---- the whole ---- */

static void finish(struct loading *loading)
{
	struct config *config = loading->config;
	const char *state = getenv("STATE_DIRECTORY");

	/* The service manager's folder, where the file names none. */
	if (yaml_find(loading->root, "state_dir") == NULL && state != NULL && state[0] == '/')
		config->state_dir = arena_copy(config->arena, state, strcspn(state, ":"));
	upper(config->default_region);
	check_listen(loading);
	check_store(loading);
	check_blobs(loading);
	check_oidc(loading);
	plugins_load(loading);
	channels_read(loading);
}

static struct config *build(struct config *config, const struct yaml_node *root,
			    const struct config_registry *registry, struct problems *problems)
{
	static const char *const others[] = { "channels", NULL };
	struct settings_table tables[] = { { config_rows, config }, { NULL, NULL } };
	struct loading loading = { .config = config, .registry = registry, .root = root };

	if (root != NULL) {
		settings_source_open(&loading.source, config->file, config->arena, problems);
		settings_defaults(&loading.source, tables);
		settings_read(&loading.source, root, NULL, tables, others);
		finish(&loading);
	}
	if (problems_errors(problems) > 0)
		config_free(&config);
	return config;
}

static struct config *config_new(const char *file)
{
	struct config *config = memory_new(sizeof(*config));

	config->arena = arena_new(0);
	config->file = arena_text(config->arena, file);
	return config;
}

struct config *config_load_with(const char *file, const struct config_registry *registry,
				struct problems *problems)
{
	struct config *config = config_new(file);

	return build(config, yaml_read(file, config->arena, problems), registry, problems);
}

struct config *config_parse(const char *file, const char *bytes, size_t len,
			    const struct config_registry *registry, struct problems *problems)
{
	struct config *config = config_new(file);

	return build(config, yaml_parse(file, bytes, len, config->arena, problems), registry,
		     problems);
}

void config_free(struct config **config)
{
	if (*config == NULL)
		return;
	arena_free(&(*config)->arena);
	free(*config);
	*config = NULL;
}

const char *config_ack_text(const struct config *config)
{
	return config->store.ack == ACK_REPLICAS ? "replicas" : "local";
}
