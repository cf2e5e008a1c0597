/* SIGHUP: the new file is read beside the old one; an error keeps the old. */
#include <stdio.h>

#include "base/log.h"
#include "base/problems.h"
#include "base/text.h"
#include "broker_parts.h"
#include "channel.h"
#include "config.h"
#include "services/http_server.h"
#include "services/notify.h"
#include "workspace.h"

static bool channel_changed(const struct channel *channel, const struct config_diff *diff)
{
	char key[120];

	if (text_equal(channel_workspace(channel), "main"))
		snprintf(key, sizeof(key), "channels.%s", channel_name(channel));
	else
		snprintf(key, sizeof(key), "channels.%s.%s", channel_workspace(channel),
			 channel_name(channel));
	for (size_t i = 0; i < diff->count; i++)
		if (text_equal(diff->changes[i].key, key))
			return true;
	return false;
}

/* Channels that went or changed are closed; broker_open_channels() opens what is missing. */
static void close_changed(struct broker *broker, const struct config_diff *diff)
{
	struct channels *channels = broker->parts.channels;
	struct channel *channel;
	size_t index = 0;

	while ((channel = channel_at(channels, index)) != NULL) {
		if (channel_changed(channel, diff))
			channel_close(channel);
		else
			index++;
	}
}

static void report(const struct config_diff *diff)
{
	for (size_t i = 0; i < diff->count; i++)
		log_info("broker", "event=config_changed key=%s effect=%s", diff->changes[i].key,
			 diff->changes[i].is_reloadable ? "now" : "after_restart");
	if (diff->count == 0)
		log_info("broker", "event=config_unchanged");
}

static void on_learnt(void *context)
{
	(void)context;
}

/* What work costs follows from which channels there are. */
static void workspaces_learn(struct broker *broker)
{
	struct workspace *workspace = NULL;

	while ((workspace = workspace_next(broker->parts.workspaces, workspace)) != NULL)
		workspace_refresh(workspace, on_learnt, NULL);
}

void broker_reload(struct broker *broker, const char *file)
{
	struct problems *problems = problems_new();
	struct config *fresh = config_load(file, problems);
	struct config_diff *diff;
	struct error err;

	problems_print(problems, stderr);
	problems_free(&problems);
	if (fresh == NULL) {
		log_error("broker", "event=reload_failed effect=old_configuration_kept");
		return;
	}
	notify_state("RELOADING=1");
	diff = config_diff(broker->parts.config, fresh);
	report(diff);
	close_changed(broker, diff);
	config_diff_free(&diff);
	/* Channels that did not change still point into the settings they were opened with. */
	broker_retire(broker, broker->parts.config);
	broker->parts.config = fresh;
	broker_open_channels(broker);
	workspaces_learn(broker);
	if (http_server_reload_tls(broker->http, fresh->listen.tls_cert, fresh->listen.tls_key,
				   &err) != 0)
		log_error("broker", "event=tls_not_reloaded error=%s", log_quote(err.text));
	else if (fresh->listen.tls_cert != NULL)
		log_info("broker", "event=tls_reloaded certificate=%s",
			 log_quote(fresh->listen.tls_cert));
	notify_state("READY=1");
}
