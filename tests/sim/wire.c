/* See wire.h. */
#include "wire.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/memory.h"

enum { WIRE_LINE_MAX = 256 * 1024 };

struct wire {
	struct bufferevent *events;
	const struct wire_fns *fns;
	void *context;
	size_t expected;
	bool is_closing;
	bool is_over;
	int depth; /* of callbacks that use it */
};

struct wire_door {
	struct evconnlistener *listener;
	struct event_base *base;
	const struct wire_fns *fns;
	void *(*on_accept)(struct wire *wire, void *context);
	void *context;
};

static void end_wire(struct wire *wire)
{
	if (wire->is_over && wire->depth == 0) {
		bufferevent_free(wire->events);
		wire->fns->on_end(wire->context);
		free(wire);
	}
}

static bool take_expected(struct wire *wire, struct evbuffer *input)
{
	if (evbuffer_get_length(input) < wire->expected)
		return false;
	size_t len = wire->expected;
	char *bytes = memory_new(len + 1);
	evbuffer_remove(input, bytes, len);
	wire->expected = 0;
	wire->fns->on_bytes(wire, bytes, len, wire->context);
	free(bytes);
	return true;
}

static bool take_line(struct wire *wire, struct evbuffer *input)
{
	size_t len;
	char *line = evbuffer_readln(input, &len, EVBUFFER_EOL_CRLF);
	if (line == NULL) {
		wire->is_over |= evbuffer_get_length(input) > WIRE_LINE_MAX;
		return false;
	}
	wire->fns->on_line(wire, line, wire->context);
	free(line);
	return true;
}

static void on_read(struct bufferevent *events, void *context)
{
	struct wire *wire = context;
	struct evbuffer *input = bufferevent_get_input(events);
	bool more = true;
	wire->depth++;
	while (more && !wire->is_over && !wire->is_closing)
		more = wire->expected > 0 ? take_expected(wire, input) : take_line(wire, input);
	wire->depth--;
	end_wire(wire);
}

static void on_write(struct bufferevent *events, void *context)
{
	struct wire *wire = context;
	bool is_drained = evbuffer_get_length(bufferevent_get_output(events)) == 0;
	wire->is_over |= wire->is_closing && is_drained;
	end_wire(wire);
}

static void on_event(struct bufferevent *events, short what, void *context)
{
	struct wire *wire = context;
	(void)events;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) == 0)
		return;
	wire->is_over = true;
	end_wire(wire);
}

static struct wire *wire_new(struct bufferevent *events, const struct wire_fns *fns, void *context)
{
	struct wire *wire = memory_new(sizeof(*wire));
	wire->events = events;
	wire->fns = fns;
	wire->context = context;
	bufferevent_setcb(events, on_read, on_write, on_event, wire);
	bufferevent_enable(events, EV_READ | EV_WRITE);
	return wire;
}

struct wire *wire_connect(struct event_base *base, const char *address, int64_t timeout_s,
			  const struct wire_fns *fns, void *context)
{
	struct sockaddr_storage to;
	int len = sizeof(to);
	/* An address that cannot be read fails at connect, like one that nobody listens at. */
	memset(&to, 0, sizeof(to));
	evutil_parse_sockaddr_port(address, (struct sockaddr *)&to, &len);
	struct bufferevent *events =
		bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	struct wire *wire = wire_new(events, fns, context);
	struct timeval timeout = { .tv_sec = timeout_s };
	if (timeout_s > 0)
		bufferevent_set_timeouts(events, &timeout, &timeout);
	if (bufferevent_socket_connect(events, (struct sockaddr *)&to, len) < 0)
		bufferevent_trigger_event(events, BEV_EVENT_ERROR, BEV_TRIG_DEFER_CALLBACKS);
	return wire;
}

void wire_send(struct wire *wire, const void *bytes, size_t len)
{
	bufferevent_write(wire->events, bytes, len);
}

void wire_text(struct wire *wire, const char *text)
{
	wire_send(wire, text, strlen(text));
}

void wire_expect(struct wire *wire, size_t len)
{
	wire->expected = len;
}

void wire_close(struct wire *wire)
{
	wire->is_closing = true;
	/* Nothing to send: the write callback would never come. */
	if (evbuffer_get_length(bufferevent_get_output(wire->events)) == 0)
		bufferevent_trigger_event(wire->events, BEV_EVENT_EOF, BEV_TRIG_DEFER_CALLBACKS);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd,
			  struct sockaddr *from, int from_len, void *context)
{
	struct wire_door *door = context;
	struct bufferevent *events = bufferevent_socket_new(
		door->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	struct wire *wire = wire_new(events, door->fns, NULL);
	(void)listener;
	(void)from;
	(void)from_len;
	wire->context = door->on_accept(wire, door->context);
}

struct wire_door *wire_listen(struct event_base *base, const char *address,
			      const struct wire_fns *fns,
			      void *(*on_accept)(struct wire *wire, void *context), void *context)
{
	struct sockaddr_storage at;
	int len = sizeof(at);
	if (evutil_parse_sockaddr_port(address, (struct sockaddr *)&at, &len) < 0)
		return NULL;
	struct wire_door *door = memory_new(sizeof(*door));
	*door = (struct wire_door){
		.base = base, .fns = fns, .on_accept = on_accept, .context = context
	};
	door->listener = evconnlistener_new_bind(base, on_connection, door,
						 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
							 LEV_OPT_REUSEABLE,
						 -1, (struct sockaddr *)&at, len);
	if (door->listener == NULL) {
		free(door);
		return NULL;
	}
	return door;
}

void wire_door_free(struct wire_door **door)
{
	if (*door == NULL)
		return;
	evconnlistener_free((*door)->listener);
	free(*door);
	*door = NULL;
}
