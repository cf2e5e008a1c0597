#include "http_client.h"

#define H " HTTP/1.1\r\nHost: a\r\n"

TestSuite(http_server, .timeout = 60);

Test(http_server, answers_a_request_and_keeps_the_connection)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "GET /one?x=1" H "\r\n");
	client_expect(client, "\r\n\r\n/one");
	client_expect(client, "HTTP/1.1 200 OK\r\nDate: ");
	client_expect(client, "Content-Length: 4\r\n");
	client_expect(client, "X-Content-Type-Options: nosniff\r\n");
	client_expect(client, "X-Request-Id: req_");
	client_send(client, "POST /echo" H "Content-Length: 5\r\n\r\nhello");
	client_expect(client, "\r\n\r\nhello");
	cr_assert_str_eq(buf_string(&world->seen),
			 "GET /one?x=1 127.0.0.1 0 0\nPOST /echo 127.0.0.1 0 5\n");
	cr_assert_null(strstr(buf_string(&client->in), "Connection:"));
	cr_assert_eq(http_server_stats(world->server).requests, 2);
	cr_assert_eq(http_server_stats(world->server).connections, 1);
	client_end_world(client);
}

Test(http_server, takes_a_request_byte_by_byte)
{
	static const char text[] = "POST /echo" H "Content-Length: 5\r\n\r\nhello"
				   "GET /two" H "\r\n";
	struct client *client = client_in_new_world();

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		client_send_bytes(client, text + i, 1);
		client_turn(client);
	}
	client_expect(client, "\r\n\r\nhello");
	client_expect(client, "\r\n\r\n/two");
	client_end_world(client);
}

Test(http_server, echoes_a_well_formed_request_id_and_no_other)
{
	static const char *const bad[] = { "a b", "a\"b", "<x>",
					   "0123456789012345678901234567890123456789"
					   "0123456789012345678901234" };
	struct client *client = client_in_new_world();

	client_send(client, "GET /" H "X-Request-Id: my-id.1\r\n\r\n");
	client_expect(client, "X-Request-Id: my-id.1\r\nConverge-Request-Id: req_");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char text[256];

		snprintf(text, sizeof(text), "GET /" H "X-Request-Id: %s\r\n\r\n", bad[i]);
		client_send(client, text);
		client_expect_times(client, "\nX-Request-Id: req_", (int)i + 1);
	}
	client_end_world(client);
}

Test(http_server, answers_head_without_a_body_and_204_without_a_length)
{
	struct client *client = client_in_new_world();

	client_send(client,
		    "HEAD /some" H "\r\nGET /empty" H "\r\nGET /end" H "Connection: close\r\n\r\n");
	client_expect_close(client);
	cr_assert_not_null(strstr(buf_string(&client->in), "Content-Length: 5\r\n"));
	cr_assert_null(strstr(buf_string(&client->in), "\r\n\r\n/some"));
	cr_assert_eq(occurrences(buf_string(&client->in), "Content-Length"), 2);
	cr_assert_eq(occurrences(buf_string(&client->in), "Connection: close"), 1);
	client_end_world(client);
}

Test(http_server, serves_http_1_0_with_and_without_keep_alive)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	client_expect(client, "Connection: keep-alive\r\n");
	client_send(client, "GET /events HTTP/1.0\r\n\r\n");
	client_expect(client, "Connection: close\r\n");
	http_stream_write(world->stream, "data", 4);
	http_stream_end(&world->stream);
	client_expect_close(client);
	cr_assert_not_null(strstr(buf_string(&client->in), "\r\n\r\ndata"));
	cr_assert_null(strstr(buf_string(&client->in), "chunked"));
	client_end_world(client);
}

Test(http_server, answers_a_hundred_pipelined_requests_in_order)
{
	struct world *world = world_new();
	struct buf text = { 0 };
	struct client *client;
	const char *at;

	world_start(world);
	client = client_new(world);
	for (int i = 0; i < 100; i++)
		buf_format(&text, "GET /%03d" H "\r\n", i);
	client_send_bytes(client, text.data, text.len);
	client_expect(client, "\r\n\r\n/099");
	at = buf_string(&client->in);
	for (int i = 0; i < 100; i++) {
		char want[16];

		snprintf(want, sizeof(want), "\r\n\r\n/%03d", i);
		at = strstr(at, want);
		cr_assert_not_null(at, "%s is missing or out of order", want);
	}
	buf_clear(&text);
	client_end_world(client);
}

