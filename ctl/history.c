/* history move: the history into another database, while no daemon runs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl.h"
#include "store_files.h"
#include "workers/history_move.h"

enum { PASSWORD_MAX = 1024 };

static void on_told(const char *phase, const char *table, int64_t rows, void *context)
{
	(void)context;
	if (strcmp(phase, "words") == 0)
		printf("words     made anew\n");
	else
		printf("%-9s %-16s %lld rows\n", phase, table, (long long)rows);
	fflush(stdout);
}

/* Held until the end: a daemon that starts meanwhile waits, and says for whom. */
static int state_dir_lock(const char *state_dir, struct error *err)
{
	char path[600];
	snprintf(path, sizeof(path), "%s/" STORE_LOCK, state_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, ERROR_MISUSE, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	return error_set(err, ERROR_TEMPORARY,
			 "the daemon runs (%s is held); stop it, and in a fleet every other one",
			 path);
}

static const char *password_read(struct call *call, struct error *err)
{
	const char *path = call_option(call, "--password-file");
	char *text;
	if (path == NULL)
		return "";
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		error_set(err, ERROR_MISUSE, "%s: %s", path, strerror(errno));
		return NULL;
	}
	text = arena_alloc(call->arena, PASSWORD_MAX);
	if (fgets(text, PASSWORD_MAX, file) == NULL)
		text[0] = '\0';
	fclose(file);
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}

static int places_check(const struct location *location, const char *to, struct error *err)
{
	if (strcmp(location->history, "none") == 0)
		return error_set(err, ERROR_MISUSE, "this installation keeps no history");
	if (!text_starts(to, "sqlite:/") && !text_starts(to, "postgresql://") &&
	    !text_starts(to, "postgres://"))
		return error_set(err, ERROR_MISUSE,
				 "--to must be sqlite:/path or postgresql://user@host/database");
	if (strcmp(location->history, to) == 0)
		return error_set(err, ERROR_MISUSE, "the history is there already");
	if (text_starts(location->history, "sqlite:") &&
	    access(location->history + strlen("sqlite:"), R_OK) < 0)
		return error_set(err, ERROR_MISUSE, "%s: %s", location->history + strlen("sqlite:"),
				 strerror(errno));
	return 0;
}

static int move_locked(const struct location *location, const struct history_move *move,
		       struct error *err)
{
	int fd = state_dir_lock(location->state_dir, err);
	if (fd < 0)
		return -1;
	int result = history_move_run(move, err);
	close(fd);
	return result;
}

int run_history_move(struct call *call)
{
	struct location location;
	struct error err = { 0 };
	const char *to = call_option(call, "--to");
	const char *password;
	bool is_dry = call_option(call, "--dry-run") != NULL;
	int result;
	if (locate(call->config_file, call->arena, &location, &err) < 0)
		return output_error(EX_CONFIG, &err);
	password = password_read(call, &err);
	if (password == NULL || places_check(&location, to, &err) < 0)
		return output_error(EX_USAGE, &err);
	const struct history_move move = {
		.from = { .url = location.history, .password = location.history_password },
		.to = { .url = to, .password = *password == '\0' ? NULL : password },
		.starts_anew = call_option(call, "--anew") != NULL,
		.told = call->form == OUTPUT_TABLE ? on_told : NULL,
	};
	umask(077);
	result = is_dry ? history_move_look(&move, &err) : move_locked(&location, &move, &err);
	if (result < 0) {
		error_wrap(&err, "moving the history");
		return output_error(err.kind == ERROR_TEMPORARY ? EX_TEMPFAIL : EX_DATAERR, &err);
	}
	if (is_dry)
		puts("nothing done");
	else
		puts("moved; now set \"history\" in the settings file to the new place and start "
		     "the daemon. The old database is no history any more: remove it when you are "
		     "content");
	return EXIT_DONE;
}
