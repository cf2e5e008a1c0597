#include "store/lease.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "services/loop.h"
#include "store/placement.h"
#include "store/store.h"

enum {
	TICK_MS = 1000,
	LEASE_MS = 5000,
	/* Given up by the holder itself well before Redis gives it to another. */
	LOST_AFTER_MS = 3500,
	DEAD_AFTER_MS = 4000,      /* of an instance without a beat */
	HANDOVER_AFTER_MS = 10000, /* a better placed instance lives this long */
	RANK_MS = 1500,            /* a free lease is left to those placed better */
	BATCH = 60,
	FENCE_BYTES = 16,
};

LIST_HEAD(lease_list, lease);

struct leases {
	struct loop *loop;
	struct store *store;
	char *instance;
	char *ours; /* this instance and its dead forerunners, parted by spaces: what they held */
	struct loop_timer *tick;
	struct lease_list list; /* those of one workspace side by side */
	char **alive;           /* instances, this one too */
	size_t alive_count;     /* 0: not known yet */
	int alive_epoch;        /* counts changes of alive */
	int64_t beat_ms;        /* when the last beat was sent */
	int pending;            /* calls under way */
	bool is_closed;
};

struct lease {
	LIST_ENTRY(lease) link;
	struct leases *leases;
	char *workspace;
	char *name;
	lease_change_fn *on_change;
	void *context;
	bool is_held;
	bool is_asking;
	bool is_dropped;
	int pending;
	int turn; /* counts wins: an old renewal says nothing about a new one */
	char fence[2 * FENCE_BYTES + 1];
	int64_t renewed_ms; /* when the last renewal that succeeded was sent */
	int64_t try_ms;
	int64_t free_since_ms; /* 0: held by somebody, as far as known */
	int64_t misplaced_ms;  /* held, but another is placed better, since; 0: no */
	int handover_epoch;
};

/* --- memory --- */

static void leases_release(struct leases *leases)
{
	if (!leases->is_closed || leases->pending > 0)
		return;
	for (size_t i = 0; i < leases->alive_count; i++)
		free(leases->alive[i]);
	free(leases->alive);
	free(leases->instance);
	free(leases->ours);
	free(leases);
}

static void lease_release(struct lease *lease)
{
	if (!lease->is_dropped || lease->pending > 0)
		return;
	free(lease->workspace);
	free(lease->name);
	free(lease);
}

static void call_starts(struct lease *lease)
{
	lease->pending++;
	lease->leases->pending++;
}

/* The last thing a done does: both may be gone afterwards. */
static void call_ended(struct lease *lease)
{
	struct leases *leases = lease->leases;

	lease->pending--;
	leases->pending--;
	lease_release(lease);
	leases_release(leases);
}

/* --- winning and losing --- */

static void add_value(struct store_call *call, const struct lease *lease)
{
	char value[256];

	snprintf(value, sizeof(value), "%s %s", lease->fence, lease->leases->instance);
	store_arg_text(call, value);
}

static void on_given_back(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)err; /* it ends by itself then */
	(void)context;
}

static void give_back(struct lease *lease)
{
	struct store_call *call = store_script("lease_drop", lease->workspace);

	store_key(call, "lease:%s", lease->name);
	store_arg_text(call, "");
	add_value(call, lease);
	store_run(lease->leases->store, call, on_given_back, NULL);
	lease->fence[0] = '\0';
}

static void lease_lost(struct lease *lease, const char *why)
{
	if (!lease->is_held)
		return;
	log_warn("lease", "event=lost workspace=%s name=%s why=%s", lease->workspace, lease->name,
		 why);
	lease->is_held = false;
	lease->fence[0] = '\0';
	lease->misplaced_ms = 0;
	lease->try_ms = loop_now_ms(lease->leases->loop);
	lease->on_change(false, NULL, lease->context);
}

static void lease_won(struct lease *lease, int64_t sent_ms)
{
	lease->is_held = true;
	lease->turn++;
	lease->renewed_ms = sent_ms;
	lease->misplaced_ms = 0;
	lease->free_since_ms = 0;
	log_info("lease", "event=held workspace=%s name=%s", lease->workspace, lease->name);
	lease->on_change(true, lease->fence, lease->context);
}

/* --- taking --- */

struct attempt {
	struct lease *lease;
	int64_t sent_ms;
};

