/* /healthz, /readyz and /metrics. */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/auth.h"
#include "api/handlers.h"
#include "automation/classify.h"
#include "base/text.h"
#include "channel.h"
#include "identity/phones.h"
#include "parts.h"
#include "pipeline.h"
#include "routing/figures.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "services/worker.h"
#include "store/store.h"
#include "workspace.h"

void handle_health(struct api_call *call)
{
	api_answer_text(call, 200, "{\"status\":\"ok\"}");
}

void handle_ready(struct api_call *call)
{
	const struct parts *parts = call->parts;
	struct buf body = { 0 };
	struct json_out out;
	bool ready = store_is_up(parts->store) && !parts->draining && parts->listening;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "status", ready ? "ready" : "not ready");
	jw_object(&out, "checks");
	jw_bool(&out, "store", store_is_up(parts->store));
	jw_bool(&out, "listeners", parts->listening);
	jw_bool(&out, "draining", parts->draining);
	jw_object_end(&out);
	jw_object_end(&out);
	api_answer(call, ready ? 200 : 503, &body);
}

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

/* Of one kind of figure, one line a queue. */
static void queue_metric(struct buf *out, const struct parts *parts, const char *name,
			 int64_t (*value)(const struct queue_figures *))
{
	const struct workspace *workspace = NULL;

	while ((workspace = workspace_next(parts->workspaces, workspace)) != NULL) {
		const struct roster *roster = workspace_roster(workspace);
		size_t count = 0;
		const struct queue_row *queues =
			roster == NULL ? NULL : roster_queues(roster, &count);

		for (size_t i = 0; i < count; i++) {
			struct queue_figures figures;

			figures_queue(workspace_figures(workspace), queues[i].id,
				      loop_unix_ms(parts->loop), &figures);
			buf_format(out, "converged_queue_%s{workspace=\"%s\",queue=\"%s\"} %lld\n",
				   name, workspace_name(workspace), queues[i].id,
				   (long long)value(&figures));
		}
	}
}

static int64_t queue_waiting(const struct queue_figures *figures)
{
	return figures->waiting;
}

static int64_t queue_arrived(const struct queue_figures *figures)
{
	return figures->arrived;
}

static int64_t queue_accepted(const struct queue_figures *figures)
{
	return figures->accepted;
}

static int64_t queue_abandoned(const struct queue_figures *figures)
{
	return figures->abandoned;
}

static void queue_metrics(struct buf *out, const struct parts *parts)
{
	static const struct {
		const char *name;
		const char *help;
		int64_t (*value)(const struct queue_figures *);
	} rows[] = {
		{ "waiting", "Work items that wait, as seen in the log", queue_waiting },
		{ "arrived_hour", "Work that came within the last hour", queue_arrived },
		{ "accepted_hour", "Work that was taken within the last hour", queue_accepted },
		{ "abandoned_hour", "Work that ended untaken within the last hour",
		  queue_abandoned },
		{ "service_level_permille",
		  "Of what left in the last hour, taken in time; -1: none left",
		  figures_service_level },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_format(out, "# HELP converged_queue_%s %s\n# TYPE converged_queue_%s gauge\n",
			   rows[i].name, rows[i].help, rows[i].name);
		queue_metric(out, parts, rows[i].name, rows[i].value);
	}
}

static void answer_metrics(struct api_call *call)
{
	struct buf out = { 0 };

	buf_format(&out,
		   "# HELP converged_build_info What runs\n# TYPE converged_build_info gauge\n"
		   "converged_build_info{version=\"%s\"} 1\n",
		   CONVERGE_VERSION);
	store_metrics(&out, call->parts);
	process_metrics(&out, call->parts);
	channel_metrics(&out, call->parts);
	worker_metrics(&out, call->parts);
	queue_metrics(&out, call->parts);
	rule_metrics(&out, call->parts);
	classifier_metrics(&out, call->parts);
	http_answer(call->request, 200, "text/plain; version=0.0.4; charset=utf-8", out.data,
		    out.len);
	buf_clear(&out);
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
