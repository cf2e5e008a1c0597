#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "conversation/files.h"
#include "conversation/message.h"

#define BLOB "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(files, reads_what_it_wrote)
{
	const struct file_state states[] = {
		{ .standing = FILE_STORED, .blob = BLOB, .size = 123456789012 },
		{ .standing = FILE_PENDING, .attempts = 3, .why = "the provider answered 503" },
		{ .standing = FILE_PENDING },
		{ .standing = FILE_FAILED, .why = "the provider answered 404" },
	};
	struct buf text = { 0 };
	struct file_state state;

	for (size_t i = 0; i < COUNT_OF(states); i++)
		file_state_write(&text, &states[i]);
	for (size_t i = 0; i < COUNT_OF(states); i++) {
		file_state_read(buf_string(&text), i, &state);
		cr_expect_eq(state.standing, states[i].standing, "%zu", i);
		cr_expect_eq(state.attempts, states[i].attempts, "%zu", i);
		cr_expect_eq(state.size, states[i].size, "%zu", i);
		cr_expect_str_eq(state.blob, states[i].blob);
		cr_expect_str_eq(state.why, states[i].why);
	}
	file_state_read(buf_string(&text), 9, &state);
	cr_expect_eq(state.standing, FILE_PENDING);
	file_state_read(NULL, 0, &state);
	cr_expect_eq(state.standing, FILE_PENDING);
	buf_clear(&text);
}

/* What a customer wrote stands nowhere near the members that are filled in. */
Test(files, a_message_shows_how_its_attachments_stand)
{
	struct attachment attachments[] = {
		{ .name = "\"url\":\"", .type = "image/png", .url = "https://x/1", .size = -1 },
		{ .name = "b", .type = "text/plain", .blob = BLOB, .size = 3 },
		{ .name = "],\"channel\":", .type = "image/png", .url = "https://x/2", .size = 7 },
	};
	const struct message_record record = {
		.id = "msg_1",
		.conversation = "cnv_1",
		.text = "],\"channel\":\"provider_id\":null \"url\":\"",
		.attachments = attachments,
		.attachment_count = COUNT_OF(attachments),
		.author_type = "customer",
		.channel = "shop",
		.extra = "{\"url\":\"https://y\"}",
	};
	struct message_known known = { .customer = "cus_1",
				       .files = "failed \"no\"\nstored " BLOB " 9\n" };
	struct buf stored = { 0 }, shown = { 0 };
	struct json_object *message;

	message_write(&stored, &record);
	message_show(&shown, buf_string(&stored), stored.len, &known);
	message = json_read(shown.data, shown.len, NULL);
	cr_assert_not_null(message, "%s", buf_string(&shown));
	cr_expect_str_eq(json_text(message, "text"), record.text);
	cr_expect_str_eq(json_text(json_item(json_at(message, "attachments"), 0), "state"),
			 "failed");
	cr_expect_str_eq(json_text(json_item(json_at(message, "attachments"), 0), "error"),
			 "\"no\"");
	cr_expect(!json_has(json_item(json_at(message, "attachments"), 1), "state"));
	cr_expect_str_eq(json_text(json_item(json_at(message, "attachments"), 2), "id"), BLOB);
	cr_expect_eq(json_int(json_item(json_at(message, "attachments"), 2), "size", 0), 9);
	cr_expect_str_eq(json_text(message, "extra.url"), "https://y");
	json_free(&message);
	buf_clear(&stored);
	buf_clear(&shown);
}
