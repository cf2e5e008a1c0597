#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

#include "../contract/imap_peer.h"
#include "../contract/peer.h"
#include "services/transfer.h"
#include "services/transfer_private.h"

struct seen {
	int calls;
	bool failed;
	char error[512];
	enum transfer_progress progress;
	long status;
	char body[64];
	size_t body_len;
	int64_t retry_after_ms;
	bool new_connection;
};

static void on_done(const struct transfer_answer *answer, void *context)
{
	struct seen *seen = context;

	seen->calls++;
	seen->failed = answer->error;
	snprintf(seen->error, sizeof(seen->error), "%s", answer->error ? answer->error->text : "");
	seen->progress = answer->progress;
	seen->status = answer->status;
	seen->body_len = answer->body_len;
	snprintf(seen->body, sizeof(seen->body), "%s", answer->body);
	seen->retry_after_ms = answer->retry_after_ms;
	seen->new_connection = answer->new_connection;
}

/* One transfer to its end. */
static struct seen run(struct loop *loop, struct transfers *transfers,
		       const struct transfer_options *options, struct transfer_session *session)
{
	struct seen seen = { 0 };

	transfer_start(transfers, options, session, on_done, &seen);
	cr_assert_eq(seen.calls, 0, "done came before start returned");
	while (seen.calls == 0)
		loop_turn(loop, true);
	return seen;
}

/* %d is the canary's port. Each form names 127.0.0.1, another private address,
 * or tries to be read differently by two parsers. */
static const char *const ssrf_forms[] = {
	"http://127.0.0.1:%d/",
	"https://127.0.0.1:%d/",
	"https://127.0.0.2:%d/",
	"https://127.1:%d/",
	"https://127.0.1:%d/",
	"https://2130706433:%d/",
	"https://0x7f000001:%d/",
	"https://0x7f.0x0.0x0.0x1:%d/",
	"https://0x7f.1:%d/",
	"https://0x7F.0.0.1:%d/",
	"https://017700000001:%d/",
	"https://0177.0.0.1:%d/",
	"https://0177.0.0.01:%d/",
	"https://0177.1:%d/",
	"https://127.0.0x0.1:%d/",
	"https://127.00000.0.1:%d/",
	"https://127.0.0.1.:%d/",
	"https://0:%d/",
	"https://0.0.0.0:%d/",
	"https://000.000.000.000:%d/",
	"https://00:%d/",
	"https://0x0:%d/",
	"https://[::1]:%d/",
	"https://[::]:%d/",
	"https://[0:0:0:0:0:0:0:1]:%d/",
	"https://[0000:0000:0000:0000:0000:0000:0000:0001]:%d/",
	"https://[::ffff:127.0.0.1]:%d/",
	"https://[::ffff:7f00:1]:%d/",
	"https://[0:0:0:0:0:ffff:127.0.0.1]:%d/",
	"https://[::127.0.0.1]:%d/",
	"https://[::7f00:1]:%d/",
	"https://[64:ff9b::127.0.0.1]:%d/",
	"https://[64:ff9b::7f00:1]:%d/",
	"https://[64:ff9b:1::7f00:1]:%d/",
	"https://[2002:7f00:1::]:%d/",
	"https://[fe80::1]:%d/",
	"https://[fe80::1%%25lo]:%d/",
	"https://[::1%%25lo]:%d/",
	"https://[fc00::1]:%d/",
	"https://[fd00:ec2::254]:%d/",
	"https://[ff02::1]:%d/",
	"https://[2001:db8::1]:%d/",
	"https://localhost:%d/",
	"https://LOCALHOST:%d/",
	"https://localhost.:%d/",
	"https://foo.localhost:%d/",
	"https://ip6-localhost:%d/",
	"https://10.0.0.1:%d/",
	"https://172.16.0.1:%d/",
	"https://172.31.255.255:%d/",
	"https://192.168.1.1:%d/",
	"https://169.254.169.254:%d/latest/meta-data/",
	"https://2852039166:%d/",
	"https://0xa9fea9fe:%d/",
	"https://100.64.0.1:%d/",
	"https://198.18.0.1:%d/",
	"https://224.0.0.1:%d/",
	"https://255.255.255.255:%d/",
	"https://240.0.0.1:%d/",
	"https://192.0.0.1:%d/",
	"https://192.0.2.1:%d/",
	"https://user@127.0.0.1:%d/",
	"https://user:pw@127.0.0.1:%d/",
	"https://example.com@127.0.0.1:%d/",
	"https://example.com:80@127.0.0.1:%d/",
	"https://127.0.0.1:%d@example.invalid/",
	"https://127.0.0.1:%d#@example.invalid/",
	"https://127.0.0.1:%d?@example.invalid/",
	"https://127.0.0.1:%d\\@example.invalid/",
	"https://example.invalid\\@127.0.0.1:%d/",
	"https://127.0.0.1%%09:%d/",
	"https://127.0.0.1%%00.example.invalid:%d/",
	"https://%%31%%32%%37.0.0.1:%d/",
	"https://127%%2e0%%2e0%%2e1:%d/",
	"https://①②⑦.⓪.⓪.①:%d/",
	"https://127。0。0。1:%d/",
	"https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:%d/",
	"https:127.0.0.1:%d/",
	"https:/127.0.0.1:%d/",
	"https:///127.0.0.1:%d/",
	"https:////127.0.0.1:%d/",
	"//127.0.0.1:%d/",
	"127.0.0.1:%d",
	" https://127.0.0.1:%d/",
	"https://127.0.0.1:%d/ ",
	"https://127.0.0.1\r\n:%d/",
	"https://127.0.0.1:%d\thost/",
	"HTTP://127.0.0.1:%d/",
	"HtTpS://127.0.0.1:%d/",
	"ftp://127.0.0.1:%d/",
	"gopher://127.0.0.1:%d/_GET",
	"dict://127.0.0.1:%d/info",
	"telnet://127.0.0.1:%d/",
	"ldap://127.0.0.1:%d/",
	"tftp://127.0.0.1:%d/x",
	"mqtt://127.0.0.1:%d/x",
	"rtsp://127.0.0.1:%d/",
	"smb://127.0.0.1:%d/x",
	"ws://127.0.0.1:%d/",
	"file://127.0.0.1:%d/etc/passwd",
	"file:///etc/passwd?%d",
	"smtp://127.0.0.1:%d/",
	"imap://127.0.0.1:%d/",
	"jar:https://127.0.0.1:%d/",
	"url:https://127.0.0.1:%d/",
	"",
};

