/* What happened with a customer, newest first, of what has left the store: messages of all their
 * conversations and work items, merged by keys as scripts/timeline_read.lua makes them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/history.h"

enum {
	LIMIT_MAX = 100,
	KEYS_MAX = 64, /* identifiers of a customer */
	CONVERSATIONS_MAX = 1000,
	STEP = 16,       /* messages read of a conversation at a time */
	ITEMS_MORE = 64, /* for several of one millisecond */
	SLACK_MS =
		1000, /* a conversation's newest message is not younger than updated_ms and this */
	KEY_BYTES = 80,
};

struct line {
	char key[KEY_BYTES];
	const char *json, *mark, *provider_id, *files;
};

/* The messages of one conversation, from the newest that is wanted down. */
struct talk {
	const char *id, *channel;
	int64_t until; /* positions before this one; the others are in the store */
	int64_t bound; /* nothing younger is in it, until it is opened */
	int64_t next;  /* the position where reading goes on; -1: there is no more */
	bool is_opened;
	struct line *lines;
	size_t count, at;
};

struct timeline {
	struct history_job *job;
	struct json_out *out;
	struct error *err;
	const char *before; /* key; NULL: from the newest on */
	int64_t before_ms;
	bool has_notes;
	size_t limit;
	struct talk *talks;
	size_t count;
	struct talk *reading;
	bool is_state; /* when items came into their state; else when they were opened */
};

static const char *copy_text(struct timeline *timeline, const struct sql_value *value)
{
	return value->kind == SQL_TEXT ? arena_copy(timeline->job->arena, value->text, value->len)
				       : "";
}

static bool is_wanted(const struct timeline *timeline, const char *key)
{
	return timeline->before == NULL || strcmp(key, timeline->before) < 0;
}

/* ---- the customer's conversations ---- */

static int take_talk(const struct sql_value *row, size_t columns, void *context)
{
	struct timeline *timeline = context;
	struct talk *talk = &timeline->talks[timeline->count++];
	struct json_object *here = json_at(timeline->job->body, "here");

	(void)columns;
	*talk = (struct talk){
		.id = copy_text(timeline, &row[0]),
		.channel = copy_text(timeline, &row[1]),
		.until = INT64_MAX,
		.bound = row[2].number + SLACK_MS,
	};
	if (json_has(here, talk->id))
		talk->until = json_int(here, talk->id, 0);
	if (talk->bound > timeline->before_ms)
		talk->bound = timeline->before_ms;
	return timeline->count == CONVERSATIONS_MAX;
}

/* " IN ($4, ...)" of the customer's identifiers; fills values from the fourth on. */
static void write_keys(struct timeline *timeline, struct buf *out, struct sql_value *values)
{
	struct json_object *keys = json_at(timeline->job->body, "identifiers");

	buf_text(out, " IN (");
	for (size_t i = 0; i < KEYS_MAX; i++) {
		buf_format(out, "%s$%zu", i == 0 ? "" : ", ", i + 4);
		values[i + 3] =
			sql_text(i < json_count(keys) ? json_string(json_item(keys, i)) : NULL);
	}
	buf_byte(out, ')');
}

static int read_talks(struct timeline *timeline)
{
	struct sql_value values[KEYS_MAX + 3] = { sql_text(timeline->job->workspace), sql_number(0),
						  sql_number(CONVERSATIONS_MAX) };
	struct buf statement = { 0 };
	struct sql_query query = {
		.values = values,
		.count = COUNT_OF(values),
		.on_row = take_talk,
		.context = timeline,
	};
	int rc;

	timeline->talks =
		arena_alloc(timeline->job->arena, CONVERSATIONS_MAX * sizeof(*timeline->talks));
	buf_text(&statement, "SELECT id, channel, updated_ms FROM conversation"
			     " WHERE workspace = $1 AND updated_ms >= $2 AND identifier_key");
	write_keys(timeline, &statement, values);
	buf_text(&statement, " ORDER BY updated_ms DESC, id DESC LIMIT $3");
	query.statement = buf_string(&statement);
	rc = sql_query(timeline->job->sql, &query, timeline->err);
	buf_clear(&statement);
	return rc;
}

/* ---- messages ---- */

struct extent {
	int64_t first, last; /* positions; -1: none */
	int64_t at, ms;      /* of a message between them */
};

static int take_extent(const struct sql_value *row, size_t columns, void *context)
{
	struct extent *extent = context;

	(void)columns;
	extent->first = row[0].kind == SQL_NUMBER ? row[0].number : -1;
	extent->last = row[1].kind == SQL_NUMBER ? row[1].number : -1;
	return 1;
}

