#include "automation/sla.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "automation/sla_work.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "store/log.h"
#include "store/store.h"
#include "workspace.h"

enum {
	TICK_MS = 250,
	DUE_MAX = 500,
	PAGE = 500,
	MARKS_MAX = 5000,
	MARKS_LOW = 1000,
	SCORE_BYTES = 40,
};

/* An entry that was handed to an item and is not taken in yet; in the log's order. */
struct mark {
	TAILQ_ENTRY(mark) link;
	char position[SLA_POSITION_BYTES];
	bool is_done;
};

struct sla {
	struct parts *parts;
	struct workspace *workspace;
	char *fence;
	struct sla_desk desk;
	struct log_reader *reader;
	struct loop_timer *tick;
	struct map *works; /* by work item */
	TAILQ_HEAD(, mark) marks;
	size_t mark_count;
	char handed[SLA_POSITION_BYTES]; /* up to where the log was read */
	char passed[SLA_POSITION_BYTES]; /* ... and taken in */
	char kept[SLA_POSITION_BYTES];   /* ... and that is in the store */
	uint64_t digest;                 /* of the policies that all items were looked at with */
	bool is_looking;                 /* all items are being looked at again */
	char look_from[SCORE_BYTES];     /* ... those from this score on */
	bool has_more_due;               /* than were read at once */
	bool is_reading_due, is_reading_page, is_keeping, is_starting;
	int refs;
	bool is_dead;
};

static void sla_unref(void *object)
{
	struct sla *sla = object;
	struct mark *mark;

	if (--sla->refs > 0)
		return;
	while ((mark = TAILQ_FIRST(&sla->marks)) != NULL) {
		TAILQ_REMOVE(&sla->marks, mark, link);
		free(mark);
	}
	map_free(&sla->works);
	free(sla->fence);
	free(sla);
}

/* An answer came: false where nobody wants it any more. */
static bool answer_taken(struct sla *sla)
{
	bool is_dead = sla->is_dead;

	sla_unref(sla);
	return !is_dead;
}

static const struct sla_policies *policies(const struct sla *sla)
{
	const struct roster *roster = workspace_roster(sla->workspace);

	return roster == NULL ? NULL : roster_sla_policies(roster);
}

static bool has_policies(const struct sla *sla)
{
	return policies(sla) != NULL && sla_policies_count(policies(sla)) > 0;
}

/* ---- items ---- */

static struct sla_work *work_of(struct sla *sla, const char *id)
{
	struct sla_work *work = map_get(sla->works, id);

	if (work == NULL) {
		work = sla_work_new(&sla->desk, id);
		map_put(sla->works, id, work);
	}
	return work;
}

static void look(struct sla *sla, const char *id)
{
	struct sla_work *work = work_of(sla, id);

	sla_work_look(work, loop_unix_ms(sla->parts->loop));
	sla_work_go(work);
}

static const char *on_position(void *context)
{
	const struct sla *sla = context;

	return sla->handed;
}

static void on_idle(struct sla_work *work, void *context)
{
	struct sla *sla = context;

	map_remove(sla->works, sla_work_id(work));
	sla_work_free(&work);
	/* More wait for room: the next tick need not be awaited. */
	if (map_count(sla->works) == 0 && (sla->is_looking || sla->has_more_due))
		loop_timer_start(sla->tick, 0);
}

static void marks_pass(struct sla *sla)
{
	struct mark *mark;

	while ((mark = TAILQ_FIRST(&sla->marks)) != NULL && mark->is_done) {
		TAILQ_REMOVE(&sla->marks, mark, link);
		memcpy(sla->passed, mark->position, sizeof(sla->passed));
		free(mark);
		sla->mark_count--;
	}
	if (mark == NULL)
		memcpy(sla->passed, sla->handed, sizeof(sla->passed));
}

static void on_done(void *object, void *context)
{
	struct mark *mark = object;

	mark->is_done = true;
	marks_pass(context);
}

/* ---- the log ---- */

static void reader_open(struct sla *sla);

static void position_set(struct sla *sla, const char *position)
{
	snprintf(sla->handed, sizeof(sla->handed), "%s", position);
	marks_pass(sla);
}

