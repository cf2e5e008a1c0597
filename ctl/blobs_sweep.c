/* blobs sweep: blobs that no record refers to, as a crash leaves them between the bytes and the
 * message. Nothing goes the first time it is found: it is noted, and only what a later run finds
 * again, after the grace, is erased; so whatever was on its way has arrived. The store says whose a
 * blob is, and what the history's messages name stays too, whatever the store says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "blobs_side.h"
#include "ctl.h"
#include "resp.h"
#include "workers/history_sql.h"

enum {
	ASK_AT_ONCE = 100,
	ORPHANS_MAX = 1000 * 1000, /* noted; more are found by later runs */
	ERASED_MAX = 100 * 1000,   /* in one run */
	HISTORY_PAGE = 500,
	ID_CHARS = SIDE_ID_BYTES - 1,
	HOUR_S = 3600,
	DAY_S = 24 * HOUR_S,
	GRACE_DAYS = 7,
	TIMEOUT_MS = 60 * 1000,
};

struct orphan {
	char id[SIDE_ID_BYTES];
	bool is_named; /* by a message in the history */
	int64_t first_s;
};

struct orphans {
	struct orphan *list; /* by id, once it is in order */
	size_t count;
	size_t room;
};

struct sweep {
	struct side *side;
	int store;
	struct buf workspaces; /* parted by spaces */
	const char *notes;     /* path */
	int64_t now_s, grace_s;
	bool is_dry;
	char asked[ASK_AT_ONCE][SIDE_ID_BYTES];
	size_t count;
	struct orphans found, noted;
	int64_t blobs, due, named, erased;
};

static int in_order(const void *a, const void *b)
{
	return memcmp(a, b, ID_CHARS);
}

static void orphan_add(struct orphans *orphans, const char *id, int64_t first_s)
{
	if (orphans->count == orphans->room) {
		orphans->room = orphans->room == 0 ? 64 : 2 * orphans->room;
		orphans->list = realloc(orphans->list, orphans->room * sizeof(*orphans->list));
		if (orphans->list == NULL)
			abort();
	}
	struct orphan *one = &orphans->list[orphans->count++];
	*one = (struct orphan){ .first_s = first_s };
	memcpy(one->id, id, ID_CHARS);
}

static struct orphan *orphan_find(const struct orphans *orphans, const char *id)
{
	return orphans->count == 0 ? NULL
				   : bsearch(id, orphans->list, orphans->count,
					     sizeof(*orphans->list), in_order);
}

/* ---- whose are they? ---- */

/* One page of keys; the cursor comes first. */
static const char scan_script[] =
	"EVAL \"local r = redis.call('SCAN', ARGV[1], 'MATCH', '{*}:meta', 'COUNT', 1000) "
	"table.insert(r[2], 1, r[1]) return r[2]\" 0 ";

/* Names of those that nobody has: ARGV 1 workspaces, then ids. */
static const char orphans_script[] =
	"EVAL \"local r = {} for i = 2, #ARGV do local id, owned = ARGV[i], false "
	"local field = (id:sub(5, 18) .. id:sub(39, 56)):gsub('%x%x', function(h) "
	"return string.char(tonumber(h, 16)) end) "
	"for ws in ARGV[1]:gmatch('%S+') do local p = '{' .. ws .. '}:' "
	"owned = owned or redis.call('HEXISTS', p .. 'b:' .. id:sub(1, 4), field) == 1 "
	"or redis.call('ZSCORE', p .. 'bu', id) or redis.call('ZSCORE', p .. 'bx', id) end "
	"if not owned then r[#r + 1] = id end end return r\" 0 ";

/* "{ws}:meta" */
static void workspace_take(struct sweep *sweep, const char *key)
{
	const char *end = strrchr(key, '}');
	if (key[0] == '{' && end != NULL)
		buf_format(&sweep->workspaces, "%s%.*s", sweep->workspaces.len > 0 ? " " : "",
			   (int)(end - key - 1), key + 1);
}