Test(transfer, reaches_no_private_address_whatever_the_url_looks_like)
{
	struct loop *loop = loop_new();
	struct transfers *transfers = transfers_new(loop);
	struct peer canary;

	cr_assert_geq(COUNT_OF(ssrf_forms), 80);
	peer_start(&canary, loop, PEER_ANSWERS, peer_ok);
	for (size_t i = 0; i < COUNT_OF(ssrf_forms); i++) {
		char url[256];
		struct transfer_options options = { .url = url,
						    .timeout_ms = 3000,
						    .mail_from = "a@b.cn" };
		struct seen seen;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(url, sizeof(url), ssrf_forms[i], canary.port);
#pragma GCC diagnostic pop
		seen = run(loop, transfers, &options, NULL);
		cr_expect(seen.failed, "%s got through", url);
		cr_expect_eq(seen.progress, TRANSFER_NOT_CONNECTED, "%s connected", url);
		cr_expect_eq(canary.accepted, 0, "%s reached the canary", url);
		canary.accepted = 0;
	}
	peer_stop(&canary);
	transfers_free(&transfers);
	loop_turn(loop, false);
	loop_free(&loop);
}

Test(transfer, does_not_lend_a_kept_connection_to_a_stricter_caller)
{
	struct loop *loop = loop_new();
	struct transfers *transfers = transfers_new(loop);
	struct transfer_session *session = transfer_session_new(transfers);
	struct imap_peer peer;
	char url[64];
	struct transfer_options options = {
		.url = url, .method = "NOOP", .user = "u", .password = "p", .allow_private = true
	};
	struct seen seen;

	imap_start(&peer, loop);
	snprintf(url, sizeof(url), "imap://127.0.0.1:%d/", peer.port);
	seen = run(loop, transfers, &options, session);
	cr_assert(!seen.failed, "%s", seen.error);
	seen = run(loop, transfers, &options, session);
	cr_assert(!seen.failed && !seen.new_connection, "it is kept");
	options.allow_private = false;
	seen = run(loop, transfers, &options, session);
	cr_assert(seen.failed);
	cr_assert(strstr(seen.error, "private"), "%s", seen.error);
	cr_assert_eq(peer.accepted, 1);
	transfer_session_free(&session);
	imap_stop(&peer);
	transfers_free(&transfers);
	loop_turn(loop, false);
	loop_free(&loop);
}

