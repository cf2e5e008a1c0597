/* Rows of a write job, shared by history_write.c and history_rows.c only. Hashes
 * come as the store has them, fields named as in store/scripts/README.md. */
#pragma once

#include "base/id.h"
#include "workers/history.h"

enum { HISTORY_POSITION_BYTES = 80 };

struct history_write {
	struct history_job *job;
	struct json_out *skipped;
	/* Of the episode the message before was in; "" where none is known. */
	char conversation[ID_BYTES];
	int64_t episode;
	int64_t base;
	int64_t newest; /* position of the newest message, -1: none */
};

int write_customer(struct history_write *write, struct json_object *row, struct error *err);
int write_conversation(struct history_write *write, struct json_object *row, struct error *err);
int write_message(struct history_write *write, struct json_object *row, struct error *err);
int write_mark(struct history_write *write, struct json_object *row, struct error *err);
int write_work_item(struct history_write *write, struct json_object *row, struct error *err);
int write_reference(struct history_write *write, struct json_object *row, struct error *err);
int write_event(struct history_write *write, struct json_object *row, struct error *err);
