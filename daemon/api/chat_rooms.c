#include "api/chat_rooms.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/map.h"
#include "base/memory.h"
#include "parts.h"
#include "services/loop.h"
#include "store/log.h"
#include "workspace.h"

struct chat_seat {
	TAILQ_ENTRY(chat_seat) link;
	struct room *room;
	void *follower;
};
TAILQ_HEAD(seats, chat_seat);

/* A conversation that somebody follows. */
struct room {
	struct house *house;
	char *conversation;
	struct seats seats;
};

/* A workspace with such conversations. */
struct house {
	struct chat_rooms *rooms;
	char *workspace;
	struct listener *listener;
	struct hearer *hearer;
	struct map *conversations; /* to rooms */
};

struct chat_rooms {
	struct parts *parts;
	struct chat_room_calls calls;
	struct map *houses; /* by workspace */
};

static struct seats *seats_of(const struct house *house, const char *conversation)
{
	struct room *room =
		conversation == NULL ? NULL : map_get(house->conversations, conversation);

	return room == NULL ? NULL : &room->seats;
}

static void on_entry(const struct log_entry *entry, void *context)
{
	const struct house *house = context;
	struct seats *seats = seats_of(house, entry->conversation);
	struct chat_seat *seat = seats == NULL ? NULL : TAILQ_FIRST(seats);
	struct chat_seat *next;

	for (; seat != NULL; seat = next) {
		next = TAILQ_NEXT(seat, link);
		house->rooms->calls.on_entry(entry, seat->follower);
	}
}

static void on_sign(enum sign sign, const char *conversation, const char *who, void *context)
{
	const struct house *house = context;
	struct seats *seats = seats_of(house, conversation);
	struct chat_seat *seat = seats == NULL ? NULL : TAILQ_FIRST(seats);
	struct chat_seat *next;

	for (; seat != NULL; seat = next) {
		next = TAILQ_NEXT(seat, link);
		house->rooms->calls.on_sign(sign, who, seat->follower);
	}
}

/* Nobody leaves in on_reset: it starts a read and writes nothing. */
static void on_reset(const char *position, void *context)
{
	const struct house *house = context;
	struct chat_seat *seat;
	struct room *room;
	size_t at = 0;

	(void)position;
	while ((room = map_next(house->conversations, &at, NULL)) != NULL)
		TAILQ_FOREACH (seat, &room->seats, link)
			house->rooms->calls.on_reset(seat->follower);
}

static void seat_free(void *object)
{
	free(object);
}

static void room_free(void *object)
{
	struct room *room = object;

	free(room->conversation);
	free(room);
}

static void room_clear(struct room *room)
{
	struct chat_seat *seat;

	while ((seat = TAILQ_FIRST(&room->seats)) != NULL) {
		TAILQ_REMOVE(&room->seats, seat, link);
		free(seat);
	}
	room_free(room);
}

static void house_free(void *object)
{
	struct house *house = object;

	listener_free(&house->listener);
	hearer_free(&house->hearer);
	map_free(&house->conversations);
	free(house->workspace);
	free(house);
}

struct chat_rooms *chat_rooms_new(struct parts *parts, const struct chat_room_calls *calls)
{
	struct chat_rooms *rooms = memory_new(sizeof(*rooms));

	rooms->parts = parts;
	rooms->calls = *calls;
	rooms->houses = map_new();
	return rooms;
}

void chat_rooms_free(struct chat_rooms **rooms)
{
	struct house *house;
	struct room *room;
	size_t at = 0;

	if (*rooms == NULL)
		return;
	while ((house = map_next((*rooms)->houses, &at, NULL)) != NULL) {
		size_t place = 0;

		while ((room = map_next(house->conversations, &place, NULL)) != NULL)
			room_clear(room);
		house_free(house);
	}
	map_free(&(*rooms)->houses);
	free(*rooms);
	*rooms = NULL;
}

static struct house *house_get(struct chat_rooms *rooms, const char *name)
{
	struct house *house = map_get(rooms->houses, name);
	struct workspace *workspace;

	if (house != NULL)
		return house;
	house = memory_new(sizeof(*house));
	workspace = workspace_get(rooms->parts->workspaces, name);
	house->rooms = rooms;
	house->workspace = memory_text(name);
	house->conversations = map_new();
	house->listener = workspace_listen(workspace, on_entry, on_reset, house);
	house->hearer = workspace_hear(workspace, on_sign, house);
	map_put(rooms->houses, name, house);
	return house;
}

static struct room *room_get(struct house *house, const char *conversation)
{
	struct room *room = map_get(house->conversations, conversation);

	if (room != NULL)
		return room;
	room = memory_new(sizeof(*room));
	room->house = house;
	room->conversation = memory_text(conversation);
	TAILQ_INIT(&room->seats);
	map_put(house->conversations, conversation, room);
	return room;
}

struct chat_seat *chat_rooms_sit(struct chat_rooms *rooms, const char *workspace,
				 const char *conversation, void *follower)
{
	struct chat_seat *seat = memory_new(sizeof(*seat));

	seat->room = room_get(house_get(rooms, workspace), conversation);
	seat->follower = follower;
	TAILQ_INSERT_TAIL(&seat->room->seats, seat, link);
	return seat;
}

/* What is empty goes at once, its memory later: it may be the one that is being told. */
void chat_seat_leave(struct chat_seat **seat)
{
	struct room *room;
	struct house *house;
	struct loop *loop;

	if (*seat == NULL)
		return;
	room = (*seat)->room;
	house = room->house;
	loop = house->rooms->parts->loop;
	TAILQ_REMOVE(&room->seats, *seat, link);
	loop_defer_free(loop, *seat, seat_free);
	*seat = NULL;
	if (!TAILQ_EMPTY(&room->seats))
		return;
	map_remove(house->conversations, room->conversation);
	loop_defer_free(loop, room, room_free);
	if (map_count(house->conversations) > 0)
		return;
	map_remove(house->rooms->houses, house->workspace);
	loop_defer_free(loop, house, house_free);
}
