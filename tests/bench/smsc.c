/* usage: smsc PORT WINDOW CUSTOMERS
 * A message centre for one bind. Each line of input, "SECONDS", has it send deliver_sm for so long, WINDOW of them unanswered, from
 * random ones of CUSTOMERS, each text once; a line of JSON says how many were acknowledged, how fast and how late. "answers SECONDS" is
 * the same, but the window is of conversations: one ends with the submit_sm to its sender. Ends with its input. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DELIVER = 5, SUBMIT = 4, UNBIND = 6, ENQUIRE = 0x15, PENDING = 1 << 16, SAMPLES = 1 << 22 };
#define RESPONSE 0x80000000U

static int link_fd = -1;
static unsigned char in[1 << 18], out[1 << 18];
static size_t in_len, out_len;
static uint32_t sequence, submitted;
static uint64_t begun_us[PENDING];
static uint32_t latency_us[SAMPLES];
static uint64_t sent, done, bad, customers, window;
static bool by_answer, is_bound, is_running;

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void put32(unsigned char *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, 4);
}

static uint32_t get32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, 4);
	return ntohl(value);
}

static void flush(void)
{
	for (size_t at = 0; at < out_len;) {
		ssize_t n = write(link_fd, out + at, out_len - at);

		if (n <= 0)
			exit(1);
		at += (size_t)n;
	}
	out_len = 0;
}

static void put_pdu(uint32_t command, uint32_t number, const void *body, size_t len)
{
	if (out_len + 16 + len > sizeof(out))
		flush();
	put32(out + out_len, (uint32_t)(16 + len));
	put32(out + out_len + 4, command);
	put32(out + out_len + 8, 0);
	put32(out + out_len + 12, number);
	memcpy(out + out_len + 16, body, len);
	out_len += 16 + len;
}

/* The sender's digits end with the pending slot when answers are awaited, so that an answer finds it. */
static void deliver(void)
{
	static uint64_t random = 88172645463325252U;
	unsigned char body[300] = { 0 };
	char text[80];
	size_t len = 1, chars;

	random ^= random << 13, random ^= random >> 7, random ^= random << 17;
	sequence = sequence % 0x7fffffff + 1;
	body[len++] = 1;
	body[len++] = 1;
	len += (size_t)sprintf((char *)body + len, "86139%08llu", (unsigned long long)(by_answer ? sent % customers : random % customers)) + 1;
	body[len++] = 0;
	body[len++] = 1;
	len += (size_t)sprintf((char *)body + len, "10690000") + 1;
	len += 7;
	body[len++] = 8;
	body[len++] = 0;
	chars = (size_t)sprintf(text, "Where is my parcel? %llu %u", (unsigned long long)begun_us[0], sequence);
	body[len++] = (unsigned char)(2 * (chars + 10));
	for (size_t i = 0; i < 10; i++) { /* 你 */
		body[len++] = 0x4f;
		body[len++] = 0x60;
	}
	for (size_t i = 0; i < chars; i++) {
		body[len++] = 0;
		body[len++] = (unsigned char)text[i];
	}
	begun_us[1 + (by_answer ? sent % customers : sequence) % (PENDING - 1)] = now_us();
	sent++;
	put_pdu(DELIVER, sequence, body, len);
}

static void finish(uint32_t slot, bool ok)
{
	if (done < SAMPLES)
		latency_us[done] = (uint32_t)(now_us() - begun_us[1 + slot % (PENDING - 1)]);
	done += ok;
	bad += !ok;
	if (is_running)
		deliver();
}

static void on_submit(const unsigned char *pdu)
{
	char id[20];
	const unsigned char *to = pdu + 16 + 1 + 2;

	to += strlen((const char *)to) + 1 + 2; /* service_type is empty */
	put_pdu(SUBMIT | RESPONSE, get32(pdu + 12), id, (size_t)sprintf(id, "%X", ++submitted) + 1);
	if (by_answer)
		finish((uint32_t)strtoul((const char *)to + 5, NULL, 10), true);
}

static void on_pdu(const unsigned char *pdu)
{
	uint32_t command = get32(pdu + 4), number = get32(pdu + 12);

	if (command == 9) {
		put_pdu(9 | RESPONSE, number, "SMSC", 5);
		is_bound = true;
	} else if (command == SUBMIT) {
		on_submit(pdu);
	} else if (command == (DELIVER | RESPONSE)) {
		if (get32(pdu + 8) != 0)
			finish(number, false);
		else if (!by_answer)
			finish(number, true);
	} else if (command == ENQUIRE || command == UNBIND) {
		put_pdu(command | RESPONSE, number, "", 0);
	}
}

static void on_input(void)
{
	size_t at = 0;
	ssize_t n = read(link_fd, in + in_len, sizeof(in) - in_len);

	if (n <= 0) {
		close(link_fd);
		link_fd = -1;
		is_bound = false;
		in_len = out_len = 0;
		return;
	}
	in_len += (size_t)n;
	while (in_len - at >= 16 && in_len - at >= get32(in + at)) {
		on_pdu(in + at);
		at += get32(in + at);
	}
	memmove(in, in + at, in_len - at);
	in_len -= at;
	flush();
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void wait_input(int listener, int timeout_ms)
{
	struct pollfd fds[2] = { { .fd = link_fd, .events = POLLIN }, { .fd = listener, .events = POLLIN } };
	int yes = 1;

	poll(fds, 2, timeout_ms);
	if (fds[0].revents)
		on_input();
	if (fds[1].revents && link_fd < 0) {
		link_fd = accept(listener, NULL, NULL);
		setsockopt(link_fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	}
}

static void run(int listener, double seconds)
{
	uint64_t start, end, last;

	while (!is_bound)
		wait_input(listener, 100);
	sent = done = bad = 0;
	start = begun_us[0] = now_us();
	end = start + (uint64_t)(seconds * 1e6);
	is_running = true;
	for (uint64_t i = 0; i < window; i++)
		deliver();
	flush();
	while (now_us() < end && is_bound)
		wait_input(listener, 10);
	last = now_us();
	start = last - start;
	end = done;
	is_running = false;
	while (done + bad < sent && is_bound && now_us() - last < 10000000)
		wait_input(listener, 10);
	qsort(latency_us, done < SAMPLES ? done : SAMPLES, sizeof(*latency_us), compare);
	printf("{\"done\": %llu, \"bad\": %llu, \"lost\": %llu, \"seconds\": %.6f, \"p50_us\": %u, \"p99_us\": %u}\n", (unsigned long long)end,
	       (unsigned long long)bad, (unsigned long long)(sent - done - bad), (double)start / 1e6, latency_us[done / 2],
	       latency_us[done * 99 / 100]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
	struct pollfd input = { .fd = 0, .events = POLLIN };
	char line[64];

	if (argc != 4)
		return 64;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	window = strtoull(argv[2], NULL, 10);
	customers = strtoull(argv[3], NULL, 10);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	setvbuf(stdin, NULL, _IONBF, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 8) != 0)
		return 1;
	for (;;) {
		if (poll(&input, 1, 5) > 0) {
			if (!fgets(line, sizeof(line), stdin))
				return 0;
			by_answer = strncmp(line, "answers ", 8) == 0;
			run(listener, atof(line + (by_answer ? 8 : 0)));
		}
		wait_input(listener, 5);
	}
}