struct mode_row {
	const char *name;
	enum peer_mode mode;
	const char *reply;
	bool failed;
	enum transfer_progress progress;
	long status;
	int64_t retry_after_ms;
};

static const struct mode_row mode_rows[] = {
	{ "answers", PEER_ANSWERS, peer_ok, false, TRANSFER_ANSWERED, 200, -1 },
	{ "busy", PEER_ANSWERS, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
	  false, TRANSFER_ANSWERED, 503, 7000 },
	{ "redirects", PEER_ANSWERS,
	  "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", false,
	  TRANSFER_ANSWERED, 302, -1 },
	{ "hangs", PEER_HANGS, "", true, TRANSFER_SENT, 0, -1 },
	{ "drops", PEER_DROPS, peer_ok, true, TRANSFER_ANSWERED, 200, -1 },
	{ "floods", PEER_FLOODS, "", true, TRANSFER_ANSWERED, 200, -1 },
};

Test(transfer, knows_how_far_it_got_with_every_kind_of_peer)
{
	struct loop *loop = loop_new();
	struct transfers *transfers = transfers_new(loop);

	for (size_t i = 0; i < COUNT_OF(mode_rows); i++) {
		const struct mode_row *row = &mode_rows[i];
		struct peer peer;
		char url[64];
		struct transfer_field field = { "content-type", "application/json" };
		struct transfer_options options = {
			.url = url,
			.method = "POST",
			.fields = &field,
			.field_count = 1,
			.body = "{\"a\":1}",
			.body_len = 7,
			.allow_private = true,
			.timeout_ms = row->mode == PEER_HANGS ? 300 : 5000,
			.answer_max = 65536,
		};
		struct seen seen;

		peer_start(&peer, loop, row->mode, row->reply);
		snprintf(url, sizeof(url), "http://127.0.0.1:%d/", peer.port);
		seen = run(loop, transfers, &options, NULL);
		cr_expect_eq(seen.calls, 1, "%s", row->name);
		cr_expect_eq(seen.failed, row->failed, "%s: %s", row->name, seen.error);
		cr_expect_eq(seen.progress, row->progress, "%s: %d", row->name, seen.progress);
		cr_expect_eq(seen.status, row->status, "%s: %ld", row->name, seen.status);
		cr_expect_eq(seen.retry_after_ms, row->retry_after_ms, "%s", row->name);
		cr_expect_leq(seen.body_len, 65536, "%s", row->name);
		peer_stop(&peer);
	}
	transfers_free(&transfers);
	loop_turn(loop, false);
	loop_free(&loop);
}

/* curl repeats by itself what it sent over a kept connection that then closes without a word: a
 * peer that took the request would have it twice. */
