#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "services/loop.h"
#include "services/mail_send.h"
#include "services/worker.h"
#include "smtp_server.h"

#define MESSAGE                                                                                    \
	"Date: Sun, 22 Nov 2026 20:45:00 +0800\r\nFrom: =?utf-8?B?5a6i5pyN?= "                     \
	"<support@shop.example>\r\n"                                                               \
	"To: meng@cust.example\r\nMessage-ID: <c17.m4@shop.example>\r\nSubject: Re: order\r\n"     \
	"References: <a@b>\r\n <c@d>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"     \
	"Hello\r\n.\r\n..two dots\r\n\r\nbye\r\n"

struct answer {
	int ended;
	enum mail_verdict verdict;
	int code;
	char text[400];
	size_t recipients;
	size_t refused;
	int codes[4];
};

static char dir[] = "/tmp/converge-mail-XXXXXX";
static struct loop *loop;
static struct worker_pool *pool;

static void setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	loop = loop_new();
	pool = worker_pool_new(loop,
			       &(struct worker_options){ .name = "mail",
							 .processes = 2,
							 .queue_max = 10,
							 .deadline_ms = 60000,
							 .once = true,
							 .executable = BUILD_DIR "/converged" });
}

static void teardown(void)
{
	char command[100];

	smtp_server_stop();
	worker_pool_free(&pool);
	loop_free(&loop);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(mail_send, .init = setup, .fini = teardown, .timeout = 120);

static void on_sent(const struct mail_send_answer *got, void *context)
{
	struct answer *answer = context;

	answer->ended++;
	answer->verdict = got->verdict;
	answer->code = got->code;
	snprintf(answer->text, sizeof(answer->text), "%s", got->text);
	answer->recipients = got->recipient_count;
	answer->refused = got->refused_count;
	for (size_t i = 0; i < got->recipient_count && i < 4; i++)
		answer->codes[i] = got->recipients[i].code;
}

static const char *const to_one[] = { "meng@cust.example" };
static const char *const to_two[] = { "gone@cust.example", "meng@cust.example" };

static struct mail_send_options plain(void)
{
	return (struct mail_send_options){ .url = smtp_server_url,
					   .tls = MAIL_TLS_NONE,
					   .from = "support@shop.example",
					   .to = to_one,
					   .to_count = 1,
					   .message = MESSAGE,
					   .message_len = strlen(MESSAGE),
					   .timeout_ms = 10000 };
}

static struct answer send_with(const struct mail_send_options *options)
{
	struct answer answer = { 0 };
	struct error err = { 0 };

	cr_assert_eq(mail_send(pool, options, on_sent, &answer, &err), 0, "%s", err.text);
	cr_assert_eq(answer.ended, 0);
	while (answer.ended == 0)
		loop_turn(loop, true);
	return answer;
}

static char *kept(const char *name)
{
	char path[100];
	struct buf bytes = { 0 };
	FILE *file;
	int c;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "rb");
	cr_assert_not_null(file, "%s", path);
	while ((c = fgetc(file)) != EOF)
		buf_byte(&bytes, (char)c);
	fclose(file);
	return bytes.data;
}

Test(mail_send, delivers_the_bytes_unchanged)
{
	struct mail_send_options options = plain();
	struct answer answer;
	char *message;
	char *envelope;

	smtp_server_start(dir, "good");
	options.to = to_two;
	options.to_count = 2;
	answer = send_with(&options);
	cr_assert_eq(answer.verdict, MAIL_SENT, "%s", answer.text);
	cr_assert_eq(answer.code, 250);
	cr_assert_eq(answer.recipients, 2);
	cr_assert_eq(answer.refused, 0);
	message = kept("message");
	envelope = kept("envelope");
	cr_assert_str_eq(message, MESSAGE);
	cr_assert_str_eq(envelope, "support@shop.example\ngone@cust.example\nmeng@cust.example");
	free(message);
	free(envelope);
}

