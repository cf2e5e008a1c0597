/* deliver_sm: into the pipeline, and acknowledged when it is stored. The parts of a long text are
 * acknowledged when they are stored in the channel's cursor, and go into the pipeline as one
 * message once they are all there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smpp_private.h"
#include "sms_udh.h"

enum { RECEIVING_MAX = 1000, HASH_OCTETS = 16, AGAIN_MS = 2000 };

static void answer(struct smpp_session *session, unsigned link, uint32_t status, uint32_t sequence)
{
	unsigned char pdu[SMPP_HEAD + 1];

	if (session->link == link)
		smpp_session_write(session, pdu, smpp_delivered_write(status, sequence, pdu));
}

static void hash_text(const unsigned char hash[32], char ret[SMPP_HASH_BYTES])
{
	for (int i = 0; i < HASH_OCTETS; i++)
		snprintf(ret + (size_t)i * 2, 3, "%02x", hash[i]);
}

/* ---- whole messages ---- */

struct arrival {
	struct smpp_state *state;
	struct smpp_session *session;
	unsigned link;
	uint32_t sequence;
	uint64_t content;
};

static void on_received(bool durable, const char *error, void *context)
{
	struct arrival arrival = *(struct arrival *)context;
	struct smpp_state *state = arrival.state;

	free(context);
	state->receiving--;
	if (!durable && !state->is_closing)
		smpp_host()->log(state->channel, 1, "event=message_not_kept error=\"%s\"",
				 error ? error : "");
	if (durable && arrival.session->link == arrival.link && arrival.session->socket)
		smpp_repeat_answered(state->repeats, arrival.content, arrival.link, smpp_now());
	answer(arrival.session, arrival.link, durable ? SMPP_OK : SMPP_TEMPORARY, arrival.sequence);
}

static void receive(struct smpp_state *state, const char *body, host_received *done, void *context)
{
	const struct inbound in = {
		.method = "",
		.target = "",
		.body = body,
		.body_len = strlen(body),
		.now_s = smpp_now() / 1000,
	};

	state->receiving++;
	smpp_host()->receive(state->channel, &in, done, context);
}

/* The PDU as it came, in hexadecimal. */
static const char *pdu_hex(const struct smpp_pdu *pdu, struct arena *arena)
{
	return smpp_host()->hex(arena, pdu->body - SMPP_HEAD, pdu->body_len + SMPP_HEAD);
}

static void receive_whole(struct smpp_session *session, const struct smpp_pdu *pdu,
			  const unsigned char hash[32])
{
	const struct host *host = smpp_host();
	struct smpp_state *state = session->state;
	struct arena *arena = host->arena_new();
	struct arrival *arrival = malloc(sizeof(*arrival));
	char name[SMPP_HASH_BYTES];
	unsigned copy;

	if (!arrival)
		abort();
	*arrival = (struct arrival){ state, session, session->link, pdu->sequence, 0 };
	memcpy(&arrival->content, hash, sizeof(arrival->content));
	hash_text(hash, name);
	copy = smpp_repeat_copy(state->repeats, arrival->content, session->link, pdu->sequence,
				smpp_now());
	receive(state,
		host->format(arena, "{\"id\":\"sms-%s-%u\",\"total\":1,\"pdus\":[\"%s\"]}", name,
			     copy, pdu_hex(pdu, arena)),
		on_received, arrival);
	host->arena_free(arena);
}

/* ---- the cursor ---- */

static void join_pump(struct smpp_state *state);

static void acks_answer(struct smpp_ack **acks, uint32_t status)
{
	while (*acks) {
		struct smpp_ack *ack = *acks;

		*acks = ack->next;
		answer(ack->session, ack->link, status, ack->sequence);
		free(ack);
	}
}

static void on_written(const char *error, void *context)
{
	struct smpp_state *state = context;
	/* Whoever holds the lease by now has read an older one. */
	bool is_kept = !error && state->is_mine;

	state->is_writing = false;
	acks_answer(&state->acks_writing, is_kept ? SMPP_OK : SMPP_TEMPORARY);
	if (state->is_closing || !state->is_mine)
		return;
	if (error) {
		smpp_host()->log(state->channel, 1, "event=parts_not_kept error=\"%s\"", error);
		state->is_changed = true;
		smpp_wake_by(state, smpp_now() + AGAIN_MS);
		return;
	}
	join_pump(state);
}

static void join_write(struct smpp_state *state)
{
	char *text;

	if (state->is_writing || !state->is_changed || !state->is_mine)
		return;
	state->is_writing = true;
	state->is_changed = false;
	state->acks_writing = state->acks;
	state->acks = NULL;
	text = smpp_join_text(&state->join);
	smpp_host()->cursor_put(state->channel, text, on_written, state);
	free(text);
}

/* ---- long messages ---- */

struct joined {
	struct smpp_state *state;
	char key[SMPP_HASH_BYTES];
	int64_t first_ms;
};

static void on_joined(bool durable, const char *error, void *context)
{
	struct joined joined = *(struct joined *)context;
	struct smpp_state *state = joined.state;
	struct smpp_group *group = smpp_join_find(&state->join, joined.key, joined.first_ms);

	free(context);
	state->receiving--;
	if (state->is_closing || !group)
		return;
	if (durable) {
		smpp_join_done(&state->join, group);
		state->is_changed = true;
		join_write(state);
		return;
	}
	smpp_host()->log(state->channel, 1, "event=message_not_kept error=\"%s\"",
			 error ? error : "");
	group->is_receiving = false;
	group->again_ms = smpp_now() + AGAIN_MS;
	smpp_wake_by(state, group->again_ms);
}

