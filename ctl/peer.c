/* See peer.h. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path that does not fit is named through its folder's descriptor, which *ret_folder holds. */
static int fill_address(const char *path, struct sockaddr_un *address, int *ret_folder)
{
	size_t room = sizeof(address->sun_path);
	const char *name = strrchr(path, '/');
	char folder[4096];
	if (strlen(path) < room) {
		memcpy(address->sun_path, path, strlen(path) + 1);
		return 0;
	}
	if (name == NULL || (size_t)(name - path) >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, path, (size_t)(name - path));
	folder[name - path] = '\0';
	*ret_folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_folder < 0)
		return -1;
	int len = snprintf(address->sun_path, room, "/proc/self/fd/%d/%s", *ret_folder, name + 1);
	errno = ENAMETOOLONG;
	return (size_t)len < room ? 0 : -1;
}

int peer_connect(const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int folder = -1;
	int fd = -1;
	if (fill_address(path, &address, &folder) == 0)
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int saved = errno;
		close(fd);
		fd = -1;
		errno = saved;
	}
	if (fd < 0)
		error_set(err, ERROR_TEMPORARY, "%s: %s%s", path, strerror(errno),
			  errno == EACCES ? " (run as the daemon's user)" : " (is it running?)");
	if (folder >= 0)
		close(folder);
	return fd;
}
