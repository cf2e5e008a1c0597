/* The daemon's configuration file: infrastructure, all of it in rows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/problems.h"
#include "base/yaml.h"
#include "channel.h"
#include "converge/connector.h"
#include "converge/setting.h"

struct config_listen {
	char *http;  /* host:port, [v6]:port, unix:/path */
	char *lmtp;  /* NULL: none */
	char *admin; /* NULL: unix:<state_dir>/admin.sock */
	bool reuse_port;
	char *tls_cert; /* NULL: plain text */
	char *tls_key;
	struct setting_texts trusted_proxies; /* addresses or CIDR */
	int64_t connections;
	int64_t idle_per_source;
	int64_t header_timeout_ms;
	int64_t request_timeout_ms;
	int64_t idle_timeout_ms;
	int64_t stream_buffer;
};

enum config_ack { ACK_LOCAL, ACK_REPLICAS };

struct config_store {
	char *url; /* "embedded", unix:/path, redis://... */
	int ack;   /* enum config_ack; config_ack_text() is what struct store_options takes */
	bool allow_unsafe;
	int64_t max_memory; /* 0: half of RAM */
	int64_t deadline_ms;
	int64_t in_flight;
	int64_t queue;
};

struct config_history {
	char *url;      /* NULL: in state_dir; "none", sqlite:/path, postgresql://... */
	char *password; /* of PostgreSQL, where it is not in the URL */
	bool accept_other;
	int64_t keep_hot_ms; /* what is at rest stays in the store that long */
};

struct config_blobs {
	char *url;        /* NULL: in state_dir; else file:/folder or s3://bucket/prefix?... */
	char *access_key; /* S3's, also from the environment */
	char *secret_key;
	int64_t timeout_ms;
};

struct config_log {
	int level;  /* enum log_level */
	int format; /* 0 logfmt, 1 JSON */
	int64_t max_bytes;
};

struct config_limits {
	int64_t body;
	int64_t media;
	struct setting_texts media_types; /* none: any */
	int64_t mail;
	int64_t api_per_second; /* requests of one token */
	bool private_classifiers;
	bool private_order_hooks;
	bool private_webhooks;
	int64_t disconnect_grace_ms;
	int64_t visitor_messages_per_minute;
	int64_t visitor_sessions_per_minute; /* of one source */
};

/* Signing in through a provider; issuer NULL: only with a password. */
struct config_oidc {
	char *issuer;
	char *client_id;
	char *client_secret; /* NULL: a public client */
	char *name;          /* shown on the button; NULL: the issuer's host */
	char *scope;
	bool allow_private;
};

struct config_channel {
	char *workspace;
	char *name;
	char *connector_name;
	char *public_url;     /* the channel's, else the file's; NULL: none */
	char *default_region; /* upper case, the channel's, else the file's; NULL: none */
	bool trust_addresses;
	bool allow_private_urls;
	bool is_simulated;
	int64_t remember_ms; /* 0: the connector's */
	int64_t window_ms;   /* 0: the connector's */
	struct sending_rules sending;
	const struct connector *connector;
	void *settings;               /* connector->settings_size bytes, filled by its rows */
	struct place at;              /* of its name */
	const struct yaml_node *node; /* as written */
};

struct config {
	struct arena *arena;
	char *file;
	char *state_dir; /* absolute */
	struct config_listen listen;
	struct config_store store;
	struct config_history history;
	struct config_blobs blobs;
	struct config_log log;
	struct config_limits limits;
	struct config_oidc oidc;
	char *public_url;
	char *files_url; /* NULL: files are served where the rest is */
	char *default_region;
	int64_t lame_duck_ms;
	struct setting_texts connector_path; /* absolute */
	struct config_channel *channels;
	size_t channel_count;
};

/* Where connectors come from. */
struct config_registry {
	const struct connector *(*find)(const char *name);
	const struct connector *(*at)(size_t index);
	int (*load)(const char *path, struct error *err);
};

/* NULL when there is an error (all of them are in problems). Loads the plug-ins it names, and
 * opens and closes every channel once, without a store, so that its connector judges it too. */
struct config *config_load(const char *file, struct problems *problems);
void config_free(struct config **config);
/* `-t`: prints every problem to stderr, or "FILE: fine" to stdout. 0, or 78 (EX_CONFIG). */
int config_test(const char *file);

/* The same with another registry, for tests. */
struct config *config_load_with(const char *file, const struct config_registry *registry,
				struct problems *problems);
/* Of bytes; file is named in errors and relative paths start at its folder. */
struct config *config_parse(const char *file, const char *bytes, size_t len,
			    const struct config_registry *registry, struct problems *problems);

const char *config_ack_text(const struct config *config); /* "local", "replicas" */

/* What differs between two configurations: "listen.http", "channels.shop" ... A channel that came,
 * went or changed is reloadable: it is closed and opened again. */
struct config_change {
	const char *key;
	bool is_reloadable; /* else it needs a restart */
};

struct config_diff {
	struct arena *arena;
	struct config_change *changes;
	size_t count;
};

struct config_diff *config_diff(const struct config *old, const struct config *new);
void config_diff_free(struct config_diff **diff);

/* The rows, for the generators. */
extern const struct setting config_rows[];
extern const struct setting config_channel_rows[];
