/* libcurl's multi interface on the loop. Its socket and timer callbacks touch
 * only libevent; curl_multi_socket_action() is called only from the loop's
 * callbacks; a handle is removed and cleaned up outside of both. */
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "services/loop.h"
#include "services/transfer_curl.h"

struct watch {
	struct engine *engine;
	struct event *event;
	curl_socket_t fd;
};

void engine_hang_up(struct engine *engine)
{
	for (size_t i = 0; i < engine->socket_count; i++)
		shutdown(engine->sockets[i], SHUT_RDWR);
}

static void engine_check(struct engine *engine)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(engine->multi, &left))) {
		struct transfer *transfer = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer_end(transfer, result);
	}
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
	struct watch *watch = context;
	int mask =
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(watch->engine->multi, fd, mask, &running);
	engine_check(watch->engine);
}

static void on_timer(void *context)
{
	struct engine *engine = context;
	int running;

	curl_multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	engine_check(engine);
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *context)
{
	struct engine *engine = context;

	(void)multi;
	if (timeout_ms < 0)
		loop_timer_stop(engine->timer);
	else
		loop_timer_start(engine->timer, timeout_ms);
	return 0;
}

static void watch_destroy(void *object)
{
	struct watch *watch = object;

	if (watch->event)
		event_free(watch->event);
	free(watch);
}

static void watch_set(struct watch *watch, int what)
{
	short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
			       (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);
	struct event_base *base = loop_base(watch->engine->owner->loop);

	if (watch->event) {
		event_del(watch->event);
		event_assign(watch->event, base, watch->fd, events, on_ready, watch);
	} else {
		watch->event = event_new(base, watch->fd, events, on_ready, watch);
	}
	event_add(watch->event, NULL);
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *context, void *socket)
{
	struct engine *engine = context;
	struct watch *watch = socket;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			event_del(watch->event);
			curl_multi_assign(engine->multi, fd, NULL);
			loop_defer_free(engine->owner->loop, watch, watch_destroy);
		}
		return 0;
	}
	if (!watch) {
		watch = memory_new(sizeof(*watch));
		watch->engine = engine;
		watch->fd = fd;
		curl_multi_assign(engine->multi, fd, watch);
	}
	watch_set(watch, what);
	return 0;
}

void engine_init(struct engine *engine, struct transfers *owner, long connections)
{
	engine->owner = owner;
	engine->connections = connections;
	engine->timer = loop_timer_new(owner->loop, on_timer, engine);
}

CURLM *engine_multi(struct engine *engine)
{
	if (engine->multi)
		return engine->multi;
	engine->multi = curl_multi_init();
	if (!engine->multi)
		abort();
	curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
	curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
	curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
	curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, engine->connections);
	return engine->multi;
}

struct engine *engine_new_for_mail(struct transfers *transfers)
{
	struct engine *engine = memory_new(sizeof(*engine));

	engine->has_one = true;
	engine_init(engine, transfers, 1);
	engine->next_mail = transfers->mails;
	engine->mail_link = &transfers->mails;
	if (engine->next_mail)
		engine->next_mail->mail_link = &engine->next_mail;
	transfers->mails = engine;
	return engine;
}

void engine_stop(struct engine *engine)
{
	while (engine->first) {
		error_set(&engine->first->error, ERROR_TEMPORARY, "the transfer was stopped");
		transfer_end(engine->first, CURLE_OK);
	}
}

void engine_clear(struct engine *engine)
{
	engine_stop(engine);
	engine_hang_up(engine);
	if (engine->multi)
		curl_multi_cleanup(engine->multi);
	loop_timer_free(&engine->timer);
}

static void engine_destroy(void *object)
{
	struct engine *engine = object;

	engine_hang_up(engine);
	if (engine->multi)
		curl_multi_cleanup(engine->multi);
	loop_timer_free(&engine->timer);
	free(engine);
}

void engine_release(struct engine *engine)
{
	if (!engine->mail_link)
		return;
	*engine->mail_link = engine->next_mail;
	if (engine->next_mail)
		engine->next_mail->mail_link = engine->mail_link;
	engine->mail_link = NULL;
	loop_defer_free(engine->owner->loop, engine, engine_destroy);
}
