/* Where an import reads from. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "import.h"
#include "services/loop.h"
#include "services/transfer.h"

enum {
	FILE_MAX = 256 * 1024 * 1024,
	ANSWER_MAX = 64 * 1024 * 1024,
	TRIES = 6,
	WAIT_MS = 1000,
	WAIT_MAX_MS = 5 * 60 * 1000,
	TIMEOUT_MS = 60 * 1000,
};

struct import_source {
	char *folder; /* or */
	struct import_login login;
	struct loop *loop;
	struct transfers *transfers;
	struct loop_timer *pause;
};

/* ---- a folder ---- */

struct import_source *import_source_folder(const char *path, struct error *err)
{
	struct stat about;
	struct import_source *source;

	if (stat(path, &about) < 0) {
		error_set(err, ERROR_MISUSE, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISDIR(about.st_mode)) {
		error_set(err, ERROR_MISUSE, "%s: not a folder", path);
		return NULL;
	}
	source = memory_new(sizeof(*source));
	source->folder = memory_text(path);
	return source;
}

static int file_read(const char *path, struct buf *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	if (fd < 0)
		return error_set(err, ERROR_MISUSE, "%s: %s", path, strerror(errno));
	do {
		buf_reserve(out, 64 * 1024);
		got = read(fd, out->data + out->len, 64 * 1024);
		out->len += got > 0 ? (size_t)got : 0;
	} while (got > 0 && out->len < FILE_MAX);
	if (out->data != NULL)
		out->data[out->len] = '\0';
	close(fd);
	if (got != 0)
		return error_set(err, ERROR_MISUSE, "%s: %s", path,
				 got < 0 ? strerror(errno) : "longer than 256 MiB");
	return 0;
}

static struct json_object *list_of(struct json_object *document, const char *const *keys)
{
	if (json_kind(document) == JSON_ARRAY)
		return document;
	for (; *keys != NULL; keys++)
		if (json_kind(json_at(document, *keys)) == JSON_ARRAY)
			return json_at(document, *keys);
	return NULL;
}

void import_list_each(struct import_run *run, struct json_object *document, const char *const *keys,
		      const char *at, import_object_fn *fn)
{
	struct json_object *list = list_of(document, keys);
	char place[512];

	if (list == NULL) {
		import_refuse(run, at, "there is no list in it");
		return;
	}
	for (size_t i = 0; i < json_count(list) && !import_is_over(run); i++) {
		snprintf(place, sizeof(place), "%.400s, entry %zu", at, i + 1);
		fn(run, json_item(list, i), place);
	}
}

/* One object a line. */
static void lines_each(struct import_run *run, const struct buf *bytes, const char *at,
		       import_object_fn *fn)
{
	const char *line = buf_string(bytes);
	char place[512];

	for (size_t number = 1; *line != '\0' && !import_is_over(run); number++) {
		size_t len = strcspn(line, "\n");
		struct error err = { 0 };
		struct json_object *object =
			strspn(line, " \t\r") >= len ? NULL : json_read(line, len, &err);

		snprintf(place, sizeof(place), "%.400s:%zu", at, number);
		if (object != NULL)
			fn(run, object, place);
		else if (strspn(line, " \t\r") < len)
			import_refuse(run, place, err.text);
		json_free(&object);
		line += len + (line[len] == '\n');
	}
}

static int document_each(struct import_run *run, const char *path, const char *const *keys,
			 import_object_fn *fn, struct error *err)
{
	const char *name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	struct buf bytes = { 0 };
	struct json_object *document = NULL;
	int result = file_read(path, &bytes, err);

	if (result == 0 && !text_equal(strrchr(name, '.'), ".jsonl"))
		document = json_read(buf_string(&bytes), bytes.len, err);
	if (document != NULL && (json_kind(document) != JSON_OBJECT || list_of(document, keys)))
		import_list_each(run, document, keys, name, fn);
	else if (document != NULL)
		fn(run, document, name); /* a single object */
	else if (result == 0 && memchr(buf_string(&bytes), '\n', bytes.len) != NULL)
		lines_each(run, &bytes, name, fn);
	else if (result == 0)
		result = error_wrap(err, "%s", path);
	json_free(&document);
	buf_clear(&bytes);
	return result;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static bool is_named(const char *file, const char *name)
{
	size_t len = strlen(name);
	const char *dot = strrchr(file, '.');

	return dot != NULL && (text_equal(dot, ".json") || text_equal(dot, ".jsonl")) &&
	       strncmp(file, name, len) == 0 && (file + len == dot || file[len] == '-');
}

int import_folder_each(struct import_run *run, const char *name, const char *const *keys,
		       import_object_fn *fn, struct error *err)
{
	const char *folder = import_from(run)->folder;
	DIR *open_folder = opendir(folder);
	struct dirent *entry;
	char **names = NULL;
	size_t count = 0;
	int result = 0;

	if (open_folder == NULL)
		return error_set(err, ERROR_MISUSE, "%s: %s", folder, strerror(errno));
	while ((entry = readdir(open_folder)) != NULL) {
		if (!is_named(entry->d_name, name))
			continue;
		names = memory_grow(names, count + 1, sizeof(*names));
		names[count++] = memory_text(entry->d_name);
	}
	closedir(open_folder);
	if (count > 1)
		qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (result == 0 && !import_is_over(run))
			result = document_each(run, path, keys, fn, err);
		free(names[i]);
	}
	free(names);
	return result < 0 ? -1 : (int)count;
}

struct json_object *import_saved(struct import_source *source, const char *name, struct error *err)
{
	struct json_object *document = NULL;
	struct buf bytes = { 0 };
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", source->folder, name);
	if (file_read(path, &bytes, err) == 0) {
		document = json_read(buf_string(&bytes), bytes.len, err);
		if (document == NULL)
			error_wrap(err, "%s", name);
	}
	buf_clear(&bytes);
	return document;
}

/* ---- an API ---- */

static void on_pause_over(void *context)
{
	loop_stop(context);
}

struct import_source *import_source_api(const struct import_login *login)
{
	struct import_source *source = memory_new(sizeof(*source));

