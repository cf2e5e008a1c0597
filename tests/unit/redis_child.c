#include "redis_child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, START_TRIES = 1000 };
/* Below the ports that the kernel gives to connections (ip_local_port_range). */
enum { PORT_LOW = 10000, PORT_HIGH = 32768 };

static void die(const char *what)
{
	fprintf(stderr, "redis_child: %s: %s\n", what, strerror(errno));
	abort();
}

static void exec_server(struct redis_child *child, const char *const *options)
{
	const char *argv[64] = { "redis-server",
				 "--port",
				 "0",
				 "--unixsocket",
				 child->socket,
				 "--dir",
				 child->dir,
				 "--save",
				 "",
				 "--logfile",
				 "redis.log",
				 "--daemonize",
				 "no" };
	size_t count = 13;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (options != NULL && *options != NULL && count < 62)
		argv[count++] = *options++;
	execvp("redis-server", (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int try_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void wait_for(struct redis_child *child)
{
	struct timespec pause = { 0, 10 * 1000 * 1000 };

	for (int i = 0; i < START_TRIES; i++) {
		child->fd = try_connect(child->socket);
		if (child->fd >= 0) {
			struct resp *pong = redis_do(child, "PING");
			bool is_up = pong->type == '+';

			resp_free(&pong);
			if (is_up)
				return;
			close(child->fd);
		}
		if (waitpid(child->pid, NULL, WNOHANG) != 0)
			die("redis-server ended");
		nanosleep(&pause, NULL);
	}
	die("redis-server did not come");
}

void redis_child_again(struct redis_child *child, const char *const *options)
{
	unlink(child->socket);
	child->from = child->to = 0;
	child->pid = fork();
	if (child->pid == 0)
		exec_server(child, options);
	wait_for(child);
}

void redis_child_start(struct redis_child *child, const char *const *options)
{
	memset(child, 0, sizeof(*child));
	strcpy(child->dir, "/tmp/converge-test-XXXXXX");
	if (mkdtemp(child->dir) == NULL)
		die("mkdtemp");
	snprintf(child->socket, sizeof(child->socket), "%s/s", child->dir);
	snprintf(child->url, sizeof(child->url), "unix:%s", child->socket);
	child->buffer = malloc(READ_BYTES);
	redis_child_again(child, options);
}

void redis_child_kill(struct redis_child *child)
{
	if (child->fd >= 0)
		close(child->fd);
	child->fd = -1;
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	child->pid = 0;
}

static void remove_tree(const char *dir)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

void redis_child_stop(struct redis_child *child)
{
	if (child->pid != 0)
		redis_child_kill(child);
	remove_tree(child->dir);
	free(child->buffer);
}

/* Held by a name that no file stands behind; the kernel lets go of it with the process. */
static bool port_is_mine(int port)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "converge-test-port-%d",
			   port);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&name,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0)
		return true;
	close(fd);
	return false;
}

static bool port_is_free(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_free;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	is_free = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return is_free;
}

int redis_free_port(void)
{
	int port = PORT_LOW + getpid() % (PORT_HIGH - PORT_LOW);

	/* Not by bind(0): what it gives, the next one who asks or connects may be given too. */
	while (!port_is_mine(port) || !port_is_free(port))
		port = port + 1 < PORT_HIGH ? port + 1 : PORT_LOW;
	return port;
}

/* --- client --- */

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t count = send(fd, bytes, len, MSG_NOSIGNAL);

		if (count <= 0)
			die("write");
		bytes += count;
		len -= (size_t)count;
	}
}

static char next_byte(struct redis_child *child)
{
	if (child->from == child->to) {
		ssize_t count = read(child->fd, child->buffer, READ_BYTES);

		if (count <= 0)
			die("read");
		child->from = 0;
		child->to = (size_t)count;
	}
	return child->buffer[child->from++];
}

static void read_line(struct redis_child *child, char *line, size_t room)
{
	size_t len = 0;
	char c;

	while ((c = next_byte(child)) != '\r')
		if (len + 1 < room)
			line[len++] = c;
	next_byte(child);
	line[len] = '\0';
}

static struct resp *read_resp(struct redis_child *child)
{
	struct resp *resp = calloc(1, sizeof(*resp));
	char line[4096];

	resp->type = next_byte(child);
	read_line(child, line, sizeof(line));
	if (resp->type == '+' || resp->type == '-') {
		resp->text = strdup(line);
		resp->len = strlen(line);
		return resp;
	}
	resp->number = strtoll(line, NULL, 10);
	if (resp->type == ':')
		return resp;
	if (resp->number < 0) {
		resp->type = '_';
		return resp;
	}
	resp->len = (size_t)resp->number;
	if (resp->type == '$') {
		resp->text = malloc(resp->len + 1);
		for (size_t i = 0; i < resp->len; i++)
			resp->text[i] = next_byte(child);
		resp->text[resp->len] = '\0';
		next_byte(child);
		next_byte(child);
		return resp;
	}
	resp->items = calloc(resp->len + 1, sizeof(resp->items[0]));
	for (size_t i = 0; i < resp->len; i++)
		resp->items[i] = read_resp(child);
	return resp;
}

struct resp *redis_argv(struct redis_child *child, size_t count, const char *const *words,
			const size_t *lens)
{
	char head[64];

	write_all(child->fd, head, (size_t)snprintf(head, sizeof(head), "*%zu\r\n", count));
	for (size_t i = 0; i < count; i++) {
		size_t len = lens == NULL ? strlen(words[i]) : lens[i];

		write_all(child->fd, head, (size_t)snprintf(head, sizeof(head), "$%zu\r\n", len));
		write_all(child->fd, words[i], len);
		write_all(child->fd, "\r\n", 2);
	}
	return read_resp(child);
}

static struct resp *do_line(struct redis_child *child, char *line)
{
	const char *words[64];
	size_t count = 0;
	char *save;

	for (char *word = strtok_r(line, " ", &save); word != NULL && count < 64;
	     word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	return redis_argv(child, count, words, NULL);
}

struct resp *redis_do(struct redis_child *child, const char *format, ...)
{
	char line[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return do_line(child, line);
}

static size_t show(const struct resp *resp, char *out, size_t room)
{
	size_t used = 0;

	if (resp->type == '_')
		return (size_t)snprintf(out, room, "(nil)");
	if (resp->type == ':')
		return (size_t)snprintf(out, room, "%lld", resp->number);
	if (resp->type != '*')
		return (size_t)snprintf(out, room, "%s", resp->text);
	out[0] = '\0';
	for (size_t i = 0; i < resp->len && used + 2 < room; i++) {
		if (i > 0)
			out[used++] = ',';
		used += show(resp->items[i], out + used, room - used);
	}
	return used < room ? used : room - 1;
}

const char *redis_ask(struct redis_child *child, const char *format, ...)
{
	static char answer[16384];
	char line[4096];
	struct resp *resp;
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	resp = do_line(child, line);
	show(resp, answer, sizeof(answer));
	resp_free(&resp);
	return answer;
}

void resp_free(struct resp **resp)
{
	if (*resp == NULL)
		return;
	for (size_t i = 0; (*resp)->items != NULL && i < (*resp)->len; i++)
		resp_free(&(*resp)->items[i]);
	free((*resp)->items);
	free((*resp)->text);
	free(*resp);
	*resp = NULL;
}
