/* Start and stop, in order. What a part needs is up before it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "admit/admit.h"
#include "api/api.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "broker_parts.h"
#include "channel.h"
#include "config.h"
#include "history/history.h"
#include "identity/phones.h"
#include "inbox.h"
#include "pipeline.h"
#include "receive/spooling.h"
#include "services/blobs.h"
#include "services/http_server.h"
#include "services/keyfile.h"
#include "services/lmtp_server.h"
#include "services/loop.h"
#include "services/s3_place.h"
#include "services/state_dir.h"
#include "services/transfer.h"
#include "services/worker.h"
#include "store/check.h"
#include "store/embedded.h"
#include "store/lease.h"
#include "store/store.h"
#include "workspace.h"

enum {
	STORE_WAIT_MS = 30 * 1000,
	HISTORY_WAIT_MS = 15 * 1000,
	PARSE_QUEUE = 200,
	PARSE_DEADLINE_MS = 20 * 1000,
	MAIL_QUEUE = 500,
	MAIL_PROCESSES = 4,
	MAIL_DEADLINE_MS = 100 * 1000,
	DISK_QUEUE = 500,
	DISK_DEADLINE_MS = 20 * 1000,
	PASSWORD_QUEUE = 50,
	PASSWORD_DEADLINE_MS = 10 * 1000,
	EMBEDDED_GRACE_MS = 10 * 1000,
	PATH_BYTES = 4096,
};

static int fail(const struct error *err, int status)
{
	log_error("broker", "event=start_failed error=%s", log_quote(err->text));
	return status;
}

/* ---- the store ---- */

struct answer {
	bool came;
	struct error err;
};

static void on_answer(const struct error *err, void *context)
{
	struct answer *answer = context;

	answer->came = true;
	if (err != NULL)
		answer->err = *err;
}

static void on_nothing(void *context)
{
	(void)context;
}

/* Only at start: turns the loop until the answer came. */
static bool wait_for(struct loop *loop, const bool *flag, int64_t patience_ms)
{
	int64_t until = loop_now_ms(loop) + patience_ms;
	struct loop_timer *wake = loop_timer_new(loop, on_nothing, NULL);

	while (!*flag && loop_now_ms(loop) < until) {
		loop_timer_start(wake, 50);
		loop_turn(loop, true);
	}
	loop_timer_free(&wake);
	return *flag;
}

static int store_open(struct broker *broker, struct error *err)
{
	struct parts *parts = &broker->parts;
	const struct config_store *wanted = &parts->config->store;
	struct store_options options = {
		.url = wanted->url,
		.ack = config_ack_text(parts->config),
		.allow_unsafe = wanted->allow_unsafe,
		.deadline_ms = wanted->deadline_ms,
		.in_flight_max = (int)wanted->in_flight,
		.queue_max = (int)wanted->queue,
	};
	struct embedded_options embedded = {
		.state_dir = broker->state_dir,
		.max_memory = wanted->max_memory,
		.append_fsync = "always",
	};

	if (text_equal(wanted->url, "embedded")) {
		broker->embedded = embedded_start(parts->loop, &embedded, err);
		if (broker->embedded == NULL)
			return -1;
		options.url = embedded_url(broker->embedded);
	}
	parts->store = store_new(parts->loop, &options, err);
	return parts->store == NULL ? -1 : 0;
}

static int store_judge(struct parts *parts, struct error *err)
{
	struct answer answer = { 0 };

	store_check(parts->store, on_answer, &answer);
	if (!wait_for(parts->loop, &answer.came, STORE_WAIT_MS))
		return error_set(err, ERROR_TEMPORARY, "the store does not answer");
	if (answer.err.kind != ERROR_NONE) {
		*err = answer.err;
		return -1;
	}
	return 0;
}

static bool is_on_s3(const struct config *config)
{
	return config->blobs.url != NULL && text_starts(config->blobs.url, "s3:");
}

/* ---- the history ---- */

static void on_history(struct json_object *answer, const struct error *err, void *context)
{
	struct broker *broker = context;

	(void)answer;
	broker->history_answered = true;
	if (err != NULL)
		broker->history_error = *err;
}

