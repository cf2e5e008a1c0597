/* export: all that a workspace holds, as JSON Lines and files. Ids come from the history, page by
 * page; what stands behind an id is read as everybody reads it, so that it is the same whether it
 * is still in the store or has left it. Nothing is held but a page. */
#include "export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "client.h"
#include "ctl.h"

enum {
	TIMEOUT_MS = 60 * 1000,
	WAIT_TRIES = 300, /* for the history to hold what is in the store */
	WAIT_NS = 200 * 1000 * 1000,
	BLOB_HEX = 64,
	BLOB_HASH_HEX = 38, /* of a blob's id; the rest is chance or place */
};

enum {
	CUSTOMERS,
	ORDERS,
	EVENTS,
	NOTES,
	CONVERSATIONS,
	MESSAGES,
	WORK_ITEMS,
	CANNED,
	ATTACHMENTS,
	AUDIT,
	FILES
};

static const char *const names[FILES] = {
	"customers.jsonl",     "orders.jsonl",   "events.jsonl",     "notes.jsonl",
	"conversations.jsonl", "messages.jsonl", "work_items.jsonl", "canned_replies.jsonl",
	"attachments.jsonl",   "audit.jsonl",
};

struct export
{
	struct call *call;
	struct location location;
	int folder;
	int blobs; /* the folder of attachments */
	struct export_file files[FILES];
	const char *customer; /* whose orders and events are read */
	int64_t missing;      /* attachments that are not there any more */
	int exit_code;
};

typedef void row_fn(struct export *export, struct json_object *row);

static bool is_over(const struct export *export)
{
	return export->exit_code != EXIT_DONE;
}

static void fail(struct export *export, int exit_code, const struct error *err)
{
	if (!is_over(export))
		export->exit_code = output_error(exit_code, err);
}

/* ---- asking ---- */

static struct client_request request_of(const struct export *export, const char *target)
{
	return (struct client_request){ .socket_path = export->location.socket,
					.method = "GET",
					.target = target,
					.workspace = export->call->workspace,
					.timeout_ms = TIMEOUT_MS };
}

/* NULL after a failure, which ends the export; also where it is not there any more: *ret_gone. */
static struct json_object *ask(struct export *export, const char *target, bool *ret_gone)
{
	const struct client_request request = request_of(export, target);
	struct client_answer answer = { 0 };
	struct json_object *value = NULL;
	struct error err = { 0 };

	*ret_gone = false;
	if (client_run(&request, NULL, NULL, &answer, &err) < 0) {
		fail(export, EX_UNAVAILABLE, &err);
	} else if (answer.status == 404 || answer.status == 410) {
		*ret_gone = true;
	} else if (answer.status != 200) {
		export->exit_code =
			output_problem(answer.status, buf_string(&answer.body), answer.body.len);
	} else {
		value = json_read(buf_string(&answer.body), answer.body.len, &err);
		if (value == NULL)
			fail(export, EX_PROTOCOL, &err);
	}
	buf_clear(&answer.body);
	return value;
}

/* One page; what comes after it goes to cursor, which is empty where there is nothing. */
static void each_of_page(struct export *export, const char *path, struct buf *cursor, row_fn *fn)
{
	struct buf target = { 0 };
	bool is_gone;

	buf_format(&target, "%s%climit=200", path, strchr(path, '?') == NULL ? '?' : '&');
	if (cursor->len > 0)
		buf_format(&target, "&after=%s", buf_string(cursor));
	OWNED(json_free)
	struct json_object *page = ask(export, buf_string(&target), &is_gone);
	struct json_object *data = json_at(page, "data");
	const char *next = json_text(page, "next_cursor");

	buf_clear(&target);
	buf_reset(cursor);
	if (next != NULL)
		text_percent(cursor, next, strlen(next));
	for (size_t i = 0; i < json_count(data) && !is_over(export); i++)
		fn(export, json_item(data, i));
}

static void each(struct export *export, const char *path, row_fn *fn)
{
	struct buf cursor = { 0 };

	if (!is_over(export))
		each_of_page(export, path, &cursor, fn);
	while (cursor.len > 0 && !is_over(export))
		each_of_page(export, path, &cursor, fn);
	buf_clear(&cursor);
}

static void row_add(struct export *export, int file, const struct buf *json)
{
	struct error err = { 0 };

	if (!is_over(export) && export_file_row(&export->files[file], json, &err) < 0)
		fail(export, EX_IOERR, &err);
}

