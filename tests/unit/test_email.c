#include <criterion/criterion.h>

#include "../../connectors/email_private.h"
#include "../contract/fixture.h"

#define TOKEN "0123456789abcdefghjkmnpqrstvwxyz01234"
#define SETTINGS "{\"address\":\"support@shop.example\",\"aliases\":[\"help@shop.example\"]}"

static int parse(struct fixture *fixture, const char *document, const char *envelope_to,
		 struct parsed *ret, const char **ret_error)
{
	struct inbound in = { .method = "",
			      .body = document,
			      .body_len = strlen(document),
			      .envelope_to = envelope_to };

	memset(ret, 0, sizeof(*ret));
	return channel_connector(fixture->channel)
		->parse(fixture->channel, &in, fixture->arena, ret, ret_error);
}

struct token_row {
	const char *name;
	const char *envelope_to;
	const char *document; /* beside from and hash */
	bool found;
};

static const struct token_row token_rows[] = {
	{ "none", NULL, "", false },
	{ "envelope", "support+" TOKEN "@shop.example", "", true },
	{ "envelope in capitals", "Support+0123456789ABCDEFGHJKMNPQRSTVWXYZ01234@shop.example", "",
	  true },
	{ "another host's envelope", "support+" TOKEN "@evil.example", "", false },
	{ "delivered-to", NULL, ",\"delivered_to\":[{\"address\":\"help+" TOKEN "@shop.example\"}]",
	  true },
	{ "to", NULL,
	  ",\"to\":[{\"address\":\"x@y\"},{\"address\":\"support+" TOKEN "@shop.example\"}]",
	  true },
	{ "cc", NULL, ",\"cc\":[{\"address\":\"support+" TOKEN "@shop.example\"}]", true },
	{ "answered message", NULL, ",\"in_reply_to\":[\"<" TOKEN ".msg_1@shop.example>\"]", true },
	{ "chain", NULL, ",\"references\":[\"<" TOKEN ".msg_1@shop.example>\",\"<b@c>\"]", true },
	{ "another host's id", NULL, ",\"in_reply_to\":[\"<" TOKEN ".msg_1@evil.example>\"]",
	  false },
};

Test(email, finds_its_reply_token_wherever_it_can_stand)
{
	struct fixture fixture;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "email", SETTINGS), 0);
	for (size_t i = 0; i < COUNT_OF(token_rows); i++) {
		const struct token_row *row = &token_rows[i];
		const char *error = "";
		struct parsed parsed;
		char *document =
			arena_format(fixture.arena,
				     "{\"content_hash\":\"h\",\"from\":{\"address\":\"a@b.cn\"}%s}",
				     row->document);

		cr_assert_eq(parse(&fixture, document, row->envelope_to, &parsed, &error), 0,
			     "%s: %s", row->name, error);
		if (row->found)
			cr_expect_str_eq(parsed.messages[0].hint.token, TOKEN, "%s", row->name);
		else
			cr_expect_null(parsed.messages[0].hint.token, "%s", row->name);
	}
	fixture_stop(&fixture);
}

