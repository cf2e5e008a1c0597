#include "services/http_server.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "services/http_server_internal.h"

enum { IDLE_MS = 75 * 1000, CONNECTIONS_MAX = 10000, STREAM_BUFFER_MAX = 256 * 1024 };

static void default_options(struct http_server_options *options)
{
	if (options->body_max <= 0)
		options->body_max = LIMIT_HTTP_BODY_BYTES;
	if (options->connections_max <= 0)
		options->connections_max = CONNECTIONS_MAX;
	if (options->idle_per_source <= 0)
		options->idle_per_source = LIMIT_HTTP_IDLE_PER_SOURCE;
	if (options->header_ms <= 0)
		options->header_ms = LIMIT_HTTP_HEADER_MS;
	if (options->request_ms <= 0)
		options->request_ms = LIMIT_HTTP_REQUEST_MS;
	if (options->idle_ms <= 0)
		options->idle_ms = IDLE_MS;
	if (options->stream_buffer_max == 0)
		options->stream_buffer_max = STREAM_BUFFER_MAX;
}

static int read_trusted(struct http_server *server, struct error *err)
{
	const struct http_server_options *options = &server->options;

	server->trusted =
		memory_grow(NULL, options->trusted_proxy_count + 1, sizeof(*server->trusted));
	for (size_t i = 0; i < options->trusted_proxy_count; i++) {
		const char *text = options->trusted_proxies[i];

		if (strcmp(text, "unix") == 0)
			server->trusts_unix = true;
		else if (http_network_parse(text, &server->trusted[server->trusted_count]))
			server->trusted_count++;
		else
			return error_set(err, ERROR_MISUSE,
					 "trusted proxy %s is not an address or network", text);
	}
	return 0;
}

static void server_release(void *object)
{
	struct http_server *server = object;

	http_pieces_free(server);
	http_replies_free(server);
	http_requests_free(server);
	free(server->trusted);
	free(server);
}

static int server_open(struct http_server *server, struct error *err)
{
	if (read_trusted(server, err) != 0)
		return -1;
	if (server->options.tls_cert != NULL) {
		server->tls = http_tls_load(server->options.tls_cert, server->options.tls_key, err);
		if (server->tls == NULL)
			return -1;
	}
	return http_listen_open(server, err);
}

struct http_server *http_server_new(struct loop *loop, const struct http_server_options *options,
				    http_body_limit_fn *body_limit, http_handler_fn *handler,
				    void *context, struct error *err)
{
	struct http_server *server = memory_new(sizeof(*server));

	/* OpenSSL writes with write(); a client that left must not end us. */
	signal(SIGPIPE, SIG_IGN);
	server->loop = loop;
	server->options = *options;
	default_options(&server->options);
	server->body_limit = body_limit;
	server->handler = handler;
	server->context = context;
	server->listen_fd = -1;
	server->reserve_fd = -1;
	TAILQ_INIT(&server->connections);
	http_deadlines_init(server);
	if (server_open(server, err) != 0)
		http_server_free(&server);
	return server;
}

void http_server_maybe_drained(struct http_server *server)
{
	void (*drained)(void *) = server->drained;

	if (!server->is_draining || drained == NULL || !TAILQ_EMPTY(&server->connections))
		return;
	server->drained = NULL;
	loop_timer_stop(server->drain_timer);
	drained(server->drained_context);
}

static void on_drain(void *context)
{
	http_server_maybe_drained(context);
}

static void teardown_all(struct http_server *server)
{
	while (!TAILQ_EMPTY(&server->connections))
		http_connection_teardown(TAILQ_FIRST(&server->connections));
}

void http_server_free(struct http_server **server)
{
	struct http_server *gone = *server;

	if (gone == NULL)
		return;
	*server = NULL;
	http_listen_close(gone);
	teardown_all(gone);
	loop_cancel_soon(gone->loop, on_drain, gone);
	http_connection_forget_flush(gone);
	loop_timer_free(&gone->sweep);
	loop_timer_free(&gone->drain_timer);
	http_tls_free(&gone->tls);
	gone->is_freed = true;
	/* Requests that are still unanswered hold the rest. */
	gone->live_requests++;
	http_server_forget_request(gone);
}

void http_server_forget_request(struct http_server *server)
{
	if (--server->live_requests > 0 || !server->is_freed)
		return;
	loop_defer_free(server->loop, server, server_release);
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}

struct http_server_stats http_server_stats(const struct http_server *server)
{
	return server->stats;
}

int http_server_check_tls(const char *cert, const char *key, struct error *err)
{
	struct ssl_ctx_st *tls = http_tls_load(cert, key, err);

	if (tls == NULL)
		return -1;
	http_tls_free(&tls);
	return 0;
}

int http_server_reload_tls(struct http_server *server, const char *cert, const char *key,
			   struct error *err)
{
	struct ssl_ctx_st *fresh;

	if ((server->tls == NULL) != (cert == NULL))
		return error_set(err, ERROR_MISUSE,
				 "TLS is switched on and off by a restart, not by a reload");
	if (cert == NULL)
		return 0;
	fresh = http_tls_load(cert, key, err);
	if (fresh == NULL)
		return -1;
	http_tls_free(&server->tls);
	server->tls = fresh;
	return 0;
}

static void on_grace_over(void *context)
{
	struct http_server *server = context;
	struct connection *connection;

	TAILQ_FOREACH (connection, &server->connections, link)
		http_connection_doom(connection);
}

void http_server_drain(struct http_server *server, int64_t grace_ms, void (*done)(void *),
		       void *context)
{
	struct connection *connection;

	if (server->is_draining)
		return;
	server->is_draining = true;
	server->drained = done;
	server->drained_context = context;
	http_listen_close(server);
	server->drain_timer = loop_timer_new(server->loop, on_grace_over, server);
	loop_timer_start(server->drain_timer, grace_ms);
	TAILQ_FOREACH (connection, &server->connections, link)
		http_connection_touch(connection);
	loop_soon(server->loop, on_drain, server);
}
