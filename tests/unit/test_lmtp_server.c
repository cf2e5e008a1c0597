#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "services/lmtp_server.h"
#include "services/loop.h"

enum { MAILS_MAX = 8, CLIENTS_MAX = 4 };

static struct loop *loop;
static struct lmtp_server *server;
static struct lmtp_options options;
static struct lmtp_mail *held[MAILS_MAX];
static int held_count;
static bool answers_at_once;

struct client {
	int fd;
	bool eof;
	struct buf in;
};
static struct client clients[CLIENTS_MAX];

static bool takes(const char *recipient, void *context)
{
	(void)context;
	return strncmp(recipient, "nobody", 6) != 0;
}

static void on_mail(struct lmtp_mail *mail, void *context)
{
	(void)context;
	if (answers_at_once) {
		held_count++;
		lmtp_answer(mail, LMTP_STORED, lmtp_mail_recipient(mail));
		return;
	}
	cr_assert_lt(held_count, MAILS_MAX);
	held[held_count++] = mail;
}

static void start(void)
{
	struct error err;

	server = lmtp_server_new(loop, &options, takes, on_mail, NULL, &err);
	cr_assert_not_null(server, "%s", err.text);
}

static void setup(void)
{
	loop = loop_new();
	options = (struct lmtp_options){ .address = "127.0.0.1:0",
					 .hostname = "mx.test",
					 .mail_max = 1000 };
}

static void teardown(void)
{
	lmtp_server_free(&server);
	lmtp_server_free(&server);
	for (int i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].fd > 0)
			close(clients[i].fd);
		buf_clear(&clients[i].in);
	}
	loop_free(&loop);
}

TestSuite(lmtp_server, .init = setup, .fini = teardown, .timeout = 60);

static void client_read(struct client *client)
{
	char piece[4096];
	ssize_t got;

	while (!client->eof && (got = recv(client->fd, piece, sizeof(piece), MSG_DONTWAIT)) != -1) {
		if (got == 0)
			client->eof = true;
		else
			buf_add(&client->in, piece, (size_t)got);
	}
	if (!client->eof && errno == ECONNRESET)
		client->eof = true;
}

static void turn(void)
{
	loop_turn(loop, false);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (clients[i].fd > 0)
			client_read(&clients[i]);
}

#define TURN_UNTIL(condition)                                                                      \
	do {                                                                                       \
		for (int turns = 0; !(condition); turns++) {                                       \
			cr_assert_lt(turns, 200000, "waited for %s; got: %s", #condition,          \
				     buf_string(&clients[0].in));                                  \
			turn();                                                                    \
		}                                                                                  \
	} while (0)

static struct client *connect_new(int slot)
{
	struct client *client = &clients[slot];
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)lmtp_server_port(server)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(client->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return client;
}

static void send_bytes(struct client *client, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(client->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0) {
			cr_assert(errno == EAGAIN, "%s", strerror(errno));
			turn();
			continue;
		}
		bytes += sent;
		len -= (size_t)sent;
	}
}

static void say(struct client *client, const char *text)
{
	send_bytes(client, text, strlen(text));
}

/* Waits for the text, and forgets what came up to its end. */
static void expect(struct client *client, const char *text)
{
	char *at;

	TURN_UNTIL(strstr(buf_string(&client->in), text) != NULL || client->eof);
	at = strstr(buf_string(&client->in), text);
	cr_assert_not_null(at, "the server ended before \"%s\"; got: %s", text,
			   buf_string(&client->in));
	at += strlen(text);
	client->in.len -= (size_t)(at - client->in.data);
	memmove(client->in.data, at, client->in.len + 1);
}

#define ENVELOPE "MAIL FROM:<a@cust.example>\r\nRCPT TO:<s@shop.example>\r\n"

/* A client that has said LHLO and an envelope, and may send its mail. */
static struct client *client_in_data(void)
{
	struct client *client = connect_new(0);

	expect(client, "220 mx.test LMTP");
	say(client, "LHLO me\r\n" ENVELOPE "DATA\r\n");
	expect(client, "354 ");
	return client;
}

