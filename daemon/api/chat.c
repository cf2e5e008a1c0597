/* /chat/{channel}/...: the front door of visitors in front of a page of ours. */
#include <string.h>

#include "api/auth.h"
#include "api/chat.h"
#include "api/chat_stream.h"
#include "api/handlers.h"
#include "api/visitor.h"
#include "base/crypto.h"
#include "base/text.h"
#include "business/calendar.h"
#include "channel.h"
#include "config.h"
#include "pipeline.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { VISITOR_ID_BYTES = 16 };

static const char *view_field(void *context, const char *name)
{
	return http_request_field(context, name);
}

static const char *view_query(void *context, const char *name)
{
	return http_request_query(context, name);
}

static struct chat_call *chat_call(struct api_call *call)
{
	struct chat_call *chat;
	struct channel *channel = api_channel(call);

	if (channel == NULL)
		return NULL;
	if ((channel_connector(channel)->abilities & HAS_VISITORS) == 0) {
		api_problem(call, 404, "no_visitors", "channel \"%s\" has no visitors",
			    call->params[0]);
		return NULL;
	}
	chat = arena_alloc(call->arena, sizeof(*chat));
	chat->channel = channel;
	chat->full_name = arena_format(call->arena, "%s.%s", channel_workspace(channel),
				       channel_name(channel));
	chat->view = (struct request_view){ view_field, view_query, call->request };
	call->state = chat;
	return chat;
}

/* CORS: a page of another origin may call only if the channel lists it. False
 * after having answered 403. */
static bool origin_allowed(struct api_call *call, const struct chat_call *chat)
{
	const char *origin = http_request_field(call->request, "Origin");
	struct visitor_rules rules = { 0 };

	if (origin == NULL)
		return true;
	channel_connector(chat->channel)
		->visitor_rules(chat->channel, loop_unix_ms(call->parts->loop) / 1000, &rules);
	for (size_t i = 0; i < rules.origin_count; i++) {
		if (!text_equal(rules.origins[i], "*") &&
		    !text_equal_nocase(rules.origins[i], origin))
			continue;
		http_request_add_field(call->request, "Access-Control-Allow-Origin", origin);
		http_request_add_field(call->request, "Vary", "Origin");
		return true;
	}
	/* Our own pages send an Origin with POST too. */
	if (http_request_field(call->request, "Host") != NULL && strstr(origin, "://") != NULL &&
	    text_equal_nocase(strstr(origin, "://") + 3, http_request_field(call->request, "Host")))
		return true;
	api_problem(call, 403, "origin_not_allowed",
		    "this origin is not in the channel's list of origins");
	return false;
}

static bool visitor_read(struct api_call *call, struct chat_call *chat)
{
	const char *field = http_request_field(call->request, "Authorization");
	const char *token = NULL;
	struct visitor_seal seal = { call->parts->key, chat->full_name,
				     loop_unix_ms(call->parts->loop) / 1000 };

	if (field != NULL && strncasecmp(field, "Bearer ", 7) == 0)
		token = field + 7;
	else if (text_equal(http_request_method(call->request), "GET"))
		token = api_query(call, "token");
	chat->token = token;
	if (token != NULL && visitor_token_read(&seal, token, call->arena, &chat->visitor))
		return true;
	api_problem(call, 401, "bad_session", "start a session first: POST /chat/%s/sessions",
		    call->params[0]);
	return false;
}

struct chat_call *chat_call_visitor(struct api_call *call)
{
	struct chat_call *chat = chat_call(call);

	if (chat == NULL || !origin_allowed(call, chat) || !visitor_read(call, chat))
		return NULL;
	return chat;
}

void handle_chat_options(struct api_call *call)
{
	struct chat_call *chat = chat_call(call);

	if (chat == NULL || !origin_allowed(call, chat))
		return;
	http_request_add_field(call->request, "Access-Control-Allow-Methods", "GET, POST");
	http_request_add_field(call->request, "Access-Control-Allow-Headers",
			       "Authorization, Content-Type, Last-Event-ID");
	http_request_add_field(call->request, "Access-Control-Max-Age", "600");
	api_empty(call, 204);
}

/* Where the channel names a calendar, its hours are those; one that is not configured never
 * closes. */
