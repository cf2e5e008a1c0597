#include "store/blob_owner.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum {
	BUCKET_CHARS = 4,
	HASH_BYTES = 7,
	OWN_AT = 38,
	OWN_BYTES = 9,
	FIELD_BYTES = HASH_BYTES + OWN_BYTES,
};

bool blob_is_id(const char *text)
{
	return text != NULL && strlen(text) == BLOB_ID_LEN &&
	       strspn(text, "0123456789abcdef") == BLOB_ID_LEN;
}

/* Of the hash, and of what tells two puts of the same bytes apart. */
void blob_pack(struct buf *out, const char *blob)
{
	unsigned char field[FIELD_BYTES];

	text_unhex(blob + BUCKET_CHARS, 2 * HASH_BYTES, field, HASH_BYTES);
	text_unhex(blob + OWN_AT, 2 * OWN_BYTES, field + HASH_BYTES, OWN_BYTES);
	buf_add(out, blob, BUCKET_CHARS);
	buf_add(out, field, sizeof(field));
}

void blob_keep(struct store *store, const struct blob_keeping *keeping, store_done_fn *done,
	       void *context)
{
	struct store_call *call = store_script("blob_keep", keeping->workspace);

	store_arg_text(call, keeping->key);
	store_arg_text(call, keeping->request);
	store_arg(call, keeping->packed->data, keeping->packed->len);
	store_arg_text(call, keeping->answer);
	store_arg_text(call, keeping->is_named ? "1" : "");
	store_arg_text(call, keeping->upload);
	store_run(store, call, done, context);
}

static void add_ids(struct store_call *call, const char *const *blobs, size_t count)
{
	struct buf packed = { 0 };
	struct buf ids = { 0 };

	for (size_t i = 0; i < count; i++) {
		blob_pack(&packed, blobs[i]);
		buf_add(&ids, blobs[i], BLOB_ID_LEN);
	}
	store_arg(call, buf_string(&packed), packed.len);
	store_arg(call, buf_string(&ids), ids.len);
	buf_clear(&packed);
	buf_clear(&ids);
}

void blob_expire(struct store *store, const char *workspace, const char *const *ids, size_t count,
		 store_done_fn *done, void *context)
{
	struct store_call *call = store_script("blob_expire", workspace);

	add_ids(call, ids, count);
	store_run(store, call, done, context);
}

void blob_release(struct store *store, const struct blob_releasing *releasing, store_done_fn *done,
		  void *context)
{
	struct store_call *call = store_script("blob_release", releasing->workspace);

	store_arg_text(call, releasing->key);
	store_arg_text(call, releasing->request);
	add_ids(call, releasing->ids, releasing->count);
	store_arg_text(call, releasing->is_upload ? "1" : "");
	store_run(store, call, done, context);
}

struct missing_run {
	size_t count;
	size_t bad; /* place of the first that is no id; count: none */
	blob_missing_fn *done;
	void *context;
};

static void on_missing(const struct store_reply *reply, const struct error *err, void *context)
{
	struct missing_run *run = context;
	size_t place = err ? 0 : (size_t)reply_int(reply_item(reply, 1));

	run->done(place > 0 ? place - 1 : run->bad, err, run->context);
	free(run);
}

void blob_find_missing(struct store *store, const char *workspace, const char *const *blobs,
		       size_t count, blob_missing_fn *done, void *context)
{
	struct missing_run *run = memory_new(sizeof(*run));
	struct store_call *call = store_script("blob_missing", workspace);
	struct buf packed = { 0 };

	*run = (struct missing_run){ count, 0, done, context };
	while (run->bad < count && blob_is_id(blobs[run->bad]))
		blob_pack(&packed, blobs[run->bad++]);
	store_arg(call, packed.data, packed.len);
	store_read(store, call, on_missing, run);
	buf_clear(&packed);
}
