#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/blob_owner.h"
#include "store/check.h"

enum { SCAN_COUNT = 500, PAGE = 200 };

/* What was noted in another form goes; then all lists of messages are scanned, page by page, and
 * what came of attachments that a provider kept. What a page names is noted before the next one is
 * read, so that a crash costs no more than doing it again. */
enum phase { PHASE_DROP, PHASE_MESSAGES, PHASE_FILES, PHASE_END };
static const char *const patterns[] = { "b:*", "m:*", "y:*" };

struct migration {
	enum phase phase;
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

/* The lines of conversation/files.h. */
static void files_find(const char *lines, struct buf *packed)
{
	char id[BLOB_ID_LEN + 1] = "";

	while (lines != NULL) {
		if (sscanf(lines, "stored %64[0-9a-f] ", id) == 1 && blob_is_id(id))
			blob_pack(packed, id);
		lines = strchr(lines, '\n');
		lines = lines == NULL ? NULL : lines + 1;
	}
}

void blob_find_named(const char *stored, const char *files, struct buf *packed)
{
	ids_find(stored, "\"id\":\"", packed);
	ids_find(stored, "\"raw\":\"", packed);
	if (files != NULL)
		files_find(files, packed);
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
	migration->is_more = migration->phase == PHASE_MESSAGES && reply_count(reply) == PAGE;
	for (size_t i = 0; i < reply_count(reply); i++) {
		const char *text = reply_text(reply_item(reply, i), NULL);

		if (migration->phase == PHASE_FILES) {
			files_find(text, &packed);
			continue;
		}
		ids_find(text, "\"id\":\"", &packed);
		ids_find(text, "\"raw\":\"", &packed);
	}
	if (packed.len > 0)
		blob_keep(migration->store,
			  &(struct blob_keeping){ migration->workspace, "", "", &packed, NULL, true,
						  NULL },
			  on_kept, migration);
	else
		next_page(migration);
	buf_clear(&packed);
}

static void page_read(struct migration *migration)
{
	static const char *const commands[] = { "UNLINK", "LRANGE", "HVALS" };
	struct store_call *call;

	if (migration->at == migration->count) {
		if (text_equal(migration->cursor, "0"))
			migration->phase++;
		if (migration->phase == PHASE_END)
			finish(migration, NULL);
		else
			scan(migration);
		return;
	}
	call = store_command(commands[migration->phase]);
	store_arg_text(call, migration->keys[migration->at]);
	if (migration->phase == PHASE_MESSAGES) {
		store_arg_int(call, migration->from);
		store_arg_int(call, migration->from + PAGE - 1);
	}
	if (migration->phase == PHASE_DROP)
		store_run(migration->store, call, on_page, migration);
	else
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
	store_arg_key(call, migration->workspace, "%s", patterns[migration->phase]);
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
