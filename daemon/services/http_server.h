/* The front door: a strict HTTP/1.1 server on the loop. It reads whole
 * requests (bounded before they are read), calls the handler once for each,
 * and takes one answer: whole, or a stream (SSE). Pipelined requests are
 * answered in order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "services/http_parser.h"

struct loop;
struct http_server;
struct http_request;
struct http_stream;

struct http_server_options {
	const char *address;  /* host:port, [v6]:port, unix:/path */
	const char *tls_cert; /* NULL: plain text. PEM paths, re-read on reload */
	const char *tls_key;
	const char *const *trusted_proxies; /* CIDR texts; "unix" trusts unix: peers */
	size_t trusted_proxy_count;
	bool reuse_port;
	int64_t body_max;         /* bytes; a route may raise or lower it (body_limit below) */
	int connections_max;      /* in all */
	int idle_per_source;      /* idle keep-alive connections of one source; loopback exempt */
	int64_t header_ms;        /* for the whole head */
	int64_t request_ms;       /* for head and body */
	int64_t idle_ms;          /* keep-alive, default 75 s */
	size_t stream_buffer_max; /* unsent bytes of one SSE client before it is dropped */
};

/* Asked once the head is parsed, before any body is read: the body limit for
 * this request in bytes, or a negative HTTP status to refuse with at once. */
typedef int64_t http_body_limit_fn(const struct http_head *head, void *context);
/* Called once per whole request; must end in exactly one of http_answer*(),
 * http_stream_start(), now or later. */
typedef void http_handler_fn(struct http_request *request, void *context);

struct http_server *http_server_new(struct loop *loop, const struct http_server_options *options,
				    http_body_limit_fn *body_limit, http_handler_fn *handler,
				    void *context, struct error *err);
void http_server_free(struct http_server **server);
int http_server_port(const struct http_server *server); /* bound port; for tests with :0 */
/* Lame duck: stop accepting, answer what is in flight with Connection: close,
 * end streams with a goaway event, then done(context) once. */
void http_server_drain(struct http_server *server, int64_t grace_ms, void (*done)(void *),
		       void *context);
/* Reads certificate and key (NULL: none) again; on error the old ones stay. */
int http_server_reload_tls(struct http_server *server, const char *cert, const char *key,
			   struct error *err);
/* Would they do? */
int http_server_check_tls(const char *cert, const char *key, struct error *err);

struct http_server_stats {
	int64_t connections, streams, requests, refused, bytes_in, bytes_out;
};
struct http_server_stats http_server_stats(const struct http_server *server);

/* --- the request: everything is valid until the answer is given --- */
struct arena *http_request_arena(struct http_request *request);  /* freed with the request */
const char *http_request_id(const struct http_request *request); /* X-Request-Id, ours */
const struct http_head *http_request_head(const struct http_request *request);
const char *http_request_method(const struct http_request *request); /* NUL-terminated */
const char *
http_request_path(const struct http_request *request); /* still encoded, NUL-terminated */
const char *http_request_target(const struct http_request *request); /* path?query as received */
const char *http_request_body(const struct http_request *request, size_t *ret_len);
/* NUL-terminated copy in the request's arena; NULL if absent. */
const char *http_request_field(struct http_request *request, const char *name);
/* Percent-decoded query parameter in the request's arena; NULL if absent. */
const char *http_request_query(struct http_request *request, const char *name);
/* The same of any query: len bytes, NULL for none. */
const char *http_query_value(struct arena *arena, const char *query, size_t len, const char *name);
/* Textual address of the peer; behind a trusted proxy the last untrusted
 * address of X-Forwarded-For. */
const char *http_request_source(const struct http_request *request);
/* Is an address (of http_request_source(); NULL is in none) in a network such as 10.0.0.0/8, ::1?
 * -1: it is no network. */
int http_network_has(const char *network, const char *address);
/* What counts as one source: the address, of IPv6 its first 64 bits. false for loopback and unix
 * sockets, behind which anybody may stand. */
enum { HTTP_SOURCE_KEY_BYTES = 48 };
bool http_request_source_key(const struct http_request *request, char out[HTTP_SOURCE_KEY_BYTES]);
bool http_request_is_secure(
	const struct http_request *request); /* TLS here or at a trusted proxy */
/* fn(context) if the client goes away before the answer (long polls). NULL clears.
 * The request must still be answered, then or later; that answer goes nowhere. */
void http_request_on_gone(struct http_request *request, void (*fn)(void *), void *context);
/* Extra answer field, before answering; one with CR or LF in it is left out.
 * Cache-Control and X-Frame-Options replace the server's own. */
void http_request_add_field(struct http_request *request, const char *name, const char *value);

/* --- answers --- */
void http_answer(struct http_request *request, int status, const char *content_type,
		 const void *body, size_t len);
/* As http_answer, for static bytes that outlive the server (pages). */
void http_answer_static(struct http_request *request, int status, const char *content_type,
			const void *body, size_t len);
void http_answer_empty(struct http_request *request, int status);

/* --- streams (SSE): headers leave at once ---
 * A stream ends in exactly one of http_stream_end() by its owner and on_gone()
 * by the server, which comes on a later turn than the write that failed. From
 * on_gone() on the stream must not be used again (http_stream_end() inside
 * on_gone() is harmless). */
struct http_stream *http_stream_start(struct http_request *request, const char *content_type,
				      void (*on_gone)(void *context), void *context);
/* false: the client was over its buffer limit and is being dropped (on_gone follows). */
bool http_stream_write(struct http_stream *stream, const void *bytes, size_t len);
/* Bytes written that the client has not taken yet: who has much to say waits while they are many.
 */
size_t http_stream_unsent(const struct http_stream *stream);
void http_stream_end(struct http_stream **stream);