static void on_entry(const struct log_entry *entry, void *context)
{
	struct sla *sla = context;
	struct sla_news news;
	struct sla_work *work;
	struct mark *mark;

	if (!has_policies(sla) || !sla_news_read(entry, &news)) {
		position_set(sla, entry->position);
		return;
	}
	mark = memory_new(sizeof(*mark));
	snprintf(mark->position, sizeof(mark->position), "%s", entry->position);
	TAILQ_INSERT_TAIL(&sla->marks, mark, link);
	sla->mark_count++;
	position_set(sla, entry->position);
	work = work_of(sla, entry->work_item);
	sla_work_add(work, &news, mark);
	sla_work_go(work);
	/* No more than can be held: the rest is read when these are done. */
	if (sla->mark_count >= MARKS_MAX)
		log_reader_free(&sla->reader);
}

static void look_at_all(struct sla *sla)
{
	sla->is_looking = true;
	snprintf(sla->look_from, sizeof(sla->look_from), "-inf");
}

static void on_reset(const char *position, void *context)
{
	struct sla *sla = context;

	position_set(sla, position);
	look_at_all(sla);
}

static void on_batch(const char *position, void *context)
{
	position_set(context, position);
}

static void reader_open(struct sla *sla)
{
	const struct log_reader_options options = {
		.workspace = workspace_name(sla->workspace),
		.after = sla->handed[0] == '\0' ? NULL : sla->handed,
	};

	sla->reader = log_reader_new(sla->parts->loop, sla->parts->store, &options, on_entry,
				     on_reset, on_batch, sla);
}

static void on_cursor(const struct store_reply *reply, const struct error *err, void *context)
{
	struct sla *sla = context;
	const char *position = reply_text(reply, NULL);

	sla->is_starting = false;
	if (!answer_taken(sla) || err != NULL)
		return; /* tried again at the next tick */
	if (position != NULL) {
		snprintf(sla->handed, sizeof(sla->handed), "%s", position);
		memcpy(sla->passed, sla->handed, sizeof(sla->passed));
		memcpy(sla->kept, sla->handed, sizeof(sla->kept));
	}
	reader_open(sla);
}

static void cursor_read(struct sla *sla)
{
	struct store_call *call = store_command("GET");

	store_arg_key(call, workspace_name(sla->workspace), "cur:sla");
	sla->is_starting = true;
	sla->refs++;
	store_read(sla->parts->store, call, on_cursor, sla);
}

static void on_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	struct sla *sla = context;

	(void)reply;
	sla->is_keeping = false;
	if (err != NULL)
		sla->kept[0] = '\0';
	(void)answer_taken(sla);
}

static void cursor_keep(struct sla *sla)
{
	struct store_call *call;

	if (sla->is_keeping || sla->passed[0] == '\0' || text_equal(sla->passed, sla->kept))
		return;
	memcpy(sla->kept, sla->passed, sizeof(sla->kept));
	call = store_script("cursor_put", workspace_name(sla->workspace));
	store_key(call, "cur:sla");
	store_arg_text(call, sla->passed);
	store_arg_int(call, 0);
	sla->is_keeping = true;
	sla->refs++;
	store_run(sla->parts->store, call, on_kept, sla);
}

/* ---- deadlines ---- */

static void on_due(const struct store_reply *reply, const struct error *err, void *context)
{
	struct sla *sla = context;

	sla->is_reading_due = false;
	if (!answer_taken(sla))
		return;
	sla->has_more_due = err == NULL && reply_count(reply) == DUE_MAX;
	for (size_t i = 0; err == NULL && i < reply_count(reply); i++)
		look(sla, reply_text(reply_item(reply, i), NULL));
}

static struct store_call *range_call(const struct sla *sla, const char *key)
{
	struct store_call *call = store_command("ZRANGEBYSCORE");

	store_arg_key(call, workspace_name(sla->workspace), "%s", key);
	return call;
}

static void due_read(struct sla *sla)
{
	struct store_call *call;

	if (sla->is_reading_due)
		return;
	call = range_call(sla, "sla");
	store_arg_text(call, "-inf");
	/* Only shown here: the script asks the store's own clock whether it is really due. */
	store_arg_int(call, loop_unix_ms(sla->parts->loop));
	store_arg_text(call, "LIMIT");
	store_arg_int(call, 0);
	store_arg_int(call, DUE_MAX);
	sla->is_reading_due = true;
	sla->refs++;
	store_read(sla->parts->store, call, on_due, sla);
}