static int64_t clamp_wait(int64_t ms)
{
	if (ms < 10)
		return 10;
	return ms > TICK_MS ? TICK_MS : ms;
}

static void arm_tick(struct leases *leases);

static void on_taken(const struct store_reply *reply, const struct error *err, void *context)
{
	struct attempt attempt = *(struct attempt *)context;
	struct lease *lease = attempt.lease;
	int64_t now = loop_now_ms(lease->leases->loop);

	free(context);
	lease->is_asking = false;
	lease->try_ms = now + TICK_MS;
	if (err != NULL) {
		/* It may have been taken: the same fence is tried again. */
	} else if (!reply_is(reply, "ok")) {
		lease->fence[0] = '\0';
		lease->try_ms = now + clamp_wait(reply_int(reply_item(reply, 2)) + 10);
	} else if (lease->is_dropped) {
		give_back(lease);
	} else if (now - attempt.sent_ms >= LOST_AFTER_MS) {
		lease->try_ms = now;
	} else {
		lease_won(lease, attempt.sent_ms);
	}
	if (!lease->leases->is_closed)
		arm_tick(lease->leases);
	call_ended(lease);
}

static void new_fence(struct lease *lease)
{
	unsigned char bytes[FENCE_BYTES];

	crypto_random(bytes, sizeof(bytes));
	text_hex(bytes, sizeof(bytes), lease->fence);
}

static struct attempt *attempt_new(struct lease *lease)
{
	struct attempt *attempt = memory_new(sizeof(*attempt));

	attempt->lease = lease;
	attempt->sent_ms = loop_now_ms(lease->leases->loop);
	lease->is_asking = true;
	call_starts(lease);
	return attempt;
}

static void lease_take(struct lease *lease)
{
	struct store_call *call = store_script("lease_take", lease->workspace);

	if (lease->fence[0] == '\0')
		new_fence(lease);
	store_key(call, "lease:%s", lease->name);
	add_value(call, lease);
	store_arg_int(call, LEASE_MS);
	store_arg_text(call, lease->leases->ours);
	store_run(lease->leases->store, call, on_taken, attempt_new(lease));
}

/* Somebody else is placed better: only look, and take what stays free. */
static void on_looked(const struct store_reply *reply, const struct error *err, void *context)
{
	struct attempt attempt = *(struct attempt *)context;
	struct lease *lease = attempt.lease;
	int64_t now = loop_now_ms(lease->leases->loop);
	int64_t left_ms = reply_int(reply);

	free(context);
	lease->is_asking = false;
	lease->try_ms = now + TICK_MS;
	if (err == NULL && left_ms < 0) {
		if (lease->free_since_ms == 0)
			lease->free_since_ms = now;
		lease->try_ms = now + TICK_MS / 2;
	} else if (err == NULL) {
		lease->free_since_ms = 0;
		lease->try_ms = now + clamp_wait(left_ms + 10);
	}
	if (!lease->leases->is_closed)
		arm_tick(lease->leases);
	call_ended(lease);
}

static void lease_look(struct lease *lease)
{
	struct store_call *call = store_command("PTTL");

	store_arg_key(call, lease->workspace, "lease:%s", lease->name);
	store_read(lease->leases->store, call, on_looked, attempt_new(lease));
}

static size_t lease_rank(const struct lease *lease)
{
	const struct leases *leases = lease->leases;

	return placement_rank((const char *const *)leases->alive, leases->alive_count,
			      leases->instance, lease->workspace, lease->name);
}

static void lease_try(struct lease *lease, int64_t now)
{
	int64_t rank = (int64_t)lease_rank(lease);

	if (rank == 0 ||
	    (lease->free_since_ms != 0 && now - lease->free_since_ms >= rank * RANK_MS))
		lease_take(lease);
	else
		lease_look(lease);
}

/* --- keeping --- */

struct renewal {
	int64_t sent_ms;
	size_t count;
	struct {
		struct lease *lease;
		int turn;
	} items[BATCH];
};

static void on_renewed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct renewal *renewal = context;

	for (size_t i = 0; i < renewal->count; i++) {
		struct lease *lease = renewal->items[i].lease;
		bool is_current = lease->is_held && lease->turn == renewal->items[i].turn;

		if (err == NULL && is_current && !lease->is_dropped) {
			if (reply_int(reply_item(reply, i + 1)) == 1)
				lease->renewed_ms = renewal->sent_ms;
			else
				lease_lost(lease, "taken");
		}
		call_ended(lease);
	}
	free(renewal);
}

