#include "workers/history_move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/history.h"
#include "workers/history_facts.h"
#include "workers/history_search.h"

enum {
	PAGE = 200,
	KEY_MAX = 4,
	KEY_BYTES = 100, /* ids, hashes, names of workspaces */
	HISTORY_ID_MAX = 40,
	WORDS_EACH = 200,
};

/* Every table but the words and the facts. Both databases have the same columns in the same order,
 * and a row is known by its first ones. */
static const struct table {
	const char *name;
	const char *key; /* names of the first columns, parted by ", " */
	size_t parts;
	bool counts_up; /* the key is a number that the database gives */
} tables[] = {
	{ "cursor", "workspace", 1, false },
	{ "customer", "number", 1, true },
	{ "identifier", "workspace, key", 2, false },
	{ "conversation", "workspace, id", 2, false },
	{ "episode", "workspace, conversation, created_ms", 3, false },
	{ "message", "number", 1, true },
	{ "work_item", "workspace, id", 2, false },
	{ "event", "workspace, generation, ms, seq", 4, false },
	{ "reference", "workspace, field", 2, false },
	{ "note", "number", 1, true },
	{ "customer_merge", "workspace, id", 2, false },
	{ "suggestion", "workspace, customer, other", 3, false },
	{ "customer_event", "workspace, id", 2, false },
};

/* Where the reading of a table stands: the key of its last row. */
struct place {
	size_t table;
	size_t parts; /* 0: at its start */
	struct part {
		bool is_text;
		int64_t number;
		char text[KEY_BYTES];
	} key[KEY_MAX];
};

typedef int each_row_fn(const struct sql_value *row, size_t columns, void *context,
			struct error *err);

struct page {
	struct place *place;
	each_row_fn *each;
	void *context;
	size_t count;
	struct error *err;
	int rc;
};

static void part_take(const struct sql_value *value, struct part *ret)
{
	*ret = (struct part){ .is_text = value->kind == SQL_TEXT, .number = value->number };
	if (ret->is_text)
		snprintf(ret->text, sizeof(ret->text), "%s", value->text);
}

static int take_row(const struct sql_value *row, size_t columns, void *context)
{
	struct page *page = context;

	page->place->parts = tables[page->place->table].parts;
	for (size_t i = 0; i < page->place->parts; i++)
		part_take(&row[i], &page->place->key[i]);
	page->count++;
	page->rc = page->each(row, columns, page->context, page->err);
	return page->rc;
}

static void write_statement(const struct place *place, struct buf *out)
{
	const struct table *table = &tables[place->table];

	buf_format(out, "SELECT * FROM %s", table->name);
	for (size_t i = 0; i < place->parts; i++) {
		if (i == 0)
			buf_format(out, " WHERE (%s) > (", table->key);
		buf_format(out, "%s$%zu", i == 0 ? "" : ", ", i + 1);
	}
	buf_format(out, "%s ORDER BY %s LIMIT %d", place->parts == 0 ? "" : ")", table->key, PAGE);
}

/* The next rows, in the order of the database that is read; page->place moves on. */
static int page_read(struct sql *sql, struct page *page, struct error *err)
{
	const struct place from = *page->place;
	struct sql_value after[KEY_MAX];
	struct buf statement = { 0 };
	struct sql_query query = {
		.values = after, .count = from.parts, .on_row = take_row, .context = page
	};
	int rc;

	for (size_t i = 0; i < from.parts; i++)
		after[i] = from.key[i].is_text ? sql_text(from.key[i].text)
					       : sql_number(from.key[i].number);
	write_statement(&from, &statement);
	query.statement = buf_string(&statement);
	page->err = err;
	page->rc = 0;
	page->count = 0;
	rc = sql_query(sql, &query, err);
	buf_clear(&statement);
	return rc < 0 ? rc : page->rc;
}

/* ---- where a broken move stood: [table, key...] ---- */

static int place_keep(struct sql *to, const struct place *place, struct error *err)
{
	struct buf text = { 0 };
	struct json_out out;
	int rc;

	jw_start(&out, &text);
	jw_array(&out, NULL);
	jw_int(&out, NULL, (int64_t)place->table);
	for (size_t i = 0; i < place->parts; i++) {
		if (place->key[i].is_text)
			jw_text(&out, NULL, place->key[i].text);
		else
			jw_int(&out, NULL, place->key[i].number);
	}
	jw_array_end(&out);
	rc = history_fact_put(to, "move_at", buf_string(&text), err);
	buf_clear(&text);
	return rc;
}

static void part_read(struct json_object *value, struct part *ret)
{
	const char *text = json_string(value);

	*ret = (struct part){ .is_text = text != NULL, .number = json_int(value, "", 0) };
	if (text != NULL)
		snprintf(ret->text, sizeof(ret->text), "%s", text);
}

