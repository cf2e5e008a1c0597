#include "store/index_migrate.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/store.h"

enum { SCAN_COUNT = 500 };

/* Both indexes are scanned; each bucket sends what is not its own where it belongs. A crash costs
 * no more than doing it again. */
static const char *const patterns[] = { "i:*", "r:*" };

struct migration {
	struct store *store;
	char *workspace;
	store_ready_fn *done;
	void *context;
	size_t pattern;
	char *cursor; /* of the scan */
	char **keys;  /* it found, without the workspace */
	size_t count;
	size_t at;
};

static void scan(struct migration *migration);

static void keys_clear(struct migration *migration)
{
	for (size_t i = 0; i < migration->count; i++)
		free(migration->keys[i]);
	free(migration->keys);
	migration->keys = NULL;
	migration->count = migration->at = 0;
}

static void finish(struct migration *migration, const struct error *err)
{
	migration->done(err, migration->context);
	keys_clear(migration);
	free(migration->cursor);
	free(migration->workspace);
	free(migration);
}

static void next(struct migration *migration);

static void on_moved(const struct store_reply *reply, const struct error *err, void *context)
{
	struct migration *migration = context;

	(void)reply;
	if (err != NULL) {
		finish(migration, err);
		return;
	}
	migration->at++;
	next(migration);
}

static void next(struct migration *migration)
{
	struct store_call *call;

	if (migration->at < migration->count) {
		call = store_script("index_move", migration->workspace);
		store_key(call, "%s", migration->keys[migration->at]);
		store_run(migration->store, call, on_moved, migration);
		return;
	}
	if (text_equal(migration->cursor, "0"))
		migration->pattern++;
	if (migration->pattern == COUNT_OF(patterns))
		finish(migration, NULL);
	else
		scan(migration);
}

static void on_scanned(const struct store_reply *reply, const struct error *err, void *context)
{
	struct migration *migration = context;
	const struct store_reply *keys = reply_item(reply, 1);
	size_t prefix = strlen(migration->workspace) + strlen("{}:");

	if (err != NULL) {
		finish(migration, err);
		return;
	}
	keys_clear(migration);
	free(migration->cursor);
	migration->cursor = memory_text(reply_text(reply_item(reply, 0), NULL));
	migration->keys = memory_new((reply_count(keys) + 1) * sizeof(*migration->keys));
	for (; migration->count < reply_count(keys); migration->count++)
		migration->keys[migration->count] =
			memory_text(reply_text(reply_item(keys, migration->count), NULL) + prefix);
	next(migration);
}

static void scan(struct migration *migration)
{
	struct store_call *call = store_command("SCAN");

	store_arg_text(call, migration->cursor);
	store_arg_text(call, "MATCH");
	store_arg_key(call, migration->workspace, "%s", patterns[migration->pattern]);
	store_arg_text(call, "COUNT");
	store_arg_int(call, SCAN_COUNT);
	store_read(migration->store, call, on_scanned, migration);
}

void index_migrate(struct store *store, const char *workspace, store_ready_fn *done, void *context)
{
	struct migration *migration = memory_new(sizeof(*migration));

	migration->store = store;
	migration->workspace = memory_text(workspace);
	migration->done = done;
	migration->context = context;
	migration->cursor = memory_text("0");
	scan(migration);
}
