/* What the files http_server*.c share, and nobody else. A connection owns a
 * queue of replies, one for each request taken from it and not yet answered in
 * full; only the first writes to the connection's own output. Teardown happens
 * in http_connection_settle() alone, never inside somebody's call. */
#pragma once

#include <event2/event_struct.h>
#include <netinet/in.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/id.h"
#include "services/http_server.h"
#include "services/loop.h"

struct ssl_st;
struct ssl_ctx_st;
struct connection;

enum {
	HTTP_PIECE_BYTES = 4096,           /* of one output piece, header included */
	HTTP_READ_BYTES = 64 * 1024,       /* at most, per readable event */
	HTTP_PIPELINE_MAX = 16,            /* requests taken ahead of their answers */
	HTTP_UNSENT_MAX = 64 * 1024,       /* unsent answers that stop reading */
	HTTP_LINGER_MS = 2000,             /* for the client to read a refusal */
	HTTP_ACCEPT_PAUSE_MS = 100,        /* after running out of descriptors */
	HTTP_ACCEPTS = 64,                 /* at most, per turn */
	HTTP_SPARES = 256,                 /* idle objects kept of each kind */
	HTTP_SPARE_BODY_BYTES = 16 * 1024, /* larger bodies are not kept */
	HTTP_SOURCE_BUCKETS = 1024,
};

/* --- output --- */
struct piece {
	struct piece *next;
	const char *bytes; /* own, or static */
	size_t start;
	size_t end;
	size_t room; /* of own; 0: static bytes */
	char own[];
};

struct chain {
	struct piece *first;
	struct piece *last;
	size_t len; /* bytes not yet sent */
};

/* --- waiting --- */
enum wait {
	WAIT_NONE,
	WAIT_HEAD,
	WAIT_BODY,
	WAIT_IDLE,
	WAIT_LINGER,
	WAIT_WRITE,
	WAIT_KINDS,
};

struct deadline {
	TAILQ_ENTRY(deadline) link;
	struct connection *connection;
	int64_t at_ms;
	enum wait kind;
};

TAILQ_HEAD(deadlines, deadline);

/* --- where clients come from --- */
struct address {
	unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
};

struct network {
	struct address address;
	unsigned bits;
};

TAILQ_HEAD(connections, connection);

struct source {
	struct source *next;
	struct address address; /* IPv6: of the /64 */
	int users;
	int idle_count;
	struct connections idle; /* oldest first */
};

/* A reply: one request's place in the order, and the stream it may become. */
struct http_stream {
	struct http_stream *next;
	struct connection *connection; /* NULL once the client is gone */
	struct http_request *request;  /* until answered */
	struct chain out;              /* while others are before it */
	void (*on_gone)(void *context);
	void *context;
	bool done;
	bool close; /* the connection ends with this reply */
	bool streaming;
	bool chunked;
	bool mute;   /* HEAD: no body */
	bool events; /* text/event-stream */
};

struct http_request {
	struct http_request *next_spare;
	struct http_server *server;
	struct http_stream *reply; /* NULL once answered or the client is gone */
	struct http_head head;
	struct http_chunks chunks;
	char *head_bytes; /* what head points into */
	size_t head_room;
	struct buf body;
	uint64_t body_left;
	int64_t body_limit;
	int64_t started_ms;
	struct arena *arena; /* made when first asked for */
	struct buf extra;    /* added fields, formatted */
	const char *path;
	void (*on_gone)(void *context);
	void *gone_context;
	char id[ID_BYTES];
	char echo[65]; /* the client's own X-Request-Id */
	char source[INET6_ADDRSTRLEN];
	bool secure;
	bool is_head;
	bool answered;
	bool has_cache_control;
	bool has_frame_options;
};

struct connection {
	TAILQ_ENTRY(connection) link;
	TAILQ_ENTRY(connection) idle_link; /* in source->idle */
	struct connection *next_dirty;
	struct http_server *server;
	struct ssl_st *ssl;
	struct event read_event;
	struct event write_event;
	struct deadline read_deadline;
	struct deadline write_deadline;
	struct buf in; /* received, not yet taken */
	struct chain out;
	struct http_stream *first;
	struct http_stream *last;
	struct http_request *current; /* its body is being read */
	struct source *source;        /* NULL: exempt from caps per source */
	struct address address;
	int fd;
	int reply_count;
	bool is_trusted; /* a proxy: believe its X-Forwarded-* */
	bool is_unix;
	bool dirty;
	bool paused;  /* not reading: enough taken ahead */
	bool stopped; /* takes no further request */
	bool unread;  /* input was thrown away: linger before closing */
	bool closing; /* the last reply is out: close once it is sent */
	bool lingering;
	bool eof;
	bool doomed;
	bool is_idle;
	bool is_fresh; /* nothing received yet */
	bool wants_write;
};

struct http_server {
	struct loop *loop;
	struct http_server_options options;
	http_body_limit_fn *body_limit;
	http_handler_fn *handler;
	void *context;
	struct network *trusted;
	size_t trusted_count;
	bool trusts_unix;
	bool counts_loopback; /* tests: loopback is not exempt */
	struct ssl_ctx_st *tls;