Test(http_server, takes_a_bounded_number_ahead_and_answers_in_order)
{
	struct world *world = world_new();
	struct buf text = { 0 };
	struct client *client;

	world_start(world);
	client = client_new(world);
	for (int i = 0; i < 40; i++)
		buf_format(&text, "GET /hold?%d" H "\r\n", i);
	client_send_bytes(client, text.data, text.len);
	for (int i = 0; i < 20; i++)
		loop_turn(world->loop, false);
	cr_assert_eq(world->held_count, HTTP_PIPELINE_MAX);
	/* Answered backwards: nothing may leave before the first. */
	for (int i = HTTP_PIPELINE_MAX - 1; i > 0; i--) {
		http_answer(world->held[i], 200, "text/plain", &"abcdefghijklmnop"[i], 1);
		world->held[i] = NULL;
	}
	client_turn(client);
	client_turn(client);
	cr_assert_eq(client->in.len, 0);
	http_answer(world->held[0], 200, "text/plain", "a", 1);
	world->held[0] = NULL;
	client_expect(client, "\r\n\r\np");
	for (int i = 1; i < HTTP_PIPELINE_MAX; i++) {
		char before[] = { '\n', "abcdefghijklmnop"[i - 1], '\0' };
		char after[] = { '\n', "abcdefghijklmnop"[i], '\0' };

		cr_assert_lt(strstr(client->in.data, before), strstr(client->in.data, after));
	}
	TURN_UNTIL(world, world->held_count == 2 * HTTP_PIPELINE_MAX);
	for (int i = HTTP_PIPELINE_MAX; i < world->held_count; i++) {
		http_answer_empty(world->held[i], 200);
		world->held[i] = NULL;
		client_turn(client);
	}
	TURN_UNTIL(world, world->held_count == 40);
	buf_clear(&text);
	client_end_world(client);
}

Test(http_server, refuses_malformed_heads_with_a_problem)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "GET /ok" H "\r\nGET / HTTP/1.1\nHost: a\n\nGET /no" H "\r\n");
	client_expect_close(client);
	cr_assert_not_null(strstr(client->in.data, "\r\n\r\n/ok"));
	cr_assert_not_null(strstr(client->in.data, "HTTP/1.1 400 Bad Request\r\n"));
	cr_assert_not_null(strstr(client->in.data, "Content-Type: application/problem+json\r\n"));
	cr_assert_not_null(strstr(client->in.data, "\"code\":\"bad_request\""));
	cr_assert_not_null(strstr(client->in.data, "\"detail\":\"line ends without CR\"}"));
	cr_assert_eq(occurrences(client->in.data, "X-Request-Id: req_"), 2);
	cr_assert_eq(world->handled, 1);
	cr_assert_eq(http_server_stats(world->server).refused, 1);
	client_end_world(client);
}

static const char *status_of(struct world *world, const char *bytes, size_t len)
{
	static char status[16];
	struct client *client = client_new(world);

	client_send_bytes(client, bytes, len);
	client_expect(client, "\r\n\r\n");
	snprintf(status, sizeof(status), "%.3s", client->in.data + 9);
	client_free(client);
	return status;
}

static const char *status_of_header_size(struct world *world, size_t size)
{
	static const char before[] = "GET /" H "X: ";
	char *bytes = memory_new(size);
	const char *status;

	memset(bytes, 'x', size);
	memcpy(bytes, before, sizeof(before) - 1);
	memcpy(bytes + size - 4, "\r\n\r\n", 4);
	status = status_of(world, bytes, size);
	free(bytes);
	return status;
}

static const char *status_of_fields(struct world *world, int fields)
{
	struct buf text = { 0 };
	const char *status;

	buf_text(&text, "GET /" H);
	for (int i = 1; i < fields; i++)
		buf_format(&text, "X%d: 1\r\n", i);
	buf_text(&text, "\r\n");
	status = status_of(world, text.data, text.len);
	buf_clear(&text);
	return status;
}

