/* Connections and binds: connect, bind, keep alive, come back after a break. */
#include <stdlib.h>
#include <string.h>

#include "smpp_private.h"

enum {
	BIND_MS = 30 * 1000,
	BACKOFF_MAX_MS = 60 * 1000,
	GOODBYE_MS = 5 * 1000,
	PDU_ROOM = 256,
};

struct smpp_trial {
	void (*done)(bool ok, const char *phrase, void *context);
	void *context;
};

size_t smpp_bound_count(const struct smpp_state *state)
{
	size_t count = 0;

	for (size_t i = 0; i < state->session_count; i++)
		count += state->sessions[i].phase == SMPP_BOUND;
	return count;
}

uint32_t smpp_session_sequence(struct smpp_session *session)
{
	session->sequence = session->sequence >= SMPP_SEQUENCE_MAX ? 1 : session->sequence + 1;
	return session->sequence;
}

bool smpp_session_write(struct smpp_session *session, const void *bytes, size_t len)
{
	return session->socket && smpp_host()->socket_write(session->socket, bytes, len);
}

static void write_head(struct smpp_session *session, uint32_t command, uint32_t status,
		       uint32_t sequence)
{
	unsigned char head[SMPP_HEAD];

	smpp_session_write(session, head, smpp_head_write(command, status, sequence, head));
}

/* ---- a trial: a bind that is only looked at ---- */

static void trial_end(struct smpp_session *session, bool ok, const char *why)
{
	struct smpp_state *state = session->state;
	struct smpp_session **link = &state->trials;
	struct smpp_trial trial = *session->trial;

	while (*link != session)
		link = &(*link)->next;
	*link = session->next;
	if (session->socket)
		smpp_host()->socket_close(session->socket);
	free(session->trial);
	free(session);
	if (ok && state->is_refused) {
		state->is_refused = false;
		for (size_t i = 0; i < state->session_count; i++)
			state->sessions[i].next_try_ms = 0;
		smpp_wake_by(state, 0);
	}
	trial.done(ok, why, trial.context);
}

/* ---- the end ---- */

static int64_t jittered(int64_t delay_ms)
{
	unsigned char byte;

	smpp_host()->random(&byte, sizeof(byte));
	return delay_ms + delay_ms * byte / 1024;
}

static void try_again_later(struct smpp_session *session)
{
	const struct smpp_settings *settings = smpp_settings(session->state);

	if (session->backoff_ms < settings->reconnect_ms)
		session->backoff_ms = settings->reconnect_ms;
	session->next_try_ms = smpp_now() + jittered(session->backoff_ms);
	if (session->backoff_ms < BACKOFF_MAX_MS)
		session->backoff_ms *= 2;
	smpp_wake_by(session->state, session->next_try_ms);
}

/* The socket is gone already, or is closed here. */
static void go_down(struct smpp_session *session, const char *why)
{
	struct smpp_state *state = session->state;

	if (session->trial) {
		trial_end(session, false, why);
		return;
	}
	if (!state->is_closing)
		smpp_host()->log(state->channel, session->phase == SMPP_LEAVING ? 2 : 1,
				 "event=link_ended link=%u waiting=%lld why=\"%s\"", session->link,
				 (long long)session->waiting_count, why);
	session->phase = SMPP_DOWN;
	session->due_ms = 0;
	session->unbind_sequence = 0;
	session->is_unbound = false;
	if (session->socket)
		smpp_host()->socket_close(session->socket);
	session->socket = NULL;
	smpp_repeat_lost(state->repeats, session->link, smpp_now());
	smpp_submit_lost(session, why);
	if (state->is_mine && !state->is_closing)
		try_again_later(session);
}

void smpp_session_end(struct smpp_session *session, const char *why)
{
	if (session->phase != SMPP_DOWN)
		go_down(session, why);
}

static void on_ended(const char *why, void *context)
{
	struct smpp_session *session = context;

	session->socket = NULL;
	go_down(session, why);
}

void smpp_session_settled(struct smpp_session *session)
{
	if (session->phase != SMPP_LEAVING || session->waiting_count > 0)
		return;
	if (session->is_unbound)
		smpp_session_end(session, "unbound");
	if (session->unbind_sequence == 0)
		return;
	write_head(session, SMPP_UNBIND | SMPP_RESPONSE, SMPP_OK, session->unbind_sequence);
	session->unbind_sequence = 0;
}

static void leaving(struct smpp_session *session)
{
	session->phase = SMPP_LEAVING;
	session->due_ms = smpp_now() + GOODBYE_MS;
	smpp_wake_by(session->state, session->due_ms);
}

