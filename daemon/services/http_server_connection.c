#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "services/http_server_internal.h"

enum { WRITE_PIECES = 32 };

static void on_flush(void *context)
{
	struct http_server *server = context;
	struct connection *connection = server->dirty;

	server->dirty = NULL;
	server->flush_queued = false;
	while (connection != NULL) {
		struct connection *next = connection->next_dirty;

		connection->dirty = false;
		http_connection_settle(connection);
		connection = next;
	}
	http_server_maybe_drained(server);
}

void http_connection_forget_flush(struct http_server *server)
{
	server->dirty = NULL;
	loop_cancel_soon(server->loop, on_flush, server);
}

void http_connection_touch(struct connection *connection)
{
	struct http_server *server = connection->server;

	if (connection->dirty)
		return;
	connection->dirty = true;
	connection->next_dirty = server->dirty;
	server->dirty = connection;
	if (!server->flush_queued) {
		server->flush_queued = true;
		loop_soon(server->loop, on_flush, server);
	}
}

void http_connection_doom(struct connection *connection)
{
	connection->doomed = true;
	http_connection_touch(connection);
}

/* --- idle --- */

static void idle_leave(struct connection *connection)
{
	if (!connection->is_idle)
		return;
	connection->is_idle = false;
	if (connection->source != NULL) {
		TAILQ_REMOVE(&connection->source->idle, connection, idle_link);
		connection->source->idle_count--;
	}
}

/* Waits for a request. One source may hold only so many such connections: the
 * one that waits longest makes room. */
static void idle_enter(struct connection *connection)
{
	const struct http_server_options *options = &connection->server->options;
	struct source *source = connection->source;

	if (connection->is_idle)
		return;
	connection->is_idle = true;
	if (connection->is_fresh)
		http_deadline_set(&connection->read_deadline, WAIT_HEAD, options->header_ms);
	else
		http_deadline_set(&connection->read_deadline, WAIT_IDLE, options->idle_ms);
	if (source == NULL)
		return;
	TAILQ_INSERT_TAIL(&source->idle, connection, idle_link);
	if (++source->idle_count > options->idle_per_source)
		http_connection_doom(TAILQ_FIRST(&source->idle));
}

/* --- input --- */

static void take_input(struct connection *connection, const char *bytes, size_t len)
{
	struct buf *in = &connection->in;
	size_t used;

	if (in->len == 0) {
		used = http_input_take(connection, bytes, len);
		if (used < len)
			buf_add(in, bytes + used, len - used);
		return;
	}
	buf_add(in, bytes, len);
	/* Without a new line nothing new can be said about half a head. */
	if (connection->current == NULL && in->len < LIMIT_HTTP_HEADER_BYTES &&
	    memchr(bytes, '\n', len) == NULL)
		return;
	used = http_input_take(connection, in->data, in->len);
	if (in->len == 0)
		return;
	in->len -= used;
	if (in->len == 0)
		buf_clear(in);
	else
		memmove(in->data, in->data + used, in->len);
}

static void resume_input(struct connection *connection)
{
	struct buf waiting = connection->in;
	size_t used;

	connection->paused = false;
	connection->in = (struct buf){ 0 };
	used = http_input_take(connection, waiting.data, waiting.len);
	if (used < waiting.len)
		buf_add(&connection->in, waiting.data + used, waiting.len - used);
	buf_clear(&waiting);
	if (!connection->paused && !connection->eof)
		event_add(&connection->read_event, NULL);
}

/* Half a close: whole requests still get their answers, but who waits for
 * news (a long poll, a stream) is taken for gone. */
static void take_eof(struct connection *connection)
{
	connection->eof = true;
	connection->stopped = true;
	event_del(&connection->read_event);
	for (struct http_stream *reply = connection->first; reply != NULL; reply = reply->next)
		if (reply->streaming || (reply->request != NULL && reply->request->on_gone != NULL))
			connection->doomed = true;
	if (connection->current != NULL || connection->lingering)
		connection->doomed = true;
	http_connection_touch(connection);
}

static void read_some(struct connection *connection)
{
	struct http_server *server = connection->server;
	char *bytes = server->read_buffer;
	ssize_t got;

	if (connection->ssl != NULL)
		got = http_tls_read(connection->ssl, bytes, HTTP_READ_BYTES,
				    &connection->wants_write);
	else
		got = recv(connection->fd, bytes, HTTP_READ_BYTES, 0);
	if (connection->wants_write)
		event_add(&connection->write_event, NULL);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0) {
		http_connection_doom(connection);
		return;
	}
	if (got == 0) {
		take_eof(connection);
		return;
	}
	server->stats.bytes_in += got;
	if (connection->stopped) {
		connection->unread = true;
		return;
	}
	connection->is_fresh = false;
	idle_leave(connection);
	take_input(connection, bytes, (size_t)got);
	if (connection->paused)
		event_del(&connection->read_event);
	/* A whole request in one read leaves no deadline behind. */
	if (connection->reply_count == 0 || connection->paused)
		http_connection_touch(connection);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct connection *connection = context;

	(void)fd;
	(void)what;
	(void)loop_now_ms(connection->server->loop); /* the turn's callbacks begin */
	if (!connection->doomed)
		read_some(connection);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct connection *connection = context;

	(void)fd;
	(void)what;
	if (connection->wants_write && !connection->doomed)
		read_some(connection);
	http_connection_touch(connection);
}

/* --- output --- */

