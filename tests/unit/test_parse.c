#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "services/loop.h"
#include "services/worker.h"
#include "workers/parse.h"
#include "workers/worker.h"

static void setup(void)
{
	struct error err;

	cr_assert_eq(mail_open(&err), 0, "%s", err.text);
}

TestSuite(parse, .init = setup, .fini = mail_close);
TestSuite(parse_limits, .init = setup, .fini = mail_close);

static struct buf read_file(const char *path)
{
	struct buf bytes = { 0 };
	FILE *file = fopen(path, "rb");
	char piece[4096];
	size_t n;

	cr_assert_not_null(file, "%s", path);
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_add(&bytes, piece, n);
	fclose(file);
	return bytes;
}

static void differ(const char *name, const char *path, struct json_object *expect,
		   struct json_object *got)
{
	struct buf a = { 0 };
	struct buf b = { 0 };

	json_append(expect, &a);
	json_append(got, &b);
	cr_assert_str_eq(buf_string(&a), buf_string(&b), "%s: %s", name, path);
	buf_clear(&a);
	buf_clear(&b);
}

struct place {
	const char *name;
	const char *path;
	struct json_object *got;
};

static void compare(const struct place *place, struct json_object *expect);

static void compare_field(const char *key, struct json_object *expect, void *context)
{
	const struct place *outer = context;
	struct json_object *got = json_at(outer->got, key);
	struct place inner = { outer->name, key, got };

	if (strcmp(key, "text_new") == 0 && json_kind(got) == JSON_NULL) {
		const char *text = json_text(outer->got, "text");
		const char *want = json_string(expect);

		cr_assert(strncmp(text, want, strlen(want)) == 0 &&
				  strspn(text + strlen(want), " \n") == strlen(text + strlen(want)),
			  "%s: %s", outer->name, text);
		return;
	}
	if (key[0] != '_')
		compare(&inner, expect);
}

/* Fields that the expectation does not name may have any value. */
static void compare(const struct place *place, struct json_object *expect)
{
	struct place copy = *place;

	if (json_kind(expect) == JSON_OBJECT && json_kind(place->got) == JSON_OBJECT) {
		json_each_field(expect, compare_field, &copy);
	} else if (json_kind(expect) == JSON_ARRAY && json_kind(place->got) == JSON_ARRAY) {
		cr_assert_eq(json_count(expect), json_count(place->got), "%s: %s has %zu items",
			     place->name, place->path, json_count(place->got));
		for (size_t i = 0; i < json_count(expect); i++) {
			copy.got = json_item(place->got, i);
			compare(&copy, json_item(expect, i));
		}
	} else {
		differ(place->name, place->path, expect, place->got);
	}
}

static void make_job(struct json_object *expect, const struct buf *mail, struct buf *ret)
{
	struct buf options = { 0 };
	uint32_t len;

	if (json_has(expect, "_options"))
		json_append(json_at(expect, "_options"), &options);
	len = (uint32_t)options.len;
	buf_byte(ret, 'm');
	buf_add(ret, &len, sizeof(len));
	buf_add(ret, options.data, options.len);
	buf_add(ret, mail->data, mail->len);
	buf_clear(&options);
}

/* The document at the front of an answer, and the sum of the attachments behind it. */
static void judge(const char *name, struct json_object *expect, const char *answer, size_t len)
{
	struct json_object *document;
	struct place place = { name, "", NULL };
	struct error err;
	uint32_t head[2];
	size_t sum = 0;
	size_t json_at_byte;

	cr_assert_geq(len, sizeof(head));
	memcpy(head, answer, sizeof(head));
	json_at_byte = sizeof(head) + head[1] * sizeof(uint32_t);
	document = json_read(answer + json_at_byte, head[0], &err);
	cr_assert_not_null(document, "%s: %s", name, err.text);
	place.got = document;
	compare(&place, expect);
	cr_assert_eq(json_count(json_at(document, "attachments")), head[1], "%s", name);
	for (size_t i = 0; i < head[1]; i++)
		sum += (size_t)json_int(json_item(json_at(document, "attachments"), i), "size", -1);
	cr_assert_eq(len, json_at_byte + head[0] + 1 + sum, "%s", name);
	cr_assert_eq(strlen(json_text(document, "content_hash")), 64);
	json_free(&document);
}