static void object_add(struct export *export, int file, struct json_object *object)
{
	struct buf json = { 0 };

	json_append(object, &json);
	row_add(export, file, &json);
	buf_clear(&json);
}

/* What stands behind an id, as it is answered. */
static void add_found(struct export *export, int file, const char *path)
{
	bool is_gone;
	OWNED(json_free) struct json_object *object = ask(export, path, &is_gone);

	if (object != NULL)
		object_add(export, file, object);
}

/* ---- customers ---- */

/* What is elsewhere in the export, or true for a moment only, stays out. */
static void copy_member(const char *name, struct json_object *value, void *context)
{
	static const char *const left_out[] = {
		"conversations", "work_items", "orders",      "orders_total",
		"pulled_orders", "notes",      "notes_total", "links",
	};
	struct json_out *out = context;
	struct buf json = { 0 };

	for (size_t i = 0; i < COUNT_OF(left_out); i++)
		if (text_equal(name, left_out[i]))
			return;
	json_append(value, &json);
	jw_raw(out, name, json.data, json.len);
	buf_clear(&json);
}

static void write_merges(struct export *export, struct json_out *out)
{
	char path[200];
	bool is_gone;

	snprintf(path, sizeof(path), "/v1/customers/%s/merges", export->customer);
	OWNED(json_free) struct json_object *merges = ask(export, path, &is_gone);
	struct buf json = { 0 };

	if (merges != NULL)
		json_append(json_at(merges, "data"), &json);
	else
		buf_text(&json, "[]");
	jw_raw(out, "merges", json.data, json.len);
	buf_clear(&json);
}

static void kept_add(struct export *export, int file, const char *name, struct json_object *object)
{
	struct buf text = { 0 }, json = { 0 };
	struct json_out out;

	json_append(object, &text);
	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "customer", export->customer);
	jw_raw(&out, name, text.data, text.len);
	jw_object_end(&out);
	row_add(export, file, &json);
	buf_clear(&text);
	buf_clear(&json);
}

static void order_add(struct export *export, struct json_object *order)
{
	kept_add(export, ORDERS, "order", order);
}

static void event_add(struct export *export, struct json_object *event)
{
	kept_add(export, EVENTS, "event", event);
}

static void customer_write(struct export *export, struct json_object *customer)
{
	struct buf json = { 0 };
	struct json_out out;

	jw_start(&out, &json);
	jw_object(&out, NULL);
	json_each_field(customer, copy_member, &out);
	write_merges(export, &out);
	jw_object_end(&out);
	row_add(export, CUSTOMERS, &json);
	buf_clear(&json);
}

/* Who was merged into somebody is a row that names the other one, whose row holds it all. */
static void customer_add(struct export *export, struct json_object *row)
{
	char path[200];
	bool is_gone;

	if (json_has(row, "merged_into")) {
		object_add(export, CUSTOMERS, row);
		return;
	}
	export->customer = json_text(row, "id");
	snprintf(path, sizeof(path), "/v1/customers/%s?view=export", export->customer);
	OWNED(json_free) struct json_object *customer = ask(export, path, &is_gone);
	if (customer == NULL)
		return;
	customer_write(export, customer);
	snprintf(path, sizeof(path), "/v1/customers/%s/orders", export->customer);
	each(export, path, order_add);
	snprintf(path, sizeof(path), "/v1/customers/%s/events", export->customer);
	each(export, path, event_add);
}

static void note_add(struct export *export, struct json_object *row)
{
	object_add(export, NOTES, row);
}

static void audit_add(struct export *export, struct json_object *row)
{
	object_add(export, AUDIT, row);
}

static void canned_add(struct export *export, struct json_object *row)
{
	object_add(export, CANNED, row);
}

static void work_item_add(struct export *export, struct json_object *row)
{
	char path[200];

	snprintf(path, sizeof(path), "/v1/work-items/%s", json_text(row, "id"));
	add_found(export, WORK_ITEMS, path);
}

/* ---- conversations, messages and their files ---- */

struct receiving {
	struct export_file *file;
	struct error *err;
};

static int on_bytes(const char *bytes, size_t len, void *context)
{
	struct receiving *receiving = context;

	return export_file_add(receiving->file, bytes, len, receiving->err);
}

/* A name of hex digits only is safe as a file's. */
static bool is_blob(const char *id)
{
	return id != NULL && strlen(id) == BLOB_HEX && strspn(id, "0123456789abcdef") == BLOB_HEX;
}

