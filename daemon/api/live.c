/* GET /v1/live: queues and agents right now. */
#include <string.h>

#include "api/handlers.h"
#include "base/map.h"
#include "base/text.h"
#include "parts.h"
#include "routing/figures.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

/* Who is there for a queue. */
enum { STATES = 4 };
static const char *const states[STATES] = { "online", "busy", "away", "offline" };

struct staff {
	int64_t in[STATES];
	int64_t ready; /* online, routable, with room for one more */
};

static void staff_count(struct staff *staff, const struct store_reply *row,
			const struct agent_row *agent)
{
	const char *status = reply_text(reply_item(row, 1), NULL);

	for (size_t i = 0; i < STATES; i++)
		staff->in[i] += text_equal(status, states[i]);
	staff->ready += text_equal(status, "online") && reply_int(reply_item(row, 2)) != 0 &&
			reply_int(reply_item(row, 3)) < agent->capacity;
}

struct staffs {
	struct map *by_queue;    /* id -> struct staff, in the call's arena */
	struct staff everywhere; /* agents who serve all queues */
};

static void staffs_read(struct api_call *call, const struct roster *roster,
			const struct store_reply *agents, struct staffs *ret)
{
	*ret = (struct staffs){ .by_queue = map_new() };
	for (size_t i = 0; i < reply_count(agents); i++) {
		const struct store_reply *row = reply_item(agents, i);
		const struct agent_row *agent =
			roster_agent(roster, reply_text(reply_item(row, 0), NULL));

		if (agent == NULL)
			continue;
		if (agent->queues == NULL || agent->queues[0] == NULL)
			staff_count(&ret->everywhere, row, agent);
		for (size_t j = 0; agent->queues != NULL && agent->queues[j] != NULL; j++) {
			struct staff *staff = map_get(ret->by_queue, agent->queues[j]);

			if (staff == NULL) {
				staff = arena_alloc(call->arena, sizeof(*staff));
				map_put(ret->by_queue, agent->queues[j], staff);
			}
			staff_count(staff, row, agent);
		}
	}
}

static void seconds_or_null(struct json_out *out, const char *key, int64_t ms)
{
	if (ms < 0)
		jw_null(out, key);
	else
		jw_int(out, key, (ms + 500) / 1000);
}

static void write_level(struct json_out *out, const struct queue_figures *figures,
			const struct queue_row *queue)
{
	int64_t level = figures_service_level(figures);

	jw_object(out, "service_level");
	if (level < 0)
		jw_null(out, "percent");
	else
		jw_number(out, "percent", (double)level / 10);
	jw_int(out, "within_s", queue == NULL ? 0 : queue->service_level_ms / 1000);
	jw_object_end(out);
}

static void write_staff(struct json_out *out, const struct staff *here, const struct staff *all)
{
	jw_object(out, "agents");
	for (size_t i = 0; i < STATES; i++)
		jw_int(out, states[i], (here == NULL ? 0 : here->in[i]) + all->in[i]);
	jw_int(out, "ready", (here == NULL ? 0 : here->ready) + all->ready);
	jw_object_end(out);
}

struct board {
	struct api_call *call;
	const struct roster *roster;
	const struct figures *figures;
	struct staffs staffs;
	int64_t now_ms;
};

/* Answer of live_read.lua: per queue {id, waiting, oldest}, then per agent
 * {id, status, routable, load, items}. */
