/* What was deleted is in no byte of a SQLite file any more, and what was not is as it was. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "workers/history_sql.h"

enum { ROWS = 4000, KEPT = 10 };

static char folder[] = "/tmp/converge-scrub-XXXXXX";
static char path[64];
static struct sql sql;

static void open_base(void)
{
	char url[80];
	struct error err;

	snprintf(url, sizeof(url), "sqlite:%s", path);
	cr_assert_eq(sql_open(&sql, &(struct sql_place){ .url = url, .writes = true }, &err), 0,
		     "%s", err.text);
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/base", folder);
	open_base();
}

static void teardown(void)
{
	char left[80];

	sql_close(&sql);
	for (const char *const *end = (const char *const[]){ "", "-wal", "-shm", NULL };
	     *end != NULL; end++) {
		snprintf(left, sizeof(left), "%s%s", path, *end);
		unlink(left);
	}
	rmdir(folder);
}

TestSuite(scrub, .init = setup, .fini = teardown);

static void run(const char *text)
{
	struct error err;

	cr_assert_eq(sql_script(&sql, text, &err), 0, "%s: %s", text, err.text);
}

/* "row <n>!" and so many letters, in an order that is not the keys'. */
static void fill(void)
{
	struct buf row = { 0 };

	run("CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID");
	run("BEGIN");
	for (int i = 0; i < ROWS; i++) {
		int n = (int)((long long)i * 1237 % ROWS);

		buf_reset(&row);
		buf_format(&row, "INSERT INTO t VALUES ('%05d', 'row %d!", n * 7 % ROWS, n);
		for (int j = 0; j < n * 31 % 900; j++)
			buf_byte(&row, 'x');
		buf_text(&row, "')");
		run(buf_string(&row));
	}
	run("COMMIT");
	buf_clear(&row);
}

static int count_of(bool is_kept)
{
	FILE *file = fopen(path, "rb");
	struct buf all = { 0 };
	char bytes[65536];
	size_t got;
	int found = 0;

	cr_assert_not_null(file);
	while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buf_add(&all, bytes, got);
	fclose(file);
	for (int n = 0; n < ROWS; n++) {
		int len = snprintf(bytes, sizeof(bytes), "row %d!", n);

		if ((n % KEPT == 0) == is_kept)
			found += memmem(all.data, all.len, bytes, (size_t)len) != NULL;
	}
	buf_clear(&all);
	return found;
}

static int take_text(const struct sql_value *row, size_t columns, void *context)
{
	(void)columns;
	snprintf(context, 64, "%s", row[0].text);
	return 1;
}

Test(scrub, nothing_of_deleted_rows_is_left)
{
	const struct sql_query check = { .statement = "PRAGMA integrity_check",
					 .on_row = take_text,
					 .context = (char[64]){ "" } };
	struct error err;
	char text[80];

	fill();
	run("BEGIN");
	for (int i = 0; i < ROWS; i++) {
		int n = (int)((long long)i * 2731 % ROWS);

		snprintf(text, sizeof(text), "DELETE FROM t WHERE k = '%05d'", n * 7 % ROWS);
		if (n % KEPT != 0)
			run(text);
	}
	run("COMMIT");
	run("PRAGMA wal_checkpoint(TRUNCATE)");
	cr_expect_gt(count_of(false), 0, "SQLite leaves nothing behind any more");
	cr_assert_eq(sql_scrub(&sql, &err), 0, "%s", err.text);
	cr_expect_eq(count_of(false), 0);
	cr_expect_eq(count_of(true), ROWS / KEPT);
	open_base();
	cr_assert_eq(sql_query(&sql, &check, &err), 0, "%s", err.text);
	cr_expect_str_eq(check.context, "ok");
}
