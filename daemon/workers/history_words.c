/* The index of words made anew, some rows at a time, after the tokenizer changed: what it gives now
 * is not what was written before. Search goes on meanwhile, with words of both. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/history_facts.h"
#include "workers/history_search.h"

enum { ROWS = 200 };

static const struct {
	const char *type;
	const char *select;
} tables[] = {
#define ROWS_OF(table)                                                                             \
	"SELECT workspace, id, json, created_ms FROM " table                                       \
	" WHERE (workspace, id) > ($1, $2) ORDER BY workspace, id LIMIT $3"
	{ "message", ROWS_OF("message") },
	{ "customer", ROWS_OF("customer") },
	{ "work_item", ROWS_OF("work_item") },
	{ "note", ROWS_OF("note") },
};

/* The last row that was done: "<table> <workspace> <id>". */
struct place {
	size_t table;
	char workspace[64];
	char id[64];
};

struct row {
	const char *workspace, *id, *json;
	int64_t at_ms;
};

struct page {
	struct arena *arena;
	struct row rows[ROWS];
	size_t count;
};

static int take_row(const struct sql_value *row, size_t columns, void *context)
{
	struct page *page = context;

	(void)columns;
	page->rows[page->count++] = (struct row){
		.workspace = arena_copy(page->arena, row[0].text, row[0].len),
		.id = arena_copy(page->arena, row[1].text, row[1].len),
		.json = arena_copy(page->arena, row[2].text, row[2].len),
		.at_ms = row[3].number,
	};
	return page->count == ROWS;
}

static int read_rows(struct history_job *job, const struct place *place, struct page *page,
		     struct error *err)
{
	const struct sql_value values[] = { sql_text(place->workspace), sql_text(place->id),
					    sql_number(ROWS) };
	const struct sql_query query = { .statement = tables[place->table].select,
					 .values = values,
					 .count = COUNT_OF(values),
					 .on_row = take_row,
					 .context = page };

	page->arena = job->arena;
	page->count = 0;
	return sql_query(job->sql, &query, err);
}

/* A row that cannot be read has no words. */
static int put_row(struct history_job *job, const char *type, const struct row *row,
		   struct error *err)
{
	struct error problem;
	OWNED(json_free)
	struct json_object *json = json_read(row->json, strlen(row->json), &problem);
	const struct history_found found = {
		.type = type,
		.id = row->id,
		.at_ms = row->at_ms,
		.row = json,
		.may_shrink = true,
	};

	job->workspace = row->workspace;
	return json == NULL ? 0 : history_search_put(job, &found, err);
}

static int finish(struct sql *sql, struct error *err)
{
	char version[24];

	snprintf(version, sizeof(version), "%d", TOKENS_VERSION);
	if (history_fact_put(sql, "words", version, err) < 0)
		return -1;
	return history_fact_drop(sql, "words_at", err);
}

static int note_place(struct sql *sql, const struct place *place, struct error *err)
{
	char text[HISTORY_FACT_BYTES];

	snprintf(text, sizeof(text), "%zu %s %s", place->table, place->workspace, place->id);
	return history_fact_put(sql, "words_at", text, err);
}

static int read_place(struct sql *sql, struct place *ret, struct error *err)
{
	char text[HISTORY_FACT_BYTES];

	*ret = (struct place){ 0 };
	if (history_fact_read(sql, "words_at", text, err) < 0)
		return -1;
	if (text[0] != '\0' &&
	    sscanf(text, "%zu %63s %63s", &ret->table, ret->workspace, ret->id) < 1)
		*ret = (struct place){ 0 };
	return 0;
}

static int go_on(struct history_job *job, bool *ret_more, struct error *err)
{
	struct page *page = arena_alloc(job->arena, sizeof(*page));
	struct place place;

	if (read_place(job->sql, &place, err) < 0)
		return -1;
	*ret_more = place.table < COUNT_OF(tables);
	if (!*ret_more)
		return finish(job->sql, err);
	if (read_rows(job, &place, page, err) < 0)
		return -1;
	for (size_t i = 0; i < page->count; i++)
		if (put_row(job, tables[place.table].type, &page->rows[i], err) < 0)
			return -1;
	if (page->count < ROWS) {
		place = (struct place){ .table = place.table + 1 };
	} else {
		snprintf(place.workspace, sizeof(place.workspace), "%s",
			 page->rows[page->count - 1].workspace);
		snprintf(place.id, sizeof(place.id), "%s", page->rows[page->count - 1].id);
	}
	return note_place(job->sql, &place, err);
}

/* Before this was noted, there was version 1 alone. */
static int is_old(struct sql *sql, bool *ret_old, struct error *err)
{
	char text[HISTORY_FACT_BYTES];

	if (history_fact_read(sql, "words", text, err) < 0)
		return -1;
	*ret_old = strtol(text[0] == '\0' ? "1" : text, NULL, 10) != TOKENS_VERSION;
	return 0;
}

/* {} -> {more}: the words of some rows, where they are older than the tokenizer. */
int history_op_words(struct history_job *job, struct json_out *out, struct error *err)
{
	bool has_more = false;
	int rc = sql_begin(job->sql, err);

	if (rc < 0)
		return -1;
	rc = is_old(job->sql, &has_more, err);
	if (rc == 0 && has_more)
		rc = go_on(job, &has_more, err);
	if (rc == 0)
		rc = sql_commit(job->sql, err);
	else
		sql_rollback(job->sql);
	jw_bool(out, "more", has_more);
	return rc;
}