void smpp_session_leave(struct smpp_session *session)
{
	if (session->phase == SMPP_CONNECTING || session->phase == SMPP_BINDING) {
		smpp_session_end(session, "the channel stops here");
	} else if (session->phase == SMPP_BOUND) {
		write_head(session, SMPP_UNBIND, SMPP_OK, smpp_session_sequence(session));
		leaving(session);
	}
}

/* ---- bound, or not ---- */

static void refused_for_good(struct smpp_session *session, const char *why)
{
	struct smpp_state *state = session->state;

	state->is_refused = true;
	for (size_t i = 0; i < state->session_count; i++)
		smpp_session_end(&state->sessions[i], why);
	smpp_queue_give_back(state, "bind_refused", why);
	smpp_host()->park(state->channel, why);
}

static bool is_for_good(const struct smpp_session *session, uint32_t status)
{
	bool is_first = smpp_bound_count(session->state) == 0;

	/* Beside others that are bound it may only be one too many. */
	return is_first && (status == SMPP_BIND_FAILED || status == SMPP_INVALID_PASSWORD ||
			    status == SMPP_INVALID_SYSTEM_ID || status == SMPP_INVALID_SYSTEM_TYPE);
}

static void on_refused(struct smpp_session *session, uint32_t status)
{
	struct smpp_state *state = session->state;
	struct arena *arena = smpp_host()->arena_new();
	char room[16];
	const char *why = smpp_host()->format(
		arena, "the provider refuses the bind: %s",
		status == SMPP_ALREADY_BOUND ? "already_bound" : smpp_status_name(status, room));

	if (session->trial)
		trial_end(session, status == SMPP_ALREADY_BOUND || smpp_bound_count(state) > 0,
			  why);
	else if (is_for_good(session, status))
		refused_for_good(session, why);
	else
		smpp_session_end(session, why);
	smpp_host()->arena_free(arena);
}

static void on_bound(struct smpp_session *session, const struct smpp_pdu *pdu)
{
	struct smpp_state *state = session->state;
	char name[SMPP_ID_BYTES];

	smpp_id_read(pdu, name);
	session->due_ms = 0;
	if (session->trial) {
		write_head(session, SMPP_UNBIND, SMPP_OK, smpp_session_sequence(session));
		trial_end(session, true, "the bind is accepted");
		return;
	}
	session->phase = SMPP_BOUND;
	session->backoff_ms = 0;
	smpp_host()->log(state->channel, 2, "event=bound link=%u binds=%zu", session->link,
			 smpp_bound_count(state));
	smpp_host()->unpark(state->channel);
	smpp_tick(state);
}

static void while_binding(struct smpp_session *session, const struct smpp_pdu *pdu)
{
	bool is_answer =
		pdu->command == (session->command | SMPP_RESPONSE) || pdu->command == SMPP_RESPONSE;

	if (is_answer && pdu->command != SMPP_RESPONSE && pdu->status == SMPP_OK)
		on_bound(session, pdu);
	else if (is_answer)
		on_refused(session, pdu->status);
	else if (pdu->command == SMPP_ENQUIRE_LINK)
		write_head(session, SMPP_ENQUIRE_LINK | SMPP_RESPONSE, SMPP_OK, pdu->sequence);
	else if ((pdu->command & SMPP_RESPONSE) == 0)
		write_head(session, pdu->command | SMPP_RESPONSE, SMPP_INVALID_BIND_STATE,
			   pdu->sequence);
}

/* ---- what comes over a bind ---- */

static void on_unbind(struct smpp_session *session, const struct smpp_pdu *pdu)
{
	session->unbind_sequence = pdu->sequence;
	if (session->phase == SMPP_BOUND)
		leaving(session);
	smpp_session_settled(session);
}

static void on_unbound(struct smpp_session *session)
{
	session->is_unbound = true;
	smpp_session_settled(session);
}

static void on_request(struct smpp_session *session, const struct smpp_pdu *pdu)
{
	switch (pdu->command) {
	case SMPP_DELIVER_SM:
		smpp_deliver(session, pdu);
		break;
	case SMPP_ENQUIRE_LINK:
		write_head(session, SMPP_ENQUIRE_LINK | SMPP_RESPONSE, SMPP_OK, pdu->sequence);
		break;
	case SMPP_UNBIND:
		on_unbind(session, pdu);
		break;
	case SMPP_OUTBIND:
	case SMPP_ALERT_NOTIFICATION:
		break; /* have no answer */
	default:
		write_head(session, SMPP_RESPONSE, SMPP_INVALID_COMMAND, pdu->sequence);
	}
}