static int place_find(struct sql *to, struct place *ret, struct error *err)
{
	char text[HISTORY_FACT_BYTES];
	struct json_object *list;

	*ret = (struct place){ 0 };
	if (history_fact_read(to, "move_at", text, err) < 0)
		return -1;
	if (text[0] == '\0')
		return 0;
	list = json_read(text, strlen(text), err);
	if (list == NULL)
		return error_wrap(err, "where the move stood");
	ret->table = (size_t)json_int(json_item(list, 0), "", 0);
	for (size_t i = 1; i < json_count(list) && i <= KEY_MAX; i++)
		part_read(json_item(list, i), &ret->key[ret->parts++]);
	json_free(&list);
	return 0;
}

/* ---- the two ---- */

struct moving {
	const struct history_move *move;
	struct sql from, to;
	char id[HISTORY_ID_MAX]; /* of the source */
};

static void tell(const struct moving *moving, const char *phase, const char *table, int64_t rows)
{
	if (moving->move->told != NULL)
		moving->move->told(phase, table, rows, moving->move->context);
}

/* ---- copying ---- */

struct copying {
	struct sql *to;
	const char *table;
	struct buf statement;
};

/* Again ends the same: a row that is there is the same row. */
static int copy_row(const struct sql_value *row, size_t columns, void *context, struct error *err)
{
	struct copying *copying = context;
	struct buf *text = &copying->statement;

	if (text->len == 0) {
		buf_format(text, "INSERT INTO %s VALUES (", copying->table);
		for (size_t i = 0; i < columns; i++)
			buf_format(text, "%s$%zu", i == 0 ? "" : ", ", i + 1);
		buf_text(text, ") ON CONFLICT DO NOTHING");
	}
	return sql_put(copying->to, buf_string(text), row, columns, err);
}

static int copy_rows(struct moving *moving, struct place *place, size_t *ret_count,
		     struct error *err)
{
	struct copying copying = { .to = &moving->to, .table = tables[place->table].name };
	struct page page = { .place = place, .each = copy_row, .context = &copying };
	int rc = page_read(&moving->from, &page, err);

	buf_clear(&copying.statement);
	*ret_count = page.count;
	if (rc == 0 && page.count < PAGE)
		*place = (struct place){ .table = place->table + 1 };
	return rc < 0 ? rc : place_keep(&moving->to, place, err);
}

static int copy_page(struct moving *moving, struct place *place, size_t *ret_count,
		     struct error *err)
{
	const char *table = tables[place->table].name;

	if (sql_begin(&moving->to, err) < 0)
		return -1;
	if (copy_rows(moving, place, ret_count, err) == 0)
		return sql_commit(&moving->to, err);
	sql_rollback(&moving->to);
	return error_wrap(err, "copying %s", table);
}

static int copy_all(struct moving *moving, struct error *err)
{
	struct place place;
	int64_t rows = 0;
	size_t count;

	if (place_find(&moving->to, &place, err) < 0)
		return -1;
	while (place.table < COUNT_OF(tables)) {
		size_t table = place.table;

		if (copy_page(moving, &place, &count, err) < 0)
			return -1;
		rows += (int64_t)count;
		if (place.table == table)
			continue;
		tell(moving, "copied", tables[table].name, rows);
		rows = 0;
	}
	return 0;
}

/* Numbers that are given out next come after those that were copied. */
static int numbers_go_on(struct moving *moving, struct error *err)
{
	if (sql_dialect(&moving->to) == SQL_SQLITE)
		return 0; /* takes the greatest and one */
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		struct buf text = { 0 };
		int rc;

		if (!tables[i].counts_up)
			continue;
		buf_format(&text,
			   "SELECT setval(pg_get_serial_sequence('%s', 'number'),"
			   " (SELECT coalesce(max(number), 0) + 1 FROM %s), false)",
			   tables[i].name, tables[i].name);
		rc = sql_script(&moving->to, buf_string(&text), err);
		buf_clear(&text);
		if (rc < 0)
			return error_wrap(err, "numbers of %s", tables[i].name);
	}
	return 0;
}

/* ---- words ---- */

static int words_step(struct moving *moving, bool *ret_more, struct error *err)
{
	struct history_job job = { .sql = &moving->to, .workspace = "", .arena = arena_new(0) };
	struct buf answer = { 0 };
	struct json_out out;
	struct json_object *read;
	int rc;

	jw_start(&out, &answer);
	jw_object(&out, NULL);
	rc = history_op_words(&job, &out, err);
	jw_object_end(&out);
	read = rc < 0 ? NULL : json_read(buf_string(&answer), answer.len, err);
	*ret_more = json_bool(read, "more", false);
	json_free(&read);
	buf_clear(&answer);
	arena_free(&job.arena);
	return rc;
}

