#include "services/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

enum { BACKLOG = 1024, KEEPALIVE_IDLE_S = 60 };

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

static int open_unix(const char *path, struct error *err)
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
	return fd;
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

int listener_port(int fd)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t len = sizeof(bound);
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
		return 0;
	memcpy(&v6, &bound, sizeof(v6));
	memcpy(&v4, &bound, sizeof(v4));
	if (bound.ss_family == AF_INET)
		return ntohs(v4.sin_port);
	return bound.ss_family == AF_INET6 ? ntohs(v6.sin6_port) : 0;
}

static int open_tcp(const char *text, bool reuse_port, struct error *err)
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
		set_options(fd, reuse_port);
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		error_set(err, ERROR_TEMPORARY, "listening on %s: %s", text, strerror(errno));
		if (fd >= 0)
			close(fd);
		freeaddrinfo(found);
		return -1;
	}
	freeaddrinfo(found);
	return fd;
}

int listener_open(const char *address, bool reuse_port, struct error *err)
{
	if (text_starts(address, "unix:"))
		return open_unix(address + strlen("unix:"), err);
	return open_tcp(address, reuse_port, err);
}