	int listen_fd;
	int reserve_fd; /* given up for a moment when descriptors run out */
	int port;
	char *unix_path;
	struct event listen_event;
	struct loop_timer *accept_timer;

	struct connections connections;
	struct source *sources[HTTP_SOURCE_BUCKETS];
	struct connection *dirty;
	bool flush_queued;
	struct deadlines deadlines[WAIT_KINDS];
	struct loop_timer *sweep;
	int64_t sweep_at_ms; /* 0: not armed */

	struct piece *spare_pieces;
	int spare_piece_count;
	struct http_stream *spare_replies;
	int spare_reply_count;
	struct http_request *spare_requests;
	int spare_request_count;
	int live_requests; /* handed out or waiting to be recycled */
	bool is_freed;

	struct loop_timer *drain_timer;
	void (*drained)(void *context);
	void *drained_context;
	bool is_draining;

	struct http_server_stats stats;
	int64_t date_s;
	char date[40]; /* "Date: ...\r\n" of date_s */
	char read_buffer[HTTP_READ_BYTES];
};

/* http_server_output.c */
char *http_chain_reserve(struct http_server *server, struct chain *chain, size_t len);
void http_chain_commit(struct chain *chain, size_t len); /* after http_chain_reserve */
void http_chain_add(struct http_server *server, struct chain *chain, const void *bytes, size_t len);
void http_chain_add_static(struct chain *chain, const void *bytes, size_t len);
void http_chain_sent(struct http_server *server, struct chain *chain, size_t len);
void http_chain_splice(struct chain *chain, struct chain *more);
void http_chain_clear(struct http_server *server, struct chain *chain);
void http_pieces_free(struct http_server *server);

/* http_server_deadline.c */
void http_deadline_set(struct deadline *deadline, enum wait kind, int64_t delay_ms);
void http_deadline_clear(struct deadline *deadline);
void http_deadlines_init(struct http_server *server);

/* http_server_source.c */
bool http_network_parse(const char *text, struct network *ret_network);
bool http_network_holds(const struct network *network, const struct address *address);
bool http_address_parse(const char *text, size_t len, struct address *ret_address);
void http_address_format(const struct address *address, char out[INET6_ADDRSTRLEN]);
bool http_address_is_trusted(const struct http_server *server, const struct address *address);
void http_source_attach(struct connection *connection);
void http_source_detach(struct connection *connection);
/* What a trusted proxy says about the request; the connection's own facts otherwise. */
void http_source_of_request(struct connection *connection, struct http_request *request);

/* http_server_tls.c */
struct ssl_ctx_st *http_tls_load(const char *cert, const char *key, struct error *err);
void http_tls_free(struct ssl_ctx_st **tls);
struct ssl_st *http_tls_accept(struct ssl_ctx_st *tls, int fd);
void http_tls_close(struct ssl_st **ssl);
/* As recv() and send(): -1 with EAGAIN; *ret_wants_write tells which way. */
ssize_t http_tls_read(struct ssl_st *ssl, void *bytes, size_t len, bool *ret_wants_write);
ssize_t http_tls_write(struct ssl_st *ssl, const void *bytes, size_t len);
void http_tls_end(struct ssl_st *ssl); /* close_notify */

/* http_server_listen.c */
int http_listen_open(struct http_server *server, struct error *err);
void http_listen_close(struct http_server *server);
void http_listen_resume(struct http_server *server);

/* http_server_connection.c */
void http_connection_open(struct http_server *server, int fd, const struct address *address,
			  bool is_unix);
void http_connection_touch(struct connection *connection); /* settle it at turn end */
void http_connection_forget_flush(struct http_server *server);
void http_connection_doom(struct connection *connection);
void http_connection_settle(struct connection *connection);
void http_connection_teardown(struct connection *connection);
void http_connection_timed_out(struct connection *connection, enum wait kind);

/* http_server_input.c: bytes to requests; the bytes taken. */
size_t http_input_take(struct connection *connection, const char *bytes, size_t len);
bool http_input_is_open(const struct connection *connection); /* may take one more request? */
void http_input_refuse(struct connection *connection, int status, const char *detail);

/* http_server_request.c */
struct http_request *http_request_take(struct http_server *server);
void http_request_fill(struct http_request *request, const char *bytes, size_t len);
void http_request_release(struct http_request *request); /* recycled at turn end */
void http_requests_free(struct http_server *server);

/* http_server_answer.c */
struct http_stream *http_reply_new(struct connection *connection, struct http_request *request);
void http_reply_free(struct http_server *server, struct http_stream *reply);
void http_reply_continue(struct http_stream *reply); /* 100 Continue */
void http_reply_goaway(struct http_stream *reply);   /* the first reply: tells, ends, abandons */
/* Nobody will read it: tells on_gone; freed at turn end, for its owner may hold it. */
void http_reply_abandon(struct http_server *server, struct http_stream *reply);
void http_replies_free(struct http_server *server);
void http_answer_problem(struct http_request *request, int status, const char *detail, bool close);
const char *http_answer_title(int status);

/* http_server.c */
void http_server_maybe_drained(struct http_server *server);
void http_server_forget_request(struct http_server *server);
