/* Who follows which conversation: what happens in a workspace goes to the streams of that one
 * conversation, however many others are open. */
#pragma once

#include "workspace.h"

struct chat_rooms;
struct chat_seat; /* one follower */
struct log_entry;
struct parts;

/* Called with what was given to chat_rooms_sit(); a follower may leave inside its own call. */
struct chat_room_calls {
	void (*on_entry)(const struct log_entry *entry, void *follower);
	void (*on_reset)(void *follower);
	void (*on_sign)(enum sign sign, const char *who, void *follower);
};

struct chat_rooms *chat_rooms_new(struct parts *parts, const struct chat_room_calls *calls);
void chat_rooms_free(struct chat_rooms **rooms); /* with the seats that are left */

struct chat_seat *chat_rooms_sit(struct chat_rooms *rooms, const char *workspace,
				 const char *conversation, void *follower);
void chat_seat_leave(struct chat_seat **seat);
