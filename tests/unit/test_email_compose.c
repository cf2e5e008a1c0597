#include <criterion/criterion.h>

#include "../../connectors/email_private.h"
#include "../contract/fixture.h"

static char *field_of(struct arena *arena, const char *name, const char *value)
{
	struct email_text out = { 0 };
	char *copy;

	email_put_text_field(&out, name, value);
	copy = arena_copy(arena, out.data, out.len);
	email_text_clear(&out);
	return copy;
}

static char *file_name_of(struct arena *arena, const char *name)
{
	struct email_text out = { 0 };
	char *copy;

	email_put_file_name(&out, name);
	copy = arena_copy(arena, out.data, out.len);
	email_text_clear(&out);
	return copy;
}

static size_t longest_line(const char *text)
{
	size_t longest = 0;

	while (*text) {
		size_t len = strcspn(text, "\r\n");

		if (len > longest)
			longest = len;
		text += len;
		text += strspn(text, "\r\n");
	}
	return longest;
}

Test(email_compose, writes_header_text_that_every_reader_understands)
{
	struct arena *arena = arena_new(0);
	const char *long_text = "孟在退款孟在退款孟在退款孟在退款孟在退款孟在退款孟在退款孟在退款";
	char *folded;

	cr_expect_str_eq(field_of(arena, "Subject", "Hello"), "Subject: Hello\r\n");
	cr_expect_str_eq(field_of(arena, "Subject", "退款"), "Subject: =?UTF-8?B?6YCA5qy+?=\r\n");
	cr_expect_str_eq(field_of(arena, "Subject", "a\r\nBcc: x@y"), "Subject: a  Bcc: x@y\r\n");
	cr_expect_str_eq(field_of(arena, "Subject", "=?UTF-8?B?6YCA?="),
			 "Subject: =?UTF-8?B?PT9VVEYtOD9CPzZZQ0E/PQ==?=\r\n");
	folded = field_of(arena, "Subject", long_text);
	cr_expect_leq(longest_line(folded), 84);
	cr_expect(strstr(folded, "?=\r\n =?UTF-8?B?"));
	folded = field_of(arena, "Subject",
			  "one two three four five six seven eight nine ten eleven twelve thirteen "
			  "fourteen fifteen sixteen");
	cr_expect_leq(longest_line(folded), 77);
	arena_free(&arena);
}

Test(email_compose, names_files_by_rfc_2231)
{
	struct arena *arena = arena_new(0);
	char *name;

	cr_expect_str_eq(file_name_of(arena, "a b.pdf"), ";\r\n filename=\"a b.pdf\"");
	cr_expect_str_eq(file_name_of(arena, "发票.pdf"),
			 ";\r\n filename*0*=UTF-8''%E5%8F%91%E7%A5%A8.pdf");
	cr_expect_str_eq(file_name_of(arena, "a\"b"), ";\r\n filename*0*=UTF-8''a%22b");
	cr_expect(!strstr(file_name_of(arena, "a\r\nX: y"), "\r\nX"));
	name = file_name_of(arena, "一二三四五六七八九十一二三四五六七八九十.xlsx");
	cr_expect(strstr(name, ";\r\n filename*1*=%"));
	cr_expect(strstr(name, ";\r\n filename*4*="));
	cr_expect_leq(longest_line(name), 78);
	arena_free(&arena);
}

static struct outbound message_of(void)
{
	return (struct outbound){
		.id = "msg_01K",
		.conversation = "cnv_1",
		.text = "Hello\n.\nBye\n",
		.to = "ann@example.org",
		.to_name = "Ann \"A\" Lee",
		.subject = "order 7",
		.created_ms = 1767322800000,
		.attempt = 1,
	};
}

static char *compose(struct arena *arena, const struct outbound *message,
		     const struct email_file *files, size_t file_count)
{
	char address[] = "support@shop.example", name[] = "商店";
	struct email_settings settings = { .address = address, .name = name };
	struct email_letter letter = { .settings = &settings,
				       .message = message,
				       .message_id = "<t.msg_01K@shop.example>",
				       .boundary = "0123456789abcdef",
				       .files = files,
				       .file_count = file_count };
	struct email_text out = { 0 };
	char *copy;

	email_compose(&letter, &out);
	copy = arena_copy(arena, out.data, out.len);
	email_text_clear(&out);
	return copy;
}

