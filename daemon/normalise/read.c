/* Mail bytes to a document: docs/mail-document.md says how the parse worker answers. And what
 * becomes of that which nobody can read. */
#include <stdint.h>
#include <string.h>

#include "base/crypto.h"
#include "base/limits.h"
#include "base/text.h"
#include "channel.h"
#include "normalise/normalise.h"
#include "services/frame.h"
#include "services/worker.h"

void normalise_unreadable(struct flight *flight, const char *why)
{
	struct message *message = arena_alloc(flight->arena, sizeof(*message));
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	const struct connector *connector = channel_connector(flight->channel);
	const char *from = flight->in.envelope_from;
	bool is_mail = connector->body_format == BODY_MIME;

	if (!is_mail) {
		flight->raw = flight->in.body;
		flight->raw_len = flight->in.body_len;
	}
	crypto_sha256(flight->raw, flight->raw_len, hash);
	text_hex(hash, sizeof(hash), hex);
	message->kind = MESSAGE_UNKNOWN;
	message->provider_id = arena_format(flight->arena, "raw:%s", hex);
	message->text = arena_format(flight->arena,
				     "This message could not be read and is kept as it came (%s).\n"
				     "这条消息无法解析，已原样保存。",
				     why);
	message->sender = (struct identifier){
		.kind = connector->identifier_kind,
		.scope = is_mail ? "" : channel_name(flight->channel),
		.value = from != NULL && *from != '\0' ? from
			 : is_mail                     ? "unknown@unreadable.invalid"
						       : "unreadable",
		.proof = PROOF_CLAIMED,
	};
	message->sender_name = "";
	message->thread = arena_text(flight->arena, hex);
	message->automatic = true;
	flight->parsed.messages = message;
	flight->parsed.message_count = 1;
	flight->parsed.receipts = NULL;
	flight->parsed.receipt_count = 0;
	flight->is_unreadable = true;
}

/* sizes: of the parts, one after the other in bytes. */
static int parts_find(struct flight *flight, const char *sizes, size_t count, const char *bytes,
		      size_t len)
{
	struct inbound_part *parts = arena_alloc(flight->arena, (count + 1) * sizeof(*parts));

	for (size_t i = 0; i < count; i++) {
		uint32_t size;

		memcpy(&size, sizes + i * sizeof(size), sizeof(size));
		if (size > len)
			return -1;
		parts[i].bytes = bytes;
		parts[i].len = size;
		bytes += size;
		len -= size;
	}
	flight->in.parts = parts;
	flight->in.part_count = count;
	return 0;
}

static int document_take(struct flight *flight, const char *answer, size_t len)
{
	uint32_t json_len;
	uint32_t count;
	size_t head = sizeof(json_len) + sizeof(count);
	const char *copy;

	if (len < head)
		return -1;
	memcpy(&json_len, answer, sizeof(json_len));
	memcpy(&count, answer + sizeof(json_len), sizeof(count));
	if (count > LIMIT_MIME_PARTS || len - head < count * sizeof(uint32_t) ||
	    json_len >= len - head - count * sizeof(uint32_t))
		return -1;
	copy = arena_copy(flight->arena, answer, len);
	flight->in.body = copy + head + count * sizeof(uint32_t);
	flight->in.body_len = json_len;
	return parts_find(flight, copy + head, count, flight->in.body + json_len + 1,
			  len - (size_t)(flight->in.body + json_len + 1 - copy));
}

static void on_read(const void *answer, size_t len, const struct error *err, void *context)
{
	struct flight *flight = context;

	if (!flight_landed(flight))
		return;
	if (err != NULL && err->kind == ERROR_TEMPORARY) {
		flight_fail(flight, "reading mail: %s", err->text);
		pipeline_resume(flight, STAGE_FAIL);
		return;
	}
	if (err != NULL)
		normalise_unreadable(flight, err->text);
	else if (document_take(flight, answer, len) != 0)
		normalise_unreadable(flight, "the reading of it was broken");
	pipeline_resume(flight, STAGE_NEXT);
}

enum stage_result normalise_read(struct flight *flight)
{
	const struct connector *connector = channel_connector(flight->channel);
	const char *options = "{}";
	uint32_t len;
	struct error err;

	if (connector->body_format != BODY_MIME)
		return STAGE_NEXT;
	flight->raw = flight->in.body;
	flight->raw_len = flight->in.body_len;
	if (connector->mail_options != NULL)
		options = connector->mail_options(flight->channel, &flight->in, flight->arena);
	len = (uint32_t)strlen(options);
	if (worker_submit_pieces(flight->parts->parse, 0,
				 (const struct frame_piece[]){ { "m", 1 },
							       { &len, sizeof(len) },
							       { options, len },
							       { flight->raw, flight->raw_len } },
				 4, on_read, flight, &err) != 0)
		return flight_fail(flight, "reading mail: %s", err.text);
	flight->pending++;
	return STAGE_WAIT;
}
