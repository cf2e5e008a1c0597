#include "history/erased.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config.h"
#include "identity/identity.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { AT_ONCE = 100, AGAIN_MS = 5000, HEX_LEN = 2 * IDENTITY_FIELD_BYTES };

struct line {
	char hex[HEX_LEN + 1];
	int64_t at_ms;
};

struct erased {
	struct parts *parts;
	struct workspace *workspace;
	struct loop_timer *tick;
	FILE *file;
	struct line lines[AT_ONCE];
	size_t count;
	/* What tombs_read.lua said: identifiers that the store does not know as erased. */
	struct line missing[AT_ONCE];
	char owners[AT_ONCE][ID_BYTES];
	size_t missing_count;
	size_t at;
	int refs;
	bool is_dead;
};

static void path_write(const struct parts *parts, struct buf *out)
{
	buf_format(out, "%s/erased", parts->config->state_dir);
}

/* ---- writing ---- */

static int append(const char *path, const struct buf *lines, struct error *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0 || write(fd, lines->data, lines->len) != (ssize_t)lines->len || fsync(fd) < 0)
		rc = error_set(err, ERROR_TEMPORARY, "writing %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

int erased_note(const struct parts *parts, const char *workspace, const char *keys,
		struct error *err)
{
	struct buf path = { 0 }, lines = { 0 };
	int64_t now_ms = loop_unix_ms(parts->loop);
	int rc = 0;

	for (size_t len; *(keys += strspn(keys, " ")) != '\0'; keys += len) {
		len = strcspn(keys, " ");
		buf_format(&lines, "%s %" PRId64 " %.*s\n", workspace, now_ms, (int)len, keys);
	}
	path_write(parts, &path);
	if (lines.len > 0)
		rc = append(buf_string(&path), &lines, err);
	buf_clear(&path);
	buf_clear(&lines);
	return rc;
}

/* ---- looking through it ---- */

static void next_lines(struct erased *erased);
static void missing_next(struct erased *erased);

static void erased_unref(void *object)
{
	struct erased *erased = object;

	if (--erased->refs > 0)
		return;
	if (erased->file != NULL)
		fclose(erased->file);
	free(erased);
}

static bool is_wanted(struct erased *erased)
{
	bool is_dead = erased->is_dead;

	erased_unref(erased);
	return !is_dead;
}

/* All of it again: what is done is known by then. */
static void again(struct erased *erased, const struct error *err)
{
	log_warn("erased", "event=erased_not_looked workspace=%s error=%s",
		 workspace_name(erased->workspace), log_quote(err->text));
	if (erased->file != NULL)
		fclose(erased->file);
	erased->file = NULL;
	loop_timer_start(erased->tick, AGAIN_MS);
}

static void on_known(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erased *erased = context;

	(void)reply;
	if (!is_wanted(erased))
		return;
	if (err != NULL) {
		again(erased, err);
		return;
	}
	erased->at++;
	missing_next(erased);
}

/* Only now: until the job is open, the next look must find it again. */
static void tomb_put(struct erased *erased)
{
	const struct line *line = &erased->missing[erased->at];
	struct store_call *put = store_script("tomb_put", workspace_name(erased->workspace));

	store_arg_text(put, line->hex);
	store_arg_int(put, line->at_ms);
	erased->refs++;
	store_run(erased->parts->store, put, on_known, erased);
}

static void on_opened(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erased *erased = context;

	if (!is_wanted(erased))
		return;
	if (err != NULL) {
		again(erased, err);
		return;
	}
	log_warn(erased->owners[erased->at], "event=erased_came_back workspace=%s result=%s",
		 workspace_name(erased->workspace),
		 reply_is(reply, "ok") ? "erased_anew" : reply_text_at(reply, 1));
	tomb_put(erased);
}

static void missing_next(struct erased *erased)
{
	struct store_call *open;
	char job[ID_BYTES];

	if (erased->at == erased->missing_count) {
		next_lines(erased);
		return;
	}
	if (erased->owners[erased->at][0] == '\0') {
		tomb_put(erased);
		return;
	}
	id_new("job_", job);
	open = store_script("erase_open", workspace_name(erased->workspace));
	store_key(open, "u:%s", erased->owners[erased->at]);
	store_key(open, "j:%s", job);
	store_arg_once(open, NULL, NULL);
	store_arg_text(open, erased->owners[erased->at]);
	store_arg_text(open, job);
	store_arg_text(open, "erased before");
	erased->refs++;
	store_run(erased->parts->store, open, on_opened, erased);
}

/* For each that is not known: its place in the list from 1, who has it, or '' */
static void on_read(const struct store_reply *reply, const struct error *err, void *context)
{
	struct erased *erased = context;

	if (!is_wanted(erased))
		return;
	if (err != NULL) {
		again(erased, err);
		return;
	}
	erased->missing_count = erased->at = 0;
	for (size_t i = 0; i + 1 < reply_count(reply); i += 2) {
		size_t place = (size_t)reply_int_at(reply, i) - 1;
		const char *owner = reply_text_at(reply, i + 1);

		if (place >= erased->count)
			continue;
		erased->missing[erased->missing_count] = erased->lines[place];
		snprintf(erased->owners[erased->missing_count], ID_BYTES, "%s",
			 owner == NULL ? "" : owner);
		erased->missing_count++;
	}
	missing_next(erased);
}

static bool line_read(struct erased *erased, const char *text, struct line *ret)
{
	char workspace[48];

	return sscanf(text, "%47s %" SCNd64 " %32[0-9a-f]", workspace, &ret->at_ms, ret->hex) ==
		       3 &&
	       strlen(ret->hex) == HEX_LEN &&
	       text_equal(workspace, workspace_name(erased->workspace));
}

static void next_lines(struct erased *erased)
{
	struct store_call *read;
	char text[160];

	erased->count = 0;
	while (erased->count < AT_ONCE && fgets(text, sizeof(text), erased->file) != NULL)
		if (line_read(erased, text, &erased->lines[erased->count]))
			erased->count++;
	if (erased->count == 0) {
		fclose(erased->file);
		erased->file = NULL;
		return;
	}
	read = store_script("tombs_read", workspace_name(erased->workspace));
	for (size_t i = 0; i < erased->count; i++) {
		store_arg_text(read, erased->lines[i].hex);
		store_arg_int(read, erased->lines[i].at_ms);
	}
	erased->refs++;
	store_read(erased->parts->store, read, on_read, erased);
}

static void on_tick(void *context)
{
	struct erased *erased = context;
	struct buf path = { 0 };

	path_write(erased->parts, &path);
	erased->file = fopen(buf_string(&path), "re");
	buf_clear(&path);
	if (erased->file != NULL)
		next_lines(erased);
}

struct erased *erased_new(struct parts *parts, struct workspace *workspace)
{
	struct erased *erased = memory_new(sizeof(*erased));

	erased->parts = parts;
	erased->workspace = workspace;
	erased->refs = 1;
	erased->tick = loop_timer_new(parts->loop, on_tick, erased);
	loop_timer_start(erased->tick, 0);
	return erased;
}

void erased_free(struct erased **erased)
{
	struct erased *held = *erased;

	*erased = NULL;
	if (held == NULL)
		return;
	held->is_dead = true;
	loop_timer_free(&held->tick);
	loop_defer_free(held->parts->loop, held, erased_unref);
}
