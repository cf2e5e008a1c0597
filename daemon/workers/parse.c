/* The parse worker: bytes that anybody can send us, in a process that has
 * nothing and may do nothing. A job is a kind and, for mail, u32 length of the
 * options, the options (JSON), and the mail. */
#include "workers/parse.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "workers/sandbox.h"
#include "workers/worker.h"

enum {
	ADDRESS_SPACE = 1024 * 1024 * 1024,
	DESCRIPTORS = 64,
	OWN_MAX = 100,
};

int parse_start(struct error *err)
{
	if (sandbox_limits(ADDRESS_SPACE, DESCRIPTORS, err) < 0 || mail_open(err) < 0)
		return -1;
	return sandbox_compute(err);
}

static void read_options(struct json_object *json, struct arena *arena, struct parse_options *ret)
{
	struct json_object *own = json_at(json, "own");
	int64_t above = json_int(json, "received_above", 0);

	ret->authserv_id = json_text_copy(json, "authserv_id", arena);
	ret->envelope_from = json_text_copy(json, "envelope_from", arena);
	ret->received_above = above > 0 && above < PARSE_RECEIVED_MAX ? (size_t)above : 0;
	ret->is_strict = json_bool(json, "strict", false);
	ret->own.items = arena_alloc(arena, OWN_MAX * sizeof(*ret->own.items));
	for (size_t i = 0; i < json_count(own) && i < OWN_MAX; i++) {
		const char *address = json_string(json_item(own, i));

		if (address != NULL)
			ret->own.items[ret->own.count++] = arena_text(arena, address);
	}
}

static int handle_mail(const char *job, size_t len, struct arena *arena, struct buf *answer,
		       struct error *err)
{
	OWNED(json_free) struct json_object *json = NULL;
	struct parse_options options = { 0 };
	struct mail mail;
	uint32_t json_len;

	if (len < sizeof(json_len))
		return error_set(err, ERROR_MISUSE, "a mail job without options");
	memcpy(&json_len, job, sizeof(json_len));
	job += sizeof(json_len);
	len -= sizeof(json_len);
	if (json_len > len)
		return error_set(err, ERROR_MISUSE, "a mail job whose options are cut short");
	if (json_len > 0) {
		json = json_read(job, json_len, err);
		if (json == NULL)
			return error_wrap(err, "options of a mail job");
		read_options(json, arena, &options);
	}
	if (mail_read(job + json_len, len - json_len, &options, arena, &mail, err) < 0)
		return -1;
	mail_write(&mail, answer);
	return 0;
}

int parse_handle(const char *job, size_t len, struct buf *answer, struct error *err)
{
	OWNED(arena_free) struct arena *arena = arena_new(0);

	if (len > 0 && job[0] == 'm')
		return handle_mail(job + 1, len - 1, arena, answer, err);
	if (len > 0 && job[0] == 'h') {
		html_to_text(job + 1, len - 1, answer, NULL);
		return 0;
	}
	return error_set(err, ERROR_MISUSE, "an unknown parse job");
}
