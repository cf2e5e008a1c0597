#include <stdlib.h>

#include "base/memory.h"
#include "host/host_private.h"
#include "services/socket.h"

struct host_socket {
	struct host_op op;
	struct channel *channel;
	struct socket *socket;
	struct host_socket_open open;
};

static void on_connected(struct socket *socket, void *context)
{
	struct host_socket *own = context;

	(void)socket;
	own->open.connected(own, own->open.context);
}

static size_t on_received(struct socket *socket, const void *bytes, size_t len, void *context)
{
	struct host_socket *own = context;

	(void)socket;
	return own->open.received(own, bytes, len, own->open.context);
}

static void own_free(struct host_socket *own)
{
	own->channel->connections--;
	channel_settled(own->channel);
	free(own);
}

static void gone(struct host_socket *own, const char *why)
{
	const struct host_socket_open open = own->open;

	own_free(own);
	open.ended(why, open.context);
}

static void on_ended(const char *why, void *context)
{
	struct host_socket *own = context;

	host_op_finish(&own->op);
	gone(own, why);
}

static void socket_end(struct host_op *op, const char *why)
{
	struct host_socket *own = (struct host_socket *)op;

	socket_close(&own->socket);
	gone(own, why);
}

struct host_socket *host_socket_open(struct channel *channel, const struct host_socket_open *open)
{
	struct host_socket *own = memory_new(sizeof(*own));
	struct socket_options options = {
		.host = open->host,
		.port = open->port,
		.tls = open->tls,
		.ca_file = open->ca_file,
		.timeout_ms = open->timeout_ms,
		.input_max = open->input_max,
		.connected = on_connected,
		.received = on_received,
		.ended = on_ended,
		.context = own,
	};

	own->open = *open;
	own->channel = channel;
	channel->connections++;
	host_op_start(&own->op, channel, socket_end);
	own->socket = socket_open(channel->owner->sockets, &options);
	return own;
}

bool host_socket_write(struct host_socket *own, const void *bytes, size_t len)
{
	return socket_write(own->socket, bytes, len);
}

void host_socket_close(struct host_socket *own)
{
	host_op_finish(&own->op);
	socket_close(&own->socket);
	own_free(own);
}