static int take_middle(const struct sql_value *row, size_t columns, void *context)
{
	struct extent *extent = context;

	(void)columns;
	extent->at = row[0].number;
	extent->ms = row[1].number;
	return 1;
}

static int read_extent(struct timeline *timeline, const struct talk *talk, struct extent *ret)
{
	const struct sql_value values[] = { sql_text(timeline->job->workspace), sql_text(talk->id),
					    sql_number(talk->until) };
	const struct sql_query query = {
		.statement = "SELECT (SELECT min(position) FROM message WHERE workspace = $1"
			     " AND conversation = $2 AND position >= 0 AND position < $3),"
			     " (SELECT max(position) FROM message WHERE workspace = $1"
			     " AND conversation = $2 AND position >= 0 AND position < $3)",
		.values = values,
		.count = COUNT_OF(values),
		.on_row = take_extent,
		.context = ret,
	};

	*ret = (struct extent){ -1, -1, -1, 0 };
	return sql_query(timeline->job->sql, &query, timeline->err);
}

static int read_middle(struct timeline *timeline, const struct talk *talk, int64_t from,
		       struct extent *extent)
{
	const struct sql_value values[] = { sql_text(timeline->job->workspace), sql_text(talk->id),
					    sql_number(from), sql_number(extent->last) };
	const struct sql_query query = {
		.statement = "SELECT position, created_ms FROM message WHERE workspace = $1"
			     " AND conversation = $2 AND position >= $3 AND position <= $4"
			     " ORDER BY position LIMIT 1",
		.values = values,
		.count = COUNT_OF(values),
		.on_row = take_middle,
		.context = extent,
	};

	extent->at = -1;
	return sql_query(timeline->job->sql, &query, timeline->err);
}

/* A conversation is in the order of time, so halving finds where the page begins. */
static int talk_open(struct timeline *timeline, struct talk *talk)
{
	struct extent extent;

	talk->is_opened = true;
	if (read_extent(timeline, talk, &extent) < 0)
		return -1;
	while (timeline->before != NULL && extent.first < extent.last) {
		int64_t middle = extent.first + (extent.last - extent.first + 1) / 2;

		if (read_middle(timeline, talk, middle, &extent) < 0)
			return -1;
		if (extent.at < 0 || extent.ms > timeline->before_ms)
			extent.last = middle - 1;
		else
			extent.first = extent.at;
	}
	talk->next = extent.last;
	return 0;
}

/* What stands in a moved message's place is no message, and does not end with its time. */
static bool is_message(const struct sql_value *json)
{
	return json->len > 3 && memcmp(json->text + json->len - 3, "Z\"}", 3) == 0;
}

static int take_line(const struct sql_value *row, size_t columns, void *context)
{
	struct timeline *timeline = context;
	struct talk *talk = timeline->reading;
	struct line *line = &talk->lines[talk->count];

	(void)columns;
	talk->next = row[0].number - 1;
	snprintf(line->key, sizeof(line->key), "%015lld %s %017lld", (long long)row[1].number,
		 talk->id, (long long)row[0].number);
	if (!is_message(&row[3]) || !is_wanted(timeline, line->key) ||
	    (!timeline->has_notes && text_equal(row[2].text, "note")))
		return 0;
	line->json = copy_text(timeline, &row[3]);
	line->mark = copy_text(timeline, &row[4]);
	line->provider_id = copy_text(timeline, &row[5]);
	line->files = copy_text(timeline, &row[6]);
	talk->count++;
	return 0;
}

/* The next lines; where there are no more, next is -1 and there are none. */
static int talk_read(struct timeline *timeline, struct talk *talk)
{
	const struct sql_value values[] = { sql_text(timeline->job->workspace), sql_text(talk->id),
					    sql_number(0), sql_number(STEP) };
	struct sql_value now[COUNT_OF(values)];
	const struct sql_query query = {
		.statement =
			"SELECT position, created_ms, kind, json, mark, provider_id, files"
			" FROM message WHERE workspace = $1 AND conversation = $2"
			" AND position >= 0 AND position <= $3 ORDER BY position DESC LIMIT $4",
		.values = now,
		.count = COUNT_OF(values),
		.on_row = take_line,
		.context = timeline,
	};

	memcpy(now, values, sizeof(now));
	if (talk->lines == NULL)
		talk->lines = arena_alloc(timeline->job->arena, STEP * sizeof(*talk->lines));
	talk->count = talk->at = 0;
	timeline->reading = talk;
	while (talk->count == 0 && talk->next >= 0) {
		int64_t from = talk->next;

		now[2] = sql_number(from);
		if (sql_query(timeline->job->sql, &query, timeline->err) < 0)
			return -1;
		if (talk->next == from)
			talk->next = -1; /* nothing was left */
	}
	return 0;
}