/* The same whenever and wherever it is made of the same parts. */
static const char *joined_id(const struct smpp_group *group, struct arena *arena)
{
	const struct host *host = smpp_host();
	const char *all = host->format(arena, "%s %" PRId64, group->key, group->first_ms);
	unsigned char hash[32];
	char name[SMPP_HASH_BYTES];

	for (unsigned i = 0; i < group->total; i++)
		all = host->format(arena, "%s %s", all, group->fragments[i].hash);
	host->sha256(all, strlen(all), hash);
	hash_text(hash, name);
	return host->format(arena, "sms-%s", name);
}

static void receive_joined(struct smpp_state *state, struct smpp_group *group)
{
	const struct host *host = smpp_host();
	struct arena *arena = host->arena_new();
	struct joined *joined = malloc(sizeof(*joined));
	const char *list = "";

	if (!joined)
		abort();
	joined->state = state;
	joined->first_ms = group->first_ms;
	memcpy(joined->key, group->key, sizeof(joined->key));
	group->is_receiving = true;
	for (unsigned i = 0; i < group->total; i++)
		list = host->format(arena, "%s%s\"%s\"", list, i > 0 ? "," : "",
				    group->fragments[i].hex ? group->fragments[i].hex : "");
	receive(state,
		host->format(arena, "{\"id\":\"%s\",\"total\":%u,\"pdus\":[%s]}",
			     joined_id(group, arena), group->total, list),
		on_joined, joined);
	host->arena_free(arena);
}

static void join_pump(struct smpp_state *state)
{
	struct smpp_group *group;
	int64_t next_ms;

	if (smpp_join_age(&state->join, smpp_settings(state)->parts_wait_ms, smpp_now(), &next_ms))
		state->is_changed = true;
	if (next_ms != INT64_MAX)
		smpp_wake_by(state, next_ms);
	while ((group = smpp_join_ready(&state->join, smpp_now())))
		receive_joined(state, group);
	join_write(state);
}

static void key_of(const struct smpp_sm *sm, const struct sms_part *place, struct arena *arena,
		   char ret[SMPP_HASH_BYTES])
{
	const struct host *host = smpp_host();
	const char *key =
		host->format(arena, "%s|%s|%u|%d|%u", sm->source.value, sm->destination.value,
			     place->ref, place->is_wide, place->total);
	unsigned char hash[32];

	host->sha256(key, strlen(key), hash);
	hash_text(hash, ret);
}

static void ack_later(struct smpp_session *session, uint32_t sequence)
{
	struct smpp_state *state = session->state;
	struct smpp_ack *ack = malloc(sizeof(*ack));

	if (!ack)
		abort();
	*ack = (struct smpp_ack){ state->acks, session, session->link, sequence };
	state->acks = ack;
	state->is_changed = true;
	join_write(state);
}

static void receive_part(struct smpp_session *session, const struct smpp_pdu *pdu,
			 const struct smpp_sm *sm, const struct sms_part *place)
{
	struct smpp_state *state = session->state;
	struct arena *arena = smpp_host()->arena_new();
	char key[SMPP_HASH_BYTES], name[SMPP_HASH_BYTES];
	unsigned char hash[32];
	struct smpp_join_part part = {
		.key = key, .hash = name, .total = place->total, .number = place->number
	};

	smpp_host()->sha256(pdu->body, pdu->body_len, hash);
	hash_text(hash, name);
	key_of(sm, place, arena, key);
	part.hex = pdu_hex(pdu, arena);
	switch (smpp_join_add(&state->join, &part, smpp_now())) {
	case SMPP_JOIN_KEPT:
		ack_later(session, pdu->sequence);
		break;
	case SMPP_JOIN_DONE:
		answer(session, session->link, SMPP_OK, pdu->sequence);
		break;
	case SMPP_JOIN_FULL:
		answer(session, session->link, SMPP_QUEUE_FULL, pdu->sequence);
		join_pump(state); /* the oldest goes on without the rest of it */
		break;
	}
	smpp_host()->arena_free(arena);
}

/* ---- deliver_sm ---- */

void smpp_deliver(struct smpp_session *session, const struct smpp_pdu *pdu)
{
	struct smpp_state *state = session->state;
	struct sms_part place = { 0 };
	unsigned char hash[32];
	struct smpp_sm sm;
	const char *error;
	size_t skip;

	if (session->phase != SMPP_BOUND || state->receiving >= RECEIVING_MAX) {
		answer(session, session->link,
		       session->phase == SMPP_BOUND ? SMPP_QUEUE_FULL : SMPP_TEMPORARY,
		       pdu->sequence);
		return;
	}
	/* What cannot be read is kept as it is. */
	if (smpp_sm_read(pdu, &sm, &error) == 0)
		smpp_part_of(&sm, &place, &skip);
	if (place.total > 1 && place.total <= UINT8_MAX) {
		receive_part(session, pdu, &sm, &place);
		return;
	}
	smpp_host()->sha256(pdu->body, pdu->body_len, hash);
	receive_whole(session, pdu, hash);
}

void smpp_receive_tick(struct smpp_state *state)
{
	join_pump(state);
}

void smpp_receive_stop(struct smpp_state *state)
{
	acks_answer(&state->acks, SMPP_TEMPORARY);
	smpp_join_clear(&state->join);
	state->has_join = false;
}