static const char *mail_bytes(int index)
{
	size_t len;

	return lmtp_mail_bytes(held[index], &len);
}

Test(lmtp_server, takes_a_mail_and_answers_when_told)
{
	struct client *client;

	start();
	client = connect_new(0);
	expect(client, "220 mx.test LMTP converged\r\n");
	say(client, "LHLO me\r\n");
	expect(client, "250-mx.test\r\n");
	expect(client, "250-PIPELINING\r\n");
	expect(client, "250 SIZE 1000\r\n");
	say(client, "MAIL FROM:<a@cust.example>\r\n");
	expect(client, "250 2.1.0");
	say(client, "RCPT TO:<s@shop.example>\r\n");
	expect(client, "250 2.1.5");
	say(client, "DATA\r\n");
	expect(client, "354 end with <CRLF>.<CRLF>\r\n");
	say(client, "Subject: x\r\n\r\nhello\r\n.\r\n");
	TURN_UNTIL(held_count == 1);
	cr_assert_str_eq(mail_bytes(0), "Subject: x\r\n\r\nhello\r\n");
	cr_assert_str_eq(lmtp_mail_from(held[0]), "a@cust.example");
	cr_assert_str_eq(lmtp_mail_recipient(held[0]), "s@shop.example");
	for (int i = 0; i < 10; i++)
		turn();
	cr_assert_eq(client->in.len, 0, "nothing is acknowledged before it is stored");
	lmtp_answer(held[0], LMTP_STORED, "kept");
	expect(client, "250 2.0.0 kept\r\n");
	say(client, "QUIT\r\n");
	expect(client, "221 ");
	TURN_UNTIL(client->eof);
}

Test(lmtp_server, answers_pipelined_mails_in_turn)
{
	struct client *client;

	start();
	answers_at_once = true;
	client = connect_new(0);
	say(client, "LHLO me\r\n" ENVELOPE "DATA\r\none\r\n.\r\n" ENVELOPE
		    "DATA\r\ntwo\r\n.\r\nNOOP\r\nQUIT\r\n");
	expect(client, "354 ");
	expect(client, "250 2.0.0 s@shop.example\r\n");
	expect(client, "354 ");
	expect(client, "250 2.0.0 s@shop.example\r\n");
	expect(client, "250 2.0.0 ok\r\n");
	expect(client, "221 ");
	cr_assert_eq(held_count, 2);
}

Test(lmtp_server, reads_on_only_after_its_answer)
{
	struct client *client;

	start();
	client = connect_new(0);
	say(client, "LHLO me\r\n" ENVELOPE "DATA\r\none\r\n.\r\n" ENVELOPE "DATA\r\ntwo\r\n.\r\n");
	TURN_UNTIL(held_count == 1);
	for (int i = 0; i < 20; i++)
		turn();
	cr_assert_eq(held_count, 1);
	lmtp_answer(held[0], LMTP_TRY_AGAIN, "later");
	expect(client, "451 4.3.0 later\r\n");
	TURN_UNTIL(held_count == 2);
	cr_assert_str_eq(mail_bytes(1), "two\r\n");
	lmtp_answer(held[1], LMTP_REFUSED, "never\r\n250 smuggled");
	expect(client, "554 5.6.0 never\r\n");
	say(client, "NOOP\r\n");
	expect(client, "250 2.0.0 ok\r\n");
	cr_assert_eq(client->in.len, 0);
}

Test(lmtp_server, answers_recipients_in_their_order)
{
	struct client *client;

	start();
	client = connect_new(0);
	say(client, "LHLO me\r\n" ENVELOPE "RCPT TO:<nobody@shop.example>\r\n"
		    "RCPT TO:<two@shop.example>\r\nDATA\r\nx\r\n.\r\n");
	expect(client, "250 2.1.5");
	expect(client, "550 5.1.1");
	expect(client, "250 2.1.5");
	expect(client, "354 ");
	TURN_UNTIL(held_count == 2);
	lmtp_answer(held[1], LMTP_STORED, "second");
	for (int i = 0; i < 20; i++)
		turn();
	cr_assert_null(strstr(buf_string(&client->in), "second"));
	lmtp_answer(held[0], LMTP_TRY_AGAIN, "first");
	expect(client, "451 4.3.0 first\r\n250 2.0.0 second\r\n");
}

