/* A raw client and a server in one loop, for tests of the HTTP server: every
 * wait turns the loop, so nothing sleeps and nothing is timed. */
#pragma once

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "services/http_server.h"
#include "services/http_server_internal.h"
#include "services/loop.h"

enum { MAX_HELD = 128 };

struct world {
	struct loop *loop;
	struct http_server *server;
	struct http_server_options options;
	struct error err;
	int64_t limit; /* what body_limit says; 0: the server's own */
	int handled;
	int gone;
	int drained;
	struct http_request *held[MAX_HELD]; /* of /hold and /poll, in order */
	int held_count;
	struct http_stream *stream;
	struct buf seen; /* one line a request: method target source secure body */
};

struct client {
	struct world *world;
	int fd;
	bool eof;
	struct buf in;
};

static inline void world_on_gone(void *context)
{
	struct world *world = context;

	world->gone++;
	world->stream = NULL;
}

static inline void world_handle(struct http_request *request, void *context)
{
	struct world *world = context;
	const char *path = http_request_path(request);
	size_t len;
	const char *body = http_request_body(request, &len);

	world->handled++;
	buf_format(&world->seen, "%s %s %s %d %zu\n", http_request_method(request),
		   http_request_target(request), http_request_source(request),
		   http_request_is_secure(request), len);
	if (strcmp(path, "/hold") == 0 || strcmp(path, "/poll") == 0) {
		cr_assert_lt(world->held_count, MAX_HELD);
		world->held[world->held_count++] = request;
		if (strcmp(path, "/poll") == 0)
			http_request_on_gone(request, world_on_gone, world);
	} else if (strcmp(path, "/events") == 0) {
		world->stream =
			http_stream_start(request, "text/event-stream", world_on_gone, world);
	} else if (strcmp(path, "/empty") == 0) {
		http_answer_empty(request, 204);
	} else if (strcmp(path, "/echo") == 0) {
		http_answer(request, 200, "text/plain", body, len);
	} else {
		http_answer(request, 200, "text/plain", path, strlen(path));
	}
}

static inline int64_t world_limit(const struct http_head *head, void *context)
{
	struct world *world = context;

	(void)head;
	return world->limit != 0 ? world->limit : LIMIT_HTTP_BODY_BYTES;
}

static inline bool world_try(struct world *world)
{
	world->server = http_server_new(world->loop, &world->options, world_limit, world_handle,
					world, &world->err);
	return world->server != NULL;
}

static inline struct world *world_new(void)
{
	struct world *world = memory_new(sizeof(*world));

	world->loop = loop_new();
	world->options.address = "127.0.0.1:0";
	return world;
}

static inline void world_start(struct world *world)
{
	cr_assert(world_try(world), "%s", world->err.text);
}

static inline void world_free(struct world *world)
{
	http_server_free(&world->server);
	for (int i = 0; i < world->held_count; i++)
		if (world->held[i] != NULL)
			http_answer_empty(world->held[i], 503);
	loop_free(&world->loop);
	buf_clear(&world->seen);
	free(world);
}

static inline struct client *client_connect(struct world *world, int port)
{
	struct client *client = memory_new(sizeof(*client));
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->world = world;
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0, "%s",
		     strerror(errno));
	return client;
}

static inline struct client *client_new(struct world *world)
{
	return client_connect(world, http_server_port(world->server));
}

static inline void client_free(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	buf_clear(&client->in);
	free(client);
}

/* One client in a world of its own, with the usual options; both end together. */
static inline struct client *client_in_new_world(void)
{
	struct world *world = world_new();

	world_start(world);
	return client_new(world);
}

static inline void client_end_world(struct client *client)
{
	struct world *world = client->world;

	client_free(client);
	world_free(world);
}

/* Takes what is there; never waits for more than the server's turn. */
static inline void client_turn(struct client *client)
{
	char bytes[65536];
	ssize_t got;

	loop_turn(client->world->loop, false);
	if (client->eof)
		return;
	got = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got > 0)
		buf_add(&client->in, bytes, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		client->eof = true;
}

/* All of it, while the server reads: more than a socket's buffers hold. */
static inline void client_send_bytes(struct client *client, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(client->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return; /* the server hung up: the test looks at what came back */
		if (sent > 0) {
			bytes += sent;
			len -= (size_t)sent;
		}
		client_turn(client);
	}
}

static inline void client_send(struct client *client, const char *text)
{
	client_send_bytes(client, text, strlen(text));
}

static inline int occurrences(const char *text, const char *what)
{
	int count = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		count++;
	return count;
}

/* Until the text has come `times` times; a hang is the test's own timeout. */
static inline void client_expect_times(struct client *client, const char *text, int times)
{
	while (occurrences(buf_string(&client->in), text) < times) {
		cr_assert_not(client->eof, "closed before \"%s\": %s", text,
			      buf_string(&client->in));
		client_turn(client);
	}
}

static inline void client_expect(struct client *client, const char *text)
{
	client_expect_times(client, text, 1);
}

static inline void client_expect_close(struct client *client)
{
	while (!client->eof)
		client_turn(client);
}

/* Until the server has done what the test waits for. */
#define TURN_UNTIL(world, condition)                                                               \
	while (!(condition))                                                                       \
	loop_turn((world)->loop, false)
