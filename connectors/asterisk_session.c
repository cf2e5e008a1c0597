/* The connection to Asterisk: login, what was missed meanwhile, then its events one after the other
 * into the pipeline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asterisk_private.h"

enum {
	PING_MS = 30 * 1000,
	SILENCE_MS = 75 * 1000,
	RETRY_MS = 2000,
	BACKOFF_MS = 1000,
	BACKOFF_MAX_MS = 60 * 1000,
	REFUSED_MS = 5 * 60 * 1000,
	CHANNELS_MAX = 10000,
	WAITING_MAX = 4 * 1024 * 1024, /* bytes of events; more, and reading stops */
	INPUT_MAX = 256 * 1024,
};

/* A block on its way into the pipeline. */
struct asterisk_event {
	struct asterisk_event *next;
	struct channel *channel;
	size_t len;
	char text[];
};

static struct asterisk_state *state_of(const struct channel *channel)
{
	return asterisk_host()->channel_state(channel);
}

static void copy_text(char *to, size_t room, struct ami_text from)
{
	size_t len = from.bytes && from.len < room ? from.len : 0;

	if (len > 0)
		memcpy(to, from.bytes, len);
	to[len] = '\0';
}

/* ---- events, one after the other ---- */

static void events_drop(struct asterisk_state *state)
{
	while (state->first) {
		struct asterisk_event *event = state->first;

		state->first = event->next;
		free(event);
	}
	state->last = NULL;
	state->waiting_bytes = 0;
}

void asterisk_forget(struct asterisk_state *state)
{
	events_drop(state);
	free(state->channels);
	free(state->calls.list);
	state->channels = NULL;
	state->channel_count = 0;
	state->calls = (struct asterisk_calls){ 0 };
	state->knows_calls = false;
}

static void on_calls_kept(const char *error, void *context)
{
	if (error)
		asterisk_host()->log(context, 1, "event=calls_not_kept error=\"%s\"", error);
}

static void calls_keep(struct channel *channel)
{
	const struct host *host = asterisk_host();
	struct arena *arena = host->arena_new();

	host->cursor_put(channel, asterisk_calls_text(host, &state_of(channel)->calls, arena),
			 on_calls_kept, channel);
	host->arena_free(arena);
}

/* A call is forgotten only when its end is stored. */
static void event_stored(struct channel *channel, const struct asterisk_event *event)
{
	struct asterisk_state *state = state_of(channel);
	struct asterisk_call *call;
	struct ami_block block;

	if (ami_read(event->text, event->len, &block) != AMI_BLOCK ||
	    !ami_is(ami_value(&block, "Event"), "Hangup"))
		return;
	call = asterisk_call_find(&state->calls, ami_value(&block, "Uniqueid"));
	if (!call)
		return;
	asterisk_call_drop(&state->calls, call);
	calls_keep(channel);
}

static void event_send(struct channel *channel, host_received *done)
{
	const struct host *host = asterisk_host();
	struct asterisk_state *state = state_of(channel);
	struct inbound in = { .method = "", .target = "", .now_s = host->unix_ms() / 1000 };

	if (state->current || !state->first || !state->is_mine || state->retry_ms > 0)
		return;
	state->current = state->first;
	state->first = state->current->next;
	if (!state->first)
		state->last = NULL;
	in.body = state->current->text;
	in.body_len = state->current->len;
	host->receive(channel, &in, done, state->current);
}

static void event_again(struct asterisk_state *state, struct asterisk_event *event)
{
	event->next = state->first;
	state->first = event;
	if (!state->last)
		state->last = &event->next;
	state->retry_ms = asterisk_host()->unix_ms() + RETRY_MS;
}

static void on_received(bool durable, const char *error, void *context)
{
	const struct host *host = asterisk_host();
	struct asterisk_event *event = context;
	struct channel *channel = event->channel;
	struct asterisk_state *state = state_of(channel);

	state->current = NULL;
	if (!durable && state->is_mine) {
		host->log(channel, 1, "event=not_stored error=\"%s\"", error ? error : "");
		event_again(state, event);
		host->wake(channel, RETRY_MS);
		return;
	}
	state->waiting_bytes -=
		event->len < state->waiting_bytes ? event->len : state->waiting_bytes;
	if (durable && state->is_mine)
		event_stored(channel, event);
	free(event);
	event_send(channel, on_received);
}