Test(transfer, repeats_nothing_that_has_an_effect)
{
	static const struct {
		const char *method;
		const char *body;
		bool has_effect;
		int requests; /* that the peer took, the first, good one included */
	} rows[] = {
		{ "POST", "{}", false, 2 }, { "POST", "", false, 2 }, { "PUT", "", false, 2 },
		{ "DELETE", "", false, 2 }, { "GET", "", true, 2 },   { "GET", "", false, 3 }
	};
	struct loop *loop = loop_new();

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct transfers *transfers = transfers_new(loop);
		struct peer peer;
		char url[64];
		struct transfer_options options = { .url = url,
						    .method = "GET",
						    .allow_private = true,
						    .timeout_ms = 5000,
						    .answer_max = 65536 };

		peer_start(&peer, loop, PEER_ANSWERS, peer_ok);
		snprintf(url, sizeof(url), "http://127.0.0.1:%d/", peer.port);
		cr_assert(!run(loop, transfers, &options, NULL).failed);
		peer.mode = PEER_LEAVES;
		options.method = rows[i].method;
		options.body = rows[i].body;
		options.body_len = strlen(rows[i].body);
		options.has_effect = rows[i].has_effect;
		cr_expect(run(loop, transfers, &options, NULL).failed, "%zu", i);
		cr_expect_eq(peer.requests, rows[i].requests, "%zu: %d", i, peer.requests);
		peer_stop(&peer);
		transfers_free(&transfers);
		loop_turn(loop, false);
	}
	loop_free(&loop);
}

Test(transfer, is_not_connected_where_nobody_listens)
{
	struct loop *loop = loop_new();
	struct transfers *transfers = transfers_new(loop);
	struct peer peer;
	char url[64];
	struct transfer_options options = {
		.url = url, .method = "POST", .body = "x", .body_len = 1, .allow_private = true
	};
	struct seen seen;

	peer_start(&peer, loop, PEER_ANSWERS, peer_ok);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", peer.port);
	peer_stop(&peer);
	seen = run(loop, transfers, &options, NULL);
	cr_assert(seen.failed);
	cr_assert_eq(seen.progress, TRANSFER_NOT_CONNECTED);
	transfers_free(&transfers);
	loop_turn(loop, false);
	loop_free(&loop);
}

Test(transfer, ends_what_runs_when_it_is_freed_and_nothing_once_cancelled)
{
	struct loop *loop = loop_new();
	struct transfers *transfers = transfers_new(loop);
	struct peer peer;
	char url[64];
	struct transfer_options options = { .url = url, .allow_private = true };
	struct transfer_options bad = { .url = "file:///etc/passwd" };
	struct seen ended = { 0 }, cancelled = { 0 }, unstarted = { 0 }, dropped = { 0 };
	struct transfer *transfer;

	peer_start(&peer, loop, PEER_HANGS, "");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", peer.port);
	transfer_start(transfers, &options, NULL, on_done, &ended);
	transfer = transfer_start(transfers, &options, NULL, on_done, &cancelled);
	for (int i = 0; i < 20; i++)
		loop_turn(loop, false);
	transfer_cancel(&transfer);
	cr_assert_null(transfer);
	transfer = transfer_start(transfers, &bad, NULL, on_done, &dropped);
	transfer_cancel(&transfer);
	transfer_start(transfers, &bad, NULL, on_done, &unstarted);
	transfers_free(&transfers);
	loop_turn(loop, false);
	loop_turn(loop, false);
	cr_assert_eq(ended.calls, 1);
	cr_assert(ended.failed);
	cr_assert_eq(unstarted.calls, 1);
	cr_assert_eq(cancelled.calls, 0);
	cr_assert_eq(dropped.calls, 0);
	peer_stop(&peer);
	loop_free(&loop);
}

