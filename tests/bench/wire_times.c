#include "wire_times.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

enum { SLOTS = 1 << 21, BUFFER = 1 << 18, ID_CHARACTERS = 30 };

/* Whichever side comes first waits here for the other. */
struct slot {
	char id[ID_CHARACTERS];
	bool is_met;
	double at;
};

struct wire_times {
	int fd;
	size_t len;
	char buffer[BUFFER];
	struct slot *slots;
	struct latencies latencies;
};

static void refuse(const char *why)
{
	fprintf(stderr, "events: %s\n", why);
	exit(1);
}

struct wire_times *wire_times_new(int fd, const char *token)
{
	struct wire_times *wire = checked(calloc(1, sizeof(*wire)));
	char request[512];
	int len = snprintf(request, sizeof(request),
			   "GET /v1/events?types=message.created HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			   "Authorization: Bearer %s\r\n\r\n",
			   token);

	wire->fd = fd;
	wire->slots = checked(calloc(SLOTS, sizeof(*wire->slots)));
	latencies_new(&wire->latencies);
	if (write(fd, request, (size_t)len) != len)
		refuse("cannot be asked for");
	while (strstr(wire->buffer, "retry:") == NULL) {
		ssize_t count = read(fd, wire->buffer + wire->len, BUFFER - 1 - wire->len);

		if (count <= 0)
			refuse("the stream was closed");
		wire->len += (size_t)count;
	}
	if (strncmp(wire->buffer, "HTTP/1.1 200", 12) != 0)
		refuse(wire->buffer);
	wire->len = 0;
	return wire;
}

static struct slot *slot_of(struct wire_times *wire, const char *id)
{
	uint64_t hash = 1469598103934665603u;
	size_t at;

	for (int i = 0; i < ID_CHARACTERS; i++)
		hash = (hash ^ (unsigned char)id[i]) * 1099511628211u;
	at = (hash >> 20) % SLOTS;
	while (wire->slots[at].id[0] != '\0' && memcmp(wire->slots[at].id, id, ID_CHARACTERS) != 0)
		at = (at + 1) % SLOTS;
	return &wire->slots[at];
}

/* Returns true when the other side was there; *ret_at is its time. */
static bool meet(struct wire_times *wire, const char *id, double at, double *ret_at)
{
	struct slot *slot = slot_of(wire, id);

	if (slot->id[0] == '\0') {
		memcpy(slot->id, id, ID_CHARACTERS);
		slot->at = at;
		return false;
	}
	if (slot->is_met)
		return false;
	slot->is_met = true;
	*ret_at = slot->at;
	return true;
}

void wire_times_sent(struct wire_times *wire, const char *answer, double since)
{
	const char *id = answer == NULL ? NULL : strstr(answer, "msg_");
	double seen;

	if (id != NULL && strlen(id) > ID_CHARACTERS && meet(wire, id, since, &seen))
		latencies_add(&wire->latencies, seen - since);
}

static void on_event(struct wire_times *wire, const char *event, double now)
{
	const char *id = strstr(event, "\"msg_");
	double since;

	if (id != NULL && strlen(id) > ID_CHARACTERS && meet(wire, id + 1, now, &since))
		latencies_add(&wire->latencies, now - since);
}

void wire_times_read(struct wire_times *wire, double now)
{
	ssize_t count = read(wire->fd, wire->buffer + wire->len, BUFFER - 1 - wire->len);
	char *start = wire->buffer;
	char *end;

	if (count <= 0)
		refuse("the stream was closed");
	wire->len += (size_t)count;
	wire->buffer[wire->len] = '\0';
	while ((end = strstr(start, "\n\n")) != NULL) {
		*end = '\0';
		on_event(wire, start, now);
		start = end + 2;
	}
	wire->len -= (size_t)(start - wire->buffer);
	memmove(wire->buffer, start, wire->len + 1);
}

uint64_t wire_times_count(const struct wire_times *wire)
{
	return wire->latencies.total;
}

void wire_times_print(const struct wire_times *wire)
{
	printf(",\"wire_done\":%llu,\"wire_p50_us\":%ld,\"wire_p99_us\":%ld",
	       (unsigned long long)wire->latencies.total, latencies_at(&wire->latencies, 0.5),
	       latencies_at(&wire->latencies, 0.99));
}