Test(email_compose, writes_a_letter_with_its_thread)
{
	struct arena *arena = arena_new(0);
	struct outbound message = message_of();
	const char *references[] = { "<a@x>", "not an id", "<b@x>", "<evil@x>\r\nBcc: y" };
	char *letter;

	message.in_reply_to = "<b@x>";
	message.references = references;
	message.reference_count = 4;
	message.reply_token = "0123456789abcdefghjk";
	letter = compose(arena, &message, NULL, 0);
	cr_assert_str_eq(letter, "Date: Fri, 02 Jan 2026 03:00:00 +0000\r\n"
				 "From: =?UTF-8?B?5ZWG5bqX?=\r\n <support@shop.example>\r\n"
				 "To: \"Ann \\\"A\\\" Lee\"\r\n <ann@example.org>\r\n"
				 "Reply-To: <support+0123456789abcdefghjk@shop.example>\r\n"
				 "Subject: Re: order 7\r\n"
				 "Message-ID: <t.msg_01K@shop.example>\r\n"
				 "References: <a@x>\r\n <b@x>\r\n"
				 "In-Reply-To: <b@x>\r\n"
				 "MIME-Version: 1.0\r\n"
				 "Content-Type: text/plain; charset=utf-8\r\n"
				 "Content-Transfer-Encoding: 7bit\r\n\r\n"
				 "Hello\r\n.\r\nBye\r\n\r\n");
	arena_free(&arena);
}

Test(email_compose, says_re_once_in_any_language)
{
	static const char *const subjects[] = { "Re: x", "RE: x", "回复：x", "答复: x", "AW: x" };
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < COUNT_OF(subjects); i++) {
		struct outbound message = message_of();
		char *letter;

		message.in_reply_to = "<b@x>";
		message.subject = subjects[i];
		letter = compose(arena, &message, NULL, 0);
		cr_expect(!strstr(letter, "Re: Re:") && !strstr(letter, "Re: RE:"), "%s",
			  subjects[i]);
		cr_expect(strstr(letter, field_of(arena, "Subject", subjects[i])), "%s", letter);
	}
	arena_free(&arena);
}

Test(email_compose, keeps_the_oldest_and_the_newest_references)
{
	struct arena *arena = arena_new(0);
	struct outbound message = message_of();
	const char *references[60];
	char *letter;

	for (size_t i = 0; i < 60; i++)
		references[i] = arena_format(arena, "<%zu@x>", i);
	message.references = references;
	message.reference_count = 60;
	message.in_reply_to = "<59@x>";
	letter = compose(arena, &message, NULL, 0);
	cr_expect(strstr(letter, "References: <0@x>\r\n <40@x>\r\n"));
	cr_expect(strstr(letter, " <59@x>\r\nIn-Reply-To: <59@x>\r\n"));
	cr_expect(!strstr(letter, "<39@x>"));
	cr_expect_leq(longest_line(letter), 78);
	arena_free(&arena);
}

Test(email_compose, nests_alternatives_and_files)
{
	struct arena *arena = arena_new(0);
	struct outbound message = message_of();
	const struct email_file files[] = {
		{ "发票.pdf", "application/pdf", "%PDF", 4 },
		{ "", "message/rfc822", "x", 1 },
		{ "b.txt", "text/plain\r\nX: y", "y", 1 },
	};
	char *letter;

	message.html = "<p>你好</p>";
	message.automatic = true;
	letter = compose(arena, &message, files, 3);
	cr_expect(strstr(letter, "Auto-Submitted: auto-replied\r\n"));
	cr_expect(strstr(letter, "multipart/mixed; boundary=\"=_m0123456789abcdef\""));
	cr_expect(strstr(letter, "multipart/alternative; boundary=\"=_a0123456789abcdef\""));
	cr_expect(strstr(letter, "--=_a0123456789abcdef--\r\n--=_m0123456789abcdef\r\n"));
	cr_expect(
		strstr(letter,
		       "Content-Type: application/pdf;\r\n name=\"=?UTF-8?B?5Y+R56WoLnBkZg==?=\""));
	cr_expect(strstr(letter, "JVBERg==\r\n--=_m"));
	cr_expect(!strstr(letter, "message/rfc822"));
	cr_expect(!strstr(letter, "X: y"));
	cr_expect(strstr(letter, "text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64"));
	arena_free(&arena);
}

/* ---- addresses ---- */

