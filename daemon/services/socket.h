/* TCP connections that we open and keep (libevent's bufferevents; socket_tls.c for TLS). Names are
 * resolved without blocking the loop. Callbacks never run before socket_open() returned, and none
 * after socket_close(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct sockets;
struct socket;

struct socket_options {
	const char *host;
	int port;
	bool tls;            /* the peer's certificate and name are checked */
	const char *ca_file; /* NULL: the system's */
	int64_t timeout_ms;  /* of resolving, connecting and the handshake; 0: 20 s */
	size_t input_max;    /* unread bytes kept before reading stops; 0: 256 KiB */
	void (*connected)(struct socket *socket, void *context);
	/* Returns how many of the bytes were taken; the rest is shown again with the next. One that
	 * takes nothing of input_max bytes ends the connection. */
	size_t (*received)(struct socket *socket, const void *bytes, size_t len, void *context);
	/* Once; the socket is gone after it. */
	void (*ended)(const char *why, void *context);
	void *context;
};

enum { SOCKET_OUTPUT_MAX = 1024 * 1024 };

struct sockets *sockets_new(struct loop *loop);
/* After all its sockets are closed. */
void sockets_free(struct sockets **sockets);

/* Never NULL: a failure comes as ended(). host and ca_file are not kept. */
struct socket *socket_open(struct sockets *sockets, const struct socket_options *options);
/* Copies. False, and nothing is written: SOCKET_OUTPUT_MAX bytes wait already, or the connection
 * is not there yet. */
bool socket_write(struct socket *socket, const void *bytes, size_t len);
/* What was written and waits still is dropped. */
void socket_close(struct socket **socket);
