/* What is asked of a stand-in: routes, faults, answers. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

/* An answer that waits for its time. */
struct late {
	struct ask *ask;
	struct event *timer;
	struct evbuffer *body;
	int status;
	bool is_slow; /* a byte at a time */
	bool is_begun;
};

/* It lives in its own arena. */
static void ask_end(struct ask *ask)
{
	struct arena *arena = ask->arena;

	json_free(&ask->json);
	arena_free(&arena);
}

/* No answer: the connection ends. What evhttp still writes meets a closed socket. */
static void ask_drop(struct ask *ask)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(ask->request);
	if (connection != NULL)
		shutdown(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)),
			 SHUT_RDWR);
	evhttp_send_reply(ask->request, 500, "Gone", NULL);
	ask_end(ask);
}

static void late_end(struct late *late)
{
	event_free(late->timer);
	evbuffer_free(late->body);
	ask_end(late->ask);
	free(late);
}

static void late_byte(struct late *late)
{
	struct timeval pause = { .tv_usec = 5000 };
	struct evbuffer *one = evbuffer_new();
	if (!late->is_begun)
		evhttp_send_reply_start(late->ask->request, late->status, "Slow");
	late->is_begun = true;
	if (evbuffer_remove_buffer(late->body, one, 1) == 1 &&
	    evhttp_request_get_connection(late->ask->request) != NULL) {
		evhttp_send_reply_chunk(late->ask->request, one);
		evtimer_add(late->timer, &pause);
		evbuffer_free(one);
		return;
	}
	evbuffer_free(one);
	evhttp_send_reply_end(late->ask->request);
	late_end(late);
}

static void on_late(evutil_socket_t fd, short what, void *context)
{
	struct late *late = context;
	(void)fd;
	(void)what;
	if (late->is_slow) {
		late_byte(late);
		return;
	}
	evhttp_send_reply(late->ask->request, late->status, "Late", late->body);
	late_end(late);
}

static void answer_later(struct ask *ask, int status, struct evbuffer *body, struct fault *fault)
{
	struct late *late = memory_new(sizeof(*late));
	struct timeval delay = { .tv_sec = fault->ms / 1000,
				 .tv_usec = (suseconds_t)(fault->ms % 1000) * 1000 };
	late->ask = ask;
	late->status = status;
	late->body = body;
	late->is_slow = strcmp(fault->kind, "slow") == 0;
	late->timer = evtimer_new(ask->sim->base, on_late, late);
	evtimer_add(late->timer, &delay);
}

void answer_field(struct ask *ask, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(ask->request), name, value);
}

void answer(struct ask *ask, int status, const char *type, const void *bytes, size_t len)
{
	struct fault fault;
	struct evbuffer *body;
	ask->is_answered = true;
	if (ask->is_accepted && ask_fault(ask, "drop_after_accept", &fault)) {
		ask_drop(ask);
		return;
	}
	if (type != NULL)
		answer_field(ask, "Content-Type", type);
	body = evbuffer_new();
	evbuffer_add(body, bytes, len);
	if (ask_fault(ask, "truncate", &fault)) {
		char length[24];
		snprintf(length, sizeof(length), "%zu", len + 64);
		answer_field(ask, "Content-Length", length);
		answer_field(ask, "Connection", "close");
	}
	if ((ask_fault(ask, "delay", &fault) || ask_fault(ask, "slow", &fault))) {
		answer_later(ask, status, body, &fault);
		return;
	}
	evhttp_send_reply(ask->request, status, "Sim", body);
	evbuffer_free(body);
	ask_end(ask);
}

void answer_json(struct ask *ask, int status, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	va_start(arguments, format);
	int len = vasprintf(&text, format, arguments);
	va_end(arguments);
	answer(ask, status, "application/json; charset=utf-8", text, (size_t)len);
	free(text);
}

void answer_media(struct ask *ask, const struct media *media)
{
	if (media->name[0] != '\0')
		answer_field(ask, "Content-Disposition",
			     arena_format(ask->arena, "attachment; filename=\"%s\"", media->name));
	answer(ask, 200, media->type, media->bytes, media->len);
}

