#include <string.h>

#include "services/http_server_internal.h"

bool http_input_is_open(const struct connection *connection)
{
	return connection->reply_count < HTTP_PIPELINE_MAX && connection->out.len < HTTP_UNSENT_MAX;
}

static void stop(struct connection *connection)
{
	connection->stopped = true;
	connection->unread = true;
	http_deadline_clear(&connection->read_deadline);
	buf_clear(&connection->in);
}

/* Refuses what never became a request: the answer still has its place in the
 * order, an id and the common fields. */
void http_input_refuse(struct connection *connection, int status, const char *detail)
{
	struct http_request *request = connection->current;

	connection->current = NULL;
	stop(connection);
	if (request == NULL) {
		request = http_request_take(connection->server);
		memset(&request->head, 0, offsetof(struct http_head, fields));
		request->head.field_count = 0;
		request->head.minor = 1;
		id_new("req_", request->id);
		http_reply_new(connection, request);
	}
	http_answer_problem(request, status, detail, true);
}

static void dispatch(struct connection *connection)
{
	struct http_server *server = connection->server;
	struct http_request *request = connection->current;

	connection->current = NULL;
	http_deadline_clear(&connection->read_deadline);
	if (!request->head.keep_alive || server->is_draining)
		connection->stopped = true;
	server->stats.requests++;
	http_source_of_request(connection, request);
	server->handler(request, server->context);
}

static bool has_body(const struct http_head *head)
{
	return head->chunked || head->content_length > 0;
}

/* The head is known: may its body come? */
static void judge(struct connection *connection, bool body_follows)
{
	struct http_server *server = connection->server;
	struct http_request *request = connection->current;
	struct http_head *head = &request->head;
	int64_t limit = server->body_limit == NULL ? server->options.body_max
						   : server->body_limit(head, server->context);

	if (limit < 0 && !has_body(head)) {
		connection->current = NULL;
		connection->stopped = !head->keep_alive;
		http_answer_problem(request, (int)-limit, "refused", false);
	} else if (limit < 0) {
		http_input_refuse(connection, (int)-limit, "refused before the body was read");
	} else if (head->content_length > limit) {
		http_input_refuse(connection, 413, "body is over the limit");
	} else if (!has_body(head)) {
		dispatch(connection);
	} else {
		request->body_limit = limit;
		request->body_left = head->chunked ? 0 : (uint64_t)head->content_length;
		if (head->expect_continue && !body_follows)
			http_reply_continue(request->reply);
	}
}

static size_t take_head(struct connection *connection, const char *bytes, size_t len)
{
	struct http_server *server = connection->server;
	struct http_request *request;
	struct http_refusal refusal;
	enum http_parse result;
	size_t used = 0;

	if (!http_input_is_open(connection)) {
		connection->paused = true;
		return 0;
	}
	request = http_request_take(server);
	result = http_parse_head(bytes, len, &request->head, &used, &refusal);
	if (result != HTTP_PARSE_DONE) {
		http_request_release(request);
		if (result == HTTP_PARSE_BAD)
			http_input_refuse(connection, refusal.status, refusal.reason);
		return 0;
	}
	http_deadline_clear(&connection->read_deadline);
	http_request_fill(request, bytes, used);
	request->started_ms = loop_now_ms(server->loop);
	id_new("req_", request->id);
	http_reply_new(connection, request);
	connection->current = request;
	judge(connection, used < len);
	return used;
}

static size_t take_sized(struct connection *connection, const char *bytes, size_t len)
{
	struct http_request *request = connection->current;
	size_t run = request->body_left < len ? (size_t)request->body_left : len;

	/* Small bodies get their room at once, large ones as they arrive. */
	if (request->body.len == 0)
		buf_reserve(&request->body, request->body_left < HTTP_READ_BYTES
						    ? (size_t)request->body_left
						    : HTTP_READ_BYTES);
	buf_add(&request->body, bytes, run);
	request->body_left -= run;
	if (request->body_left == 0)
		dispatch(connection);
	return run;
}

static size_t take_chunked(struct connection *connection, const char *bytes, size_t len)
{
	struct http_request *request = connection->current;
	struct http_refusal refusal;
	const char *data;
	size_t data_len;
	size_t used = 0;
	enum http_parse result =
		http_parse_chunk(&request->chunks, bytes, len, &used, &data, &data_len, &refusal);

	if (result == HTTP_PARSE_BAD) {
		http_input_refuse(connection, refusal.status, refusal.reason);
		return 0;
	}
	if (request->body.len + data_len + request->chunks.left > (uint64_t)request->body_limit) {
		http_input_refuse(connection, 413, "body is over the limit");
		return 0;
	}
	if (data_len > 0)
		buf_add(&request->body, data, data_len);
	if (result == HTTP_PARSE_DONE)
		dispatch(connection);
	return used;
}

/* What is left waits for more: for how long? */
static void await_more(struct connection *connection, bool partial)
{
	const struct http_server_options *options = &connection->server->options;
	struct deadline *deadline = &connection->read_deadline;

	if (connection->current != NULL) {
		int64_t spent =
			loop_now_ms(connection->server->loop) - connection->current->started_ms;

		if (deadline->kind != WAIT_BODY)
			http_deadline_set(deadline, WAIT_BODY, options->request_ms - spent);
	} else if (partial && !connection->paused && deadline->kind != WAIT_HEAD) {
		http_deadline_set(deadline, WAIT_HEAD, options->header_ms);
	}
}

size_t http_input_take(struct connection *connection, const char *bytes, size_t len)
{
	size_t used = 0;

	while (used < len && !connection->stopped) {
		size_t step;

		if (connection->current == NULL)
			step = take_head(connection, bytes + used, len - used);
		else if (connection->current->head.chunked)
			step = take_chunked(connection, bytes + used, len - used);
		else
			step = take_sized(connection, bytes + used, len - used);
		if (step == 0)
			break;
		used += step;
	}
	if (connection->stopped) {
		connection->unread = connection->unread || used < len;
		return len;
	}
	await_more(connection, used < len);
	return used;
}
