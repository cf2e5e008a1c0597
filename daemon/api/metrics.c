/* /metrics, but for the queues (metrics_queues.c). */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/auth.h"
#include "api/handlers.h"
#include "api/metrics_queues.h"
#include "automation/classify.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "events/webhook.h"
#include "history/evictor.h"
#include "history/history.h"
#include "history/retention.h"
#include "history/writer.h"
#include "identity/phones.h"
#include "parts.h"
#include "pipeline.h"
#include "services/loop.h"
#include "services/worker.h"
#include "store/store.h"
#include "workspace.h"

static void metric(struct buf *out, const char *name, const char *type, const char *help,
		   double value)
{
	buf_format(out, "# HELP converged_%s %s\n# TYPE converged_%s %s\nconverged_%s %.17g\n",
		   name, help, name, type, name, value);
}

static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void store_metrics(struct buf *out, const struct parts *parts)
{
	struct store_stats stats = store_stats(parts->store);

	metric(out, "store_up", "gauge", "The store answers", store_is_up(parts->store));
	metric(out, "store_scripts_total", "counter", "Scripts run", (double)stats.scripts);
	metric(out, "store_reads_total", "counter", "Plain reads", (double)stats.reads);
	metric(out, "store_resent_total", "counter", "Calls sent again after a reconnect",
	       (double)stats.resent);
	metric(out, "store_failed_total", "counter", "Calls that ended with an error",
	       (double)stats.failed);
	metric(out, "store_reconnects_total", "counter", "Connections lost and made again",
	       (double)stats.reconnects);
	metric(out, "store_waiting", "gauge", "Calls waiting to be sent", (double)stats.waiting);
	metric(out, "store_latency_seconds", "gauge", "Newest round trip",
	       (double)stats.last_rtt_us / 1e6);
	metric(out, "store_fullness_ratio", "gauge", "Share of maxmemory in use",
	       store_fullness(parts->store));
}

