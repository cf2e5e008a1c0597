#include "admit/stage.h"

#include <stdio.h>

#include "admit/admit.h"
#include "admit/find_name.h"
#include "admit/sabotage.h"
#include "admit/watermark.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "channel.h"
#include "identity/identity.h"
#include "identity/merge_proved.h"
#include "routing/opt_words.h"
#include "routing/rules.h"
#include "services/loop.h"
#include "store/blob_owner.h"
#include "workspace.h"

struct boarding {
	struct flight *flight;
	struct passenger *passenger; /* NULL for a receipt */
};

static void boarding_end(struct flight *flight)
{
	if (flight->pending > 0)
		return;
	pipeline_resume(flight, flight->error.kind == ERROR_NONE ? STAGE_NEXT : STAGE_FAIL);
}

static void on_merged(const char *customer, const struct error *err, void *context)
{
	(void)customer;
	(void)context;
	if (err != NULL)
		log_warn("admit", "event=not_merged error=%s", log_quote(err->text));
}

/* The message is stored, and nobody waits for this: until it is done, or where it fails, the two
 * are suggested as one. */
static void proved_merge(const struct flight *flight, const struct admit_result *result)
{
	for (size_t i = 0; i < result->proved_count; i++) {
		const struct proved_pair pair = { .workspace = workspace_name(flight->workspace),
						  .customer = result->customer,
						  .other = result->proved[i].other,
						  .channel = channel_name(flight->channel),
						  .record = result->proved[i].record };

		customer_merge_proved(flight->parts->store, &pair, on_merged, NULL);
	}
}

static void on_left_over(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)context;
	if (err != NULL)
		log_warn("admit", "event=blobs_left_over error=%s", log_quote(err->text));
}

/* What was kept for a message that turned out to be there already: no message names it. Where the
 * store was asked twice and this very message is the one that is there, one does. */
static void left_overs_drop(const struct flight *flight, const struct message *message)
{
	const char **ids =
		arena_alloc(flight->arena, (message->attachment_count + 1) * sizeof(*ids));
	size_t count = 0;

	if (message->raw_blob != NULL)
		ids[count++] = message->raw_blob;
	for (size_t i = 0; i < message->attachment_count; i++)
		if (message->attachments[i].bytes != NULL && message->attachments[i].blob != NULL)
			ids[count++] = message->attachments[i].blob;
	if (count > 0)
		blob_expire(flight->parts->store, workspace_name(flight->workspace), ids, count,
			    on_left_over, NULL);
}

/* ---- calls ---- */

static const struct roster *roster_of(void *context)
{
	const struct boarding *boarding = context;

	return workspace_roster(boarding->flight->workspace);
}

static void on_call_followed(const struct admit_result *result, const struct error *err,
			     void *context)
{
	struct boarding *boarding = context;

	if (!flight_landed(boarding->flight))
		return;
	if (result->code == ADMIT_FAILED)
		flight_fail(boarding->flight, "call: %s", err->text);
	boarding_end(boarding->flight);
}

/* Also of an event that was stored before: what follows from it perhaps was not. */
static void call_follow(struct boarding *boarding)
{
	struct flight *flight = boarding->flight;
	struct passenger *passenger = boarding->passenger;
	const struct admit_call what = { workspace_name(flight->workspace),
					 channel_name(flight->channel), passenger->message->call,
					 passenger->conversation };

	flight->pending++;
	admit_call(flight->parts->admit, &what, roster_of, on_call_followed, boarding);
}

/* ---- words such as STOP ---- */

static void on_confirmed(const struct admit_result *result, const struct error *err, void *context)
{
	struct boarding *boarding = context;

	if (!flight_landed(boarding->flight))
		return;
	if (result->code == ADMIT_FAILED)
		flight_fail(boarding->flight, "opt-out: %s", err->text);
	boarding_end(boarding->flight);
}

