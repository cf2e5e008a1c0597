/* Any bytes are HTML; the quoted mail begins inside the text or at its end. */
#include <string.h>

#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "workers/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = { 0 };
	size_t cut = SIZE_MAX;

	buf_text(&out, "before");
	html_to_text((const char *)data, size, &out, &cut);
	MUST(out.len >= 6 && memcmp(out.data, "before", 6) == 0 && cut >= 6 && cut <= out.len);
	buf_clear(&out);
	return 0;
}
