#include "api/metrics_queues.h"

#include "api/board.h"
#include "parts.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "workspace.h"

struct queue_sample {
	const char *workspace;
	struct board_queue queue;
	bool is_read; /* state was read; else only what the log told */
};

struct workspace_sample {
	const char *name;
	struct staff staff;
	bool is_read;
	struct sla_figures sla[SLA_METRICS];
};

struct queue_samples {
	const struct parts *parts;
	struct arena *arena;
	queue_samples_fn *done;
	void *context;
	struct workspace_sample *workspaces;
	size_t workspace_count;
	size_t at; /* the one that is being read */
	struct queue_sample *queues;
	size_t queue_count;
	size_t queue_room;
};

static void queue_add(struct queue_samples *samples, const struct board_queue *queue, bool is_read)
{
	if (samples->queue_count == samples->queue_room) {
		size_t room = samples->queue_room * 2 + 64;
		struct queue_sample *rows = arena_alloc(samples->arena, room * sizeof(*rows));

		for (size_t i = 0; i < samples->queue_count; i++)
			rows[i] = samples->queues[i];
		samples->queues = rows;
		samples->queue_room = room;
	}
	samples->queues[samples->queue_count] =
		(struct queue_sample){ samples->workspaces[samples->at].name, *queue, is_read };
	/* What the log told is off by what was moved between queues. */
	if (!is_read)
		samples->queues[samples->queue_count].queue.waiting = queue->figures.waiting;
	samples->queues[samples->queue_count++].queue.id = arena_text(samples->arena, queue->id);
}

static void figures_only(struct queue_samples *samples, const struct board *board)
{
	size_t count;
	const struct queue_row *rows = roster_queues(board->roster, &count);

	for (size_t i = 0; i < count; i++) {
		struct board_queue queue = { .id = rows[i].id };

		figures_queue(board->figures, queue.id, board->now_ms, &queue.figures);
		queue_add(samples, &queue, false);
	}
}

static void read_next(struct queue_samples *samples);

static void workspace_take(struct queue_samples *samples, const struct store_reply *reply)
{
	struct workspace_sample *sample = &samples->workspaces[samples->at];
	const struct workspace *workspace = workspace_get(samples->parts->workspaces, sample->name);
	struct board board = { .roster = workspace_roster(workspace),
			       .figures = workspace_figures(workspace),
			       .reply = reply,
			       .now_ms = loop_unix_ms(samples->parts->loop) };
	struct board_queue queue;

	for (size_t i = 0; i < SLA_METRICS; i++)
		sample->sla[i] = *figures_sla(board.figures, (enum sla_metric)i);
	if (board.roster == NULL)
		return;
	if (reply == NULL) {
		figures_only(samples, &board);
		return;
	}
	board_fill(&board, samples->arena);
	for (size_t i = 0; board_queue(&board, i, &queue); i++)
		queue_add(samples, &queue, true);
	sample->staff = board.all;
	sample->is_read = true;
	board_clear(&board);
}

static void on_board(const struct store_reply *reply, const struct error *err, void *context)
{
	struct queue_samples *samples = context;

	workspace_take(samples, err == NULL ? reply : NULL);
	samples->at++;
	read_next(samples);
}

static void read_next(struct queue_samples *samples)
{
	for (; samples->at < samples->workspace_count; samples->at++) {
		const char *name = samples->workspaces[samples->at].name;
		const struct roster *roster =
			workspace_roster(workspace_get(samples->parts->workspaces, name));

		if (roster != NULL && store_is_up(samples->parts->store)) {
			board_read(samples->parts, name, roster, on_board, samples);
			return;
		}
		workspace_take(samples, NULL);
	}
	samples->done(samples, samples->context);
}

void queue_samples_take(const struct parts *parts, struct arena *arena, queue_samples_fn *done,
			void *context)
{
	struct queue_samples *samples = arena_alloc(arena, sizeof(*samples));
	const struct workspace *workspace = NULL;
	size_t count = 0;

	*samples = (struct queue_samples){
		.parts = parts, .arena = arena, .done = done, .context = context
	};
	while ((workspace = workspace_next(parts->workspaces, workspace)) != NULL)
		count++;
	samples->workspaces = arena_alloc(arena, (count + 1) * sizeof(*samples->workspaces));
	while ((workspace = workspace_next(parts->workspaces, workspace)) != NULL)
		samples->workspaces[samples->workspace_count++].name =
			arena_text(arena, workspace_name(workspace));
	read_next(samples);
}

/* ---- written ---- */

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_format(out, "# HELP converged_%s %s\n# TYPE converged_%s %s\n", name, help, name, type);
}

static double queue_waiting(const struct board_queue *queue)
{
	return (double)queue->waiting;
}

