#include "api/send_window.h"

#include "channel.h"
#include "parts.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "workspace.h"

static bool window_read(const struct api_call *call, const struct conversation *conversation,
			struct window_facts *facts, struct window_answer *ret)
{
	const struct channel *channel =
		channel_find(call->parts->channels, call->who.workspace, conversation->channel);
	const struct roster *roster =
		workspace_roster(workspace_get(call->parts->workspaces, call->who.workspace));

	if (channel == NULL)
		return false;
	facts->kept = conversation->window;
	facts->last_inbound_ms = conversation->last_inbound_ms;
	facts->now_ms = loop_unix_ms(call->parts->loop);
	if (channel_sending(channel)->automatic_hours != NULL && roster != NULL)
		facts->quiet_until_ms = window_quiet_until(
			roster_calendar(roster, channel_sending(channel)->automatic_hours),
			facts->now_ms);
	channel_window(channel, &facts->rules);
	*ret = window_judge(facts);
	if ((channel_connector(channel)->abilities & CAN_SEND) == 0)
		*ret = (struct window_answer){ .code = "cannot_send",
					       .why = "this channel only receives",
					       .left = -1 };
	return true;
}

bool send_window(const struct api_call *call, const struct conversation *conversation,
		 const struct send_facts *known, struct window_answer *ret)
{
	struct window_facts facts = { .is_template = json_has(call->body, "template") };

	if (known != NULL) {
		facts.opted_out_ms = known->opted_out_ms;
		facts.capped_ms = known->capped_ms;
		facts.is_automatic = call->who.role == ROLE_INTEGRATION;
	}
	return window_read(call, conversation, &facts, ret);
}

void send_window_json(const struct api_call *call, const struct conversation *conversation,
		      struct json_out *out)
{
	struct window_facts facts = { 0 };
	struct window_answer answer;

	if (!window_read(call, conversation, &facts, &answer)) {
		jw_null(out, "window");
		return;
	}
	jw_object(out, "window");
	jw_bool(out, "open", answer.may);
	jw_text(out, "reason", answer.code);
	if (answer.may && answer.until_ms > 0)
		jw_time(out, "until", answer.until_ms);
	else
		jw_null(out, "until");
	if (answer.may && answer.left >= 0)
		jw_int(out, "left", answer.left);
	else
		jw_null(out, "left");
	jw_bool(out, "template", answer.template_possible);
	jw_bool(out, "quiet", answer.is_quiet);
	jw_object_end(out);
}