static ssize_t send_some(struct connection *connection)
{
	struct iovec vectors[WRITE_PIECES];
	struct msghdr message = { .msg_iov = vectors };
	struct piece *piece = connection->out.first;

	if (connection->ssl != NULL)
		return http_tls_write(connection->ssl, piece->bytes + piece->start,
				      piece->end - piece->start);
	if (piece->next == NULL)
		return send(connection->fd, piece->bytes + piece->start, piece->end - piece->start,
			    MSG_NOSIGNAL);
	for (; piece != NULL && message.msg_iovlen < WRITE_PIECES; piece = piece->next) {
		struct iovec *vector = &vectors[message.msg_iovlen++];

		memcpy(&vector->iov_base, &(const char *){ piece->bytes + piece->start },
		       sizeof(vector->iov_base));
		vector->iov_len = piece->end - piece->start;
	}
	return sendmsg(connection->fd, &message, MSG_NOSIGNAL);
}

/* A client that reads nothing for as long as a request may take is dropped. */
static void await_writable(struct connection *connection, bool progress)
{
	event_add(&connection->write_event, NULL);
	if (progress || connection->write_deadline.kind == WAIT_NONE)
		http_deadline_set(&connection->write_deadline, WAIT_WRITE,
				  connection->server->options.request_ms);
}

static void write_out(struct connection *connection)
{
	struct http_server *server = connection->server;
	bool progress = false;

	while (connection->out.len > 0) {
		ssize_t sent = send_some(connection);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			await_writable(connection, progress);
			return;
		}
		if (sent < 0) {
			connection->doomed = true;
			return;
		}
		progress = true;
		server->stats.bytes_out += sent;
		http_chain_sent(server, &connection->out, (size_t)sent);
	}
	http_deadline_clear(&connection->write_deadline);
}

/* --- the end --- */

static void finish(struct connection *connection)
{
	if (connection->eof || !connection->unread) {
		if (connection->ssl != NULL)
			http_tls_end(connection->ssl);
		connection->doomed = true;
		return;
	}
	/* Closing with unread input resets the connection, and the reset can
	 * overtake the answer: end our side and let the client close first. */
	connection->lingering = true;
	if (connection->ssl != NULL)
		http_tls_end(connection->ssl);
	shutdown(connection->fd, SHUT_WR);
	http_deadline_set(&connection->read_deadline, WAIT_LINGER, HTTP_LINGER_MS);
}

void http_connection_teardown(struct connection *connection)
{
	struct http_server *server = connection->server;

	connection->doomed = true;
	idle_leave(connection);
	http_deadline_clear(&connection->read_deadline);
	http_deadline_clear(&connection->write_deadline);
	event_del(&connection->read_event);
	event_del(&connection->write_event);
	TAILQ_REMOVE(&server->connections, connection, link);
	server->stats.connections--;
	http_source_detach(connection);
	if (connection->ssl != NULL)
		http_tls_close(&connection->ssl);
	close(connection->fd);
	http_chain_clear(server, &connection->out);
	buf_clear(&connection->in);
	while (connection->first != NULL) {
		struct http_stream *reply = connection->first;

		connection->first = reply->next;
		http_reply_abandon(server, reply);
	}
	if (connection->current != NULL)
		http_request_release(connection->current);
	loop_defer_free(server->loop, connection, free);
	http_listen_resume(server);
}

static bool is_waiting(const struct connection *connection)
{
	return connection->first == NULL && connection->current == NULL &&
	       connection->in.len == 0 && connection->out.len == 0;
}

void http_connection_settle(struct connection *connection)
{
	struct http_server *server = connection->server;

	if (server->is_draining && connection->first != NULL && connection->first->events &&
	    !connection->doomed)
		http_reply_goaway(connection->first);
	if (!connection->doomed && connection->out.len > 0)
		write_out(connection);
	if (!connection->doomed && connection->out.len == 0 && !connection->lingering) {
		if (connection->closing)
			finish(connection);
		else if (connection->eof && connection->first == NULL)
			connection->doomed = true;
		else if (server->is_draining && is_waiting(connection))
			connection->doomed = true;
	}
	if (!connection->doomed && connection->paused && http_input_is_open(connection))
		resume_input(connection);
	if (!connection->doomed && !connection->closing && !connection->eof &&
	    is_waiting(connection))
		idle_enter(connection);
	if (connection->doomed && !connection->dirty)
		http_connection_teardown(connection);
}

void http_connection_timed_out(struct connection *connection, enum wait kind)
{
	if (kind == WAIT_BODY || (kind == WAIT_HEAD && !connection->is_fresh)) {
		http_input_refuse(connection, 408, "the request took too long");
		return;
	}
	http_connection_doom(connection);
}

void http_connection_open(struct http_server *server, int fd, const struct address *address,
			  bool is_unix)
{
	struct connection *connection = memory_new(sizeof(*connection));
	struct event_base *base = loop_base(server->loop);

	connection->server = server;
	connection->fd = fd;
	connection->address = *address;
	connection->is_unix = is_unix;
	connection->is_trusted =
		is_unix ? server->trusts_unix : http_address_is_trusted(server, address);
	connection->is_fresh = true;
	connection->read_deadline.connection = connection;
	connection->write_deadline.connection = connection;
	if (server->tls != NULL)
		connection->ssl = http_tls_accept(server->tls, fd);
	event_assign(&connection->read_event, base, fd, EV_READ | EV_PERSIST, on_readable,
		     connection);
	event_assign(&connection->write_event, base, fd, EV_WRITE, on_writable, connection);
	event_add(&connection->read_event, NULL);
	TAILQ_INSERT_TAIL(&server->connections, connection, link);
	server->stats.connections++;
	http_source_attach(connection);
	idle_enter(connection);
}
