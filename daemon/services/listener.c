#include "services/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

enum { BACKLOG = 256, HOST_BYTES = 256, PORT_BYTES = 8 };

/* Does a process answer at this unix socket? */
static bool is_alive(const struct sockaddr_un *address, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)address, len) == 0;

	if (fd >= 0)
		close(fd);
	return alive;
}

static int open_unix(const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(err, ERROR_MISUSE, "%s: a socket path has at most %zu bytes", path,
				 sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (is_alive(&address, len))
		return error_set(err, ERROR_PERMANENT, "%s: somebody listens there already", path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || chmod(path, 0600) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		error_set(err, ERROR_PERMANENT, "listening on %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* "host:port" or "[v6]:port" into its two parts. */
static int split(const char *address, char host[HOST_BYTES], char port[PORT_BYTES],
		 struct error *err)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - address);

	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (colon == NULL || len >= HOST_BYTES || strlen(colon + 1) >= PORT_BYTES)
		return error_set(err, ERROR_MISUSE, "%s: expected host:port", address);
	memcpy(host, address, len);
	host[len] = '\0';
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	return 0;
}

static int open_found(const struct addrinfo *found, bool reuse_port, const char *address,
		      struct error *err)
{
	int one = 1;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (reuse_port)
			setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	}
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		error_set(err, ERROR_PERMANENT, "listening on %s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

int listener_open(const char *address, bool reuse_port, struct error *err)
{
	char host[HOST_BYTES];
	char port[PORT_BYTES];
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	int code;
	int fd;

	if (text_starts(address, "unix:"))
		return open_unix(address + strlen("unix:"), err);
	if (split(address, host, port, err) != 0)
		return -1;
	code = getaddrinfo(host, port, &hints, &found);
	if (code != 0)
		return error_set(err, ERROR_PERMANENT, "%s: %s", address, gai_strerror(code));
	fd = open_found(found, reuse_port, address, err);
	freeaddrinfo(found);
	return fd;
}

int listener_port(int fd)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t len = sizeof(bound);
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
		return 0;
	memcpy(&v4, &bound, sizeof(v4));
	memcpy(&v6, &bound, sizeof(v6));
	if (bound.ss_family == AF_INET)
		return ntohs(v4.sin_port);
	return bound.ss_family == AF_INET6 ? ntohs(v6.sin6_port) : 0;
}