static void process_metrics(struct buf *out, const struct parts *parts)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	metric(out, "process_resident_memory_bytes", "gauge", "Resident memory", resident_bytes());
	metric(out, "process_cpu_seconds_total", "counter", "User and system time",
	       (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
		       (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6);
	metric(out, "loop_lag_seconds", "gauge", "Longest turn since the last look",
	       (double)loop_take_lag_us(parts->loop) / 1e6);
	metric(out, "flights", "gauge", "Requests between receive and admit",
	       (double)pipeline_in_flight(parts->pipeline));
	metric(out, "spool_waiting", "gauge",
	       "Requests on this machine's disk that wait for the store",
	       (double)pipeline_spooled(parts->pipeline));
}

static void channel_metrics(struct buf *out, const struct parts *parts)
{
	const struct channel *channel;

	buf_text(out, "# HELP converged_channel_up The channel works (0: parked)\n"
		      "# TYPE converged_channel_up gauge\n");
	for (size_t i = 0; (channel = channel_at(parts->channels, i)) != NULL; i++)
		buf_format(out, "converged_channel_up{workspace=\"%s\",channel=\"%s\"} %d\n",
			   channel_workspace(channel), channel_name(channel),
			   channel_parked(channel) == NULL);
}

static void rule_metrics(struct buf *out, const struct parts *parts)
{
	const struct workspace *workspace = NULL;

	buf_text(out, "# HELP converged_rules_stopped_total Patterns that took too long on a text\n"
		      "# TYPE converged_rules_stopped_total counter\n");
	while ((workspace = workspace_next(parts->workspaces, workspace)) != NULL)
		buf_format(out, "converged_rules_stopped_total{workspace=\"%s\"} %lld\n",
			   workspace_name(workspace),
			   (long long)workspace_stopped_count(workspace));
}

static void classifier_metrics(struct buf *out, const struct parts *parts)
{
	const struct workspace *workspace = NULL;

	buf_text(out, "# HELP converged_classified_total New work items by what a classifier did\n"
		      "# TYPE converged_classified_total counter\n");
	while ((workspace = workspace_next(parts->workspaces, workspace)) != NULL)
		for (size_t i = 0; i < CLASSIFY_OUTCOMES; i++)
			buf_format(out,
				   "converged_classified_total{workspace=\"%s\",outcome=\"%s\"} "
				   "%lld\n",
				   workspace_name(workspace), classify_outcomes[i],
				   (long long)workspace_classified(workspace)->of[i]);
}

static void webhook_metrics(struct buf *out, const struct parts *parts)
{
	const struct workspace *workspace = NULL;

	buf_text(out, "# HELP converged_webhook_events_total Events for endpoints elsewhere\n"
		      "# TYPE converged_webhook_events_total counter\n");
	while ((workspace = workspace_next(parts->workspaces, workspace)) != NULL) {
		const struct webhook_counts *counts = workspace_hooked(workspace);
		const struct {
			const char *result;
			int64_t count;
		} rows[] = { { "copied", counts->copied },
			     { "delivered", counts->delivered },
			     { "failed_attempt", counts->failed },
			     { "dead", counts->dead } };

		for (size_t i = 0; i < COUNT_OF(rows); i++)
			buf_format(out,
				   "converged_webhook_events_total{workspace=\"%s\",result=\"%s\"} "
				   "%lld\n",
				   workspace_name(workspace), rows[i].result,
				   (long long)rows[i].count);
	}
	buf_text(out, "# HELP converged_webhook_waiting Events that wait for an endpoint\n"
		      "# TYPE converged_webhook_waiting gauge\n");
	while ((workspace = workspace_next(parts->workspaces, workspace)) != NULL)
		buf_format(out, "converged_webhook_waiting{workspace=\"%s\"} %lld\n",
			   workspace_name(workspace),
			   (long long)workspace_hooked(workspace)->waiting);
}

static void worker_metrics(struct buf *out, const struct parts *parts)
{
	const struct {
		const char *name;
		struct worker_stats stats;
	} pools[] = {
		{ "parse", worker_stats(parts->parse) },
		{ "mail", worker_stats(parts->mail) },
		{ "disk", worker_stats(parts->disk) },
		{ "password", worker_stats(parts->password) },
		{ "phone", phones_stats(parts->phones) },
	};

	buf_text(out, "# HELP converged_worker_jobs_total Jobs ended by a worker\n"
		      "# TYPE converged_worker_jobs_total counter\n");
	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++)
		buf_format(out,
			   "converged_worker_jobs_total{worker=\"%s\",result=\"done\"} %lld\n"
			   "converged_worker_jobs_total{worker=\"%s\",result=\"failed\"} %lld\n",
			   pools[i].name, (long long)pools[i].stats.done, pools[i].name,
			   (long long)pools[i].stats.failed);
}

static const struct history_row {
	const char *name;
	const char *type;
	const char *help;
} history_rows[] = {
	{ "held_entries", "gauge", "Entries of the log read and not in SQL yet" },
	{ "lag_seconds", "gauge", "Age of the oldest of them" },
	{ "entries_total", "counter", "Entries of the log written" },
	{ "errors_total", "counter", "Attempts to write that failed" },
	{ "skipped_total", "counter", "Rows and entries that could not be written at all" },
	{ "at_rest", "gauge", "Conversations and work items that have ended and are in the store" },
	{ "evicted_conversations_total", "counter", "Conversations that left the store" },
	{ "evicted_work_items_total", "counter", "Work items that left the store" },
	{ "late_receipts_total", "counter", "Receipts for messages that had left, taken down" },
	{ "refused_total", "counter", "Times the history did not take what would leave" },
};

static double history_value(const struct workspace *workspace, size_t row)
{
	const struct writer_counts *counts = workspace_written(workspace);
	struct writer_state state = writer_state(workspace_writer(workspace));
	const struct evict_counts *evicted = workspace_evicted(workspace);
	const double values[COUNT_OF(history_rows)] = {
		(double)state.held,
		(double)state.lag_ms / 1000,
		(double)counts->entries,
		(double)counts->errors,
		(double)counts->skipped,
		(double)evicted->at_rest,
		(double)evicted->conversations,
		(double)evicted->work_items,
		(double)evicted->receipts,
		(double)evicted->refused,
	};

	return values[row];
}