static void hours_apply(const struct api_call *call, const struct chat_call *chat,
			struct visitor_rules *rules)
{
	const struct roster *roster = workspace_roster(
		workspace_get(call->parts->workspaces, channel_workspace(chat->channel)));
	int64_t now_ms = loop_unix_ms(call->parts->loop);
	const struct calendar *calendar;
	int64_t opens_ms;

	if (rules->calendar == NULL || roster == NULL)
		return;
	calendar = roster_calendar(roster, rules->calendar);
	if (calendar_is_open(calendar, now_ms)) {
		rules->closed = NULL;
		return;
	}
	opens_ms = calendar_next_change(calendar, now_ms);
	rules->opens_s = opens_ms == INT64_MAX ? 0 : opens_ms / 1000;
}

struct channel *chat_offline_channel(struct api_call *call, const struct chat_call *chat)
{
	struct visitor_rules rules = { 0 };
	struct channel *channel;

	channel_connector(chat->channel)
		->visitor_rules(chat->channel, loop_unix_ms(call->parts->loop) / 1000, &rules);
	if (rules.offline_channel == NULL)
		return NULL;
	channel = channel_find(call->parts->channels, channel_workspace(chat->channel),
			       rules.offline_channel);
	return channel != NULL && (channel_connector(channel)->abilities & ACCEPTS_MAIL) != 0
		       ? channel
		       : NULL;
}

static void session_answer(struct api_call *call, struct chat_call *chat, int status)
{
	struct visitor_rules rules = { 0 };
	struct buf body = { 0 };
	struct json_out out;

	channel_connector(chat->channel)
		->visitor_rules(chat->channel, loop_unix_ms(call->parts->loop) / 1000, &rules);
	hours_apply(call, chat, &rules);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "token", chat->token);
	jw_text(&out, "greeting", rules.greeting);
	jw_text(&out, "closed", rules.closed);
	jw_time(&out, "opens_at", rules.opens_s * 1000);
	jw_bool(&out, "offline_form", chat_offline_channel(call, chat) != NULL);
	jw_object_end(&out);
	api_answer(call, status, &body);
}

static const char *session_token(struct api_call *call, const struct chat_call *chat)
{
	const struct visitor_seal seal = { call->parts->key, chat->full_name,
					   loop_unix_ms(call->parts->loop) / 1000 };
	struct buf token = { 0 };
	const char *copy;

	visitor_token_make(&seal, &chat->visitor, &token);
	copy = arena_text(call->arena, buf_string(&token));
	buf_clear(&token);
	return copy;
}

static void session_start(struct api_call *call)
{
	struct chat_call *chat = call->state;
	unsigned char bytes[VISITOR_ID_BYTES];
	char id[2 * VISITOR_ID_BYTES + 1];
	struct inbound in = { .method = "POST" };
	const char *why = "the identity was refused";

	in.target = http_request_target(call->request);
	in.body = http_request_body(call->request, &in.body_len);
	in.now_s = loop_unix_ms(call->parts->loop) / 1000;
	in.request = &chat->view;
	if (channel_connector(chat->channel)
		    ->visitor_session(chat->channel, &in, call->arena, &chat->visitor, &why) != 0) {
		api_problem(call, 401, "bad_identity", "%s", why);
		return;
	}
	if (chat->visitor.id == NULL) {
		crypto_random(bytes, sizeof(bytes));
		text_hex(bytes, sizeof(bytes), id);
		chat->visitor.id = arena_text(call->arena, id);
		chat->visitor.proof = PROOF_CHANNEL;
	}
	chat->token = session_token(call, chat);
	session_answer(call, chat, 201);
}

static void on_flight(struct flight *flight, bool durable, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;
	const struct passenger *passenger = &flight->passengers[0];

	if (!durable || flight->parsed.message_count != 1) {
		if (flight->status == 503)
			http_request_add_field(call->request, "Retry-After", "2");
		api_problem(call, flight->status == 0 ? 400 : flight->status,
			    flight->code == NULL ? "bad_message" : flight->code, "%s",
			    flight->error.text);
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "message", passenger->message_id);
	jw_object_end(&out);
	api_answer(call, passenger->duplicate ? 200 : 201, &body);
}