static double queue_oldest(const struct board_queue *queue)
{
	return (double)queue->oldest_ms / 1000;
}

static double queue_expected(const struct board_queue *queue)
{
	return queue->expected_wait_ms < 0 ? -1 : (double)queue->expected_wait_ms / 1000;
}

static double queue_arrived(const struct board_queue *queue)
{
	return (double)queue->figures.arrived;
}

static double queue_accepted(const struct board_queue *queue)
{
	return (double)queue->figures.accepted;
}

static double queue_abandoned(const struct board_queue *queue)
{
	return (double)queue->figures.abandoned;
}

static double queue_level(const struct board_queue *queue)
{
	return (double)figures_service_level(&queue->figures);
}

static void write_queues(const struct queue_samples *samples, struct buf *out)
{
	static const struct {
		const char *name;
		const char *help;
		double (*value)(const struct board_queue *);
		bool is_of_state;
	} rows[] = {
		{ "queue_waiting", "Work items that wait", queue_waiting, false },
		{ "queue_oldest_seconds", "How long the first of them has waited; 0: none waits",
		  queue_oldest, true },
		{ "queue_expected_wait_seconds", "Of a new one, as in /v1/live; -1: not known yet",
		  queue_expected, true },
		{ "queue_arrived_hour", "Work that came within the last hour", queue_arrived,
		  false },
		{ "queue_accepted_hour", "Work that was taken within the last hour", queue_accepted,
		  false },
		{ "queue_abandoned_hour", "Work that ended untaken within the last hour",
		  queue_abandoned, false },
		{ "queue_service_level_permille",
		  "Of what left in the last hour, taken in time; -1: none left", queue_level,
		  false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		family(out, rows[i].name, "gauge", rows[i].help);
		for (size_t j = 0; j < samples->queue_count; j++) {
			const struct queue_sample *one = &samples->queues[j];

			if (one->is_read || !rows[i].is_of_state)
				buf_format(out,
					   "converged_%s{workspace=\"%s\",queue=\"%s\"} %.15g\n",
					   rows[i].name, one->workspace, one->queue.id,
					   rows[i].value(&one->queue));
		}
	}
}

static void write_staffs(const struct queue_samples *samples, struct buf *out)
{
	family(out, "queue_agents", "gauge", "Agents who serve the queue, by what they say");
	for (size_t i = 0; i < samples->queue_count; i++)
		for (size_t j = 0; samples->queues[i].is_read && j < STAFF_STATES; j++)
			buf_format(out,
				   "converged_queue_agents{workspace=\"%s\",queue=\"%s\","
				   "state=\"%s\"} %lld\n",
				   samples->queues[i].workspace, samples->queues[i].queue.id,
				   staff_states[j],
				   (long long)samples->queues[i].queue.staff.in[j]);
	family(out, "queue_agents_ready", "gauge", "Of those, who could take one more now");
	for (size_t i = 0; i < samples->queue_count; i++)
		if (samples->queues[i].is_read)
			buf_format(out,
				   "converged_queue_agents_ready{workspace=\"%s\",queue=\"%s\"} "
				   "%lld\n",
				   samples->queues[i].workspace, samples->queues[i].queue.id,
				   (long long)samples->queues[i].queue.staff.ready);
	family(out, "agents", "gauge", "Agents, each once, by what they say");
	for (size_t i = 0; i < samples->workspace_count; i++)
		for (size_t j = 0; samples->workspaces[i].is_read && j < STAFF_STATES; j++)
			buf_format(out, "converged_agents{workspace=\"%s\",state=\"%s\"} %lld\n",
				   samples->workspaces[i].name, staff_states[j],
				   (long long)samples->workspaces[i].staff.in[j]);
}

static void write_clock(struct buf *out, const struct workspace_sample *sample, size_t metric)
{
	const struct sla_figures *counts = &sample->sla[metric];
	const struct {
		const char *event;
		int64_t count;
	} rows[] = { { "warned", counts->warned },
		     { "breached", counts->breached },
		     { "fulfilled", counts->fulfilled } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		buf_format(out,
			   "converged_sla_total{workspace=\"%s\",metric=\"%s\",event=\"%s\"} "
			   "%lld\n",
			   sample->name, sla_metric_names[metric], rows[i].event,
			   (long long)rows[i].count);
}

void queue_samples_write(const struct queue_samples *samples, struct buf *out)
{
	write_queues(samples, out);
	write_staffs(samples, out);
	family(out, "sla_total", "counter",
	       "Service level clocks that were warned of, breached and fulfilled");
	for (size_t i = 0; i < samples->workspace_count; i++)
		for (size_t j = 0; j < SLA_METRICS; j++)
			write_clock(out, &samples->workspaces[i], j);
}
