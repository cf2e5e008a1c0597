/* One test for each way in which a client can misbehave, or the world can. */
#include "http_client.h"

#include <fcntl.h>
#include <sys/resource.h>

#define H " HTTP/1.1\r\nHost: a\r\n"

TestSuite(http_clients, .timeout = 60);

static int64_t open_connections(struct world *world)
{
	return http_server_stats(world->server).connections;
}

Test(http_clients, a_head_that_dribbles_is_cut_off)
{
	struct world *world = world_new();
	struct client *slow;
	struct client *silent;

	world->options.header_ms = 20;
	world_start(world);
	slow = client_new(world);
	silent = client_new(world);
	client_send(slow, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	client_expect_close(slow);
	cr_assert_not_null(strstr(slow->in.data, "HTTP/1.1 408 Request Timeout\r\n"));
	cr_assert_not_null(strstr(slow->in.data, "\"code\":\"request_timeout\""));
	client_expect_close(silent);
	cr_assert_eq(silent->in.len, 0, "nothing was asked, nothing is answered");
	client_free(slow);
	client_free(silent);
	TURN_UNTIL(world, open_connections(world) == 0);
	world_free(world);
}

Test(http_clients, a_body_that_dribbles_is_cut_off)
{
	struct world *world = world_new();
	struct client *client;

	world->options.request_ms = 20;
	world_start(world);
	client = client_new(world);
	client_send(client, "POST /echo" H "Content-Length: 5\r\n\r\nhel");
	client_expect(client, "HTTP/1.1 408 Request Timeout\r\n");
	cr_assert_eq(world->handled, 0);
	client_end_world(client);
}

Test(http_clients, an_idle_connection_is_closed_in_time_but_not_a_poll)
{
	struct world *world = world_new();
	struct client *idle;
	struct client *poll;

	world->options.idle_ms = 20;
	world_start(world);
	idle = client_new(world);
	poll = client_new(world);
	client_send(poll, "GET /poll" H "\r\n");
	client_send(idle, "GET /" H "\r\n");
	client_expect_close(idle);
	client_turn(poll);
	cr_assert_not(poll->eof);
	http_answer_empty(world->held[0], 200);
	world->held[0] = NULL;
	client_expect(poll, "200 OK");
	client_free(idle);
	client_free(poll);
	world_free(world);
}

Test(http_clients, half_a_close_still_gets_its_answer)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "GET /hold" H "\r\n");
	shutdown(client->fd, SHUT_WR);
	TURN_UNTIL(world, world->held_count == 1);
	client_turn(client);
	http_answer(world->held[0], 200, "text/plain", "late", 4);
	world->held[0] = NULL;
	client_expect_close(client);
	cr_assert_not_null(strstr(client->in.data, "\r\n\r\nlate"));
	client_free(client);
	TURN_UNTIL(world, open_connections(world) == 0);
	world_free(world);
}

Test(http_clients, a_poller_that_leaves_is_told_once_and_its_answer_goes_nowhere)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "GET /poll" H "\r\n");
	TURN_UNTIL(world, world->held_count == 1);
	client_free(client);
	TURN_UNTIL(world, world->gone == 1);
	cr_assert_eq(open_connections(world), 0);
	http_answer(world->held[0], 200, "text/plain", "x", 1);
	world->held[0] = NULL;
	loop_turn(world->loop, false);
	cr_assert_eq(world->gone, 1);
	world_free(world);
}

Test(http_clients, a_client_that_leaves_in_mid_body_leaves_nothing_behind)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "POST /echo" H "Content-Length: 500000\r\n\r\nhel");
	TURN_UNTIL(world, open_connections(world) == 1);
	client_free(client);
	TURN_UNTIL(world, open_connections(world) == 0);
	cr_assert_eq(world->handled, 0);
	world_free(world);
}

Test(http_clients, a_stream_reader_that_leaves_is_told)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "GET /events" H "\r\n");
	client_expect(client, "event-stream");
	client_free(client);
	TURN_UNTIL(world, world->gone == 1);
	cr_assert_eq(http_server_stats(world->server).streams, 0);
	world_free(world);
}

Test(http_clients, a_stream_reader_that_does_not_read_is_dropped)
{
	char event[1000];
	struct world *world = world_new();
	struct client *client;
	int written = 0;

	memset(event, 'e', sizeof(event));
	world->options.stream_buffer_max = 64 * 1024;
	world_start(world);
	client = client_new(world);
	client_send(client, "GET /events" H "\r\n");
	client_expect(client, "event-stream");
	while (http_stream_write(world->stream, event, sizeof(event))) {
		cr_assert_eq(world->gone, 0);
		cr_assert_lt(++written, 100000);
		loop_turn(world->loop, false);
	}
	cr_assert_gt(written, 60);
	cr_assert_eq(world->gone, 0, "never inside the write");
	loop_turn(world->loop, false);
	cr_assert_eq(world->gone, 1);
	cr_assert_eq(open_connections(world), 0);
	client_end_world(client);
}

