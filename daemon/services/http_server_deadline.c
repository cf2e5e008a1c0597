/* Deadlines of one kind all have the same delay, so each kind's queue is in
 * order by itself (nearly: bodies count from their head) and one timer for the
 * earliest serves every connection. */
#include "services/http_server_internal.h"

static void arm(struct http_server *server, int64_t at_ms)
{
	if (server->sweep_at_ms != 0 && server->sweep_at_ms <= at_ms)
		return;
	server->sweep_at_ms = at_ms;
	loop_timer_start(server->sweep, at_ms - loop_now_ms(server->loop) + 1);
}

static void expire(struct http_server *server, struct deadlines *queue, int64_t now_ms)
{
	struct deadline *deadline;

	while ((deadline = TAILQ_FIRST(queue)) != NULL && deadline->at_ms <= now_ms) {
		enum wait kind = deadline->kind;

		http_deadline_clear(deadline);
		http_connection_timed_out(deadline->connection, kind);
	}
	if (deadline != NULL)
		arm(server, deadline->at_ms);
}

static void on_sweep(void *context)
{
	struct http_server *server = context;
	int64_t now_ms = loop_now_ms(server->loop);

	server->sweep_at_ms = 0;
	for (int kind = 0; kind < WAIT_KINDS; kind++)
		expire(server, &server->deadlines[kind], now_ms);
}

void http_deadlines_init(struct http_server *server)
{
	for (int kind = 0; kind < WAIT_KINDS; kind++)
		TAILQ_INIT(&server->deadlines[kind]);
	server->sweep = loop_timer_new(server->loop, on_sweep, server);
}

void http_deadline_clear(struct deadline *deadline)
{
	if (deadline->kind == WAIT_NONE)
		return;
	TAILQ_REMOVE(&deadline->connection->server->deadlines[deadline->kind], deadline, link);
	deadline->kind = WAIT_NONE;
}

void http_deadline_set(struct deadline *deadline, enum wait kind, int64_t delay_ms)
{
	struct http_server *server = deadline->connection->server;
	struct deadlines *queue = &server->deadlines[kind];
	struct deadline *before;

	http_deadline_clear(deadline);
	deadline->kind = kind;
	deadline->at_ms = loop_now_ms(server->loop) + delay_ms;
	before = TAILQ_LAST(queue, deadlines);
	while (before != NULL && before->at_ms > deadline->at_ms)
		before = TAILQ_PREV(before, deadlines, link);
	if (before == NULL)
		TAILQ_INSERT_HEAD(queue, deadline, link);
	else
		TAILQ_INSERT_AFTER(queue, before, deadline, link);
	arm(server, deadline->at_ms);
}
