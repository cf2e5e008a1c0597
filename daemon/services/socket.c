#include "services/socket.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/memory.h"
#include "services/loop.h"
#include "services/socket_tls.h"

enum { CONNECT_MS = 20 * 1000, INPUT_MAX = 256 * 1024, WHY_BYTES = 256 };

struct sockets {
	struct loop *loop;
	struct evdns_base *names; /* NULL until the first name */
};

struct socket {
	struct sockets *owner;
	struct bufferevent *stream; /* NULL: it could not even be begun */
	struct ssl_st *ssl;         /* the stream's own */
	struct loop_timer *deadline;
	struct socket_options options;
	bool is_connected;
	bool is_closed;
	struct error failure; /* before the first turn */
};

static void socket_free(void *object)
{
	struct socket *socket = object;

	loop_timer_free(&socket->deadline);
	free(socket);
}

/* No callback comes any more. The socket itself is freed after the turn: its own callback may be
 * what closes it. */
static void shut(struct socket *socket)
{
	socket->is_closed = true;
	loop_timer_stop(socket->deadline);
	if (socket->stream != NULL)
		bufferevent_free(socket->stream);
	socket->stream = NULL;
	loop_defer_free(socket->owner->loop, socket, socket_free);
}

static void end(struct socket *socket, const char *why)
{
	shut(socket);
	socket->options.ended(why, socket->options.context);
}

static void on_deadline(void *context)
{
	end(context, "connecting took too long");
}

static void on_stillborn(void *context)
{
	struct socket *socket = context;

	end(socket, socket->failure.text);
}

static void on_read(struct bufferevent *stream, void *context)
{
	struct socket *socket = context;
	struct evbuffer *input = bufferevent_get_input(stream);

	for (;;) {
		size_t len = evbuffer_get_length(input);
		size_t taken;

		if (len == 0)
			return;
		taken = socket->options.received(socket, evbuffer_pullup(input, -1), len,
						 socket->options.context);
		if (socket->is_closed)
			return;
		if (taken == 0 && len >= socket->options.input_max)
			end(socket, "what came is longer than can be read");
		if (taken == 0)
			return;
		evbuffer_drain(input, taken < len ? taken : len);
	}
}

static void connected(struct socket *socket)
{
	int yes = 1;

	/* Small packets that wait for answers: Nagle's algorithm would hold them back. */
	setsockopt(bufferevent_getfd(socket->stream), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	loop_timer_stop(socket->deadline);
	socket->is_connected = true;
	socket->options.connected(socket, socket->options.context);
}

static const char *why_failed(const struct socket *socket, int code)
{
	int dns = bufferevent_socket_get_dns_error(socket->stream);
	const char *tls = NULL;

	if (dns != 0)
		return evutil_gai_strerror(dns);
	if (socket->ssl != NULL)
		tls = socket_tls_why(socket->ssl, bufferevent_get_openssl_error(socket->stream));
	if (tls != NULL)
		return tls;
	return code != 0 ? evutil_socket_error_to_string(code) : "the connection broke";
}

static void on_event(struct bufferevent *stream, short events, void *context)
{
	struct socket *socket = context;
	int code = EVUTIL_SOCKET_ERROR();
	char why[WHY_BYTES];

	(void)stream;
	if (events & BEV_EVENT_CONNECTED) {
		connected(socket);
	} else if (events & BEV_EVENT_EOF) {
		end(socket, "the peer closed the connection");
	} else if (events & BEV_EVENT_ERROR) {
		snprintf(why, sizeof(why), "%s",
			 why_failed(socket, code)); /* dies with the stream */
		end(socket, why);
	}
}

/* The stream, not yet connecting. NULL with err. */
static struct bufferevent *stream_new(struct socket *socket, struct error *err)
{
	struct event_base *base = loop_base(socket->owner->loop);
	int flags = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
	struct bufferevent *stream;

	if (socket->options.tls) {
		socket->ssl = socket_tls_new(socket->options.host, socket->options.ca_file, err);
		if (socket->ssl == NULL)
			return NULL;
		stream = bufferevent_openssl_socket_new(base, -1, socket->ssl,
							BUFFEREVENT_SSL_CONNECTING, flags);
		if (stream == NULL)
			socket_tls_free(&socket->ssl);
		else
			bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	} else {
		stream = bufferevent_socket_new(base, -1, flags);
	}
	if (stream == NULL)
		error_set(err, ERROR_TEMPORARY, "setting up the connection");
	return stream;
}

static int stream_connect(struct socket *socket, struct error *err)
{
	struct sockets *owner = socket->owner;
	const struct socket_options *options = &socket->options;

	/* Without nameservers it still reads the hosts file and plain addresses. */
	if (owner->names == NULL)
		owner->names = evdns_base_new(loop_base(owner->loop),
					      EVDNS_BASE_INITIALIZE_NAMESERVERS |
						      EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (owner->names == NULL)
		return error_set(err, ERROR_TEMPORARY, "reading /etc/resolv.conf");
	socket->stream = stream_new(socket, err);
	if (socket->stream == NULL)
		return -1;
	bufferevent_setcb(socket->stream, on_read, NULL, on_event, socket);
	bufferevent_setwatermark(socket->stream, EV_READ, 0, options->input_max);
	bufferevent_enable(socket->stream, EV_READ | EV_WRITE);
	if (bufferevent_socket_connect_hostname(socket->stream, owner->names, AF_UNSPEC,
						options->host, options->port) != 0)
		return error_set(err, ERROR_TEMPORARY, "connecting: %s", strerror(errno));
	return 0;
}

struct sockets *sockets_new(struct loop *loop)
{
	struct sockets *sockets = memory_new(sizeof(*sockets));

	sockets->loop = loop;
	return sockets;
}

void sockets_free(struct sockets **sockets)
{
	if (*sockets == NULL)
		return;
	if ((*sockets)->names != NULL)
		evdns_base_free((*sockets)->names, 0);
	free(*sockets);
	*sockets = NULL;
}

struct socket *socket_open(struct sockets *sockets, const struct socket_options *options)
{
	struct socket *socket = memory_new(sizeof(*socket));

	socket->owner = sockets;
	socket->options = *options;
	if (socket->options.input_max == 0)
		socket->options.input_max = INPUT_MAX;
	if (stream_connect(socket, &socket->failure) == 0) {
		socket->deadline = loop_timer_new(sockets->loop, on_deadline, socket);
		loop_timer_start(socket->deadline,
				 options->timeout_ms > 0 ? options->timeout_ms : CONNECT_MS);
	} else {
		socket->deadline = loop_timer_new(sockets->loop, on_stillborn, socket);
		loop_timer_start(socket->deadline, 0);
	}
	socket->options.host = NULL;
	socket->options.ca_file = NULL;
	return socket;
}

bool socket_write(struct socket *socket, const void *bytes, size_t len)
{
	struct evbuffer *output;

	if (!socket->is_connected || socket->is_closed)
		return false;
	output = bufferevent_get_output(socket->stream);
	if (evbuffer_get_length(output) + len > SOCKET_OUTPUT_MAX)
		return false;
	return bufferevent_write(socket->stream, bytes, len) == 0;
}

void socket_close(struct socket **socket)
{
	if (*socket != NULL && !(*socket)->is_closed)
		shut(*socket);
	*socket = NULL;
}