static void note(struct ask *ask, struct list *list, const char *code, const char *why)
{
	struct buf out = { 0 };
	struct json_out json;
	jw_start(&json, &out);
	jw_object(&json, NULL);
	jw_int(&json, "at_ms", sim_now_ms());
	jw_text(&json, "method", ask->method);
	jw_text(&json, "path", ask->path);
	jw_text(&json, "on", ask->route != NULL ? ask->route->on : "nowhere");
	jw_text(&json, "code", code);
	jw_text(&json, "why", why);
	jw_object_end(&json);
	list_add(list, &out);
}

void refuse(struct ask *ask, const char *code, const char *why)
{
	note(ask, &ask->sim->refused, code, why);
	ask->sim->provider->error(ask, code, why);
}

void accept_send(struct ask *ask, const struct accepted *accepted)
{
	struct buf out = { 0 };
	struct json_out json;
	ask->is_accepted = true;
	if (accepted->is_repeat)
		return;
	jw_start(&json, &out);
	jw_object(&json, NULL);
	jw_int(&json, "at_ms", sim_now_ms());
	jw_text(&json, "path", ask->path);
	jw_text(&json, "id", accepted->id);
	jw_text(&json, "to", accepted->to);
	jw_text(&json, "kind", accepted->kind);
	jw_text(&json, "text", accepted->text);
	jw_text(&json, "media", accepted->media);
	jw_text(&json, "key", accepted->key);
	if (ask->json != NULL) {
		struct buf body = { 0 };
		json_append(ask->json, &body);
		jw_raw(&json, "body", body.data, body.len);
		buf_clear(&body);
	}
	jw_object_end(&json);
	list_add(&ask->sim->sent, &out);
	if (ask->sim->on_accepted != NULL)
		ask->sim->on_accepted(ask->sim, accepted);
}

/* ---- faults ---- */

static void answer_trouble(struct ask *ask, int status, int64_t seconds)
{
	const struct provider *provider = ask->sim->provider;
	const char *body =
		provider->trouble != NULL ? provider->trouble(ask, status, seconds) : "{}";
	note(ask, &ask->sim->refused, "fault", "a fault was armed");
	answer(ask, status, "application/json", body, strlen(body));
}

/* What a fault has to say instead of the provider; false: nothing, go on. */
static bool answer_fault(struct ask *ask)
{
	struct standin *sim = ask->sim;
	struct fault fault;
	bool is_done = true; /* the question is gone then */
	if (ask_fault(ask, "drop_before", &fault)) {
		ask->is_answered = true;
		ask_drop(ask);
	} else if (ask_fault(ask, "status", &fault)) {
		answer_trouble(ask, (int)fault.status, 0);
	} else if (ask_fault(ask, "retry_after", &fault)) {
		answer_field(ask, "Retry-After",
			     arena_format(ask->arena, "%lld", (long long)fault.seconds));
		answer_trouble(ask, 429, fault.seconds);
	} else if (ask_fault(ask, "retry_after_date", &fault)) {
		answer_field(ask, "Retry-After",
			     http_date(ask->arena, sim_now_ms() / 1000 + fault.seconds));
		answer_trouble(ask, 429, fault.seconds);
	} else if (ask_fault(ask, "garbage", &fault)) {
		static const char page[] = "<html><body>Bad gateway \xff</body></html>";
		answer(ask, 200, "text/html", page, sizeof(page) - 1);
	} else if (ask_fault(ask, "redirect", &fault)) {
		answer_field(ask, "Location", "https://sim.example.test/elsewhere");
		answer(ask, 302, "text/html", "", 0);
	} else if (ask_fault(ask, "error", &fault)) {
		refuse(ask, fault.code, "a fault was armed");
	} else if (sim->provider->window_code != NULL && ask_fault(ask, "window_closed", &fault)) {
		refuse(ask, sim->provider->window_code, "a fault was armed");
	} else if (ask_fault(ask, "expire_token", &fault)) {
		sim->token[0] = '\0';
		is_done = !sim->provider->mints_tokens;
		if (is_done)
			refuse(ask, sim->provider->token_code, "a fault was armed");
	} else {
		is_done = false;
	}
	return is_done;
}

