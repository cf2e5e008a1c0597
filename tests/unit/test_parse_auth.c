#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

/* One mail: its header fields, what the channel says, and what must come out. */
struct hostile {
	const char *what;
	const char *headers; /* From is added behind them */
	const char *from;
	size_t above;
	bool strict;
	const char *by;         /* NULL: only claimed */
	const char *suspicions; /* parted by spaces */
};

#define AR "Authentication-Results: mx.shop.example; "
#define FROM "Ann <ann@cust.example>"

static void check(const struct hostile *row)
{
	static const char *own[] = { "support@shop.example" };
	struct parse_options options = { .authserv_id = "mx.shop.example",
					 .received_above = row->above,
					 .is_strict = row->strict,
					 .own = { own, 1 } };
	struct arena *arena = arena_new(0);
	char *raw = arena_format(arena, "%sFrom: %s\r\n\r\nx", row->headers, row->from);
	struct mail_addresses from = { 0 };
	struct fields fields = { 0 };
	struct mail_auth auth;
	struct buf why = { 0 };
	struct error err;

	cr_assert_eq(fields_scan(raw, strlen(raw), arena, &fields, &err), 0);
	addresses_read(arena, fields_get(&fields, "From"), 10, &from);
	auth_read(&fields, &options, &from, arena, &auth);
	for (size_t i = 0; i < auth.suspicion_count; i++)
		buf_format(&why, "%s%s", i ? " " : "", auth.suspicions[i]);
	cr_expect(text_equal(auth.proved_by, row->by), "%s: by %s", row->what,
		  auth.proved_by ? auth.proved_by : "nobody");
	cr_expect_str_eq(buf_string(&why), row->suspicions, "%s: %s", row->what, buf_string(&why));
	buf_clear(&why);
	arena_free(&arena);
}

static void check_all(const struct hostile *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(&rows[i]);
}

Test(parse_auth, believes_its_own_server)
{
	static const struct hostile rows[] = {
		{ "DMARC", AR "dmarc=pass header.from=cust.example\r\n", FROM, 0, 0, "dmarc", "" },
		{ "DKIM", AR "dkim=pass header.d=cust.example\r\n", FROM, 0, 0, "dkim", "" },
		{ "DKIM of a parent", AR "dkim=pass header.d=cust.example\r\n",
		  "ann@mail.cust.example", 0, 0, "dkim", "" },
		{ "only header.i", AR "dkim=pass header.i=@cust.example\r\n", FROM, 0, 0, "dkim",
		  "" },
		{ "the second signature",
		  AR "dkim=pass header.d=list.example; dkim=pass header.d=cust.example\r\n", FROM,
		  0, 0, "dkim", "" },
		{ "two fields of ours",
		  AR "dkim=pass header.d=cust.example\r\n" AR
		     "spf=pass smtp.mailfrom=x@y.example\r\n",
		  FROM, 0, 0, "dkim", "" },
		{ "comments, versions, case and folds",
		  "authentication-RESULTS: (a) MX.shop.EXAMPLE 1 (b);\r\n\tDKIM/1 = PASS (2048 "
		  "(bit\\)) "
		  "key)\r\n header.D = CUST.example\r\n",
		  FROM, 0, 0, "dkim", "" },
		{ "a domain beyond ASCII", AR "dkim=pass header.d=xn--bcher-kva.example\r\n",
		  "ann@b\xc3\xbc"
		  "cher.example",
		  0, 0, "dkim", "" },
		{ "a hop above", "Received: by us\r\n" AR "dkim=pass header.d=cust.example\r\n",
		  FROM, 1, 0, "dkim", "" },
	};

	check_all(rows, COUNT_OF(rows));
}