typedef void case_fn(const char *name, struct json_object *expect, const struct buf *job);

static void each_case(case_fn *fn, size_t at_least)
{
	glob_t found;

	cr_assert_eq(glob(TEST_DATA "/mail/*.eml", 0, NULL, &found), 0);
	cr_assert_geq(found.gl_pathc, at_least);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char path[500];
		struct buf mail = read_file(found.gl_pathv[i]);
		struct buf text;
		struct buf job = { 0 };
		struct json_object *expect;
		struct error err;

		snprintf(path, sizeof(path), "%.*s.expect", (int)strlen(found.gl_pathv[i]) - 4,
			 found.gl_pathv[i]);
		text = read_file(path);
		expect = json_read(text.data, text.len, &err);
		cr_assert_not_null(expect, "%s: %s", path, err.text);
		make_job(expect, &mail, &job);
		fn(strrchr(path, '/') + 1, expect, &job);
		json_free(&expect);
		buf_clear(&mail);
		buf_clear(&text);
		buf_clear(&job);
	}
	globfree(&found);
}

static void judge_here(const char *name, struct json_object *expect, const struct buf *job)
{
	struct buf answer = { 0 };
	struct error err = { 0 };
	int rc = parse_handle(job->data, job->len, &answer, &err);
	const char *error = json_text(expect, "_error");

	if (error != NULL)
		cr_assert(rc < 0 && strstr(err.text, error) != NULL, "%s: %s", name, err.text);
	else
		cr_assert_eq(rc, 0, "%s: %s", name, err.text);
	if (error == NULL)
		judge(name, expect, answer.data, answer.len);
	buf_clear(&answer);
}

Test(parse, reads_every_golden_mail)
{
	each_case(judge_here, 25);
}

/* ---- the same inside the sandboxed process ---- */

static struct loop *loop;
static struct worker_pool *pool;

struct run {
	const char *name;
	struct json_object *expect;
	bool ended;
};

static void on_parsed(const void *answer, size_t len, const struct error *err, void *context)
{
	struct run *run = context;
	const char *error = json_text(run->expect, "_error");

	run->ended = true;
	if (error != NULL) {
		cr_assert_not_null(err);
		cr_assert_not_null(strstr(err->text, error));
		return;
	}
	cr_assert_null(err, "%s: %s", run->name, err == NULL ? "" : err->text);
	judge(run->name, run->expect, answer, len);
}

static void judge_there(const char *name, struct json_object *expect, const struct buf *job)
{
	struct run run = { name, expect, false };
	struct error err;

	cr_assert_eq(worker_submit(pool, 0, job->data, job->len, on_parsed, &run, &err), 0);
	while (!run.ended)
		loop_turn(loop, true);
}

static void start_pool(void)
{
	loop = loop_new();
	pool = worker_pool_new(loop,
			       &(struct worker_options){ .name = "parse",
							 .queue_max = 100,
							 .deadline_ms = 60000,
							 .executable = BUILD_DIR "/converged" });
}

static void stop_pool(void)
{
	cr_assert_eq(worker_stats(pool).restarts, 0);
	worker_pool_free(&pool);
	loop_free(&loop);
}

TestSuite(parse_worker, .init = start_pool, .fini = stop_pool);

Test(parse_worker, reads_every_golden_mail_inside_the_sandbox)
{
	each_case(judge_there, 25);
}

struct got {
	bool ended;
	struct buf answer;
	struct error err;
};

static void on_got(const void *answer, size_t len, const struct error *err, void *context)
{
	struct got *got = context;

	got->ended = true;
	if (err != NULL)
		got->err = *err;
	else
		buf_add(&got->answer, answer, len);
}

static struct buf answer_of(const char *job, size_t len, struct error *err)
{
	struct got got = { 0 };

	cr_assert_eq(worker_submit(pool, 0, job, len, on_got, &got, err), 0);
	while (!got.ended)
		loop_turn(loop, true);
	*err = got.err;
	return got.answer;
}

