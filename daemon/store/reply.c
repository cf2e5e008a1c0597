#include "store/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
	BLOCK_BYTES = 16 * 1024,
	ALIGN = 16,
};

struct reply_block {
	struct reply_block *older;
	size_t room;
	_Alignas(ALIGN) char bytes[];
};

static size_t aligned(size_t size)
{
	return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void *reply_alloc(struct reply_region *region, size_t size)
{
	struct reply_block *block = region->blocks;
	char *memory;

	size = aligned(size);
	if (block == NULL || block->room - region->used < size) {
		size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

		block = memory_grow(NULL, sizeof(*block) + room, 1);
		block->older = region->blocks;
		block->room = room;
		region->blocks = block;
		region->used = 0;
	}
	memory = block->bytes + region->used;
	region->used += size;
	return memory;
}

void region_reset(struct reply_region *region)
{
	struct reply_block *block = region->blocks;

	region->used = 0;
	while (block != NULL && (block->older != NULL || block->room > BLOCK_BYTES)) {
		struct reply_block *older = block->older;

		free(block);
		block = older;
	}
	region->blocks = block;
}

void region_clear(struct reply_region *region)
{
	while (region->blocks != NULL) {
		struct reply_block *older = region->blocks->older;

		free(region->blocks);
		region->blocks = older;
	}
	region->used = 0;
}

static size_t copy_size(const struct store_reply *reply)
{
	size_t size = aligned(sizeof(*reply));

	if (reply->kind == REPLY_TEXT)
		return size + aligned(reply->len + 1);
	if (reply->kind != REPLY_ARRAY)
		return size;
	size += aligned(reply->len * sizeof(reply->as.items[0]));
	for (size_t i = 0; i < reply->len; i++)
		size += copy_size(reply->as.items[i]);
	return size;
}

static struct store_reply *copy_into(const struct store_reply *reply, char **at)
{
	struct store_reply *copy = (void *)*at;
	const struct store_reply **items;

	*copy = *reply;
	*at += aligned(sizeof(*copy));
	if (reply->kind == REPLY_TEXT) {
		memcpy(*at, reply->as.text, reply->len + 1);
		copy->as.text = *at;
		*at += aligned(reply->len + 1);
	} else if (reply->kind == REPLY_ARRAY) {
		items = (void *)*at;
		*at += aligned(reply->len * sizeof(items[0]));
		for (size_t i = 0; i < reply->len; i++)
			items[i] = copy_into(reply->as.items[i], at);
		copy->as.items = items;
	}
	return copy;
}

struct store_reply *reply_copy(const struct store_reply *reply)
{
	char *at = memory_grow(NULL, copy_size(reply), 1);

	return copy_into(reply, &at);
}

enum store_reply_kind reply_kind(const struct store_reply *reply)
{
	return reply == NULL ? REPLY_NIL : reply->kind;
}

const char *reply_text(const struct store_reply *reply, size_t *ret_len)
{
	if (reply_kind(reply) != REPLY_TEXT)
		return NULL;
	if (ret_len != NULL)
		*ret_len = reply->len;
	return reply->as.text;
}

int64_t reply_int(const struct store_reply *reply)
{
	long long number;
	char *end;

	if (reply_kind(reply) == REPLY_INT)
		return reply->as.number;
	if (reply_kind(reply) != REPLY_TEXT || reply->len == 0)
		return 0;
	number = strtoll(reply->as.text, &end, 10);
	return *end == '\0' ? number : 0;
}

size_t reply_count(const struct store_reply *reply)
{
	return reply_kind(reply) == REPLY_ARRAY ? reply->len : 0;
}

const struct store_reply *reply_item(const struct store_reply *reply, size_t index)
{
	return index < reply_count(reply) ? reply->as.items[index] : NULL;
}

const char *reply_field(const struct store_reply *reply, const char *name)
{
	for (size_t i = 0; i + 1 < reply_count(reply); i += 2) {
		const char *key = reply_text(reply->as.items[i], NULL);

		if (key != NULL && strcmp(key, name) == 0)
			return reply_text(reply->as.items[i + 1], NULL);
	}
	return NULL;
}

static const char *or_null(const char *text)
{
	return text != NULL && *text != '\0' ? text : NULL;
}

const char *reply_text_at(const struct store_reply *reply, size_t index)
{
	return or_null(reply_text(reply_item(reply, index), NULL));
}

int64_t reply_int_at(const struct store_reply *reply, size_t index)
{
	return reply_int(reply_item(reply, index));
}

const char *reply_field_text(const struct store_reply *reply, const char *name)
{
	return or_null(reply_field(reply, name));
}

int64_t reply_field_int(const struct store_reply *reply, const char *name)
{
	const char *text = reply_field(reply, name);

	return text == NULL ? 0 : strtoll(text, NULL, 10);
}

bool reply_is(const struct store_reply *reply, const char *word)
{
	const char *text =
		reply_text(reply_kind(reply) == REPLY_ARRAY ? reply_item(reply, 0) : reply, NULL);

	return text != NULL && strcmp(text, word) == 0;
}
