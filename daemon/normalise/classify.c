/* The rules over each message, with what is stored about its sender where a
 * rule asks for it: only then is there a question to the store before admit. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "identity/identity.h"
#include "normalise/normalise.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "store/store.h"
#include "workspace.h"

enum { FACTS_FIRST = 4 }; /* "ok", customer, tier, attributes, then earlier work items */

/* One message whose sender is looked up. */
struct asking {
	struct flight *flight;
	struct passenger *passenger;
};

/* The roster may be replaced while admit is on its way. */
static void classification_keep(struct arena *arena, struct classification *classification)
{
	const char **texts[] = {
		&classification->queue,           &classification->type,
		&classification->topic,           &classification->urgency,
		&classification->skills,          &classification->rule,
		&classification->type_rule,       &classification->topic_rule,
		&classification->urgency_rule,    &classification->classifier,
		&classification->classifier_rule,
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		*texts[i] = arena_text(arena, *texts[i]);
}

static void passenger_classify(struct flight *flight, struct passenger *passenger,
			       const struct rule_customer *customer)
{
	const struct roster *roster = workspace_roster(flight->workspace);
	struct classification *found = arena_alloc(flight->arena, sizeof(*found));
	struct rule_facts facts = rule_facts_of(passenger->message, channel_name(flight->channel));

	facts.now_ms = loop_unix_ms(flight->parts->loop);
	facts.customer = customer;
	rules_classify(roster_rules(roster), &facts, roster_fallback(roster), flight->arena, found);
	if (found->stopped != NULL)
		workspace_note_stopped(flight->workspace, found->stopped);
	classification_keep(flight->arena, found);
	passenger->classification = found;
}

static const char *text_at(const struct store_reply *list, size_t index)
{
	const char *text = reply_text(reply_item(list, index), NULL);

	return text == NULL ? "" : text;
}

static void previous_read(struct rule_customer *customer, const struct store_reply *reply,
			  struct arena *arena)
{
	size_t count = reply_count(reply) - FACTS_FIRST;
	struct rule_previous *list = arena_alloc(arena, (count + 1) * sizeof(*list));

	for (size_t i = 0; i < count; i++) {
		const struct store_reply *item = reply_item(reply, FACTS_FIRST + i);

		list[i] = (struct rule_previous){
			.state = text_at(item, 0),
			.type = text_at(item, 1),
			.topic = text_at(item, 2),
			.queue = text_at(item, 3),
			.since_ms = reply_int(reply_item(item, 4)),
		};
	}
	customer->previous = list;
	customer->previous_count = count;
}

/* The answer lives as long as this call, and so does what is read from it. */
static void on_facts(const struct store_reply *reply, const struct error *err, void *context)
{
	struct asking *asking = context;
	struct flight *flight = asking->flight;
	struct rule_customer customer = { 0 };

	if (!flight_landed(flight))
		return;
	if (err != NULL) {
		flight_fail(flight, "classify: %s", err->text);
	} else if (reply_is(reply, "ok") && reply_count(reply) >= FACTS_FIRST) {
		const char *attributes = text_at(reply, 3);

		customer.tier = text_at(reply, 2);
		customer.attributes = json_read(attributes, strlen(attributes), NULL);
		previous_read(&customer, reply, flight->arena);
		passenger_classify(flight, asking->passenger, &customer);
		json_free(&customer.attributes);
	} else {
		passenger_classify(flight, asking->passenger, NULL);
	}
	if (flight->pending == 0)
		pipeline_resume(flight, flight->error.kind == ERROR_NONE ? STAGE_NEXT : STAGE_FAIL);
}

/* As admit will ask: where anything is proved, only that leads to a record. */
static void add_identifiers(struct store_call *call, const struct identity_place *place,
			    const struct message *message)
{
	bool is_proved = identity_is_proved(&message->sender);
	struct identity_key key;

	for (size_t i = 0; i < message->other_count; i++)
		is_proved = is_proved || identity_is_proved(&message->others[i]);
	for (size_t i = 0; i <= message->other_count; i++) {
		const struct identifier *one = i == 0 ? &message->sender : &message->others[i - 1];
		char bucket[16];

		if (identity_is_proved(one) != is_proved)
			continue;
		identity_index(place, one, &key);
		snprintf(bucket, sizeof(bucket), "%x", key.bucket);
		store_arg_text(call, bucket);
		store_arg(call, key.field, IDENTITY_FIELD_BYTES);
	}
}

static void sender_ask(struct flight *flight, struct passenger *passenger)
{
	const struct identity_place place = { flight->parts->key, workspace_name(flight->workspace),
					      channel_name(flight->channel) };
	const struct message *message = passenger->message;
	struct asking *asking = arena_alloc(flight->arena, sizeof(*asking));
	struct store_call *call = store_script("customer_facts", place.workspace);
	char conversation[ID_BYTES];

	*asking = (struct asking){ flight, passenger };
	if (passenger->conversation != NULL)
		snprintf(conversation, sizeof(conversation), "%s", passenger->conversation);
	else
		identity_conversation(&place, &message->sender,
				      message->thread == NULL ? "" : message->thread, conversation);
	store_key(call, "c:%s", conversation);
	add_identifiers(call, &place, message);
	flight->pending++;
	store_read(flight->parts->store, call, on_facts, asking);
}

enum stage_result normalise_classify(struct flight *flight)
{
	const struct rules *rules = roster_rules(workspace_roster(flight->workspace));
	bool is_asking = rules_need_customer(rules) && flight->parsed.message_count > 0;

	for (size_t i = 0; i < flight->parsed.message_count; i++) {
		if (flight->passengers[i].classification != NULL)
			continue;
		if (is_asking)
			sender_ask(flight, &flight->passengers[i]);
		else
			passenger_classify(flight, &flight->passengers[i], NULL);
	}
	return flight->pending > 0 ? STAGE_WAIT : STAGE_NEXT;
}