/* Renews those of one workspace, from `lease` on; returns the first one that is left. */
static struct lease *renew_some(struct leases *leases, struct lease *lease, int64_t now)
{
	struct renewal *renewal = memory_new(sizeof(*renewal));
	const char *workspace = lease->workspace;
	struct store_call *call = store_script("lease_renew", workspace);

	renewal->sent_ms = now;
	for (; lease != NULL && renewal->count < BATCH && strcmp(lease->workspace, workspace) == 0;
	     lease = LIST_NEXT(lease, link)) {
		if (!lease->is_held)
			continue;
		renewal->items[renewal->count].lease = lease;
		renewal->items[renewal->count++].turn = lease->turn;
		store_key(call, "lease:%s", lease->name);
		call_starts(lease);
	}
	store_arg_int(call, LEASE_MS);
	for (size_t i = 0; i < renewal->count; i++)
		add_value(call, renewal->items[i].lease);
	store_run(leases->store, call, on_renewed, renewal);
	return lease;
}

static void renew_all(struct leases *leases, int64_t now)
{
	struct lease *lease = LIST_FIRST(&leases->list);

	while (lease != NULL) {
		if (lease->is_held)
			lease = renew_some(leases, lease, now);
		else
			lease = LIST_NEXT(lease, link);
	}
}

/* --- who lives --- */

static void take_alive(struct leases *leases, const struct store_reply *reply)
{
	size_t count = reply_count(reply) - 1;
	bool is_same = count == leases->alive_count;
	struct lease *lease;

	for (size_t i = 0; is_same && i < count; i++)
		is_same = text_equal(leases->alive[i], reply_text(reply_item(reply, i + 1), NULL));
	if (is_same)
		return;
	for (size_t i = 0; i < leases->alive_count; i++)
		free(leases->alive[i]);
	leases->alive = memory_grow(leases->alive, count, sizeof(leases->alive[0]));
	for (size_t i = 0; i < count; i++)
		leases->alive[i] = memory_text(reply_text(reply_item(reply, i + 1), NULL));
	leases->alive_count = count;
	leases->alive_epoch++;
	LIST_FOREACH (lease, &leases->list, link)
		lease->try_ms = 0;
}

static void on_beat(const struct store_reply *reply, const struct error *err, void *context)
{
	struct leases *leases = context;

	leases->pending--;
	if (err == NULL && reply_count(reply) > 1 && !leases->is_closed) {
		take_alive(leases, reply);
		arm_tick(leases);
	}
	leases_release(leases);
}

static void beat(struct leases *leases, const char *instance, int64_t dead_after_ms)
{
	struct store_call *call = store_script("instance_beat", "converge");

	store_key(call, "instances");
	store_arg_text(call, instance);
	store_arg_int(call, dead_after_ms);
	leases->pending++;
	store_run(leases->store, call, on_beat, leases);
}

/* --- the tick --- */

/* An instance that joined gets what it is placed best for, once. */
static bool should_hand_over(struct lease *lease, int64_t now)
{
	const struct leases *leases = lease->leases;

	if (lease_rank(lease) == 0 || lease->handover_epoch == leases->alive_epoch) {
		lease->misplaced_ms = 0;
		return false;
	}
	if (lease->misplaced_ms == 0)
		lease->misplaced_ms = now;
	return now - lease->misplaced_ms >= HANDOVER_AFTER_MS;
}

static void hand_over(struct lease *lease, int64_t now)
{
	lease->handover_epoch = lease->leases->alive_epoch;
	lease->is_held = false;
	lease->free_since_ms = 0;
	lease->misplaced_ms = 0;
	lease->try_ms = now + TICK_MS;
	log_info("lease", "event=handed_over workspace=%s name=%s", lease->workspace, lease->name);
	lease->on_change(false, NULL, lease->context);
	give_back(lease);
}