/* Statements were planned while the table was empty, and would read far too much of it. */
static int learn(struct moving *moving, int step, struct error *err)
{
	bool is_due = step == 1 || step == 10 || step == 100 || step % 1000 == 0;

	if (!is_due || sql_dialect(&moving->to) == SQL_SQLITE)
		return 0;
	return sql_script(&moving->to, "ANALYZE search", err);
}

static int words_make(struct moving *moving, struct error *err)
{
	int64_t rows = 0;
	bool has_more = true;

	for (int step = 1; has_more; step++) {
		if (words_step(moving, &has_more, err) < 0 || learn(moving, step, err) < 0)
			return error_wrap(err, "the words");
		rows += has_more ? WORDS_EACH : 0;
	}
	tell(moving, "words", "search", rows);
	return 0;
}

/* ---- comparing: the sum of every row's hash, whatever order they come in ---- */

struct sum {
	int64_t rows;
	uint64_t hash;
	struct buf text;
};

static int sum_row(const struct sql_value *row, size_t columns, void *context, struct error *err)
{
	struct sum *sum = context;
	unsigned char hash[SHA256_BYTES];
	uint64_t part;

	(void)err;
	buf_reset(&sum->text);
	for (size_t i = 0; i < columns; i++) {
		if (row[i].kind == SQL_TEXT)
			buf_format(&sum->text, "t%zu:", row[i].len);
		else if (row[i].kind == SQL_NUMBER)
			buf_format(&sum->text, "i%lld;", (long long)row[i].number);
		else
			buf_byte(&sum->text, 'n');
		if (row[i].kind == SQL_TEXT)
			buf_add(&sum->text, row[i].text, row[i].len);
	}
	crypto_sha256(sum->text.data, sum->text.len, hash);
	memcpy(&part, hash, sizeof(part));
	sum->hash += part;
	sum->rows++;
	return 0;
}

static int sum_table(struct sql *sql, size_t table, struct sum *ret, struct error *err)
{
	struct place place = { .table = table };
	struct page page = { .place = &place, .each = sum_row, .context = ret };
	int rc;

	*ret = (struct sum){ 0 };
	do {
		rc = page_read(sql, &page, err);
	} while (rc == 0 && page.count == PAGE);
	buf_clear(&ret->text);
	return rc < 0 ? error_wrap(err, "comparing %s", tables[table].name) : 0;
}

static int compare_all(struct moving *moving, struct error *err)
{
	struct sum from, to;

	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		if (sum_table(&moving->from, i, &from, err) < 0 ||
		    sum_table(&moving->to, i, &to, err) < 0)
			return -1;
		if (from.rows != to.rows || from.hash != to.hash)
			return error_set(err, ERROR_PERMANENT,
					 "%s is not the same on both sides (%lld rows, %lld): "
					 "somebody wrote into one of them meanwhile; stop every "
					 "daemon and move anew",
					 tables[i].name, (long long)from.rows, (long long)to.rows);
		tell(moving, "compared", tables[i].name, from.rows);
	}
	return 0;
}

/* ---- whose the target is ---- */

static int take_count(const struct sql_value *row, size_t columns, void *context)
{
	(void)columns;
	*(int64_t *)context = row[0].number;
	return 1;
}

static int count_rows(struct sql *sql, size_t table, int64_t *ret, struct error *err)
{
	struct buf text = { 0 };
	struct sql_query query = { .on_row = take_count, .context = ret };
	int rc;

	buf_format(&text, "SELECT count(*) FROM %s", tables[table].name);
	query.statement = buf_string(&text);
	*ret = 0;
	rc = sql_query(sql, &query, err);
	buf_clear(&text);
	return rc;
}

static int target_clear(struct moving *moving, struct error *err)
{
	int rc = sql_begin(&moving->to, err);

	if (rc < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < COUNT_OF(tables); i++) {
		struct buf text = { 0 };

		buf_format(&text, "DELETE FROM %s", tables[i].name);
		rc = sql_script(&moving->to, buf_string(&text), err);
		buf_clear(&text);
	}
	if (rc == 0)
		rc = sql_script(&moving->to, "DELETE FROM search", err);
	if (rc == 0)
		rc = history_fact_drop(&moving->to, "move_at", err);
	if (rc == 0)
		rc = history_fact_drop(&moving->to, "words_at", err);
	if (rc == 0)
		rc = history_fact_put(&moving->to, "words", "0", err);
	if (rc == 0)
		return sql_commit(&moving->to, err);
	sql_rollback(&moving->to);
	return -1;
}