Test(http_server, bounds_the_header_block)
{
	struct world *world = world_new();

	world_start(world);
	cr_assert_str_eq(status_of_header_size(world, LIMIT_HTTP_HEADER_BYTES - 1), "200");
	cr_assert_str_eq(status_of_header_size(world, LIMIT_HTTP_HEADER_BYTES), "200");
	cr_assert_str_eq(status_of_header_size(world, LIMIT_HTTP_HEADER_BYTES + 1), "431");
	cr_assert_str_eq(status_of_fields(world, LIMIT_HTTP_FIELDS - 1), "200");
	cr_assert_str_eq(status_of_fields(world, LIMIT_HTTP_FIELDS), "200");
	cr_assert_str_eq(status_of_fields(world, LIMIT_HTTP_FIELDS + 1), "431");
	world_free(world);
}

static const char *status_of_body(struct world *world, size_t size, bool chunked)
{
	struct buf text = { 0 };
	const char *status;

	buf_format(&text, "POST /echo" H);
	if (chunked)
		buf_format(&text, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", size);
	else
		buf_format(&text, "Content-Length: %zu\r\n\r\n", size);
	for (size_t i = 0; i < size; i++)
		buf_byte(&text, 'x');
	if (chunked)
		buf_text(&text, "\r\n0\r\n\r\n");
	status = status_of(world, text.data, text.len);
	buf_clear(&text);
	return status;
}

Test(http_server, bounds_the_body_at_what_the_route_says)
{
	struct world *world = world_new();

	world->limit = 1000;
	world_start(world);
	for (int chunked = 0; chunked < 2; chunked++) {
		cr_assert_str_eq(status_of_body(world, 999, chunked), "200");
		cr_assert_str_eq(status_of_body(world, 1000, chunked), "200");
		cr_assert_str_eq(status_of_body(world, 1001, chunked), "413");
	}
	world->limit = LIMIT_HTTP_BODY_BYTES;
	for (int chunked = 0; chunked < 2; chunked++) {
		cr_assert_str_eq(status_of_body(world, LIMIT_HTTP_BODY_BYTES, chunked), "200");
		cr_assert_str_eq(status_of_body(world, LIMIT_HTTP_BODY_BYTES + 1, chunked), "413");
	}
	world_free(world);
}

Test(http_server, refuses_before_reading_the_body)
{
	struct world *world = world_new();
	struct client *client;

	world->limit = 10;
	world_start(world);
	client = client_new(world);
	client_send(client, "POST /echo" H "Content-Length: 11\r\nExpect: 100-continue\r\n\r\n");
	client_expect(client, "HTTP/1.1 413 ");
	client_expect(client, "Connection: close\r\n");
	client_expect(client, "\"code\":\"body_too_large\"");
	cr_assert_null(strstr(client->in.data, "100 Continue"));
	shutdown(client->fd, SHUT_WR);
	client_expect_close(client);
	TURN_UNTIL(world, http_server_stats(world->server).connections == 0);
	client_free(client);
	world->limit = -404;
	client = client_new(world);
	client_send(client, "GET /a" H "\r\nGET /b" H "\r\n");
	client_expect_times(client, "HTTP/1.1 404 Not Found", 2);
	cr_assert_eq(world->handled, 0);
	client_end_world(client);
}

Test(http_server, says_continue_when_asked_and_only_once)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "POST /echo" H "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	client_expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
	cr_assert_eq(world->handled, 0);
	client_send(client, "hello");
	client_expect(client, "\r\n\r\nhello");
	client_send(client, "POST /echo" H "Content-Length: 2\r\nExpect: 100-continue\r\n\r\nhi");
	client_expect(client, "\r\n\r\nhi");
	cr_assert_eq(occurrences(client->in.data, "100 Continue"), 1);
	client_end_world(client);
}

