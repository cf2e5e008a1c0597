#include "store/scripts.h"

#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"

struct script_list {
	size_t count;
	struct script rows[];
};

/* Filled on first use and kept: the texts are constant, only their SHA1 is not
 * known at compile time. */
static struct script_list *scripts;

static struct script_list *hash_all(void)
{
	struct script_list *all;
	size_t count = 0;

	while (script_texts[count].name != NULL)
		count++;
	all = memory_new(sizeof(*all) + count * sizeof(all->rows[0]));
	all->count = count;
	for (size_t i = 0; i < count; i++) {
		unsigned char sha[SHA1_BYTES];

		all->rows[i].source = &script_texts[i];
		crypto_sha1(script_texts[i].text, script_texts[i].len, sha);
		text_hex(sha, sizeof(sha), all->rows[i].sha);
	}
	return all;
}

static const struct script_list *all_scripts(void)
{
	if (scripts == NULL)
		scripts = hash_all();
	return scripts;
}

size_t script_count(void)
{
	return all_scripts()->count;
}

const struct script *script_at(size_t index)
{
	return &all_scripts()->rows[index];
}

const struct script *script_find(const char *name)
{
	const struct script_list *all = all_scripts();
	size_t low = 0;
	size_t high = all->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, all->rows[middle].source->name);

		if (order == 0)
			return &all->rows[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