static void nest(struct buf *mail, int levels, bool ends)
{
	buf_text(mail, "m");
	buf_add(mail, "\0\0\0\0", 4);
	buf_text(mail, "From: a@b.example\nContent-Type: multipart/mixed; boundary=b0\n\n");
	for (int i = 1; i < levels; i++)
		buf_format(mail, "--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i - 1,
			   i);
	buf_format(mail, "--b%d\n\nwords\n", levels - 1);
	for (int i = levels - 1; ends && i >= 0; i--)
		buf_format(mail, "--b%d--\n", i);
}

Test(parse_worker, survives_200000_nested_levels)
{
	struct buf mail = { 0 };
	struct error err = { 0 };
	struct buf answer;

	nest(&mail, 200000, false);
	answer = answer_of(mail.data, mail.len, &err);
	cr_assert_not_null(strstr(err.text, "nested"), "%s", err.text);
	buf_clear(&mail);
	buf_clear(&answer);
}

Test(parse_worker, turns_html_to_text)
{
	static const char job[] = "h<p>退款 &amp; <b>refund</b></p>";
	struct error err = { 0 };
	struct buf answer = answer_of(job, strlen(job), &err);

	cr_assert_str_eq(buf_string(&answer), "退款 & refund");
	buf_clear(&answer);
}

Test(parse_worker, survives_deep_html)
{
	struct buf job = { 0 };
	struct error err = { 0 };
	struct buf answer;

	buf_byte(&job, 'h');
	for (int i = 0; i < 300000; i++)
		buf_text(&job, i % 2 == 0 ? "<div>" : "<b>");
	buf_text(&job, "words");
	answer = answer_of(job.data, job.len, &err);
	cr_assert_eq(err.kind, ERROR_NONE, "%s", err.text);
	cr_assert_str_eq(buf_string(&answer), "words");
	buf_clear(&job);
	buf_clear(&answer);
}

/* ---- limits ---- */

static int run(const struct buf *job, struct error *err)
{
	struct buf answer = { 0 };
	int rc = parse_handle(job->data, job->len, &answer, err);

	buf_clear(&answer);
	return rc;
}

Test(parse_limits, depth)
{
	for (int depth = LIMIT_MIME_DEPTH - 1; depth <= LIMIT_MIME_DEPTH + 1; depth++) {
		struct buf mail = { 0 };
		struct error err = { 0 };

		nest(&mail, depth, true);
		cr_assert_eq(run(&mail, &err), depth > LIMIT_MIME_DEPTH ? -1 : 0, "%d", depth);
		buf_clear(&mail);
	}
}

static void job_start(struct buf *job)
{
	buf_byte(job, 'm');
	buf_add(job, "\0\0\0\0", 4);
	buf_text(job, "From: a@b.example\n");
}

static int run_parts(int parts)
{
	struct buf mail = { 0 };
	struct error err = { 0 };
	int rc;

	job_start(&mail);
	buf_text(&mail, "Content-Type: multipart/mixed; boundary=b\n\n");
	for (int i = 1; i < parts; i++) /* the multipart itself is one */
		buf_text(&mail, "--b\nContent-Type: application/x\n\nx\n");
	buf_text(&mail, "--b--\n");
	rc = run(&mail, &err);
	buf_clear(&mail);
	return rc;
}

Test(parse_limits, parts)
{
	cr_assert_eq(run_parts(LIMIT_MIME_PARTS - 1), 0);
	cr_assert_eq(run_parts(LIMIT_MIME_PARTS), 0);
	cr_assert_eq(run_parts(LIMIT_MIME_PARTS + 1), -1);
	cr_assert_eq(run_parts(10001), -1);
}

static int run_header(size_t each, size_t total)
{
	struct buf mail = { 0 };
	struct error err = { 0 };
	int rc;

	job_start(&mail);
	total -= strlen("From: a@b.example\n");
	while (total > 0) {
		size_t len = total < each ? total : each;

		buf_text(&mail, "X: ");
		for (size_t i = 4; i < len; i++)
			buf_byte(&mail, 'x');
		buf_byte(&mail, '\n');
		total -= len;
	}
	buf_text(&mail, "\nwords\n");
	rc = run(&mail, &err);
	buf_clear(&mail);
	return rc;
}