/* Our own lines first: of a name that is there twice the first one counts. */
static void event_add(struct channel *channel, struct ami_text id, const char *text, size_t len)
{
	const struct host *host = asterisk_host();
	struct asterisk_state *state = state_of(channel);
	char head[2 * ASTERISK_ID_MAX + 80];
	struct asterisk_event *event;
	size_t head_len;

	snprintf(head, sizeof(head), ASTERISK_TIME ": %lld\r\n" ASTERISK_CALL ": %.*s\r\n",
		 (long long)host->unix_ms(), (int)id.len, id.bytes);
	head_len = strlen(head);
	event = malloc(sizeof(*event) + head_len + len);
	if (!event)
		abort();
	event->next = NULL;
	event->channel = channel;
	event->len = head_len + len;
	memcpy(event->text, head, head_len);
	memcpy(event->text + head_len, text, len);
	if (state->last)
		*state->last = event;
	else
		state->first = event;
	state->last = &event->next;
	state->waiting_bytes += event->len;
	event_send(channel, on_received);
}

/* ---- what is told live ---- */

static bool is_one_of(struct ami_text text, const char *const *words)
{
	for (; *words; words++)
		if (ami_is(text, *words))
			return true;
	return false;
}

static bool queue_is_ours(const struct channel *channel, struct ami_text queue)
{
	const struct asterisk_settings *settings = asterisk_host()->channel_settings(channel);

	for (size_t i = 0; i < settings->queues.count; i++)
		if (ami_is(queue, settings->queues.items[i]))
			return true;
	return settings->queues.count == 0;
}

/* Only a caller who comes, or talks, is somebody new to follow. */
static struct asterisk_call *call_followed(struct channel *channel, const struct ami_block *block)
{
	struct asterisk_state *state = state_of(channel);
	struct ami_text event = ami_value(block, "Event");
	struct ami_text caller = ami_value(block, "Uniqueid");
	struct ami_text id = ami_value(block, "Linkedid");
	struct asterisk_call *call = asterisk_call_find(&state->calls, caller);
	bool is_answer = ami_is(event, "AgentConnect");

	if (call && (call->is_answered || !is_answer))
		return call;
	if (!is_answer && !ami_is(event, "QueueCallerJoin"))
		return NULL;
	call = asterisk_call_add(&state->calls, id.len > 0 ? id : caller, caller);
	if (!call) {
		asterisk_host()->log(channel, 1, "event=call_not_followed calls=%zu",
				     state->calls.count);
		return NULL;
	}
	call->is_answered = is_answer;
	calls_keep(channel);
	return call;
}

static void queue_told(struct channel *channel, const struct ami_block *block, const char *bytes)
{
	struct ami_text id = ami_value(block, "Linkedid");
	const struct asterisk_call *call;

	if (!queue_is_ours(channel, ami_value(block, "Queue")))
		return;
	call = call_followed(channel, block);
	if (call)
		id = (struct ami_text){ call->id, strlen(call->id) };
	else if (id.len == 0)
		id = ami_value(block, "Uniqueid");
	if (id.len > 0 && id.len < ASTERISK_ID_MAX)
		event_add(channel, id, bytes, block->len);
}

/* Of a channel: only the caller's own hangup is the end. */
static void channel_told(struct channel *channel, const struct ami_block *block, const char *bytes)
{
	struct asterisk_state *state = state_of(channel);
	struct asterisk_call *call =
		asterisk_call_find(&state->calls, ami_value(block, "Uniqueid"));

	if (!call && !ami_is(ami_value(block, "Event"), "Hangup"))
		call = asterisk_call_of(&state->calls, ami_value(block, "Linkedid"));
	if (call)
		event_add(channel, (struct ami_text){ call->id, strlen(call->id) }, bytes,
			  block->len);
}

