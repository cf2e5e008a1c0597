/* What the database has of a batch's rows, asked in three questions for the whole batch: most
 * customers and work items did not change, and a question a row would cost a round trip each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/history_write.h"

enum { PLACE_KEY_BYTES = ID_BYTES + 24 };

static void place_key(const char *conversation, int64_t created_ms, char ret[PLACE_KEY_BYTES])
{
	snprintf(ret, PLACE_KEY_BYTES, "%.30s %lld", conversation, (long long)created_ms);
}

/* ---- filling ---- */

struct filling {
	struct map *map;
	struct arena *arena;
};

static int take_row(const struct sql_value *row, size_t columns, void *context)
{
	struct filling *filling = context;

	(void)columns;
	map_put(filling->map, row[0].text, arena_copy(filling->arena, row[1].text, row[1].len));
	return 0;
}

static int take_place(const struct sql_value *row, size_t columns, void *context)
{
	struct filling *filling = context;
	struct history_place *place = arena_alloc(filling->arena, sizeof(*place));
	char key[PLACE_KEY_BYTES];

	(void)columns;
	place->base = row[2].kind == SQL_NUMBER ? row[2].number : -1;
	place->newest = row[3].kind == SQL_NUMBER ? row[3].number : -1;
	place_key(row[0].text, row[1].number, key);
	map_put(filling->map, key, place);
	return 0;
}

/* The rows' ids as a JSON list; conversations with the time of their episode. */
static void write_list(struct json_object *rows, bool is_messages, struct buf *out)
{
	const char *before = NULL;
	struct json_out json;

	jw_start(&json, out);
	jw_array(&json, NULL);
	for (size_t i = 0; i < json_count(rows); i++) {
		struct json_object *row = json_item(rows, i);
		const char *id = json_text(row, is_messages ? "conversation" : "id");

		if (id == NULL || (is_messages && text_equal(id, before)))
			continue;
		before = id;
		if (is_messages)
			jw_array(&json, NULL);
		jw_text(&json, NULL, id);
		if (is_messages)
			jw_int(&json, NULL, json_int(row, "created_ms", 0));
		if (is_messages)
			jw_array_end(&json);
	}
	jw_array_end(&json);
}

struct question {
	const char *rows; /* of the job */
	const char *sqlite;
	const char *postgres;
	sql_row_fn *take;
};

static const struct question customers = {
	"customers",
	"SELECT id, json FROM customer WHERE workspace = $1 AND id IN"
	" (SELECT value FROM json_each($2))",
	"SELECT id, json FROM customer WHERE workspace = $1 AND id IN"
	" (SELECT json_array_elements_text(CAST($2 AS json)))",
	take_row,
};

static const struct question work_items = {
	"work_items",
	"SELECT id, json FROM work_item WHERE workspace = $1 AND id IN"
	" (SELECT value FROM json_each($2))",
	"SELECT id, json FROM work_item WHERE workspace = $1 AND id IN"
	" (SELECT json_array_elements_text(CAST($2 AS json)))",
	take_row,
};

#define PLACES                                                                                     \
	"SELECT w.id, w.ct, (SELECT base FROM episode e WHERE e.workspace = $1"                    \
	" AND e.conversation = w.id AND e.created_ms = w.ct), (SELECT max(position) FROM message"  \
	" m WHERE m.workspace = $1 AND m.conversation = w.id) FROM "

static const struct question places = {
	"messages",
	PLACES "(SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS ct"
	       " FROM json_each($2)) AS w",
	PLACES "(SELECT x ->> 0 AS id, CAST(x ->> 1 AS BIGINT) AS ct"
	       " FROM json_array_elements(CAST($2 AS json)) AS x) AS w",
	take_place,
};

static int ask(struct history_write *write, const struct question *question, struct map *map,
	       struct error *err)
{
	struct history_job *job = write->job;
	struct filling filling = { .map = map, .arena = job->arena };
	struct json_object *rows = json_at(job->body, question->rows);
	struct buf list = { 0 };
	int rc;

	if (json_count(rows) == 0)
		return 0;
	write_list(rows, question == &places, &list);
	const struct sql_value values[] = { sql_text(job->workspace), sql_text(buf_string(&list)) };
	const struct sql_query query = {
		.statement =
			sql_dialect(job->sql) == SQL_SQLITE ? question->sqlite : question->postgres,
		.values = values,
		.count = 2,
		.on_row = question->take,
		.context = &filling,
	};

	rc = sql_query(job->sql, &query, err);
	buf_clear(&list);
	return rc;
}

/* ---- for the rows ---- */

int history_known_read(struct history_write *write, struct error *err)
{
	history_known_clear(write);
	write->customers = map_new();
	write->work_items = map_new();
	write->places = map_new();
	/* Read anew, every row is written: its words and identifiers may be what was lost. */
	if (!json_bool(write->job->body, "anew", false) &&
	    (ask(write, &customers, write->customers, err) < 0 ||
	     ask(write, &work_items, write->work_items, err) < 0))
		return -1;
	return ask(write, &places, write->places, err);
}

void history_known_clear(struct history_write *write)
{
	map_free(&write->customers);
	map_free(&write->work_items);
	map_free(&write->places);
}

bool history_known_place(struct history_write *write, const char *conversation, int64_t created_ms)
{
	struct history_place *place;
	char key[PLACE_KEY_BYTES];

	place_key(conversation, created_ms, key);
	place = map_get(write->places, key);
	if (place == NULL)
		return false;
	write->base = place->base;
	write->newest = place->newest;
	return true;
}

void history_known_leave(struct history_write *write)
{
	struct history_place *place;
	char key[PLACE_KEY_BYTES];

	if (write->conversation[0] == '\0')
		return;
	place_key(write->conversation, write->episode, key);
	place = map_get(write->places, key);
	if (place == NULL)
		return;
	place->base = write->base;
	place->newest = write->newest;
}
