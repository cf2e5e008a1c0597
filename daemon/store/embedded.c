#include "store/embedded.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "services/loop.h"
#include "services/state_dir.h"

enum {
	SOCKET_WAIT_MS = 10 * 1000,
	RESTART_FIRST_MS = 100,
	RESTART_MAX_MS = 10 * 1000,
	HEALTHY_MS = 60 * 1000,
	CHILD_LOCK_FD = 3,
	SUN_PATH_MAX = 107,
};

struct embedded {
	struct loop *loop;
	const struct state_dir *dir;
	struct buf config;
	char socket[SUN_PATH_MAX + 1];
	char url[SUN_PATH_MAX + 8];
	pid_t pid; /* 0: not running */
	int pid_fd;
	struct event *death;
	struct loop_timer *restart;
	int64_t started_ms;
	int restarts; /* in a row */
};

static void pause_ms(long ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* --- the child --- */

/* Of the machine, or of the container where that has less. */
static int64_t half_of_memory(void)
{
	int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
	char text[32] = "";
	int64_t limit;

	if (file != NULL) {
		if (fgets(text, sizeof(text), file) == NULL)
			text[0] = '\0';
		fclose(file);
	}
	limit = strtoll(text, NULL, 10);
	return (limit > 0 && limit < bytes ? limit : bytes) / 2;
}

static void add_quoted(struct buf *config, const char *text)
{
	buf_byte(config, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20)
			buf_format(config, "\\x%02x", (unsigned char)*text);
		else
			buf_byte(config, *text);
	}
	buf_byte(config, '"');
}

/* The socket and the log are named relative to dir: a long path still works. */
static void write_config(struct embedded *embedded, const struct embedded_options *options)
{
	struct buf *config = &embedded->config;
	int64_t max = options->max_memory > 0 ? options->max_memory : half_of_memory();

	buf_text(config, "dir ");
	add_quoted(config, state_dir_path(embedded->dir));
	buf_format(config,
		   "\nport 0\n"
		   "unixsocket redis.sock\n"
		   "unixsocketperm 600\n"
		   "logfile redis.log\n"
		   "daemonize no\n"
		   "save \"\"\n"
		   "appendonly yes\n"
		   "appendfsync %s\n"
		   "aof-use-rdb-preamble yes\n"
		   "maxmemory %lld\n"
		   "maxmemory-policy noeviction\n",
		   options->append_fsync == NULL ? "always" : options->append_fsync,
		   (long long)max);
	/* Small nodes: a thread's first entry must not cost 4 KiB. Wide listpack values:
	 * an identifier's JSON must not turn a customer into a hash table. */
	buf_text(config, "stream-node-max-bytes 1024\n"
			 "hash-max-listpack-value 1024\n"
			 "hash-max-listpack-entries 256\n"
			 "set-max-intset-entries 2048\n"
			 "latency-tracking no\n"
			 "busy-reply-threshold 2000\n"
			 "shutdown-timeout 5\n");
}

static void child_exec(const struct embedded *embedded, int config_fd, pid_t parent)
{
	sigset_t none;
	int lock_fd = fcntl(state_dir_lock_fd(embedded->dir), F_DUPFD, 10);
	int null_fd = open("/dev/null", O_WRONLY);

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	dup2(config_fd, STDIN_FILENO);
	dup2(null_fd, STDOUT_FILENO);
	dup2(null_fd, STDERR_FILENO);
	dup2(lock_fd, CHILD_LOCK_FD);
	syscall(SYS_close_range, CHILD_LOCK_FD + 1, ~0U, 0);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	execlp("redis-server", "redis-server", "-", (char *)NULL);
	_exit(127);
}

static int child_start(struct embedded *embedded, struct error *err)
{
	int config[2];
	pid_t parent = getpid();
	ssize_t written;

	unlinkat(state_dir_fd(embedded->dir), "redis.sock", 0);
	if (pipe2(config, O_CLOEXEC) < 0)
		return error_set(err, ERROR_TEMPORARY, "store: pipe: %s", strerror(errno));
	written = write(config[1], embedded->config.data, embedded->config.len);
	close(config[1]);
	embedded->pid = written == (ssize_t)embedded->config.len ? fork() : -1;
	if (embedded->pid == 0)
		child_exec(embedded, config[0], parent);
	close(config[0]);
	if (embedded->pid < 0) {
		embedded->pid = 0;
		return error_set(err, ERROR_TEMPORARY, "store: cannot start redis-server: %s",
				 strerror(errno));
	}
	embedded->started_ms = loop_now_ms(embedded->loop);
	return 0;
}

/* True once it has ended; it is reaped then. */
static bool child_has_ended(struct embedded *embedded, int *status)
{
	if (embedded->pid == 0)
		return true;
	if (waitpid(embedded->pid, status, WNOHANG) == 0)
		return false;
	embedded->pid = 0;
	return true;
}

static const char *status_text(int status, char *out, size_t room)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		snprintf(out, room, "redis-server was not found; install it (7.0 or newer)");
	else if (WIFSIGNALED(status))
		snprintf(out, room, "redis-server was ended by signal %d", WTERMSIG(status));
	else
		snprintf(out, room,
			 "redis-server ended with code %d; see redis.log in state_dir, and whether "
			 "its disk is full",
			 WEXITSTATUS(status));
	return out;
}

