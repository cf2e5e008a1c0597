/* Any bytes are a mail that is read, or refused with a phrase; what is read is a valid document. */
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "workers/parse.h"

static void check_names(const struct mail *mail)
{
	for (size_t i = 0; i < mail->part_count; i++) {
		MUST(strpbrk(mail->parts[i].name, "/\\\r\n") == NULL);
		MUST(text_is_utf8(mail->parts[i].name, strlen(mail->parts[i].name)));
	}
}

static void check_document(const struct mail *mail)
{
	struct buf out = { 0 };
	struct error err = { 0 };
	struct json_object *document;
	uint32_t len;

	mail_write(mail, &out);
	memcpy(&len, out.data, sizeof(len));
	document = json_read(out.data + (2 + mail->part_count) * sizeof(len), len, &err);
	MUST(document != NULL);
	MUST(json_text(document, "text") != NULL && json_text(document, "content_hash") != NULL);
	json_free(&document);
	buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool opened;
	static const char *own[] = { "support@shop.example" };
	struct parse_options options = { .authserv_id = "mx.shop.example",
					 .received_above = 1,
					 .own = { own, 1 } };
	struct arena *arena = arena_new(0);
	struct error err = { 0 };
	struct mail mail;

	if (!opened)
		MUST(mail_open(&err) == 0);
	opened = true;
	if (mail_read((const char *)data, size, &options, arena, &mail, &err) < 0) {
		MUST(strncmp(err.text, "unreadable mail", 15) == 0);
	} else {
		MUST(text_is_utf8(mail.text, strlen(mail.text)) &&
		     mail.text_cut <= strlen(mail.text));
		check_names(&mail);
		check_document(&mail);
	}
	arena_free(&arena);
	return 0;
}