/* Of the workspaces whose steward this instance is. */
static void history_metrics(struct buf *out, const struct parts *parts)
{
	if (!history_is_kept(parts->history))
		return;
	metric(out, "history_up", "gauge", "The history's database answers",
	       history_stats(parts->history).is_up);
	for (size_t i = 0; i < COUNT_OF(history_rows); i++) {
		const struct workspace *workspace = NULL;

		buf_format(out, "# HELP converged_history_%s %s\n# TYPE converged_history_%s %s\n",
			   history_rows[i].name, history_rows[i].help, history_rows[i].name,
			   history_rows[i].type);
		while ((workspace = workspace_next(parts->workspaces, workspace)) != NULL)
			if (workspace_writer(workspace) != NULL)
				buf_format(out, "converged_history_%s{workspace=\"%s\"} %.17g\n",
					   history_rows[i].name, workspace_name(workspace),
					   history_value(workspace, i));
	}
}

/* Of the workspaces whose steward this instance is or was. */
static void retention_metrics(struct buf *out, const struct parts *parts)
{
	const struct workspace *workspace = NULL;

	buf_text(out, "# HELP converged_retention_done_total Conversations of which retention took "
		      "something\n"
		      "# TYPE converged_retention_done_total counter\n");
	while ((workspace = workspace_next(parts->workspaces, workspace)) != NULL)
		for (size_t i = 0; i < RETAIN_WHATS; i++)
			buf_format(out,
				   "converged_retention_done_total{workspace=\"%s\",what=\"%s\"} "
				   "%lld\n",
				   workspace_name(workspace), retain_whats[i],
				   (long long)workspace_retained(workspace)->of[i]);
	buf_text(out, "# HELP converged_retention_held_total Conversations that a legal hold kept\n"
		      "# TYPE converged_retention_held_total counter\n");
	while ((workspace = workspace_next(parts->workspaces, workspace)) != NULL)
		buf_format(out, "converged_retention_held_total{workspace=\"%s\"} %lld\n",
			   workspace_name(workspace),
			   (long long)workspace_retained(workspace)->held);
}

static void on_queues(struct queue_samples *samples, void *context)
{
	struct api_call *call = context;
	struct buf out = { 0 };

	buf_format(&out,
		   "# HELP converged_build_info What runs\n# TYPE converged_build_info gauge\n"
		   "converged_build_info{version=\"%s\"} 1\n",
		   CONVERGE_VERSION);
	store_metrics(&out, call->parts);
	process_metrics(&out, call->parts);
	channel_metrics(&out, call->parts);
	worker_metrics(&out, call->parts);
	history_metrics(&out, call->parts);
	queue_samples_write(samples, &out);
	rule_metrics(&out, call->parts);
	classifier_metrics(&out, call->parts);
	webhook_metrics(&out, call->parts);
	retention_metrics(&out, call->parts);
	http_answer(call->request, 200, "text/plain; version=0.0.4; charset=utf-8", out.data,
		    out.len);
	buf_clear(&out);
}

static void answer_metrics(struct api_call *call)
{
	queue_samples_take(call->parts, call->arena, on_queues, call);
}

static void on_auth(enum auth_outcome outcome, const struct principal *who, void *context)
{
	struct api_call *call = context;

	if (outcome == AUTH_OK && (who->role & (ROLES_LEAD | ROLE_INTEGRATION)) != 0)
		answer_metrics(call);
	else
		api_problem(call, 403, "not_allowed",
			    "metrics are for this host, or for a supervisor's, admin's or "
			    "integration's token");
}

/* Names of channels and queues are nobody's business outside: without a token only this host. */
void handle_metrics(struct api_call *call)
{
	const char *source = http_request_source(call->request);

	if (text_starts(source, "127.") || text_equal(source, "::1") ||
	    text_equal(source, "unix") || call->who.role == ROLE_ADMIN)
		answer_metrics(call);
	else
		auth_request(api_auth(call->api), call->request, call->arena, on_auth, call);
}