static int workspaces_read(struct sweep *sweep, struct error *err)
{
	char cursor[32] = "0";
	do {
		struct buf command = { 0 }, text = { 0 };
		char *rest = NULL, *line;
		buf_format(&command, "%s%s", scan_script, cursor);
		int rc = resp_run(sweep->store, buf_string(&command), &text, err);
		buf_clear(&command);
		line = rc < 0 || text.len == 0 ? NULL : strtok_r(text.data, "\n", &rest);
		snprintf(cursor, sizeof(cursor), "%s", line == NULL ? "0" : line);
		while (line != NULL && (line = strtok_r(NULL, "\n", &rest)) != NULL)
			workspace_take(sweep, line);
		buf_clear(&text);
		if (rc < 0)
			return -1;
	} while (strcmp(cursor, "0") != 0);
	if (sweep->workspaces.len == 0)
		return error_set(err, ERROR_MISUSE,
				 "the store has no workspace: is it the right one, and not lost?");
	return 0;
}

/* ret: the ids that nobody has, a line each. */
static int nobodys(struct sweep *sweep, char (*ids)[SIDE_ID_BYTES], size_t count, struct buf *ret,
		   struct error *err)
{
	struct buf command = { 0 };
	buf_format(&command, "%s\"%s\"", orphans_script, buf_string(&sweep->workspaces));
	for (size_t i = 0; i < count; i++)
		buf_format(&command, " %s", ids[i]);
	int rc = resp_run(sweep->store, buf_string(&command), ret, err);
	buf_clear(&command);
	return rc;
}

/* ---- looking ---- */

static int ask(struct sweep *sweep, struct error *err)
{
	struct buf text = { 0 };
	char *rest = NULL;
	int rc = nobodys(sweep, sweep->asked, sweep->count, &text, err);
	char *line = rc < 0 || text.len == 0 ? NULL : strtok_r(text.data, "\n", &rest);
	for (; line != NULL; line = strtok_r(NULL, "\n", &rest))
		if (strlen(line) == ID_CHARS && sweep->found.count < ORPHANS_MAX)
			orphan_add(&sweep->found, line, sweep->now_s);
	buf_clear(&text);
	sweep->count = 0;
	return rc;
}

static int look_at(const char *id, void *context, struct error *err)
{
	struct sweep *sweep = context;
	sweep->blobs++;
	memcpy(sweep->asked[sweep->count++], id, SIDE_ID_BYTES);
	return sweep->count == ASK_AT_ONCE ? ask(sweep, err) : 0;
}

static int look(struct sweep *sweep, struct error *err)
{
	if (side_walk(sweep->side, look_at, sweep, err) < 0 ||
	    (sweep->count > 0 && ask(sweep, err) < 0))
		return -1;
	if (sweep->found.count > 0)
		qsort(sweep->found.list, sweep->found.count, sizeof(*sweep->found.list), in_order);
	if (sweep->blobs > 0 && (int64_t)sweep->found.count == sweep->blobs)
		return error_set(err, ERROR_MISUSE,
				 "not one of %lld blobs belongs to anybody: is it the right store, "
				 "and not lost?",
				 (long long)sweep->blobs);
	return 0;
}

/* ---- what earlier runs found: "<id> <s>" a line ---- */

static int notes_read(struct sweep *sweep, struct error *err)
{
	char line[120], id[SIDE_ID_BYTES];
	long long first_s;
	FILE *file = fopen(sweep->notes, "re");
	if (file == NULL)
		return errno == ENOENT ? 0
				       : error_set(err, ERROR_MISUSE, "%s: %s", sweep->notes,
						   strerror(errno));
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "%64[0-9a-f] %lld", id, &first_s) == 2 && strlen(id) == ID_CHARS)
			orphan_add(&sweep->noted, id, first_s);
	fclose(file);
	if (sweep->noted.count > 0)
		qsort(sweep->noted.list, sweep->noted.count, sizeof(*sweep->noted.list), in_order);
	return 0;
}

