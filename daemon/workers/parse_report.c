/* Delivery reports (RFC 3464), read receipts (RFC 8098), complaints (RFC 5965). */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

/* "rfc822; gone@example.org": the part after the type. */
static const char *after_type(struct arena *arena, const char *value)
{
	const char *semicolon = value == NULL ? NULL : strchr(value, ';');

	if (value == NULL)
		return NULL;
	value = semicolon == NULL ? value : semicolon + 1;
	return text_clean_line(arena, value, strlen(value), LIMIT_ID_BYTES);
}

static const char *bare_address(struct arena *arena, const char *value)
{
	const char *address = after_type(arena, value);
	size_t len = address == NULL ? 0 : strlen(address);

	if (len >= 2 && address[0] == '<' && address[len - 1] == '>')
		return arena_copy(arena, address + 1, len - 2);
	return address;
}

static const char *first_id(struct arena *arena, const char *value)
{
	struct mail_texts ids = { 0 };

	message_ids_read(arena, value, &ids);
	return ids.count == 0 ? NULL : ids.items[0];
}

static const char *status_code(struct arena *arena, const char *value)
{
	return value == NULL ? NULL : arena_copy(arena, value, strspn(value, "0123456789."));
}

static void recipient_add(struct arena *arena, const struct fields *block, struct mail_report *ret)
{
	const char *final = fields_get(block, "Final-Recipient");
	const char *original = fields_get(block, "Original-Recipient");
	struct mail_recipient *recipient;

	if ((final == NULL && original == NULL) || ret->recipient_count == PARSE_RECIPIENTS_MAX)
		return;
	if (ret->recipients == NULL)
		ret->recipients =
			arena_alloc(arena, PARSE_RECIPIENTS_MAX * sizeof(*ret->recipients));
	recipient = &ret->recipients[ret->recipient_count++];
	/* what we wrote to, where the report still knows it */
	recipient->address = bare_address(arena, original != NULL ? original : final);
	recipient->action = header_token(arena, fields_get(block, "Action"));
	recipient->status = status_code(arena, fields_get(block, "Status"));
	recipient->diagnostic = after_type(arena, fields_get(block, "Diagnostic-Code"));
}

/* Blocks of fields, parted by empty lines; fn sees each. */
typedef void block_fn(struct arena *arena, const struct fields *block, struct mail_report *ret);

static void each_block(struct arena *arena, const char *bytes, size_t len, block_fn *fn,
		       struct mail_report *ret)
{
	enum { BLOCKS_MAX = 2 * PARSE_RECIPIENTS_MAX };

	for (int i = 0; i < BLOCKS_MAX && len > 0; i++) {
		struct fields block;

		while (len > 0 && (*bytes == '\r' || *bytes == '\n')) {
			bytes++;
			len--;
		}
		if (len == 0 || fields_scan(bytes, len, arena, &block, NULL) < 0)
			return;
		fn(arena, &block, ret);
		bytes += block.end;
		len -= block.end;
	}
}

void report_read_status(struct arena *arena, const char *bytes, size_t len, struct mail_report *ret)
{
	ret->is_dsn = true;
	each_block(arena, bytes, len, recipient_add, ret);
}

static void disposition_add(struct arena *arena, const struct fields *block,
			    struct mail_report *ret)
{
	const char *disposition = fields_get(block, "Disposition");
	const char *id = first_id(arena, fields_get(block, "Original-Message-ID"));
	const char *state = disposition == NULL ? NULL : strchr(disposition, ';');

	if (id != NULL)
		ret->original_message_id = id;
	if (state != NULL)
		ret->disposition = header_token(arena, state + 1);
	recipient_add(arena, block, ret);
}

void report_read_disposition(struct arena *arena, const char *bytes, size_t len,
			     struct mail_report *ret)
{
	ret->is_mdn = true;
	each_block(arena, bytes, len, disposition_add, ret);
}

static void feedback_add(struct arena *arena, const struct fields *block, struct mail_report *ret)
{
	const char *type = fields_get(block, "Feedback-Type");
	const char *to = fields_get(block, "Original-Rcpt-To");

	if (type != NULL)
		ret->disposition = header_token(arena, type);
	if (to != NULL && ret->recipients == NULL) {
		ret->recipients = arena_alloc(arena, sizeof(*ret->recipients));
		ret->recipients[0].address = bare_address(arena, to);
		ret->recipient_count = 1;
	}
}

void report_read_feedback(struct arena *arena, const char *bytes, size_t len,
			  struct mail_report *ret)
{
	ret->is_complaint = true;
	each_block(arena, bytes, len, feedback_add, ret);
}

/* The id of a Message-ID line, folded lines included; NULL where this is none. */
static const char *original_id(struct arena *arena, const char *line, const char *stop,
			       const char *end)
{
	static const char name[] = "Message-ID:";
	const char *p = line;

	while (p < stop && (*p == ' ' || *p == '\t' || *p == '>'))
		p++;
	if ((size_t)(stop - p) < strlen(name) || strncasecmp(p, name, strlen(name)) != 0)
		return NULL;
	while (end - stop > 1 && (stop[1] == ' ' || stop[1] == '\t')) {
		const char *folded = memchr(stop + 1, '\n', (size_t)(end - stop) - 1);

		stop = folded == NULL ? end : folded;
	}
	return first_id(arena, arena_copy(arena, p, (size_t)(stop - p)));
}

void report_find_original(struct arena *arena, const char *bytes, size_t len,
			  struct mail_report *ret)
{
	const char *end = bytes + len;

	for (const char *line = bytes; line < end && ret->original_message_id == NULL;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		stop = stop == NULL ? end : stop;
		ret->original_message_id = original_id(arena, line, stop, end);
		line = stop < end ? stop + 1 : end;
	}
}