Test(lmtp_server, a_mail_over_the_limit_is_refused_and_the_next_taken)
{
	char line[102];
	struct client *client;

	start();
	client = client_in_data();
	memset(line, 'x', 98);
	memcpy(line + 98, "\r\n", 3);
	for (int i = 0; i < 11; i++)
		say(client, line);
	say(client, ".\r\n");
	expect(client, "552 5.3.4");
	cr_assert_eq(held_count, 0);
	say(client, ENVELOPE "DATA\r\n");
	expect(client, "354 ");
	for (int i = 0; i < 10; i++)
		say(client, line);
	say(client, ".\r\n");
	TURN_UNTIL(held_count == 1);
	cr_assert_eq(strlen(mail_bytes(0)), 1000);
	lmtp_answer(held[0], LMTP_STORED, "kept");
	expect(client, "250 2.0.0 kept");
	say(client, "MAIL FROM:<a@b> SIZE=1001\r\n");
	expect(client, "552 ");
	say(client, "MAIL FROM:<a@b> SIZE=1000\r\n");
	expect(client, "250 ");
}

Test(lmtp_server, one_endless_line_is_too_big_as_well)
{
	static char line[300 * 1000];
	struct client *client;

	start();
	client = client_in_data();
	memset(line, 'x', sizeof(line) - 1);
	say(client, line);
	say(client, "\r\n.\r\n");
	expect(client, "552 5.3.4");
	cr_assert_eq(held_count, 0);
}

Test(lmtp_server, dots_are_unstuffed)
{
	struct client *client;

	start();
	client = client_in_data();
	say(client, "..\r\n..two\r\n.one\r\na..b\r\n...\r\n.\r\n");
	TURN_UNTIL(held_count == 1);
	cr_assert_str_eq(mail_bytes(0), ".\r\n.two\r\none\r\na..b\r\n..\r\n");
	lmtp_answer(held[0], LMTP_STORED, "ok");
	expect(client, "250 ");
}

Test(lmtp_server, only_a_whole_line_ends_a_mail)
{
	struct client *client;

	start();
	client = client_in_data();
	say(client, "a\n.\nMAIL FROM:<x@y>\n.\r\nb\r.\r\nc\r\n.\nd\r\n.\r\n");
	TURN_UNTIL(held_count == 1);
	cr_assert_str_eq(mail_bytes(0), "a\n.\nMAIL FROM:<x@y>\n.\r\nb\r.\r\nc\r\n\nd\r\n");
	lmtp_answer(held[0], LMTP_STORED, "ok");
	expect(client, "250 2.0.0 ok\r\n");
	cr_assert_eq(client->in.len, 0);
}

Test(lmtp_server, any_pieces_make_the_same_mail)
{
	static const char text[] = "a\r\n..b\r\n\r\nc\r\n.\r\n";
	struct client *client;

	start();
	client = client_in_data();
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		send_bytes(client, text + i, 1);
		turn();
	}
	TURN_UNTIL(held_count == 1);
	cr_assert_str_eq(mail_bytes(0), "a\r\n.b\r\n\r\nc\r\n");
	lmtp_answer(held[0], LMTP_STORED, "ok");
	expect(client, "250 ");
}

Test(lmtp_server, a_client_may_go_before_its_answer)
{
	struct client *client;

	start();
	client = client_in_data();
	say(client, "x\r\n.\r\n");
	TURN_UNTIL(held_count == 1);
	close(client->fd);
	client->fd = 0;
	for (int i = 0; i < 20; i++)
		turn();
	cr_assert_str_eq(mail_bytes(0), "x\r\n", "the mail is valid until its answer");
	lmtp_answer(held[0], LMTP_STORED, "to nobody");
	client = connect_new(1);
	expect(client, "220 ");
}

