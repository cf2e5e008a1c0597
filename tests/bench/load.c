/* Signed webhooks (Standard Webhooks, 500-byte bodies, unique ids) over kept-alive
 * connections to 127.0.0.1. Closed loop: every connection always has one request in
 * flight. Open loop: a fixed rate, latency counted from the scheduled instant.
 *
 * load -p PORT -t TARGET [-c CUSTOMERS] [-f FIRST] [-n CONNECTIONS] [-s SECONDS] [-m MESSAGES]
 *      [-r RATE] [-e TOKEN] [-q FILE]
 * -f: walk the customers in order from FIRST instead of at random. -m: stop after that many.
 * -e: read GET /v1/events as TOKEN too, and time each message from its scheduled instant to
 * the event on that wire. -q: sends the requests of FILE instead, each behind a line with its
 * length, until they are used up. Prints one line of JSON; only a 200 whose answer is whole counts as done.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "wire_times.h"

enum { BODY_BYTES = 500, REQUEST_BYTES = 1024, ANSWER_BYTES = 4096, EVENTS = 256, GRACE_S = 15 };

/* The key of "whsec_" BENCH_SECRET in tests/bench/run. */
static const char key[] = "0123456789abcdef0123456789abcdef";

struct connection {
	int fd;
	double since;
	size_t len;
	char answer[ANSWER_BYTES];
};

struct load {
	int port;
	const char *target;
	long customers;
	long first; /* -1: random customers */
	int connections;
	double seconds;
	uint64_t messages; /* 0: no limit */
	double rate;       /* 0: closed loop */
	const char *token;
	uint64_t random;
	uint64_t run;
	uint64_t sent;
	uint64_t done;
	uint64_t bad;
	int busy;
	double end;
	double next;
	int epoll;
	EVP_MAC_CTX *mac;
	struct connection *list;
	struct connection **idle;
	int idle_count;
	struct latencies latencies;
	struct wire_times *wire;
	char *queued; /* -q: what is left of FILE, ended by a NUL */
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void mac_start(struct load *load)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0),
				OSSL_PARAM_construct_end() };

	load->mac = checked(EVP_MAC_CTX_new(mac));
	if (EVP_MAC_init(load->mac, (const unsigned char *)key, sizeof(key) - 1, params) != 1)
		die("HMAC");
}

static void sign(struct load *load, const char *head, const char *body, char *out)
{
	unsigned char mac[32];
	size_t len;

	if (EVP_MAC_init(load->mac, NULL, 0, NULL) != 1)
		die("HMAC");
	EVP_MAC_update(load->mac, (const unsigned char *)head, strlen(head));
	EVP_MAC_update(load->mac, (const unsigned char *)body, BODY_BYTES);
	EVP_MAC_final(load->mac, mac, &len, sizeof(mac));
	EVP_EncodeBlock((unsigned char *)out, mac, sizeof(mac));
}

/* A body of exactly BODY_BYTES; the text fills it up. */
static void write_body(struct load *load, const char *id, char body[BODY_BYTES + 1])
{
	uint64_t customer =
		load->first >= 0 ? ((uint64_t)load->first + load->sent) % (uint64_t)load->customers
				 : random_next(&load->random) % (uint64_t)load->customers;
	int len = snprintf(
		body, BODY_BYTES,
		"{\"id\":\"%s\",\"from\":{\"id\":\"c%llu\",\"name\":\"Customer %llu\"},\"text\":\"",
		id, (unsigned long long)customer, (unsigned long long)customer);

	for (size_t i = (size_t)len; i < BODY_BYTES - 2; i++)
		body[i] = i % 7 == 6 ? ' ' : (char)('a' + i % 26);
	memcpy(body + BODY_BYTES - 2, "\"}", 3);
}

static void send_one(struct load *load, struct connection *connection, double since)
{
	char id[64];
	char head[128];
	char body[BODY_BYTES + 1];
	char signature[64];
	char request[REQUEST_BYTES];
	long when = (long)time(NULL);
	int len;

	snprintf(id, sizeof(id), "m%llx-%llu", (unsigned long long)load->run,
		 (unsigned long long)load->sent);
	snprintf(head, sizeof(head), "%s.%ld.", id, when);
	write_body(load, id, body);
	load->sent++;
	sign(load, head, body, signature);
	len = snprintf(request, sizeof(request),
		       "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		       "webhook-id: %s\r\nwebhook-timestamp: %ld\r\nwebhook-signature: v1,%s\r\n"
		       "Content-Length: %d\r\n\r\n%s",
		       load->target, id, when, signature, BODY_BYTES, body);
	connection->since = since;
	connection->len = 0;
	load->busy++;
	if (write(connection->fd, request, (size_t)len) != len)
		die("short write");
}

static void read_queue(struct load *load, const char *path)
{
	FILE *file = fopen(path, "r");
	long size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		die(path);
	rewind(file);
	load->queued = checked(malloc((size_t)size + 1));
	if (fread(load->queued, 1, (size_t)size, file) != (size_t)size)
		die(path);
	load->queued[size] = '\0';
	fclose(file);
}

static void send_queued(struct load *load, struct connection *connection, double since)
{
	char *request;
	long len = strtol(load->queued, &request, 10);

	load->queued = request + 1 + len;
	load->sent++;
	connection->since = since;
	connection->len = 0;
	load->busy++;
	if (write(connection->fd, request + 1, (size_t)len) != len)
		die("short write");
}

static void send_next(struct load *load, struct connection *connection, double since)
{
	if (load->queued != NULL)
		send_queued(load, connection, since);
	else
		send_one(load, connection, since);
}

static bool may_send(const struct load *load)
{
	if (load->queued != NULL && *load->queued == '\0')
		return false;
	return load->messages == 0 || load->sent < load->messages;
}

