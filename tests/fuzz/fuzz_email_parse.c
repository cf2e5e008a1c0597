/* Any bytes as a mail document, as lines of an IMAP server, and as the texts of
 * a letter: what is read has a sender, and no text leaves its header field. */
#include "../../connectors/email_private.h"
#include "contract/fixture.h"
#include "fuzz/fuzz.h"

static struct channel *channel_once(void)
{
	static struct fixture fixture;

	if (!fixture.channel) {
		fixture_start(&fixture);
		MUST(fixture_open(&fixture, "email", "{\"address\":\"support@shop.example\"}") ==
		     0);
	}
	return fixture.channel;
}

static void read_document(const char *bytes, size_t size, struct arena *arena)
{
	struct channel *channel = channel_once();
	struct inbound in = { .method = "", .body = bytes, .body_len = size };
	struct parsed parsed = { 0 };
	const char *error = NULL;

	in.envelope_to = arena_copy(arena, bytes, size > 200 ? 200 : size);
	if (channel_connector(channel)->parse(channel, &in, arena, &parsed, &error) < 0) {
		MUST(error && error[0]);
		return;
	}
	for (size_t i = 0; i < parsed.message_count; i++) {
		MUST(parsed.messages[i].provider_id && parsed.messages[i].sender.value[0]);
		MUST(parsed.messages[i].hint.reference_count <= 100);
	}
}

static void read_lines(const char *bytes, size_t size, struct arena *arena)
{
	struct email_mailbox mailbox;
	struct email_listed listed[8];
	size_t count = email_read_listed(bytes, size, 5, listed, 8);

	email_read_mailbox(bytes, size, &mailbox);
	email_read_search(bytes, size);
	for (size_t i = 0; i < count; i++)
		MUST(listed[i].uid > 5 && (i == 0 || listed[i].uid >= listed[i - 1].uid));
	MUST(email_folder(arena, arena_copy(arena, bytes, size > 300 ? 300 : size), true));
}

/* Lines of the header, where each starts with a known name or is folded. */
static void check_header(const char *letter)
{
	static const char *const names[] = {
		"Date: ",       "From: ",        "To: ",           "Subject: ",      "Message-ID: ",
		"References: ", "In-Reply-To: ", "MIME-Version: ", "Content-Type: ", "Reply-To: "
	};
	const char *end = strstr(letter, "\r\n\r\n");

	MUST(end);
	for (const char *line = letter; line < end; line = strchr(line, '\n') + 1) {
		bool known = *line == ' ';

		for (size_t i = 0; !known && i < COUNT_OF(names); i++)
			known = strncmp(line, names[i], strlen(names[i])) == 0;
		MUST(known);
	}
	for (const char *p = letter; *p; p++)
		MUST(*p != '\n' || (p > letter && p[-1] == '\r'));
}

static void write_letter(const char *text, struct arena *arena)
{
	char address[] = "support@shop.example";
	struct email_settings settings = { .address = address, .name = arena_text(arena, text) };
	const char *references[] = { text, "<a@x>" };
	const struct email_file file = { text, text, text, strlen(text) };
	struct outbound message = { .id = "msg_1",
				    .text = text,
				    .html = text,
				    .to = "a@b.cn",
				    .to_name = text,
				    .subject = text,
				    .in_reply_to = text,
				    .references = references,
				    .reference_count = 2 };
	struct email_letter letter = { .settings = &settings,
				       .message = &message,
				       .message_id = "<msg_1@shop.example>",
				       .boundary = "b",
				       .files = &file,
				       .file_count = 1 };
	struct email_text out = { 0 };

	email_compose(&letter, &out);
	check_header(out.data);
	email_text_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	char *text = arena_copy(arena, data, size);

	read_document(text, size, arena);
	read_lines(text, size, arena);
	write_letter(text, arena);
	arena_free(&arena);
	return 0;
}