/* False where there is none any more, or the export is over. */
static bool blob_fetch(struct export *export, const char *id, struct export_file *file)
{
	char path[200];
	struct client_answer answer = { 0 };
	struct error err = { 0 };
	struct receiving receiving = { file, &err };
	bool is_whole = false;

	snprintf(path, sizeof(path), "/v1/attachments/%s", id);
	const struct client_request request = request_of(export, path);
	if (export_file_begin(file, export->blobs, id, &err) < 0) {
		fail(export, EX_IOERR, &err);
	} else if (client_run(&request, on_bytes, &receiving, &answer, &err) < 0) {
		fail(export, EX_UNAVAILABLE, &err);
	} else if (err.text[0] != '\0') {
		fail(export, EX_IOERR, &err);
	} else if (answer.status != 200 && answer.status != 404 && answer.status != 410) {
		export->exit_code =
			output_problem(answer.status, buf_string(&answer.body), answer.body.len);
	} else if (answer.status == 200) {
		is_whole = export_file_end(file, &err) == 0;
		if (!is_whole)
			fail(export, EX_IOERR, &err);
	}
	export_file_drop(file);
	buf_clear(&answer.body);
	return is_whole;
}

/* What an earlier run brought stays: a blob's id begins with its hash. */
static bool blob_have(struct export *export, const char *id, struct export_file *file)
{
	struct error err = { 0 };

	if (!export_file_known(export->blobs, id, file->hash, &file->bytes) ||
	    strncmp(id, file->hash, BLOB_HASH_HEX) != 0) {
		if (!blob_fetch(export, id, file))
			return false;
	}
	if (strncmp(id, file->hash, BLOB_HASH_HEX) == 0)
		return true;
	error_set(&err, ERROR_PERMANENT, "attachment %s is damaged", id);
	fail(export, EX_IOERR, &err);
	return false;
}

static void attachment_add(struct export *export, const char *message, const char *id)
{
	struct export_file file = { 0 };
	struct buf json = { 0 };
	struct json_out out;
	bool is_there = blob_have(export, id, &file);

	if (is_over(export))
		return;
	export->missing += is_there ? 0 : 1;
	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "id", id);
	jw_text(&out, "message", message);
	jw_bool(&out, "present", is_there);
	jw_text(&out, "sha256", is_there ? file.hash : NULL);
	jw_int(&out, "bytes", is_there ? file.bytes : 0);
	jw_object_end(&out);
	row_add(export, ATTACHMENTS, &json);
	buf_clear(&json);
}

static void message_add(struct export *export, struct json_object *message)
{
	struct json_object *files = json_at(message, "attachments");

	object_add(export, MESSAGES, message);
	for (size_t i = 0; i < json_count(files) && !is_over(export); i++) {
		const char *id = json_text(json_item(files, i), "id");

		if (is_blob(id))
			attachment_add(export, json_text(message, "id"), id);
	}
}

static void conversation_add(struct export *export, struct json_object *row)
{
	char path[200];

	snprintf(path, sizeof(path), "/v1/conversations/%s", json_text(row, "id"));
	add_found(export, CONVERSATIONS, path);
	snprintf(path, sizeof(path), "/v1/conversations/%s/messages", json_text(row, "id"));
	each(export, path, message_add);
}

/* ---- all of it ---- */

/* "<ms>-<seq>"; zeros where it is none. */
static void place_read(const char *text, unsigned long long ret_place[2])
{
	ret_place[0] = ret_place[1] = 0;
	if (text != NULL)
		sscanf(text, "%llu-%llu", &ret_place[0], &ret_place[1]);
}

/* Ids are read from the history: it must hold what was in the store when the export began, so far
 * as the log told it by then. */
static bool is_caught_up(struct export *export, unsigned long long began[2])
{
	bool is_gone;
	OWNED(json_free) struct json_object *history = ask(export, "/v1/history", &is_gone);
	const char *position = json_text(history, "position");
	const char *after_generation = position == NULL ? NULL : strchr(position, '-');
	const char *newest = json_text(history, "log_newest");
	const char *doing = json_text(history, "writer.doing");
	unsigned long long come[2];

	if (began[0] == 0)
		place_read(newest, began);
	place_read(after_generation == NULL ? NULL : after_generation + 1, come);
	if (history == NULL || (doing != NULL && !text_equal(doing, "following")))
		return false;
	return come[0] > began[0] || (come[0] == began[0] && come[1] >= began[1]);
}