Test(email, reads_a_document_to_a_message)
{
	static const char document[] =
		"{\"content_hash\":\"abc\",\"message_id\":\"<m@x>\",\"from\":{\"name\":\"孟\","
		"\"address\":\"meng@x.cn\"},\"from_count\":1,\"to\":[{\"address\":\"support@shop."
		"example\"}],"
		"\"cc\":[{\"address\":\"c@d\"}],\"reply_to\":[],\"subject\":\"回复：退款\","
		"\"subject_base\":\"退款\",\"date_ms\":1767322800000,\"text\":\"new\\n> old\","
		"\"text_new\":\"new\",\"html\":null,\"in_reply_to\":[\"<c@x>\"],"
		"\"references\":[\"<a@x>\",\"<b@x>\",\"<c@x>\"],\"automatic\":null,"
		"\"auth\":{\"level\":\"proved\",\"by\":\"dkim\",\"suspicions\":[\"our_address\"]},"
		"\"attachments\":[{\"name\":\"发票."
		"pdf\","
		"\"type\":\"application/pdf\",\"content_id\":null}]}";
	const struct inbound_part part = { "%PDF", 4 };
	struct inbound in = { .method = "",
			      .body = document,
			      .body_len = sizeof(document) - 1,
			      .parts = &part,
			      .part_count = 1 };
	struct parsed parsed = { 0 };
	const struct message *message;
	struct fixture fixture;
	const char *error = "";

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "email", SETTINGS), 0);
	cr_assert_eq(channel_connector(fixture.channel)
			     ->parse(fixture.channel, &in, fixture.arena, &parsed, &error),
		     0, "%s", error);
	message = &parsed.messages[0];
	cr_expect_str_eq(message->provider_id, "<m@x>");
	cr_expect_str_eq(message->dedupe, "abc");
	cr_expect_str_eq(message->text, "new");
	cr_expect_str_eq(message->subject, "回复：退款");
	cr_expect_str_eq(message->hint.subject, "退款");
	cr_expect_str_eq(message->sender.value, "meng@x.cn");
	cr_expect_eq(message->sender.proof, PROOF_CHANNEL);
	cr_expect_str_eq(message->sender.proved_by, "dkim");
	cr_expect_str_eq(message->sender_name, "孟");
	cr_expect_eq(message->sent_ms, 1767322800000);
	cr_expect(!message->automatic);
	cr_assert_eq(message->hint.reference_count, 3);
	cr_expect_str_eq(message->hint.references[0], "<c@x>");
	cr_expect_str_eq(message->hint.references[1], "<b@x>");
	cr_expect_str_eq(message->hint.references[2], "<a@x>");
	cr_assert_eq(message->attachment_count, 1);
	cr_expect_str_eq(message->attachments[0].name, "发票.pdf");
	cr_expect_eq(message->attachments[0].size, 4);
	cr_expect_str_eq(
		message->extra,
		"{\"message_id\":\"<m@x>\",\"to\":[\"support@shop.example\"],"
		"\"cc\":[\"c@d\"],\"reply_to\":[],\"automatic\":null,\"trimmed\":true,"
		"\"auth\":{\"level\":\"proved\",\"by\":\"dkim\",\"dkim\":null,\"spf\":null,"
		"\"dmarc\":null,\"suspicions\":[\"our_address\"]}}");
	fixture_stop(&fixture);
}

struct proof_row {
	const char *auth;
	enum proof proof;
};

static const struct proof_row proof_rows[] = {
	{ "\"auth\":{\"level\":\"proved\",\"by\":\"dmarc\"},\"from_count\":1", PROOF_CHANNEL },
	{ "\"auth\":{\"level\":\"proved\",\"by\":\"dmarc\"},\"from_count\":2", PROOF_CLAIMED },
	{ "\"auth\":{\"level\":\"claimed\",\"by\":null},\"from_count\":1", PROOF_CLAIMED },
	{ "\"auth\":null", PROOF_CLAIMED },
	{ "\"auth\":{\"level\":true}", PROOF_CLAIMED },
};

Test(email, believes_a_sender_only_as_far_as_the_result_goes)
{
	struct fixture fixture;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "email", SETTINGS), 0);
	for (size_t i = 0; i < COUNT_OF(proof_rows); i++) {
		struct parsed parsed;
		const char *error = "";
		char *document = arena_format(
			fixture.arena,
			"{\"content_hash\":\"h\",\"from\":{\"address\":\"a@b.cn\"},%s}",
			proof_rows[i].auth);

		cr_assert_eq(parse(&fixture, document, NULL, &parsed, &error), 0);
		cr_expect_eq(parsed.messages[0].sender.proof, proof_rows[i].proof, "row %zu", i);
	}
	fixture_stop(&fixture);
}

struct report_row {
	const char *name;
	const char *report;
	int receipts, messages;
	enum receipt_state state;
	const char *error;
};

#define OURS "\"original_message_id\":\"<" TOKEN ".msg_1@shop.example>\""

static const struct report_row report_rows[] = {
	{ "failed",
	  "\"dsn\":{" OURS ",\"recipients\":[{\"action\":\"failed\",\"status\":\"5.1.1\","
	  "\"diagnostic\":\"smtp; 550 User unknown\"}]}",
	  1, 0, RECEIPT_FAILED, "5.1.1" },
	{ "one of two failed",
	  "\"dsn\":{" OURS ",\"recipients\":[{\"action\":\"delivered\"},"
	  "{\"action\":\"failed\"}]}",
	  1, 0, RECEIPT_FAILED, "5.0.0" },
	{ "delayed", "\"dsn\":{" OURS ",\"recipients\":[{\"action\":\"delayed\"}]}", 0, 0, 0,
	  NULL },
	{ "delivered", "\"dsn\":{" OURS ",\"recipients\":[{\"action\":\"delivered\"}]}", 1, 0,
	  RECEIPT_DELIVERED, NULL },
	{ "read", "\"mdn\":{" OURS ",\"disposition\":\"displayed\"}", 1, 0, RECEIPT_READ, NULL },
	{ "guessed", "\"dsn\":{" OURS ",\"recipients\":[],\"guessed\":true}", 1, 0, RECEIPT_FAILED,
	  "returned" },
	{ "of somebody else's mail",
	  "\"dsn\":{\"original_message_id\":\"<x@y>\",\"recipients\":"
	  "[{\"action\":\"failed\"}]}",
	  0, 1, 0, NULL },
	{ "our own letter came back", "\"message_id\":\"<" TOKEN ".msg_1@shop.example>\"", 0, 0, 0,
	  NULL },
};

