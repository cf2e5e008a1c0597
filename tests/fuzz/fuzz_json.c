/* The scan, json-c behind it and the writer must agree with each other. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz/fuzz.h"

static void write_again(struct json_object *value)
{
	struct buf once = { 0 };
	struct buf twice = { 0 };
	struct error err = { 0 };
	struct json_object *again;

	json_append(value, &once);
	MUST(json_check(once.data, once.len, &err) == 0);
	again = json_read(once.data, once.len, &err);
	MUST(again != NULL);
	json_append(again, &twice);
	MUST(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	json_free(&again);
	buf_clear(&once);
	buf_clear(&twice);
}

/* What the reader does with a value, on any value. */
static void look_up(struct json_object *value)
{
	(void)json_text(value, "a.0.b");
	(void)json_int(value, "0.a", 1);
	(void)json_bool(value, "a", true);
}

static void write_text(const char *bytes, size_t len)
{
	struct buf buf = { 0 };
	struct json_out out;

	jw_start(&out, &buf);
	jw_array(&out, NULL);
	jw_textn(&out, NULL, bytes, len);
	jw_array_end(&out);
	MUST(json_check(buf.data, buf.len, NULL) == 0);
	buf_clear(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct error err = { 0 };
	struct json_object *value = json_read(bytes, size, &err);

	if (value != NULL) {
		MUST(json_check(bytes, size, NULL) == 0);
		look_up(value);
		write_again(value);
	} else {
		MUST(err.kind == ERROR_MISUSE && err.text[0] != '\0');
	}
	write_text(bytes, size);
	json_free(&value);
	return 0;
}