static int talk_go_on(struct timeline *timeline, struct talk *talk)
{
	if (!talk->is_opened && talk_open(timeline, talk) < 0)
		return -1;
	return talk->at < talk->count ? 0 : talk_read(timeline, talk);
}

/* Sorts as its next key does; "" where it has no more. */
static void talk_head(const struct talk *talk, char ret[KEY_BYTES])
{
	ret[0] = '\0';
	if (!talk->is_opened)
		snprintf(ret, KEY_BYTES, "%015lld ~", (long long)talk->bound);
	else if (talk->at < talk->count)
		snprintf(ret, KEY_BYTES, "%s", talk->lines[talk->at].key);
}

static struct talk *newest_talk(struct timeline *timeline)
{
	struct talk *newest = NULL;
	char key[KEY_BYTES], best[KEY_BYTES] = "";

	for (size_t i = 0; i < timeline->count; i++) {
		talk_head(&timeline->talks[i], key);
		if (strcmp(key, best) > 0) {
			memcpy(best, key, sizeof(best));
			newest = &timeline->talks[i];
		}
	}
	return newest;
}

static void write_line(struct timeline *timeline, const struct talk *talk, const struct line *line)
{
	struct json_out *out = timeline->out;

	jw_object(out, NULL);
	jw_text(out, "key", line->key);
	jw_text(out, "conversation", talk->id);
	jw_text(out, "channel", talk->channel);
	jw_text(out, "json", line->json);
	jw_text(out, "mark", line->mark);
	jw_text(out, "provider_id", line->provider_id);
	jw_text(out, "files", line->files);
	jw_object_end(out);
}

static int write_messages(struct timeline *timeline)
{
	size_t written = 0;
	struct talk *talk;

	if (read_talks(timeline) < 0)
		return -1;
	while (written < timeline->limit && (talk = newest_talk(timeline)) != NULL) {
		if (talk->is_opened) {
			write_line(timeline, talk, &talk->lines[talk->at++]);
			written++;
		}
		if (talk_go_on(timeline, talk) < 0)
			return -1;
	}
	return 0;
}

/* ---- work items: when they were opened, and when they came into the state they are in ---- */

static bool is_held(const struct timeline *timeline, const char *id)
{
	struct json_object *held = json_at(timeline->job->body, "held");

	for (size_t i = 0; i < json_count(held); i++)
		if (text_equal(json_string(json_item(held, i)), id))
			return true;
	return false;
}

static int take_item(const struct sql_value *row, size_t columns, void *context)
{
	struct timeline *timeline = context;
	const char *key =
		arena_format(timeline->job->arena, "%015lld %s%s", (long long)row[2].number,
			     row[0].text, timeline->is_state ? "~" : "");

	(void)columns;
	if (!is_wanted(timeline, key) || is_held(timeline, row[0].text))
		return 0;
	jw_object(timeline->out, NULL);
	jw_text(timeline->out, "key", key);
	jw_text(timeline->out, "id", row[0].text);
	jw_bool(timeline->out, "is_state", timeline->is_state);
	jw_raw(timeline->out, "hash", row[1].text, row[1].len);
	jw_object_end(timeline->out);
	return 0;
}

#define OPENED "w.created_ms"
#define IN_STATE "CASE WHEN w.updated_ms = 0 THEN w.created_ms ELSE w.updated_ms END"
#define ITEMS(ms, condition)                                                                       \
	"SELECT w.id, w.json, " ms " FROM work_item w WHERE w.workspace = $1 AND " ms              \
	" <= $2 AND " condition
#define NEWEST(ms) " ORDER BY " ms " DESC, w.id DESC LIMIT $3"
#define ALONE "w.conversation IS NULL AND w.customer = $4"
#define OF_CONVERSATIONS                                                                           \
	"w.conversation IN (SELECT id FROM conversation WHERE workspace = $1 AND identifier_key"

static int read_items(struct timeline *timeline, const char *statement,
		      const struct sql_value *values, size_t count)
{
	const struct sql_query query = {
		.statement = statement,
		.values = values,
		.count = count,
		.on_row = take_item,
		.context = timeline,
	};

	return sql_query(timeline->job->sql, &query, timeline->err);
}