Test(email, turns_reports_about_its_letters_into_receipts)
{
	struct fixture fixture;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "email", SETTINGS), 0);
	for (size_t i = 0; i < COUNT_OF(report_rows); i++) {
		const struct report_row *row = &report_rows[i];
		const char *error = "";
		struct parsed parsed;
		char *document = arena_format(fixture.arena,
					      "{\"content_hash\":\"h\",\"from\":{\"address\":"
					      "\"support@shop.example\"},%s}",
					      row->report);

		cr_assert_eq(parse(&fixture, document, NULL, &parsed, &error), 0, "%s", row->name);
		cr_expect_eq((int)parsed.receipt_count, row->receipts, "%s", row->name);
		cr_expect_eq((int)parsed.message_count, row->messages, "%s", row->name);
		if (parsed.receipt_count) {
			cr_expect_eq(parsed.receipts[0].state, row->state, "%s", row->name);
			cr_expect(!row->error || strstr(parsed.receipts[0].error, row->error), "%s",
				  row->name);
		}
	}
	fixture_stop(&fixture);
}

Test(email, refuses_what_is_no_document)
{
	static const char *const bad[] = { "", "[]", "{}", "{\"content_hash\":1}" };
	struct fixture fixture;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "email", SETTINGS), 0);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct parsed parsed;
		const char *error = NULL;

		cr_expect_lt(parse(&fixture, bad[i], NULL, &parsed, &error), 0, "%s", bad[i]);
		cr_expect_not_null(error, "%s", bad[i]);
	}
	fixture_stop(&fixture);
}

Test(email, tells_the_parse_worker_what_it_should_know)
{
	struct fixture fixture;
	struct inbound in = { .envelope_from = "" };

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "email",
				  "{\"address\":\"a@b.cn\",\"authserv_id\":\"mx.b.cn\"}"),
		     0);
	cr_assert_str_eq(channel_connector(fixture.channel)
				 ->mail_options(fixture.channel, &in, fixture.arena),
			 "{\"authserv_id\":\"mx.b.cn\",\"received_above\":0,\"strict\":false,"
			 "\"own\":[\"a@b.cn\"],\"envelope_from\":\"\"}");
	fixture_stop(&fixture);
}

Test(email, refuses_settings_that_cannot_work)
{
	static const char *const bad[] = {
		"{}",
		"{\"address\":\"nobody\"}",
		"{\"address\":\"a@b.cn\",\"aliases\":[\"x y@z\"]}",
		"{\"address\":\"a@b.cn\",\"imap\":{\"url\":\"imap://x\"}}",
		"{\"address\":\"a@b.cn\",\"imap\":{\"after\":\"move\"}}",
		"{\"address\":\"a@b.cn\",\"oauth\":{\"token_url\":\"http://example.com/\"}}",
		"{\"address\":\"a@b.cn\",\"oauth\":{\"token_url\":\"https://example.com/\"}}",
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct fixture fixture;

		fixture_start(&fixture);
		cr_expect_lt(fixture_open(&fixture, "email", bad[i]), 0, "%s", bad[i]);
		fixture_stop(&fixture);
	}
}

Test(email, keeps_a_mail_that_names_no_sender)
{
	struct fixture fixture;
	struct parsed parsed;
	const char *error = "";

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "email", SETTINGS), 0);
	cr_assert_eq(
		parse(&fixture, "{\"content_hash\":\"h\",\"from\":null}", NULL, &parsed, &error),
		0);
	cr_expect_str_eq(parsed.messages[0].sender.value, "unknown@unreadable.invalid");
	cr_expect_eq(parsed.messages[0].sender.proof, PROOF_CLAIMED);
	fixture_stop(&fixture);
}
