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

enum { BACKLOG = 1024, KEEPALIVE_IDLE_S = 60 };

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

/* --- unix:/path --- */

/* A socket file outlives its daemon; only connecting tells whether one lives. */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat facts;
	bool refused;
	int fd;

	if (lstat(address->sun_path, &facts) != 0 || !S_ISSOCK(facts.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int listen_unix(struct http_server *server, const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct sockaddr *generic = (const struct sockaddr *)&address;
	int fd;
	int bound;

	if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path))
		return error_set(err, ERROR_MISUSE, "unix socket path is empty or too long");
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, ERROR_TEMPORARY, "opening a socket: %s", strerror(errno));
	bound = bind(fd, generic, sizeof(address));
	if (bound != 0 && errno == EADDRINUSE && is_stale(&address)) {
		unlink(path);
		bound = bind(fd, generic, sizeof(address));
	}
	if (bound != 0 || listen(fd, BACKLOG) != 0) {
		error_set(err, ERROR_TEMPORARY, "listening on %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	server->listen_fd = fd;
	server->unix_path = memory_text(path);
	return 0;
}

/* --- host:port --- */

static int split(const char *text, char host[256], const char **ret_port, struct error *err)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - text);
	uint64_t number;

	if (colon == NULL || !text_uint(colon + 1, strlen(colon + 1), &number) || number > 65535)
		return error_set(err, ERROR_MISUSE, "listen address %s has no port", text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL) {
		return error_set(err, ERROR_MISUSE, "IPv6 address in %s needs brackets", text);
	}
	if (len >= 256)
		return error_set(err, ERROR_MISUSE, "listen address is too long");
	memcpy(host, text, len);
	host[len] = '\0';
	*ret_port = colon + 1;
	return 0;
}

/* Accepted sockets inherit these, so that no call is needed for each. */
static void set_options(int fd, bool reuse_port)
{
	int on = 1;
	int idle_s = KEEPALIVE_IDLE_S;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (reuse_port)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

static int bound_port(int fd)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t len = sizeof(bound);
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
		return -1;
	memcpy(&v6, &bound, sizeof(v6));
	memcpy(&v4, &bound, sizeof(v4));
	return ntohs(bound.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

static int listen_tcp(struct http_server *server, const char *text, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char host[256];
	const char *port = "";
	int failed;
	int fd;

	if (split(text, host, &port, err) != 0)
		return -1;
	failed = getaddrinfo(host[0] == '\0' || strcmp(host, "*") == 0 ? NULL : host, port, &hints,
			     &found);
	if (failed != 0)
		return error_set(err, ERROR_MISUSE, "listen address %s: %s", text,
				 gai_strerror(failed));
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		set_options(fd, server->options.reuse_port);
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		error_set(err, ERROR_TEMPORARY, "listening on %s: %s", text, strerror(errno));
		if (fd >= 0)
			close(fd);
		freeaddrinfo(found);
		return -1;
	}
	freeaddrinfo(found);
	server->listen_fd = fd;
	server->port = bound_port(fd);
	return 0;
}

int http_listen_open(struct http_server *server, struct error *err)
{
	const char *text = server->options.address;
	int failed = strncmp(text, "unix:", 5) == 0 ? listen_unix(server, text + 5, err)
						    : listen_tcp(server, text, err);

	if (failed != 0)
		return -1;
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
