#include "services/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum {
	SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
};

struct frame_head {
	uint32_t status;
	uint32_t beside; /* 1: the bytes are in the memfd */
	uint64_t len;
};

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int frame_memfd(const struct frame_piece *pieces, size_t count, struct error *err)
{
	int fd = memfd_create("converge-job", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc = 0;

	if (fd < 0)
		return error_set(err, ERROR_TEMPORARY, "no memfd: %s", strerror(errno));
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = write_all(fd, pieces[i].bytes, pieces[i].len);
	if (rc < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		error_set(err, ERROR_TEMPORARY, "filling a memfd: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int frame_send(int fd, enum frame_status status, const void *bytes, size_t len, int memfd,
	       struct error *err)
{
	struct frame_head head = { .status = status, .beside = memfd >= 0, .len = len };
	struct iovec parts[2] = { { .iov_base = &head, .iov_len = sizeof(head) } };
	struct msghdr packet = { .msg_iov = parts, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	if (memfd >= 0) {
		struct cmsghdr *rights = &control.align;

		memset(&control, 0, sizeof(control));
		packet.msg_control = control.bytes;
		packet.msg_controllen = sizeof(control.bytes);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &memfd, sizeof(int));
	} else if (len > 0) {
		/* sendmsg only reads, but iovec has no const */
		memcpy(&parts[1].iov_base, &bytes, sizeof(bytes));
		parts[1].iov_len = len;
		packet.msg_iovlen = 2;
	}
	do
		n = sendmsg(fd, &packet, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(err, ERROR_TEMPORARY, "sending a frame: %s", strerror(errno));
	return 0;
}

/* The one descriptor that came along, -1 for none; more are closed and refused. */
static int take_descriptor(struct msghdr *packet, bool *ret_broken)
{
	int found = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(packet); c != NULL; c = CMSG_NXTHDR(packet, c)) {
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		if (found >= 0) {
			close(fd);
			*ret_broken = true;
		} else {
			found = fd;
		}
	}
	return found;
}

static int map_memfd(int memfd, size_t len, struct frame *ret, struct error *err)
{
	/* not fstat: the C library makes a path call of it, which sandboxes refuse */
	off_t size = lseek(memfd, 0, SEEK_END);
	int seals = fcntl(memfd, F_GET_SEALS);

	/* without the seals the sender could shrink it under our feet: SIGBUS */
	if (seals < 0 || (seals & SEALS) != SEALS || size < 0 || (uint64_t)size != len)
		return error_set(err, ERROR_PERMANENT, "the memfd is not sealed as agreed");
	ret->map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, memfd, 0);
	if (ret->map == MAP_FAILED) {
		ret->map = NULL;
		return error_set(err, ERROR_TEMPORARY, "mapping %zu bytes: %s", len,
				 strerror(errno));
	}
	ret->bytes = ret->map;
	ret->len = len;
	return 0;
}

static int frame_open(struct frame *ret, size_t got, int memfd, struct error *err)
{
	struct frame_head head;

	if (got < sizeof(head))
		return error_set(err, ERROR_PERMANENT, "a frame of %zu bytes", got);
	memcpy(&head, ret->packet, sizeof(head));
	ret->status = (enum frame_status)head.status;
	if (head.status < FRAME_READY || head.status > FRAME_ERROR || head.len > FRAME_MAX_BYTES)
		return error_set(err, ERROR_PERMANENT, "a frame with an unknown head");
	if (head.beside != 0 && memfd >= 0 && head.len > 0 && got == sizeof(head))
		return map_memfd(memfd, (size_t)head.len, ret, err);
	if (head.beside != 0 || memfd >= 0 || head.len != got - sizeof(head))
		return error_set(err, ERROR_PERMANENT, "a frame whose length is wrong");
	ret->bytes = ret->packet + sizeof(head);
	ret->len = (size_t)head.len;
	return 0;
}

int frame_receive(int fd, struct frame *ret, struct error *err)
{
	union control control;
	struct iovec part = { .iov_len = sizeof(struct frame_head) + FRAME_INLINE_BYTES };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };
	bool broken = false;
	ssize_t n;
	int memfd;
	int rc;

	*ret = (struct frame){ .packet = memory_grow(NULL, part.iov_len, 1) };
	part.iov_base = ret->packet;
	packet.msg_control = control.bytes;
	packet.msg_controllen = sizeof(control.bytes);
	do
		n = recvmsg(fd, &packet, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		int code = errno;

		frame_clear(ret);
		if (n < 0 && (code == EAGAIN || code == EWOULDBLOCK))
			return 0;
		return error_set(err, ERROR_TEMPORARY, "%s", n == 0 ? "it ended" : strerror(code));
	}
	memfd = take_descriptor(&packet, &broken);
	if (broken || (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		rc = error_set(err, ERROR_PERMANENT, "a frame that is too large");
	else
		rc = frame_open(ret, (size_t)n, memfd, err);
	if (memfd >= 0)
		close(memfd);
	if (rc < 0)
		frame_clear(ret);
	return rc < 0 ? -1 : 1;
}

void frame_clear(struct frame *frame)
{
	if (frame->map != NULL)
		munmap(frame->map, frame->len);
	free(frame->packet);
	*frame = (struct frame){ 0 };
}
