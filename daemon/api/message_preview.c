/* POST /v1/conversations/{id}/messages/preview: what a message would become, and whether it may
 * leave. */
#include <string.h>

#include "api/handlers.h"
#include "api/send_window.h"
#include "base/text.h"
#include "channel.h"
#include "delivery/part.h"
#include "parts.h"
#include "store/store.h"

enum { MILLION = 1000000, MILLION_DIGITS = 6, CENT_DIGITS = 2 };

struct preview {
	struct conversation conversation; /* what of it is asked for */
	struct channel *channel;
};

/* ---- cost ---- */

/* Millionths of "0.045 CNY", which the configuration has checked. */
static int64_t price_of(const char *price)
{
	int64_t number = 0;
	int places = -1; /* behind the point */

	for (; *price != ' ' && *price != '\0'; price++) {
		if (*price == '.') {
			places = 0;
			continue;
		}
		number = number * 10 + (*price - '0');
		places += places >= 0;
	}
	for (places = places < 0 ? 0 : places; places < MILLION_DIGITS; places++)
		number *= 10;
	return number;
}

static void cost_json(struct json_out *out, const char *price, int64_t segments,
		      struct arena *arena)
{
	int64_t cost = price == NULL ? 0 : price_of(price) * segments;
	char *amount;
	size_t len;

	if (price == NULL || segments < 0) {
		jw_null(out, "cost");
		return;
	}
	amount = arena_format(arena, "%lld.%06lld", (long long)(cost / MILLION),
			      (long long)(cost % MILLION));
	for (len = strlen(amount); amount[len - 1] == '0' && amount[len - 1 - CENT_DIGITS] != '.';
	     len--)
		amount[len - 1] = '\0';
	jw_object(out, "cost");
	jw_text(out, "amount", amount);
	jw_text(out, "currency", strchr(price, ' ') + 1);
	jw_object_end(out);
}

/* ---- parts ---- */

static void outbound_of_body(const struct api_call *call, struct outbound *outbound)
{
	struct json_object *list = json_at(call->body, "attachments");
	const char *text = json_text(call->body, "text");
	size_t count = json_count(list);
	struct attachment *files = arena_alloc(call->arena, (count + 1) * sizeof(*files));

	for (size_t i = 0; i < count; i++)
		files[i] = (struct attachment){
			.blob = json_text_copy(json_item(list, i), "blob", call->arena),
			.name = json_text_copy(json_item(list, i), "name", call->arena),
			.type = json_text_copy(json_item(list, i), "type", call->arena),
			.size = -1,
		};
	*outbound = (struct outbound){
		.id = "msg_preview",
		.kind = MESSAGE_TEXT,
		.text = text == NULL ? "" : text_clean(call->arena, text, strlen(text), 262144),
		.attachments = files,
		.attachment_count = count,
	};
}

/* A part beyond the window would be refused once the others have left: half a message, and the
 * window is gone. */
bool window_too_small(const struct api_call *call, struct channel *channel,
		      struct window_answer *window)
{
	struct part_list list = { 0 };
	struct outbound outbound;

	if (channel == NULL || !window->may || window->left < 0 ||
	    json_at(call->body, "template") != NULL)
		return false;
	outbound_of_body(call, &outbound);
	if (part_list_make(channel, &outbound, call->arena, &list) != NULL ||
	    (int64_t)list.count <= window->left)
		return false;
	window->may = false;
	window->code = "window_too_small";
	window->why = arena_format(call->arena,
				   "this takes %zu messages, and the channel takes %lld more until "
				   "the customer writes: make it shorter",
				   list.count, (long long)window->left);
	return true;
}

/* The segments of all; -1: the channel counts none. */
static int64_t parts_json(const struct preview *preview, const struct part_list *list,
			  struct json_out *out)
{
	const struct connector *connector = channel_connector(preview->channel);
	int64_t segments = connector->estimate == NULL ? -1 : 0;

	jw_array(out, "parts");
	for (size_t i = 0; i < list->count; i++) {
		const struct outbound *part = &list->items[i];
		struct text_estimate estimate = { 0 };

		jw_object(out, NULL);
		jw_text(out, "text", part->text);
		jw_int(out, "attachments", (int64_t)part->attachment_count);
		if (connector->estimate != NULL && *part->text != '\0') {
			connector->estimate(preview->channel, part->text, &estimate);
			segments += estimate.segments;
			jw_int(out, "segments", estimate.segments);
			jw_text(out, "encoding", estimate.encoding);
			jw_int(out, "characters", (int64_t)estimate.characters);
			jw_int(out, "left", (int64_t)estimate.left);
		}
		jw_object_end(out);
	}
	jw_array_end(out);
	return segments;
}

