#include "api/board.h"

#include "base/map.h"
#include "base/text.h"
#include "parts.h"
#include "routing/roster.h"

const char *const staff_states[STAFF_STATES] = { "online", "busy", "away", "offline" };

void board_read(const struct parts *parts, const char *workspace, const struct roster *roster,
		store_done_fn *done, void *context)
{
	struct store_call *read = store_script("live_read", workspace);
	size_t queues;
	size_t agents;
	const struct queue_row *queue = roster_queues(roster, &queues);
	const struct agent_row *agent = roster_agents(roster, &agents);

	store_arg_int(read, (int64_t)queues);
	for (size_t i = 0; i < queues; i++)
		store_arg_text(read, queue[i].id);
	for (size_t i = 0; i < agents; i++)
		store_arg_text(read, agent[i].id);
	store_read(parts->store, read, done, context);
}

/* Answer of live_read.lua: per queue {id, waiting, oldest}, then per agent
 * {id, status, routable, load, items}. */
static void staff_count(struct staff *staff, const struct store_reply *row,
			const struct agent_row *agent)
{
	const char *status = reply_text(reply_item(row, 1), NULL);

	for (size_t i = 0; i < STAFF_STATES; i++)
		staff->in[i] += text_equal(status, staff_states[i]);
	staff->ready += text_equal(status, "online") && reply_int(reply_item(row, 2)) != 0 &&
			reply_int(reply_item(row, 3)) < agent->capacity;
}

static void agent_count(struct board *board, const struct store_reply *row,
			const struct agent_row *agent, struct arena *arena)
{
	staff_count(&board->all, row, agent);
	if (agent->queues == NULL || agent->queues[0] == NULL)
		staff_count(&board->everywhere, row, agent);
	for (size_t i = 0; agent->queues != NULL && agent->queues[i] != NULL; i++) {
		struct staff *staff = map_get(board->by_queue, agent->queues[i]);

		if (staff == NULL) {
			staff = arena_alloc(arena, sizeof(*staff));
			map_put(board->by_queue, agent->queues[i], staff);
		}
		staff_count(staff, row, agent);
	}
}

void board_fill(struct board *board, struct arena *arena)
{
	const struct store_reply *agents = reply_item(board->reply, 1);

	board->by_queue = map_new();
	for (size_t i = 0; i < reply_count(agents); i++) {
		const struct store_reply *row = reply_item(agents, i);
		const struct agent_row *agent =
			roster_agent(board->roster, reply_text(reply_item(row, 0), NULL));

		if (agent != NULL)
			agent_count(board, row, agent, arena);
	}
}

void board_clear(struct board *board)
{
	map_free(&board->by_queue);
}

bool board_queue(const struct board *board, size_t index, struct board_queue *ret)
{
	const struct store_reply *rows = reply_item(board->reply, 0);
	const struct store_reply *row = reply_item(rows, index);
	const struct staff *here;
	int64_t oldest;

	if (index >= reply_count(rows))
		return false;
	*ret = (struct board_queue){ .id = reply_text(reply_item(row, 0), NULL),
				     .waiting = reply_int(reply_item(row, 1)) };
	oldest = reply_int(reply_item(row, 2));
	ret->oldest_ms = oldest == 0 || oldest > board->now_ms ? 0 : board->now_ms - oldest;
	ret->row = roster_queue(board->roster, ret->id);
	ret->staff = board->everywhere;
	here = map_get(board->by_queue, ret->id);
	for (size_t i = 0; here != NULL && i < STAFF_STATES; i++)
		ret->staff.in[i] += here->in[i];
	ret->staff.ready += here == NULL ? 0 : here->ready;
	figures_queue(board->figures, ret->id, board->now_ms, &ret->figures);
	ret->expected_wait_ms =
		figures_expected_wait(&ret->figures, ret->waiting + 1, ret->staff.ready);
	return true;
}
