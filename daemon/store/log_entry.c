#include "store/log_entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

bool log_id_parse(const char *text, struct log_id *ret_id)
{
	char *end;
	struct log_id id;

	if (text == NULL || *text < '0' || *text > '9')
		return false;
	id.ms = strtoull(text, &end, 10);
	if (*end != '-' || end[1] < '0' || end[1] > '9')
		return false;
	id.seq = strtoull(end + 1, &end, 10);
	if (*end != '\0')
		return false;
	*ret_id = id;
	return true;
}

int log_id_compare(struct log_id a, struct log_id b)
{
	if (a.ms != b.ms)
		return a.ms < b.ms ? -1 : 1;
	if (a.seq != b.seq)
		return a.seq < b.seq ? -1 : 1;
	return 0;
}

void log_id_format(struct log_id id, char out[LOG_ID_BYTES])
{
	snprintf(out, LOG_ID_BYTES, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
}

bool log_position_parse(const char *text, int64_t *ret_generation, struct log_id *ret_id)
{
	char *end;
	long long generation;

	if (text == NULL || *text < '0' || *text > '9' || strlen(text) >= LOG_POSITION_BYTES)
		return false;
	generation = strtoll(text, &end, 10);
	if (*end != '-' || !log_id_parse(end + 1, ret_id))
		return false;
	*ret_generation = generation;
	return true;
}

void log_position_format(int64_t generation, struct log_id id, char out[LOG_POSITION_BYTES])
{
	snprintf(out, LOG_POSITION_BYTES, "%" PRId64 "-%" PRIu64 "-%" PRIu64, generation, id.ms,
		 id.seq);
}

static int64_t number(const char *text)
{
	return text == NULL ? 0 : strtoll(text, NULL, 10);
}

static void set_field(struct log_entry *entry, const char *name, const char *value)
{
	static const struct {
		char name[3];
		size_t offset;
	} texts[] = {
		{ "t", offsetof(struct log_entry, type) },
		{ "w", offsetof(struct log_entry, work_item) },
		{ "c", offsetof(struct log_entry, conversation) },
		{ "u", offsetof(struct log_entry, customer) },
		{ "m", offsetof(struct log_entry, message) },
		{ "a", offsetof(struct log_entry, agent) },
		{ "q", offsetof(struct log_entry, queue) },
		{ "ch", offsetof(struct log_entry, channel) },
		{ "f", offsetof(struct log_entry, from) },
		{ "o", offsetof(struct log_entry, to) },
		{ "x", offsetof(struct log_entry, object) },
		{ "e", offsetof(struct log_entry, extra) },
	};

	if (strcmp(name, "n") == 0)
		entry->message_index = number(value);
	else if (strcmp(name, "v") == 0)
		entry->version = number(value);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		/* A dozen fields an entry, so most comparisons end here. */
		if (texts[i].name[0] != name[0] || strcmp(texts[i].name, name) != 0)
			continue;
		memcpy((char *)entry + texts[i].offset, &value, sizeof(value));
		break;
	}
}

/* item: [id, [name, value, ...]] */
static bool parse_row(const struct store_reply *item, int64_t generation, struct log_batch_row *row)
{
	const struct store_reply *fields = reply_item(item, 1);

	if (!log_id_parse(reply_text(reply_item(item, 0), NULL), &row->id))
		return false;
	memset(&row->entry, 0, sizeof(row->entry));
	row->entry.message_index = -1;
	for (size_t i = 0; i + 1 < reply_count(fields); i += 2) {
		const char *name = reply_text(reply_item(fields, i), NULL);
		const char *value = reply_text(reply_item(fields, i + 1), NULL);

		if (name != NULL && value != NULL && value[0] != '\0')
			set_field(&row->entry, name, value);
	}
	log_position_format(generation, row->id, row->position);
	row->entry.position = row->position;
	row->entry.time_ms = (int64_t)row->id.ms;
	return row->entry.type != NULL;
}

/* FNV-1a over the fields, each with the NUL that ends it. */
uint64_t log_entry_digest(const struct store_reply *item)
{
	const struct store_reply *fields = reply_item(item, 1);
	uint64_t digest = 0xcbf29ce484222325;

	if (reply_count(fields) == 0)
		return 0;
	for (size_t i = 0; i < reply_count(fields); i++) {
		size_t len = 0;
		const char *text = reply_text(reply_item(fields, i), &len);

		for (size_t at = 0; text != NULL && at <= len; at++)
			digest = (digest ^ (unsigned char)text[at]) * 0x100000001b3;
	}
	return digest;
}

struct log_batch *log_batch_new(const struct store_reply *reply, int64_t generation)
{
	size_t count = reply_count(reply);
	struct log_batch *batch =
		memory_grow(NULL, sizeof(*batch) + count * sizeof(batch->rows[0]), 1);

	batch->count = 0;
	for (size_t i = 0; i < count; i++)
		if (parse_row(reply_item(reply, i), generation, &batch->rows[batch->count]))
			batch->count++;
	/* The rows do not move any more, so the texts inside them can be pointed at. */
	for (size_t i = 0; i < batch->count; i++)
		batch->rows[i].entry.position = batch->rows[i].position;
	return batch;
}