/* Those of nobody's conversation, by the ids of the customer. */
static int write_alone(struct timeline *timeline, struct sql_value *values)
{
	struct json_object *ids = json_at(timeline->job->body, "customers");
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < json_count(ids); i++) {
		values[3] = sql_text(json_string(json_item(ids, i)));
		rc = read_items(timeline,
				timeline->is_state ? ITEMS(IN_STATE, ALONE) NEWEST(IN_STATE)
						   : ITEMS(OPENED, ALONE) NEWEST(OPENED),
				values, 4);
	}
	return rc;
}

static int write_items(struct timeline *timeline, bool is_state)
{
	int64_t more = (int64_t)json_count(json_at(timeline->job->body, "held")) + ITEMS_MORE;
	struct sql_value values[KEYS_MAX + 3] = { sql_text(timeline->job->workspace),
						  sql_number(timeline->before_ms),
						  sql_number((int64_t)timeline->limit + more) };
	struct buf statement = { 0 };
	int rc;

	timeline->is_state = is_state;
	if (write_alone(timeline, values) < 0)
		return -1;
	buf_text(&statement,
		 is_state ? ITEMS(IN_STATE, OF_CONVERSATIONS) : ITEMS(OPENED, OF_CONVERSATIONS));
	write_keys(timeline, &statement, values);
	buf_text(&statement, is_state ? ")" NEWEST(IN_STATE) : ")" NEWEST(OPENED));
	rc = read_items(timeline, buf_string(&statement), values, COUNT_OF(values));
	buf_clear(&statement);
	return rc;
}

/* ---- business events ---- */

static int take_event(const struct sql_value *row, size_t columns, void *context)
{
	struct timeline *timeline = context;
	const char *key = arena_format(timeline->job->arena, "%015lld %s", (long long)row[2].number,
				       row[0].text);

	(void)columns;
	if (!is_wanted(timeline, key) || is_held(timeline, row[0].text))
		return 0;
	jw_object(timeline->out, NULL);
	jw_text(timeline->out, "key", key);
	jw_textn(timeline->out, "json", row[1].text, row[1].len);
	jw_object_end(timeline->out);
	return 0;
}

static int write_events(struct timeline *timeline)
{
	struct json_object *ids = json_at(timeline->job->body, "customers");
	int64_t more = (int64_t)json_count(json_at(timeline->job->body, "held")) + ITEMS_MORE;
	struct sql_value values[] = { sql_text(timeline->job->workspace),
				      sql_number(timeline->before_ms),
				      sql_number((int64_t)timeline->limit + more), sql_number(0) };
	const struct sql_query query = {
		.statement = "SELECT id, json, at_ms FROM customer_event WHERE workspace = $1"
			     " AND customer = $4 AND at_ms <= $2"
			     " ORDER BY at_ms DESC, id DESC LIMIT $3",
		.values = values,
		.count = COUNT_OF(values),
		.on_row = take_event,
		.context = timeline,
	};

	for (size_t i = 0; i < json_count(ids); i++) {
		values[3] = sql_text(json_string(json_item(ids, i)));
		if (sql_query(timeline->job->sql, &query, timeline->err) < 0)
			return -1;
	}
	return 0;
}

/* {customers[], identifiers[] (hashes), here {conversation: the first position that is in the
 * store}, held[] (work items and events that are there), before (a key), limit, notes, only_events}
 * -> messages, items and events, more than limit of each where there are. */
int history_op_past_timeline(struct history_job *job, struct json_out *out, struct error *err)
{
	const char *before = json_text(job->body, "before");
	struct timeline timeline = {
		.job = job,
		.out = out,
		.err = err,
		.before = before,
		.before_ms = before == NULL ? INT64_MAX : strtoll(before, NULL, 10),
		.has_notes = json_bool(job->body, "notes", false),
		.limit = LIMIT_MAX + 1,
	};
	int64_t limit = json_int(job->body, "limit", LIMIT_MAX);
	bool is_whole = !json_bool(job->body, "only_events", false);
	int rc = 0;

	if (limit >= 1 && limit < LIMIT_MAX)
		timeline.limit = (size_t)limit + 1;
	jw_array(out, "messages");
	if (is_whole)
		rc = write_messages(&timeline);
	jw_array_end(out);
	jw_array(out, "items");
	if (rc == 0 && is_whole)
		rc = write_items(&timeline, false);
	if (rc == 0 && is_whole)
		rc = write_items(&timeline, true);
	jw_array_end(out);
	jw_array(out, "events");
	if (rc == 0 && timeline.has_notes)
		rc = write_events(&timeline);
	jw_array_end(out);
	return rc;
}
