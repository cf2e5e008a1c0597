#include "workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "automation/classify.h"
#include "automation/sla.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "config.h"
#include "delivery/deliveries.h"
#include "events/webhooks.h"
#include "history/erase.h"
#include "history/erased.h"
#include "history/evictor.h"
#include "history/history.h"
#include "history/restore.h"
#include "history/retention.h"
#include "history/writer.h"
#include "media/discard.h"
#include "media/media.h"
#include "routing/figures.h"
#include "routing/roster.h"
#include "routing/router.h"
#include "services/loop.h"
#include "store/lease.h"
#include "store/log.h"
#include "store/log_keep.h"
#include "store/store.h"

enum { LOAD_RETRY_MS = 500, STOPPED_TELL_MS = 60 * 1000, WHO_BYTES = 100, WHISPER_BYTES = 160 };

struct waiter {
	STAILQ_ENTRY(waiter) link;
	void (*fn)(void *context);
	void *context;
};

struct listener {
	TAILQ_ENTRY(listener) link;
	struct workspace *workspace;
	listener_entry_fn *on_entry;
	listener_reset_fn *on_reset;
	void *context;
};

struct hearer {
	TAILQ_ENTRY(hearer) link;
	struct workspace *workspace;
	hearer_fn *fn;
	void *context;
};

struct workspace {
	TAILQ_ENTRY(workspace) link;
	struct parts *parts;
	char *name;
	struct roster *roster;
	struct figures *figures;
	struct log_reader *reader;
	struct log_keeper *keeper;
	struct lease *lease;
	struct router *router;
	struct deliveries *deliveries;
	struct sla *sla;
	struct classify *classify;
	struct classify_counts classified;
	struct webhooks *webhooks;
	struct webhook_counts hooked;
	struct media *media;
	struct writer *writer;
	struct writer_counts written;
	struct evictor *evictor;
	struct erase *erase;
	struct evict_counts evicted;
	struct erased *erased;
	struct retention *retention;
	struct retain_counts retained;
	struct restore *restore;
	struct discard *discard;
	STAILQ_HEAD(, waiter) waiters;
	TAILQ_HEAD(, listener) listeners;
	TAILQ_HEAD(, hearer) hearers;
	struct bell_ear *ear;
	struct loop_timer *load_timer;
	int64_t stopped_count; /* patterns that took too long */
	int64_t stopped_told_ms;
	bool is_live; /* the reader stands in the log: nothing is missed from here on */
	bool is_loading;
	bool is_stale; /* changed while it was being read */
	bool is_gone;  /* only answers still on their way may come */
};

struct workspaces {
	struct parts *parts;
	TAILQ_HEAD(, workspace) list;
};

static void roster_free_later(void *object)
{
	struct roster *roster = object;

	roster_free(&roster);
}

/* ---- the configuration ---- */

static void waiters_call(struct workspace *workspace)
{
	struct waiter *waiter;

	while ((waiter = STAILQ_FIRST(&workspace->waiters)) != NULL) {
		STAILQ_REMOVE_HEAD(&workspace->waiters, link);
		loop_soon(workspace->parts->loop, waiter->fn, waiter->context);
		free(waiter);
	}
}

static void workspace_load(struct workspace *workspace);

static void on_counted(const struct store_reply *reply, const struct error *err, void *context)
{
	struct workspace *workspace = context;
	const struct store_reply *queues = err == NULL ? reply_item(reply, 0) : NULL;

	for (size_t i = 0; !workspace->is_gone && i < reply_count(queues); i++)
		figures_set_waiting(workspace->figures,
				    reply_text(reply_item(reply_item(queues, i), 0), NULL),
				    reply_int(reply_item(reply_item(queues, i), 1)));
}