static void wait_for_history(struct export *export)
{
	const struct timespec pause = { .tv_nsec = WAIT_NS };
	unsigned long long began[2] = { 0 };
	struct error err = { 0 };
	bool is_gone;
	struct json_object *first = ask(export, "/v1/export/customers?limit=1", &is_gone);

	json_free(&first); /* asked only because it is refused where no history is kept */
	for (int i = 0; i < WAIT_TRIES && !is_over(export); i++) {
		if (is_caught_up(export, began))
			return;
		nanosleep(&pause, NULL);
	}
	error_set(&err, ERROR_TEMPORARY,
		  "the history lags behind the store: see convergectl history status, and try "
		  "again");
	fail(export, EX_TEMPFAIL, &err);
}

static void end_files(struct export *export)
{
	struct error err = { 0 };

	for (int i = 0; i < FILES && !is_over(export); i++)
		if (export_file_end(&export->files[i], &err) < 0)
			fail(export, EX_IOERR, &err);
}

static void write_manifest(struct export *export)
{
	struct export_file manifest = { 0 };
	struct error err = { 0 };
	struct buf json = { 0 };
	struct json_out out;

	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_int(&out, "format", 1);
	jw_text(&out, "workspace", export->call->workspace);
	jw_int(&out, "attachments_missing", export->missing);
	jw_object(&out, "files");
	for (int i = 0; i < FILES; i++) {
		jw_object(&out, names[i]);
		jw_int(&out, "rows", export->files[i].rows);
		jw_int(&out, "bytes", export->files[i].bytes);
		jw_text(&out, "sha256", export->files[i].hash);
		jw_object_end(&out);
	}
	jw_object_end(&out);
	jw_object_end(&out);
	if (export_file_begin(&manifest, export->folder, "manifest.json", &err) < 0 ||
	    export_file_row(&manifest, &json, &err) < 0 || export_file_end(&manifest, &err) < 0)
		fail(export, EX_IOERR, &err);
	export_file_drop(&manifest);
	buf_clear(&json);
}

/* Without a manifest an export is not whole. */
static void begin_files(struct export *export)
{
	struct error err = { 0 };

	if (unlinkat(export->folder, "manifest.json", 0) < 0 && errno != ENOENT) {
		error_set(&err, ERROR_PERMANENT, "removing the old manifest.json: %s",
			  strerror(errno));
		fail(export, EX_CANTCREAT, &err);
	}
	for (int i = 0; i < FILES && !is_over(export); i++)
		if (export_file_begin(&export->files[i], export->folder, names[i], &err) < 0)
			fail(export, EX_CANTCREAT, &err);
}

static void run(struct export *export)
{
	wait_for_history(export);
	if (is_over(export))
		return;
	begin_files(export);
	each(export, "/v1/export/customers?order=asc", customer_add);
	each(export, "/v1/export/notes?order=asc", note_add);
	each(export, "/v1/export/conversations?order=asc", conversation_add);
	each(export, "/v1/export/work-items?order=asc", work_item_add);
	each(export, "/v1/canned-replies", canned_add);
	each(export, "/v1/audit?order=asc", audit_add);
	if (!is_over(export))
		end_files(export);
	if (!is_over(export))
		write_manifest(export);
	for (int i = 0; i < FILES; i++)
		export_file_drop(&export->files[i]);
}

static void print_counts(const struct export *export)
{
	for (int i = 0; i < FILES; i++)
		printf("%-22s %lld\n", names[i], (long long)export->files[i].rows);
	if (export->missing > 0)
		printf("%lld attachments are not there any more\n", (long long)export->missing);
}

int run_export(struct call *call)
{
	struct export export = { .call = call, .folder = -1, .blobs = -1 };
	char blobs[600];
	struct error err = { 0 };

	if (locate(call->config_file, call->arena, &export.location, &err) < 0)
		return output_error(EX_CONFIG, &err);
	snprintf(blobs, sizeof(blobs), "%s/attachments", call->arguments[0]);
	export.folder = export_folder(call->arguments[0], &err);
	if (export.folder >= 0)
		export.blobs = export_folder(blobs, &err);
	if (export.blobs < 0)
		fail(&export, EX_CANTCREAT, &err);
	else
		run(&export);
	if (export.exit_code == EXIT_DONE)
		print_counts(&export);
	if (export.blobs >= 0)
		close(export.blobs);
	if (export.folder >= 0)
		close(export.folder);
	return export.exit_code;
}