/* A database that is away is waited for later, by what writes into it; one that cannot be right is
 * said at once. */
static int history_start(struct broker *broker, struct error *err)
{
	struct parts *parts = &broker->parts;
	const struct history_options options = { .url = parts->config->history.url,
						 .password = parts->config->history.password,
						 .state_dir = parts->config->state_dir };

	parts->history = history_new(parts->loop, &options);
	if (!history_is_kept(parts->history))
		return 0;
	history_tell(parts->history, "open", "main", NULL, on_history, broker);
	wait_for(parts->loop, &broker->history_answered, HISTORY_WAIT_MS);
	if (broker->history_error.kind == ERROR_NONE)
		return 0;
	*err = broker->history_error;
	if (err->kind == ERROR_PERMANENT)
		return error_wrap(err, "history %s", history_place(parts->history));
	log_warn("broker", "event=history_away place=%s error=%s", history_place(parts->history),
		 log_quote(err->text));
	return 0;
}

static int workspace_boot(struct parts *parts, const char *workspace, const char *installation,
			  struct error *err)
{
	struct answer answer = { 0 };
	struct store_identity identity = {
		.installation = installation,
		.blobs = "disk",
		.grace_ms = parts->config->limits.disconnect_grace_ms,
	};
	struct s3_place place;

	char history[HISTORY_ID_BYTES + 1];

	identity.history =
		history_identity(parts->history, parts->config->history.accept_other, history);
	if (is_on_s3(parts->config) && s3_place_read(parts->config->blobs.url, &place, err) == 0)
		identity.blobs = place.name;

	store_boot(parts->store, workspace, &identity, on_answer, &answer);
	if (!wait_for(parts->loop, &answer.came, STORE_WAIT_MS))
		return error_set(err, ERROR_TEMPORARY, "the store does not answer");
	if (answer.err.kind != ERROR_NONE) {
		*err = answer.err;
		return error_wrap(err, "workspace %s", workspace);
	}
	return 0;
}

/* ---- the parts ---- */

static struct worker_pool *disk_pool(struct loop *loop, const char *folder)
{
	const struct worker_options options = { .name = "disk",
						.processes = 1,
						.queue_max = DISK_QUEUE,
						.deadline_ms = DISK_DEADLINE_MS,
						.state_dir = folder };

	return worker_pool_new(loop, &options);
}

static void workers_start(struct parts *parts)
{
	struct worker_options parse = { .name = "parse",
					.processes = 1,
					.queue_max = PARSE_QUEUE,
					.deadline_ms = PARSE_DEADLINE_MS };
	struct worker_options mail = { .name = "mail",
				       .processes = MAIL_PROCESSES,
				       .queue_max = MAIL_QUEUE,
				       .deadline_ms = MAIL_DEADLINE_MS,
				       .once = true };
	struct worker_options password = { .name = "password",
					   .processes = 1,
					   .queue_max = PASSWORD_QUEUE,
					   .deadline_ms = PASSWORD_DEADLINE_MS };

	parts->parse = worker_pool_new(parts->loop, &parse);
	parts->mail = worker_pool_new(parts->loop, &mail);
	parts->disk = disk_pool(parts->loop, parts->config->state_dir);
	parts->password = worker_pool_new(parts->loop, &password);
	parts->phones = phones_new(parts->loop, NULL);
}

static void blobs_start(struct parts *parts)
{
	const struct config_blobs *wanted = &parts->config->blobs;
	const struct blobs_s3_options s3 = { wanted->url, wanted->access_key, wanted->secret_key,
					     wanted->timeout_ms };

	if (is_on_s3(parts->config)) {
		parts->blobs = blobs_s3_new(parts->loop, parts->transfers, &s3);
	} else if (wanted->url != NULL) {
		mkdir(wanted->url + strlen("file:"), 0700); /* else the worker says why not */
		parts->packs = disk_pool(parts->loop, wanted->url + strlen("file:"));
		parts->blobs = blobs_disk_new(parts->packs);
	} else {
		parts->blobs = blobs_disk_new(parts->disk);
	}
}

