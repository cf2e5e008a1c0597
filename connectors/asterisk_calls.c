#include <stdlib.h>
#include <string.h>

#include "asterisk_private.h"

static bool text_is(const char *text, struct ami_text other)
{
	return other.bytes && strlen(text) == other.len &&
	       memcmp(text, other.bytes, other.len) == 0;
}

/* Kept in a text where space, comma and semicolon part them. */
static bool is_id(struct ami_text text)
{
	if (!text.bytes || text.len == 0 || text.len >= ASTERISK_ID_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.bytes[i] <= ' ' || text.bytes[i] == ',' || text.bytes[i] == 0x7f)
			return false;
	return true;
}

struct asterisk_call *asterisk_call_find(struct asterisk_calls *calls, struct ami_text channel)
{
	for (size_t i = 0; i < calls->count; i++)
		if (text_is(calls->list[i].channel, channel))
			return &calls->list[i];
	return NULL;
}

struct asterisk_call *asterisk_call_of(struct asterisk_calls *calls, struct ami_text id)
{
	for (size_t i = 0; i < calls->count; i++)
		if (text_is(calls->list[i].id, id))
			return &calls->list[i];
	return NULL;
}

struct asterisk_call *asterisk_call_add(struct asterisk_calls *calls, struct ami_text id,
					struct ami_text channel)
{
	struct asterisk_call *call = asterisk_call_find(calls, channel);

	if (call)
		return call;
	if (!is_id(id) || !is_id(channel) || calls->count == ASTERISK_CALLS_MAX)
		return NULL;
	if (!calls->list)
		calls->list = calloc(ASTERISK_CALLS_MAX, sizeof(*calls->list));
	if (!calls->list)
		abort();
	call = &calls->list[calls->count++];
	memset(call, 0, sizeof(*call));
	memcpy(call->id, id.bytes, id.len);
	memcpy(call->channel, channel.bytes, channel.len);
	return call;
}

void asterisk_call_drop(struct asterisk_calls *calls, struct asterisk_call *call)
{
	*call = calls->list[--calls->count];
}

const char *asterisk_calls_text(const struct host *host, const struct asterisk_calls *calls,
				struct arena *arena)
{
	size_t room = calls->count * (2 * ASTERISK_ID_MAX + 4) + 1;
	char *text = host->alloc(arena, room);
	size_t at = 0;

	for (size_t i = 0; i < calls->count; i++) {
		const struct asterisk_call *call = &calls->list[i];
		const char *one = host->format(arena, "%s%s,%s,%d", i ? " " : "", call->id,
					       call->channel, call->is_answered);

		memcpy(text + at, one, strlen(one) + 1);
		at += strlen(one);
	}
	return text;
}

void asterisk_calls_read(struct asterisk_calls *calls, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, " ");
		const char *first = memchr(text, ',', len);
		const char *second =
			first ? memchr(first + 1, ',', len - (size_t)(first + 1 - text)) : NULL;
		struct asterisk_call *call = NULL;

		if (second)
			call = asterisk_call_add(
				calls, (struct ami_text){ text, (size_t)(first - text) },
				(struct ami_text){ first + 1, (size_t)(second - first - 1) });
		if (call)
			call->is_answered = second[1] == '1';
		text += len + strspn(text + len, " ");
	}
}
