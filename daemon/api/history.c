/* Where the history is and how far it came; writing it anew. */
#include <string.h>

#include "api/handlers.h"
#include "base/text.h"
#include "history/evictor.h"
#include "history/history.h"
#include "history/restore.h"
#include "history/writer.h"
#include "parts.h"
#include "store/store.h"
#include "workspace.h"

struct asked {
	int64_t number; /* of the newest work item; -1: not known */
	int status;
	const char *log_newest; /* "<ms>-<seq>"; NULL: the log is empty, or not known */
};

static struct workspace *workspace_of(struct api_call *call)
{
	return workspace_get(call->parts->workspaces, call->who.workspace);
}

/* Null where another instance writes. */
static void write_writer(struct json_out *out, const struct workspace *workspace)
{
	const struct writer *writer = workspace_writer(workspace);
	const struct writer_counts *counts = workspace_written(workspace);
	struct writer_state state;

	if (writer == NULL) {
		jw_null(out, "writer");
		return;
	}
	state = writer_state(writer);
	jw_object(out, "writer");
	jw_text(out, "doing", state.doing);
	jw_text(out, "problem", state.problem[0] == '\0' ? NULL : state.problem);
	jw_int(out, "held_entries", state.held);
	jw_int(out, "lag_ms", state.lag_ms);
	jw_int(out, "entries", counts->entries);
	jw_int(out, "skipped", counts->skipped);
	jw_int(out, "errors", counts->errors);
	jw_int(out, "rereads", counts->rereads);
	jw_int(out, "reread_keys", state.reread_keys);
	jw_object_end(out);
}

static void write_evicted(struct json_out *out, const struct workspace *workspace)
{
	const struct evict_counts *counts = workspace_evicted(workspace);

	jw_object(out, "evictor");
	jw_int(out, "conversations", counts->conversations);
	jw_int(out, "work_items", counts->work_items);
	jw_int(out, "receipts", counts->receipts);
	jw_int(out, "refused", counts->refused);
	jw_int(out, "at_rest", counts->at_rest);
	jw_object_end(out);
}

static void write_restore(struct json_out *out, struct workspace *workspace)
{
	struct restore_state state = restore_state(workspace_restore(workspace, false));

	if (state.doing[0] == '\0') {
		jw_null(out, "restore");
		return;
	}
	jw_object(out, "restore");
	jw_text(out, "doing", state.doing);
	jw_text(out, "problem", state.problem[0] == '\0' ? NULL : state.problem);
	jw_int(out, "customers", state.customers);
	jw_int(out, "notes", state.notes);
	jw_int(out, "suggestions", state.suggestions);
	jw_int(out, "merges", state.merges);
	jw_int(out, "work_items", state.work_items);
	jw_int(out, "conversations", state.conversations);
	jw_int(out, "messages", state.messages);
	jw_array(out, "not_kept");
	for (size_t i = 0; restore_not_kept[i] != NULL; i++)
		jw_text(out, NULL, restore_not_kept[i]);
	jw_array_end(out);
	jw_object_end(out);
}

static void copy_number(const char *name, struct json_object *value, void *context)
{
	(void)value;
	jw_int(context, name, json_int(value, "", 0));
}

/* Numbers of work items are given out one by one: one that is not there was lost, before or after
 * it left the store. */
static void write_rows(struct json_out *out, struct json_object *answer, int64_t number)
{
	jw_text(out, "position", json_text(answer, "position"));
	if (answer == NULL) {
		jw_null(out, "rows");
		jw_null(out, "work_items_missing");
		return;
	}
	jw_object(out, "rows");
	json_each_field(json_at(answer, "rows"), copy_number, out);
	jw_object_end(out);
	if (number >= 0)
		jw_int(out, "work_items_missing", number - json_int(answer, "rows.work_item", 0));
	else
		jw_null(out, "work_items_missing");
}

static void answer_status(struct api_call *call, struct json_object *answer,
			  const struct error *err)
{
	const struct asked *asked = call->state;
	struct history *history = call->parts->history;
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_bool(&out, "kept", history_is_kept(history));
	jw_text(&out, "place", history_place(history));
	jw_text(&out, "id", history_id(history));
	jw_bool(&out, "up", history_stats(history).is_up);
	jw_text(&out, "problem", err == NULL ? NULL : err->text);
	jw_text(&out, "log_newest", asked->log_newest);
	write_rows(&out, answer, asked->number);
	write_writer(&out, workspace_of(call));
	write_evicted(&out, workspace_of(call));
	write_restore(&out, workspace_of(call));
	jw_object_end(&out);
	api_answer(call, asked->status, &body);
}

static void on_status(struct json_object *answer, const struct error *err, void *context)
{
	answer_status(context, answer, err);
}

static void on_newest(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct asked *asked = call->state;
	const struct store_reply *entry = err == NULL ? reply_item(reply, 0) : NULL;

	if (entry != NULL)
		asked->log_newest = arena_text(call->arena, reply_text_at(entry, 0));
	history_ask(call->parts->history, "status", call->who.workspace, NULL, on_status, call);
}

static void on_number(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct asked *asked = call->state;
	struct store_call *newest;

	if (err == NULL)
		asked->number = reply_int(reply);
	newest = store_command("XREVRANGE");
	store_arg_key(newest, call->who.workspace, "log");
	store_arg_text(newest, "+");
	store_arg_text(newest, "-");
	store_arg_text(newest, "COUNT");
	store_arg_int(newest, 1);
	store_read(call->parts->store, newest, on_newest, call);
}

static void ask_status(struct api_call *call, int status)
{
	struct asked *asked = arena_alloc(call->arena, sizeof(*asked));
	struct store_call *number;

	asked->number = -1;
	asked->log_newest = NULL;
	asked->status = status;
	call->state = asked;
	if (!history_is_kept(call->parts->history)) {
		answer_status(call, NULL, NULL);
		return;
	}
	number = store_command("HGET");
	store_arg_key(number, call->who.workspace, "meta");
	store_arg_text(number, "num");
	store_read(call->parts->store, number, on_number, call);
}

void handle_history_get(struct api_call *call)
{
	ask_status(call, 200);
}

/* Harmless when repeated, so no key is asked for. */
void handle_history_rebuild(struct api_call *call)
{
	struct workspace *workspace = workspace_of(call);

	if (!history_is_kept(call->parts->history)) {
		api_problem(call, 409, "no_history", "this installation keeps no history");
		return;
	}
	if (workspace_writer(workspace) != NULL)
		writer_reread(workspace_writer(workspace));
	else
		workspace_tell_reread(workspace);
	ask_status(call, 202);
}

/* Harmless when repeated: what is in the store stays as it is. */
void handle_history_restore(struct api_call *call)
{
	if (!history_is_kept(call->parts->history)) {
		api_problem(call, 409, "no_history", "this installation keeps no history");
		return;
	}
	workspace_restore(workspace_of(call), true);
	ask_status(call, 202);
}
