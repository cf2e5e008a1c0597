/* backup and restore of an embedded store. A backup is a tar file: store.rdb (a
 * point-in-time copy taken from the running store), a copy of the history taken
 * after it, then the rest of state_dir as it is. What leaves the store is in the
 * history before, and blobs are written before what names them, so what is
 * copied after the point in time holds all that the copy refers to. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "ctl.h"
#include "resp.h"
#include "store_files.h"
#include "workers/history_sql.h"

static int run_tar(char *const *arguments, struct error *err)
{
	pid_t pid;
	int status = 0;
	int code = posix_spawnp(&pid, "tar", NULL, NULL, arguments, environ);
	if (code != 0)
		return error_set(err, ERROR_PERMANENT, "starting tar: %s", strerror(code));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_set(err, ERROR_PERMANENT, "waiting for tar: %s",
					 strerror(errno));
	/* GNU tar's 1: a file changed while it was read, which a spool file may. */
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		return error_set(err, ERROR_PERMANENT, "tar failed");
	return 0;
}

static int sync_path(const char *path, int flags, struct error *err)
{
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0) {
		int saved = errno;
		if (fd >= 0)
			close(fd);
		return error_set(err, ERROR_PERMANENT, "syncing %s: %s", path, strerror(saved));
	}
	close(fd);
	return 0;
}

static int copy_store(const struct location *location, const char *path, int64_t *ret_bytes,
		      struct error *err)
{
	char url[600];
	snprintf(url, sizeof(url), "unix:%s/" STORE_SOCKET, location->state_dir);
	int fd = resp_connect(url, err);
	if (fd < 0)
		return -1;
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result =
		out < 0 ? error_set(err, ERROR_PERMANENT, "creating %s: %s", path, strerror(errno))
			: resp_copy(fd, out, ret_bytes, err);
	if (out >= 0)
		close(out);
	close(fd);
	return result;
}

/* Where the history is below state_dir: "history.db"; NULL: elsewhere, or there is none yet. */
static const char *history_below(const struct location *location)
{
	const char *path = location->history + strlen("sqlite:");
	size_t len = strlen(location->state_dir);

	if (!text_starts(location->history, "sqlite:") ||
	    strncmp(path, location->state_dir, len) != 0 || path[len] != '/' ||
	    access(path, F_OK) < 0)
		return NULL;
	return path + len + 1;
}

/* SQLite's own consistent copy, of a database that is being written to. */
static int copy_history(const struct location *location, const char *copy, struct error *err)
{
	const struct sql_place place = { .url = location->history };
	struct sql sql;
	struct buf script = { 0 };
	int result;

	unlink(copy);
	if (sql_open(&sql, &place, err) < 0)
		return error_wrap(err, "the history");
	buf_text(&script, "PRAGMA query_only=0; VACUUM INTO '");
	for (const char *at = copy; *at != '\0'; at++)
		buf_format(&script, *at == '\'' ? "''" : "%c", *at);
	buf_text(&script, "'");
	result = sql_script(&sql, buf_string(&script), err);
	buf_clear(&script);
	sql_close(&sql);
	return result < 0 ? error_wrap(err, "copying the history") : 0;
}

static int copy_history_if_here(const struct location *location, const char *copy,
				struct error *err)
{
	if (history_below(location) != NULL)
		return copy_history(location, copy, err);
	if (!text_starts(location->history, "sqlite:"))
		fprintf(stderr, "the history is not in the backup: it is not in a file\n");
	return 0;
}

static int pack(const struct location *location, const char *partial, struct error *err)
{
	const char *history = history_below(location);
	char without[600], renamed[700];
	snprintf(without, sizeof(without), "--exclude=./%s*", history == NULL ? "-" : history);
	snprintf(renamed, sizeof(renamed), "--transform=s,^\\./" HISTORY_COPY "$,./%s,",
		 history == NULL ? HISTORY_COPY : history);
	char *arguments[] = { (char[]){ "tar" },
			      (char[]){ "--create" },
			      (char[]){ "--file" },
			      strdup(partial),
			      (char[]){ "--directory" },
			      location->state_dir,
			      (char[]){ "--warning=no-file-changed" },
			      (char[]){ "--exclude=./" STORE_FOLDER },
			      (char[]){ "--exclude=./" STORE_LOCK },
			      (char[]){ "--exclude=*.sock" },
			      (char[]){ "--exclude=./dump.rdb" },
			      (char[]){ "--exclude=./temp-*" },
			      without,
			      renamed,
			      (char[]){ "--transform=s,^\\./backup\\.rdb$,./" BACKUP_COPY "," },
			      (char[]){ "." },
			      NULL };
	int result = run_tar(arguments, err);
	free(arguments[3]);
	return result;
}

static int write_backup(const struct location *location, const char *file, const char *partial,
			int64_t *ret_bytes, struct error *err)
{
	char copy[600], history[600];
	snprintf(copy, sizeof(copy), "%s/backup.rdb", location->state_dir);
	snprintf(history, sizeof(history), "%s/" HISTORY_COPY, location->state_dir);
	mode_t mask = umask(0077);
	int result = copy_store(location, copy, ret_bytes, err);
	if (result == 0)
		result = copy_history_if_here(location, history, err);
	if (result == 0)
		result = pack(location, partial, err);
	umask(mask);
	unlink(copy);
	unlink(history);
	if (result == 0)
		result = sync_path(partial, O_RDONLY, err);
	if (result == 0 && rename(partial, file) < 0)
		result = error_set(err, ERROR_PERMANENT, "naming %s: %s", file, strerror(errno));
	if (result < 0)
		unlink(partial);
	return result;
}