Test(lmtp_server, a_server_may_go_before_the_answer)
{
	struct client *client;

	start();
	client = client_in_data();
	say(client, "x\r\n.\r\n");
	TURN_UNTIL(held_count == 1);
	lmtp_server_free(&server);
	cr_assert_str_eq(mail_bytes(0), "x\r\n");
	lmtp_answer(held[0], LMTP_STORED, "late");
	TURN_UNTIL(client->eof);
}

Test(lmtp_server, says_that_it_goes_down)
{
	struct client *client;

	start();
	client = connect_new(0);
	expect(client, "220 ");
	lmtp_server_free(&server);
	expect(client, "421 4.3.2 ");
	TURN_UNTIL(client->eof);
}

Test(lmtp_server, bounds_connections_and_recipients)
{
	options.connections_max = 2;
	options.recipients_max = 2;
	start();
	expect(connect_new(0), "220 ");
	expect(connect_new(1), "220 ");
	expect(connect_new(2), "421 4.3.2 ");
	TURN_UNTIL(clients[2].eof);
	say(&clients[1], "QUIT\r\n");
	TURN_UNTIL(clients[1].eof);
	expect(connect_new(3), "220 ");
	say(&clients[0], "LHLO me\r\n" ENVELOPE "RCPT TO:<b@c>\r\nRCPT TO:<d@e>\r\n");
	expect(&clients[0], "250 2.1.5");
	expect(&clients[0], "250 2.1.5");
	expect(&clients[0], "452 4.5.3");
}

Test(lmtp_server, bounds_command_lines)
{
	static char line[3000];
	struct client *client;

	start();
	client = connect_new(0);
	memset(line, 'x', 2040);
	strcpy(line + 2040, "\r\nNOOP\r\n");
	say(client, line);
	expect(client, "500 5.5.2");
	expect(client, "250 2.0.0");
	memset(line, 'x', sizeof(line) - 1);
	say(client, line);
	expect(client, "500 5.5.2");
	TURN_UNTIL(client->eof);
}

Test(lmtp_server, addresses_may_have_any_letters)
{
	struct client *client;

	start();
	answers_at_once = true;
	client = connect_new(0);
	say(client,
	    "LHLO me\r\nMAIL FROM:<小明@例子.测试> SMTPUTF8\r\nRCPT TO:<客服@shop.example>\r\n"
	    "DATA\r\n你好\r\n.\r\n");
	expect(client, "250 2.1.0");
	expect(client, "250 2.0.0 客服@shop.example");
	say(client, "MAIL FROM:<\xff\xfe@b>\r\n");
	expect(client, "501 5.1.7");
	say(client, "MAIL FROM:<>\r\n");
	expect(client, "250 2.1.0");
}

Test(lmtp_server, refuses_what_is_out_of_order_or_malformed)
{
	static const struct {
		const char *line;
		const char *want;
	} rows[] = {
		{ "MAIL FROM:<a@b>\r\n", "503 " },
		{ "EHLO me\r\n", "500 5.5.1" },
		{ "LHLO\r\n", "501 " },
		{ "lhlo me\r\n", "250 SIZE" },
		{ "RCPT TO:<a@b>\r\n", "503 " },
		{ "DATA\r\n", "503 " },
		{ "MAIL FROM:a@b\r\n", "501 " },
		{ "MAIL FROM:<a b@c>\r\n", "501 " },
		{ "MAIL TO:<a@b>\r\n", "501 " },
		{ "mail from:<a@b>\r\n", "250 2.1.0" },
		{ "MAIL FROM:<a@b>\r\n", "503 " },
		{ "RCPT TO:<>\r\n", "501 " },
		{ "DATA\r\n", "503 " },
		{ "RSET\r\n", "250 " },
		{ "RCPT TO:<a@b>\r\n", "503 " },
		{ "VRFY a\r\n", "252 " },
		{ "MAILX\r\n", "500 " },
		{ "\r\n", "500 " },
		{ "GET / HTTP/1.1\r\n", "500 " },
	};
	struct client *client;

	start();
	client = connect_new(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		say(client, rows[i].line);
		expect(client, rows[i].want);
	}
}
