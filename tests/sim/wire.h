/* TCP connections that speak in lines, and now and then in counted bytes: all
 * that the simulator's little HTTP, LMTP and SMTP need. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct wire;

/* line: without its end; bytes are counted runs asked for with wire_expect(). on_end comes once,
 * also when connecting failed; the wire is gone after it. */
struct wire_fns {
	void (*on_line)(struct wire *wire, char *line, void *context);
	void (*on_bytes)(struct wire *wire, const char *bytes, size_t len, void *context);
	void (*on_end)(void *context);
};

struct wire *wire_connect(struct event_base *base, const char *address, int64_t timeout_s,
			  const struct wire_fns *fns, void *context);
void wire_send(struct wire *wire, const void *bytes, size_t len);
void wire_text(struct wire *wire, const char *text);
/* The next len bytes come as one on_bytes() call; then lines again. */
void wire_expect(struct wire *wire, size_t len);
/* Sends what is waiting, then closes; on_end follows. */
void wire_close(struct wire *wire);

struct wire_door;
/* fns and context of an accepted wire come from on_accept. NULL when the address cannot be had. */
struct wire_door *wire_listen(struct event_base *base, const char *address,
			      const struct wire_fns *fns,
			      void *(*on_accept)(struct wire *wire, void *context), void *context);
void wire_door_free(struct wire_door **door);