Test(http_clients, an_answer_nobody_reads_is_dropped_in_time)
{
	static char page[8 * 1024 * 1024];
	struct world *world = world_new();
	struct client *client;

	world->options.request_ms = 30;
	world_start(world);
	client = client_new(world);
	client_send(client, "GET /hold" H "\r\n");
	TURN_UNTIL(world, world->held_count == 1);
	http_answer_static(world->held[0], 200, "text/plain", page, sizeof(page));
	world->held[0] = NULL;
	TURN_UNTIL(world, open_connections(world) == 0);
	client_end_world(client);
}

Test(http_clients, an_upload_over_the_limit_can_still_read_the_refusal)
{
	static char body[300000];
	struct world *world = world_new();
	struct client *client;

	memset(body, 'x', sizeof(body));
	world->limit = 1000;
	world_start(world);
	client = client_new(world);
	client_send(client, "POST /echo" H "Content-Length: 300000\r\n\r\n");
	client_send_bytes(client, body, sizeof(body));
	client_expect(client, "HTTP/1.1 413 ");
	cr_assert_eq(world->handled, 0);
	client_free(client);
	TURN_UNTIL(world, open_connections(world) == 0);
	world_free(world);
}

Test(http_clients, a_refused_upload_is_not_reset_while_the_client_still_sends)
{
	static const char more[1000];
	struct world *world = world_new();
	struct client *client;

	world->limit = 1000;
	world_start(world);
	client = client_new(world);
	client_send(client, "POST /echo" H "Content-Length: 300000\r\n\r\nxx");
	client_expect(client, "over the limit\"}");
	client_expect_close(client); /* the server's half */
	for (int i = 0; i < 10; i++) {
		cr_assert_eq(send(client->fd, more, sizeof(more), MSG_NOSIGNAL), sizeof(more));
		loop_turn(world->loop, false);
	}
	cr_assert_eq(open_connections(world), 1);
	client_free(client);
	TURN_UNTIL(world, open_connections(world) == 0);
	world_free(world);
}

Test(http_clients, one_source_holds_only_so_many_idle_connections)
{
	struct world *world = world_new();
	struct client *clients[4];

	world->options.idle_per_source = 3;
	world_start(world);
	world->server->counts_loopback = true;
	for (int i = 0; i < 3; i++) {
		clients[i] = client_new(world);
		client_send(clients[i], "GET /" H "\r\n");
		client_expect(clients[i], "200 OK");
	}
	client_turn(clients[0]);
	cr_assert_eq(open_connections(world), 3);
	clients[3] = client_new(world);
	client_expect_close(clients[0]); /* the longest idle */
	cr_assert_eq(open_connections(world), 3);
	client_send(clients[1], "GET /poll" H "\r\n"); /* waiting, not idle */
	TURN_UNTIL(world, world->held_count == 1);
	clients[0]->eof = false;
	client_free(clients[0]);
	clients[0] = client_new(world);
	TURN_UNTIL(world, open_connections(world) == 4);
	for (int i = 0; i < 4; i++)
		client_free(clients[i]);
	TURN_UNTIL(world, open_connections(world) == 0);
	world_free(world);
}

Test(http_clients, loopback_is_exempt_from_the_cap_of_a_source)
{
	struct world *world = world_new();
	struct client *clients[12];

	world_start(world);
	for (int i = 0; i < 12; i++)
		clients[i] = client_new(world);
	TURN_UNTIL(world, open_connections(world) == 12);
	for (int i = 0; i < 12; i++)
		client_free(clients[i]);
	world_free(world);
}

Test(http_clients, connections_beyond_the_total_are_refused)
{
	struct world *world = world_new();
	struct client *clients[3];

	world->options.connections_max = 2;
	world_start(world);
	for (int i = 0; i < 3; i++)
		clients[i] = client_new(world);
	client_expect_close(clients[2]);
	cr_assert_not_null(strstr(clients[2]->in.data, "HTTP/1.1 503 Service Unavailable\r\n"));
	cr_assert_not_null(strstr(clients[2]->in.data, "X-Request-Id: req_"));
	cr_assert_eq(strlen(strstr(clients[2]->in.data, "\r\n\r\n") + 4), 118);
	cr_assert_eq(open_connections(world), 2);
	client_send(clients[1], "GET /still" H "\r\n");
	client_expect(clients[1], "/still");
	for (int i = 0; i < 3; i++)
		client_free(clients[i]);
	world_free(world);
}

