#include "history/erase_talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "parts.h"
#include "routing/work.h"
#include "store/blob_owner.h"
#include "store/store.h"
#include "workspace.h"

enum { PAGE = 50, BLOBS_MAX = 64 };

static const char *ws(const struct erase *erase)
{
	return workspace_name(erase->workspace);
}

/* ---- blobs ---- */

struct blobs {
	struct erase *erase;
	erase_next_fn *next;
	char key[ID_BYTES + 16];
	const char *ids[BLOBS_MAX];
	size_t count;
	struct arena *arena;
};

static void blob_add(struct blobs *blobs, const char *id)
{
	if (id == NULL || !blob_is_id(id) || blobs->count == BLOBS_MAX)
		return;
	for (size_t i = 0; i < blobs->count; i++)
		if (text_equal(blobs->ids[i], id))
			return;
	blobs->ids[blobs->count++] = arena_text(blobs->arena, id);
}

/* A message that was looked at before a death is counted once: its id is the key. */
static void on_released(const struct store_reply *reply, const struct error *err, void *context)
{
	struct blobs *blobs = context;
	struct erase *erase = blobs->erase;
	erase_next_fn *next = blobs->next;

	(void)reply; /* refused: not the workspace's any more */
	arena_free(&blobs->arena);
	free(blobs);
	if (!erase_is_wanted(erase))
		return;
	if (err != NULL)
		erase_retry(erase, "blobs", err);
	else
		next(erase);
}

void erase_blobs(struct erase *erase, const char *message, const char *files, erase_next_fn *next)
{
	struct json_object *stored = json_read(message, strlen(message), NULL);
	struct json_object *list = json_at(stored, "attachments");
	struct blobs *blobs = memory_new(sizeof(*blobs));
	char id[BLOB_ID_LEN + 1] = "";

	*blobs = (struct blobs){ .erase = erase, .next = next, .arena = arena_new(0) };
	snprintf(blobs->key, sizeof(blobs->key), "erase:%s",
		 json_text(stored, "id") == NULL ? "" : json_text(stored, "id"));
	for (size_t i = 0; i < json_count(list); i++)
		blob_add(blobs, json_text(json_item(list, i), "id"));
	blob_add(blobs, json_text(stored, "raw"));
	for (; files != NULL; files = strchr(files, '\n') == NULL ? NULL : strchr(files, '\n') + 1)
		if (sscanf(files, "stored %64[0-9a-f]", id) == 1)
			blob_add(blobs, id);
	json_free(&stored);
	if (blobs->count == 0) {
		arena_free(&blobs->arena);
		free(blobs);
		next(erase);
		return;
	}
	erase->refs++;
	blob_release(erase->parts->store,
		     &(struct blob_releasing){ .workspace = ws(erase),
					       .key = blobs->key,
					       .request = "erase",
					       .ids = blobs->ids,
					       .count = blobs->count },
		     on_released, blobs);
}

/* ---- a conversation ---- */

/* In the job's arena. */
struct talk {
	erase_next_fn *next;
	const char *id;
	int64_t from; /* index of the page's first message */
	const char *texts[PAGE];
	const char *ids[PAGE];
	const char *files[PAGE];        /* NULL */
	const char *provider_ids[PAGE]; /* of outbound ones; NULL */
	size_t count;
	size_t at; /* message whose blobs are released next */
};

static void page_read(struct erase *erase);
static void talk_end(struct erase *erase);

/* False after having ended or begun again. */
static bool is_good(struct erase *erase, const char *step, const struct store_reply *reply,
		    const struct error *err)
{
	if (!erase_is_wanted(erase))
		return false;
	if (err != NULL || reply_is(reply, "refused")) {
		erase_retry(erase, step, err);
		return false;
	}
	return true;
}

static void reference_add(struct erase *erase, struct store_call *call, const char *channel,
			  const char *provider_id)
{
	const struct identity_place place = { .mac = erase->parts->key,
					      .workspace = ws(erase),
					      .channel = channel };
	struct identity_key key;
	char bucket[16];

	if (channel == NULL || provider_id == NULL || *provider_id == '\0')
		return;
	identity_reference(&place, provider_id, &key);
	snprintf(bucket, sizeof(bucket), "%x", key.bucket);
	store_arg_text(call, bucket);
	store_arg(call, key.field, IDENTITY_FIELD_BYTES);
}

static void on_page_gone(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;

	if (!is_good(erase, "page", reply, err))
		return;
	erase->talk->from += (int64_t)erase->talk->count;
	page_read(erase);
}

