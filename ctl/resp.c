/* See resp.h. */
#include "resp.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/text.h"
#include "peer.h"
#include "store/address.h"
#include "store_files.h"

enum {
	RESP_LINE_MAX = 4096,
	RESP_TEXT_MAX = 1024 * 1024,
	RESP_ITEMS_MAX = 1000,
	RESP_RUN_BYTES = 64 * 1024,
	RESP_TIMEOUT_S = 60,
	MARK_BYTES = 40, /* of the end mark of a streamed copy */
};

int resp_connect(const char *url, struct error *err)
{
	const char *path = text_starts(url, "unix:") ? url + strlen("unix:") : url;
	struct timeval timeout = { .tv_sec = RESP_TIMEOUT_S };
	int fd = peer_connect(path, err);
	if (fd < 0)
		return error_wrap(err, "the store does not answer at");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

static int write_all(int fd, const char *bytes, size_t len, struct error *err)
{
	while (len > 0) {
		ssize_t done = write(fd, bytes, len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return error_set(err, ERROR_TEMPORARY, "writing: %s", strerror(errno));
		bytes += done;
		len -= (size_t)done;
	}
	return 0;
}

static int read_some(int fd, char *out, size_t len, struct error *err)
{
	ssize_t got;
	do
		got = read(fd, out, len);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return error_set(err, ERROR_TEMPORARY, "the store closed the connection");
	if (got < 0)
		return error_set(err, ERROR_TEMPORARY, "reading from the store: %s",
				 strerror(errno));
	return (int)got;
}

/* Byte by byte, so that nothing behind the line is taken. */
static int read_line(int fd, char out[RESP_LINE_MAX], struct error *err)
{
	size_t len = 0;
	for (;;) {
		if (read_some(fd, out + len, 1, err) < 0)
			return -1;
		if (out[len] == '\n')
			break;
		if (++len == RESP_LINE_MAX)
			return error_set(err, ERROR_PERMANENT, "a line of the store is too long");
	}
	if (len > 0 && out[len - 1] == '\r')
		len--;
	out[len] = '\0';
	return 0;
}

static int read_bulk(int fd, long len, struct buf *text, struct error *err)
{
	if (len < 0)
		return 0;
	if (len > RESP_TEXT_MAX)
		return error_set(err, ERROR_PERMANENT, "an answer of the store is too long");
	size_t left = (size_t)len + 2;
	while (left > 0) {
		char run[4096];
		int got = read_some(fd, run, left < sizeof(run) ? left : sizeof(run), err);
		if (got < 0)
			return -1;
		buf_add(text, run, (size_t)got);
		left -= (size_t)got;
	}
	text->len -= 2;
	text->data[text->len] = '\0';
	return 0;
}

/* One answer that is no array: its first line is in line. */
static int read_scalar(int fd, const char *line, struct buf *text, struct error *err)
{
	switch (line[0]) {
	case '+':
	case ':':
		buf_text(text, line + 1);
		return 0;
	case '$':
		return read_bulk(fd, strtol(line + 1, NULL, 10), text, err);
	case '-':
		return error_set(err, ERROR_TEMPORARY, "the store says: %s", line + 1);
	default:
		return error_set(err, ERROR_PERMANENT, "the store's answer was not understood");
	}
}

int resp_run(int fd, const char *command, struct buf *ret_text, struct error *err)
{
	char line[RESP_LINE_MAX];
	if (write_all(fd, command, strlen(command), err) < 0 || write_all(fd, "\r\n", 2, err) < 0 ||
	    read_line(fd, line, err) < 0)
		return -1;
	if (line[0] != '*')
		return read_scalar(fd, line, ret_text, err);
	long count = strtol(line + 1, NULL, 10);
	if (count > RESP_ITEMS_MAX)
		return error_set(err, ERROR_PERMANENT, "an answer of the store is too long");
	for (long i = 0; i < count; i++) {
		if (read_line(fd, line, err) < 0 || read_scalar(fd, line, ret_text, err) < 0)
			return -1;
		buf_byte(ret_text, '\n');
	}
	return 0;
}

static int pass_on(int fd, int out_fd, int64_t left, struct error *err)
{
	char run[RESP_RUN_BYTES];
	while (left > 0) {
		size_t want = left < RESP_RUN_BYTES ? (size_t)left : RESP_RUN_BYTES;
		int got = read_some(fd, run, want, err);
		if (got < 0 || write_all(out_fd, run, (size_t)got, err) < 0)
			return -1;
		left -= got;
	}
	return 0;
}

/* As pass_on, up to the mark, which the store sends last. The newest MARK_BYTES are held back. */
static int pass_until(int fd, int out_fd, const char *mark, int64_t *ret_bytes, struct error *err)
{
	char run[MARK_BYTES + RESP_RUN_BYTES];
	size_t held = 0;
	*ret_bytes = 0;
	for (;;) {
		int got = read_some(fd, run + held, RESP_RUN_BYTES, err);
		if (got < 0)
			return -1;
		size_t have = held + (size_t)got;
		held = have < MARK_BYTES ? have : MARK_BYTES;
		if (write_all(out_fd, run, have - held, err) < 0)
			return -1;
		*ret_bytes += (int64_t)(have - held);
		memmove(run, run + have - held, held);
		if (held == MARK_BYTES && memcmp(run, mark, MARK_BYTES) == 0)
			return 0;
	}
}

int resp_copy(int fd, int out_fd, int64_t *ret_bytes, struct error *err)
{
	/* As a replica that wants the copy and nothing after it, streamed: no file of the store's
	 * own stays behind. An older server refuses these words, and the length comes first. */
	static const char *const wishes[] = { "REPLCONF capa eof", "REPLCONF rdb-only 1" };
	char line[RESP_LINE_MAX];
	struct buf answer = { 0 };
	struct error refusal;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
		resp_run(fd, wishes[i], &answer, &refusal);
	buf_clear(&answer);
	if (write_all(fd, "SYNC\r\n", strlen("SYNC\r\n"), err) < 0)
		return -1;
	do
		if (read_line(fd, line, err) < 0)
			return -1;
	while (line[0] == '\0'); /* empty lines while the child starts */
	if (strncmp(line, "$EOF:", 5) == 0 && strlen(line) == 5 + MARK_BYTES)
		return pass_until(fd, out_fd, line + 5, ret_bytes, err);
	if (line[0] != '$' || line[1] < '0' || line[1] > '9')
		return error_set(err, ERROR_TEMPORARY, "the store gives no copy: %s", line);
	*ret_bytes = strtoll(line + 1, NULL, 10);
	return pass_on(fd, out_fd, *ret_bytes, err);
}

static int tcp_connect(const struct address *address, struct error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found, *one;
	char port[8];
	int fd = -1;
	snprintf(port, sizeof(port), "%d", address->port);
	int code = getaddrinfo(address->host, port, &hints, &found);
	if (code != 0)
		return error_set(err, ERROR_TEMPORARY, "%s: %s", address->shown,
				 gai_strerror(code));
	for (one = found; fd < 0 && one != NULL; one = one->ai_next) {
		fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
		if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) < 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd < 0 ? error_set(err, ERROR_TEMPORARY, "%s: %s", address->shown, strerror(errno))
		      : fd;
}

/* A word of an inline command, whatever bytes it has. */
static void add_word(struct buf *command, const char *word)
{
	buf_text(command, " \"");
	for (; *word != '\0'; word++)
		buf_format(command, "\\x%02x", (unsigned char)*word);
	buf_byte(command, '"');
}

static int log_in(int fd, const struct address *address, struct error *err)
{
	struct buf command = { 0 }, text = { 0 };
	int result = 0;
	if (address->password != NULL) {
		buf_text(&command, "AUTH");
		if (address->user != NULL)
			add_word(&command, address->user);
		add_word(&command, address->password);
		result = resp_run(fd, buf_string(&command), &text, err);
	}
	buf_reset(&command);
	buf_format(&command, "SELECT %d", address->database);
	if (result == 0 && address->database != 0)
		result = resp_run(fd, buf_string(&command), &text, err);
	buf_clear(&command);
	buf_clear(&text);
	return result;
}

static int address_connect(const struct address *address, struct error *err)
{
	struct timeval timeout = { .tv_sec = RESP_TIMEOUT_S };
	int fd = tcp_connect(address, err);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (log_in(fd, address, err) == 0)
		return fd;
	close(fd);
	return -1;
}

int resp_connect_store(const char *store, const char *state_dir, struct error *err)
{
	struct arena *arena;
	struct address address;
	char url[600];
	int fd = -1;
	if (strcmp(store, "embedded") == 0) {
		snprintf(url, sizeof(url), "unix:%s/" STORE_SOCKET, state_dir);
		return resp_connect(url, err);
	}
	arena = arena_new(0);
	if (address_parse(store, arena, &address, err) == 0)
		fd = address.path != NULL ? resp_connect(address.path, err)
					  : address_connect(&address, err);
	arena_free(&arena);
	return fd;
}
