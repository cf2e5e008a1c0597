/* blobs copy: every blob of one store into another, under its id. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "blobs_side.h"
#include "ctl.h"
#include "resp.h"

enum { ID_BYTES_PACKED = 32, SECRET_MAX = 1024, TIMEOUT_MS = 60 * 1000, TOLD_EACH = 1000 };

struct copy {
	struct side *from, *to;
	bool is_dry;
	bool tells;
	struct buf known; /* ids that an S3 target has, packed, in their order */
	struct side_blob batch[SIDE_BATCH];
	size_t count;
	int64_t found, there, copied, gone, damaged, bytes;
};

/* ---- what the target has ---- */

static int note_known(const char *id, void *context, struct error *err)
{
	struct copy *copy = context;
	unsigned char packed[ID_BYTES_PACKED];
	(void)err;
	text_unhex(id, 2 * sizeof(packed), packed, sizeof(packed));
	buf_add(&copy->known, packed, sizeof(packed));
	return 0;
}

static int in_order(const void *a, const void *b)
{
	return memcmp(a, b, ID_BYTES_PACKED);
}

static bool is_there(struct copy *copy, const char *id)
{
	unsigned char packed[ID_BYTES_PACKED];
	if (side_is_disk(copy->to))
		return side_has(copy->to, id);
	text_unhex(id, 2 * sizeof(packed), packed, sizeof(packed));
	return copy->known.len > 0 &&
	       bsearch(packed, copy->known.data, copy->known.len / ID_BYTES_PACKED, ID_BYTES_PACKED,
		       in_order) != NULL;
}

static int target_list(struct copy *copy, struct error *err)
{
	if (side_is_disk(copy->to))
		return 0;
	if (side_walk(copy->to, note_known, copy, err) < 0)
		return error_wrap(err, "listing the target");
	if (copy->known.len > 0)
		qsort(copy->known.data, copy->known.len / ID_BYTES_PACKED, ID_BYTES_PACKED,
		      in_order);
	return 0;
}

/* ---- copying ---- */

/* What cannot be read is said and left; a store that does not answer ends it. */
static int read_judge(struct copy *copy, const struct side_blob *blob, struct error *err)
{
	if (blob->err.kind == ERROR_NONE)
		return 0;
	if (blob->err.kind == ERROR_TEMPORARY) {
		*err = blob->err;
		return error_wrap(err, "reading %s", blob->id);
	}
	if (text_starts(blob->err.text, "there is no blob")) {
		copy->gone++; /* erased since it was listed */
		return 0;
	}
	copy->damaged++;
	fprintf(stderr, "convergectl: not copied: %s: %s\n", blob->id, blob->err.text);
	return 0;
}

/* Read back: what the target hands out is what the source had. */
static int written_judge(struct copy *copy, struct side_blob *blobs, struct error *err)
{
	struct side_blob back[SIDE_BATCH] = { 0 };
	int rc = 0;
	for (size_t i = 0; i < copy->count; i++) {
		memcpy(back[i].id, blobs[i].id, SIDE_ID_BYTES);
		back[i].err = blobs[i].err;
	}
	side_get(copy->to, back, copy->count);
	for (size_t i = 0; rc == 0 && i < copy->count; i++) {
		if (blobs[i].err.kind == ERROR_PERMANENT)
			continue;
		if (back[i].err.kind != ERROR_NONE) {
			*err = back[i].err;
			rc = error_wrap(err, "writing %s", blobs[i].id);
		} else if (back[i].bytes.len != blobs[i].bytes.len) {
			rc = error_set(err, ERROR_PERMANENT, "%s came back otherwise", back[i].id);
		}
		copy->copied += rc == 0;
		copy->bytes += rc == 0 ? (int64_t)blobs[i].bytes.len : 0;
	}
	for (size_t i = 0; i < copy->count; i++)
		buf_clear(&back[i].bytes);
	return rc;
}

static int batch_copy(struct copy *copy, struct error *err)
{
	int rc = 0;
	side_get(copy->from, copy->batch, copy->count);
	for (size_t i = 0; rc == 0 && i < copy->count; i++)
		rc = read_judge(copy, &copy->batch[i], err);
	if (rc == 0) {
		side_put(copy->to, copy->batch, copy->count);
		rc = written_judge(copy, copy->batch, err);
	}
	for (size_t i = 0; i < copy->count; i++) {
		buf_clear(&copy->batch[i].bytes);
		copy->batch[i] = (struct side_blob){ 0 };
	}
	copy->count = 0;
	return rc;
}

static int copy_one(const char *id, void *context, struct error *err)
{
	struct copy *copy = context;
	copy->found++;
	if (copy->tells && copy->found % TOLD_EACH == 0)
		fprintf(stderr, "%lld found, %lld copied\n", (long long)copy->found,
			(long long)copy->copied);
	if (is_there(copy, id)) {
		copy->there++;
		return 0;
	}
	if (copy->is_dry)
		return 0;
	memcpy(copy->batch[copy->count++].id, id, SIDE_ID_BYTES);
	return copy->count == SIDE_BATCH ? batch_copy(copy, err) : 0;
}

static int copy_all(struct copy *copy, struct error *err)
{
	int rc = target_list(copy, err);
	if (rc == 0)
		rc = side_walk(copy->from, copy_one, copy, err);
	if (rc == 0 && copy->count > 0)
		rc = batch_copy(copy, err);
	return rc;
}

