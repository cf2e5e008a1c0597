/* Bytes that must not be lost but do not belong into the store: the raw mail
 * and its decoded attachments go to the blob store, synced, before admit. */
#include "base/text.h"
#include "normalise/normalise.h"
#include "services/blobs.h"

struct put {
	struct flight *flight;
	const char **ret_blob;
};

static void on_put(const char *blob_id, const struct error *err, void *context)
{
	struct put *put = context;
	struct flight *flight = put->flight;

	if (!flight_landed(flight))
		return;
	if (err != NULL)
		flight_fail(flight, "keeping attachments: %s", err->text);
	else
		*put->ret_blob = arena_text(flight->arena, blob_id);
	if (flight->pending == 0)
		pipeline_resume(flight, flight->error.kind == ERROR_NONE ? STAGE_NEXT : STAGE_FAIL);
}

static int put_start(struct flight *flight, const void *bytes, size_t len, const char **ret_blob)
{
	struct put *put = arena_alloc(flight->arena, sizeof(*put));
	struct error err;

	put->flight = flight;
	put->ret_blob = ret_blob;
	if (blobs_put(flight->parts->blobs, bytes, len, on_put, put, &err) != 0) {
		flight_fail(flight, "keeping attachments: %s", err.text);
		return -1;
	}
	flight->pending++;
	return 0;
}

static int attachments_start(struct flight *flight, struct message *message)
{
	for (size_t i = 0; i < message->attachment_count; i++) {
		struct attachment *attachment = &message->attachments[i];

		if (attachment->bytes == NULL)
			continue;
		if (put_start(flight, attachment->bytes, (size_t)attachment->size,
			      &attachment->blob) != 0)
			return -1;
	}
	return 0;
}

enum stage_result normalise_keep(struct flight *flight)
{
	int failed = 0;

	for (size_t i = 0; i < flight->parsed.message_count && failed == 0; i++) {
		struct message *message = &flight->parsed.messages[i];

		if (flight->raw != NULL)
			failed =
				put_start(flight, flight->raw, flight->raw_len, &message->raw_blob);
		if (failed == 0)
			failed = attachments_start(flight, message);
	}
	if (flight->pending > 0)
		return STAGE_WAIT;
	return failed == 0 ? STAGE_NEXT : STAGE_FAIL;
}