int broker_open_channels(struct broker *broker)
{
	const struct config *config = broker->parts.config;
	struct error err;
	int failures = 0;

	for (size_t i = 0; i < config->channel_count; i++) {
		const struct config_channel *row = &config->channels[i];
		struct channel_options options = {
			.workspace = row->workspace,
			.name = row->name,
			.connector = row->connector,
			.settings = row->settings,
			.public_url = row->public_url,
			.default_region = row->default_region,
			.remember_ms = row->remember_ms,
			.window_ms = row->window_ms,
			.sending = &row->sending,
			.is_simulated = row->is_simulated,
		};

		if (channel_find(broker->parts.channels, row->workspace, row->name) != NULL)
			continue;
		if (channel_open(broker->parts.channels, &options, &err) != 0) {
			log_error("broker", "event=channel_not_opened channel=%s error=%s",
				  row->name, log_quote(err.text));
			failures++;
		}
	}
	channels_start(broker->parts.channels);
	return failures;
}

static int boot_workspaces(struct broker *broker, const char *installation, struct error *err)
{
	const struct config *config = broker->parts.config;

	if (workspace_boot(&broker->parts, "main", installation, err) != 0)
		return -1;
	for (size_t i = 0; i < config->channel_count; i++)
		if (!text_equal(config->channels[i].workspace, "main") &&
		    workspace_boot(&broker->parts, config->channels[i].workspace, installation,
				   err) != 0)
			return -1;
	return 0;
}

