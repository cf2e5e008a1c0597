#include <criterion/criterion.h>

#include "../contract/fixture.h"
#include "../contract/peer.h"
#include "../contract/smtp_peer.h"

static struct outbound message_of(void)
{
	return (struct outbound){
		.id = "msg_1",
		.conversation = "cnv_1",
		.text = "你好",
		.to = "ann@example.org",
		.to_name = "Ann",
		.subject = "x",
		.created_ms = 1767322800000,
		.attempt = 1,
		.reply_token = "0123456789abcdefghjkmnpq",
	};
}

static void open_channel(struct fixture *fixture, const struct smtp_peer *smtp,
			 const struct peer *token_server)
{
	char settings[512], oauth[256] = "";

	if (token_server)
		snprintf(oauth, sizeof(oauth),
			 ",\"oauth\":{\"token_url\":\"http://127.0.0.1:%d/"
			 "token\",\"client_id\":\"c&d\","
			 "\"client_secret\":\"s\",\"refresh_token\":\"r\"}",
			 token_server->port);
	snprintf(settings, sizeof(settings),
		 "{\"address\":\"support@shop.example\",\"smtp\":{\"url\":\"smtp://127.0.0.1:%d\","
		 "\"user\":\"support\"}%s}",
		 smtp->port, oauth);
	cr_assert_eq(fixture_open(fixture, "email", settings), 0);
}

static void send_and_wait(struct fixture *fixture, const struct outbound *message)
{
	static struct delivery delivery;
	int ended = fixture->sent + fixture->failed;

	delivery.channel = fixture->channel;
	channel_connector(fixture->channel)->send(fixture->channel, message, &delivery);
	cr_assert_eq(fixture->sent + fixture->failed, ended);
	while (fixture->sent + fixture->failed == ended)
		loop_turn(fixture->loop, true);
}

Test(email_send, carries_a_letter_with_its_attachments_and_copies)
{
	struct fixture fixture;
	struct smtp_peer smtp;
	const struct attachment file = {
		.name = "发票.txt", .type = "text/plain", .bytes = "bytes", .size = 5
	};
	struct outbound message = message_of();

	fixture_begin(&fixture, true);
	smtp_start(&smtp, fixture.loop);
	open_channel(&fixture, &smtp, NULL);
	message.attachments = &file;
	message.attachment_count = 1;
	message.extra =
		"{\"cc\":[\"bob@example.org\",\"bad\\r\\nRCPT\"],\"bcc\":[\"eve@example.org\"]}";
	send_and_wait(&fixture, &message);
	cr_assert_eq(fixture.sent, 1, "%s", fixture.code);
	cr_expect_str_eq(fixture.provider_id, "<0123456789abcdefghjkmnpq.msg_1@shop.example>");
	cr_expect(strstr(smtp.commands.data, "MAIL FROM:<support@shop.example>"));
	cr_expect(strstr(smtp.commands.data,
			 "RCPT TO:<ann@example.org>\nRCPT TO:<bob@example.org>\n"
			 "RCPT TO:<eve@example.org>\nDATA\n"));
	cr_expect(strstr(smtp.mail.data, "Cc: bob@example.org\r\n"));
	cr_expect(!strstr(smtp.mail.data, "eve@"));
	cr_expect(strstr(smtp.mail.data, "Ynl0ZXM=\r\n"));
	cr_expect(strstr(smtp.mail.data,
			 "Reply-To: <support+0123456789abcdefghjkmnpq@shop.example>\r\n"));
	smtp_stop(&smtp);
	fixture_stop(&fixture);
}

Test(email_send, names_a_letter_within_78_characters)
{
	static const char *const domains[] = { "example.com", "support.mycompany.example",
					       "support.of.our.own.company.example" };
	struct fixture fixture;
	struct outbound message = message_of();

	message.id = "msg_01KAAAAAAABCDEFGHJKMNPQRST";
	message.reply_token = "01kaaaaaaabcdefghjkmnpqrstabcdefghjkm";
	for (size_t i = 0; i < COUNT_OF(domains); i++) {
		char settings[128];
		const char *name;

		snprintf(settings, sizeof(settings), "{\"address\":\"us@%s\"}", domains[i]);
		fixture_begin(&fixture, false);
		cr_assert_eq(fixture_open(&fixture, "email", settings), 0);
		name = channel_connector(fixture.channel)
			       ->sent_as(fixture.channel, &message, fixture.arena);
		cr_expect_leq(strlen(name), 78, "%s", name);
		cr_expect_eq(strstr(name, message.reply_token) != NULL, i < 2, "%s", name);
		fixture_stop(&fixture);
	}
}

Test(email_send, leaves_with_the_null_sender_where_a_machine_wrote_it)
{
	struct fixture fixture;
	struct smtp_peer smtp;
	struct outbound message = message_of();

	fixture_begin(&fixture, true);
	smtp_start(&smtp, fixture.loop);
	open_channel(&fixture, &smtp, NULL);
	message.automatic = true;
	send_and_wait(&fixture, &message);
	cr_assert_eq(fixture.sent, 1);
	cr_expect(strstr(smtp.commands.data, "MAIL FROM:<>"));
	cr_expect(strstr(smtp.mail.data, "Auto-Submitted: auto-replied\r\n"));
	smtp_stop(&smtp);
	fixture_stop(&fixture);
}