static void write_queue(struct json_out *out, const struct store_reply *row,
			const struct board *board)
{
	const char *id = reply_text(reply_item(row, 0), NULL);
	int64_t waiting = reply_int(reply_item(row, 1));
	int64_t oldest = reply_int(reply_item(row, 2));
	const struct staff *staff = map_get(board->staffs.by_queue, id);
	int64_t ready = (staff == NULL ? 0 : staff->ready) + board->staffs.everywhere.ready;
	const struct queue_row *queue = roster_queue(board->roster, id);
	struct queue_figures figures;

	figures_queue(board->figures, id, board->now_ms, &figures);
	jw_object(out, NULL);
	jw_text(out, "queue", id);
	jw_bool(out, "paused", queue != NULL && queue->is_paused);
	jw_int(out, "waiting", waiting);
	jw_int(out, "oldest_s", oldest == 0 ? 0 : (board->now_ms - oldest) / 1000);
	seconds_or_null(out, "expected_wait_s",
			figures_expected_wait(&figures, waiting + 1, ready));
	jw_int(out, "window_s", figures.window_ms / 1000);
	jw_int(out, "arrived", figures.arrived);
	jw_int(out, "accepted", figures.accepted);
	jw_int(out, "abandoned", figures.abandoned);
	seconds_or_null(out, "mean_wait_s", figures.accepted == 0 ? -1 : figures.mean_wait_ms);
	write_level(out, &figures, queue);
	write_staff(out, staff, &board->staffs.everywhere);
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

/* What a figure means stands beside it: nobody should have to guess a formula. */
static void write_definitions(struct json_out *out)
{
	jw_object(out, "definitions");
	jw_object(out, "service_level");
	jw_text(out, "en",
		"Of the work that left the queue in the window, accepted or abandoned, the "
		"share that was accepted within within_s.");
	jw_text(out, "zh",
		"统计时段内离开队列（被接起或放弃）的工单中，在 within_s 秒内被接起的比例。");
	jw_object_end(out);
	jw_object(out, "expected_wait_s");
	jw_text(out, "en",
		"Of a new item: its place behind those that wait, less the agents who are "
		"ready, times the time between two accepts; null: not known yet.");
	jw_text(out, "zh",
		"新工单的预计等待：排队位次减去空闲坐席数，乘以两次接起的平均间隔；尚无数据时为 "
		"null。");
	jw_object_end(out);
	jw_object(out, "abandoned");
	jw_text(out, "en", "Resolved, closed or cancelled without having been taken by an agent.");
	jw_text(out, "zh", "未被坐席接起就已解决、关闭或取消。");
	jw_object_end(out);
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

static void write_board(struct json_out *out, const struct board *board,
			const struct store_reply *reply)
{
	const struct store_reply *queues = reply_item(reply, 0);
	const struct store_reply *agents = reply_item(reply, 1);

	jw_object(out, NULL);
	jw_time(out, "at", board->now_ms);
	jw_array(out, "queues");
	for (size_t i = 0; i < reply_count(queues); i++)
		write_queue(out, reply_item(queues, i), board);
	jw_array_end(out);
	jw_array(out, "agents");
	for (size_t i = 0; i < reply_count(agents); i++)
		write_agent(out, reply_item(agents, i));
	jw_array_end(out);
	write_definitions(out);
	jw_object_end(out);
}

static void on_live(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct board board = { .call = call };
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
	staffs_read(call, board.roster, reply_item(reply, 1), &board.staffs);
	jw_start(&out, &body);
	write_board(&out, &board, reply);
	map_free(&board.staffs.by_queue);
	api_answer(call, 200, &body);
}

static void live_read(struct api_call *call, const struct roster *roster)
{
	struct store_call *read = store_script("live_read", call->who.workspace);
	size_t queues;
	size_t agents;
	const struct queue_row *queue = roster_queues(roster, &queues);
	const struct agent_row *agent = roster_agents(roster, &agents);

	store_arg_int(read, (int64_t)queues);
	for (size_t i = 0; i < queues; i++)
		store_arg_text(read, queue[i].id);
	for (size_t i = 0; i < agents; i++)
		store_arg_text(read, agent[i].id);
	store_read(call->parts->store, read, on_live, call);
}

void handle_live(struct api_call *call)
{
	const struct roster *roster = api_roster(call);

	if (roster != NULL)
		live_read(call, roster);
}