static int domain_start(struct broker *broker, struct error *err)
{
	struct parts *parts = &broker->parts;
	const struct config *config = parts->config;
	unsigned char key[KEYFILE_BYTES];
	unsigned char hash[SHA256_BYTES];
	char installation[2 * SHA256_BYTES + 1];
	struct channels_options channels = { 0 };

	if (keyfile_read(config->state_dir, key, err) != 0)
		return -1;
	crypto_sha256(key, sizeof(key), hash);
	text_hex(hash, 8, installation);
	parts->key = mac_new(key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	if (history_start(broker, err) != 0 || boot_workspaces(broker, installation, err) != 0)
		return -1;
	workers_start(parts);
	parts->transfers = transfers_new(parts->loop);
	blobs_start(parts);
	parts->leases =
		leases_new(parts->loop, parts->store, broker->instance, broker->forerunners);
	parts->admit = admit_new(parts->store, parts->key);
	if (history_is_kept(parts->history))
		admit_keep_late(parts->admit);
	parts->pipeline = pipeline_new(parts);
	parts->spooling = spooling_new(parts);
	parts->workspaces = workspaces_new(parts);
	channels.loop = parts->loop;
	channels.store = parts->store;
	channels.leases = parts->leases;
	channels.transfers = parts->transfers;
	channels.mail = parts->mail;
	inbox_hooks(parts, &channels.hooks);
	parts->channels = channels_new(&channels);
	workspace_get(parts->workspaces, "main");
	for (size_t i = 0; i < config->channel_count; i++)
		workspace_get(parts->workspaces, config->channels[i].workspace);
	parts->api = api_new(parts);
	return 0;
}

/* ---- the doors ---- */

static void http_options(const struct config *config, struct http_server_options *ret)
{
	const struct config_listen *listen = &config->listen;

	*ret = (struct http_server_options){
		.address = listen->http,
		.tls_cert = listen->tls_cert,
		.tls_key = listen->tls_key,
		.trusted_proxies = (const char *const *)listen->trusted_proxies.items,
		.trusted_proxy_count = listen->trusted_proxies.count,
		.reuse_port = listen->reuse_port,
		.body_max = config->limits.body,
		.connections_max = (int)listen->connections,
		.idle_per_source = (int)listen->idle_per_source,
		.header_ms = listen->header_timeout_ms,
		.request_ms = listen->request_timeout_ms,
		.idle_ms = listen->idle_timeout_ms,
		.stream_buffer_max = (size_t)listen->stream_buffer,
	};
}

static int doors_open(struct broker *broker, struct error *err)
{
	struct parts *parts = &broker->parts;
	struct http_server_options options;
	char admin[PATH_BYTES];

	http_options(parts->config, &options);
	broker->http =
		http_server_new(parts->loop, &options, api_body_limit, api_handle, parts->api, err);
	if (broker->http == NULL)
		return error_wrap(err, "listen.http");
	snprintf(admin, sizeof(admin), "unix:%s/admin.sock", parts->config->state_dir);
	options.address = parts->config->listen.admin == NULL ? admin : parts->config->listen.admin;
	options.tls_cert = NULL;
	options.tls_key = NULL;
	options.reuse_port = false;
	broker->admin = http_server_new(parts->loop, &options, api_body_limit, api_handle_admin,
					parts->api, err);
	if (broker->admin == NULL)
		return error_wrap(err, "listen.admin");
	if (parts->config->listen.lmtp != NULL) {
		broker->lmtp = inbox_listen(parts, parts->config->listen.lmtp, err);
		if (broker->lmtp == NULL)
			return error_wrap(err, "listen.lmtp");
	}
	parts->listening = true;
	return 0;
}

static int claim_state_dir(struct broker *broker, struct error *err)
{
	unsigned char random[8];
	char hex[2 * sizeof(random) + 1];

	crypto_random(random, sizeof(random));
	text_hex(random, sizeof(random), hex);
	snprintf(broker->instance, sizeof(broker->instance), "i-%s", hex);
	broker->parts.instance = broker->instance;
	broker->parts.forerunners = broker->forerunners;
	broker->state_dir = state_dir_open(broker->parts.config->state_dir, err);
	if (broker->state_dir == NULL)
		return -1;
	return state_dir_succeed(broker->state_dir, broker->instance, broker->forerunners, err);
}

int broker_start(struct broker *broker)
{
	struct error err = { 0 };
	struct parts *parts = &broker->parts;

	umask(0077);
	parts->loop = loop_new();
	if (claim_state_dir(broker, &err) != 0)
		return fail(&err, err.kind == ERROR_TEMPORARY ? EX_TEMPFAIL : EX_CANTCREAT);
	if (store_open(broker, &err) != 0)
		return fail(&err, err.kind == ERROR_TEMPORARY ? EX_TEMPFAIL : EX_UNAVAILABLE);
	if (store_judge(parts, &err) != 0)
		return fail(&err, err.kind == ERROR_TEMPORARY ? EX_TEMPFAIL : EX_CONFIG);
	if (domain_start(broker, &err) != 0)
		return fail(&err, EX_UNAVAILABLE);
	if (broker_open_channels(broker) != 0)
		return EX_CONFIG;
	if (doors_open(broker, &err) != 0) {
		if (strstr(err.text, strerror(EADDRINUSE)) != NULL)
			error_wrap(&err, "another program has that address, choose another");
		return fail(&err, EX_OSERR);
	}
	return 0;
}

void broker_retire(struct broker *broker, struct config *config)
{
	broker->retired =
		memory_grow(broker->retired, broker->retired_count + 1, sizeof(*broker->retired));
	broker->retired[broker->retired_count++] = config;
}

void broker_stop(struct broker *broker)
{
	struct parts *parts = &broker->parts;

	if (parts->loop == NULL)
		return;
	http_server_free(&broker->http);
	http_server_free(&broker->admin);
	lmtp_server_free(&broker->lmtp);
	workspaces_free(&parts->workspaces);
	channels_free(&parts->channels);
	leases_free(&parts->leases);
	blobs_free(&parts->blobs);
	worker_pool_free(&parts->packs);
	worker_pool_free(&parts->parse);
	worker_pool_free(&parts->mail);
	worker_pool_free(&parts->disk);
	worker_pool_free(&parts->password);
	phones_free(&parts->phones);
	history_free(&parts->history);
	transfers_free(&parts->transfers);
	store_free(&parts->store);
	api_free(&parts->api);
	spooling_free(&parts->spooling);
	pipeline_free(&parts->pipeline);
	admit_free(&parts->admit);
	mac_free(&parts->key);
	embedded_stop(&broker->embedded, EMBEDDED_GRACE_MS);
	state_dir_close(&broker->state_dir);
	loop_free(&parts->loop);
	for (size_t i = 0; i < broker->retired_count; i++)
		config_free(&broker->retired[i]);
	free(broker->retired);
	config_free(&parts->config);
}
