/* submit_sm: as many at a time as the window allows, as fast as the rate allows, and each answer to
 * its message. What was written and not answered is never written again. */
#include <stdlib.h>
#include <string.h>

#include "smpp_private.h"

enum {
	QUEUE_MAX = 10000,
	GIVE_UP_MS = 80 * 1000, /* the core counts an attempt as lost after 120 s */
	THROTTLE_FIRST_MS = 1000,
	THROTTLE_MAX_MS = 30 * 1000,
	REFUSALS_MAX = 5,
	AGAIN_MS = 5000,
	TOKEN = 1000,
};

/* ---- the queue ---- */

static void queue_add(struct smpp_state *state, struct smpp_submit *submit, bool is_first)
{
	struct smpp_submit **link = &state->queue;

	while (!is_first && *link)
		link = &(*link)->next;
	submit->next = *link;
	*link = submit;
	state->queued++;
}

static void queue_remove(struct smpp_state *state, struct smpp_submit *submit)
{
	struct smpp_submit **link = &state->queue;

	while (*link && *link != submit)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = submit->next;
	state->queued--;
}

static void part_unlink(struct smpp_submit_part *part)
{
	struct smpp_submit_part **link;

	if (!part->session)
		return;
	link = &part->session->waiting;
	while (*link != part)
		link = &(*link)->next;
	*link = part->next;
	part->session->waiting_count--;
	part->session = NULL;
	part->submit->waiting--;
}

/* The first that must be written; NULL. */
static struct smpp_submit_part *part_next(const struct smpp_submit *submit)
{
	for (size_t i = 0; i < submit->count; i++)
		if (!submit->parts[i].session && !submit->parts[i].is_accepted)
			return &submit->parts[i];
	return NULL;
}

/* ---- how a send ends ---- */

static void submit_drop(struct smpp_state *state, struct smpp_submit *submit)
{
	queue_remove(state, submit);
	for (size_t i = 0; i < submit->count; i++)
		part_unlink(&submit->parts[i]);
	smpp_submit_free(submit);
}

static void submit_fail(struct smpp_state *state, struct smpp_submit *submit,
			enum send_failure failure, const char *code, const char *why)
{
	struct delivery *delivery = submit->delivery;

	submit_drop(state, submit);
	smpp_host()->failed(delivery, failure, code, why, -1);
}

/* It could not go out in time. Nothing of it was written: later again. */
static void submit_give_back(struct smpp_state *state, struct smpp_submit *submit, const char *code,
			     const char *why)
{
	bool is_untouched = submit->accepted == 0 && submit->waiting == 0;

	submit_fail(state, submit, is_untouched ? SEND_RETRY : SEND_UNKNOWN, code, why);
}

void smpp_queue_give_back(struct smpp_state *state, const char *code, const char *why)
{
	while (state->queue)
		submit_give_back(state, state->queue, code, why);
}

void smpp_submit_lost(struct smpp_session *session, const char *why)
{
	while (session->waiting)
		submit_fail(session->state, session->waiting->submit, SEND_UNKNOWN, "no_answer",
			    why);
}

/* ---- writing ---- */

static void tokens_fill(struct smpp_state *state, int64_t rate)
{
	int64_t now_ms = smpp_now();
	int64_t most = rate * TOKEN / 10 > TOKEN ? rate * TOKEN / 10 : TOKEN;
	int64_t passed_ms = now_ms - state->tokens_ms;

	if (passed_ms < 0 || passed_ms > 1000)
		passed_ms = 1000;
	state->tokens += passed_ms * rate * TOKEN / 1000;
	state->tokens = state->tokens < most ? state->tokens : most;
	state->tokens_ms = now_ms;
}

/* Not now: the clock is set for when. */
static bool must_wait(struct smpp_state *state)
{
	int64_t rate = smpp_settings(state)->throughput;

	if (smpp_now() < state->hold_ms) {
		smpp_wake_by(state, state->hold_ms);
		return true;
	}
	if (rate == 0)
		return false;
	tokens_fill(state, rate);
	if (state->tokens >= TOKEN)
		return false;
	smpp_wake_by(state, smpp_now() + 1 + (TOKEN - state->tokens) / rate);
	return true;
}