Test(http_server, reads_chunked_bodies_in_pieces)
{
	static const char text[] = "POST /echo" H "Transfer-Encoding: chunked\r\n\r\n"
				   "5\r\nhello\r\n1;x\r\n \r\n5\r\nworld\r\n0\r\nX: 1\r\n\r\n";
	struct world *world = world_new();
	struct client *client;

	world_start(world);
	for (size_t step = 1; step < sizeof(text); step += 3) {
		client = client_new(world);
		for (size_t at = 0; at < sizeof(text) - 1; at += step)
			client_send_bytes(client, text + at,
					  sizeof(text) - 1 - at < step ? sizeof(text) - 1 - at
								       : step);
		client_expect(client, "\r\n\r\nhello world");
		client_free(client);
	}
	client = client_new(world);
	client_send(client, "POST /echo" H "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello");
	client_expect(client, "HTTP/1.1 400 ");
	client_end_world(client);
}

Test(http_server, tells_query_fields_and_body_to_the_handler)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;
	struct http_request *request;
	size_t len;

	client_send(client, "POST /hold?a=1%202&b=x+y&%63&d=%E5%95%86&a=3" H
			    "X-Some: value \r\nContent-Length: 2\r\n\r\nhi");
	TURN_UNTIL(world, world->held_count == 1);
	request = world->held[0];
	cr_assert_str_eq(http_request_query(request, "a"), "1 2");
	cr_assert_str_eq(http_request_query(request, "b"), "x y");
	cr_assert_str_eq(http_request_query(request, "c"), "");
	cr_assert_str_eq(http_request_query(request, "d"), "商");
	cr_assert_null(http_request_query(request, "e"));
	cr_assert_str_eq(http_request_field(request, "x-some"), "value");
	cr_assert_null(http_request_field(request, "x-other"));
	cr_assert_str_eq(http_request_path(request), "/hold");
	cr_assert_str_eq(http_request_body(request, &len), "hi");
	cr_assert_eq(http_request_head(request)->field_count, 3);
	cr_assert(strncmp(http_request_id(request), "req_", 4) == 0);
	http_request_add_field(request, "X-Evil", "a\r\nSet-Cookie: b");
	http_request_add_field(request, "X-Good", "fine");
	http_request_add_field(request, "Cache-Control", "max-age=60");
	http_answer_empty(request, 201);
	world->held[0] = NULL;
	client_expect(client, "HTTP/1.1 201 Created\r\n");
	client_expect(client, "X-Good: fine\r\n");
	cr_assert_null(strstr(client->in.data, "X-Evil"));
	cr_assert_eq(occurrences(client->in.data, "Cache-Control"), 1);
	client_end_world(client);
}

Test(http_server, sends_large_static_bodies_whole)
{
	static char page[300000];
	struct world *world = world_new();
	struct client *client;

	memset(page, 'p', sizeof(page));
	world_start(world);
	client = client_new(world);
	client_send(client, "GET /hold" H "\r\nGET /after" H "\r\n");
	TURN_UNTIL(world, world->held_count == 1);
	http_answer_static(world->held[0], 200, "text/html", page, sizeof(page));
	world->held[0] = NULL;
	client_expect(client, "\r\n\r\n/after");
	cr_assert_not_null(strstr(client->in.data, "Content-Length: 300000\r\n"));
	cr_assert_gt(client->in.len, sizeof(page));
	client_end_world(client);
}

Test(http_server, streams_in_chunks_and_goes_on_afterwards)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "GET /events" H "\r\nGET /next" H "\r\n");
	client_expect(client, "Content-Type: text/event-stream\r\n");
	client_expect(client, "Transfer-Encoding: chunked\r\n");
	cr_assert_eq(http_server_stats(world->server).streams, 1);
	cr_assert(http_stream_write(world->stream, "data: 1\n\n", 9));
	client_expect(client, "\r\n\r\n9\r\ndata: 1\n\n\r\n");
	cr_assert_null(strstr(client->in.data, "/next"));
	http_stream_end(&world->stream);
	cr_assert_null(world->stream);
	client_expect(client, "\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n");
	client_expect(client, "/next");
	cr_assert_eq(http_server_stats(world->server).streams, 0);
	cr_assert_eq(world->gone, 0);
	client_end_world(client);
}
