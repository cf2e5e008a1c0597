/* The only user of hiredis: its connect, its output buffer and its reply
 * parser, on events of our own. hiredis' asynchronous layer is left out
 * because it allocates per command and per reply, wakes the loop once more to
 * write, and frees its context behind the caller's back (0.14.1). */
#include "store/redis.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "services/loop.h"
#include "store/address.h"
#include "store/reply.h"

enum {
	READ_BYTES = 16 * 1024,
	READS_PER_TURN = 64,
};

struct link {
	struct loop *loop;
	redisContext *redis;
	redisReplyObjectFunctions make;
	struct event *readable;
	struct event *writable;
	struct link_handlers handlers;
	void *context;
	struct reply_region region;
	bool open;
	bool closed; /* by the owner, or on_down was called */
};

/* --- replies --- */

static struct store_reply *reply_new(const redisReadTask *task, enum store_reply_kind kind)
{
	struct link *link = task->privdata;
	struct store_reply *reply = reply_alloc(&link->region, sizeof(*reply));

	*reply = (struct store_reply){ .kind = kind };
	if (task->parent != NULL) {
		struct store_reply *parent = task->parent->obj;

		parent->as.items[task->idx] = reply;
	}
	return reply;
}

static void *make_text(const redisReadTask *task, char *bytes, size_t len)
{
	struct link *link = task->privdata;
	struct store_reply *reply = reply_new(task, REPLY_TEXT);
	char *text = reply_alloc(&link->region, len + 1);

	memcpy(text, bytes, len);
	text[len] = '\0';
	reply->is_error = task->type == REDIS_REPLY_ERROR;
	reply->len = len;
	reply->as.text = text;
	return reply;
}

static void *make_array(const redisReadTask *task, int count)
{
	struct link *link = task->privdata;
	struct store_reply *reply = reply_new(task, REPLY_ARRAY);

	reply->len = (size_t)count;
	reply->as.items = reply_alloc(&link->region, reply->len * sizeof(reply->as.items[0]));
	return reply;
}

static void *make_int(const redisReadTask *task, long long number)
{
	struct store_reply *reply = reply_new(task, REPLY_INT);

	reply->as.number = number;
	return reply;
}

static void *make_nil(const redisReadTask *task)
{
	return reply_new(task, REPLY_NIL);
}

static void keep_reply(void *reply)
{
	(void)reply; /* the region goes as a whole */
}

/* --- life --- */

static void link_stop(struct link *link)
{
	link->closed = true;
	link->open = false;
	event_del(link->readable);
	event_del(link->writable);
}

static void link_fail(struct link *link, const char *why)
{
	if (link->closed)
		return;
	link_stop(link);
	link->handlers.on_down(why, link->context);
}

static void link_error(struct link *link)
{
	redisContext *redis = link->redis;

	if (redis->err == REDIS_ERR_IO && errno != 0)
		link_fail(link, strerror(errno));
	else
		link_fail(link, redis->errstr[0] == '\0' ? "connection lost" : redis->errstr);
}

static void read_replies(struct link *link)
{
	void *reply = NULL;

	while (!link->closed) {
		if (redisReaderGetReply(link->redis->reader, &reply) != REDIS_OK) {
			link_fail(link, redisReaderGetError(link->redis->reader));
			return;
		}
		if (reply == NULL)
			return;
		link->handlers.on_reply(reply, link->context);
		region_reset(&link->region);
	}
}

/* hiredis reads 16 KiB a time: a long answer must not take a turn of the loop for each. */
static int read_in(struct link *link)
{
	const redisReader *reader = link->redis->reader;

	for (int i = 0; i < READS_PER_TURN; i++) {
		size_t before = reader->len;

		if (redisBufferRead(link->redis) != REDIS_OK)
			return -1;
		if (reader->len - before < READ_BYTES)
			break;
	}
	return 0;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;

	(void)fd;
	(void)what;
	if (link->closed)
		return;
	if (read_in(link) < 0)
		link_error(link);
	else
		read_replies(link);
}

static void write_out(struct link *link)
{
	int done = 0;

	if (redisBufferWrite(link->redis, &done) != REDIS_OK) {
		link_error(link);
		return;
	}
	if (!done)
		event_add(link->writable, NULL);
}

static void finish_connect(struct link *link)
{
	socklen_t len = sizeof(int);
	int code = 0;
	int on = 1;

	if (getsockopt(link->redis->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		code = errno;
	if (code != 0) {
		link_fail(link, strerror(code));
		return;
	}
	if (link->redis->connection_type == REDIS_CONN_TCP) {
		setsockopt(link->redis->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(link->redis->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	}
	link->open = true;
	event_add(link->readable, NULL);
	link->handlers.on_open(link->context);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;

	(void)fd;
	(void)what;
	if (link->closed)
		return;
	if (!link->open)
		finish_connect(link);
	else
		write_out(link);
}

static void link_release(void *object)
{
	struct link *link = object;

	event_free(link->readable);
	event_free(link->writable);
	redisFree(link->redis);
	region_clear(&link->region);
	free(link);
}

struct link *link_open(struct loop *loop, const struct address *address,
		       const struct link_handlers *handlers, void *context, struct error *err)
{
	redisContext *redis = address->path != NULL
				      ? redisConnectUnixNonBlock(address->path)
				      : redisConnectNonBlock(address->host, address->port);
	struct link *link;

	if (redis == NULL || redis->err != 0) {
		error_set(err, ERROR_TEMPORARY, "%s: %s", address->shown,
			  redis == NULL ? "no memory" : redis->errstr);
		if (redis != NULL)
			redisFree(redis);
		return NULL;
	}
	fcntl(redis->fd, F_SETFD, FD_CLOEXEC);
	link = memory_new(sizeof(*link));
	link->loop = loop;
	link->redis = redis;
	link->handlers = *handlers;
	link->context = context;
	link->make = (redisReplyObjectFunctions){ make_text, make_array, make_int, make_nil,
						  keep_reply };
	redis->reader->fn = &link->make;
	redis->reader->privdata = link;
	link->readable =
		event_new(loop_base(loop), redis->fd, EV_READ | EV_PERSIST, on_readable, link);
	link->writable = event_new(loop_base(loop), redis->fd, EV_WRITE, on_writable, link);
	event_add(link->writable, NULL);
	return link;
}

void link_send(struct link *link, const char *resp, size_t len)
{
	if (redisAppendFormattedCommand(link->redis, resp, len) != REDIS_OK)
		abort();
}

void link_flush(struct link *link)
{
	if (link->open)
		write_out(link);
}

void link_close(struct link **link)
{
	if (*link == NULL)
		return;
	if (!(*link)->closed)
		link_stop(*link);
	loop_defer_free((*link)->loop, *link, link_release);
	*link = NULL;
}
