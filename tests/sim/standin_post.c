/* What a stand-in posts to the broker: signed anew at every attempt, repeated as the provider
 * repeats, the answer held against the provider's rules. */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

struct post *post_new(struct standin *sim, const char *id, struct json_object *what)
{
	struct arena *arena = arena_new(0);
	struct post *post = arena_alloc(arena, sizeof(*post));
	post->arena = arena;
	post->sim = sim;
	post->id = arena_text(arena, id);
	post->method = "POST";
	post->given_timestamp = json_text_copy(what, "timestamp", arena);
	post->given_nonce = json_text_copy(what, "nonce", arena);
	return post;
}

void post_body(struct post *post, const char *type, const char *bytes, size_t len)
{
	post->type = arena_text(post->arena, type);
	post->body = arena_copy(post->arena, bytes, len);
	post->len = len;
}

void post_field(struct post *post, const char *name, const char *value)
{
	size_t at = 0;
	while (post->fields[at] != NULL)
		at += 2;
	post->fields[at] = name;
	post->fields[at + 1] = arena_text(post->arena, value);
}

void post_query(struct post *post, const char *name, const char *value)
{
	buf_format(&post->query, "%c%s=", post->query.len > 0 ? '&' : '?', name);
	text_percent(&post->query, value, strlen(value));
}

int64_t post_now_ms(struct post *post)
{
	return sim_now_ms() + post->skew_ms;
}

const char *post_stamp(struct post *post, bool is_ms)
{
	if (post->given_timestamp != NULL)
		return post->given_timestamp;
	return arena_format(post->arena, "%lld",
			    (long long)(is_ms ? post_now_ms(post) : post_now_ms(post) / 1000));
}

const char *post_answer_field(struct post *post, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(post->answer), name);
}

/* It lives in its own arena. */
void post_free(struct post *post)
{
	struct arena *arena = post->arena;

	if (post->timer != NULL)
		event_free(post->timer);
	buf_clear(&post->query);
	arena_free(&arena);
}

/* Seconds of the provider's are as many, or the test's share of them: "hurry" divides. */
static void retry(struct post *post)
{
	const int64_t *delays = post->sim->provider->retry_ms;
	const char *hurry = setting(post->sim, "hurry");
	double by = hurry[0] != '\0' ? strtod(hurry, NULL) : 1;
	int64_t tries = 0;
	while (delays != NULL && delays[tries] >= 0 && tries < post->attempts - 1)
		tries++;
	if (post->is_once || post->is_last || delays == NULL || delays[tries] < 0) {
		post->is_settled = true;
		return;
	}
	int64_t ms = (int64_t)((double)delays[tries] / (by > 0 ? by : 1));
	struct timeval delay = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
	evtimer_add(post->timer, &delay);
}

static void judge(struct post *post, const char *body)
{
	const char *wrong = NULL;
	if (post->check != NULL)
		wrong = post->check(post, post->status, body);
	else if (post->status < 200 || post->status > 299)
		wrong = post->status == 0 ? "no answer in time" : "not 2xx";
	snprintf(post->wrong, sizeof(post->wrong), "%s", wrong != NULL ? wrong : "");
	snprintf(post->answered, sizeof(post->answered), "%.*s",
		 (int)text_prefix(body, strlen(body), sizeof(post->answered) - 1), body);
	post->is_right = wrong == NULL;
}

static void on_answer(struct evhttp_request *request, void *context)
{
	struct post *post = context;
	char *body = NULL;
	post->status = request != NULL ? evhttp_request_get_response_code(request) : 0;
	post->took_ms = sim_now_ms() - post->started_ms;
	post->answer = request;
	if (request != NULL && post->status != 0) {
		struct evbuffer *in = evhttp_request_get_input_buffer(request);
		size_t len = evbuffer_get_length(in);
		body = len > 0 ? memory_copy(evbuffer_pullup(in, -1), len) : NULL;
	}
	judge(post, body != NULL ? body : "");
	post->answer = NULL;
	free(body);
	if (!post->is_right) {
		retry(post);
	} else {
		post->is_settled = true;
	}
	if (post->is_settled && post->sim->on_settled != NULL)
		post->sim->on_settled(post->sim, post);
	if (post->is_settled && post->next != NULL) {
		struct timeval now = { 0 };
		evtimer_add(post->next->timer, &now);
		post->next = NULL;
	}
}