static int notes_write(const struct sweep *sweep, struct error *err)
{
	char partial[700];
	snprintf(partial, sizeof(partial), "%s.new", sweep->notes);
	FILE *file = fopen(partial, "we");
	bool is_fine = file != NULL;
	for (size_t i = 0; is_fine && i < sweep->found.count; i++)
		if (sweep->found.list[i].first_s > 0)
			is_fine = fprintf(file, "%s %lld\n", sweep->found.list[i].id,
					  (long long)sweep->found.list[i].first_s) > 0;
	if (file != NULL && (fflush(file) != 0 || fsync(fileno(file)) < 0))
		is_fine = false;
	if (file != NULL)
		fclose(file);
	if (!is_fine || rename(partial, sweep->notes) < 0)
		return error_set(err, ERROR_TEMPORARY, "%s: %s", partial, strerror(errno));
	return 0;
}

/* A clock that went back makes nothing older. */
static bool is_due(const struct sweep *sweep, const struct orphan *orphan)
{
	return !orphan->is_named && orphan->first_s > 0 &&
	       sweep->now_s - orphan->first_s >= sweep->grace_s;
}

static void ages_take(struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->found.count; i++) {
		struct orphan *one = &sweep->found.list[i];
		const struct orphan *before = orphan_find(&sweep->noted, one->id);
		if (before != NULL && before->first_s > 0 && before->first_s < one->first_s)
			one->first_s = before->first_s;
		sweep->due += is_due(sweep, one);
	}
}

/* ---- what the history's messages name ---- */

struct reading {
	struct sweep *sweep;
	int64_t number;
	size_t rows;
};

static void names_find(struct sweep *sweep, const struct sql_value *text)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = text->kind == SQL_TEXT ? text->text : "";
	while (*at != '\0') {
		size_t len = strspn(at, digits);
		struct orphan *one = len == ID_CHARS ? orphan_find(&sweep->found, at) : NULL;
		sweep->named += one != NULL && !one->is_named;
		if (one != NULL)
			one->is_named = true;
		at += len;
		at += strcspn(at, digits);
	}
}

static int take_message(const struct sql_value *row, size_t columns, void *context)
{
	struct reading *reading = context;
	(void)columns;
	reading->number = row[0].number;
	reading->rows++;
	names_find(reading->sweep, &row[1]);
	names_find(reading->sweep, &row[2]);
	return 0;
}

static int history_look(struct sweep *sweep, struct sql *sql, struct error *err)
{
	struct reading reading = { .sweep = sweep };
	int rc;
	do {
		const struct sql_value values[] = { sql_number(reading.number),
						    sql_number(HISTORY_PAGE) };
		const struct sql_query query = {
			.statement = "SELECT number, json, files FROM message WHERE number > $1"
				     " AND (json LIKE '%\"attachments\":[{%'"
				     " OR json LIKE '%\"raw\":\"%') ORDER BY number LIMIT $2",
			.values = values,
			.count = 2,
			.on_row = take_message,
			.context = &reading,
		};
		reading.rows = 0;
		rc = sql_query(sql, &query, err);
	} while (rc == 0 && reading.rows == HISTORY_PAGE);
	return rc;
}

static int history_ask(struct sweep *sweep, const struct location *location, struct error *err)
{
	const struct sql_place place = { .url = location->history,
					 .password = location->history_password };
	struct sql sql;
	if (sweep->due == 0 || strcmp(location->history, "none") == 0)
		return 0;
	if (sql_open(&sql, &place, err) < 0)
		return error_wrap(err, "the history");
	int rc = history_look(sweep, &sql, err);
	sql_close(&sql);
	return rc < 0 ? error_wrap(err, "the history") : 0;
}

/* ---- erasing ---- */

