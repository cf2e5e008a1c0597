/* GET /v1/events: the log as server-sent events, one reader a connection (the
 * store shares the tail). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "api/auth.h"
#include "api/events.h"
#include "api/handlers.h"
#include "api/keep.h"
#include "api/names.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "events/expand.h"
#include "parts.h"
#include "services/loop.h"
#include "store/log.h"
#include "store/store.h"
#include "workspace.h"

/* A credential is looked at again every few heartbeats, each watcher's at another one. */
enum { TICKET_S = 30, POSITION_BYTES = 48, CHECKED_EVERY = 4, HASH_HEX = 2 * SHA256_BYTES };

struct watcher {
	TAILQ_ENTRY(watcher) link;
	char credential[HASH_HEX + 1]; /* "": of no token or session, such as the admin socket's */
	bool by_cookie;
	unsigned beats;
	struct check *check; /* on its way; NULL */
	struct events *events;
	struct http_stream *stream;
	struct log_reader *reader;
	struct hearer *hearer;
	char *types; /* comma-separated; NULL: all */
	char *queue; /* NULL: all */
	char *agent; /* told as seen with every heartbeat; NULL for tools */
	char *workspace;
	char previous[POSITION_BYTES]; /* of the entry before; "" at first */
};

/* Does the credential of a stream still stand? It outlives a watcher that goes meanwhile. */
struct check {
	struct arena *arena;
	struct watcher *watcher; /* NULL: gone */
};

struct events {
	unsigned watched; /* streams so far */
	struct parts *parts;
	struct loop_timer *heartbeat;
	TAILQ_HEAD(, watcher) watchers;
	/* The newest entry as text: many watchers ask for the same one in turn. Known by workspace
	 * and position: two logs may give one position to different things. */
	char newest[128];
	struct public_event expanded[EXPANDED_MAX];
	size_t expanded_count;
};

static void watcher_free(void *object)
{
	struct watcher *watcher = object;

	if (watcher->check != NULL)
		watcher->check->watcher = NULL;
	log_reader_free(&watcher->reader);
	hearer_free(&watcher->hearer);
	free(watcher->types);
	free(watcher->queue);
	free(watcher->agent);
	free(watcher->workspace);
	free(watcher);
}

static void watcher_stop(struct watcher *watcher)
{
	TAILQ_REMOVE(&watcher->events->watchers, watcher, link);
	watcher->stream = NULL;
	loop_defer_free(watcher->events->parts->loop, watcher, watcher_free);
}

static void on_gone(void *context)
{
	struct watcher *watcher = context;

	if (watcher->stream != NULL)
		watcher_stop(watcher);
}

static void expand_once(struct events *events, const char *workspace, const struct log_entry *entry)
{
	char wanted[sizeof(events->newest)];

	snprintf(wanted, sizeof(wanted), "%s %s", workspace, entry->position);
	if (text_equal(events->newest, wanted))
		return;
	for (size_t i = 0; i < events->expanded_count; i++)
		buf_clear(&events->expanded[i].data);
	events->expanded_count = event_expand(entry, events->expanded);
	memcpy(events->newest, wanted, sizeof(wanted));
}

static bool wants(const struct watcher *watcher, const struct public_event *event)
{
	return (watcher->types == NULL || text_has_word(watcher->types, ',', event->type)) &&
	       (watcher->queue == NULL || text_equal(watcher->queue, event->queue));
}

/* Events of one entry share its position, so only the last one carries it; the ones before carry
 * the previous entry's, and a stream that is cut between them gets all of them again. */
static void on_entry(const struct log_entry *entry, void *context)
{
	struct watcher *watcher = context;
	struct events *events = watcher->events;
	struct buf text = { 0 };
	size_t last = 0;

	if (watcher->stream == NULL)
		return;
	expand_once(events, watcher->workspace, entry);
	for (size_t i = 0; i < events->expanded_count; i++)
		if (wants(watcher, &events->expanded[i]))
			last = i;
	for (size_t i = 0; i < events->expanded_count; i++) {
		const struct public_event *event = &events->expanded[i];
		bool is_before = i != last && watcher->previous[0] != '\0';

		if (!wants(watcher, event))
			continue;
		buf_format(&text, "id: %s\nevent: %s\ndata: ",
			   is_before ? watcher->previous : entry->position, event->type);
		buf_add(&text, event->data.data, event->data.len);
		buf_text(&text, "\n\n");
	}
	snprintf(watcher->previous, sizeof(watcher->previous), "%s", entry->position);
	if (text.len > 0)
		http_stream_write(watcher->stream, text.data, text.len);
	buf_clear(&text);
}

static void on_reset(const char *position, void *context)
{
	struct watcher *watcher = context;
	struct buf text = { 0 };

	if (watcher->stream == NULL)
		return;
	buf_format(&text, "id: %s\nevent: reset\ndata: {}\n\n", position);
	http_stream_write(watcher->stream, text.data, text.len);
	buf_clear(&text);
}