Test(parse_auth, takes_no_result_for_more_than_it_says)
{
	static const struct hostile rows[] = {
		{ "none at all", "", FROM, 0, 0, NULL, "" },
		{ "none", AR "none\r\n", FROM, 0, 0, NULL, "" },
		{ "SPF alone", AR "spf=pass smtp.mailfrom=ann@cust.example\r\n", FROM, 0, 0, NULL,
		  "" },
		{ "DKIM of another", AR "dkim=pass header.d=evil.example\r\n", FROM, 0, 0, NULL,
		  "" },
		{ "DKIM of a child", AR "dkim=pass header.d=mail.cust.example\r\n", FROM, 0, 0,
		  NULL, "" },
		{ "DKIM of a look-alike", AR "dkim=pass header.d=st.example\r\n", FROM, 0, 0, NULL,
		  "" },
		{ "DKIM of a whole TLD", AR "dkim=pass header.d=example\r\n", FROM, 0, 0, NULL,
		  "" },
		{ "DKIM that failed", AR "dkim=fail header.d=cust.example\r\n", FROM, 0, 0, NULL,
		  "" },
		{ "DKIM without a domain", AR "dkim=pass\r\n", FROM, 0, 0, NULL, "" },
		{ "DKIM of a parent, strict", AR "dkim=pass header.d=cust.example\r\n",
		  "ann@mail.cust.example", 0, true, NULL, "" },
		{ "DKIM, strict", AR "dkim=pass header.d=cust.example\r\n", FROM, 0, true, "dkim",
		  "" },
		{ "DMARC says no",
		  AR "dkim=pass header.d=cust.example; dmarc=fail header.from=cust.example\r\n",
		  FROM, 0, 0, NULL, "dmarc_failed" },
		{ "DMARC of another", AR "dmarc=pass header.from=evil.example\r\n", FROM, 0, 0,
		  NULL, "" },
		{ "DMARC of a child", AR "dmarc=pass header.from=x.cust.example\r\n", FROM, 0, 0,
		  NULL, "" },
		{ "ARC", AR "arc=pass header.d=cust.example\r\n", FROM, 0, 0, NULL, "" },
	};

	check_all(rows, COUNT_OF(rows));
}

Test(parse_auth, is_not_led_astray_by_what_a_sender_chose)
{
	static const struct hostile rows[] = {
		{ "in a comment",
		  AR "dkim=fail (dkim=pass header.d=cust.example) header.d=x.example\r\n", FROM, 0,
		  0, NULL, "" },
		{ "a quoted local part",
		  AR
		  "spf=pass smtp.mailfrom=\"a; dkim=pass header.d=cust.example\"@evil.example\r\n",
		  FROM, 0, 0, NULL, "" },
		{ "an escaped quote in it",
		  AR "spf=pass smtp.mailfrom=\"a\\\"; dkim=pass header.d=cust.example; "
		     "x=\\\"\"@evil.example\r\n",
		  FROM, 0, 0, NULL, "" },
		{ "a quoted local part in a comment",
		  AR
		  "spf=pass (domain of \"a); dkim=pass header.d=cust.example; b=(\"@evil.example "
		  "is fine) smtp.mailfrom=x@evil.example\r\n",
		  FROM, 0, 0, NULL, "" },
		{ "an escaped parenthesis",
		  AR "spf=pass (a \\); dkim=pass header.d=cust.example)\r\n", FROM, 0, 0, NULL,
		  "" },
		{ "a domain twice", AR "dkim=pass header.d=evil.example header.d=cust.example\r\n",
		  FROM, 0, 0, NULL, "" },
		{ "a domain with an address in it",
		  AR "dkim=pass header.d=evil.example@cust.example\r\n", FROM, 0, 0, NULL, "" },
		{ "a foreign property",
		  AR "dkim=pass header.d=evil.example header.from=cust.example\r\n", FROM, 0, 0,
		  NULL, "" },
		{ "an identity elsewhere",
		  AR "dkim=pass header.d=evil.example header.i=@cust.example\r\n", FROM, 0, 0, NULL,
		  "" },
		{ "a value with '='", AR "dkim=pass header.i=x=header.d=cust.example\r\n", FROM, 0,
		  0, NULL, "" },
		{ "a reason", AR "dkim=fail reason=\"dkim=pass; header.d=cust.example\"\r\n", FROM,
		  0, 0, NULL, "" },
		{ "a comment without an end", AR "(dkim=pass header.d=cust.example\r\n", FROM, 0, 0,
		  NULL, "" },
	};

	check_all(rows, COUNT_OF(rows));
}