/* ---- all items, after the policies changed or the log was lost ---- */

static void on_page(const struct store_reply *reply, const struct error *err, void *context)
{
	struct sla *sla = context;
	size_t count = reply_count(reply) / 2;
	const char *last;

	sla->is_reading_page = false;
	if (!answer_taken(sla) || err != NULL || !sla->is_looking)
		return;
	for (size_t i = 0; i < count; i++)
		look(sla, reply_text(reply_item(reply, 2 * i), NULL));
	sla->is_looking = count == PAGE;
	if (!sla->is_looking)
		return;
	/* Some of the last score may be on the next page: they are looked at again. */
	last = reply_text(reply_item(reply, 2 * PAGE - 1), NULL);
	snprintf(sla->look_from, sizeof(sla->look_from), "%s%s",
		 text_equal(last, sla->look_from) ? "(" : "", last);
}

static void page_read(struct sla *sla)
{
	struct store_call *call;

	if (!sla->is_looking || sla->is_reading_page || map_count(sla->works) >= PAGE)
		return;
	call = range_call(sla, "wx");
	store_arg_text(call, sla->look_from);
	store_arg_text(call, "+inf");
	store_arg_text(call, "WITHSCORES");
	store_arg_text(call, "LIMIT");
	store_arg_int(call, 0);
	store_arg_int(call, PAGE);
	sla->is_reading_page = true;
	sla->refs++;
	store_read(sla->parts->store, call, on_page, sla);
}

void sla_policies_changed(struct sla *sla)
{
	const struct roster *roster = workspace_roster(sla->workspace);

	if (roster == NULL || roster_sla_digest(roster) == sla->digest)
		return;
	sla->digest = roster_sla_digest(roster);
	look_at_all(sla);
}

/* ---- life ---- */

static void works_go(struct sla *sla)
{
	struct sla_work **list =
		memory_new((map_count(sla->works) + 1) * sizeof(struct sla_work *));
	struct sla_work *work;
	size_t count = 0, at = 0;
	const char *id;

	while ((work = map_next(sla->works, &at, &id)) != NULL)
		list[count++] = work;
	for (size_t i = 0; i < count; i++)
		sla_work_go(list[i]); /* may take itself off the map */
	free(list);
}

static void on_tick(void *context)
{
	struct sla *sla = context;

	loop_timer_start(sla->tick, TICK_MS);
	if (!store_is_up(sla->parts->store))
		return;
	if (sla->reader == NULL && !sla->is_starting && sla->mark_count < MARKS_LOW) {
		if (sla->handed[0] == '\0')
			cursor_read(sla);
		else
			reader_open(sla);
	}
	sla_policies_changed(sla);
	works_go(sla);
	due_read(sla);
	page_read(sla);
	cursor_keep(sla);
}

struct sla *sla_new(struct parts *parts, struct workspace *workspace, const char *fence)
{
	struct sla *sla = memory_new(sizeof(*sla));

	sla->parts = parts;
	sla->workspace = workspace;
	sla->fence = memory_text(fence);
	sla->desk = (struct sla_desk){
		.parts = parts,
		.workspace = workspace,
		.fence = sla->fence,
		.position = on_position,
		.on_done = on_done,
		.on_idle = on_idle,
		.context = sla,
	};
	sla->works = map_new();
	sla->refs = 1;
	TAILQ_INIT(&sla->marks);
	sla->tick = loop_timer_new(parts->loop, on_tick, sla);
	loop_timer_start(sla->tick, TICK_MS);
	cursor_read(sla);
	return sla;
}

/* The last goes after the answers that items still await, which read their desk. */
void sla_free(struct sla **sla)
{
	struct sla *held = *sla;
	struct sla_work *work;
	size_t at = 0;
	const char *id;

	*sla = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	log_reader_free(&held->reader);
	loop_timer_free(&held->tick);
	while ((work = map_next(held->works, &at, &id)) != NULL)
		sla_work_free(&work);
	loop_defer_free(held->parts->loop, held, sla_unref);
}