/* ---- what was missed ---- */

/* "PJSIP/101-0000002a" is a channel of the device PJSIP/101. */
static struct ami_text device_of(struct ami_text channel)
{
	size_t len = channel.len;

	while (len > 0 && channel.bytes[len - 1] != '-')
		len--;
	return (struct ami_text){ channel.bytes, len > 0 ? len - 1 : channel.len };
}

static void channel_listed(struct asterisk_state *state, const struct ami_block *block)
{
	struct asterisk_call *call =
		asterisk_call_find(&state->calls, ami_value(block, "Uniqueid"));
	size_t at = state->channel_count;

	if (call) {
		call->is_seen = true;
		copy_text(call->bridge, sizeof(call->bridge), ami_value(block, "BridgeId"));
	}
	if (!state->channels)
		state->channels = calloc(CHANNELS_MAX, sizeof(*state->channels));
	if (!state->channels)
		abort();
	if (at == CHANNELS_MAX)
		return;
	copy_text(state->channels[at].channel, ASTERISK_ID_MAX, ami_value(block, "Uniqueid"));
	copy_text(state->channels[at].id, ASTERISK_ID_MAX, ami_value(block, "Linkedid"));
	copy_text(state->channels[at].bridge, ASTERISK_ID_MAX, ami_value(block, "BridgeId"));
	copy_text(state->channels[at].device, sizeof(state->channels[at].device),
		  device_of(ami_value(block, "Channel")));
	state->channel_count++;
}

/* A caller who waits: perhaps one who came while we were away. */
static void entry_listed(struct channel *channel, const struct ami_block *block, const char *bytes)
{
	struct asterisk_state *state = state_of(channel);
	struct ami_text caller = ami_value(block, "Uniqueid");
	size_t count = state->calls.count;
	struct ami_text id = caller;
	struct asterisk_call *call;

	if (!queue_is_ours(channel, ami_value(block, "Queue")))
		return;
	for (size_t i = 0; i < state->channel_count; i++)
		if (ami_is(caller, state->channels[i].channel) && state->channels[i].id[0])
			id = (struct ami_text){ state->channels[i].id,
						strlen(state->channels[i].id) };
	call = asterisk_call_add(&state->calls, id, caller);
	if (!call)
		return;
	call->is_seen = call->waits = true;
	if (state->calls.count > count)
		calls_keep(channel);
	event_add(channel, (struct ami_text){ call->id, strlen(call->id) }, bytes, block->len);
}

static const char *talks_with(const struct asterisk_state *state, const struct asterisk_call *call)
{
	for (size_t i = 0; call->bridge[0] && i < state->channel_count; i++)
		if (strcmp(state->channels[i].bridge, call->bridge) == 0 &&
		    strcmp(state->channels[i].channel, call->channel) != 0)
			return state->channels[i].device;
	return NULL;
}

/* In the words of the events that nobody heard. */
static void call_settle(struct channel *channel, struct asterisk_call *call)
{
	const struct ami_text id = { call->id, strlen(call->id) };
	const char *device =
		call->is_seen && !call->waits ? talks_with(state_of(channel), call) : NULL;
	char text[6 * ASTERISK_ID_MAX];

	if (!call->is_seen)
		snprintf(text, sizeof(text), "Event: Hangup\r\nUniqueid: %s\r\n\r\n",
			 call->channel);
	else if (device && !call->is_answered)
		snprintf(text, sizeof(text),
			 "Event: AgentConnect\r\nUniqueid: %s\r\nInterface: %s\r\n\r\n",
			 call->channel, device);
	else
		return;
	call->is_answered = call->is_answered || device;
	event_add(channel, id, text, strlen(text));
}

static void lists_ended(struct channel *channel)
{
	const struct host *host = asterisk_host();
	struct asterisk_state *state = state_of(channel);

	for (size_t i = 0; i < state->calls.count; i++)
		call_settle(channel, &state->calls.list[i]);
	calls_keep(channel);
	free(state->channels);
	state->channels = NULL;
	state->channel_count = 0;
	state->stage = ASTERISK_LIVE;
	host->log(channel, 2, "event=connected calls=%zu", state->calls.count);
}