/* Of the binds that may take one more the one with the fewest; NULL. */
static struct smpp_session *session_free(const struct smpp_state *state)
{
	struct smpp_session *best = NULL;

	for (size_t i = 0; i < state->session_count; i++) {
		struct smpp_session *session = &state->sessions[i];

		if (session->phase != SMPP_BOUND || session->command == SMPP_BIND_RECEIVER ||
		    session->waiting_count >= state->window)
			continue;
		if (!best || session->waiting_count < best->waiting_count)
			best = session;
	}
	return best;
}

static bool part_send(struct smpp_session *session, struct smpp_submit_part *part)
{
	part->sequence = smpp_session_sequence(session);
	smpp_sequence_set(part->pdu, part->sequence);
	if (!smpp_session_write(session, part->pdu, part->len))
		return false;
	part->written_ms = smpp_now();
	part->session = session;
	part->next = session->waiting;
	session->waiting = part;
	session->waiting_count++;
	part->submit->waiting++;
	session->state->tokens -= TOKEN;
	smpp_wake_by(session->state, part->written_ms + smpp_settings(session->state)->response_ms);
	return true;
}

void smpp_pump(struct smpp_state *state)
{
	while (state->queue && state->is_mine) {
		struct smpp_submit *submit = state->queue;
		struct smpp_submit_part *part = part_next(submit);
		struct smpp_session *session;

		if (!part) {
			queue_remove(state, submit); /* all written: the answers end it */
			continue;
		}
		session = session_free(state);
		if (!session || must_wait(state) || !part_send(session, part))
			return;
	}
}

/* ---- answers ---- */

/* Once for all that were under way together. */
static void slow_down(struct smpp_state *state)
{
	int64_t now_ms = smpp_now();

	if (now_ms < state->hold_ms)
		return;
	state->throttle_ms = state->throttle_ms == 0 ? THROTTLE_FIRST_MS : state->throttle_ms * 2;
	if (state->throttle_ms > THROTTLE_MAX_MS)
		state->throttle_ms = THROTTLE_MAX_MS;
	state->hold_ms = now_ms + state->throttle_ms;
	state->window = state->window > 1 ? state->window / 2 : 1;
	state->answers = 0;
	smpp_host()->log(state->channel, 2, "event=throttled wait_ms=%lld window=%lld",
			 (long long)state->throttle_ms, (long long)state->window);
}

static void speed_up(struct smpp_state *state)
{
	state->throttle_ms = 0;
	if (state->window >= smpp_settings(state)->window || ++state->answers < state->window)
		return;
	state->answers = 0;
	state->window++;
}

static void part_accepted(struct smpp_state *state, struct smpp_submit_part *part,
			  const struct smpp_pdu *pdu)
{
	struct smpp_submit *submit = part->submit;
	struct delivery *delivery = submit->delivery;
	char id[SMPP_ID_BYTES];

	speed_up(state);
	part->is_accepted = true;
	submit->accepted++;
	if (part == &submit->parts[submit->count - 1]) {
		smpp_id_read(pdu, id);
		smpp_id_of_response((enum smpp_id_base)smpp_settings(state)->id_base, id,
				    submit->id);
	}
	if (submit->accepted < submit->count)
		return;
	memcpy(id, submit->id, sizeof(id));
	submit_drop(state, submit);
	smpp_host()->sent(delivery, id[0] ? id : NULL);
}

static void part_again(struct smpp_state *state, struct smpp_submit *submit)
{
	queue_remove(state, submit);
	queue_add(state, submit, true);
}

/* Not now, says the provider of this one part; the others of its message may be through. */
static void part_postponed(struct smpp_state *state, struct smpp_submit *submit, const char *code)
{
	bool is_alone = submit->accepted == 0 && submit->waiting == 0;

	if (is_alone || ++submit->refusals > REFUSALS_MAX) {
		submit_give_back(state, submit, code, "the provider cannot take it now");
		return;
	}
	slow_down(state);
	part_again(state, submit);
}

