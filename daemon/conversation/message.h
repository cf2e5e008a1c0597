/* A message's stored text: the JSON of the API without "delivery" and without
 * the customer's id, which are known only when it is read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "converge/message.h"

struct message_record {
	const char *id;
	const char *conversation;
	bool out; /* direction */
	enum message_kind kind;
	const char *text;
	const char *html; /* NULL */
	const char *subject;
	const struct attachment *attachments;
	size_t attachment_count;
	const char *author_type; /* customer, agent, bot, system */
	const char *author_id;   /* left out for a customer: the reader knows */
	const char *author_name;
	const char *channel;
	const char *provider_id;
	int64_t created_ms;
	int64_t sent_ms; /* the provider's time; 0 unknown */
	const char *language;
	bool automatic;
	const char *raw_blob;
	const char *extra; /* JSON object */
};

const char *message_kind_name(enum message_kind kind);
void message_write(struct buf *out, const struct message_record *record);
/* What is known of a message only when it is read. */
struct message_known {
	const char *customer; /* whose conversation it is in */
	const char *mark;     /* {ws}:y:<cnv>, "failed 550 no such user"; NULL: inbound, a note */
	const char *provider_id; /* of an outbound one, once the provider has it; NULL */
	const char *files;       /* how attachments with a url stand (files.h); NULL: all pending */
};
/* A stored text (NUL after len) as the API shows it. */
void message_show(struct buf *out, const char *stored, size_t len,
		  const struct message_known *known);

/* What lists show of a message. */
struct message_preview {
	char id[ID_BYTES]; /* "" where there is no message */
	bool out;
	const char *author; /* customer, agent, bot, system */
	const char *kind;
	const char *text; /* its beginning */
};
/* stored: a stored text, or its beginning; texts live in the arena. */
void message_preview(const char *stored, struct arena *arena, struct message_preview *ret);