static void while_bound(struct smpp_session *session, const struct smpp_pdu *pdu)
{
	if ((pdu->command & SMPP_RESPONSE) == 0)
		on_request(session, pdu);
	else if (pdu->command == (SMPP_SUBMIT_SM | SMPP_RESPONSE) || pdu->command == SMPP_RESPONSE)
		smpp_submit_answered(session, pdu);
	else if (pdu->command == (SMPP_ENQUIRE_LINK | SMPP_RESPONSE) &&
		 session->phase == SMPP_BOUND)
		session->due_ms = 0;
	else if (pdu->command == (SMPP_UNBIND | SMPP_RESPONSE))
		on_unbound(session);
}

/* Callbacks may end the session, and a trial with its memory: `link` tells. */
static size_t on_received(struct host_socket *socket, const void *bytes, size_t len, void *context)
{
	struct smpp_session *session = context;
	const unsigned char *at = bytes;
	size_t taken = 0;

	session->heard_ms = smpp_now();
	for (;;) {
		struct smpp_pdu pdu;
		size_t pdu_len;
		enum smpp_frame frame = smpp_pdu_read(at + taken, len - taken, &pdu, &pdu_len);
		bool is_trial = session->trial != NULL;

		if (frame == SMPP_BROKEN) {
			smpp_session_end(session, "what came is no SMPP");
			return len;
		}
		if (frame == SMPP_PART)
			return taken;
		taken += pdu_len;
		if (session->phase == SMPP_BINDING)
			while_binding(session, &pdu);
		else
			while_bound(session, &pdu);
		if (is_trial || session->socket != socket)
			return len;
	}
}

/* ---- going up ---- */

static void on_connected(struct host_socket *socket, void *context)
{
	struct smpp_session *session = context;
	const struct smpp_settings *settings = smpp_settings(session->state);
	const struct smpp_bind bind = {
		.command = session->command,
		.system_id = settings->system_id,
		.password = settings->password ? settings->password : "",
		.system_type = settings->system_type ? settings->system_type : "",
		.range = settings->address_range ? settings->address_range : "",
	};
	unsigned char pdu[PDU_ROOM];
	size_t len = smpp_bind_write(&bind, smpp_session_sequence(session), pdu, sizeof(pdu));

	(void)socket;
	session->phase = SMPP_BINDING;
	session->heard_ms = smpp_now();
	session->due_ms = smpp_now() + BIND_MS;
	smpp_session_write(session, pdu, len);
	smpp_wake_by(session->state, session->due_ms);
}

static void session_connect(struct smpp_session *session)
{
	struct smpp_state *state = session->state;
	const struct smpp_settings *settings = smpp_settings(state);
	const struct host_socket_open open = {
		.host = settings->host,
		.port = (int)settings->port,
		.tls = settings->tls,
		.ca_file = settings->ca_file && settings->ca_file[0] ? settings->ca_file : NULL,
		.connected = on_connected,
		.received = on_received,
		.ended = on_ended,
		.context = session,
	};

	session->phase = SMPP_CONNECTING;
	session->link = ++state->links;
	session->sequence = 0;
	session->socket = smpp_host()->socket_open(state->channel, &open);
}

static void keep_alive(struct smpp_session *session, int64_t now_ms)
{
	const struct smpp_settings *settings = smpp_settings(session->state);
	int64_t ask_ms = session->heard_ms + settings->enquire_ms;

	if (session->due_ms == 0 && now_ms >= ask_ms) {
		write_head(session, SMPP_ENQUIRE_LINK, SMPP_OK, smpp_session_sequence(session));
		session->due_ms = now_ms + settings->answer_ms;
	}
	smpp_wake_by(session->state, session->due_ms > 0 ? session->due_ms : ask_ms);
}

void smpp_session_tick(struct smpp_session *session)
{
	int64_t now_ms = smpp_now();

	if (session->due_ms > 0 && now_ms >= session->due_ms) {
		smpp_session_end(session, "the provider does not answer");
		return;
	}
	switch (session->phase) {
	case SMPP_DOWN:
		if (session->state->is_refused || !session->state->is_mine)
			return;
		if (now_ms >= session->next_try_ms)
			session_connect(session);
		else
			smpp_wake_by(session->state, session->next_try_ms);
		return;
	case SMPP_BOUND:
		keep_alive(session, now_ms);
		return;
	case SMPP_CONNECTING:
	case SMPP_BINDING:
	case SMPP_LEAVING:
		if (session->due_ms > 0)
			smpp_wake_by(session->state, session->due_ms);
		return;
	}
}

void smpp_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
	       void *context)
{
	struct smpp_state *state = smpp_host()->channel_state(channel);
	struct smpp_session *session = calloc(1, sizeof(*session));
	struct smpp_trial *trial = malloc(sizeof(*trial));

	if (!session || !trial)
		abort();
	*trial = (struct smpp_trial){ done, context };
	session->state = state;
	session->trial = trial;
	session->command = state->sessions[0].command;
	session->next = state->trials;
	state->trials = session;
	session_connect(session);
}
