/* Whole turns of work: a signed webhook of a new customer, its offer on the wire
 * of GET /v1/events, accepted and resolved by POST. Closed loop over all of it: a
 * new message is sent when a turn has ended.
 *
 * turns -p PORT -t TARGET -w WATCHER [-m TURNS] [-n IN_FLIGHT] AGENT=TOKEN ...
 * One kept-alive connection for each agent, IN_FLIGHT for webhooks, and one event
 * stream for everybody, read with WATCHER's token. Prints one line of JSON; a turn
 * counts when resolve was answered 200.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

enum {
	BUFFER = 1 << 18,
	BODY_BYTES = 1024,
	TEXT_BYTES = 2048,
	EVENTS = 256,
	PATIENCE_S = 20,
	ID_CHARACTERS = 30
};

/* The key of bed.py's SECRET. */
static const char key[] = "0123456789abcdef0123456789abcdef";

enum role { WEBHOOK, AGENT, STREAM };

struct link {
	enum role role;
	int fd;
	const char *name;
	const char *token;
	char item[ID_CHARACTERS + 1]; /* in hand */
	bool is_accepted;
	double since;
	size_t len;
	char *buffer;
};

struct turns {
	int port;
	int epoll;
	const char *target;
	const char *watcher;
	uint64_t wanted;
	uint64_t sent;
	uint64_t done;
	uint64_t bad;
	uint64_t run;
	int webhooks;
	struct link *links;
	int link_count;
	struct latencies latencies;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void post(struct link *link, const char *request, int len)
{
	if (write(link->fd, request, (size_t)len) != len)
		die("short write");
}

static void send_message(struct turns *turns, struct link *link)
{
	char body[BODY_BYTES];
	char text[TEXT_BYTES];
	unsigned char mac[32];
	char signature[64];
	long when = (long)time(NULL);
	unsigned long long number = turns->sent++;
	int len = snprintf(
		body, sizeof(body),
		"{\"id\":\"t%llx-%llu\",\"from\":{\"id\":\"c%llx-%llu\",\"name\":\"Customer\"},"
		"\"text\":\"%0400d\"}",
		(unsigned long long)turns->run, number, (unsigned long long)turns->run, number, 7);

	snprintf(text, sizeof(text), "t%llx-%llu.%ld.%s", (unsigned long long)turns->run, number,
		 when, body);
	HMAC(EVP_sha256(), key, sizeof(key) - 1, (unsigned char *)text, strlen(text), mac, NULL);
	EVP_EncodeBlock((unsigned char *)signature, mac, sizeof(mac));
	len = snprintf(
		text, sizeof(text),
		"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		"webhook-id: t%llx-%llu\r\nwebhook-timestamp: %ld\r\nwebhook-signature: v1,%s\r\n"
		"Content-Length: %d\r\n\r\n%s",
		turns->target, (unsigned long long)turns->run, number, when, signature, len, body);
	post(link, text, len);
}

static void send_act(struct link *link, const char *act)
{
	char request[TEXT_BYTES];
	int len = snprintf(request, sizeof(request),
			   "POST /v1/work-items/%s/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			   "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
			   "Content-Length: 2\r\n\r\n{}",
			   link->item, act, link->token);

	post(link, request, len);
}

static void on_webhook(struct turns *turns, struct link *link, bool is_ok)
{
	(void)link;
	if (!is_ok)
		turns->bad++;
}

/* The turn that ended lets the next message in. */
static void on_resolved(struct turns *turns, double since, double now)
{
	turns->done++;
	latencies_add(&turns->latencies, now - since);
	if (turns->sent < turns->wanted)
		send_message(turns, &turns->links[turns->sent % (uint64_t)turns->webhooks]);
}

static void on_act(struct turns *turns, struct link *link, bool is_ok, double now)
{
	if (!is_ok) {
		if (turns->bad++ == 0)
			fprintf(stderr, "%s\n", link->buffer);
		link->item[0] = '\0';
	} else if (!link->is_accepted) {
		link->is_accepted = true;
		send_act(link, "resolve");
	} else {
		link->item[0] = '\0';
		on_resolved(turns, link->since, now);
	}
}

/* An answer that is whole is taken from the front; false where there is none. */
static bool answer_take(struct turns *turns, struct link *link, double now)
{
	char *end = strstr(link->buffer, "\r\n\r\n");
	const char *length = strcasestr(link->buffer, "content-length:");
	bool is_ok;
	size_t whole;

	if (end == NULL)
		return false;
	whole = (size_t)(end - link->buffer) + 4 +
		(length == NULL ? 0 : strtoul(length + strlen("content-length:"), NULL, 10));
	if (link->len < whole)
		return false;
	is_ok = strncmp(link->buffer + strlen("HTTP/1.1 "), "200", 3) == 0;
	if (link->role == WEBHOOK)
		on_webhook(turns, link, is_ok);
	else
		on_act(turns, link, is_ok, now);
	memmove(link->buffer, link->buffer + whole, link->len - whole + 1);
	link->len -= whole;
	return true;
}

static bool copy_field(const char *event, const char *field, char *out, size_t size)
{
	char name[32];
	const char *at;
	size_t len;

	snprintf(name, sizeof(name), "\"%s\":\"", field);
	at = strstr(event, name);
	if (at == NULL)
		return false;
	at += strlen(name);
	len = strcspn(at, "\"");
	snprintf(out, size, "%.*s", (int)len, at);
	return true;
}

static void on_event(struct turns *turns, const char *event, double now)
{
	char agent[64];
	char item[64];

	if (!copy_field(event, "agent", agent, sizeof(agent)) ||
	    !copy_field(event, "work_item", item, sizeof(item)))
		return;
	for (int i = 0; i < turns->link_count; i++) {
		struct link *link = &turns->links[i];

		if (link->role != AGENT || strcmp(link->name, agent) != 0)
			continue;
		snprintf(link->item, sizeof(link->item), "%.*s", ID_CHARACTERS, item);
		link->is_accepted = false;
		link->since = now;
		send_act(link, "accept");
	}
}

static void on_stream(struct turns *turns, struct link *link, double now)
{
	char *start = link->buffer;
	char *end;

	while ((end = strstr(start, "\n\n")) != NULL) {
		*end = '\0';
		on_event(turns, start, now);
		start = end + 2;
	}
	link->len -= (size_t)(start - link->buffer);
	memmove(link->buffer, start, link->len + 1);
}

static void on_bytes(struct turns *turns, struct link *link, double now)
{
	ssize_t count = read(link->fd, link->buffer + link->len, BUFFER - 1 - link->len);

	if (count <= 0)
		die("the server closed a connection");
	link->len += (size_t)count;
	link->buffer[link->len] = '\0';
	if (link->role == STREAM)
		on_stream(turns, link, now);
	else
		while (answer_take(turns, link, now))
			;
}

static struct link *dial(struct turns *turns, enum role role, const char *name, const char *token)
{
	struct link *link = &turns->links[turns->link_count++];
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)turns->port) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = link };
	int on = 1;

	*link = (struct link){ .role = role, .name = name, .token = token };
	link->buffer = checked(calloc(1, BUFFER));
	link->fd = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (link->fd < 0 || connect(link->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect");
	setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(link->fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(turns->epoll, EPOLL_CTL_ADD, link->fd, &event) != 0)
		die("epoll_ctl");
	return link;
}

static void watch(struct turns *turns)
{
	struct link *link = dial(turns, STREAM, NULL, turns->watcher);
	char request[TEXT_BYTES];
	double end = now_s() + PATIENCE_S;
	int len = snprintf(request, sizeof(request),
			   "GET /v1/events?types=offer.created HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			   "Authorization: Bearer %s\r\n\r\n",
			   link->token);

	post(link, request, len);
	while (strstr(link->buffer, "retry:") == NULL && now_s() < end) {
		ssize_t count = read(link->fd, link->buffer + link->len, BUFFER - 1 - link->len);

		link->len += count > 0 ? (size_t)count : 0;
	}
	if (strncmp(link->buffer, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "%s\n", link->buffer);
		exit(1);
	}
	link->len = 0;
	link->buffer[0] = '\0';
}

static void run(struct turns *turns)
{
	struct epoll_event events[EVENTS];
	double last = now_s();
	uint64_t seen = 0;

	for (int i = 0; i < turns->webhooks && turns->sent < turns->wanted; i++)
		send_message(turns, &turns->links[i]);
	while (turns->done < turns->wanted) {
		int count = epoll_wait(turns->epoll, events, EVENTS, 1000);
		double now = now_s();

		for (int i = 0; i < count; i++)
			on_bytes(turns, events[i].data.ptr, now);
		if (turns->done > seen)
			last = now;
		seen = turns->done;
		if (now > last + PATIENCE_S)
			break;
	}
}

static void parse(struct turns *turns, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "p:t:w:m:n:")) != -1) {
		if (option == 'p')
			turns->port = atoi(optarg);
		else if (option == 't')
			turns->target = optarg;
		else if (option == 'w')
			turns->watcher = optarg;
		else if (option == 'm')
			turns->wanted = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			turns->webhooks = atoi(optarg);
		else
			exit(64);
	}
	if (turns->port == 0 || turns->target == NULL || turns->watcher == NULL || optind == argc) {
		fprintf(stderr, "turns: -p, -t, -w and agents are needed\n");
		exit(64);
	}
}

int main(int argc, char **argv)
{
	struct turns turns = { .wanted = 10000, .webhooks = 64 };
	double start;

	parse(&turns, argc, argv);
	turns.run = ((uint64_t)time(NULL) << 20) ^ (uint64_t)getpid();
	turns.epoll = epoll_create1(0);
	turns.links = checked(calloc((size_t)(turns.webhooks + argc + 1), sizeof(*turns.links)));
	latencies_new(&turns.latencies);
	for (int i = 0; i < turns.webhooks; i++)
		dial(&turns, WEBHOOK, NULL, NULL);
	for (int i = optind; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		if (equals == NULL)
			exit(64);
		*equals = '\0';
		dial(&turns, AGENT, argv[i], equals + 1);
	}
	watch(&turns);
	start = now_s();
	run(&turns);
	printf("{\"done\":%llu,\"bad\":%llu,\"seconds\":%.3f,\"p50_us\":%ld,\"p99_us\":%ld}\n",
	       (unsigned long long)turns.done,
	       (unsigned long long)(turns.bad + turns.wanted - turns.done), now_s() - start,
	       latencies_at(&turns.latencies, 0.5), latencies_at(&turns.latencies, 0.99));
	return 0;
}
