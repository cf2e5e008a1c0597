/* Rows of a write job, shared by history_write.c, history_rows.c and history_known.c only. Hashes
 * come as the store has them, fields named as in store/scripts/README.md. */
#pragma once

#include "base/id.h"
#include "workers/history.h"

enum { HISTORY_POSITION_BYTES = 80 };

struct map;

/* Where the messages of an episode go. */
struct history_place {
	int64_t base; /* -1: not known yet */
	int64_t newest;
};

struct history_write {
	struct history_job *job;
	struct json_out *skipped;
	/* As the database has them, of those in the job: id to json; episode to place. */
	struct map *customers;
	struct map *work_items;
	struct map *places;
	/* Of the episode the message before was in; "" where none is known. */
	char conversation[ID_BYTES];
	int64_t episode;
	int64_t base;
	int64_t newest; /* position of the newest message, -1: none */
};

/* Asks for all three at once; 0, or -1 with err. */
int history_known_read(struct history_write *write, struct error *err);
void history_known_clear(struct history_write *write);
/* base and newest of an episode, where it was asked for. */
bool history_known_place(struct history_write *write, const char *conversation, int64_t created_ms);
/* The messages that follow are of another one. */
void history_known_leave(struct history_write *write);

int write_customer(struct history_write *write, struct json_object *row, struct error *err);
/* history_merges.c */
int write_customer_event(struct history_write *write, struct json_object *row, struct error *err);
int write_merge(struct history_write *write, struct json_object *row, struct error *err);
int write_suggestions(struct history_write *write, struct json_object *row, struct error *err);
int write_notes(struct history_write *write, struct json_object *row, struct error *err);
int write_conversation(struct history_write *write, struct json_object *row, struct error *err);
int write_message(struct history_write *write, struct json_object *row, struct error *err);
int write_mark(struct history_write *write, struct json_object *row, struct error *err);
int write_work_item(struct history_write *write, struct json_object *row, struct error *err);
int write_reference(struct history_write *write, struct json_object *row, struct error *err);
int write_event(struct history_write *write, struct json_object *row, struct error *err);
