/* A connector's mail through struct host: by the worker, and what it is told. */
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "services/loop.h"
#include "services/transfer.h"
#include "services/worker.h"
#include "smtp_server.h"

#define MESSAGE "Date: Sun, 22 Nov 2026 20:45:00 +0800\r\nFrom: s@shop.example\r\n\r\nHello\r\n"

struct answer {
	int ended;
	bool accepted;
	enum send_failure failure;
	int code;
	char error[300];
};

static int stub_open(const struct host *host, struct channel *channel, const char **ret_error)
{
	(void)host;
	(void)channel;
	(void)ret_error;
	return 0;
}

static void stub_close(struct channel *channel)
{
	(void)channel;
}

static const struct setting no_settings[] = { SETTING_END };
static const struct connector stub = { .name = "stub",
				       .abi = CONNECTOR_ABI,
				       .settings = no_settings,
				       .open = stub_open,
				       .close = stub_close };

static char dir[] = "/tmp/converge-host-XXXXXX";
static struct loop *loop;
static struct transfers *transfers;
static struct worker_pool *pool;
static struct channels *channels;
static struct channel *channel;

static void setup(void)
{
	struct channels_options options = { 0 };
	struct channel_options row = { .workspace = "main", .name = "mail", .connector = &stub };
	struct error err = { 0 };

	cr_assert_not_null(mkdtemp(dir));
	loop = loop_new();
	transfers = transfers_new(loop);
	pool = worker_pool_new(loop,
			       &(struct worker_options){ .name = "mail",
							 .queue_max = 1,
							 .deadline_ms = 60000,
							 .once = true,
							 .executable = BUILD_DIR "/converged" });
	options.loop = loop;
	options.transfers = transfers;
	options.mail = pool;
	channels = channels_new(&options);
	cr_assert_eq(channel_open(channels, &row, &err), 0, "%s", err.text);
	channel = channel_find(channels, "main", "mail");
}

static void teardown(void)
{
	smtp_server_stop();
	channels_free(&channels);
	worker_pool_free(&pool);
	transfers_free(&transfers);
	loop_turn(loop, false);
	loop_turn(loop, false);
	loop_free(&loop);
	rmdir(dir);
}

TestSuite(host_mail, .init = setup, .fini = teardown, .timeout = 120);

static void on_sent(const struct host_mail_answer *got, void *context)
{
	struct answer *answer = context;

	answer->ended++;
	answer->accepted = got->error == NULL;
	answer->failure = got->failure;
	answer->code = got->code;
	snprintf(answer->error, sizeof(answer->error), "%s", got->error ? got->error : "");
}

static void start(struct answer *answer, const char *const *to, size_t to_count)
{
	struct host_account account = { .url = smtp_server_url };
	struct host_mail mail = { .account = &account,
				  .from = "s@shop.example",
				  .to = to,
				  .to_count = to_count,
				  .message = MESSAGE,
				  .message_len = strlen(MESSAGE) };

	host_services.mail_send(channel, &mail, on_sent, answer);
	cr_assert_eq(answer->ended, 0);
}

static struct answer send_to(const char *first, const char *second)
{
	const char *to[] = { first, second };
	struct answer answer = { 0 };

	start(&answer, to, second == NULL ? 1 : 2);
	while (answer.ended == 0)
		loop_turn(loop, true);
	cr_assert_eq(answer.ended, 1);
	return answer;
}

Test(host_mail, goes_through_the_worker)
{
	struct answer answer;

	smtp_server_start(dir, "one-refused");
	answer = send_to("meng@cust.example", NULL);
	cr_assert(answer.accepted, "%s", answer.error);
	cr_assert_eq(worker_stats(pool).done, 1);
}

Test(host_mail, is_sent_when_only_another_recipient_was_refused)
{
	struct answer answer;

	smtp_server_start(dir, "one-refused");
	cr_assert(send_to("meng@cust.example", "gone@cust.example").accepted);
	answer = send_to("gone@cust.example", "meng@cust.example");
	cr_assert_not(answer.accepted);
	cr_assert_eq(answer.failure, SEND_PERMANENT);
}

Test(host_mail, tells_the_failures_apart)
{
	static const struct {
		const char *mode;
		enum send_failure failure;
		int code;
	} cases[] = {
		{ "rcpt-550", SEND_PERMANENT, 550 },
		{ "dot-451", SEND_RETRY, 451 },
		{ "mail-530", SEND_REAUTH, 530 },
		{ "drop-at-dot", SEND_UNKNOWN, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer answer;

		smtp_server_start(dir, cases[i].mode);
		answer = send_to("meng@cust.example", NULL);
		cr_assert_not(answer.accepted, "%s", cases[i].mode);
		cr_assert_eq(answer.failure, cases[i].failure, "%s", cases[i].mode);
		cr_assert_eq(answer.code, cases[i].code, "%s", cases[i].mode);
	}
}

Test(host_mail, that_can_never_be_sent_fails_on_a_later_turn)
{
	smtp_server_start(dir, "one-refused");
	cr_assert_eq(send_to("not an address", NULL).failure, SEND_PERMANENT);
}

Test(host_mail, waits_when_the_queue_is_full)
{
	static const char *const to[] = { "meng@cust.example" };
	struct answer answers[3] = { 0 };

	smtp_server_start(dir, "silent-at-dot");
	for (int i = 0; i < 3; i++)
		start(&answers[i], to, 1);
	while (answers[2].ended == 0)
		loop_turn(loop, true);
	cr_assert_eq(answers[2].failure, SEND_RETRY);
	channels_free(&channels); /* ends the others, once */
	worker_pool_free(&pool);
	cr_assert_eq(answers[0].ended, 1);
	cr_assert_eq(answers[1].ended, 1);
}