/* Restarted whenever a callback ran, because that may have dropped any lease. */
static bool lose_one(struct leases *leases, int64_t now)
{
	struct lease *lease;

	LIST_FOREACH (lease, &leases->list, link) {
		if (!lease->is_held)
			continue;
		if (now - lease->renewed_ms >= LOST_AFTER_MS) {
			lease_lost(lease, "not renewed in time");
			return true;
		}
		if (should_hand_over(lease, now)) {
			hand_over(lease, now);
			return true;
		}
	}
	return false;
}

static void on_tick(void *context)
{
	struct leases *leases = context;
	int64_t now = loop_now_ms(leases->loop);
	struct lease *lease;

	while (lose_one(leases, now))
		if (leases->is_closed)
			return;
	if (now - leases->beat_ms >= TICK_MS) {
		leases->beat_ms = now;
		beat(leases, leases->instance, DEAD_AFTER_MS);
		renew_all(leases, now);
	}
	if (leases->alive_count > 0)
		LIST_FOREACH (lease, &leases->list, link)
			if (!lease->is_held && !lease->is_asking && lease->try_ms <= now)
				lease_try(lease, now);
	arm_tick(leases);
}

static void arm_tick(struct leases *leases)
{
	int64_t now = loop_now_ms(leases->loop);
	int64_t next = leases->beat_ms + TICK_MS;
	struct lease *lease;

	if (leases->alive_count > 0)
		LIST_FOREACH (lease, &leases->list, link)
			if (!lease->is_held && !lease->is_asking && lease->try_ms < next)
				next = lease->try_ms;
	loop_timer_start(leases->tick, next > now ? next - now : 0);
}

/* --- public --- */

/* The dead are not waited for, neither as holders nor as those who are placed better. */
static void bury(struct leases *leases, const char *forerunners)
{
	char *list = memory_text(forerunners);
	char *rest = NULL;

	for (char *id = strtok_r(list, " ", &rest); id != NULL; id = strtok_r(NULL, " ", &rest))
		beat(leases, id, 0);
	free(list);
}

struct leases *leases_new(struct loop *loop, struct store *store, const char *instance_id,
			  const char *forerunners)
{
	struct leases *leases = memory_new(sizeof(*leases));
	struct buf ours = { 0 };

	leases->loop = loop;
	leases->store = store;
	leases->instance = memory_text(instance_id);
	buf_format(&ours, "%s %s", instance_id, forerunners == NULL ? "" : forerunners);
	leases->ours = memory_text(buf_string(&ours));
	buf_clear(&ours);
	leases->tick = loop_timer_new(loop, on_tick, leases);
	leases->beat_ms = INT64_MIN / 2;
	if (forerunners != NULL)
		bury(leases, forerunners);
	loop_timer_start(leases->tick, 0);
	return leases;
}

struct lease *lease_want(struct leases *leases, const char *workspace, const char *name,
			 lease_change_fn *on_change, void *context)
{
	struct lease *lease = memory_new(sizeof(*lease));
	struct lease *neighbour;

	lease->leases = leases;
	lease->workspace = memory_text(workspace);
	lease->name = memory_text(name);
	lease->on_change = on_change;
	lease->context = context;
	LIST_FOREACH (neighbour, &leases->list, link)
		if (strcmp(neighbour->workspace, workspace) == 0)
			break;
	if (neighbour != NULL)
		LIST_INSERT_AFTER(neighbour, lease, link);
	else
		LIST_INSERT_HEAD(&leases->list, lease, link);
	arm_tick(leases);
	return lease;
}

void lease_drop(struct lease **pointer)
{
	struct lease *lease = *pointer;

	if (lease == NULL)
		return;
	*pointer = NULL;
	LIST_REMOVE(lease, link);
	lease->is_dropped = true;
	if (lease->is_held)
		give_back(lease);
	lease->is_held = false;
	lease_release(lease);
}

void leases_free(struct leases **pointer)
{
	struct leases *leases = *pointer;

	if (leases == NULL)
		return;
	*pointer = NULL;
	while (!LIST_EMPTY(&leases->list)) {
		struct lease *lease = LIST_FIRST(&leases->list);

		lease_drop(&lease);
	}
	loop_timer_free(&leases->tick);
	leases->is_closed = true;
	beat(leases, leases->instance, 0);
}

const char *lease_fence(const struct lease *lease)
{
	return lease->is_held ? lease->fence : NULL;
}

const char *leases_instance(const struct leases *leases)
{
	return leases->instance;
}