/* Without an id: it is of the moment, and a resumed stream does not want it. */
static void on_sign(enum sign sign, const char *conversation, const char *who, void *context)
{
	struct watcher *watcher = context;
	const char *name = sign == SIGN_TYPING ? "typing" : "viewing";
	struct buf text = { 0 };
	struct json_out out;

	if (watcher->stream == NULL || watcher->queue != NULL || text_equal(who, watcher->agent) ||
	    (watcher->types != NULL && !text_has_word(watcher->types, ',', name)))
		return;
	buf_format(&text, "event: %s\ndata: ", name);
	jw_start(&out, &text);
	jw_object(&out, NULL);
	jw_text(&out, "conversation", conversation);
	jw_text(&out, "by", who);
	if (sign != SIGN_TYPING)
		jw_bool(&out, "is_here", sign == SIGN_VIEWING);
	jw_object_end(&out);
	buf_text(&text, "\n\n");
	http_stream_write(watcher->stream, text.data, text.len);
	buf_clear(&text);
}

/* Who has signed out, or lost the token, hears no more. */
static void on_checked(enum auth_outcome outcome, const struct principal *who, void *context)
{
	struct check *check = context;
	struct watcher *watcher = check->watcher;
	struct arena *arena = check->arena;
	struct http_stream *stream;

	(void)who;
	arena_free(&arena);
	if (watcher == NULL)
		return;
	watcher->check = NULL;
	if (outcome != AUTH_REFUSED || watcher->stream == NULL)
		return;
	stream = watcher->stream;
	watcher_stop(watcher);
	http_stream_end(&stream);
}

static void check_start(struct watcher *watcher)
{
	struct arena *arena = arena_new(0);
	struct check *check = arena_alloc(arena, sizeof(*check));
	const struct principal who = { .workspace = watcher->workspace,
				       .credential = watcher->credential,
				       .by_cookie = watcher->by_cookie };

	*check = (struct check){ arena, watcher };
	watcher->check = check;
	auth_again(api_auth(watcher->events->parts->api), &who, arena, on_checked, check);
}

static void on_heartbeat(void *context)
{
	struct events *events = context;
	struct watcher *watcher;
	struct watcher *next;

	for (watcher = TAILQ_FIRST(&events->watchers); watcher != NULL; watcher = next) {
		next = TAILQ_NEXT(watcher, link);
		http_stream_write(watcher->stream, ":\n\n", 3);
		if (watcher->agent != NULL)
			api_seen(events->parts, watcher->workspace, watcher->agent);
		if (++watcher->beats % CHECKED_EVERY == 0 && watcher->credential[0] != '\0' &&
		    watcher->check == NULL)
			check_start(watcher);
	}
	loop_timer_start(events->heartbeat, api_seen_every_ms(events->parts));
}

struct events *events_new(struct parts *parts)
{
	struct events *events = memory_new(sizeof(*events));

	events->parts = parts;
	TAILQ_INIT(&events->watchers);
	events->heartbeat = loop_timer_new(parts->loop, on_heartbeat, events);
	loop_timer_start(events->heartbeat, api_seen_every_ms(events->parts));
	return events;
}

void events_free(struct events **events)
{
	struct watcher *watcher;

	if (*events == NULL)
		return;
	while ((watcher = TAILQ_FIRST(&(*events)->watchers)) != NULL) {
		TAILQ_REMOVE(&(*events)->watchers, watcher, link);
		watcher_free(watcher);
	}
	for (size_t i = 0; i < (*events)->expanded_count; i++)
		buf_clear(&(*events)->expanded[i].data);
	loop_timer_free(&(*events)->heartbeat);
	free(*events);
	*events = NULL;
}

void events_watch(struct events *events, struct api_call *call, const struct principal *who)
{
	struct watcher *watcher = memory_new(sizeof(*watcher));
	struct log_reader_options options = { .workspace = who->workspace };
	static const char hello[] = "retry: 3000\n\n";

	options.after = http_request_field(call->request, "Last-Event-ID");
	if (options.after == NULL)
		options.after = api_query(call, "after");
	watcher->events = events;
	watcher->types = memory_text(api_query(call, "types"));
	watcher->queue = memory_text(api_query(call, "queue"));
	watcher->workspace = memory_text(who->workspace);
	watcher->by_cookie = who->by_cookie;
	watcher->beats = events->watched++ % CHECKED_EVERY;
	if (who->credential != NULL && strlen(who->credential) == HASH_HEX)
		memcpy(watcher->credential, who->credential, sizeof(watcher->credential));
	if (!text_starts(who->agent, "token:"))
		watcher->agent = memory_text(who->agent);
	http_request_add_field(call->request, "Cache-Control", "no-store");
	http_request_add_field(call->request, "X-Accel-Buffering", "no");
	watcher->reader = log_reader_new(events->parts->loop, events->parts->store, &options,
					 on_entry, on_reset, NULL, watcher);
	watcher->hearer = workspace_hear(workspace_get(events->parts->workspaces, who->workspace),
					 on_sign, watcher);
	TAILQ_INSERT_TAIL(&events->watchers, watcher, link);
	watcher->stream = http_stream_start(call->request, "text/event-stream; charset=utf-8",
					    on_gone, watcher);
	http_stream_write(watcher->stream, hello, sizeof(hello) - 1);
}