/* ---- the dialogue ---- */

static void say(struct channel *channel, const char *text)
{
	struct asterisk_state *state = state_of(channel);

	/* What cannot be written ends the connection, which is told. */
	if (state->socket)
		asterisk_host()->socket_write(state->socket, text, strlen(text));
}

static void on_calls(const char *value, const char *error, void *context)
{
	struct channel *channel = context;
	struct asterisk_state *state = state_of(channel);

	state->is_reading = false;
	if (!state->is_mine)
		return;
	if (error) {
		asterisk_host()->log(channel, 1, "event=calls_not_read error=\"%s\"", error);
		asterisk_host()->wake(channel, RETRY_MS);
		return;
	}
	asterisk_calls_read(&state->calls, value ? value : "");
	state->knows_calls = true;
	asterisk_host()->wake(channel, 0);
}

static void login_plain(struct channel *channel, struct arena *arena)
{
	const struct asterisk_settings *settings = asterisk_host()->channel_settings(channel);

	say(channel, asterisk_host()->format(arena,
					     "Action: Login\r\nActionID: login\r\nUsername: %s\r\n"
					     "Secret: %s\r\nEvents: agent,call\r\n\r\n",
					     settings->username, settings->secret));
}

static void login_md5(struct channel *channel, struct ami_text challenge, struct arena *arena)
{
	const struct host *host = asterisk_host();
	const struct asterisk_settings *settings = host->channel_settings(channel);
	const char *text = host->format(arena, "%.*s%s", (int)challenge.len, challenge.bytes,
					settings->secret);
	unsigned char hash[16];

	host->md5(text, strlen(text), hash);
	say(channel, host->format(arena,
				  "Action: Login\r\nActionID: login\r\nAuthType: MD5\r\n"
				  "Username: %s\r\nKey: %s\r\nEvents: agent,call\r\n\r\n",
				  settings->username, host->hex(arena, hash, sizeof(hash))));
}

static void banner_read(struct channel *channel)
{
	const struct host *host = asterisk_host();
	const struct asterisk_settings *settings = host->channel_settings(channel);
	struct asterisk_state *state = state_of(channel);
	struct arena *arena = host->arena_new();

	state->stage = settings->auth == ASTERISK_MD5 ? ASTERISK_CHALLENGED : ASTERISK_LOGIN;
	if (settings->auth == ASTERISK_MD5)
		say(channel, "Action: Challenge\r\nActionID: challenge\r\nAuthType: MD5\r\n\r\n");
	else
		login_plain(channel, arena);
	host->arena_free(arena);
}

static void hang_up(struct channel *channel, const char *why, int64_t again_ms)
{
	const struct host *host = asterisk_host();
	struct asterisk_state *state = state_of(channel);

	if (state->socket)
		host->socket_close(state->socket);
	state->socket = NULL;
	state->stage = ASTERISK_AWAY;
	state->channel_count = 0;
	state->connect_ms = host->unix_ms() + again_ms;
	host->log(channel, 1, "event=hung_up why=\"%s\"", why);
	if (state->is_mine)
		host->wake(channel, again_ms);
}

static void trial_end(struct asterisk_state *state, bool ok, const char *phrase)
{
	void (*done)(bool, const char *, void *) = state->tried;

	state->tried = NULL;
	if (done)
		done(ok, phrase, state->trial);
}

static void login_ended(struct channel *channel, bool is_in)
{
	const struct host *host = asterisk_host();
	struct asterisk_state *state = state_of(channel);

	trial_end(state, is_in, is_in ? "the login is accepted" : "the login is refused");
	if (!is_in) {
		host->park(channel, "Asterisk refuses the login: username, secret or its ACL");
		hang_up(channel, "login refused", REFUSED_MS);
		return;
	}
	host->unpark(channel);
	state->backoff_ms = 0;
	state->stage = ASTERISK_CHANNELS;
	for (size_t i = 0; i < state->calls.count; i++)
		state->calls.list[i].is_seen = state->calls.list[i].waits = false;
	state->channel_count = 0;
	say(channel, "Action: CoreShowChannels\r\nActionID: channels\r\n\r\n");
}