static void use_up_descriptors(struct rlimit *old)
{
	struct rlimit few;
	int fd = open("/dev/null", O_RDONLY);

	getrlimit(RLIMIT_NOFILE, old);
	few = *old;
	few.rlim_cur = (rlim_t)fd; /* every number below is taken */
	close(fd);
	setrlimit(RLIMIT_NOFILE, &few);
}

Test(http_clients, running_out_of_descriptors_pauses_accepting)
{
	struct world *world = world_new();
	struct rlimit old;
	struct client *kept;
	struct client *shed;

	world_start(world);
	kept = client_new(world);
	client_send(kept, "GET /" H "\r\n");
	client_expect(kept, "200 OK");
	shed = client_new(world);
	use_up_descriptors(&old);
	client_expect_close(shed);
	cr_assert_eq(open_connections(world), 1);
	cr_assert(loop_timer_is_armed(world->server->accept_timer), "accepting rests");
	cr_assert_geq(world->server->reserve_fd, 0);
	client_send(kept, "GET /alive" H "\r\n");
	client_expect(kept, "/alive");
	setrlimit(RLIMIT_NOFILE, &old);
	client_free(shed);
	shed = client_new(world);
	client_send(shed, "GET /again" H "\r\n");
	client_expect(shed, "/again");
	client_free(shed);
	client_free(kept);
	world_free(world);
}

static void on_drained(void *context)
{
	struct world *world = context;

	world->drained++;
}

Test(http_clients, drain_ends_streams_and_idle_and_waits_for_answers)
{
	struct world *world = world_new();
	struct client *stream;
	struct client *idle;
	struct client *busy;

	world_start(world);
	stream = client_new(world);
	idle = client_new(world);
	busy = client_new(world);
	client_send(stream, "GET /events" H "\r\n");
	client_expect(stream, "event-stream");
	client_send(busy, "GET /hold" H "\r\n");
	TURN_UNTIL(world, world->held_count == 1);
	http_server_drain(world->server, 60000, on_drained, world);
	client_expect_close(stream);
	cr_assert_not_null(strstr(stream->in.data, "event: goaway\ndata: {}\n\n\r\n0\r\n\r\n"));
	cr_assert_eq(world->gone, 1);
	client_expect_close(idle);
	cr_assert_eq(world->drained, 0);
	http_answer(world->held[0], 200, "text/plain", "done", 4);
	world->held[0] = NULL;
	client_expect_close(busy);
	cr_assert_not_null(strstr(busy->in.data, "Connection: close\r\n"));
	cr_assert_not_null(strstr(busy->in.data, "\r\n\r\ndone"));
	TURN_UNTIL(world, world->drained == 1);
	client_free(stream);
	client_free(idle);
	client_free(busy);
	world_free(world);
}

Test(http_clients, drain_gives_up_after_its_grace)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "GET /poll" H "\r\n");
	TURN_UNTIL(world, world->held_count == 1);
	http_server_drain(world->server, 10, on_drained, world);
	TURN_UNTIL(world, world->drained == 1);
	cr_assert_eq(world->gone, 1);
	client_end_world(client);
}

Test(http_clients, drain_with_nobody_there_is_done_at_once)
{
	struct world *world = world_new();

	world_start(world);
	http_server_drain(world->server, 60000, on_drained, world);
	TURN_UNTIL(world, world->drained == 1);
	world_free(world);
}

Test(http_clients, a_server_freed_under_its_requests_leaves_them_answerable)
{
	struct client *client = client_in_new_world();
	struct world *world = client->world;

	client_send(client, "GET /poll" H "\r\nGET /hold" H "\r\n");
	TURN_UNTIL(world, world->held_count == 2);
	http_server_free(&world->server);
	cr_assert_eq(world->gone, 1);
	for (int i = 0; i < 2; i++) {
		http_answer_empty(world->held[i], 200);
		world->held[i] = NULL;
	}
	client_end_world(client);
}

Test(http_clients, a_second_daemon_on_the_port_is_an_error_unless_asked_for)
{
	struct world *one = world_new();
	struct world *two = world_new();
	char address[32];

	one->options.reuse_port = true;
	world_start(one);
	snprintf(address, sizeof(address), "127.0.0.1:%d", http_server_port(one->server));
	two->options.address = address;
	cr_assert_not(world_try(two));
	cr_assert_not_null(strstr(two->err.text, "Address already in use"));
	two->options.reuse_port = true;
	cr_assert(world_try(two));
	world_free(one);
	world_free(two);
}

Test(http_clients, addresses_that_make_no_sense_are_errors)
{
	static const char *const bad[] = { "127.0.0.1", "::1:80", "127.0.0.1:",     "127.0.0.1:x",
					   "unix:",     "[::1]",  "127.0.0.1:99999" };
	struct world *world = world_new();

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		world->options.address = bad[i];
		cr_expect_not(world_try(world), "%s", bad[i]);
	}
	world_free(world);
}