Test(mail_send, uses_the_null_sender_and_large_messages)
{
	struct mail_send_options options = plain();
	struct buf large = { 0 };
	char *message;
	char *envelope;

	smtp_server_start(dir, "good");
	buf_text(&large, MESSAGE);
	for (int i = 0; i < 5000; i++)
		buf_format(&large, ".line %d of a long mail, long enough to be beside the job\r\n",
			   i);
	options.from = "";
	options.message = large.data;
	options.message_len = large.len;
	cr_assert_eq(send_with(&options).verdict, MAIL_SENT);
	message = kept("message");
	envelope = kept("envelope");
	cr_assert_str_eq(message, large.data);
	cr_assert_str_eq(envelope, "<>\nmeng@cust.example"); /* as the server names it */
	free(message);
	free(envelope);
	buf_clear(&large);
}

Test(mail_send, logs_in)
{
	struct mail_send_options options = plain();
	struct answer answer;

	smtp_server_start(dir, "login");
	options.user = "user";
	options.password = "secret";
	answer = send_with(&options);
	cr_assert_eq(answer.verdict, MAIL_SENT, "%s", answer.text);
	options.password = "wrong";
	answer = send_with(&options);
	cr_assert_eq(answer.verdict, MAIL_REAUTH, "%s", answer.text);
	cr_assert_eq(answer.code, 535);
	options.user = NULL;
	answer = send_with(&options);
	cr_assert_eq(answer.verdict, MAIL_REAUTH, "%s", answer.text);
	cr_assert_eq(answer.code, 530);
}

static void make_certificate(const char *name)
{
	char command[500];

	snprintf(command, sizeof(command),
		 "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext "
		 "subjectAltName=%s -keyout %s/key.pem -out %s/cert.pem 2>/dev/null",
		 name, dir, dir);
	cr_assert_eq(system(command), 0);
}

Test(mail_send, requires_a_trusted_certificate_of_that_name)
{
	struct mail_send_options options = plain();
	char ca_file[100];
	struct answer answer;

	snprintf(ca_file, sizeof(ca_file), "%s/cert.pem", dir);
	make_certificate("IP:127.0.0.1");
	smtp_server_start(dir, "starttls");
	options.tls = MAIL_TLS_REQUIRED;
	cr_assert_eq(send_with(&options).verdict, MAIL_RETRY, "an unknown authority");
	options.ca_file = ca_file;
	for (int i = 0; i < 3; i++) {
		answer = send_with(&options);
		cr_assert_eq(answer.verdict, MAIL_SENT, "%s", answer.text);
	}
	make_certificate("DNS:other.example");
	smtp_server_start(dir, "starttls");
	cr_assert_eq(send_with(&options).verdict, MAIL_RETRY, "another name");
}

Test(mail_send, judges_what_servers_answer)
{
	static const struct {
		const char *mode;
		enum mail_verdict verdict;
		int code;
	} cases[] = {
		{ "mail-450", MAIL_RETRY, 450 },     { "mail-550", MAIL_PERMANENT, 550 },
		{ "mail-530", MAIL_REAUTH, 530 },    { "rcpt-450", MAIL_RETRY, 450 },
		{ "rcpt-550", MAIL_PERMANENT, 550 }, { "data-451", MAIL_RETRY, 451 },
		{ "data-554", MAIL_PERMANENT, 554 }, { "dot-451", MAIL_RETRY, 451 },
		{ "dot-552", MAIL_PERMANENT, 552 },  { "drop-at-data", MAIL_RETRY, 0 },
		{ "drop-at-dot", MAIL_UNKNOWN, 0 },  { "banner-554", MAIL_RETRY, 0 },
		{ "banner-junk", MAIL_RETRY, 0 },    { "drop", MAIL_RETRY, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mail_send_options options = plain();
		struct answer answer;

		smtp_server_start(dir, cases[i].mode);
		answer = send_with(&options);
		cr_assert_eq(answer.verdict, cases[i].verdict, "%s: %d %d %s", cases[i].mode,
			     (int)answer.verdict, answer.code, answer.text);
		cr_assert_eq(answer.code, cases[i].code, "%s: %d", cases[i].mode, answer.code);
		cr_assert_eq(answer.ended, 1);
	}
}

Test(mail_send, tells_a_refused_login_from_a_busy_one)
{
	static const struct {
		const char *mode;
		enum mail_verdict verdict;
	} cases[] = { { "auth-535", MAIL_REAUTH }, { "auth-454", MAIL_RETRY } };

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mail_send_options options = plain();

		options.user = "user";
		options.password = "secret";
		smtp_server_start(dir, cases[i].mode);
		cr_assert_eq(send_with(&options).verdict, cases[i].verdict, "%s", cases[i].mode);
	}
}

