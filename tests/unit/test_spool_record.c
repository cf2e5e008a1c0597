/* A request that waits on the disk reads as it was written, without the credentials of people. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/memory.h"
#include "receive/spool_record.h"

static struct arena *arena;
static struct buf record;
static struct inbound in;
static struct spool_request request;

static void set_up(void)
{
	static const char head[] = "POST /in/c?from=%2B1&x HTTP/1.1\r\nHost: a\r\nSign: s=1\r\n"
				   "Authorization: Bearer cvg_main_secret\r\nCookie: s=secret\r\n"
				   "Content-Length: 5\r\n\r\n";
	struct inbound wanted = { .method = "POST",
				  .target = "/in/c?from=%2B1&x",
				  .body = "a\0\nb\xff",
				  .body_len = 5,
				  .now_s = 1790000000,
				  .source = "192.0.2.7" };
	struct http_head parsed;
	struct http_refusal refusal;
	size_t used;

	arena = arena_new(0);
	cr_assert_eq(http_parse_head(head, sizeof(head) - 1, &parsed, &used, &refusal),
		     HTTP_PARSE_DONE);
	spool_record_write(&wanted, &parsed, &record);
	cr_assert(spool_record_read(record.data, record.len, arena, &in, &request));
}

static void tear_down(void)
{
	buf_clear(&record);
	arena_free(&arena);
}

TestSuite(spool_record, .init = set_up, .fini = tear_down);

Test(spool_record, reads_as_it_was_written)
{
	cr_expect_str_eq(in.method, "POST");
	cr_expect_str_eq(in.target, "/in/c?from=%2B1&x");
	cr_expect_str_eq(in.source, "192.0.2.7");
	cr_expect_eq(in.now_s, 1790000000);
	cr_assert_eq(in.body_len, 5);
	cr_expect_arr_eq(in.body, "a\0\nb\xff", 5);
}

Test(spool_record, answers_for_its_fields_and_its_query)
{
	const struct request_view *view = in.request;

	cr_expect_str_eq(view->field(view->context, "sign"), "s=1");
	cr_expect_null(view->field(view->context, "signature"));
	cr_expect_str_eq(view->query(view->context, "from"), "+1");
	cr_expect_str_eq(view->query(view->context, "x"), "");
	cr_expect_null(view->query(view->context, "y"));
}

Test(spool_record, keeps_no_credentials)
{
	cr_expect_null(memmem(record.data, record.len, "secret", 6));
}

Test(spool_record, is_refused_at_every_length_that_is_too_short)
{
	size_t head_len = record.len - 5;

	for (size_t len = 0; len < head_len; len++)
		cr_expect_not(spool_record_read(record.data, len, arena, &in, &request), "%zu",
			      len);
}