Test(email_address, knows_its_own_with_and_without_a_plus_part)
{
	char address[] = "support@shop.example", alias[] = "help@shop.example";
	char *aliases[] = { alias };
	struct email_settings settings = { .address = address, .aliases = { aliases, 1 } };
	char token[64];

	cr_expect(email_is_ours(&settings, "support@shop.example"));
	cr_expect(email_is_ours(&settings, "Support@SHOP.example"));
	cr_expect(email_is_ours(&settings, "support+x@shop.example"));
	cr_expect(email_is_ours(&settings, "help+x@shop.example"));
	cr_expect(!email_is_ours(&settings, "supporter@shop.example"));
	cr_expect(!email_is_ours(&settings, "support@shop.example.org"));
	cr_expect(!email_is_ours(&settings, "support"));
	cr_expect(!email_is_ours(&settings, "@shop.example"));
	cr_expect(!email_is_ours(&settings, ""));
	cr_expect(!email_is_ours(&settings, NULL));
	cr_expect(email_token_of_address(&settings, "SUPPORT+0123456789ABCDEFGHJK@shop.example",
					 token));
	cr_expect_str_eq(token, "0123456789abcdefghjk");
	cr_expect(!email_token_of_address(&settings, "support+short@shop.example", token));
	cr_expect(!email_token_of_address(&settings, "support+0123456789abcdef/@shop.example",
					  token));
	cr_expect(!email_token_of_address(&settings, "other+0123456789abcdefghjk@shop.example",
					  token));
	cr_expect(email_token_of_id(&settings, "<0123456789abcdefghjk.msg_1@shop.example>", token));
	cr_expect(
		!email_token_of_id(&settings, "<0123456789abcdefghjk.msg_1@evil.example>", token));
	cr_expect(!email_token_of_id(&settings, "<0123456789abcdefghjk@shop.example>", token));
	cr_expect(email_id_is_ours(&settings, "<0123456789abcdefghjk.msg_1@shop.example>"));
	cr_expect(email_id_is_ours(&settings, "<msg_01kaaaaaa@shop.example>"));
	cr_expect(!email_id_is_ours(&settings, "<msg_01kaaaaaa@evil.example>"));
	cr_expect(!email_id_is_ours(&settings, "<another@shop.example>"));
}

Test(email_address, refuses_what_could_leave_its_field)
{
	static const char *const bad[] = { "",      "a",           "@b",     "a@",
					   "a b@c", "a@b\r\nX: y", "<a@b>",  "a@b,c@d",
					   "a@b>",  "a(b)@c",      "\"a\"@b" };

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect(!email_address_ok(bad[i]), "%s", bad[i]);
	cr_expect(!email_address_ok(NULL));
	cr_expect(email_address_ok("a.b+c@d-e.example"));
	cr_expect(email_address_ok("孟@例子.cn"));
}

/* ---- IMAP lines ---- */

Test(email_imap_lines, reads_what_servers_say)
{
	static const char examined[] = "* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n"
				       "* OK [UIDVALIDITY 1763845200] UIDs valid\r\n"
				       "* OK [UIDNEXT 4294967295] Predicted\r\n";
	static const char fetched[] =
		"* 2 FETCH (UID 9 FLAGS (\\Seen \\Deleted) RFC822.SIZE 12)\r\n"
		"* 1 FETCH (FLAGS () RFC822.SIZE 2048 UID 7)\r\n"
		"* 3 EXPUNGE\r\n"
		"* 4 FETCH (UID 5 FLAGS () RFC822.SIZE 1)\r\n"
		"* 5 FETCH (UID 99999999999 FLAGS ())\r\n"
		"A1 OK FETCH (UID 100)\r\n";
	struct email_mailbox mailbox;
	struct email_listed listed[8];

	email_read_mailbox(examined, sizeof(examined) - 1, &mailbox);
	cr_expect_eq(mailbox.uidvalidity, 1763845200u);
	cr_expect_eq(mailbox.uidnext, 4294967295u);
	cr_expect_eq(email_read_listed(fetched, sizeof(fetched) - 1, 5, listed, 8), 2);
	cr_expect_eq(listed[0].uid, 7);
	cr_expect_eq(listed[0].size, 2048);
	cr_expect(!listed[0].deleted);
	cr_expect_eq(listed[1].uid, 9);
	cr_expect(listed[1].deleted);
	cr_expect_eq(email_read_listed(fetched, sizeof(fetched) - 1, 0, listed, 1), 1);
	cr_expect_eq(email_read_search("* SEARCH 12 7 9\r\n", 17), 7);
	cr_expect_eq(email_read_search("* SEARCH\r\n", 10), 0);
	cr_expect_eq(email_read_search("", 0), 0);
}

Test(email_imap_lines, names_folders_as_imap_wants_them)
{
	struct fixture fixture;
	struct arena *arena;

	fixture_start(&fixture);
	arena = fixture.arena;
	cr_assert_eq(fixture_open(&fixture, "email", "{\"address\":\"a@b.cn\"}"), 0);
	cr_expect_str_eq(email_folder(arena, "INBOX", false), "INBOX");
	cr_expect_str_eq(email_folder(arena, "A & B", false), "A &- B");
	cr_expect_str_eq(email_folder(arena, "台北", false), "&U,BTFw-");
	cr_expect_str_eq(email_folder(arena, "~peter/mail/台北/日本語", false),
			 "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
	cr_expect_str_eq(email_folder(arena, "😀", false), "&2D3eAA-");
	cr_expect_str_eq(email_folder(arena, "a\"b\\c", false), "a\\\"b\\\\c");
	cr_expect_str_eq(email_folder(arena, "A & B;UID=1", true), "A%20%26-%20B%3BUID%3D1");
	fixture_stop(&fixture);
}