/* What ended meanwhile cannot be found out. */
static void channels_unlisted(struct channel *channel)
{
	struct asterisk_state *state = state_of(channel);

	asterisk_host()->log(channel, 1,
			     "event=channels_not_listed why=\"the user needs write = reporting\"");
	for (size_t i = 0; i < state->calls.count; i++)
		state->calls.list[i].is_seen = true;
	state->stage = ASTERISK_QUEUES;
	say(channel, "Action: QueueStatus\r\nActionID: queues\r\n\r\n");
}

static void answer_read(struct channel *channel, const struct ami_block *block)
{
	const struct host *host = asterisk_host();
	struct asterisk_state *state = state_of(channel);
	bool is_ok = ami_is(ami_value(block, "Response"), "Success");
	struct ami_text id = ami_value(block, "ActionID");
	struct arena *arena;

	if (ami_is(id, "challenge") && state->stage == ASTERISK_CHALLENGED && is_ok) {
		arena = host->arena_new();
		state->stage = ASTERISK_LOGIN;
		login_md5(channel, ami_value(block, "Challenge"), arena);
		host->arena_free(arena);
	} else if (ami_is(id, "login") || ami_is(id, "challenge")) {
		login_ended(channel, is_ok && state->stage == ASTERISK_LOGIN);
	} else if (!is_ok && ami_is(id, "channels")) {
		channels_unlisted(channel);
	} else if (!is_ok && ami_is(id, "queues")) {
		lists_ended(channel);
	}
}

static void event_read(struct channel *channel, const struct ami_block *block, const char *bytes)
{
	static const char *const of_queues[] = { "QueueCallerJoin",    "AgentConnect",
						 "QueueCallerAbandon", "AgentComplete",
						 "AgentRingNoAnswer",  NULL };
	static const char *const of_channels[] = { "Hangup", "Hold", "Unhold", NULL };
	struct asterisk_state *state = state_of(channel);
	struct ami_text event = ami_value(block, "Event");

	if (state->stage < ASTERISK_CHANNELS)
		return;
	if (is_one_of(event, of_queues)) {
		queue_told(channel, block, bytes);
	} else if (is_one_of(event, of_channels)) {
		channel_told(channel, block, bytes);
	} else if (ami_is(event, "CoreShowChannel")) {
		channel_listed(state, block);
	} else if (ami_is(event, "QueueEntry")) {
		entry_listed(channel, block, bytes);
	} else if (ami_is(event, "CoreShowChannelsComplete")) {
		state->stage = ASTERISK_QUEUES;
		say(channel, "Action: QueueStatus\r\nActionID: queues\r\n\r\n");
	} else if (ami_is(event, "QueueStatusComplete")) {
		lists_ended(channel);
	}
}

/* How much of the bytes was read; broken bytes have hung up. */
static size_t block_read(struct channel *channel, const char *bytes, size_t len)
{
	struct asterisk_state *state = state_of(channel);
	struct ami_block block;
	size_t used = 0;

	if (state->stage == ASTERISK_BANNER) {
		enum ami_result result = ami_read_banner(bytes, len, &used);

		if (result == AMI_BROKEN)
			hang_up(channel, "this is no AMI", REFUSED_MS);
		else if (result == AMI_BLOCK)
			banner_read(channel);
		return result == AMI_BLOCK ? used : 0;
	}
	switch (ami_read(bytes, len, &block)) {
	case AMI_BLOCK:
		if (ami_value(&block, "Event").bytes)
			event_read(channel, &block, bytes);
		else
			answer_read(channel, &block);
		return block.len;
	case AMI_BAD:
		asterisk_host()->log(channel, 1, "event=unreadable_block bytes=%zu", block.len);
		return block.len;
	case AMI_BROKEN:
		hang_up(channel, "what came is no AMI", REFUSED_MS);
		return 0;
	case AMI_MORE:
		break;
	}
	return 0;
}

