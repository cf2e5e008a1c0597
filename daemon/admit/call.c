#include <stdio.h>
#include <stdlib.h>

#include "admit/run.h"
#include "base/memory.h"
#include "routing/roster.h"
#include "store/store.h"

/* A queue that changes under every question is no reason to ask for ever. */
enum { ROUNDS = 5 };

/* One event; what is asked about lives until done. */
struct following {
	struct admit_run *run;
	struct admit_call what;
	char conversation[ID_BYTES];
	admit_roster_fn *roster;
	int rounds;
};

static const char *event_name(enum call_state state)
{
	static const char *const names[] = {
		[CALL_NOTED] = "noted", [CALL_RINGING] = "ringing", [CALL_ANSWERED] = "answered",
		[CALL_ENDED] = "ended", [CALL_MISSED] = "missed",
	};

	return names[state];
}

/* queue: of the item, where it matters; "" before that is known. */
static void ask(struct following *following, const char *queue, store_done_fn *on_followed)
{
	const struct phone_call *event = following->what.call;
	const struct roster *roster = following->roster(following->run->context);
	const struct agent_row *agent = roster_agent_of(roster, event->agent);
	const struct channel_row *channel = roster_channel(roster, following->what.channel);
	const struct queue_row *row = roster_queue(roster, queue);
	struct store_call *call = store_script("call", following->run->workspace);

	store_key(call, "c:%s", following->conversation);
	store_arg_text(call, event_name(event->state));
	store_arg_int(call, event->order);
	store_arg_text(call, agent == NULL ? "" : agent->id);
	store_arg_int(call, agent == NULL ? 1 : channel_cost(channel, agent->capacity));
	store_arg_int(call, channel->waiting_cost);
	store_arg_text(call, event->state == CALL_ENDED && event->talk_s >= 0 ? "1" : "");
	store_arg_text(call, queue);
	store_arg_int(call, row == NULL ? 0 : row->wrap_ms);
	store_arg_int(call, row == NULL ? 0 : row->close_ms);
	store_run(following->run->admit->store, call, on_followed, following);
}

static void on_followed(const struct store_reply *reply, const struct error *err, void *context)
{
	struct following *following = context;
	const struct admit_result result = { .code = ADMIT_STORED };
	struct error unknown;

	if (err == NULL && reply_is(reply, "queue") && following->rounds++ < ROUNDS) {
		ask(following, reply_text_at(reply, 1), on_followed);
		return;
	}
	if (err == NULL && !reply_is(reply, "ok") && !reply_is(reply, "refused")) {
		error_set(&unknown, ERROR_TEMPORARY, "the store gave an unknown answer");
		err = &unknown;
	}
	if (err != NULL)
		admit_run_fail(following->run, err);
	else
		admit_run_end(following->run, &result, NULL);
	free(following);
}

void admit_call(struct admit *admit, const struct admit_call *what, admit_roster_fn *roster,
		admit_done_fn *done, void *context)
{
	struct following *following = memory_new(sizeof(*following));

	following->run = admit_run_new(admit, what->workspace, done, context);
	following->what = *what;
	following->roster = roster;
	snprintf(following->conversation, sizeof(following->conversation), "%s",
		 what->conversation);
	ask(following, "", on_followed);
}