	source->login = *login;
	source->loop = loop_new();
	source->transfers = transfers_new(source->loop);
	source->pause = loop_timer_new(source->loop, on_pause_over, source->loop);
	return source;
}

void import_source_free(struct import_source **pointer)
{
	struct import_source *source = *pointer;

	if (source == NULL)
		return;
	if (source->loop != NULL) {
		loop_timer_free(&source->pause);
		transfers_free(&source->transfers);
		loop_free(&source->loop);
	}
	free(source->folder);
	free(source);
	*pointer = NULL;
}

bool import_source_is_api(const struct import_source *source)
{
	return source->folder == NULL;
}

struct fetch {
	struct import_source *source;
	struct json_object *document;
	struct error err;
	int64_t wait_ms; /* -1: it need not be tried again */
};

static void on_answer(const struct transfer_answer *answer, void *context)
{
	struct fetch *fetch = context;

	fetch->wait_ms = -1;
	if (answer->error != NULL)
		fetch->err = *answer->error;
	else if (answer->status == 200)
		fetch->document = json_read(answer->body, answer->body_len, &fetch->err);
	else
		error_set(&fetch->err, ERROR_PERMANENT, "the answer was %ld%s", answer->status,
			  answer->status == 401 || answer->status == 403
				  ? ": the token is not accepted"
				  : "");
	if ((answer->error != NULL && answer->error->kind == ERROR_TEMPORARY) ||
	    answer->status == 429 || answer->status >= 500)
		fetch->wait_ms = answer->retry_after_ms >= 0 ? answer->retry_after_ms : 0;
	loop_stop(fetch->source->loop);
}

static void fetch_once(struct fetch *fetch, const char *url)
{
	const struct import_login *login = &fetch->source->login;
	const struct transfer_field fields[] = { { "Accept", "application/json" },
						 { login->field, login->value } };
	const struct transfer_options options = {
		.url = url,
		.fields = fields,
		.field_count = login->field == NULL ? 1 : 2,
		.user = login->user,
		.password = login->password,
		.allow_private = true, /* the caller's own machine asks what the caller named */
		.timeout_ms = TIMEOUT_MS,
		.answer_max = ANSWER_MAX,
	};

	transfer_start(fetch->source->transfers, &options, NULL, on_answer, fetch);
	loop_run(fetch->source->loop);
}

struct json_object *import_get(struct import_source *source, const char *target, struct error *err)
{
	struct fetch fetch = { .source = source };
	struct buf url = { 0 };
	size_t len = strlen(source->login.url);

	while (len > 0 && source->login.url[len - 1] == '/')
		len--;
	buf_format(&url, "%.*s%s", (int)len, source->login.url, target);
	for (int try = 1;; try++) {
		int64_t wait = (int64_t)WAIT_MS << (try < 6 ? try : 6);

		fetch_once(&fetch, buf_string(&url));
		if (fetch.document != NULL || fetch.wait_ms < 0 || try == TRIES)
			break;
		if (fetch.wait_ms > wait)
			wait = fetch.wait_ms;
		loop_timer_start(source->pause, wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS);
		loop_run(source->loop);
	}
	if (fetch.document == NULL) {
		*err = fetch.err;
		error_wrap(err, "%s", buf_string(&url));
	}
	buf_clear(&url);
	return fetch.document;
}
