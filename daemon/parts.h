/* What one running daemon is made of: set up by the broker in start order and
 * handed to whatever needs more than one of them. Pointers only; each part has
 * its own header. */
#pragma once

#include <stdbool.h>

struct admit;
struct api;
struct blobs;
struct channels;
struct config;
struct deliveries;
struct history;
struct leases;
struct loop;
struct mac;
struct phones;
struct pipeline;
struct spooling;
struct store;
struct tail;
struct transfers;
struct worker_pool;
struct workspaces;

struct parts {
	struct config *config;
	struct loop *loop;
	struct store *store;
	struct leases *leases;
	struct mac *key; /* of the installation: every keyed hash and signed token */
	struct worker_pool *parse;
	struct worker_pool *mail;
	struct worker_pool *disk;
	struct worker_pool *packs; /* of blobs in a folder of their own; NULL: disk does it */
	struct worker_pool *password;
	struct phones *phones; /* national numbers, by a worker of its own */
	struct blobs *blobs;
	struct history *history;
	struct admit *admit;
	struct transfers *transfers;
	struct channels *channels;
	struct workspaces *workspaces;
	struct pipeline *pipeline;
	struct spooling *spooling;
	struct api *api;
	const char *instance; /* id of this process among the instances */
	const char
		*forerunners; /* ids of those before it that are dead for sure, parted by spaces */
	bool draining;        /* SIGTERM came: readyz says so, claims end */
	bool listening;       /* every configured listener and the admin socket are bound */
};