static enum evhttp_cmd_type command(const struct post *post)
{
	return strcmp(post->method, "GET") == 0 ? EVHTTP_REQ_GET : EVHTTP_REQ_POST;
}

static void send_request(struct post *post, struct evhttp_uri *to)
{
	int64_t wait_ms = post->sim->provider->answer_ms;
	struct timeval patience = { .tv_sec = wait_ms / 1000, .tv_usec = (wait_ms % 1000) * 1000 };
	struct evhttp_connection *connection = evhttp_connection_base_new(
		post->sim->base, NULL, evhttp_uri_get_host(to), (uint16_t)evhttp_uri_get_port(to));
	struct evhttp_request *request = evhttp_request_new(on_answer, post);
	struct evkeyvalq *fields = evhttp_request_get_output_headers(request);
	const char *path = evhttp_uri_get_path(to);
	const char *own_query = evhttp_uri_get_query(to);
	const char *query = buf_string(&post->query);
	if (own_query != NULL)
		query = arena_format(post->arena, "?%s%s%s", own_query, query[0] != '\0' ? "&" : "",
				     query[0] != '\0' ? query + 1 : "");
	evhttp_connection_set_timeout_tv(connection, &patience);
	evhttp_connection_free_on_completion(connection);
	evhttp_add_header(fields, "Host",
			  arena_format(post->arena, "%s:%d", evhttp_uri_get_host(to),
				       evhttp_uri_get_port(to)));
	evhttp_add_header(fields, "Connection", "close");
	if (post->body != NULL) {
		evhttp_add_header(fields, "Content-Type", post->type);
		evbuffer_add(evhttp_request_get_output_buffer(request), post->body, post->len);
	}
	for (size_t i = 0; post->fields[i] != NULL; i += 2)
		evhttp_add_header(fields, post->fields[i], post->fields[i + 1]);
	evhttp_make_request(connection, request, command(post),
			    arena_format(post->arena, "%s%s", path[0] != '\0' ? path : "/", query));
}

static void attempt(struct post *post)
{
	/* Whatever happens to it goes where it went first. */
	if (post->url == NULL)
		post->url = arena_text(post->arena, setting(post->sim, "in"));
	struct evhttp_uri *to = evhttp_uri_parse(post->url);
	post->attempts++;
	post->started_ms = sim_now_ms();
	if (to == NULL || evhttp_uri_get_host(to) == NULL || evhttp_uri_get_port(to) <= 0) {
		snprintf(post->wrong, sizeof(post->wrong),
			 "the setting in is no http://host:port/path");
		post->is_settled = true;
	} else {
		buf_reset(&post->query);
		memset(post->fields, 0, sizeof(post->fields));
		post->sim->is_lying = post->is_forged;
		if (post->sign != NULL)
			post->sign(post);
		post->sim->is_lying = false;
		send_request(post, to);
	}
	if (to != NULL)
		evhttp_uri_free(to);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	attempt(context);
}

static void enlist(struct post *post)
{
	struct standin *sim = post->sim;
	sim->posts = memory_grow(sim->posts, sim->post_count + 1, sizeof(struct post *));
	sim->posts[sim->post_count++] = post;
	post->timer = evtimer_new(sim->base, on_timer, post);
}

void post_again(struct post *post)
{
	struct post *copy = post_new(post->sim, post->id, NULL);
	if (post->body != NULL)
		post_body(copy, post->type, post->body, post->len);
	copy->method = post->method;
	copy->given_timestamp = arena_text(copy->arena, post->given_timestamp);
	copy->given_nonce = arena_text(copy->arena, post->given_nonce);
	copy->sign = post->sign;
	copy->check = post->check;
	copy->url = arena_text(copy->arena, post->url);
	enlist(copy);
	attempt(copy);
}

void post_start(struct post *post)
{
	struct standin *sim = post->sim;
	struct fault fault;
	enlist(post);
	if (post->is_once) {
		attempt(post);
		return;
	}
	if (sim->held != NULL) {
		post->next = sim->held;
		sim->held = NULL;
	} else if (fault_take(sim, "reorder", "post", &fault)) {
		sim->held = post;
		return;
	}
	post->is_forged = fault_take(sim, "wrong_signature", "post", &fault);
	if (fault_take(sim, "clock_skew", "post", &fault))
		post->skew_ms = fault.ms;
	attempt(post);
	if (fault_take(sim, "duplicate", "post", &fault))
		for (int64_t i = 1; i < fault.times; i++)
			post_again(post);
}