Test(parse_limits, header_bytes)
{
	size_t from = strlen("From: a@b.example\n");

	cr_assert_eq(run_header(LIMIT_MAIL_HEADER_LINE - 1, from + LIMIT_MAIL_HEADER_LINE - 1), 0);
	cr_assert_eq(run_header(LIMIT_MAIL_HEADER_LINE, from + LIMIT_MAIL_HEADER_LINE), 0);
	cr_assert_eq(run_header(LIMIT_MAIL_HEADER_LINE + 1, from + LIMIT_MAIL_HEADER_LINE + 1), -1);
	cr_assert_eq(run_header(1000, LIMIT_MAIL_HEADER_BYTES - 1), 0);
	cr_assert_eq(run_header(1000, LIMIT_MAIL_HEADER_BYTES), 0);
	cr_assert_eq(run_header(1000, LIMIT_MAIL_HEADER_BYTES + 1), -1);
}

Test(parse_limits, boundaries_without_end)
{
	struct buf mail = { 0 };
	struct error err = { 0 };

	job_start(&mail);
	buf_text(&mail, "Content-Type: multipart/mixed; boundary=b\n\n");
	for (int i = 0; i < 6000000; i++)
		buf_text(&mail, "--b\n");
	cr_assert_eq(run(&mail, &err), -1);
	buf_clear(&mail);
}

static int run_size(size_t size)
{
	struct buf mail = { 0 };
	struct error err = { 0 };
	int rc;

	job_start(&mail);
	buf_text(&mail, "Content-Type: application/x\n\n");
	buf_reserve(&mail, size);
	while (mail.len < size + 5) /* the kind and the options' length are not mail */
		buf_byte(&mail, 'x');
	rc = run(&mail, &err);
	buf_clear(&mail);
	return rc;
}

Test(parse_limits, mail_bytes)
{
	cr_assert_eq(run_size(LIMIT_MAIL_BYTES - 1), 0);
	cr_assert_eq(run_size(LIMIT_MAIL_BYTES), 0);
	cr_assert_eq(run_size(LIMIT_MAIL_BYTES + 1), -1);
}

Test(parse_limits, received)
{
	for (int count = PARSE_RECEIVED_MAX; count <= PARSE_RECEIVED_MAX + 1; count++) {
		struct buf mail = { 0 };
		struct error err = { 0 };

		job_start(&mail);
		for (int i = 0; i < count; i++)
			buf_text(&mail, "Received: from x by y\n");
		buf_text(&mail, "\nx\n");
		cr_assert_eq(run(&mail, &err), count > PARSE_RECEIVED_MAX ? -1 : 0);
		buf_clear(&mail);
	}
}

Test(parse_limits, addresses_and_text_are_cut)
{
	struct buf value = { 0 };
	struct arena *arena = arena_new(0);
	struct mail_addresses list = { 0 };
	struct mail_texts ids = { 0 };

	for (int i = 0; i <= LIMIT_MAIL_ADDRESSES; i++)
		buf_format(&value, "a%d@b.example, <i%d@b>", i, i);
	addresses_read(arena, value.data, LIMIT_MAIL_ADDRESSES, &list);
	cr_assert_eq(list.count, LIMIT_MAIL_ADDRESSES);
	message_ids_read(arena, value.data, &ids);
	cr_assert_eq(ids.count, PARSE_REFERENCES_MAX);
	cr_assert_str_eq(ids.items[0], "<i0@b>");
	cr_assert_str_eq(ids.items[PARSE_REFERENCES_MAX - 1], "<i1000@b>");
	buf_clear(&value);
	arena_free(&arena);
}

/* ---- known answers ---- */

