#include "store/scripts.h"

#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"

/* Filled on first use and kept: the texts are constant, only their SHA1 is not
 * known at compile time. */
static struct script *scripts;

static struct script *hash_all(void)
{
	struct script *all;
	size_t count = 0;

	while (script_texts[count].name != NULL)
		count++;
	all = memory_new((count + 1) * sizeof(all[0]));
	for (size_t i = 0; i < count; i++) {
		unsigned char sha[SHA1_BYTES];

		all[i].source = &script_texts[i];
		crypto_sha1(script_texts[i].text, script_texts[i].len, sha);
		text_hex(sha, sizeof(sha), all[i].sha);
	}
	return all;
}

static const struct script *all_scripts(void)
{
	if (scripts == NULL)
		scripts = hash_all();
	return scripts;
}

size_t script_count(void)
{
	size_t count = 0;

	while (script_texts[count].name != NULL)
		count++;
	return count;
}

const struct script *script_at(size_t index)
{
	return &all_scripts()[index];
}

const struct script *script_find(const char *name)
{
	const struct script *all = all_scripts();
	size_t low = 0;
	size_t high = script_count();

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, all[middle].source->name);

		if (order == 0)
			return &all[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
