/* From the scheduled instant of a webhook to its event on a GET /v1/events wire: the
 * two are told together by the message id, which the answer and the event both carry. */
#pragma once

#include <stdint.h>

struct wire_times;

/* Asks for the events on the connection fd (owned) and waits until the stream has begun;
 * exits where it is refused. */
struct wire_times *wire_times_new(int fd, const char *token);
/* An answer naming "msg_..." whose request was due at `since`. */
void wire_times_sent(struct wire_times *wire, const char *answer, double since);
/* Reads what has come; never blocks. */
void wire_times_read(struct wire_times *wire, double now);
uint64_t wire_times_count(const struct wire_times *wire);
/* Prints ,"wire_...":... members. */
void wire_times_print(const struct wire_times *wire);