/* One PING over a connection of its own: '+' it serves, '-' it loads, 0 nothing there yet. */
static char ask_child(const struct embedded *embedded)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct pollfd answer;
	char first = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, embedded->socket, strlen(embedded->socket) + 1);
	answer = (struct pollfd){ .fd = fd, .events = POLLIN };
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, "PING\r\n", 6, MSG_NOSIGNAL) != 6 || poll(&answer, 1, 1000) <= 0 ||
	    read(fd, &first, 1) != 1)
		first = 0;
	close(fd);
	return first;
}

static int wait_until_it_serves(struct embedded *embedded, struct error *err)
{
	char text[160];
	int silent_ms = 0;
	int status = 0;

	for (;;) {
		char answer = ask_child(embedded);

		if (answer == '+')
			return 0;
		if (child_has_ended(embedded, &status))
			return error_set(err, ERROR_PERMANENT, "store: %s",
					 status_text(status, text, sizeof(text)));
		silent_ms = answer == '-' ? 0 : silent_ms + 5;
		if (silent_ms >= SOCKET_WAIT_MS)
			return error_set(err, ERROR_TEMPORARY,
					 "store: redis-server does not answer; see redis.log in "
					 "state_dir");
		pause_ms(5);
	}
}

/* --- its death and its successor --- */

static void watch_child(struct embedded *embedded);

static void on_restart(void *context)
{
	struct embedded *embedded = context;
	struct error err;

	if (child_start(embedded, &err) < 0) {
		log_error("store", "event=restart_failed error=%s", log_quote(err.text));
		loop_timer_start(embedded->restart, RESTART_MAX_MS);
		return;
	}
	watch_child(embedded);
}

static void stop_watching(struct embedded *embedded)
{
	if (embedded->death != NULL)
		event_free(embedded->death);
	embedded->death = NULL;
	if (embedded->pid_fd >= 0)
		close(embedded->pid_fd);
	embedded->pid_fd = -1;
}

static void on_death(evutil_socket_t fd, short what, void *context)
{
	struct embedded *embedded = context;
	int64_t delay = RESTART_FIRST_MS;
	char text[160];
	int status = 0;

	(void)fd;
	(void)what;
	if (!child_has_ended(embedded, &status))
		return;
	stop_watching(embedded);
	if (loop_now_ms(embedded->loop) - embedded->started_ms > HEALTHY_MS)
		embedded->restarts = 0;
	for (int i = 0; i < embedded->restarts && delay < RESTART_MAX_MS; i++)
		delay *= 2;
	embedded->restarts++;
	log_error("store", "event=died restart_ms=%lld why=%s", (long long)delay,
		  log_quote(status_text(status, text, sizeof(text))));
	loop_timer_start(embedded->restart, delay);
}

static void watch_child(struct embedded *embedded)
{
	embedded->pid_fd = (int)syscall(SYS_pidfd_open, embedded->pid, 0);
	embedded->death = event_new(loop_base(embedded->loop), embedded->pid_fd,
				    EV_READ | EV_PERSIST, on_death, embedded);
	event_add(embedded->death, NULL);
}

/* --- public --- */

static void name_socket(struct embedded *embedded)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/redis.sock", state_dir_path(embedded->dir));
	if (strlen(path) <= SUN_PATH_MAX)
		memcpy(embedded->socket, path, strlen(path) + 1);
	else
		snprintf(embedded->socket, sizeof(embedded->socket), "/proc/self/fd/%d/redis.sock",
			 state_dir_fd(embedded->dir));
	snprintf(embedded->url, sizeof(embedded->url), "unix:%s", embedded->socket);
}

struct embedded *embedded_start(struct loop *loop, const struct embedded_options *options,
				struct error *err)
{
	struct embedded *embedded = memory_new(sizeof(*embedded));

	embedded->loop = loop;
	embedded->dir = options->state_dir;
	embedded->pid_fd = -1;
	embedded->restart = loop_timer_new(loop, on_restart, embedded);
	name_socket(embedded);
	write_config(embedded, options);
	if (child_start(embedded, err) < 0 || wait_until_it_serves(embedded, err) < 0) {
		embedded_stop(&embedded, 0);
		return NULL;
	}
	watch_child(embedded);
	return embedded;
}

const char *embedded_url(const struct embedded *embedded)
{
	return embedded->url;
}

static void end_child(struct embedded *embedded, int64_t grace_ms)
{
	int status;

	if (embedded->pid == 0)
		return;
	kill(embedded->pid, grace_ms > 0 ? SIGTERM : SIGKILL);
	for (int64_t waited = 0; !child_has_ended(embedded, &status); waited += 5) {
		if (waited >= grace_ms)
			kill(embedded->pid, SIGKILL);
		pause_ms(5);
	}
}

void embedded_stop(struct embedded **pointer, int64_t grace_ms)
{
	struct embedded *embedded = *pointer;

	if (embedded == NULL)
		return;
	stop_watching(embedded);
	loop_timer_free(&embedded->restart);
	end_child(embedded, grace_ms);
	unlinkat(state_dir_fd(embedded->dir), "redis.sock", 0);
	buf_clear(&embedded->config);
	free(embedded);
	*pointer = NULL;
}