static void page_erase(struct erase *erase)
{
	struct talk *talk = erase->talk;
	struct store_call *call = store_script("erase_page", ws(erase));

	store_key(call, "lease:steward");
	store_arg_text(call, erase->fence);
	store_arg_text(call, talk->id);
	store_arg_int(call, talk->from);
	store_arg_int(call, (int64_t)talk->count);
	for (size_t i = 0; i < talk->count; i++)
		store_arg_text(call, talk->ids[i]);
	for (size_t i = 0; i < talk->count; i++) {
		struct json_object *stored =
			json_read(talk->texts[i], strlen(talk->texts[i]), NULL);

		reference_add(erase, call, json_text(stored, "channel"),
			      json_text(stored, "provider_id"));
		reference_add(erase, call, json_text(stored, "channel"), talk->provider_ids[i]);
		json_free(&stored);
	}
	erase->refs++;
	store_run(erase->parts->store, call, on_page_gone, erase);
}

static void next_message(struct erase *erase)
{
	struct talk *talk = erase->talk;

	if (talk->at == talk->count) {
		page_erase(erase);
		return;
	}
	talk->at++;
	erase_blobs(erase, talk->texts[talk->at - 1], talk->files[talk->at - 1], next_message);
}

/* <msg>.files and <msg>.id of each */
static void on_marks(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;
	struct talk *talk = erase->talk;

	if (!is_good(erase, "marks", reply, err))
		return;
	for (size_t i = 0; i < talk->count; i++) {
		talk->files[i] = arena_text(erase->arena, reply_text_at(reply, 2 * i));
		talk->provider_ids[i] = arena_text(erase->arena, reply_text_at(reply, 2 * i + 1));
	}
	next_message(erase);
}

static void on_page(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;
	struct talk *talk = erase->talk;
	struct store_call *call;

	if (!is_good(erase, "messages", NULL, err))
		return;
	talk->count = reply_count(reply) < PAGE ? reply_count(reply) : PAGE;
	talk->at = 0;
	if (talk->count == 0) {
		talk_end(erase);
		return;
	}
	call = store_command("HMGET");
	store_arg_key(call, ws(erase), "y:%s", talk->id);
	for (size_t i = 0; i < talk->count; i++) {
		const char *text = reply_text(reply_item(reply, i), NULL);
		struct json_object *stored = json_read(text, strlen(text), NULL);
		const char *id = json_text(stored, "id");

		talk->texts[i] = arena_text(erase->arena, text);
		talk->ids[i] = arena_text(erase->arena, id == NULL ? "" : id);
		json_free(&stored);
		store_arg_text(call, arena_format(erase->arena, "%s.files", talk->ids[i]));
		store_arg_text(call, arena_format(erase->arena, "%s.id", talk->ids[i]));
	}
	erase->refs++;
	store_read(erase->parts->store, call, on_marks, erase);
}

static void page_read(struct erase *erase)
{
	struct store_call *call = store_command("LRANGE");

	store_arg_key(call, ws(erase), "m:%s", erase->talk->id);
	store_arg_int(call, erase->talk->from);
	store_arg_int(call, erase->talk->from + PAGE - 1);
	erase->refs++;
	store_read(erase->parts->store, call, on_page, erase);
}

/* Its work ends as any work does, so that agents are free again and everybody is told. */
static void on_work_ended(const struct work_result *result, const struct error *err, void *context)
{
	struct erase *erase = context;

	if (!erase_is_wanted(erase))
		return;
	if (result->code != WORK_OK)
		erase_retry(erase, "work", err);
	else
		talk_end(erase);
}

static void work_end(struct erase *erase, const char *item, const char *state)
{
	const struct work_call call = { .store = erase->parts->store,
					.workspace = ws(erase),
					.work_item = item };

	erase->refs++;
	if (text_equal(state, "new") || text_equal(state, "offered"))
		work_cancel(&call, "erased", on_work_ended, erase);
	else
		work_close(&call, "erased", on_work_ended, erase);
}

static void on_talk_gone(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erase *erase = context;
	const char *why = reply_text_at(reply, 1);

	if (!erase_is_wanted(erase))
		return;
	if (err == NULL && reply_is(reply, "refused") && text_equal(why, "more"))
		page_read(erase); /* somebody wrote meanwhile */
	else if (err == NULL && reply_is(reply, "refused") && text_equal(why, "open"))
		work_end(erase, reply_text_at(reply, 2), reply_text_at(reply, 3));
	else if (err != NULL || reply_is(reply, "refused"))
		erase_retry(erase, "conversation", err);
	else
		erase->talk->next(erase);
}

static void talk_end(struct erase *erase)
{
	struct store_call *call = store_script("erase_talk", ws(erase));

	store_key(call, "lease:steward");
	store_key(call, "j:%s", erase->job);
	store_key(call, "c:%s", erase->talk->id);
	store_key(call, "m:%s", erase->talk->id);
	store_arg_text(call, erase->fence);
	store_arg_text(call, erase->job);
	store_arg_text(call, erase->talk->id);
	store_arg_int(call, erase->talk->from);
	erase->refs++;
	store_run(erase->parts->store, call, on_talk_gone, erase);
}

void erase_talk(struct erase *erase, const char *conversation, erase_next_fn *next)
{
	erase->talk = arena_alloc(erase->arena, sizeof(*erase->talk));
	erase->talk->next = next;
	erase->talk->id = arena_text(erase->arena, conversation);
	page_read(erase);
}
