/* GET /v1/conversations/{id}/ways: over which channels and addresses its customer can be answered,
 * and why not over the others. */
#include "api/reply_ways.h"

#include <string.h>

#include "api/handlers.h"
#include "api/send_window.h"
#include "base/text.h"
#include "channel.h"
#include "identity/customer.h"
#include "parts.h"
#include "store/store.h"

enum { WAYS_MAX = 60 };

struct way {
	const char *channel;
	const char *to; /* NULL: no address there */
	bool proved;
	bool is_shared;
	bool is_here;             /* the conversation that was asked about */
	const char *conversation; /* NULL: there is none yet */
	const char *hash;         /* of the address in the index, and as of one who is proved */
	const char *proved_hash;
};

struct ways {
	struct api_call *call;
	struct conversation here; /* what of it is asked for */
	struct way list[WAYS_MAX];
	size_t count;
};

/* ---- which there are ---- */

static struct way *way_add(struct ways *ways, const char *channel)
{
	struct way *way;

	if (ways->count == WAYS_MAX)
		return NULL;
	way = &ways->list[ways->count++];
	*way = (struct way){ .channel = arena_text(ways->call->arena, channel),
			     .hash = "",
			     .proved_hash = "" };
	return way;
}

/* Its newest conversation on the channel. */
static const struct customer_conversation *talk_of(const struct customer *customer,
						   const struct way *way, const char *listed_hash)
{
	for (size_t i = 0; i < customer->conversation_count; i++) {
		const struct customer_conversation *one = &customer->conversations[i];

		if (text_equal(one->channel, way->channel) &&
		    (text_equal(one->identifier, listed_hash) ||
		     text_equal(one->identifier, way->hash) ||
		     text_equal(one->identifier, way->proved_hash)))
			return one;
	}
	return NULL;
}

static void hashes_fill(struct ways *ways, struct way *way,
			const struct customer_identifier *listed)
{
	struct identity_place place = { .mac = ways->call->parts->key,
					.workspace = ways->call->who.workspace,
					.channel = way->channel };
	struct identifier identifier = { .kind = listed->kind,
					 .value = listed->value,
					 .scope = listed->scope,
					 .proof = listed->proved ? PROOF_CHANNEL : PROOF_CLAIMED };
	struct identity_key key;

	identity_index(&place, &identifier, &key);
	way->hash = arena_text(ways->call->arena, key.hex);
	identity_index_proved(&place, &identifier, &key);
	way->proved_hash = arena_text(ways->call->arena, key.hex);
}

/* True: the channel reaches that address, and the list has it. */
static bool address_add(struct ways *ways, const struct channel *channel,
			const struct customer *customer, const struct customer_identifier *listed)
{
	const struct connector *connector = channel_connector(channel);
	struct arena *arena = ways->call->arena;
	const struct customer_conversation *talk;
	struct way way = { .channel = channel_name(channel) };
	struct way *added;

	if (!text_equal(listed->kind, connector->identifier_kind))
		return false;
	hashes_fill(ways, &way, listed);
	talk = talk_of(customer, &way, listed->hash);
	if (*listed->scope != '\0' && !text_equal(listed->scope, way.channel) && talk == NULL)
		return false;
	if (text_equal(way.channel, ways->here.channel) &&
	    text_equal(listed->value, ways->here.address)) {
		ways->list[0].proved = listed->proved;
		return true;
	}
	added = way_add(ways, way.channel);
	if (added == NULL)
		return true;
	added->hash = way.hash;
	added->proved_hash = way.proved_hash;
	added->to = arena_text(arena, listed->value);
	added->proved = listed->proved;
	added->is_shared = listed->is_shared;
	added->conversation = talk == NULL ? NULL : arena_text(arena, talk->id);
	return true;
}

static void ways_find(struct ways *ways, const struct customer *customer)
{
	const struct api_call *call = ways->call;
	struct channel *channel;

	for (size_t i = 0; (channel = channel_at(call->parts->channels, i)) != NULL; i++) {
		bool has_address = text_equal(channel_name(channel), ways->here.channel);

		if (!text_equal(channel_workspace(channel), call->who.workspace) ||
		    (channel_connector(channel)->abilities & CAN_SEND) == 0)
			continue;
		for (size_t k = 0; k < customer->identifier_count; k++)
			has_address |=
				address_add(ways, channel, customer, &customer->identifiers[k]);
		if (!has_address)
			way_add(ways, channel_name(channel));
	}
}