/* ---- what is asked for ---- */

static bool types_are_known(struct api_call *call)
{
	const char *types = api_query(call, "types");

	for (const char *at = types; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (!word_check(call, "types", arena_copy(call->arena, at, strcspn(at, ",")),
				event_types))
			return false;
	}
	return true;
}

static void watch_caller(struct api_call *call)
{
	events_watch(api_events(call->api), call, &call->who);
}

static void watch(struct api_call *call)
{
	if (types_are_known(call))
		name_check(call, NAME_QUEUE, api_query(call, "queue"), "queue", watch_caller);
}

/* ---- tickets: EventSource cannot set headers ---- */

static void on_ticket_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *nonce = kept_nonce(call, reply, err);
	char token[AUTH_TOKEN_BYTES];
	struct buf body = { 0 };
	struct json_out out;

	if (nonce == NULL)
		return;
	auth_token_make(call->parts->key, "cvg", call->who.workspace, nonce, token);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "ticket", token);
	jw_int(&out, "expires_in", TICKET_S);
	jw_object_end(&out);
	api_answer(call, 201, &body);
}

void handle_ticket_make(struct api_call *call)
{
	struct buf kept = { 0 };
	struct json_out out;
	char nonce[AUTH_NONCE_BYTES];
	char token[AUTH_TOKEN_BYTES];
	char hash[65];

	auth_nonce(nonce);
	auth_token_make(call->parts->key, "cvg", call->who.workspace, nonce, token);
	auth_hash(token, hash);
	jw_start(&out, &kept);
	jw_object(&out, NULL);
	jw_text(&out, "role", role_name(call->who.role));
	jw_text(&out, "agent", call->who.agent);
	jw_text(&out, "name", call->who.name);
	jw_text(&out, "credential", call->who.credential);
	jw_bool(&out, "by_cookie", call->who.by_cookie);
	jw_object_end(&out);
	session_put(&(struct keeper){ call->parts->store, call->who.workspace },
		    &(struct credential){ call->idempotency_key, call->request_hash, nonce, hash,
					  NULL },
		    buf_string(&kept), TICKET_S * 1000, on_ticket_kept, call);
	buf_clear(&kept);
}

static void on_ticket_taken(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct json_object *kept = NULL;
	const char *text;
	size_t len = 0;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	text = reply_text(reply, &len);
	if (text != NULL)
		kept = json_read(text, len, NULL);
	if (kept == NULL) {
		api_problem(call, 401, "bad_ticket",
			    "the ticket is unknown, used or older than %d s", TICKET_S);
		return;
	}
	call->who.role = role_from_name(json_text(kept, "role"));
	call->who.agent = json_text_copy(kept, "agent", call->arena);
	call->who.credential = json_text_copy(kept, "credential", call->arena);
	call->who.by_cookie = json_bool(kept, "by_cookie", false);
	json_free(&kept);
	watch(call);
}

static void on_events_auth(enum auth_outcome outcome, const struct principal *who, void *context)
{
	struct api_call *call = context;

	if (outcome == AUTH_AWAY) {
		http_request_add_field(call->request, "Retry-After", "2");
		api_problem(call, 503, "store_unavailable", "the store cannot be asked right now");
	} else if (outcome != AUTH_OK) {
		api_problem(call, 401, "not_signed_in",
			    "send Authorization: Bearer <token>, or ?ticket= from "
			    "POST /v1/events/ticket");
	} else {
		call->who = *who;
		if (api_rate_allows(call))
			watch(call);
	}
}

/* Public in the table, because a ticket stands for the credentials. */
void handle_events(struct api_call *call)
{
	const char *ticket = api_query(call, "ticket");
	struct store_call *take;
	char hash[65];

	if (ticket == NULL && call->who.role != ROLE_NONE) {
		watch(call);
		return;
	}
	if (ticket == NULL) {
		auth_request(api_auth(call->api), call->request, call->arena, on_events_auth, call);
		return;
	}
	call->who.workspace = auth_workspace(ticket, call->arena);
	if (call->who.workspace == NULL) {
		api_problem(call, 401, "bad_ticket", "the ticket is malformed");
		return;
	}
	auth_hash(ticket, hash);
	take = store_script("ticket_take", call->who.workspace);
	store_key(take, "ses:%s", hash);
	store_run(call->parts->store, take, on_ticket_taken, call);
}
