/* GET /v1/live: queues and agents right now. */
#include "api/board.h"
#include "api/handlers.h"
#include "parts.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "workspace.h"

static void seconds_or_null(struct json_out *out, const char *key, int64_t ms)
{
	if (ms < 0)
		jw_null(out, key);
	else
		jw_int(out, key, (ms + 500) / 1000);
}

static void write_level(struct json_out *out, const struct board_queue *queue)
{
	int64_t level = figures_service_level(&queue->figures);

	jw_object(out, "service_level");
	if (level < 0)
		jw_null(out, "percent");
	else
		jw_number(out, "percent", (double)level / 10);
	jw_int(out, "within_s", queue->row == NULL ? 0 : queue->row->service_level_ms / 1000);
	jw_object_end(out);
}

static void write_staff(struct json_out *out, const struct staff *staff)
{
	jw_object(out, "agents");
	for (size_t i = 0; i < STAFF_STATES; i++)
		jw_int(out, staff_states[i], staff->in[i]);
	jw_int(out, "ready", staff->ready);
	jw_object_end(out);
}

static void write_queue(struct json_out *out, const struct board_queue *queue)
{
	const struct queue_figures *figures = &queue->figures;

	jw_object(out, NULL);
	jw_text(out, "queue", queue->id);
	jw_bool(out, "paused", queue->row != NULL && queue->row->is_paused);
	jw_int(out, "waiting", queue->waiting);
	jw_int(out, "oldest_s", queue->oldest_ms / 1000);
	seconds_or_null(out, "expected_wait_s", queue->expected_wait_ms);
	jw_int(out, "window_s", figures->window_ms / 1000);
	jw_int(out, "arrived", figures->arrived);
	jw_int(out, "accepted", figures->accepted);
	jw_int(out, "abandoned", figures->abandoned);
	seconds_or_null(out, "mean_wait_s", figures->accepted == 0 ? -1 : figures->mean_wait_ms);
	write_level(out, queue);
	write_staff(out, &queue->staff);
	jw_object_end(out);
}

static void write_agent(struct json_out *out, const struct store_reply *row)
{
	jw_object(out, NULL);
	jw_text(out, "agent", reply_text(reply_item(row, 0), NULL));
	jw_text(out, "status", reply_text(reply_item(row, 1), NULL));
	jw_bool(out, "routable", reply_int(reply_item(row, 2)) != 0);
	jw_int(out, "load", reply_int(reply_item(row, 3)));
	jw_int(out, "items", reply_int(reply_item(row, 4)));
	jw_object_end(out);
}

static void write_sla(struct json_out *out, const struct figures *figures)
{
	jw_array(out, "sla");
	for (size_t i = 0; i < SLA_METRICS; i++) {
		const struct sla_figures *counts = figures_sla(figures, (enum sla_metric)i);

		jw_object(out, NULL);
		jw_text(out, "metric", sla_metric_names[i]);
		jw_int(out, "warned", counts->warned);
		jw_int(out, "breached", counts->breached);
		jw_int(out, "fulfilled", counts->fulfilled);
		jw_object_end(out);
	}
	jw_array_end(out);
}

/* What a figure means stands beside it: nobody should have to guess a formula. */
static void write_definitions(struct json_out *out)
{
	static const struct {
		const char *figure;
		const char *en;
		const char *zh;
	} rows[] = {
		{ "service_level",
		  "Of the work that left the queue in the window, accepted or abandoned, the "
		  "share that was accepted within within_s.",
		  "统计时段内离开队列（被接起或放弃）的工单中，在 within_s 秒内被接起的比例。" },
		{ "expected_wait_s",
		  "Of a new item: its place behind those that wait, less the agents who are "
		  "ready, times the time between two accepts; null: not known yet.",
		  "新工单的预计等待：排队位次减去空闲坐席数，乘以两次接起的平均间隔；尚无数据时为 "
		  "null。" },
		{ "abandoned",
		  "Resolved, closed or cancelled without having been taken by an agent.",
		  "未被坐席接起就已解决、关闭或取消。" },
		{ "sla",
		  "Clocks of all work that were warned of, breached and fulfilled since the "
		  "instance "
		  "that answers was started; one that was breached may be fulfilled afterwards.",
		  "自应答实例启动以来，全部工单计时的预警、超时与达成次数；超时之后仍可达成。" },
	};

	jw_object(out, "definitions");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		jw_object(out, rows[i].figure);
		jw_text(out, "en", rows[i].en);
		jw_text(out, "zh", rows[i].zh);
		jw_object_end(out);
	}
	jw_object_end(out);
}

const struct roster *api_roster(struct api_call *call)
{
	const struct roster *roster =
		workspace_roster(workspace_get(call->parts->workspaces, call->who.workspace));

	if (roster == NULL) {
		http_request_add_field(call->request, "Retry-After", "1");
		api_problem(call, 503, "not_ready", "the configuration is being read");
	}
	return roster;
}

static void write_board(struct json_out *out, const struct board *board)
{
	const struct store_reply *agents = reply_item(board->reply, 1);
	struct board_queue queue;

	jw_object(out, NULL);
	jw_time(out, "at", board->now_ms);
	jw_array(out, "queues");
	for (size_t i = 0; board_queue(board, i, &queue); i++)
		write_queue(out, &queue);
	jw_array_end(out);
	jw_array(out, "agents");
	for (size_t i = 0; i < reply_count(agents); i++)
		write_agent(out, reply_item(agents, i));
	jw_array_end(out);
	write_sla(out, board->figures);
	write_definitions(out);
	jw_object_end(out);
}

static void on_live(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct board board = { .reply = reply };
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	board.roster = api_roster(call);
	if (board.roster == NULL)
		return;
	board.figures =
		workspace_figures(workspace_get(call->parts->workspaces, call->who.workspace));
	board.now_ms = loop_unix_ms(call->parts->loop);
	board_fill(&board, call->arena);
	jw_start(&out, &body);
	write_board(&out, &board);
	board_clear(&board);
	api_answer(call, 200, &body);
}

void handle_live(struct api_call *call)
{
	const struct roster *roster = api_roster(call);

	if (roster != NULL)
		board_read(call->parts, call->who.workspace, roster, on_live, call);
}
