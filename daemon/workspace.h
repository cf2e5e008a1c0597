/* A workspace as one instance sees it: its configuration, its tail of the log,
 * and, while this instance is the steward, its router and its deliveries. Made
 * on first use; an idle one costs a log reader. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parts.h"

struct evict_counts;
struct figures;
struct classify_counts;
struct log_entry;
struct restore;
struct roster;
struct webhook_counts;
struct workspace;
struct workspaces;
struct writer;
struct writer_counts;

struct workspaces *workspaces_new(struct parts *parts);
void workspaces_free(struct workspaces **workspaces);
/* Finds or makes; never NULL for a well-formed name. */
struct workspace *workspace_get(struct workspaces *workspaces, const char *name);
struct workspace *workspace_next(struct workspaces *workspaces, const struct workspace *after);

const char *workspace_name(const struct workspace *workspace);
/* What happened in its queues, since this instance knows it. */
const struct figures *workspace_figures(const struct workspace *workspace);
/* NULL until the configuration has been read. Valid until the loop turn ends. */
const struct roster *workspace_roster(const struct workspace *workspace);
/* fn(context) once the configuration is there: on a later turn, never at once. */
void workspace_when_ready(struct workspace *workspace, void (*fn)(void *), void *context);
/* Reads the configuration again; fn(context) once that is done, on a later turn. */
void workspace_refresh(struct workspace *workspace, void (*fn)(void *), void *context);
/* A durable reader is so far behind that nothing more may be admitted. */
bool workspace_log_is_full(const struct workspace *workspace);
const char *workspace_fence(const struct workspace *workspace); /* NULL unless steward */
/* The router of this instance, NULL unless it is the steward. */
struct router *workspace_router(const struct workspace *workspace);

/* What an instance told about a conversation a moment ago, kept nowhere. who is "customer" or an
 * agent's id. */
enum sign { SIGN_TYPING, SIGN_VIEWING, SIGN_GONE };
struct hearer;
typedef void hearer_fn(enum sign sign, const char *conversation, const char *who, void *context);
struct hearer *workspace_hear(struct workspace *workspace, hearer_fn *fn, void *context);
void hearer_free(struct hearer **hearer);
void workspace_tell_sign(struct workspace *workspace, enum sign sign, const char *conversation,
			 const char *who);

/* A rule's pattern took too long on a message and was treated as not matching: counted, and told in
 * the log at most once a minute. */
void workspace_note_stopped(struct workspace *workspace, const char *rule);
int64_t workspace_stopped_count(const struct workspace *workspace);

/* What became of the questions to classifiers (automation/classify.h). */
const struct classify_counts *workspace_classified(const struct workspace *workspace);

/* What happened to events that endpoints elsewhere are told of (events/webhook.h). */
const struct webhook_counts *workspace_hooked(const struct workspace *workspace);

/* What brings the log into the history (history/writer.h): NULL unless steward, or where none is
 * kept; and what became of it. */
struct writer *workspace_writer(const struct workspace *workspace);
/* Tells the steward, whichever instance that is, to write all that is hot into the history anew. */
void workspace_tell_reread(struct workspace *workspace);
const struct writer_counts *workspace_written(const struct workspace *workspace);
/* What left the store for it (history/evictor.h). */
const struct evict_counts *workspace_evicted(const struct workspace *workspace);
const struct retain_counts *workspace_retained(const struct workspace *workspace);
/* What brings back what the store lost (history/restore.h), started anew where start says so; NULL:
 * never started here. */
struct restore *workspace_restore(struct workspace *workspace, bool start);

/* Every log entry, in order, and resets. */
struct listener;
typedef void listener_entry_fn(const struct log_entry *entry, void *context);
typedef void listener_reset_fn(const char *position, void *context);
struct listener *workspace_listen(struct workspace *workspace, listener_entry_fn *on_entry,
				  listener_reset_fn *on_reset, void *context);
void listener_free(struct listener **listener);
