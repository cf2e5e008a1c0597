/* Trimming leaves something wherever there was something, and once trimmed is trimmed. */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "workers/parse.h"

static bool has_words(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] > ' ')
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct buf joined = { 0 };
	size_t cut = quote_cut(text, size);

	MUST(cut <= size);
	MUST(has_words(text, cut) == has_words(text, size));
	flowed_join(text, size, true, &joined);
	MUST(joined.len <= 2 * size + 2);
	buf_clear(&joined);
	return 0;
}