int run_backup(struct call *call)
{
	struct location location;
	struct error err = { 0 };
	char partial[600];
	int64_t bytes = 0;
	const char *file = call->arguments[0];
	if (locate(call->config_file, call->arena, &location, &err) < 0)
		return output_error(EX_CONFIG, &err);
	if (location.blobs != NULL) {
		error_set(&err, ERROR_MISUSE, "the blobs lie outside of state_dir (%s)",
			  location.blobs);
		return output_error(EX_USAGE, &err);
	}
	if (strcmp(location.store, "embedded") != 0) {
		error_set(&err, ERROR_MISUSE,
			  "only an embedded store is backed up here; use the tools of the store at "
			  "its "
			  "own host and copy the blobs after it");
		return output_error(EX_USAGE, &err);
	}
	if (access(file, F_OK) == 0) {
		error_set(&err, ERROR_MISUSE, "%s exists already", file);
		return output_error(EX_CANTCREAT, &err);
	}
	snprintf(partial, sizeof(partial), "%s.partial", file);
	if (write_backup(&location, file, partial, &bytes, &err) < 0) {
		error_wrap(&err, "backup");
		return output_error(err.kind == ERROR_TEMPORARY ? EX_UNAVAILABLE : EX_IOERR, &err);
	}
	printf("wrote %s (%lld bytes of store)\n", file, (long long)bytes);
	return EXIT_DONE;
}

/* Creates the folder or accepts an empty one. */
static int check_empty(const char *folder, struct error *err)
{
	if (mkdir(folder, 0700) == 0)
		return 0;
	DIR *dir = errno == EEXIST ? opendir(folder) : NULL;
	if (dir == NULL)
		return error_set(err, ERROR_PERMANENT, "%s: %s", folder, strerror(errno));
	struct dirent *entry;
	bool is_empty = true;
	while (is_empty && (entry = readdir(dir)) != NULL)
		is_empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(dir);
	return is_empty
		       ? 0
		       : error_set(err, ERROR_MISUSE,
				   "%s is not empty; move it away, nothing is overwritten", folder);
}

/* The copy becomes the base of the store's append-only files, as a rewrite would have left it. */
static int place_store(const char *state_dir, struct error *err)
{
	static const char manifest[] = "file " STORE_BASE " seq 1 type b\n";
	char from[600], to[600];
	snprintf(from, sizeof(from), "%s/" BACKUP_COPY, state_dir);
	snprintf(to, sizeof(to), "%s/" STORE_FOLDER, state_dir);
	if (mkdir(to, 0700) < 0)
		return error_set(err, ERROR_PERMANENT, "creating %s: %s", to, strerror(errno));
	snprintf(to, sizeof(to), "%s/" STORE_FOLDER "/" STORE_BASE, state_dir);
	if (rename(from, to) < 0)
		return error_set(err, ERROR_PERMANENT, "the file is no backup of a store: %s",
				 strerror(errno));
	if (sync_path(to, O_RDONLY, err) < 0)
		return -1;
	snprintf(to, sizeof(to), "%s/" STORE_FOLDER "/" STORE_MANIFEST, state_dir);
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t done = fd < 0 ? -1 : write(fd, manifest, sizeof(manifest) - 1);
	if (fd >= 0 && (fsync(fd) < 0 || close(fd) < 0))
		done = -1;
	if (done != (ssize_t)sizeof(manifest) - 1)
		return error_set(err, ERROR_PERMANENT, "writing %s: %s", to, strerror(errno));
	snprintf(to, sizeof(to), "%s/" STORE_FOLDER, state_dir);
	return sync_path(to, O_RDONLY | O_DIRECTORY, err) < 0 ||
			       sync_path(state_dir, O_RDONLY | O_DIRECTORY, err) < 0
		       ? -1
		       : 0;
}

static int unpack(const char *file, const struct location *location, struct error *err)
{
	char *arguments[] = { (char[]){ "tar" },
			      (char[]){ "--extract" },
			      (char[]){ "--file" },
			      strdup(file),
			      (char[]){ "--directory" },
			      location->state_dir,
			      (char[]){ "--no-same-owner" },
			      NULL };
	int result = run_tar(arguments, err);
	free(arguments[3]);
	return result;
}

int run_restore(struct call *call)
{
	struct location location;
	struct error err = { 0 };
	if (locate(call->config_file, call->arena, &location, &err) < 0)
		return output_error(EX_CONFIG, &err);
	if (access(call->arguments[0], R_OK) < 0) {
		error_set(&err, ERROR_MISUSE, "%s: %s", call->arguments[0], strerror(errno));
		return output_error(EX_NOINPUT, &err);
	}
	if (check_empty(location.state_dir, &err) < 0)
		return output_error(EX_CANTCREAT, &err);
	if (unpack(call->arguments[0], &location, &err) < 0 ||
	    place_store(location.state_dir, &err) < 0) {
		error_wrap(&err, "restore");
		return output_error(EX_IOERR, &err);
	}
	printf("restored into %s; start the daemon now\n", location.state_dir);
	return EXIT_DONE;
}
