/* Any bytes from a PBX: blocks are read alike however they are cut, and an
 * event that was read keeps the contract. */
#include "../../connectors/asterisk_private.h"
#include "fuzz_parse.h"

static void check_blocks(const char *bytes, size_t len)
{
	struct ami_block block, again;
	size_t banner = 0;

	ami_read_banner(bytes, len, &banner);
	MUST(banner <= len);
	for (size_t at = 0; at < len; at += block.len) {
		enum ami_result result = ami_read(bytes + at, len - at, &block);

		if (result == AMI_MORE || result == AMI_BROKEN)
			return;
		MUST(block.len > 0 && block.len <= len - at && block.count <= AMI_FIELDS_MAX);
		MUST(ami_read(bytes + at, block.len, &again) == result);
		MUST(ami_read(bytes + at, block.len - 1, &again) == AMI_MORE);
	}
}

static void check_calls(const char *bytes, size_t len)
{
	struct asterisk_calls calls = { 0 };
	char *text = memory_copy(bytes, len);

	asterisk_calls_read(&calls, text);
	MUST(calls.count <= ASTERISK_CALLS_MAX);
	free(calls.list);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	size_t len;
	const char *body = fuzz_body(data, size, arena, &len);

	check_blocks(body, len);
	check_calls(body, len);
	arena_free(&arena);
	return fuzz_parse("asterisk",
			  "{\"host\":\"127.0.0.1\",\"username\":\"u\",\"secret\":\"s\"}", data,
			  size);
}