Test(transfer, refuses_control_characters_in_anything_it_writes)
{
	struct loop *loop = loop_new();
	struct transfers *transfers = transfers_new(loop);
	struct transfer_field bad_field = { "x-a", "1\r\nx-b: 2" };
	const char *bad_to[] = { "a@b.cn>\r\nDATA" };
	const struct transfer_options rows[] = {
		{ .url = "http://127.0.0.1:1/",
		  .allow_private = true,
		  .fields = &bad_field,
		  .field_count = 1 },
		{ .url = "http://127.0.0.1:1/", .allow_private = true, .method = "GET / HTTP/1.1" },
		{ .url = "imap://127.0.0.1:1/", .allow_private = true, .method = "NOOP\r\nX" },
		{ .url = "imap://127.0.0.1:1/", .allow_private = true, .user = "a\r\nb" },
		{ .url = "smtp://127.0.0.1:1/", .allow_private = true, .mail_from = "a\n" },
		{ .url = "smtp://127.0.0.1:1/",
		  .allow_private = true,
		  .mail_from = "a@b.cn",
		  .mail_to = bad_to,
		  .mail_to_count = 1 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct seen seen = run(loop, transfers, &rows[i], NULL);

		cr_expect(seen.failed && !strstr(seen.error, "connect"), "row %zu: %s", i,
			  seen.error);
	}
	transfers_free(&transfers);
	loop_turn(loop, false);
	loop_free(&loop);
}

Test(transfer_header, reads_retry_after_in_both_forms)
{
	cr_expect_eq(transfer_retry_after("0", 1000), 0);
	cr_expect_eq(transfer_retry_after("120", 1000), 120000);
	cr_expect_eq(transfer_retry_after("999999999", 1000), 86400000);
	cr_expect_eq(transfer_retry_after("Fri, 02 Jan 2026 03:00:00 GMT", 1767322770), 30000);
	cr_expect_eq(transfer_retry_after("Fri, 02 Jan 2026 03:00:00 GMT", 1767323800), 0);
	cr_expect_eq(transfer_retry_after("-5", 1000), -1);
	cr_expect_eq(transfer_retry_after("soon", 1000), -1);
	cr_expect_eq(transfer_retry_after("", 1000), -1);
	cr_expect_eq(transfer_retry_after("5.5", 1000), -1);
}

Test(transfer_header, finds_fields_of_the_last_answer_only)
{
	static const char lines[] = "HTTP/1.1 100 Continue\r\nX-A: early\r\n\r\n"
				    "HTTP/1.1 200 OK\r\nX-B:  two words \r\nx-c:\r\n\r\n";
	char out[16];

	cr_expect(!transfer_header_find(lines, sizeof(lines) - 1, "x-a", out, sizeof(out)));
	cr_expect(transfer_header_find(lines, sizeof(lines) - 1, "x-b", out, sizeof(out)));
	cr_expect_str_eq(out, "two words");
	cr_expect(transfer_header_find(lines, sizeof(lines) - 1, "X-C", out, sizeof(out)));
	cr_expect_str_eq(out, "");
	cr_expect(!transfer_header_find(lines, sizeof(lines) - 1, "x-b", out, 4));
	cr_expect(!transfer_header_find("", 0, "x-b", out, sizeof(out)));
}

Test(transfer_address, tells_private_from_public)
{
	static const char *const private[] = {
		"0.0.0.0",
		"10.255.255.255",
		"100.64.0.0",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.0.1",
		"172.16.0.0",
		"172.31.255.255",
		"192.168.0.0",
		"198.19.255.255",
		"203.0.113.1",
		"224.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::ffff:10.0.0.1",
		"::ffff:0:10.0.0.1",
		"64:ff9b::a00:1",
		"2002:a00:1::1",
		"fc00::",
		"fdff::1",
		"fe80::1%lo",
		"fec0::1",
		"ff0e::1",
		"2001::1",
		"2001:db8::1",
		"100::1",
		"",
		"example.com",
		"127.1",
		"0x7f000001",
	};
	static const char *const public[] = {
		"1.1.1.1",        "9.255.255.255",   "11.0.0.0",         "100.63.255.255",
		"100.128.0.0",    "126.255.255.255", "128.0.0.0",        "169.253.255.255",
		"172.15.255.255", "172.32.0.0",      "192.167.255.255",  "192.169.0.0",
		"198.17.255.255", "198.20.0.0",      "223.255.255.255",  "2606:4700::1111",
		"2400:3200::1",   "::ffff:8.8.8.8",  "64:ff9b::808:808", "2002:808:808::1",
	};

	for (size_t i = 0; i < COUNT_OF(private); i++)
		cr_expect(transfer_is_private_address(private[i]), "%s", private[i]);
	for (size_t i = 0; i < COUNT_OF(public); i++)
		cr_expect(!transfer_is_private_address(public[i]), "%s", public[i]);
	cr_expect(transfer_is_private_address(NULL));
}