Test(mail_send, gives_up_on_servers_that_say_nothing)
{
	struct mail_send_options options = plain();

	options.timeout_ms = 200;
	smtp_server_start(dir, "silent");
	cr_assert_eq(send_with(&options).verdict, MAIL_RETRY);
	smtp_server_start(dir, "silent-at-dot");
	cr_assert_eq(send_with(&options).verdict, MAIL_UNKNOWN);
}

Test(mail_send, retries_where_nobody_listens)
{
	struct mail_send_options options = plain();

	smtp_server_start(dir, "drop");
	smtp_server_stop();
	cr_assert_eq(send_with(&options).verdict, MAIL_RETRY);
}

Test(mail_send, tells_which_recipient_was_refused)
{
	struct mail_send_options options = plain();
	struct answer answer;

	smtp_server_start(dir, "one-refused");
	options.to = to_two;
	options.to_count = 2;
	answer = send_with(&options);
	cr_assert_eq(answer.verdict, MAIL_SENT);
	cr_assert_eq(answer.refused, 1);
	cr_assert_eq(answer.codes[0], 550);
	cr_assert_eq(answer.codes[1], 250);
}

Test(mail_send, calls_a_mail_unknown_whose_process_died)
{
	struct mail_send_options options = plain();
	struct answer answer = { 0 };
	struct error err;

	options.timeout_ms = 60000;
	smtp_server_start(dir, "silent-at-dot");
	cr_assert_eq(mail_send(pool, &options, on_sent, &answer, &err), 0);
	while (worker_stats(pool).running == 0)
		loop_turn(loop, true);
	worker_pool_free(&pool);
	cr_assert_eq(answer.ended, 1);
	cr_assert_eq(answer.verdict, MAIL_UNKNOWN);
}

Test(mail_send, requires_tls_unless_told_otherwise)
{
	struct mail_send_options options = plain();
	struct answer answer;

	smtp_server_start(dir, "one-refused"); /* has no STARTTLS */
	options.tls = MAIL_TLS_REQUIRED;
	answer = send_with(&options);
	cr_assert_eq(answer.verdict, MAIL_RETRY);
	cr_assert_not_null(strstr(answer.text, "STARTTLS"), "%s", answer.text);
}

Test(mail_send, refuses_what_must_not_be_sent)
{
	static const struct {
		const char *name;
		const char *url;
		const char *from;
		const char *to;
		const char *message;
		const char *user;
	} bad[] = {
		{ "bare LF", "smtp://127.0.0.1:25", "a@b", "c@d", "Subject: x\nBcc: y\r\n\r\n",
		  NULL },
		{ "bare CR", "smtp://127.0.0.1:25", "a@b", "c@d", "Subject: x\rBcc: y\r\n\r\n",
		  NULL },
		{ "no end", "smtp://127.0.0.1:25", "a@b", "c@d", "Subject: x", NULL },
		{ "injected sender", "smtp://127.0.0.1:25", "a@b>\r\nDATA", "c@d", MESSAGE, NULL },
		{ "injected option", "smtp://127.0.0.1:25", "a@b", "c@d> NOTIFY=", MESSAGE, NULL },
		{ "no address", "smtp://127.0.0.1:25", "a@b", "c", MESSAGE, NULL },
		{ "not ASCII", "smtp://127.0.0.1:25", "a@b", "孟@d", MESSAGE, NULL },
		{ "scheme", "http://127.0.0.1:25", "a@b", "c@d", MESSAGE, NULL },
		{ "path", "smtp://127.0.0.1:25/x", "a@b", "c@d", MESSAGE, NULL },
		{ "login in the clear", "smtp://192.0.2.1:25", "a@b", "c@d", MESSAGE, "user" },
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct mail_send_options options = plain();
		struct answer answer = { 0 };
		struct error err = { 0 };

		options.url = bad[i].url;
		options.from = bad[i].from;
		options.to = &bad[i].to;
		options.message = bad[i].message;
		options.message_len = strlen(bad[i].message);
		options.user = bad[i].user;
		cr_assert_eq(mail_send(pool, &options, on_sent, &answer, &err), -1, "%s",
			     bad[i].name);
		cr_assert_eq(err.kind, ERROR_MISUSE);
	}
}