struct fault_row {
	const char *name;
	const char *rcpt_answer, *final_answer;
	enum send_failure failure;
	const char *code;
};

static const struct fault_row fault_rows[] = {
	{ "no such user", "550 5.1.1 no such user", NULL, SEND_PERMANENT, "smtp_550" },
	{ "greylisted", "450 4.2.0 later", NULL, SEND_RETRY, "smtp_450" },
	{ "refused after the data", NULL, "554 5.7.1 spam", SEND_PERMANENT, "smtp_554" },
	{ "busy after the data", NULL, "451 4.3.0 later", SEND_RETRY, "smtp_451" },
	{ "gone after the data", NULL, "", SEND_UNKNOWN, "smtp" },
};

static const char token_one[] = "HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n"
				"{\"access_token\":\"one\",\"expires_in\":3600}    ";
static const char token_two[] = "HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n"
				"{\"access_token\":\"two\",\"expires_in\":3600}    ";

static void check_fault(const struct fault_row *row, bool with_token)
{
	struct outbound message = message_of();
	struct fixture fixture;
	struct smtp_peer smtp;
	struct peer tokens;

	fixture_begin(&fixture, true);
	smtp_start(&smtp, fixture.loop);
	peer_start(&tokens, fixture.loop, PEER_ANSWERS, token_one);
	smtp.rcpt_answer = row->rcpt_answer;
	smtp.final_answer = row->final_answer;
	smtp.good_token = with_token ? "Bearer one" : NULL;
	open_channel(&fixture, &smtp, with_token ? &tokens : NULL);
	send_and_wait(&fixture, &message);
	cr_expect_eq(fixture.failed, 1, "%s, token %d", row->name, with_token);
	cr_expect_eq(fixture.failure, row->failure, "%s, token %d: %d", row->name, with_token,
		     fixture.failure);
	cr_expect(strncmp(fixture.code, row->code, strlen(row->code)) == 0, "%s, token %d: %s",
		  row->name, with_token, fixture.code);
	smtp_stop(&smtp);
	peer_stop(&tokens);
	fixture_stop(&fixture);
}

Test(email_send, tells_what_may_be_tried_again_from_what_nobody_knows)
{
	for (size_t i = 0; i < COUNT_OF(fault_rows); i++) {
		check_fault(&fault_rows[i], false);
		check_fault(&fault_rows[i], true);
	}
}

Test(email_send, asks_for_a_token_once_and_renews_a_refused_one_once)
{
	struct fixture fixture;
	struct smtp_peer smtp;
	struct peer tokens;
	struct outbound message = message_of();

	fixture_begin(&fixture, true);
	smtp_start(&smtp, fixture.loop);
	peer_start(&tokens, fixture.loop, PEER_ANSWERS, token_one);
	smtp.good_token = "Bearer one";
	open_channel(&fixture, &smtp, &tokens);
	send_and_wait(&fixture, &message);
	send_and_wait(&fixture, &message);
	cr_assert_eq(fixture.sent, 2, "%s", fixture.code);
	cr_assert_eq(tokens.requests, 1);

	tokens.reply = token_two;
	smtp.good_token = "Bearer two";
	send_and_wait(&fixture, &message);
	cr_assert_eq(fixture.sent, 3, "%s", fixture.code);
	cr_assert_eq(tokens.requests, 2);

	smtp.good_token = "Bearer three";
	send_and_wait(&fixture, &message);
	cr_assert_eq(fixture.failed, 1);
	cr_assert_eq(fixture.failure, SEND_REAUTH);
	cr_assert_eq(tokens.requests, 3);
	smtp_stop(&smtp);
	peer_stop(&tokens);
	fixture_stop(&fixture);
}

Test(email_send, tries_again_later_where_no_token_is_to_be_had)
{
	struct fixture fixture;
	struct smtp_peer smtp;
	struct peer tokens;
	struct outbound message = message_of();

	fixture_begin(&fixture, true);
	smtp_start(&smtp, fixture.loop);
	peer_start(&tokens, fixture.loop, PEER_ANSWERS,
		   "HTTP/1.1 400 Bad\r\nContent-Length: 25\r\n\r\n{\"error\":\"invalid_grant\"}");
	open_channel(&fixture, &smtp, &tokens);
	send_and_wait(&fixture, &message);
	cr_assert_eq(fixture.failed, 1);
	cr_assert_eq(fixture.failure, SEND_RETRY);
	cr_assert_str_eq(fixture.code, "oauth");
	smtp_stop(&smtp);
	peer_stop(&tokens);
	fixture_stop(&fixture);
}

Test(email_send, refuses_what_is_no_address_before_anything_leaves)
{
	static const char *const bad[] = { "nobody", "a@b\r\nRCPT TO:<c@d>", "<a@b>", "" };

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct outbound message = message_of();
		struct delivery delivery;
		struct fixture fixture;
		struct smtp_peer smtp;

		fixture_begin(&fixture, true);
		smtp_start(&smtp, fixture.loop);
		open_channel(&fixture, &smtp, NULL);
		message.to = bad[i];
		delivery.channel = fixture.channel;
		channel_connector(fixture.channel)->send(fixture.channel, &message, &delivery);
		cr_expect_eq(fixture.failed, 1, "%s", bad[i]);
		cr_expect_eq(fixture.failure, SEND_PERMANENT);
		cr_expect_eq(smtp.all_count, 0);
		smtp_stop(&smtp);
		fixture_stop(&fixture);
	}
}