static bool is_too_fast(struct ask *ask)
{
	struct standin *sim = ask->sim;
	const char *set = setting(sim, "rate");
	int64_t rate = set[0] != '\0' ? strtoll(set, NULL, 10) : sim->provider->rate;
	int64_t second = sim_now_ms() / 1000;
	if (rate <= 0 || strcmp(ask->route->on, "send") != 0)
		return false;
	if (sim->rate_second != second)
		sim->rate_used = 0;
	sim->rate_second = second;
	return ++sim->rate_used > rate;
}

/* ---- routes ---- */

static bool segment_fits(const char *pattern, size_t pattern_len, const char *path, size_t len)
{
	if (pattern_len > 0 && pattern[pattern_len - 1] == '*')
		return len >= pattern_len - 1 && strncmp(pattern, path, pattern_len - 1) == 0 &&
		       len > pattern_len - 1;
	return pattern_len == len && strncmp(pattern, path, len) == 0;
}

static bool route_fits(struct ask *ask, const char *pattern)
{
	const char *path = ask->path;
	size_t stars = 0;
	memset(ask->rest, 0, sizeof(ask->rest));
	while (*pattern == '/' && *path == '/') {
		size_t pattern_len = strcspn(++pattern, "/");
		size_t len = strcspn(++path, "/");
		if (strcmp(pattern, "**") == 0) {
			ask->rest[stars] = path;
			return true;
		}
		if (!segment_fits(pattern, pattern_len, path, len))
			return false;
		if (pattern_len > 0 && pattern[pattern_len - 1] == '*')
			ask->rest[stars++] = arena_copy(ask->arena, path + pattern_len - 1,
							len - (pattern_len - 1));
		pattern += pattern_len;
		path += len;
	}
	return *pattern == '\0' && *path == '\0';
}

static const struct route *route_find(struct ask *ask)
{
	for (const struct route *route = ask->sim->provider->routes; route->method != NULL; route++)
		if ((strcmp(route->method, "*") == 0 || strcmp(route->method, ask->method) == 0) &&
		    route_fits(ask, route->path))
			return route;
	return NULL;
}

static const char *method_name(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	default:
		return "PATCH";
	}
}

static struct ask *ask_new(struct evhttp_request *request, struct standin *sim)
{
	struct arena *arena = arena_new(0);
	struct ask *ask = arena_alloc(arena, sizeof(*ask));
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	const char *uri = evhttp_request_get_uri(request);
	ask->arena = arena;
	ask->sim = sim;
	ask->request = request;
	ask->method = method_name(evhttp_request_get_command(request));
	ask->path = arena_copy(arena, uri, strcspn(uri, "?"));
	ask->query = strchr(uri, '?') != NULL ? arena_text(arena, strchr(uri, '?') + 1) : NULL;
	ask->len = evbuffer_get_length(body);
	ask->body = ask->len > 0 ? arena_copy(arena, evbuffer_pullup(body, -1), ask->len) : "";
	return ask;
}

void serve_request(struct evhttp_request *request, void *context)
{
	struct standin *sim = context;
	struct ask *ask = ask_new(request, sim);
	if (text_starts(ask->path, "/_sim/")) {
		control_ask(ask);
		return;
	}
	ask->route = route_find(ask);
	note(ask, &sim->calls, NULL, NULL);
	if (ask->route == NULL) {
		static const struct route nowhere = { "*", "", "other", NULL };
		ask->route = &nowhere;
		refuse(ask, "not_found", "no such call");
		return;
	}
	if (answer_fault(ask))
		return;
	if (is_too_fast(ask)) {
		answer_field(ask, "Retry-After", "1");
		answer_trouble(ask, 429, 1);
		return;
	}
	ask->route->handle(ask);
}