/* ---- may they be taken? ---- */

struct leave {
	struct window_answer window;
	const char *how;       /* reply: into its conversation; start: a work item of its own */
	const char *work_item; /* its open one; NULL */
	const char *agent;     /* who has that; NULL */
};

static void refuse(struct leave *leave, const char *code, const char *why)
{
	leave->window = (struct window_answer){ .code = code, .why = why, .left = -1 };
}

static struct leave judge(const struct ways *ways, const struct way *way,
			  const struct store_reply *row)
{
	const struct api_call *call = ways->call;
	struct send_facts facts = { .opted_out_ms = reply_int_at(row, 0),
				    .capped_ms = reply_int_at(row, 1) };
	struct conversation talk = { .channel = way->channel,
				     .window = reply_text_at(row, 2),
				     .last_inbound_ms = reply_int_at(row, 3) };
	struct leave leave = { .how = "start",
			       .work_item = reply_text_at(row, 4),
			       .agent = reply_text_at(row, 6) };
	bool leads = principal_leads(&call->who);

	if (way->is_here) {
		talk.window = ways->here.window;
		talk.last_inbound_ms = ways->here.last_inbound_ms;
	}
	if (way->is_here || leave.work_item != NULL)
		leave.how = "reply";
	if (!send_window(call, &talk, &facts, &leave.window))
		refuse(&leave, "no_channel", "its channel is not configured any more");
	if (way->to == NULL)
		refuse(&leave, "no_address", "no address of the customer is known there");
	else if (way->is_shared)
		refuse(&leave, "shared_address", "several people use that address");
	else if (!way->is_here && leave.work_item != NULL && !leads &&
		 !text_equal(leave.agent, call->who.agent))
		refuse(&leave, "other_agent", "another agent or a queue has that conversation");
	return leave;
}

static void time_or_null(struct json_out *out, const char *key, int64_t ms)
{
	if (ms > 0)
		jw_time(out, key, ms);
	else
		jw_null(out, key);
}

static void way_json(const struct ways *ways, const struct way *way, const struct store_reply *row,
		     struct json_out *out)
{
	const struct channel *channel =
		channel_find(ways->call->parts->channels, ways->call->who.workspace, way->channel);
	struct leave leave = judge(ways, way, row);
	bool may = leave.window.may;

	jw_object(out, NULL);
	jw_text(out, "channel", way->channel);
	jw_text(out, "connector", channel == NULL ? NULL : channel_connector(channel)->name);
	jw_text(out, "to", way->to);
	jw_text(out, "proof", way->to == NULL ? NULL : way->proved ? "proved" : "claimed");
	jw_bool(out, "here", way->is_here);
	jw_text(out, "how", leave.how);
	jw_text(out, "conversation", way->conversation);
	jw_text(out, "work_item", leave.work_item);
	jw_text(out, "agent", leave.agent);
	jw_bool(out, "may_send", may);
	jw_text(out, "reason", leave.window.code);
	jw_text(out, "detail", leave.window.why);
	time_or_null(out, "from", leave.window.from_ms);
	time_or_null(out, "until", may ? leave.window.until_ms : 0);
	if (may && leave.window.left >= 0)
		jw_int(out, "left", leave.window.left);
	else
		jw_null(out, "left");
	jw_bool(out, "template", leave.window.template_possible);
	jw_text(out, "parked_because", channel == NULL ? NULL : channel_parked(channel));
	jw_object_end(out);
}

static void on_facts(const struct store_reply *reply, const struct error *err, void *context)
{
	struct ways *ways = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(ways->call, err);
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_array(&out, "data");
	for (size_t i = 0; i < ways->count && i < reply_count(reply); i++)
		way_json(ways, &ways->list[i], reply_item(reply, i), &out);
	jw_array_end(&out);
	jw_null(&out, "next_cursor");
	jw_object_end(&out);
	api_answer(ways->call, 200, &body);
}