static int dial(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void watch(struct load *load, int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

static void open_connections(struct load *load)
{
	load->list = checked(calloc((size_t)load->connections, sizeof(*load->list)));
	load->idle = checked(calloc((size_t)load->connections, sizeof(struct connection *)));
	for (int i = 0; i < load->connections; i++) {
		load->list[i].fd = dial(load->port);
		watch(load, load->list[i].fd, &load->list[i]);
		load->idle[load->idle_count++] = &load->list[i];
	}
}

/* True when the whole answer is there. */
static bool answer_is_whole(const struct connection *connection)
{
	const char *end = strstr(connection->answer, "\r\n\r\n");
	const char *length = strcasestr(connection->answer, "content-length:");
	size_t body = length == NULL ? 0 : strtoul(length + strlen("content-length:"), NULL, 10);

	return end != NULL &&
	       connection->len >= (size_t)(end - connection->answer) + strlen("\r\n\r\n") + body;
}

static void on_answer(struct load *load, struct connection *connection, double now)
{
	ssize_t count = read(connection->fd, connection->answer + connection->len,
			     ANSWER_BYTES - 1 - connection->len);

	if (count <= 0)
		die("the server closed the connection");
	connection->len += (size_t)count;
	connection->answer[connection->len] = '\0';
	if (!answer_is_whole(connection))
		return;
	load->busy--;
	if (strncmp(connection->answer + strlen("HTTP/1.1 "), "200", 3) == 0) {
		load->done++;
		latencies_add(&load->latencies, now - connection->since);
		if (load->wire != NULL)
			wire_times_sent(load->wire, strstr(connection->answer, "\r\n\r\n"),
					connection->since);
	} else if (load->bad++ == 0) {
		fprintf(stderr, "%s\n", connection->answer);
	}
	if (load->rate == 0 && now < load->end && may_send(load))
		send_next(load, connection, now);
	else
		load->idle[load->idle_count++] = connection;
}

static void send_due(struct load *load, double now)
{
	if (load->rate == 0)
		return;
	while (load->next <= now && load->next < load->end && load->idle_count > 0 &&
	       may_send(load)) {
		send_next(load, load->idle[--load->idle_count], load->next);
		load->next += 1 / load->rate;
	}
}

static bool is_over(const struct load *load, double now)
{
	if (now > load->end + GRACE_S) {
		fprintf(stderr, "gave up on %d requests\n", load->busy);
		return true;
	}
	return load->busy == 0 &&
	       (!may_send(load) || (load->rate > 0 ? load->next : now) >= load->end);
}

static void run(struct load *load)
{
	struct epoll_event events[EVENTS];
	double now = now_s();

	load->end = now + load->seconds;
	load->next = now;
	while (load->rate == 0 && load->idle_count > 0 && may_send(load))
		send_next(load, load->idle[--load->idle_count], now);
	while (!is_over(load, now)) {
		int count = epoll_wait(load->epoll, events, EVENTS, load->rate > 0 ? 0 : 100);

		now = now_s();
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == load)
				wire_times_read(load->wire, now);
			else
				on_answer(load, events[i].data.ptr, now);
		}
		send_due(load, now);
	}
}

static void start_wire(struct load *load)
{
	int fd = dial(load->port);

	load->wire = wire_times_new(fd, load->token);
	watch(load, fd, load);
}

/* Events still on their way when the last answer was there. */
static void drain_wire(struct load *load)
{
	double end = now_s() + 2;

	while (now_s() < end && wire_times_count(load->wire) < load->done) {
		struct epoll_event event;

		if (epoll_wait(load->epoll, &event, 1, 10) == 1 && event.data.ptr == load)
			wire_times_read(load->wire, now_s());
	}
}

static void parse(struct load *load, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "p:t:c:f:n:s:m:r:e:q:")) != -1) {
		switch (option) {
		case 'p':
			load->port = atoi(optarg);
			break;
		case 't':
			load->target = optarg;
			break;
		case 'c':
			load->customers = atol(optarg);
			break;
		case 'f':
			load->first = atol(optarg);
			break;
		case 'n':
			load->connections = atoi(optarg);
			break;
		case 's':
			load->seconds = atof(optarg);
			break;
		case 'm':
			load->messages = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			load->rate = atof(optarg);
			break;
		case 'e':
			load->token = optarg;
			break;
		case 'q':
			read_queue(load, optarg);
			break;
		default:
			exit(64);
		}
	}
	if (load->port == 0 || load->target == NULL) {
		fprintf(stderr, "load: -p and -t are needed\n");
		exit(64);
	}
}

int main(int argc, char **argv)
{
	struct load load = { .customers = 1000, .first = -1, .connections = 64, .seconds = 3 };
	double start;
	double took;

	parse(&load, argc, argv);
	load.run = ((uint64_t)time(NULL) << 20) ^ (uint64_t)getpid();
	load.random = load.run * 2654435761u | 1;
	load.epoll = epoll_create1(0);
	latencies_new(&load.latencies);
	mac_start(&load);
	open_connections(&load);
	if (load.token != NULL)
		start_wire(&load);
	start = now_s();
	run(&load);
	took = now_s() - start;
	printf("{\"done\":%llu,\"bad\":%llu,\"seconds\":%.3f,\"p50_us\":%ld,\"p99_us\":%ld",
	       (unsigned long long)load.done, (unsigned long long)load.bad, took,
	       latencies_at(&load.latencies, 0.5), latencies_at(&load.latencies, 0.99));
	if (load.wire != NULL) {
		drain_wire(&load);
		wire_times_print(load.wire);
	}
	printf("}\n");
	return 0;
}
