#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/blob_owner.h"
#include "store/check.h"

enum { SCAN_COUNT = 500, PAGE = 200 };

/* All lists of messages are scanned, page by page; what a page names is noted before the next one
 * is read, so that a crash costs no more than doing it again. */
struct migration {
	struct store *store;
	char *workspace;
	store_ready_fn *done;
	void *context;
	char *cursor; /* of the scan */
	char **keys;  /* it found */
	size_t count;
	size_t at;
	int64_t from; /* index in the list of keys[at] */
	bool is_more; /* the list goes on after this page */
};

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

/* Members of the message's own JSON: inside a text a quote is escaped. */
static void ids_find(const char *stored, const char *member, struct buf *packed)
{
	size_t len = strlen(member);
	char id[BLOB_ID_LEN + 1] = "";

	while (stored != NULL && (stored = strstr(stored, member)) != NULL) {
		stored += len;
		if (strlen(stored) <= BLOB_ID_LEN || stored[BLOB_ID_LEN] != '"')
			continue;
		memcpy(id, stored, BLOB_ID_LEN);
		if (blob_is_id(id))
			blob_pack(packed, id);
	}
}

static void page_read(struct migration *migration);
static void scan(struct migration *migration);

static void next_page(struct migration *migration)
{
	migration->from += PAGE;
	if (!migration->is_more) {
		migration->from = 0;
		migration->at++;
	}
	page_read(migration);
}

static void on_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	struct migration *migration = context;

	(void)reply;
	if (err != NULL)
		finish(migration, err);
	else
		next_page(migration);
}

static void on_page(const struct store_reply *reply, const struct error *err, void *context)
{
	struct migration *migration = context;
	struct buf packed = { 0 };

	if (err != NULL) {
		finish(migration, err);
		return;
	}
	migration->is_more = reply_count(reply) == PAGE;
	for (size_t i = 0; i < reply_count(reply); i++) {
		ids_find(reply_text(reply_item(reply, i), NULL), "\"id\":\"", &packed);
		ids_find(reply_text(reply_item(reply, i), NULL), "\"raw\":\"", &packed);
	}
	if (packed.len > 0)
		blob_keep(
			migration->store,
			&(struct blob_keeping){ migration->workspace, "", "", &packed, NULL, true },
			on_kept, migration);
	else
		next_page(migration);
	buf_clear(&packed);
}

static void page_read(struct migration *migration)
{
	struct store_call *call;

	if (migration->at == migration->count) {
		if (text_equal(migration->cursor, "0"))
			finish(migration, NULL);
		else
			scan(migration);
		return;
	}
	call = store_command("LRANGE");
	store_arg_text(call, migration->keys[migration->at]);
	store_arg_int(call, migration->from);
	store_arg_int(call, migration->from + PAGE - 1);
	store_read(migration->store, call, on_page, migration);
}

static void on_scanned(const struct store_reply *reply, const struct error *err, void *context)
{
	struct migration *migration = context;
	const struct store_reply *keys = reply_item(reply, 1);

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
			memory_text(reply_text(reply_item(keys, migration->count), NULL));
	migration->from = 0;
	page_read(migration);
}

static void scan(struct migration *migration)
{
	struct store_call *call = store_command("SCAN");

	store_arg_text(call, migration->cursor);
	store_arg_text(call, "MATCH");
	store_arg_key(call, migration->workspace, "m:*");
	store_arg_text(call, "COUNT");
	store_arg_int(call, SCAN_COUNT);
	store_read(migration->store, call, on_scanned, migration);
}

void blob_migrate(struct store *store, const char *workspace, store_ready_fn *done, void *context)
{
	struct migration *migration = memory_new(sizeof(*migration));

	migration->store = store;
	migration->workspace = memory_text(workspace);
	migration->done = done;
	migration->context = context;
	migration->cursor = memory_text("0");
	scan(migration);
}