Test(parse, tells_automatic_mail_by_its_headers)
{
	static const struct {
		const char *field;
		bool automatic;
	} cases[] = {
		{ "Auto-Submitted: auto-replied", true },
		{ "Auto-Submitted: no", false },
		{ "Return-Path: <>", true },
		{ "Return-Path: <a@b.example>", false },
		{ "Precedence: bulk", true },
		{ "Precedence: first-class", false },
		{ "List-Id: <x.example.com>", true },
		{ "Auto-Submitted: auto-generated; owner-email=\"a@b\"", true },
		{ "X-Auto-Response-Suppress: None", false },
		{ "X-Auto-Response-Suppress: DR, OOF", true },
		{ "X-Autoreply: yes", true },
		{ "Content-Type: multipart/report; boundary=x", true },
		{ "X-None: x", false },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new(0);
		struct parse_options options = { 0 };
		struct fields fields;
		char raw[200];

		snprintf(raw, sizeof(raw), "%s\n\n", cases[i].field);
		cr_assert_eq(fields_scan(raw, strlen(raw), arena, &fields, NULL), 0);
		cr_assert_eq(automatic_reason(&fields, &options, "meng@cust.example", arena) !=
				     NULL,
			     cases[i].automatic, "%s", cases[i].field);
		arena_free(&arena);
	}
}

Test(parse, tells_automatic_mail_by_its_sender)
{
	static const struct {
		const char *from;
		bool automatic;
	} cases[] = {
		{ "MAILER-DAEMON@x.example", true },  { "postmaster@x.example", true },
		{ "no-reply@x.example", true },       { "NoReply@x.example", true },
		{ "bounce-17@x.example", true },      { "noreplying@x.example", false },
		{ "meng@bounce.example", false },     { "support@shop.example", true },
		{ "support+c17@shop.example", true }, { "bo@x.example", false },
	};
	static const char *own[] = { "support@shop.example" };

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new(0);
		struct parse_options options = { .own = { own, 1 } };
		struct fields fields;
		const char *raw = "To: Support@Shop.example\n\n";

		cr_assert_eq(fields_scan(raw, strlen(raw), arena, &fields, NULL), 0);
		cr_assert_eq(automatic_reason(&fields, &options, cases[i].from, arena) != NULL,
			     cases[i].automatic, "%s", cases[i].from);
		arena_free(&arena);
	}
}

Test(parse, believes_the_envelope_before_the_return_path)
{
	struct arena *arena = arena_new(0);
	struct parse_options options = { .envelope_from = "meng@cust.example" };
	struct fields fields;
	const char *raw = "Return-Path: <>\n\n";

	cr_assert_eq(fields_scan(raw, strlen(raw), arena, &fields, NULL), 0);
	cr_assert_null(automatic_reason(&fields, &options, "meng@cust.example", arena));
	options.envelope_from = "";
	cr_assert_str_eq(automatic_reason(&fields, &options, "meng@cust.example", arena),
			 "null_sender");
	arena_free(&arena);
}

Test(parse, names_the_recipient_that_we_wrote_to)
{
	static const char status[] = "Reporting-MTA: dns; mx.example.net\r\n\r\n"
				     "Final-Recipient: rfc822; inner@mail.example\r\n"
				     "Original-Recipient: rfc822;gone@example.org\r\n"
				     "Action: failed\r\nStatus: 5.1.1\r\n";
	struct arena *arena = arena_new(0);
	struct mail_report report = { 0 };

	report_read_status(arena, status, strlen(status), &report);
	cr_assert_eq(report.recipient_count, 1);
	cr_assert_str_eq(report.recipients[0].address, "gone@example.org");
	cr_assert_str_eq(report.recipients[0].action, "failed");
	cr_assert_str_eq(report.recipients[0].status, "5.1.1");
	arena_free(&arena);
}

Test(parse, hashes_a_mail_alike_whatever_its_line_ends)
{
	static const char *const mails[] = {
		"Message-ID: <a@b>\nFrom: a@b\n\none\ntwo\n",
		"Message-ID: <a@b>\r\nFrom: a@b\r\n\r\none\r\ntwo\r\n\r\n",
		"Message-ID: <a@b>\nFrom: a@b\n\none\nthree\n"
	};
	char hashes[3][65];

	for (int i = 0; i < 3; i++) {
		struct arena *arena = arena_new(0);
		struct parse_options options = { 0 };
		struct mail mail;
		struct error err;

		cr_assert_eq(mail_read(mails[i], strlen(mails[i]), &options, arena, &mail, &err),
			     0);
		memcpy(hashes[i], mail.content_hash, 65);
		arena_free(&arena);
	}
	cr_assert_str_eq(hashes[0], hashes[1]);
	cr_assert_str_neq(hashes[0], hashes[2]);
}