/* Asked once more, right before: what became somebody's since stays. */
static int batch_erase(struct sweep *sweep, struct orphan **batch, size_t count, struct error *err)
{
	char ids[SIDE_BATCH][SIDE_ID_BYTES];
	struct side_blob gone[SIDE_BATCH] = { 0 };
	struct buf text = { 0 };
	size_t left = 0;
	for (size_t i = 0; i < count; i++)
		memcpy(ids[i], batch[i]->id, SIDE_ID_BYTES);
	int rc = nobodys(sweep, ids, count, &text, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (strstr(buf_string(&text), ids[i]) != NULL)
			memcpy(gone[left++].id, ids[i], SIDE_ID_BYTES);
	buf_clear(&text);
	if (rc == 0 && left > 0)
		rc = side_erase(sweep->side, gone, left, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		batch[i]->first_s = 0; /* noted no more */
	sweep->erased += rc == 0 ? (int64_t)left : 0;
	return rc;
}

static int erase_due(struct sweep *sweep, struct error *err)
{
	struct orphan *batch[SIDE_BATCH];
	size_t count = 0;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sweep->found.count; i++) {
		if (sweep->erased + (int64_t)count < ERASED_MAX &&
		    is_due(sweep, &sweep->found.list[i]))
			batch[count++] = &sweep->found.list[i];
		if (count < SIDE_BATCH && i + 1 < sweep->found.count)
			continue;
		if (count > 0)
			rc = batch_erase(sweep, batch, count, err);
		count = 0;
	}
	return rc;
}

/* ---- the command ---- */

/* "90m", "36h", "7d"; not less than an hour. */
static int grace_read(const char *text, int64_t *ret_s, struct error *err)
{
	char *end = NULL;
	int64_t number = text == NULL ? GRACE_DAYS : strtoll(text, &end, 10);
	int64_t unit = text == NULL || text_equal(end, "d") ? DAY_S
		       : text_equal(end, "h")               ? HOUR_S
		       : text_equal(end, "m")               ? 60
							    : 0;
	if (unit == 0 || number <= 0 || number > 10000 || number * unit < HOUR_S)
		return error_set(err, ERROR_MISUSE,
				 "--grace is a time such as 36h or 7d, and at least 1h");
	*ret_s = number * unit;
	return 0;
}

static void told(struct call *call, const struct sweep *sweep)
{
	struct buf text = { 0 };
	struct json_out json;
	struct error err;
	jw_start(&json, &text);
	jw_object(&json, NULL);
	jw_int(&json, "blobs", sweep->blobs);
	jw_int(&json, "orphans", (int64_t)sweep->found.count);
	jw_int(&json, "past_grace", sweep->due);
	jw_int(&json, "named_in_history", sweep->named);
	jw_int(&json, "erased", sweep->erased);
	jw_object_end(&json);
	struct json_object *object = json_read(buf_string(&text), text.len, &err);
	output_object(call, object);
	json_free(&object);
	buf_clear(&text);
}

static int sweep_run(struct sweep *sweep, const struct location *location, struct error *err)
{
	const struct side_place place = { location->blobs, location->state_dir,
					  location->blobs_access_key, location->blobs_secret_key,
					  TIMEOUT_MS };
	sweep->side = side_open(&place, err);
	if (sweep->side == NULL)
		return error_wrap(err, "the blobs");
	sweep->store = resp_connect_store(location->store, location->state_dir, err);
	if (sweep->store < 0 || workspaces_read(sweep, err) < 0 || notes_read(sweep, err) < 0 ||
	    look(sweep, err) < 0)
		return -1;
	ages_take(sweep);
	if (history_ask(sweep, location, err) < 0)
		return -1;
	if (sweep->is_dry)
		return 0;
	int rc = erase_due(sweep, err);
	struct error problem;
	if (notes_write(sweep, rc == 0 ? err : &problem) < 0)
		rc = -1;
	return rc;
}

int run_blobs_sweep(struct call *call)
{
	struct location location;
	struct error err = { 0 };
	struct sweep sweep = { .store = -1,
			       .now_s = (int64_t)time(NULL),
			       .is_dry = call_option(call, "--dry-run") != NULL };
	int rc;
	if (locate(call->config_file, call->arena, &location, &err) < 0)
		return output_error(EX_CONFIG, &err);
	if (grace_read(call_option(call, "--grace"), &sweep.grace_s, &err) < 0)
		return output_error(EX_USAGE, &err);
	sweep.notes = arena_format(call->arena, "%s/blob-orphans", location.state_dir);
	rc = sweep_run(&sweep, &location, &err);
	if (rc == 0)
		told(call, &sweep);
	side_close(&sweep.side);
	if (sweep.store >= 0)
		close(sweep.store);
	free(sweep.found.list);
	free(sweep.noted.list);
	buf_clear(&sweep.workspaces);
	if (rc == 0)
		return EXIT_DONE;
	error_wrap(&err, "sweeping blobs");
	return output_error(err.kind == ERROR_TEMPORARY ? EX_TEMPFAIL : EX_USAGE, &err);
}
