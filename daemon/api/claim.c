/* POST /v1/work/claim: pull. A wish is left in the store and answered by the
 * router; this end waits for the item, the deadline or the client's leaving. */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "api/claims.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/work_json.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/settings.h"
#include "base/text.h"
#include "channel.h"
#include "parts.h"
#include "routing/claim.h"
#include "services/loop.h"
#include "store/log.h"
#include "workspace.h"

enum { SLACK_MS = 150 };

/* One long poll. Its request is answered even when the client has gone: that
 * answer goes nowhere, and frees the request. */
struct wait {
	TAILQ_ENTRY(wait) link;
	struct claims *claims;
	struct api_call *call;
	struct parts *parts;
	struct listener *listener;
	struct loop_timer *timer;
	char *workspace;
	char *agent;
	char *key;
	bool is_ending; /* claim_end is under way */
	bool is_gone;   /* the client is */
};

struct claims {
	TAILQ_HEAD(, wait) waits;
};

static void wait_free(void *object)
{
	struct wait *wait = object;

	listener_free(&wait->listener);
	loop_timer_free(&wait->timer);
	free(wait->workspace);
	free(wait->agent);
	free(wait->key);
	free(wait);
}

static void on_ended(const struct work_result *result, const struct error *err, void *context)
{
	struct wait *wait = context;
	struct api_call *call = wait->call;

	TAILQ_REMOVE(&wait->claims->waits, wait, link);
	if (!wait->is_gone)
		http_request_on_gone(call->request, NULL, NULL);
	if (wait->is_gone || result->code == WORK_NONE)
		api_empty(call, 204);
	else if (result->code == WORK_OK)
		work_answer_item(call, result->work_item, 200);
	else
		work_answer_refusal(call, result, err);
	loop_defer_free(wait->parts->loop, wait, wait_free);
}

static void wait_end(struct wait *wait, bool gone)
{
	struct claim claim = { .agent = wait->agent, .key = wait->key };

	if (wait->is_ending)
		return;
	wait->is_ending = true;
	loop_timer_stop(wait->timer);
	listener_free(&wait->listener);
	claim_end(wait->parts->store, wait->workspace, &claim, gone, on_ended, wait);
}

static void on_deadline(void *context)
{
	wait_end(context, false);
}

static void on_gone(void *context)
{
	struct wait *wait = context;

	wait->is_gone = true;
	wait_end(wait, true);
}

static void on_entry(const struct log_entry *entry, void *context)
{
	struct wait *wait = context;

	if (text_equal(entry->agent, wait->agent) && text_equal(entry->to, "assigned"))
		wait_end(wait, false);
}

static void on_reset(const char *position, void *context)
{
	(void)position;
	wait_end(context, false);
}

static void on_claimed(const struct work_result *result, const struct error *err, void *context)
{
	struct wait *wait = context;

	/* While claim_end is under way its answer is the one that counts. */
	if (wait->is_ending || result->code == WORK_WISH)
		return;
	wait->is_ending = true;
	on_ended(result, err, wait);
}

/* "a,b" of a list of the body. */
static char *names_text(struct api_call *call, const char *key)
{
	struct json_object *list = json_at(call->body, key);
	struct buf text = { 0 };
	char *copy;

	for (size_t i = 0; i < json_count(list); i++) {
		if (i > 0)
			buf_byte(&text, ',');
		buf_text(&text, json_string(json_item(list, i)));
	}
	copy = arena_text(call->arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

static void claim_start(struct api_call *call)
{
	struct wait *wait = memory_new(sizeof(*wait));
	struct workspace *workspace = workspace_get(call->parts->workspaces, call->who.workspace);
	int64_t wait_ms = json_int(call->body, "wait_s", 0) * 1000;
	const char *key = json_text(call->body, "key");
	char fresh[ID_BYTES];
	struct claim claim = { .agent = call->who.agent,
			       .queues = names_text(call, "queues"),
			       .channels = names_text(call, "channels") };

	/* One that comes late (its token was being looked up) does not hold up the end. */
	if (call->parts->draining)
		wait_ms = 0;
	id_new("clm_", fresh);
	if (key == NULL)
		key = *call->idempotency_key != '\0' ? call->idempotency_key : fresh;
	wait->claims = api_claims(call->api);
	TAILQ_INSERT_TAIL(&wait->claims->waits, wait, link);
	wait->call = call;
	wait->parts = call->parts;
	wait->workspace = memory_text(call->who.workspace);
	wait->agent = memory_text(call->who.agent);
	wait->key = memory_text(key);
	wait->timer = loop_timer_new(call->parts->loop, on_deadline, wait);
	/* Before the wish is registered, so that its answer cannot slip by. */
	wait->listener = workspace_listen(workspace, on_entry, on_reset, wait);
	claim.key = wait->key;
	claim.wait_ms = wait_ms + SLACK_MS;
	claim.lease_ms = call->who.role == ROLE_INTEGRATION ? work_lease_ms(call) : 0;
	http_request_on_gone(call->request, on_gone, wait);
	loop_timer_start(wait->timer, wait_ms + SLACK_MS);
	claim_make(call->parts->store, call->who.workspace, &claim, on_claimed, wait);
}

/* False after having answered. */
static bool channels_are_known(struct api_call *call)
{
	struct json_object *list = json_at(call->body, "channels");

	for (size_t i = 0; i < json_count(list); i++) {
		const char *name = json_string(json_item(list, i));

		if (channel_find(call->parts->channels, call->who.workspace, name) != NULL)
			continue;
		api_problem(call, 400, "unknown_name", "channels: there is no channel \"%s\"%s",
			    settings_shown(call->arena, name), channel_hint(call, name));
		return false;
	}
	return true;
}

void handle_claim(struct api_call *call)
{
	struct json_object *list = json_at(call->body, "queues");
	size_t count = json_count(list);
	struct name_given *names = arena_alloc(call->arena, (count + 1) * sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] =
			(struct name_given){ NAME_QUEUE, json_string(json_item(list, i)), "queues",
					     arena_format(call->arena, "/queues/%zu", i) };
	if (channels_are_known(call))
		names_check(call, names, count, claim_start);
}

struct claims *claims_new(void)
{
	struct claims *claims = memory_new(sizeof(*claims));

	TAILQ_INIT(&claims->waits);
	return claims;
}

void claims_free(struct claims **claims)
{
	struct wait *wait;

	if (*claims == NULL)
		return;
	while ((wait = TAILQ_FIRST(&(*claims)->waits)) != NULL) {
		TAILQ_REMOVE(&(*claims)->waits, wait, link);
		wait_free(wait);
	}
	free(*claims);
	*claims = NULL;
}

void claims_drain(struct claims *claims)
{
	struct wait *wait;

	TAILQ_FOREACH (wait, &claims->waits, link)
		wait_end(wait, false);
}