static struct client *client_unix(struct world *world, const char *path)
{
	struct client *client = memory_new(sizeof(*client));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	client->world = world;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return client;
}

Test(http_clients, a_stale_unix_socket_is_removed_and_a_live_one_is_not)
{
	struct sockaddr_un stale = { .sun_family = AF_UNIX };
	struct world *one = world_new();
	struct world *two = world_new();
	struct client *client;
	char dir[] = "/tmp/converge-http-XXXXXX";
	char address[64];
	int fd;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(stale.sun_path, sizeof(stale.sun_path), "%s/s", dir);
	snprintf(address, sizeof(address), "unix:%s/s", dir);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&stale, sizeof(stale)), 0);
	close(fd);
	one->options.address = address;
	two->options.address = address;
	world_start(one);
	cr_assert_not(world_try(two));
	client = client_unix(one, stale.sun_path);
	client_send(client, "GET /u" H "X-Forwarded-For: 192.0.2.9\r\n\r\n");
	client_expect(client, "\r\n\r\n/u");
	cr_assert_str_eq(buf_string(&one->seen), "GET /u unix 0 0\n");
	client_free(client);
	world_free(one);
	world_free(two);
	cr_assert_neq(access(stale.sun_path, F_OK), 0);
	rmdir(dir);
}

static const struct {
	const char *fields;
	const char *source;
	int secure;
} forwarded[] = {
	{ "", "127.0.0.1", 0 },
	{ "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1", 0 },
	{ "X-Forwarded-For: 198.51.100.7, 192.0.2.1\r\n", "192.0.2.1", 0 },
	{ "X-Forwarded-For: 192.0.2.1, 10.1.2.3\r\n", "192.0.2.1", 0 },
	{ "X-Forwarded-For: 192.0.2.1 ,10.1.2.3, 10.255.0.1\r\n", "192.0.2.1", 0 },
	{ "X-Forwarded-For: 192.0.2.1, 11.1.2.3\r\n", "11.1.2.3", 0 },
	{ "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1", 0 },
	{ "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.9.9.9\r\n", "192.0.2.1", 0 },
	{ "X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1", 0 },
	{ "X-Forwarded-For: 192.0.2.1, 2001:db8:aa::1\r\n", "192.0.2.1", 0 },
	{ "X-Forwarded-For: [2001:db8::1]:99\r\n", "2001:db8::1", 0 },
	{ "X-Forwarded-For: 192.0.2.1:99\r\n", "192.0.2.1", 0 },
	{ "X-Forwarded-For: ::ffff:192.0.2.1\r\n", "192.0.2.1", 0 },
	{ "X-Forwarded-For: 192.0.2.1, unknown\r\n", "127.0.0.1", 0 },
	{ "X-Forwarded-For: 10.0.0.1\r\n", "10.0.0.1", 0 },
	{ "X-Forwarded-For: \r\n", "127.0.0.1", 0 },
	{ "X-Forwarded-Proto: https\r\n", "127.0.0.1", 1 },
	{ "X-Forwarded-Proto: http\r\n", "127.0.0.1", 0 },
};

Test(http_clients, trusted_proxies_tell_the_source_and_nobody_else_does)
{
	static const char *const proxies[] = { "127.0.0.1", "10.0.0.0/8", "2001:db8:aa::/48" };
	static const char *const wrong[] = { "10.0.0.0/33" };
	struct world *world = world_new();
	struct client *client;

	world->options.trusted_proxies = wrong;
	world->options.trusted_proxy_count = 1;
	cr_assert_not(world_try(world));
	for (size_t count = 0; count <= 3; count += 3) {
		world->options.trusted_proxies = proxies;
		world->options.trusted_proxy_count = count;
		world_start(world);
		client = client_new(world);
		for (size_t i = 0; i < COUNT_OF(forwarded); i++) {
			char text[256];

			buf_reset(&world->seen);
			snprintf(text, sizeof(text), "GET /x" H "%s\r\n", forwarded[i].fields);
			client_send(client, text);
			client_expect_times(client, "\r\n\r\n/x", (int)i + 1);
			snprintf(text, sizeof(text), "GET /x %s %d 0\n",
				 count == 0 ? "127.0.0.1" : forwarded[i].source,
				 count == 0 ? 0 : forwarded[i].secure);
			cr_expect_str_eq(buf_string(&world->seen), text, "%s gives %s",
					 forwarded[i].fields, buf_string(&world->seen));
		}
		client_free(client);
		http_server_free(&world->server);
		loop_turn(world->loop, false);
	}
	world_free(world);
}
