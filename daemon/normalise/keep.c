/* Bytes that must not be lost but do not belong into the store: the raw mail
 * and its decoded attachments go to the blob store, synced, before admit. */
#include "base/limits.h"
#include "base/text.h"
#include "normalise/normalise.h"
#include "services/blobs.h"

/* Where each id goes. */
struct keeping {
	struct flight *flight;
	struct blob_piece *pieces;
	const char ***ret_ids;
	size_t count;
};

static void on_kept(const char *const *ids, const struct error *err, void *context)
{
	struct keeping *keeping = context;
	struct flight *flight = keeping->flight;

	if (!flight_landed(flight))
		return;
	if (err != NULL) {
		flight_fail(flight, "keeping attachments: %s", err->text);
		pipeline_resume(flight, STAGE_FAIL);
		return;
	}
	for (size_t i = 0; i < keeping->count; i++)
		*keeping->ret_ids[i] = arena_text(flight->arena, ids[i]);
	pipeline_resume(flight, STAGE_NEXT);
}

static void piece_add(struct keeping *keeping, const void *bytes, size_t len, const char **ret_id)
{
	keeping->pieces[keeping->count] = (struct blob_piece){ bytes, len };
	keeping->ret_ids[keeping->count++] = ret_id;
}

static void pieces_find(struct keeping *keeping, struct message *message)
{
	const struct flight *flight = keeping->flight;

	if (flight->raw != NULL)
		piece_add(keeping, flight->raw, flight->raw_len, &message->raw_blob);
	for (size_t i = 0; i < message->attachment_count; i++) {
		struct attachment *attachment = &message->attachments[i];

		if (attachment->bytes != NULL)
			piece_add(keeping, attachment->bytes, (size_t)attachment->size,
				  &attachment->blob);
	}
}

enum stage_result normalise_keep(struct flight *flight)
{
	struct keeping *keeping;
	struct error err;
	size_t room = 0;

	for (size_t i = 0; i < flight->parsed.message_count; i++)
		room += (flight->raw != NULL) + flight->parsed.messages[i].attachment_count;
	if (room == 0)
		return STAGE_NEXT;
	keeping = arena_alloc(flight->arena, sizeof(*keeping));
	keeping->flight = flight;
	keeping->pieces = arena_alloc(flight->arena, room * sizeof(*keeping->pieces));
	keeping->ret_ids = arena_alloc(flight->arena, room * sizeof(*keeping->ret_ids));
	for (size_t i = 0; i < flight->parsed.message_count; i++)
		pieces_find(keeping, &flight->parsed.messages[i]);
	if (keeping->count == 0)
		return STAGE_NEXT;
	if (blobs_keep(flight->parts->blobs, keeping->pieces, keeping->count, on_kept, keeping,
		       &err) != 0)
		return flight_fail(flight, "keeping attachments: %s", err.text);
	flight->pending++;
	return STAGE_WAIT;
}
