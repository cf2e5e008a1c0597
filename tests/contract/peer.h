/* A peer on loopback that behaves well or badly, on the test's own loop. */
#pragma once

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "services/loop.h"

enum peer_mode {
	PEER_ANSWERS, /* the reply, once a whole request with its body is in */
	PEER_REFUSES, /* closes at once */
	PEER_HANGS,   /* reads, says nothing */
	PEER_DROPS,   /* half of the reply, then closes */
	PEER_LEAVES,  /* takes a whole request, then closes without a word */
	PEER_FLOODS,  /* a header, then bytes without end */
};

struct peer {
	struct evconnlistener *listener;
	struct bufferevent *connections[16];
	size_t connection_count;
	enum peer_mode mode;
	const char *reply;
	int port;
	int accepted;
	int requests;       /* whole ones */
	struct buf request; /* of the newest connection */
	char newest[4096];  /* the newest whole one */
	bool answered;
};

__attribute__((unused)) static const char peer_ok[] =
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static bool peer_is_whole(const struct peer *peer)
{
	const char *text = buf_string(&peer->request);
	const char *end = strstr(text, "\r\n\r\n");
	const char *length = strcasestr(text, "content-length:");
	size_t body = length ? strtoul(length + 15, NULL, 10) : 0;

	return end && peer->request.len >= (size_t)(end + 4 - text) + body;
}

static void peer_flood(struct bufferevent *connection)
{
	static char junk[65536];

	memset(junk, 'x', sizeof(junk));
	bufferevent_write(connection, junk, sizeof(junk));
}

static void peer_on_write(struct bufferevent *connection, void *context)
{
	struct peer *peer = context;

	if (peer->mode == PEER_FLOODS && peer->answered)
		peer_flood(connection);
	if (peer->mode == PEER_DROPS && peer->answered)
		bufferevent_disable(connection, EV_READ | EV_WRITE),
			shutdown(bufferevent_getfd(connection), SHUT_RDWR);
}

static void peer_on_read(struct bufferevent *connection, void *context)
{
	struct peer *peer = context;
	char chunk[4096];
	size_t len;

	while ((len = bufferevent_read(connection, chunk, sizeof(chunk))) > 0)
		buf_add(&peer->request, chunk, len);
	if (peer->mode == PEER_HANGS || !peer_is_whole(peer))
		return;
	peer->answered = true;
	peer->requests++;
	snprintf(peer->newest, sizeof(peer->newest), "%s", buf_string(&peer->request));
	if (peer->mode == PEER_LEAVES) {
		bufferevent_disable(connection, EV_READ | EV_WRITE);
		shutdown(bufferevent_getfd(connection), SHUT_RDWR);
		return;
	}
	if (peer->mode == PEER_FLOODS)
		bufferevent_write(connection, "HTTP/1.1 200 OK\r\n\r\n", 19);
	else
		bufferevent_write(connection, peer->reply,
				  peer->mode == PEER_DROPS ? strlen(peer->reply) - 1
							   : strlen(peer->reply));
	if (peer->mode == PEER_ANSWERS)
		buf_reset(&peer->request), peer->answered = false;
}

static void peer_on_event(struct bufferevent *connection, short what, void *context)
{
	(void)context;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		bufferevent_disable(connection, EV_READ | EV_WRITE);
}

static void peer_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
			   struct sockaddr *address, int len, void *context)
{
	struct peer *peer = context;
	struct bufferevent *connection;

	(void)address;
	(void)len;
	peer->accepted++;
	if (peer->mode == PEER_REFUSES || peer->connection_count == 16) {
		evutil_closesocket(fd);
		return;
	}
	connection = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
					    BEV_OPT_CLOSE_ON_FREE);
	peer->connections[peer->connection_count++] = connection;
	buf_reset(&peer->request);
	bufferevent_setcb(connection, peer_on_read, peer_on_write, peer_on_event, peer);
	bufferevent_enable(connection, EV_READ | EV_WRITE);
}

static void peer_start(struct peer *peer, struct loop *loop, enum peer_mode mode, const char *reply)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	memset(peer, 0, sizeof(*peer));
	peer->mode = mode;
	peer->reply = reply;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->listener = evconnlistener_new_bind(loop_base(loop), peer_on_accept, peer,
						 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
						 (struct sockaddr *)&address, sizeof(address));
	getsockname(evconnlistener_get_fd(peer->listener), (struct sockaddr *)&address, &len);
	peer->port = ntohs(address.sin_port);
}

static void peer_stop(struct peer *peer)
{
	for (size_t i = 0; i < peer->connection_count; i++)
		bufferevent_free(peer->connections[i]);
	evconnlistener_free(peer->listener);
	buf_clear(&peer->request);
}