/* ---- where the workspaces belong ---- */

static int workspace_switch(int fd, const char *workspace, const struct copy *copy,
			    struct error *err)
{
	struct buf command = { 0 };
	struct buf text = { 0 };
	int rc;
	buf_format(&command, "HGET {%s}:meta blob", workspace);
	rc = resp_run(fd, buf_string(&command), &text, err);
	if (rc == 0 && !text_equal(buf_string(&text), side_name(copy->from)) &&
	    !text_equal(buf_string(&text), side_name(copy->to)))
		rc = error_set(err, ERROR_MISUSE,
			       "workspace %s belongs to %s, which was not copied", workspace,
			       buf_string(&text));
	buf_reset(&command);
	buf_format(&command, "HSET {%s}:meta blob %s", workspace, side_name(copy->to));
	buf_reset(&text);
	if (rc == 0)
		rc = resp_run(fd, buf_string(&command), &text, err);
	if (rc == 0)
		fprintf(stderr, "the blobs of workspace %s are in %s now\n", workspace,
			side_name(copy->to));
	buf_clear(&command);
	buf_clear(&text);
	return rc;
}

static int store_switch(const struct location *location, const struct copy *copy, struct error *err)
{
	int fd = resp_connect_store(location->store, location->state_dir, err);
	int rc = 0;
	if (fd < 0)
		return -1;
	for (char **name = location->workspaces; rc == 0 && *name != NULL; name++)
		rc = workspace_switch(fd, *name, copy, err);
	close(fd);
	return rc;
}

/* ---- the command ---- */

static void told(struct call *call, const struct copy *copy)
{
	const struct {
		const char *name;
		int64_t number;
	} rows[] = {
		{ "found", copy->found },   { "there_before", copy->there },
		{ "copied", copy->copied }, { "bytes", copy->bytes },
		{ "gone", copy->gone },     { "damaged", copy->damaged },
	};
	struct buf text = { 0 };
	struct json_out json;
	struct error err;
	struct json_object *object;
	jw_start(&json, &text);
	jw_object(&json, NULL);
	jw_text(&json, "from", side_name(copy->from));
	jw_text(&json, "to", side_name(copy->to));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		jw_int(&json, rows[i].name, rows[i].number);
	jw_object_end(&json);
	object = json_read(buf_string(&text), text.len, &err);
	output_object(call, object);
	json_free(&object);
	buf_clear(&text);
}

static const char *secret_read(struct call *call, struct error *err)
{
	const char *path = call_option(call, "--secret-key-file");
	FILE *file = path == NULL ? NULL : fopen(path, "re");
	char *text;
	if (path == NULL)
		return getenv("AWS_SECRET_ACCESS_KEY");
	if (file == NULL) {
		error_set(err, ERROR_MISUSE, "%s cannot be read", path);
		return NULL;
	}
	text = arena_alloc(call->arena, SECRET_MAX);
	if (fgets(text, SECRET_MAX, file) == NULL)
		text[0] = '\0';
	fclose(file);
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}

static int sides_open(struct call *call, const struct location *location, struct copy *copy,
		      struct error *err)
{
	const char *access = call_option(call, "--access-key");
	const struct side_place from = { location->blobs, location->state_dir,
					 location->blobs_access_key, location->blobs_secret_key,
					 TIMEOUT_MS };
	const struct side_place to = { call_option(call, "--to"), location->state_dir,
				       access != NULL ? access : getenv("AWS_ACCESS_KEY_ID"),
				       secret_read(call, err), TIMEOUT_MS };
	if (err->kind != ERROR_NONE)
		return -1;
	copy->from = side_open(&from, err);
	if (copy->from == NULL)
		return error_wrap(err, "the source");
	copy->to = side_open(&to, err);
	return copy->to == NULL ? error_wrap(err, "the target") : 0;
}

static int copy_run(struct call *call, const struct location *location, struct copy *copy,
		    struct error *err)
{
	if (sides_open(call, location, copy, err) < 0 || copy_all(copy, err) < 0)
		return -1;
	told(call, copy);
	if (copy->damaged > 0)
		return error_set(err, ERROR_PERMANENT, "%lld blobs are damaged in the source",
				 (long long)copy->damaged);
	if (call_option(call, "--switch") != NULL && !copy->is_dry)
		return store_switch(location, copy, err);
	return 0;
}

int run_blobs_copy(struct call *call)
{
	struct location location;
	struct error err = { 0 };
	struct copy copy = { .is_dry = call_option(call, "--dry-run") != NULL,
			     .tells = call->form == OUTPUT_TABLE };
	int rc;
	if (locate(call->config_file, call->arena, &location, &err) < 0)
		return output_error(EX_CONFIG, &err);
	rc = copy_run(call, &location, &copy, &err);
	side_close(&copy.from);
	side_close(&copy.to);
	buf_clear(&copy.known);
	if (rc == 0)
		return EXIT_DONE;
	error_wrap(&err, "copying blobs");
	return output_error(err.kind == ERROR_TEMPORARY ? EX_TEMPFAIL
			    : err.kind == ERROR_MISUSE  ? EX_USAGE
							: EX_DATAERR,
			    &err);
}
