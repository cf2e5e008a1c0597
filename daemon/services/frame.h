/* One frame over a SOCK_SEQPACKET socketpair between the daemon and a worker
 * process: a status and bytes. Up to FRAME_INLINE_BYTES travel in the packet,
 * more as a sealed memfd beside it. Both sides check what they receive: the
 * other end may be taken over. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
	FRAME_INLINE_BYTES = 64 * 1024,
	FRAME_MAX_BYTES = 128 * 1024 * 1024,
};

enum frame_status {
	FRAME_READY = 1, /* worker to parent, once: hand me jobs */
	FRAME_JOB,
	FRAME_ANSWER,
	FRAME_ERROR, /* first byte: enum error_kind; then the phrase */
};

struct frame {
	enum frame_status status;
	const char *bytes; /* NULL when len is 0 */
	size_t len;
	char *packet; /* owned */
	void *map;    /* owned mapping of a memfd */
};

/* Bytes that are sent one after the other. */
struct frame_piece {
	const void *bytes;
	size_t len;
};

/* A sealed memfd that holds the pieces, or -1 with err. */
int frame_memfd(const struct frame_piece *pieces, size_t count, struct error *err);

/* Sends one frame. memfd -1: the bytes (at most FRAME_INLINE_BYTES) go inside;
 * otherwise len says how many the memfd holds. 0, or -1 with err. */
int frame_send(int fd, enum frame_status status, const void *bytes, size_t len, int memfd,
	       struct error *err);

/* 1: *ret is filled, clear it; 0: nothing there yet (non-blocking socket);
 * -1 with err: the other end is gone or broke the rules. */
int frame_receive(int fd, struct frame *ret, struct error *err);
void frame_clear(struct frame *frame);
