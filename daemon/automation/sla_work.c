#include "automation/sla_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "automation/sla_store.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/roster.h"
#include "routing/work.h"
#include "services/loop.h"
#include "store/log_entry.h"
#include "store/store.h"
#include "workspace.h"

enum { RUN_CHANGES_MAX = SLA_CHANGES_MAX - 24 };

struct pending {
	STAILQ_ENTRY(pending) link;
	struct sla_news news;
	void *mark;
};

struct sla_work {
	const struct sla_desk *desk;
	char *id;
	STAILQ_HEAD(, pending) news;
	int64_t look_ms;         /* time alone is to be taken in up to then; 0: not */
	bool is_escalated;       /* ... and with it that who was to be asked has been */
	size_t taken;            /* of news, by the write under way; 0: it is a look */
	struct sla_record after; /* as it is being written */
	bool is_busy, is_dead;
	int refs;
};

struct sla_work *sla_work_new(const struct sla_desk *desk, const char *id)
{
	struct sla_work *work = memory_new(sizeof(*work));

	work->desk = desk;
	work->id = memory_text(id);
	work->refs = 1;
	STAILQ_INIT(&work->news);
	return work;
}

static void work_unref(void *object)
{
	struct sla_work *work = object;
	struct pending *pending;

	if (--work->refs > 0)
		return;
	while ((pending = STAILQ_FIRST(&work->news)) != NULL) {
		STAILQ_REMOVE_HEAD(&work->news, link);
		free(pending);
	}
	free(work->id);
	free(work);
}

void sla_work_free(struct sla_work **work)
{
	struct sla_work *held = *work;

	*work = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_defer_free(held->desk->parts->loop, held, work_unref);
}

const char *sla_work_id(const struct sla_work *work)
{
	return work->id;
}

void sla_work_add(struct sla_work *work, const struct sla_news *news, void *mark)
{
	struct pending *pending = memory_new(sizeof(*pending));

	pending->news = *news;
	pending->mark = mark;
	STAILQ_INSERT_TAIL(&work->news, pending, link);
}

void sla_work_look(struct sla_work *work, int64_t now_ms)
{
	if (work->look_ms == 0)
		work->look_ms = now_ms;
}

/* An answer came: false where nobody wants it any more. */
static bool answer_taken(struct sla_work *work)
{
	bool is_dead = work->is_dead;

	work->is_busy = false;
	work_unref(work);
	return !is_dead;
}

static void busy(struct sla_work *work)
{
	work->is_busy = true;
	work->refs++;
}

/* ---- asking somebody else ---- */

static void on_escalated(const struct work_result *result, const struct error *err, void *context)
{
	struct sla_work *work = context;

	if (!answer_taken(work))
		return;
	if (result->code == WORK_FAILED)
		return; /* asked again at the next look */
	if (result->code != WORK_OK)
		log_info(work->id, "event=sla_escalation_refused reason=%s",
			 log_quote(result->refusal != NULL ? result->refusal : "conflict"));
	(void)err;
	work->is_escalated = true;
	sla_work_look(work, loop_unix_ms(work->desk->parts->loop));
	sla_work_go(work);
}

static void escalate(struct sla_work *work)
{
	const struct sla_record *record = &work->after;
	const char *target = strchr(record->escalate, ':') + 1;
	bool to_queue = text_starts(record->escalate, "queue:");
	char id[ID_BYTES];
	char key[200];
	const struct work_call call = {
		.store = work->desk->parts->store,
		.workspace = workspace_name(work->desk->workspace),
		.work_item = work->id,
		.key = key,
		.request = "sla",
	};
	const struct work_transfer transfer = {
		.queue = to_queue ? target : NULL,
		.agent = to_queue ? NULL : target,
		.transfer = id,
		.accept_ms = record->escalate_accept_ms,
		.reason = "a service level clock is late",
	};

	/* The same deadline asks once, whoever is the steward. */
	snprintf(key, sizeof(key), "sla:%s:%lld:%s", work->id, (long long)record->escalate_ms,
		 record->escalate);
	id_new("trf_", id);
	busy(work);
	work_transfer(&call, &transfer, on_escalated, work);
}

/* ---- taking facts in ---- */

static void finished(struct sla_work *work)
{
	struct pending *pending;

	if (work->taken == 0) {
		work->look_ms = 0;
		work->is_escalated = false;
	}
	for (; work->taken > 0; work->taken--) {
		pending = STAILQ_FIRST(&work->news);
		STAILQ_REMOVE_HEAD(&work->news, link);
		work->desk->on_done(pending->mark, work->desk->context);
		free(pending);
	}
	if (strchr(work->after.escalate, ':') != NULL)
		escalate(work);
	else
		sla_work_go(work);
}