static size_t on_bytes(struct host_socket *socket, const void *bytes, size_t len, void *context)
{
	struct channel *channel = context;
	struct asterisk_state *state = state_of(channel);
	size_t used = 0;

	(void)socket;
	state->heard_ms = asterisk_host()->unix_ms();
	while (state->socket && used < len && state->waiting_bytes < WAITING_MAX) {
		size_t one = block_read(channel, (const char *)bytes + used, len - used);

		if (one == 0)
			break;
		used += one;
	}
	return used;
}

static void on_connected(struct host_socket *socket, void *context)
{
	struct asterisk_state *state = state_of(context);

	(void)socket;
	state->heard_ms = asterisk_host()->unix_ms();
	state->stage = ASTERISK_BANNER;
}

static void on_ended(const char *why, void *context)
{
	struct channel *channel = context;
	struct asterisk_state *state = state_of(channel);
	int64_t again_ms = state->backoff_ms > 0 ? state->backoff_ms : BACKOFF_MS;

	state->socket = NULL;
	state->backoff_ms = 2 * again_ms < BACKOFF_MAX_MS ? 2 * again_ms : BACKOFF_MAX_MS;
	trial_end(state, false, why);
	hang_up(channel, why, again_ms);
}

static void connect_now(struct channel *channel)
{
	const struct host *host = asterisk_host();
	const struct asterisk_settings *settings = host->channel_settings(channel);
	struct asterisk_state *state = state_of(channel);
	const struct host_socket_open open = {
		.host = settings->host,
		.port = (int)settings->port,
		.tls = settings->tls,
		.ca_file = settings->ca_file,
		.input_max = INPUT_MAX,
		.connected = on_connected,
		.received = on_bytes,
		.ended = on_ended,
		.context = channel,
	};

	state->heard_ms = state->pinged_ms = host->unix_ms();
	state->socket = host->socket_open(channel, &open);
}

/* ---- time ---- */

static void tick(struct channel *channel)
{
	const struct host *host = asterisk_host();
	struct asterisk_state *state = state_of(channel);
	int64_t now_ms = host->unix_ms();

	if (state->retry_ms > 0 && now_ms >= state->retry_ms) {
		state->retry_ms = 0;
		event_send(channel, on_received);
	}
	if (!state->socket) {
		if (now_ms >= state->connect_ms)
			connect_now(channel);
	} else if (now_ms - state->heard_ms >= SILENCE_MS) {
		hang_up(channel, "nothing was heard", 0);
		return;
	} else if (state->stage == ASTERISK_LIVE && now_ms - state->pinged_ms >= PING_MS) {
		state->pinged_ms = now_ms;
		say(channel, "Action: Ping\r\nActionID: ping\r\n\r\n");
	}
	if (state->retry_ms > 0)
		host->wake(channel, RETRY_MS);
	else if (state->socket)
		host->wake(channel, PING_MS);
	else
		host->wake(channel, state->connect_ms - now_ms);
}

void asterisk_poll(struct channel *channel, bool lost)
{
	const struct host *host = asterisk_host();
	struct asterisk_state *state = state_of(channel);

	state->is_mine = !lost;
	if (lost) {
		if (state->socket)
			host->socket_close(state->socket);
		state->socket = NULL;
		state->stage = ASTERISK_AWAY;
		state->retry_ms = 0;
		trial_end(state, false, "another instance has the connection");
		asterisk_forget(state);
		return;
	}
	if (state->knows_calls) {
		tick(channel);
	} else if (!state->is_reading) {
		state->is_reading = true;
		host->cursor_get(channel, on_calls, channel);
	}
}

void asterisk_test(struct channel *channel,
		   void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	struct asterisk_state *state = state_of(channel);

	if (state->stage >= ASTERISK_CHANNELS) {
		done(true, "the connection is there", context);
	} else if (!state->is_mine) {
		done(false, "another instance has the connection: ask it", context);
	} else if (state->tried) {
		done(false, "a try is under way", context);
	} else {
		state->tried = done;
		state->trial = context;
		state->connect_ms = 0;
		asterisk_host()->wake(channel, 0);
	}
}