static bool is_for_now(uint32_t status)
{
	return status == SMPP_SYSTEM_ERROR || status == SMPP_SUBMIT_FAILED ||
	       status == SMPP_TEMPORARY || status == SMPP_UNKNOWN_ERROR;
}

static void part_refused(struct smpp_session *session, struct smpp_submit *submit, uint32_t status)
{
	struct smpp_state *state = session->state;
	char room[16];
	const char *code = smpp_status_name(status, room);

	if (status == SMPP_THROTTLED || status == SMPP_QUEUE_FULL) {
		slow_down(state);
		part_again(state, submit);
	} else if (status == SMPP_INVALID_BIND_STATE) {
		part_again(state, submit);
		smpp_session_end(session, "the provider says that we are not bound");
	} else if (is_for_now(status)) {
		part_postponed(state, submit, code);
	} else {
		submit_fail(state, submit, SEND_PERMANENT, code, "the provider refused it");
	}
}

void smpp_submit_answered(struct smpp_session *session, const struct smpp_pdu *pdu)
{
	struct smpp_submit_part *part = session->waiting;
	struct smpp_state *state = session->state;

	while (part && part->sequence != pdu->sequence)
		part = part->next;
	if (!part) {
		/* Its message has ended as uncertain. */
		smpp_host()->log(state->channel, 2, "event=late_answer link=%u status=0x%x",
				 session->link, (unsigned)pdu->status);
		return;
	}
	part_unlink(part);
	if (pdu->status == SMPP_OK && pdu->command != SMPP_RESPONSE)
		part_accepted(state, part, pdu);
	else
		part_refused(session, part->submit, pdu->status);
	smpp_session_settled(session);
	smpp_pump(state);
}

/* ---- the clock ---- */

static void answers_overdue(struct smpp_session *session, int64_t now_ms)
{
	const int64_t wait_ms = smpp_settings(session->state)->response_ms;
	struct smpp_submit_part *part = session->waiting;

	while (part) {
		if (now_ms - part->written_ms < wait_ms) {
			smpp_wake_by(session->state, part->written_ms + wait_ms);
			part = part->next;
			continue;
		}
		submit_fail(session->state, part->submit, SEND_UNKNOWN, "no_answer",
			    "no submit_sm_resp came in time");
		part = session->waiting; /* others of the same message went with it */
	}
}

void smpp_submit_tick(struct smpp_state *state)
{
	int64_t now_ms = smpp_now();

	for (size_t i = 0; i < state->session_count; i++)
		answers_overdue(&state->sessions[i], now_ms);
	while (state->queue && now_ms - state->queue->started_ms >= GIVE_UP_MS)
		submit_give_back(state, state->queue,
				 smpp_bound_count(state) == 0 ? "not_bound" : "throttled",
				 "it could not be handed to the provider in time");
	if (state->queue)
		smpp_wake_by(state, state->queue->started_ms + GIVE_UP_MS);
	smpp_pump(state);
}

void smpp_send(struct channel *channel, const struct outbound *message, struct delivery *delivery)
{
	struct smpp_state *state = smpp_host()->channel_state(channel);
	const char *code = "bad_address", *why = "";
	struct smpp_submit *submit;

	if (!state->is_mine || state->is_refused || state->queued >= QUEUE_MAX) {
		smpp_host()->failed(delivery, SEND_RETRY,
				    state->queued >= QUEUE_MAX ? "queue_full" : "not_bound",
				    "the connection to the provider is not there", AGAIN_MS);
		return;
	}
	submit = smpp_compose(state, message, &code, &why);
	if (!submit) {
		smpp_host()->failed(delivery, SEND_PERMANENT, code, why, -1);
		return;
	}
	submit->delivery = delivery;
	queue_add(state, submit, false);
	smpp_wake_by(state, submit->started_ms + GIVE_UP_MS);
	smpp_pump(state);
}