static void chat_launch(struct api_call *call, void (*done)(struct flight *, bool, void *))
{
	struct chat_call *chat = call->state;
	struct inbound in = { .method = "POST" };

	in.target = http_request_target(call->request);
	in.body = http_request_body(call->request, &in.body_len);
	in.now_s = loop_unix_ms(call->parts->loop) / 1000;
	in.request = &chat->view;
	in.visitor = &chat->visitor;
	in.id = http_request_id(call->request);
	pipeline_launch(call->parts->pipeline, chat->channel, &in, call->request, done, call);
}

static void message_launch(struct api_call *call)
{
	chat_launch(call, on_flight);
}

static void on_rate(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const struct chat_call *chat = call->state;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "ok"))
		chat->go_on(call);
	else
		api_slow_down(call, reply_int(reply_item(reply, 2)));
}

/* Counted in the store, so that a fleet counts together. */
static void count_one(struct api_call *call, const char *what, const char *whose,
		      int64_t per_minute)
{
	const struct chat_call *chat = call->state;
	struct store_call *rate = store_script("rate", channel_workspace(chat->channel));
	char hash[65];

	auth_hash(arena_format(call->arena, "%s %s", chat->full_name, whose), hash);
	store_key(rate, "rate:%s:%.32s", what, hash);
	store_arg_int(rate, per_minute);
	store_arg_text(rate, arena_format(call->arena, "%.4f", (double)per_minute / 60));
	store_arg_int(rate, 1);
	store_run(call->parts->store, rate, on_rate, call);
}

void chat_rate(struct api_call *call, route_fn *go_on)
{
	struct chat_call *chat = call->state;

	chat->go_on = go_on;
	count_one(call, "visitor", chat->visitor.id,
		  call->parts->config->limits.visitor_messages_per_minute);
}

void handle_chat_session(struct api_call *call)
{
	struct chat_call *chat = chat_call(call);
	char source[HTTP_SOURCE_KEY_BYTES];

	if (chat == NULL || !origin_allowed(call, chat))
		return;
	chat->go_on = session_start;
	if (http_request_source_key(call->request, source))
		count_one(call, "source", source,
			  call->parts->config->limits.visitor_sessions_per_minute);
	else
		session_start(call);
}

void handle_chat_session_get(struct api_call *call)
{
	struct chat_call *chat = chat_call_visitor(call);

	if (chat != NULL)
		session_answer(call, chat, 200);
}

void handle_chat_message(struct api_call *call)
{
	struct chat_call *chat = chat_call_visitor(call);

	if (chat != NULL && chat_files_own(call, chat))
		chat_rate(call, message_launch);
}

static void on_read_flight(struct flight *flight, bool durable, void *context)
{
	struct api_call *call = context;

	if (durable)
		api_empty(call, 204);
	else
		api_problem(call, flight->status == 0 ? 400 : flight->status,
			    flight->code == NULL ? "bad_message" : flight->code, "%s",
			    flight->error.text);
}

static void read_launch(struct api_call *call)
{
	chat_launch(call, on_read_flight);
}

void handle_chat_read(struct api_call *call)
{
	struct chat_call *chat = chat_call_visitor(call);

	if (chat == NULL)
		return;
	chat->go_on = read_launch;
	count_one(call, "reading", chat->visitor.id,
		  call->parts->config->limits.visitor_messages_per_minute);
}

void handle_chat_typing(struct api_call *call)
{
	struct chat_call *chat = chat_call_visitor(call);
	char conversation[ID_BYTES];

	if (chat == NULL)
		return;
	if (visitor_conversation(call->parts->key, chat->channel, &chat->visitor, call->arena,
				 conversation))
		workspace_tell_sign(
			workspace_get(call->parts->workspaces, channel_workspace(chat->channel)),
			SIGN_TYPING, conversation, "customer");
	api_empty(call, 204);
}

void handle_chat_events(struct api_call *call)
{
	struct chat_call *chat = chat_call_visitor(call);
	char conversation[ID_BYTES];

	if (chat == NULL)
		return;
	if (!visitor_conversation(call->parts->key, chat->channel, &chat->visitor, call->arena,
				  conversation)) {
		api_problem(call, 404, "no_conversation", "this session has no conversation");
		return;
	}
	chat_streams_open(api_chat_streams(call->api), call, channel_workspace(chat->channel),
			  conversation);
}