static void waiting_count(struct workspace *workspace)
{
	struct store_call *call = store_script("live_read", workspace->name);
	size_t count;
	const struct queue_row *queues = roster_queues(workspace->roster, &count);

	store_arg_int(call, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		store_arg_text(call, queues[i].id);
	store_read(workspace->parts->store, call, on_counted, workspace);
}

/* Freed by the caller; the names are the channels'. */
static const char **channels_with_calls(struct channels *channels, const char *workspace)
{
	const char **names = memory_new(sizeof(*names));
	struct channel *channel;
	size_t count = 0;

	for (size_t i = 0; (channel = channel_at(channels, i)) != NULL; i++) {
		if ((channel_connector(channel)->abilities & HAS_CALLS) == 0 ||
		    !text_equal(channel_workspace(channel), workspace))
			continue;
		names = memory_grow(names, count + 2, sizeof(*names));
		names[count++] = channel_name(channel);
		names[count] = NULL;
	}
	return names;
}

static void on_loaded(const struct store_reply *reply, const struct error *err, void *context)
{
	struct workspace *workspace = context;
	struct roster *old = workspace->roster;
	struct error problem = { 0 };
	const char **calls;

	workspace->is_loading = false;
	if (workspace->is_gone)
		return;
	if (err != NULL || reply_count(reply) != ROSTER_KINDS + 1) {
		log_warn("workspace", "workspace=%s event=config_not_read error=%s",
			 workspace->name, log_quote(err == NULL ? "unexpected answer" : err->text));
		loop_timer_start(workspace->load_timer, LOAD_RETRY_MS);
		return;
	}
	calls = channels_with_calls(workspace->parts->channels, workspace->name);
	workspace->roster = roster_new(reply, calls, &problem);
	free(calls);
	if (problem.kind != ERROR_NONE)
		log_warn("workspace", "workspace=%s event=config_problem error=%s", workspace->name,
			 log_quote(problem.text));
	if (old != NULL)
		loop_defer_free(workspace->parts->loop, old, roster_free_later);
	waiting_count(workspace);
	if (workspace->router != NULL)
		router_roster_changed(workspace->router);
	if (workspace->sla != NULL)
		sla_policies_changed(workspace->sla);
	/* Who waits for a change wants what was read after it. */
	if (workspace->is_stale)
		workspace_load(workspace);
	else
		waiters_call(workspace);
}

static void workspace_load(struct workspace *workspace)
{
	struct store_call *call;

	workspace->is_stale = workspace->is_loading;
	if (workspace->is_loading)
		return;
	workspace->is_loading = true;
	call = store_script("roster_read", workspace->name);
	for (size_t i = 0; i < ROSTER_KINDS; i++)
		store_key(call, "cfg:%s", roster_kinds[i]);
	store_run(workspace->parts->store, call, on_loaded, workspace);
}

static void on_load_timer(void *context)
{
	workspace_load(context);
}

/* ---- the log ---- */

static void figures_count(struct workspace *workspace, const struct log_entry *entry)
{
	const struct queue_row *queue = workspace->roster == NULL || entry->queue == NULL
						? NULL
						: roster_queue(workspace->roster, entry->queue);

	figures_entry(workspace->figures, entry, queue == NULL ? 0 : queue->service_level_ms);
}

static void on_entry(const struct log_entry *entry, void *context)
{
	struct workspace *workspace = context;
	struct listener *listener;
	struct listener *next;

	if (text_starts(entry->type, "config."))
		workspace_load(workspace);
	figures_count(workspace, entry);
	for (listener = TAILQ_FIRST(&workspace->listeners); listener != NULL; listener = next) {
		next = TAILQ_NEXT(listener, link);
		listener->on_entry(entry, listener->context);
	}
	if (workspace->router != NULL)
		router_entry(workspace->router, entry);
	if (workspace->deliveries != NULL)
		deliveries_entry(workspace->deliveries, entry);
	if (workspace->classify != NULL)
		classify_entry(workspace->classify, entry);
}

static void on_reset(const char *position, void *context)
{
	struct workspace *workspace = context;
	struct listener *listener;
	struct listener *next;

	log_warn("workspace", "workspace=%s event=log_reset position=%s", workspace->name,
		 position);
	workspace_load(workspace);
	figures_reset(workspace->figures);
	for (listener = TAILQ_FIRST(&workspace->listeners); listener != NULL; listener = next) {
		next = TAILQ_NEXT(listener, link);
		listener->on_reset(position, listener->context);
	}
	if (workspace->router != NULL)
		router_resync(workspace->router);
	if (workspace->deliveries != NULL)
		deliveries_resync(workspace->deliveries);
}

/* What was read from state before the reader stood in the log may be older than its first entry. */
static void on_batch(const char *position, void *context)
{
	struct workspace *workspace = context;

	(void)position;
	if (workspace->is_live)
		return;
	workspace->is_live = true;
	workspace_load(workspace);
	if (workspace->router != NULL)
		router_resync(workspace->router);
	if (workspace->deliveries != NULL)
		deliveries_resync(workspace->deliveries);
}

/* What was read before may be news that the store lost, and that no log entry had told yet. */
static void on_store_change(bool up, void *context)
{
	struct workspace *workspace = context;

	if (up && workspace->router != NULL)
		router_resync(workspace->router);
	if (up && workspace->deliveries != NULL)
		deliveries_resync(workspace->deliveries);
}

/* ---- stewardship ---- */

static void on_steward(bool held, const char *fence, void *context)
{
	struct workspace *workspace = context;

	log_info("workspace", "workspace=%s event=%s", workspace->name,
		 held ? "steward_won" : "steward_lost");
	/* First: what cannot be sent any more says so while it is still listened to, and what is to
	 * be sent finds its connection being opened. */
	channels_steward(workspace->parts->channels, workspace->name, held);
	router_free(&workspace->router);
	deliveries_free(&workspace->deliveries);
	sla_free(&workspace->sla);
	classify_free(&workspace->classify);
	webhooks_free(&workspace->webhooks);
	media_free(&workspace->media);
	discard_free(&workspace->discard);
	writer_free(&workspace->writer);
	evictor_free(&workspace->evictor);
	erase_free(&workspace->erase);
	erased_free(&workspace->erased);
	retention_free(&workspace->retention);
	log_keeper_set_steward(workspace->keeper, held);
	if (!held)
		return;
	workspace->router = router_new(workspace->parts, workspace, fence);
	workspace->deliveries = deliveries_new(workspace->parts, workspace, fence);
	workspace->sla = sla_new(workspace->parts, workspace, fence);
	workspace->classify =
		classify_new(workspace->parts, workspace, fence, &workspace->classified);
	workspace->webhooks = webhooks_new(workspace->parts, workspace, fence, &workspace->hooked);
	workspace->media = media_new(workspace->parts, workspace, fence);
	workspace->discard = discard_new(workspace->parts, workspace);
	workspace->erased = erased_new(workspace->parts, workspace);
	workspace->erase = erase_new(workspace->parts, workspace, fence, &workspace->retained);
	if (!history_is_kept(workspace->parts->history))
		return;
	workspace->retention = retention_new(workspace->parts, workspace);
	workspace->writer = writer_new(workspace->parts, workspace, &workspace->written);
	workspace->evictor = evictor_new(workspace->parts, workspace, fence, &workspace->evicted);
}

/* ---- whispers: "typing <conversation> <who>" and other signs, and to the steward ---- */

static const char *const signs[] = {
	[SIGN_TYPING] = "typing", [SIGN_VIEWING] = "viewing", [SIGN_GONE] = "gone"
};

static const char reread_whisper[] = "history reread";

void workspace_tell_reread(struct workspace *workspace)
{
	store_whisper(workspace->parts->store, workspace->name, reread_whisper);
}

static void on_whisper(const char *text, void *context)
{
	struct workspace *workspace = context;
	struct hearer *hearer;
	char conversation[ID_BYTES];
	char who[WHO_BYTES];
	char word[16];

	if (text_equal(text, reread_whisper) && workspace->writer != NULL)
		writer_reread(workspace->writer);
	if (sscanf(text, "%15s %31s %99s", word, conversation, who) != 3)
		return;
	for (enum sign sign = SIGN_TYPING; sign < COUNT_OF(signs); sign++)
		TAILQ_FOREACH (hearer, &workspace->hearers, link)
			if (text_equal(word, signs[sign]))
				hearer->fn(sign, conversation, who, hearer->context);
}

void workspace_tell_sign(struct workspace *workspace, enum sign sign, const char *conversation,
			 const char *who)
{
	char text[WHISPER_BYTES];

	snprintf(text, sizeof(text), "%s %s %s", signs[sign], conversation, who);
	store_whisper(workspace->parts->store, workspace->name, text);
}

struct hearer *workspace_hear(struct workspace *workspace, hearer_fn *fn, void *context)
{
	struct hearer *hearer = memory_new(sizeof(*hearer));

	hearer->workspace = workspace;
	hearer->fn = fn;
	hearer->context = context;
	TAILQ_INSERT_TAIL(&workspace->hearers, hearer, link);
	return hearer;
}

void hearer_free(struct hearer **hearer)
{
	if (*hearer == NULL)
		return;
	TAILQ_REMOVE(&(*hearer)->workspace->hearers, *hearer, link);
	free(*hearer);
	*hearer = NULL;
}

/* ---- life ---- */

static struct workspace *workspace_new(struct parts *parts, const char *name)
{
	struct workspace *workspace = memory_new(sizeof(*workspace));
	struct log_reader_options options = { .workspace = name };
	static const char *const log_readers[] = { "sla", "webhooks", "history" };
	struct log_keeper_options keep = { .workspace = name,
					   .readers = log_readers,
					   .reader_count =
						   history_is_kept(parts->history) ? 3 : 2 };

	workspace->parts = parts;
	workspace->name = memory_text(name);
	workspace->figures = figures_new(loop_unix_ms(parts->loop));
	STAILQ_INIT(&workspace->waiters);
	TAILQ_INIT(&workspace->listeners);
	TAILQ_INIT(&workspace->hearers);
	workspace->ear = store_hear(parts->store, name, on_whisper, workspace);
	workspace->load_timer = loop_timer_new(parts->loop, on_load_timer, workspace);
	workspace->reader = log_reader_new(parts->loop, parts->store, &options, on_entry, on_reset,
					   on_batch, workspace);
	keep.max_bytes = parts->config->log.max_bytes;
	workspace->keeper = log_keeper_new(parts->loop, parts->store, &keep);
	store_on_change(parts->store, on_store_change, workspace);
	workspace_load(workspace);
	workspace->lease = lease_want(parts->leases, name, "steward", on_steward, workspace);
	return workspace;
}

static void workspace_release(void *object)
{
	struct workspace *workspace = object;

	roster_free(&workspace->roster);
	figures_free(&workspace->figures);
	free(workspace->name);
	free(workspace);
}

/* Streams and reads that end with the store still point here: it goes after all of them. */
static void workspace_release_last(void *object)
{
	struct workspace *workspace = object;

	loop_defer_free(workspace->parts->loop, workspace, workspace_release);
}

static void workspace_free(struct workspace *workspace)
{
	struct waiter *waiter;

	workspace->is_gone = true;
	router_free(&workspace->router);
	deliveries_free(&workspace->deliveries);
	sla_free(&workspace->sla);
	classify_free(&workspace->classify);
	webhooks_free(&workspace->webhooks);
	media_free(&workspace->media);
	discard_free(&workspace->discard);
	writer_free(&workspace->writer);
	restore_free(&workspace->restore);
	evictor_free(&workspace->evictor);
	erase_free(&workspace->erase);
	erased_free(&workspace->erased);
	retention_free(&workspace->retention);
	lease_drop(&workspace->lease);
	store_off_change(workspace->parts->store, on_store_change, workspace);
	store_hear_end(&workspace->ear);
	log_keeper_free(&workspace->keeper);
	log_reader_free(&workspace->reader);
	loop_timer_free(&workspace->load_timer);
	while ((waiter = STAILQ_FIRST(&workspace->waiters)) != NULL) {
		STAILQ_REMOVE_HEAD(&workspace->waiters, link);
		free(waiter);
	}
	loop_defer_free(workspace->parts->loop, workspace, workspace_release_last);
}

struct workspaces *workspaces_new(struct parts *parts)
{
	struct workspaces *workspaces = memory_new(sizeof(*workspaces));

	workspaces->parts = parts;
	TAILQ_INIT(&workspaces->list);
	return workspaces;
}

void workspaces_free(struct workspaces **workspaces)
{
	struct workspace *workspace;

	if (*workspaces == NULL)
		return;
	while ((workspace = TAILQ_FIRST(&(*workspaces)->list)) != NULL) {
		TAILQ_REMOVE(&(*workspaces)->list, workspace, link);
		workspace_free(workspace);
	}
	free(*workspaces);
	*workspaces = NULL;
}

struct workspace *workspace_get(struct workspaces *workspaces, const char *name)
{
	struct workspace *workspace;

	TAILQ_FOREACH (workspace, &workspaces->list, link)
		if (text_equal(workspace->name, name))
			return workspace;
	workspace = workspace_new(workspaces->parts, name);
	TAILQ_INSERT_TAIL(&workspaces->list, workspace, link);
	return workspace;
}

struct workspace *workspace_next(struct workspaces *workspaces, const struct workspace *after)
{
	return after == NULL ? TAILQ_FIRST(&workspaces->list) : TAILQ_NEXT(after, link);
}

const char *workspace_name(const struct workspace *workspace)
{
	return workspace->name;
}

const struct figures *workspace_figures(const struct workspace *workspace)
{
	return workspace->figures;
}

const struct roster *workspace_roster(const struct workspace *workspace)
{
	return workspace->roster;
}

static void waiter_add(struct workspace *workspace, void (*fn)(void *), void *context)
{
	struct waiter *waiter = memory_new(sizeof(*waiter));

	waiter->fn = fn;
	waiter->context = context;
	STAILQ_INSERT_TAIL(&workspace->waiters, waiter, link);
}

void workspace_when_ready(struct workspace *workspace, void (*fn)(void *), void *context)
{
	if (workspace->roster != NULL)
		loop_soon(workspace->parts->loop, fn, context);
	else
		waiter_add(workspace, fn, context);
}

void workspace_refresh(struct workspace *workspace, void (*fn)(void *), void *context)
{
	waiter_add(workspace, fn, context);
	workspace_load(workspace);
}

bool workspace_log_is_full(const struct workspace *workspace)
{
	return log_keeper_is_full(workspace->keeper);
}

const char *workspace_fence(const struct workspace *workspace)
{
	return lease_fence(workspace->lease);
}

struct router *workspace_router(const struct workspace *workspace)
{
	return workspace->router;
}

void workspace_note_stopped(struct workspace *workspace, const char *rule)
{
	int64_t now = loop_now_ms(workspace->parts->loop);

	workspace->stopped_count++;
	if (workspace->stopped_told_ms != 0 && now - workspace->stopped_told_ms < STOPPED_TELL_MS)
		return;
	workspace->stopped_told_ms = now;
	log_warn("workspace", "workspace=%s event=rule_stopped rule=%s count=%lld", workspace->name,
		 log_quote(rule), (long long)workspace->stopped_count);
}

int64_t workspace_stopped_count(const struct workspace *workspace)
{
	return workspace->stopped_count;
}

const struct webhook_counts *workspace_hooked(const struct workspace *workspace)
{
	return &workspace->hooked;
}

const struct classify_counts *workspace_classified(const struct workspace *workspace)
{
	return &workspace->classified;
}

struct writer *workspace_writer(const struct workspace *workspace)
{
	return workspace->writer;
}

struct restore *workspace_restore(struct workspace *workspace, bool start)
{
	if (start) {
		restore_free(&workspace->restore);
		workspace->restore = restore_new(workspace->parts, workspace);
	}
	return workspace->restore;
}

const struct retain_counts *workspace_retained(const struct workspace *workspace)
{
	return &workspace->retained;
}

const struct evict_counts *workspace_evicted(const struct workspace *workspace)
{
	return &workspace->evicted;
}

const struct writer_counts *workspace_written(const struct workspace *workspace)
{
	return &workspace->written;
}

struct listener *workspace_listen(struct workspace *workspace, listener_entry_fn *entry_fn,
				  listener_reset_fn *reset_fn, void *context)
{
	struct listener *listener = memory_new(sizeof(*listener));

	listener->workspace = workspace;
	listener->on_entry = entry_fn;
	listener->on_reset = reset_fn;
	listener->context = context;
	TAILQ_INSERT_TAIL(&workspace->listeners, listener, link);
	return listener;
}

void listener_free(struct listener **listener)
{
	if (*listener == NULL)
		return;
	TAILQ_REMOVE(&(*listener)->workspace->listeners, *listener, link);
	free(*listener);
	*listener = NULL;
}