Test(parse_auth, knows_results_that_somebody_else_wrote)
{
	static const struct hostile rows[] = {
		{ "another server",
		  "Authentication-Results: mx.evil.example; dmarc=pass "
		  "header.from=cust.example\r\n",
		  FROM, 0, 0, NULL, "" },
		{ "a longer name",
		  "Authentication-Results: mx.shop.example.evil; dmarc=pass "
		  "header.from=cust.example\r\n",
		  FROM, 0, 0, NULL, "" },
		{ "below Received", "Received: by us\r\n" AR "dkim=pass header.d=cust.example\r\n",
		  FROM, 0, 0, NULL, "forged_results" },
		{ "below Received, and ours says the same",
		  AR "dkim=pass header.d=cust.example\r\n"
		     "Received: by us\r\n" AR "dkim=pass header.d=cust.example\r\n",
		  FROM, 0, 0, "dkim", "" },
		{ "the sender's, right behind ours",
		  "Received: by us\r\n" AR "dkim=none\r\n" AR "dkim=pass header.d=cust.example\r\n",
		  FROM, 1, 0, NULL, "forged_results" },
		{ "the sender's, further down",
		  "Received: by us\r\n" AR "dkim=none\r\nReceived: x\r\n" AR
		  "dmarc=pass header.from=cust.example\r\n",
		  FROM, 1, 0, NULL, "forged_results" },
		{ "a forged failure changes nothing",
		  AR "dkim=pass header.d=cust.example\r\nReceived: by us\r\n" AR
		     "dmarc=fail header.from=cust.example\r\n",
		  FROM, 0, 0, "dkim", "" },
	};

	check_all(rows, COUNT_OF(rows));
}

Test(parse_auth, says_what_is_odd_about_From)
{
	static const struct hostile rows[] = {
		{ "two authors", AR "dmarc=pass header.from=cust.example\r\n",
		  "ann@cust.example, boss@bank.example", 0, 0, NULL, "several_authors" },
		{ "two fields",
		  AR "dmarc=pass header.from=cust.example\r\nFrom: ann@cust.example\r\n",
		  "boss@cust.example", 0, 0, NULL, "several_authors" },
		{ "an address as a name", AR "dkim=pass header.d=evil.example\r\n",
		  "\"boss@bank.example\" <x@evil.example>", 0, 0, "dkim", "address_in_name" },
		{ "its own address as a name", AR "dkim=pass header.d=cust.example\r\n",
		  "\"ann@cust.example\" <ann@cust.example>", 0, 0, "dkim", "" },
		{ "a handle as a name", AR "dkim=pass header.d=cust.example\r\n",
		  "\"Ann @ Shop\" <ann@cust.example>", 0, 0, "dkim", "" },
		{ "our own address", AR "dkim=none\r\n", "support@shop.example", 0, 0, NULL,
		  "our_address" },
		{ "our own address, signed", AR "dkim=pass header.d=shop.example\r\n",
		  "support@shop.example", 0, 0, "dkim", "" },
		{ "no author", AR "dmarc=pass header.from=cust.example\r\n", "", 0, 0, NULL, "" },
	};

	check_all(rows, COUNT_OF(rows));
}

Test(parse_auth, judges_nothing_without_a_name_of_our_server)
{
	struct parse_options options = { 0 };
	struct arena *arena = arena_new(0);
	static const char raw[] =
		AR "dmarc=pass header.from=cust.example\r\nFrom: a@cust.example\r\n\r\n";
	struct mail_addresses from = { 0 };
	struct fields fields = { 0 };
	struct mail_auth auth;
	struct error err;

	cr_assert_eq(fields_scan(raw, strlen(raw), arena, &fields, &err), 0);
	addresses_read(arena, fields_get(&fields, "From"), 10, &from);
	auth_read(&fields, &options, &from, arena, &auth);
	cr_expect_null(auth.proved_by);
	cr_expect_null(auth.dmarc);
	options.authserv_id = "";
	auth_read(&fields, &options, &from, arena, &auth);
	cr_expect_null(auth.proved_by);
	arena_free(&arena);
}
