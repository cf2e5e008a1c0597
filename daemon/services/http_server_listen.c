#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "services/http_server_internal.h"
#include "services/listener.h"

static void address_of(const struct sockaddr_storage *peer, struct address *ret_address)
{
	*ret_address = (struct address){ { [10] = 0xff, [11] = 0xff } };
	if (peer->ss_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, peer, sizeof(v4));
		memcpy(ret_address->bytes + 12, &v4.sin_addr, 4);
	} else if (peer->ss_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, peer, sizeof(v6));
		memcpy(ret_address->bytes, &v6.sin6_addr, 16);
	}
}

static void pause_accepting(struct http_server *server)
{
	event_del(&server->listen_event);
	loop_timer_start(server->accept_timer, HTTP_ACCEPT_PAUSE_MS);
}

/* Out of descriptors: the waiting client would raise an event for ever. The
 * reserve makes room to take it and hang up, then accepting rests a moment. */
static void shed_one(struct http_server *server)
{
	int fd;

	if (server->reserve_fd >= 0)
		close(server->reserve_fd);
	fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	server->stats.refused++;
	pause_accepting(server);
}

static void refuse_client(struct http_server *server, int fd)
{
	static const char text[] =
		"HTTP/1.1 503 Service Unavailable\r\n"
		"Content-Type: application/problem+json\r\nContent-Length: 118\r\n"
		"Retry-After: 5\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n"
		"X-Request-Id: ";
	static const char body[] = "\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Service "
				   "Unavailable\",\"status\":503,"
				   "\"code\":\"unavailable\",\"detail\":\"too many connections\"}";
	char answer[sizeof(text) + sizeof(body) + ID_BYTES];
	char id[ID_BYTES];

	_Static_assert(sizeof(body) - 1 - 4 == 118, "Content-Length above");
	id_new("req_", id);
	server->stats.refused++;
	if (server->tls == NULL) {
		int len = snprintf(answer, sizeof(answer), "%s%s%s", text, id, body);
		ssize_t sent = send(fd, answer, (size_t)len, MSG_NOSIGNAL);

		if (sent > 0)
			server->stats.bytes_out += sent;
	}
	close(fd);
}

static void on_acceptable(evutil_socket_t listen_fd, short what, void *context)
{
	struct http_server *server = context;

	(void)what;
	for (int i = 0; i < HTTP_ACCEPTS; i++) {
		struct sockaddr_storage peer = { 0 };
		socklen_t len = sizeof(peer);
		struct address address;
		int fd = accept4(listen_fd, (struct sockaddr *)&peer, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 &&
		    (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			shed_one(server);
			return;
		}
		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (fd < 0)
			continue;
		if (server->stats.connections >= server->options.connections_max) {
			refuse_client(server, fd);
			continue;
		}
		address_of(&peer, &address);
		http_connection_open(server, fd, &address, server->unix_path != NULL);
	}
}

void http_listen_resume(struct http_server *server)
{
	if (server->listen_fd < 0 || event_pending(&server->listen_event, EV_READ, NULL) != 0)
		return;
	if (server->reserve_fd < 0)
		server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	loop_timer_stop(server->accept_timer);
	event_add(&server->listen_event, NULL);
}

static void on_accept_again(void *context)
{
	http_listen_resume(context);
}

int http_listen_open(struct http_server *server, struct error *err)
{
	const char *text = server->options.address;

	server->listen_fd = listener_open(text, server->options.reuse_port, err);
	if (server->listen_fd < 0)
		return -1;
	if (strncmp(text, "unix:", 5) == 0)
		server->unix_path = memory_text(text + 5);
	else
		server->port = listener_port(server->listen_fd);
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	server->accept_timer = loop_timer_new(server->loop, on_accept_again, server);
	event_assign(&server->listen_event, loop_base(server->loop), server->listen_fd,
		     EV_READ | EV_PERSIST, on_acceptable, server);
	event_add(&server->listen_event, NULL);
	return 0;
}

void http_listen_close(struct http_server *server)
{
	if (server->listen_fd < 0)
		return;
	event_del(&server->listen_event);
	loop_timer_free(&server->accept_timer);
	close(server->listen_fd);
	server->listen_fd = -1;
	if (server->reserve_fd >= 0)
		close(server->reserve_fd);
	if (server->unix_path != NULL)
		unlink(server->unix_path);
	free(server->unix_path);
	server->unix_path = NULL;
}