/* NULL: nothing is to be said. A word that was stored before perhaps had no answer then. */
static const char *opt_answer(const struct flight *flight, const struct passenger *passenger,
			      const struct admit_result *result)
{
	const struct sending_rules *rules = channel_sending(flight->channel);

	/* An event is a word that the provider has recognised, and answered. */
	if (passenger->message->kind != MESSAGE_TEXT)
		return NULL;
	if (passenger->opt_word == OPT_HELP)
		return rules->help_reply;
	if (passenger->opt_word == OPT_OUT && (result->opted_out || passenger->duplicate))
		return rules->opt_out_reply;
	return result->opted_in ? rules->opt_in_reply : NULL;
}

static void opt_follow(struct boarding *boarding, const struct admit_result *result)
{
	struct flight *flight = boarding->flight;
	const struct passenger *passenger = boarding->passenger;
	const struct message *message = passenger->message;
	const struct identity_place place = { flight->parts->key, workspace_name(flight->workspace),
					      channel_name(flight->channel) };
	char conversation[ID_BYTES];
	struct admit_confirmation what = {
		.workspace = place.workspace,
		.channel = place.channel,
		.conversation = passenger->conversation,
		.heard = message->dedupe != NULL ? message->dedupe : message->provider_id,
		.text = opt_answer(flight, passenger, result),
		.now_ms = loop_unix_ms(flight->parts->loop),
		.idempotent =
			(channel_connector(flight->channel)->abilities & IDEMPOTENT_SEND) != 0,
	};

	if (what.text == NULL)
		return;
	if (what.conversation == NULL) {
		identity_conversation(&place, &message->sender,
				      message->thread == NULL ? "" : message->thread, conversation);
		what.conversation = conversation;
	}
	flight->pending++;
	admit_confirm(flight->parts->admit, &what, on_confirmed, boarding);
}

static const struct admit_opt *opt_fill(const struct flight *flight,
					const struct passenger *passenger)
{
	static const char *const words[] = {
		[OPT_OUT] = "out", [OPT_IN] = "in", [OPT_HELP] = "help"
	};
	struct admit_opt *opt = arena_alloc(flight->arena, sizeof(*opt));
	struct buf json = { 0 };
	struct json_out out;

	if (passenger->opt_word == OPT_NONE)
		return NULL;
	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "state", passenger->opt_word == OPT_OUT ? "withdrawn" : "granted");
	jw_text(&out, "source", "message");
	jw_time(&out, "at", loop_unix_ms(flight->parts->loop));
	jw_text(&out, "by", "customer");
	jw_text(&out, "identifier", identity_text(flight->arena, &passenger->message->sender));
	jw_object_end(&out);
	opt->word = words[passenger->opt_word];
	opt->consent = arena_text(flight->arena, buf_string(&json));
	buf_clear(&json);
	return opt;
}

/* ---- messages ---- */

static void on_admitted(const struct admit_result *result, const struct error *err, void *context)
{
	struct boarding *boarding = context;
	struct flight *flight = boarding->flight;
	struct passenger *passenger = boarding->passenger;

	proved_merge(flight, result);
	if (!flight_landed(flight))
		return;
	if (result->code == ADMIT_FAILED) {
		flight_fail(flight, "admit: %s", err->text);
	} else if (passenger != NULL) {
		passenger->stored = true;
		if (result->code == ADMIT_STORED)
			find_name(flight, passenger->message, result);
		passenger->duplicate = result->code == ADMIT_DUPLICATE;
		if (result->left_out)
			log_warn(
				result->message,
				"event=identifiers_left_out customer=%s consequence=\"the customer "
				"has 64 already\"",
				result->customer);
		if (passenger->duplicate)
			left_overs_drop(flight, passenger->message);
		if (result->message != NULL)
			snprintf(passenger->message_id, sizeof(passenger->message_id), "%s",
				 result->message);
		if (passenger->message->call != NULL)
			call_follow(boarding);
		if (passenger->opt_word != OPT_NONE)
			opt_follow(boarding, result);
	}
	boarding_end(flight);
}

static struct boarding *boarding_new(struct flight *flight, struct passenger *passenger)
{
	struct boarding *boarding = arena_alloc(flight->arena, sizeof(*boarding));