static void on_put(const char *refusal, const struct error *err, void *context)
{
	struct sla_work *work = context;

	if (!answer_taken(work) || err != NULL)
		return; /* tried again at the next tick */
	if (refusal == NULL || text_equal(refusal, "not_found")) {
		finished(work);
	} else if (text_equal(refusal, "changed")) {
		sla_work_go(work);
	} else if (!text_equal(refusal, "early") && !text_equal(refusal, "behind")) {
		log_debug(work->id, "event=sla_refused reason=%s", refusal);
	}
}

static bool is_known(const struct sla_record *record, const char *position)
{
	int64_t known_generation, generation;
	struct log_id known, id;

	if (!log_position_parse(record->position, &known_generation, &known) ||
	    !log_position_parse(position, &generation, &id))
		return false;
	if (generation != known_generation)
		return generation < known_generation;
	return log_id_compare(id, known) <= 0;
}

/* The item's texts are borrowed: only for the step. */
static void step(const struct sla_work *work, const struct sla_item *item,
		 struct sla_record *record, const struct sla_fact *news,
		 struct sla_changes *changes)
{
	struct sla_fact fact = *news;

	fact.subject = item->facts.subject;
	fact.has_conversation = item->facts.has_conversation;
	fact.created_ms = item->facts.created_ms;
	fact.first_response_ms = item->facts.first_response_ms;
	/* What was raised a moment ago is not in the store yet. */
	if (changes->has_urgency)
		fact.subject.urgency = changes->urgency;
	/* Nobody has told of its state yet: it is as it is. */
	if (fact.state == NULL && record->state[0] == '\0') {
		fact.state = item->state;
		fact.waiting = item->waiting;
		fact.agent = item->agent;
	}
	sla_step(record, roster_sla_policies(workspace_roster(work->desk->workspace)), &fact,
		 changes);
}

static void take_news(struct sla_work *work, const struct sla_item *item,
		      struct sla_changes *changes)
{
	struct pending *pending;

	STAILQ_FOREACH (pending, &work->news, link) {
		struct sla_news *news = &pending->news;

		if (changes->count > RUN_CHANGES_MAX)
			break;
		work->taken++;
		if (is_known(&work->after, news->position))
			continue;
		news->fact.position = news->position;
		news->fact.state = news->state[0] == '\0' ? NULL : news->state;
		news->fact.waiting = news->waiting;
		news->fact.agent = news->agent;
		step(work, item, &work->after, &news->fact, changes);
	}
}

static bool is_same(const struct sla_record *before, const struct sla_record *after)
{
	struct sla_record a = *before, b = *after;
	struct buf left = { 0 }, right = { 0 };
	bool same;

	a.position[0] = b.position[0] = '\0';
	sla_record_write(&a, &left);
	sla_record_write(&b, &right);
	same = left.len == right.len && memcmp(left.data, right.data, left.len) == 0;
	buf_clear(&left);
	buf_clear(&right);
	return same || (sla_record_is_empty(before) && sla_record_is_empty(after));
}

static void on_item(const struct sla_item *item, const struct error *err, void *context)
{
	struct sla_work *work = context;
	struct sla_changes changes = { .count = 0 };
	struct sla_put put = { .changes = &changes, .record = &work->after };
	bool is_look;

	if (!answer_taken(work) || err != NULL || workspace_roster(work->desk->workspace) == NULL)
		return; /* tried again at the next tick */
	work->taken = 0;
	work->after = item->record;
	is_look = STAILQ_EMPTY(&work->news);
	if (!is_look) {
		take_news(work, item, &changes);
	} else if (item->state[0] != '\0') {
		const struct sla_fact look = { .time_ms = work->look_ms,
					       .escalated = work->is_escalated };

		step(work, item, &work->after, &look, &changes);
	}
	if (is_same(&item->record, &work->after) &&
	    (!is_look || (item->kept[0] == '\0' && item->state[0] != '\0'))) {
		finished(work);
		return;
	}
	put.workspace = workspace_name(work->desk->workspace);
	put.fence = work->desk->fence;
	put.work_item = work->id;
	put.kept = item->kept;
	put.time_ms = is_look && changes.count > 0 ? work->look_ms : 0;
	put.position = work->desk->position(work->desk->context);
	busy(work);
	sla_item_put(work->desk->parts->store, &put, on_put, work);
}

void sla_work_go(struct sla_work *work)
{
	if (work->is_busy || work->is_dead)
		return;
	if (STAILQ_EMPTY(&work->news) && work->look_ms == 0) {
		work->desk->on_idle(work, work->desk->context);
		return;
	}
	if (workspace_roster(work->desk->workspace) == NULL ||
	    !store_is_up(work->desk->parts->store))
		return;
	busy(work);
	sla_item_read(work->desk->parts->store, workspace_name(work->desk->workspace), work->id,
		      on_item, work);
}