static int target_is_empty(struct moving *moving, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		int64_t rows;

		if (count_rows(&moving->to, i, &rows, err) < 0)
			return -1;
		if (rows > 0)
			return error_set(err, ERROR_MISUSE,
					 "the target is a history of its own: it has rows in %s",
					 tables[i].name);
	}
	return 0;
}

/* Marks the target as being moved to, so that a move that broke off is known again. */
static int target_take(struct moving *moving, struct error *err)
{
	char source[HISTORY_FACT_BYTES];

	if (history_fact_read(&moving->to, "move_from", source, err) < 0)
		return -1;
	if (text_equal(source, moving->id))
		return moving->move->starts_anew ? target_clear(moving, err) : 0;
	if (source[0] != '\0')
		return error_set(err, ERROR_MISUSE, "another history is being moved there");
	if (target_is_empty(moving, err) < 0 || sql_begin(&moving->to, err) < 0)
		return -1;
	if (history_fact_put(&moving->to, "move_from", moving->id, err) == 0 &&
	    history_fact_put(&moving->to, "words", "0", err) == 0)
		return sql_commit(&moving->to, err);
	sql_rollback(&moving->to);
	return -1;
}

/* From now on the target is this history. */
static int target_finish(struct moving *moving, struct error *err)
{
	if (sql_begin(&moving->to, err) < 0)
		return -1;
	if (history_fact_put(&moving->to, "id", moving->id, err) == 0 &&
	    history_fact_drop(&moving->to, "move_from", err) == 0 &&
	    history_fact_drop(&moving->to, "move_at", err) == 0)
		return sql_commit(&moving->to, err);
	sql_rollback(&moving->to);
	return -1;
}

/* And the source is another one, so that no daemon with the old setting goes on writing there. */
static int source_leave(const struct moving *moving, struct error *err)
{
	struct sql_place place = moving->move->from;
	char id[HISTORY_ID_MAX + 8];
	struct sql source = { 0 };
	int rc;

	place.writes = true;
	snprintf(id, sizeof(id), "left-%s", moving->id);
	if (sql_open(&source, &place, err) < 0)
		return -1;
	rc = sql_begin(&source, err);
	if (rc == 0)
		rc = history_fact_put(&source, "id", id, err);
	if (rc == 0)
		rc = sql_commit(&source, err);
	sql_close(&source);
	return rc;
}

/* ---- the whole ---- */

static int move_rows(struct moving *moving, struct error *err)
{
	if (target_take(moving, err) < 0 || copy_all(moving, err) < 0 ||
	    numbers_go_on(moving, err) < 0 || words_make(moving, err) < 0 ||
	    compare_all(moving, err) < 0)
		return -1;
	return target_finish(moving, err);
}

static int move_between(struct moving *moving, struct error *err)
{
	char id[HISTORY_ID_MAX];

	if (history_schema_check(&moving->from, err) < 0 ||
	    history_schema_id(&moving->from, moving->id, err) < 0)
		return error_wrap(err, "the source");
	if (text_starts(moving->id, "left-"))
		return error_set(err, ERROR_MISUSE,
				 "the source was moved before; it is no history");
	if (history_schema_migrate(&moving->to, err) < 0 ||
	    history_schema_id(&moving->to, id, err) < 0)
		return error_wrap(err, "the target");
	if (!text_equal(id, moving->id) && move_rows(moving, err) < 0)
		return -1;
	return source_leave(moving, err);
}

static int source_open(struct moving *moving, struct error *err)
{
	struct sql_place place = moving->move->from;

	place.writes = false;
	return sql_open(&moving->from, &place, err) < 0 ? error_wrap(err, "the source") : 0;
}

int history_move_run(const struct history_move *move, struct error *err)
{
	struct moving moving = { .move = move };
	struct sql_place place = move->to;
	int rc = -1;

	place.writes = true;
	if (source_open(&moving, err) < 0)
		return -1;
	if (sql_open(&moving.to, &place, err) < 0)
		error_wrap(err, "the target");
	else
		rc = move_between(&moving, err);
	sql_close(&moving.to);
	sql_close(&moving.from);
	return rc;
}

/* ---- only looking ---- */

int history_move_look(const struct history_move *move, struct error *err)
{
	struct moving moving = { .move = move };
	int64_t rows;
	int rc = source_open(&moving, err);

	if (rc == 0)
		rc = history_schema_check(&moving.from, err);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(tables); i++) {
		rc = count_rows(&moving.from, i, &rows, err);
		if (rc == 0)
			tell(&moving, "found", tables[i].name, rows);
	}
	sql_close(&moving.from);
	return rc;
}