	boarding->flight = flight;
	boarding->passenger = passenger;
	flight->pending++;
	return boarding;
}

static bool is_sabotaged(struct passenger *passenger)
{
	uint16_t dice;

	if (!SABOTAGE_DROP_1_IN_1000)
		return false;
	crypto_random(&dice, sizeof(dice));
	passenger->stored = dice % 1000 == 0;
	return passenger->stored;
}

/* "" where no rule gave any of them. Two more lines where a classifier was named: by whom, and it.
 */
static const char *given_by(struct arena *arena, const struct classification *rules)
{
	if (*rules->classifier != '\0')
		return arena_format(arena, "%s\n%s\n%s\n%s\n%s", rules->type_rule,
				    rules->topic_rule, rules->urgency_rule, rules->classifier_rule,
				    rules->classifier);
	if (*rules->type_rule == '\0' && *rules->topic_rule == '\0' && *rules->urgency_rule == '\0')
		return "";
	return arena_format(arena, "%s\n%s\n%s", rules->type_rule, rules->topic_rule,
			    rules->urgency_rule);
}

static void window_fill(const struct flight *flight, struct admission *admission)
{
	const struct message *message = admission->message;
	struct window_rules rules;

	if (message->window_ms == WINDOW_NONE)
		return;
	channel_window(flight->channel, &rules);
	admission->window_ms = message->window_ms > 0 ? message->window_ms : rules.open_ms;
	admission->window_count = message->window_ms > 0 ? message->window_count : rules.count;
}

/* A call that we made, and one of which all is over and done, are only written down. */
static bool call_opens(const struct phone_call *call)
{
	return !call->is_outgoing && call->state != CALL_NOTED &&
	       !(call->state == CALL_ENDED && call->talk_s >= 0);
}

static void message_admit(struct flight *flight, struct passenger *passenger)
{
	const struct connector *connector = channel_connector(flight->channel);
	const struct classification *rules = passenger->classification;
	struct admission admission = {
		.workspace = workspace_name(flight->workspace),
		.channel = channel_name(flight->channel),
		.message = passenger->message,
		.conversation = passenger->conversation,
		.work = { rules->queue, rules->type, rules->topic, rules->urgency, rules->priority,
			  rules->skills, rules->rule, given_by(flight->arena, rules),
			  rules->version, rules->bits },
		.remember_ms = channel_remember_ms(flight->channel),
		.now_ms = loop_unix_ms(flight->parts->loop),
		.steady_id = (connector->abilities & HAS_VISITORS) != 0,
		.reference = (connector->abilities & HAS_EMAIL_THREADS) != 0,
	};

	window_fill(flight, &admission);
	admission.opt = opt_fill(flight, passenger);
	if (passenger->message->call != NULL && !call_opens(passenger->message->call))
		admission.work.queue = "";
	if (!is_sabotaged(passenger))
		admit_run(flight->parts->admit, &admission, on_admitted,
			  boarding_new(flight, passenger));
}

static void receipt_admit(struct flight *flight, const struct receipt *receipt)
{
	struct admit_receipt call = {
		.workspace = workspace_name(flight->workspace),
		.channel = channel_name(flight->channel),
		.receipt = receipt,
	};

	if (receipt->provider_id == NULL)
		admit_watermark(flight->parts, &call,
				channel_connector(flight->channel)->identifier_kind, on_admitted,
				boarding_new(flight, NULL));
	else
		admit_receipt(flight->parts->admit, &call, on_admitted, boarding_new(flight, NULL));
}

enum stage_result admit_stage(struct flight *flight)
{
	for (size_t i = 0; i < flight->parsed.message_count; i++)
		message_admit(flight, &flight->passengers[i]);
	for (size_t i = 0; i < flight->parsed.receipt_count; i++)
		receipt_admit(flight, &flight->parsed.receipts[i]);
	if (flight->parsed.wake)
		channel_wake(flight->channel);
	return flight->pending > 0 && !SABOTAGE_ACK_BEFORE_STORE ? STAGE_WAIT : STAGE_NEXT;
}
