#include "store/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "store/store_internal.h"

struct check {
	struct store *store;
	store_ready_fn *done;
	void *context;
	char *info;
};

static void finish(struct check *check, struct error *err)
{
	if (err != NULL)
		error_wrap(err, "store");
	check->done(err, check->context);
	free(check->info);
	free(check);
}

static bool info_is(const char *info, const char *name, const char *value)
{
	size_t len;
	const char *found = info_field(info, name, &len);

	return found != NULL && len == strlen(value) && strncmp(found, value, len) == 0;
}

/* Redis tells its version; Valkey tells the Redis it is compatible with in the same place. */
static int check_version(const char *info, struct error *err)
{
	size_t len = 0;
	const char *version = info_field(info, "redis_version", &len);

	if (version == NULL || strtol(version, NULL, 10) >= 7)
		return 0;
	return error_set(err, ERROR_PERMANENT, "Redis %.*s is too old: 7.0 or newer is needed",
			 (int)len, version);
}

/* What would lose acknowledged messages; allow_unsafe skips these. */
static int check_safety(const struct check *check, const char *fsync, struct error *err)
{
	const struct store_options *options = store_options_of(check->store);
	bool wants_replicas = options->ack != NULL && strcmp(options->ack, "replicas") == 0;

	if (!info_is(check->info, "aof_enabled", "1"))
		return error_set(err, ERROR_PERMANENT,
				 "appendonly is off, so a crash loses acknowledged messages: set "
				 "`appendonly yes`, or store.allow_unsafe: true");
	if (fsync == NULL)
		return error_set(err, ERROR_PERMANENT,
				 "appendfsync cannot be read: let the store's user run CONFIG GET "
				 "(ACL `+config|get`), or set store.allow_unsafe: true");
	if (strcmp(fsync, "always") != 0)
		return error_set(err, ERROR_PERMANENT,
				 "appendfsync is %s, so a power cut loses acknowledged messages: "
				 "set `appendfsync always`, or store.allow_unsafe: true",
				 fsync);
	if (!info_is(check->info, "maxmemory_policy", "noeviction"))
		return error_set(err, ERROR_PERMANENT,
				 "maxmemory-policy would throw messages away: set "
				 "`maxmemory-policy noeviction`, or store.allow_unsafe: true");
	if (wants_replicas && info_number(check->info, "connected_slaves", 0) < 1)
		return error_set(err, ERROR_PERMANENT,
				 "store.ack is replicas, but no replica is connected: connect one, "
				 "or set store.ack: local");
	return 0;
}

static void on_config(const struct store_reply *reply, const struct error *err, void *context)
{
	struct check *check = context;
	const char *fsync = err == NULL ? reply_field(reply, "appendfsync") : NULL;
	struct error found;
	bool is_usable = check_version(check->info, &found) == 0;

	if (is_usable && check_safety(check, fsync, &found) == 0) {
		finish(check, NULL);
	} else if (is_usable && store_options_of(check->store)->allow_unsafe) {
		log_warn("store", "event=unsafe what=%s", log_quote(found.text));
		finish(check, NULL);
	} else {
		finish(check, &found);
	}
}

static void on_info(const struct store_reply *reply, const struct error *err, void *context)
{
	struct check *check = context;
	struct store_call *call;
	struct error copy;

	if (err != NULL) {
		copy = *err;
		finish(check, &copy);
		return;
	}
	check->info = memory_text(reply_text(reply, NULL));
	call = store_command("CONFIG");
	store_arg_text(call, "GET");
	store_arg_text(call, "appendfsync");
	store_read(check->store, call, on_config, check);
}

void store_check(struct store *store, void (*done)(const struct error *err, void *context),
		 void *context)
{
	struct check *check = memory_new(sizeof(*check));
	struct store_call *call = store_command("INFO");

	check->store = store;
	check->done = done;
	check->context = context;
	store_read(store, call, on_info, check);
}
