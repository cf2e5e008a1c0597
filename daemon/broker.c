#include "broker.h"

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

#include "api/api.h"
#include "base/log.h"
#include "base/problems.h"
#include "broker_parts.h"
#include "channel.h"
#include "config.h"
#include "services/http_server.h"
#include "services/lmtp_server.h"
#include "services/loop.h"
#include "services/notify.h"

struct running {
	struct broker broker;
	const char *file;
};

/* ---- the end ---- */

static void on_drained(void *context)
{
	struct running *running = context;

	if (--running->broker.drains == 0)
		loop_stop(running->broker.parts.loop);
}

/* Lame duck: readyz says no, nothing new is taken, what is in flight is answered. */
static void on_terminate(void *context)
{
	struct running *running = context;
	struct broker *broker = &running->broker;
	int64_t grace = broker->parts.config->lame_duck_ms;

	if (broker->parts.draining) {
		loop_stop(broker->parts.loop);
		return;
	}
	log_info("broker", "event=draining grace_ms=%lld", (long long)grace);
	notify_state("STOPPING=1");
	broker->parts.draining = true;
	broker->drains = 3;
	channels_stop(broker->parts.channels);
	api_drain(broker->parts.api);
	lmtp_server_free(&broker->lmtp);
	http_server_drain(broker->http, grace, on_drained, running);
	http_server_drain(broker->admin, grace, on_drained, running);
	channels_drain(broker->parts.channels, grace, on_drained, running);
}

static void on_reload(void *context)
{
	struct running *running = context;

	broker_reload(&running->broker, running->file);
}

static void say_ready(const struct broker *broker)
{
	const struct config *config = broker->parts.config;

	log_info("broker", "event=ready version=%s http=%s lmtp=%s channels=%zu store=%s",
		 CONVERGE_VERSION, config->listen.http,
		 config->listen.lmtp == NULL ? "-" : config->listen.lmtp, config->channel_count,
		 broker->embedded == NULL ? "remote" : "embedded");
	notify_state("READY=1");
}

/* ---- the start ---- */

static struct config *config_read(const char *file)
{
	struct problems *problems = problems_new();
	struct config *config = config_load(file, problems);

	problems_print(problems, stderr);
	problems_free(&problems);
	return config;
}

int broker_run(const struct broker_options *options)
{
	struct running running = { .file = options->config_file };
	struct broker *broker = &running.broker;
	struct loop *loop;

	broker->parts.config = config_read(options->config_file);
	if (broker->parts.config == NULL)
		return EX_CONFIG;
	log_setup(options->log_level < 0 ? (enum log_level)broker->parts.config->log.level
					 : (enum log_level)options->log_level,
		  broker->parts.config->log.format == 1);
	signal(SIGPIPE, SIG_IGN);
	broker->is_demo = options->demo;
	broker->exit_status = broker_start(broker);
	if (broker->exit_status == 0) {
		loop = broker->parts.loop;
		loop_on_signal(loop, SIGTERM, on_terminate, &running);
		loop_on_signal(loop, SIGINT, on_terminate, &running);
		loop_on_signal(loop, SIGHUP, on_reload, &running);
		if (options->demo)
			broker_demo(broker, options->simulator);
		say_ready(broker);
		loop_run(loop);
		broker_demo_stop();
		log_info("broker", "event=stopped");
	}
	broker_stop(broker);
	return broker->exit_status;
}