/* ---- may it leave? ---- */

static struct window_answer judge(struct api_call *call, const char *no_parts,
				  const struct send_facts *facts)
{
	const struct preview *preview = call->state;
	struct window_answer answer = { .left = -1 };

	if ((channel_connector(preview->channel)->abilities & CAN_SEND) == 0) {
		answer.code = "cannot_send";
		answer.why = "this channel cannot send";
	} else if (no_parts != NULL) {
		answer.code = "no_media";
		answer.why = no_parts;
	} else {
		send_window(call, &preview->conversation, facts, &answer);
	}
	return answer;
}

static void time_or_null(struct json_out *out, const char *key, int64_t ms)
{
	if (ms > 0)
		jw_time(out, key, ms);
	else
		jw_null(out, key);
}

static void preview_answer(struct api_call *call, const struct send_facts *facts)
{
	const struct preview *preview = call->state;
	struct part_list list = { 0 };
	struct window_answer answer;
	struct outbound outbound;
	struct buf body = { 0 };
	struct json_out out;
	int64_t segments;
	const char *why;

	outbound_of_body(call, &outbound);
	why = part_list_make(preview->channel, &outbound, call->arena, &list);
	if (why != NULL)
		list.count = 0;
	answer = judge(call, why, facts);
	window_too_small(call, preview->channel, &answer);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_bool(&out, "may_send", answer.may);
	jw_text(&out, "reason", answer.code);
	jw_text(&out, "detail", answer.why);
	time_or_null(&out, "from", answer.from_ms);
	time_or_null(&out, "until", answer.until_ms);
	if (answer.left >= 0)
		jw_int(&out, "left", answer.left);
	else
		jw_null(&out, "left");
	jw_bool(&out, "template", answer.template_possible);
	jw_bool(&out, "quiet", answer.is_quiet);
	jw_text(&out, "parked_because", channel_parked(preview->channel));
	segments = parts_json(preview, &list, &out);
	if (segments >= 0)
		jw_int(&out, "segments", segments);
	else
		jw_null(&out, "segments");
	cost_json(&out, channel_sending(preview->channel)->segment_price, segments, call->arena);
	jw_object_end(&out);
	channel_drop(preview->channel);
	api_answer(call, 200, &body);
}

static void on_facts(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct preview *preview = call->state;
	struct send_facts facts;

	if (err != NULL) {
		channel_drop(preview->channel);
		api_fail(call, err);
		return;
	}
	facts.opted_out_ms = reply_int_at(reply, 1);
	facts.capped_ms = reply_int_at(reply, 2);
	preview_answer(call, &facts);
}

static void facts_ask(struct api_call *call)
{
	const struct preview *preview = call->state;
	const struct sending_rules *rules = channel_sending(preview->channel);
	struct store_call *read = store_script("may_read", call->who.workspace);

	store_key(read, "c:%s", call->params[0]);
	store_arg_int(read, rules->per_recipient_hour);
	store_arg_int(read, rules->per_recipient_day);
	store_read(call->parts->store, read, on_facts, call);
}

static void on_revived(const struct error *err, void *context)
{
	struct api_call *call = context;
	struct preview *preview = call->state;

	if (err != NULL) {
		channel_drop(preview->channel);
		api_fail(call, err);
		return;
	}
	facts_ask(call);
}

static void on_conversation(const struct conversation *conversation, const struct error *err,
			    void *context)
{
	struct api_call *call = context;
	struct preview *preview = call->state;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (conversation == NULL) {
		api_no_conversation(call);
		return;
	}
	preview->channel =
		channel_find(call->parts->channels, call->who.workspace, conversation->channel);
	if (preview->channel == NULL) {
		api_problem(call, 409, "no_channel", "its channel is not configured any more");
		return;
	}
	channel_hold(preview->channel);
	preview->conversation.channel = arena_text(call->arena, conversation->channel);
	preview->conversation.window = arena_text(call->arena, conversation->window);
	preview->conversation.last_inbound_ms = conversation->last_inbound_ms;
	if (conversation->is_past)
		conversation_revive(call->parts, call->who.workspace, call->params[0], on_revived,
				    call);
	else
		facts_ask(call);
}

void handle_message_preview(struct api_call *call)
{
	call->state = arena_alloc(call->arena, sizeof(struct preview));
	conversation_read(call->parts, call->who.workspace, call->params[0], on_conversation, call);
}