static void facts_ask(struct ways *ways)
{
	const struct api_call *call = ways->call;
	struct store_call *read = store_script("reply_ways", call->who.workspace);

	for (size_t i = 0; i < ways->count; i++) {
		const struct way *way = &ways->list[i];
		const struct channel *channel =
			channel_find(call->parts->channels, call->who.workspace, way->channel);
		const struct sending_rules *rules =
			channel == NULL ? NULL : channel_sending(channel);

		store_arg_text(read, way->conversation);
		store_arg_text(read, way->channel);
		store_arg_text(read, way->hash);
		store_arg_text(read, way->proved_hash);
		store_arg_int(read, rules == NULL ? 0 : rules->per_recipient_hour);
		store_arg_int(read, rules == NULL ? 0 : rules->per_recipient_day);
	}
	store_read(call->parts->store, read, on_facts, ways);
}

/* ---- who it is ---- */

static void on_customer(const struct customer *customer, const struct error *err, void *context)
{
	struct ways *ways = context;

	if (err != NULL) {
		api_fail(ways->call, err);
		return;
	}
	if (customer != NULL)
		ways_find(ways, customer);
	facts_ask(ways);
}

static void on_conversation(const struct conversation *conversation, const struct error *err,
			    void *context)
{
	struct ways *ways = context;
	struct api_call *call = ways->call;
	struct way *here;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (conversation == NULL) {
		api_no_conversation(call);
		return;
	}
	ways->here = (struct conversation){
		.channel = arena_text(call->arena, conversation->channel),
		.address = arena_text(call->arena, conversation->address),
		.window = arena_text(call->arena, conversation->window),
		.last_inbound_ms = conversation->last_inbound_ms,
	};
	here = way_add(ways, conversation->channel);
	if (here != NULL) {
		here->to = ways->here.address;
		here->is_here = true;
		here->conversation = call->params[0];
	}
	customer_read(call->parts->store, call->who.workspace, conversation->customer, on_customer,
		      ways);
}

void handle_reply_ways(struct api_call *call)
{
	struct ways *ways = arena_alloc(call->arena, sizeof(*ways));

	ways->call = call;
	conversation_read(call->parts, call->who.workspace, call->params[0], on_conversation, ways);
}

/* ---- POST /v1/conversations with "answers" ---- */

struct answering {
	struct api_call *call;
	const char *channel;
	const char *kind;
	const char *value;
	answered_fn *done;
};

/* The same account name on two channels is two people, but for the channels of one app. */
static bool reaches(const struct customer *customer, const struct customer_identifier *one,
		    const char *channel)
{
	bool does = *one->scope == '\0' || text_equal(one->scope, channel);

	for (size_t i = 0; !does && i < customer->conversation_count; i++)
		does = text_equal(customer->conversations[i].channel, channel) &&
		       text_equal(customer->conversations[i].identifier, one->hash);
	return does && !one->is_shared;
}

static void on_answered_customer(const struct customer *customer, const struct error *err,
				 void *context)
{
	const struct answering *answering = context;
	struct api_call *call = answering->call;
	const struct customer_identifier *found = NULL;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	for (size_t i = 0; customer != NULL && i < customer->identifier_count; i++) {
		const struct customer_identifier *one = &customer->identifiers[i];

		if (text_equal(one->kind, answering->kind) &&
		    text_equal(one->value, answering->value) &&
		    reaches(customer, one, answering->channel))
			found = one;
	}
	if (found == NULL) {
		api_invalid(call, "#/body/to",
			    "that is no address of the customer on this channel: see "
			    "GET /v1/conversations/{id}/ways");
		return;
	}
	answering->done(call, &(struct answered){ arena_text(call->arena, customer->id),
						  arena_text(call->arena, found->scope),
						  !found->proved });
}

static void on_answered_talk(const struct conversation *conversation, const struct error *err,
			     void *context)
{
	struct answering *answering = context;
	struct api_call *call = answering->call;

	if (err != NULL)
		api_fail(call, err);
	else if (conversation == NULL)
		api_invalid(call, "#/body/answers", "there is no such conversation");
	else
		customer_read(call->parts->store, call->who.workspace, conversation->customer,
			      on_answered_customer, answering);
}

void answered_find(struct api_call *call, const char *channel, const struct identifier *identifier,
		   answered_fn *done)
{
	struct answering *answering = arena_alloc(call->arena, sizeof(*answering));

	*answering = (struct answering){ call, channel, identifier->kind, identifier->value, done };
	conversation_read(call->parts, call->who.workspace, json_text(call->body, "answers"),
			  on_answered_talk, answering);
}
