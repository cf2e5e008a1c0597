/* /v1/conversations: the thread, writing into it, starting one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/mentions.h"
#include "api/names.h"
#include "api/page.h"
#include "api/reply_ways.h"
#include "api/send_window.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "conversation/conversation.h"
#include "identity/address.h"
#include "identity/customer.h"
#include "identity/identity.h"
#include "identity/phones.h"
#include "parts.h"
#include "routing/roster.h"
#include "services/loop.h"
#include "store/blob_owner.h"
#include "store/store.h"
#include "workspace.h"

/* ---- reading ---- */

static void page_attributes_json(const struct conversation *conversation, struct json_out *out)
{
	const char *json = conversation->page_attributes;

	jw_raw(out, "page_attributes", json == NULL ? "{}" : json, json == NULL ? 2 : strlen(json));
}

static void on_conversation(const struct conversation *conversation, const struct error *err,
			    void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (conversation == NULL) {
		api_no_conversation(call);
		return;
	}
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "id", conversation->id);
	jw_text(&out, "channel", conversation->channel);
	jw_text(&out, "state", conversation->open ? "open" : "closed");
	jw_object(&out, "customer");
	jw_text(&out, "id", conversation->customer);
	jw_text(&out, "name", conversation->name == NULL ? "" : conversation->name);
	jw_object_end(&out);
	jw_text(&out, "subject", conversation->subject);
	jw_text(&out, "thread", conversation->thread);
	jw_text(&out, "work_item", conversation->work_item);
	page_attributes_json(conversation, &out);
	send_window_json(call, conversation, &out);
	jw_int(&out, "messages", conversation->messages);
	jw_time(&out, "created_at", conversation->created_ms);
	jw_time(&out, "updated_at", conversation->updated_ms);
	jw_int(&out, "version", conversation->version);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

void handle_conversation_get(struct api_call *call)
{
	conversation_read(call->parts, call->who.workspace, call->params[0], on_conversation, call);
}

static void on_page(const struct message_page *messages, const struct error *err, void *context)
{
	const struct page *page = context;
	struct api_call *call = page->call;
	struct buf body = { 0 };
	struct json_out out;
	int64_t next;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (messages == NULL) {
		api_no_conversation(call);
		return;
	}
	next = messages->next;
	page_start(&out, &body);
	if (messages->len > 0)
		jw_raw(&out, NULL, messages->json, messages->len);
	page_end(page, &out, &body,
		 messages->more ? arena_format(call->arena, "%lld", (long long)next) : NULL);
}

void handle_message_list(struct api_call *call)
{
	struct page *page = arena_alloc(call->arena, sizeof(*page));
	struct message_query query = { .workspace = call->who.workspace,
				       .conversation = call->params[0] };
	uint64_t from;

	if (!page_read(call, true, page))
		return;
	query.limit = page->limit;
	query.descending = !page->ascending;
	query.without_notes = call->who.is_bot; /* they are between colleagues */
	query.from = query.descending ? -1 : 0;
	if (page->after != NULL) {
		if (!text_uint(page->after, strlen(page->after), &from) || from > INT64_MAX) {
			page_refuse(call);
			return;
		}
		query.from = (int64_t)from;
	}
	conversation_messages(call->parts, &query, on_page, page);
}

/* ---- writing ---- */

struct writing {
	struct message_record record;
	struct reply reply;
	char id[ID_BYTES];
	const char *customer;
	bool is_note;
	struct window_answer window; /* where reply.is_shut */
};

static void answer_message(struct api_call *call, const struct writing *writing)
{
	const struct message_known known = { .customer = writing->customer,
					     .mark = writing->is_note ? NULL : "queued" };
	struct buf stored = { 0 };
	struct buf body = { 0 };

	message_write(&stored, &writing->record);
	message_show(&body, buf_string(&stored), stored.len, &known);
	buf_clear(&stored);
	api_answer(call, 201, &body);
}

static void no_such_attachment(struct api_call *call, size_t place, const char *name)
{
	api_problem(call, 422, "no_such_attachment",
		    "attachment %zu (\"%s\") is not stored here: POST its bytes to "
		    "/v1/attachments and name the \"blob\" of that answer",
		    place, name);
}

/* What was checked and is gone by now, or was another workspace's from the start. */
static void refuse_attachment(struct api_call *call, const char *place)
{
	const struct writing *writing = call->state;
	size_t i = place == NULL ? 0 : (size_t)strtoul(place, NULL, 10) - 1;

	no_such_attachment(
		call, i,
		i < writing->record.attachment_count ? writing->record.attachments[i].name : "");
}

static void refuse_capped(struct api_call *call, const char *wait_ms)
{
	int64_t ms = wait_ms == NULL ? 0 : strtoll(wait_ms, NULL, 10);
	char from[32];

	text_format_time(loop_unix_ms(call->parts->loop) + ms, from);
	http_request_add_field(call->request, "Retry-After",
			       arena_format(call->arena, "%lld", (long long)(ms + 999) / 1000));
	api_problem(call, 429, "recipient_cap",
		    "the address has had as many messages as the channel allows: the next may "
		    "leave at %s",
		    from);
}

static void refuse_window(struct api_call *call, const struct window_answer *window)
{
	static const char *const possible[] = { "note", "template" };

	api_conflict(call, &(struct conflict){ window->code, window->why, "closed", possible,
					       window->template_possible ? 2 : 1 });
}

static void answer_refusal(struct api_call *call, const struct write_result *result,
			   const struct error *err)
{
	static const char *const notes[] = { "note" };

	if (result->code == WRITE_FAILED)
		api_fail(call, err);
	else if (result->code == WRITE_CONFLICT)
		api_key_conflict(call);
	else if (text_equal(result->refusal, "not_found"))
		api_problem(call, 404, "no_such_conversation", "there is no such conversation");
	else if (text_equal(result->refusal, "version"))
		api_problem(call, 412, "version",
			    "the work item has changed meanwhile: it is at version %lld",
			    (long long)result->version);
	else if (text_equal(result->refusal, "window"))
		refuse_window(call, &((const struct writing *)call->state)->window);
	else if (text_equal(result->refusal, "opted_out"))
		api_conflict(call, &(struct conflict){ "opted_out",
						       "the customer has opted out of messages on "
						       "this channel: only a note can be written",
						       result->state, notes, COUNT_OF(notes) });
	else if (text_equal(result->refusal, "recipient_cap"))
		refuse_capped(call, result->state);
	else if (text_equal(result->refusal, "no_such_attachment"))
		refuse_attachment(call, result->state);
	else if (text_equal(result->refusal, "not_assignee"))
		api_problem(call, 403, "not_assignee",
			    "only the assignee or a supervisor may reply; anybody of the queue may "
			    "write a note");
	else
		api_conflict(call, &(struct conflict){ result->refusal == NULL ? "conflict"
									       : result->refusal,
						       "the conversation is not open: only a note "
						       "can be written",
						       result->state, notes, COUNT_OF(notes) });
}

/* The same body again: as it was answered, whatever became of the message since. */
static void answer_again(struct api_call *call, const char *stored, size_t len)
{
	const struct writing *writing = call->state;
	const struct message_known known = { .customer = writing->customer,
					     .mark = writing->is_note ? NULL : "queued" };
	struct buf body = { 0 };

	if (stored == NULL) {
		http_request_add_field(call->request, "Retry-After", "2");
		api_problem(call, 503, "store_unavailable", "the first answer cannot be read now");
		return;
	}
	api_replayed(call);
	message_show(&body, stored, len, &known);
	api_answer(call, 201, &body);
}

static void on_replayed(const char *stored, const struct error *err, void *context)
{
	answer_again(context, err == NULL ? stored : NULL, stored == NULL ? 0 : strlen(stored));
}

static void replay(struct api_call *call, const char *conversation,
		   const struct write_result *result)
{
	const struct message_place place = { .workspace = call->who.workspace,
					     .conversation = conversation,
					     .message = result->message,
					     .index = result->index };

	message_read(call->parts, &place, on_replayed, call);
}

static void on_written(const struct write_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct writing *writing = call->state;
	if (result->code != WRITE_OK)
		answer_refusal(call, result, err);
	else if (result->replayed)
		replay(call, writing->record.conversation, result);
	else
		answer_message(call, writing);
}

static bool attachments_read(struct api_call *call, struct message_record *record)
{
	struct json_object *list = json_at(call->body, "attachments");
	size_t count = json_count(list);
	struct attachment *attachments =
		arena_alloc(call->arena, (count + 1) * sizeof(*attachments));

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_item(list, i);
		const char *name = json_text(item, "name");

		attachments[i].blob = json_text_copy(item, "blob", call->arena);
		if (attachments[i].blob == NULL)
			attachments[i].blob = json_text_copy(item, "id", call->arena);
		attachments[i].name =
			name == NULL ? "" : text_clean_line(call->arena, name, strlen(name), 200);
		attachments[i].type = json_text_copy(item, "type", call->arena);
		attachments[i].size = json_int(item, "size", -1);
		if (attachments[i].blob == NULL || strlen(attachments[i].blob) != BLOB_ID_LEN) {
			api_invalid(call, "#/body/attachments",
				    "attachment %zu needs the \"blob\" that POST /v1/attachments "
				    "answered",
				    i);
			return false;
		}
		if (!blob_is_id(attachments[i].blob)) {
			no_such_attachment(call, i, attachments[i].name);
			return false;
		}
	}
	record->attachments = attachments;
	record->attachment_count = count;
	return true;
}

/* extra begins with "{" here, and ends where everything is in. */
static void add_extra(struct buf *extra, const char *name, struct json_object *value)
{
	if (value == NULL)
		return;
	buf_format(extra, "%s\"%s\":", extra->len == 0 ? "{" : ",", name);
	json_append(value, extra);
}

/* False after having answered. */
static bool extra_read(struct api_call *call, struct message_record *record)
{
	struct json_object *cc = json_at(call->body, "cc");
	struct json_object *template = json_at(call->body, "template");
	struct json_object *location = json_at(call->body, "location");
	struct json_object *mentions = json_at(call->body, "mentions");
	struct buf list = { 0 };

	if (json_count(cc) == 0 && template == NULL && location == NULL &&
	    json_count(mentions) == 0)
		return true;
	for (size_t i = 0; i < json_count(cc); i++) {
		if (text_is_bare_address(json_string(json_item(cc, i))))
			continue;
		api_invalid(call, "#/body/cc", "entry %zu is not a mail address", i);
		return false;
	}
	add_extra(&list, "cc", json_count(cc) == 0 ? NULL : cc);
	add_extra(&list, "template", template);
	add_extra(&list, "location", location);
	add_extra(&list, "mentions", json_count(mentions) == 0 ? NULL : mentions);
	buf_byte(&list, '}');
	record->extra = arena_text(call->arena, buf_string(&list));
	buf_clear(&list);
	return true;
}

/* The record of a message by whoever calls; false after having answered. */
static bool writing_fill(struct api_call *call, struct writing *writing, const char *conversation,
			 const char *channel)
{
	struct message_record *record = &writing->record;
	const char *text = json_text(call->body, "text");
	const char *html = json_text(call->body, "html");

	id_new("msg_", writing->id);
	record->id = writing->id;
	record->conversation = conversation;
	record->out = true;
	record->kind = writing->is_note ? MESSAGE_NOTE : MESSAGE_TEXT;
	record->text = text == NULL ? "" : text_clean(call->arena, text, strlen(text), 262144);
	record->html = html == NULL ? NULL : text_clean(call->arena, html, strlen(html), 262144);
	record->author_type = call->who.role == ROLE_INTEGRATION ? "bot" : "agent";
	record->author_id = call->who.agent;
	record->author_name = api_agent_name(call, call->who.agent);
	record->channel = channel;
	record->created_ms = loop_unix_ms(call->parts->loop);
	if (!mentions_read(call, writing->is_note, &writing->reply.mentions) ||
	    !extra_read(call, record) || !attachments_read(call, record))
		return false;
	if (*record->text == '\0' && record->attachment_count == 0 && record->extra == NULL) {
		api_invalid(call, "#/body/text", "text is missing");
		return false;
	}
	writing->reply.workspace = call->who.workspace;
	if (*call->idempotency_key != '\0') {
		writing->reply.key = call->idempotency_key;
		writing->reply.request = call->request_hash;
	}
	writing->reply.message = record;
	writing->reply.agent = call->who.agent;
	writing->reply.any_agent = principal_leads(&call->who);
	writing->reply.version =
		call->if_match > 0 ? call->if_match : json_int(call->body, "version", 0);
	return true;
}

static void channel_fill(struct reply *reply, const struct channel *channel)
{
	if (channel == NULL)
		return;
	reply->idempotent = (channel_connector(channel)->abilities & IDEMPOTENT_SEND) != 0;
	reply->per_hour = channel_sending(channel)->per_recipient_hour;
	reply->per_day = channel_sending(channel)->per_recipient_day;
}

/* A reply could not leave now; a note never does. One that is asked for again may have been the
 * last that the window took: the script knows. */
static bool window_is_shut(struct api_call *call, const struct conversation *conversation)
{
	struct writing *writing = call->state;

	return !writing->is_note && send_window(call, conversation, NULL, &writing->window) &&
	       !writing->window.may;
}

static void reply_store(struct api_call *call)
{
	struct writing *writing = call->state;

	conversation_reply(call->parts->store, &writing->reply, on_written, call);
}

static void on_revived(const struct error *err, void *context)
{
	if (err != NULL)
		api_fail(context, err);
	else
		reply_store(context);
}

static void on_target(const struct conversation *conversation, const struct error *err,
		      void *context)
{
	struct api_call *call = context;
	struct writing *writing = call->state;
	struct channel *channel;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (conversation == NULL) {
		api_no_conversation(call);
		return;
	}
	writing->customer = arena_text(call->arena, conversation->customer);
	writing->reply.is_shut = window_is_shut(call, conversation);
	if (writing->reply.is_shut && conversation->is_past) {
		refuse_window(call, &writing->window);
		return;
	}
	if (!writing_fill(call, writing, call->params[0],
			  arena_text(call->arena, conversation->channel)))
		return;
	channel = channel_find(call->parts->channels, call->who.workspace, conversation->channel);
	channel_fill(&writing->reply, channel);
	writing->reply.is_shut =
		writing->reply.is_shut ||
		(!writing->is_note && window_too_small(call, channel, &writing->window));
	if (conversation->is_past)
		conversation_revive(call->parts, call->who.workspace, call->params[0], on_revived,
				    call);
	else
		reply_store(call);
}

void handle_message_write(struct api_call *call)
{
	struct writing *writing = arena_alloc(call->arena, sizeof(*writing));

	writing->is_note = text_equal(json_text(call->body, "kind"), "note");
	call->state = writing;
	conversation_read(call->parts, call->who.workspace, call->params[0], on_target, call);
}

/* ---- POST /v1/conversations ---- */

struct starting {
	struct writing writing; /* first: on_written reads it */
	struct converse converse;
	char conversation[ID_BYTES];
	char customer[ID_BYTES];
	char work_item[ID_BYTES];
	struct identity_place place;
	struct identifier identifier;
	struct identity_key key;
	struct identity_key proved; /* as if the address were proved */
	const char *answers;        /* the customer who is answered over another way; NULL */
	bool is_claimed;            /* by that customer */
};

static void start_with(struct api_call *call, const char *customer)
{
	struct starting *starting = call->state;
	struct buf record = { 0 };

	snprintf(starting->customer, sizeof(starting->customer), "%s", customer);
	identity_index(&starting->place, &starting->identifier, &starting->key);
	identity_index_proved(&starting->place, &starting->identifier, &starting->proved);
	identity_record(&starting->identifier, loop_unix_ms(call->parts->loop), &record);
	starting->writing.customer = starting->customer;
	starting->converse.first = starting->writing.reply;
	starting->converse.customer = starting->customer;
	starting->converse.identifier_hash = starting->key.hex;
	starting->converse.identifier_field = starting->key.field;
	starting->converse.identifier_field_len = sizeof(starting->key.field);
	starting->converse.identifier_bucket = starting->key.bucket;
	starting->converse.proved_hash = starting->proved.hex;
	starting->converse.record = buf_string(&record);
	conversation_start(call->parts->store, &starting->converse, on_written, call);
	buf_clear(&record);
}

/* Nobody proved it: who claimed it on this channel, or somebody new. */
static void on_claimed(const char *customer, const struct error *err, void *context)
{
	struct api_call *call = context;
	char fresh[ID_BYTES];

	id_new("cus_", fresh);
	if (err != NULL)
		api_fail(call, err);
	else
		start_with(call, customer != NULL ? customer : fresh);
}

static void on_proved(const char *customer, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct starting *starting = call->state;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (customer != NULL) {
		start_with(call, customer);
		return;
	}
	/* An address that is good everywhere was only typed; one of this channel is the account
	 * itself, which the provider will vouch for. */
	if (*starting->identifier.scope == '\0')
		starting->identifier.proof = PROOF_CLAIMED;
	customer_find(call->parts->store, &starting->place, &starting->identifier, on_claimed,
		      call);
}

static void start_store(struct api_call *call)
{
	struct starting *starting = call->state;

	if (starting->answers == NULL) {
		customer_find(call->parts->store, &starting->place, &starting->identifier,
			      on_proved, call);
		return;
	}
	if (starting->is_claimed)
		starting->identifier.proof = PROOF_CLAIMED;
	start_with(call, starting->answers);
}

/* The channel and the roster, or NULL after having answered. */
static struct channel *start_channel(struct api_call *call, const struct roster **ret_roster)
{
	const char *name = json_text(call->body, "channel");
	struct channel *channel = channel_find(call->parts->channels, call->who.workspace, name);

	*ret_roster = workspace_roster(workspace_get(call->parts->workspaces, call->who.workspace));
	if (channel != NULL && (channel_connector(channel)->abilities & CAN_SEND) == 0) {
		api_invalid(call, "#/body/channel", "channel \"%s\" only receives", name);
		return NULL;
	}
	if (channel != NULL && *ret_roster != NULL)
		return channel;
	api_invalid(call, "#/body/channel", "there is no channel \"%s\"%s", name,
		    channel_hint(call, name));
	return NULL;
}

static void start_at_target(struct api_call *call)
{
	struct starting *starting = call->state;
	const struct roster *roster;
	struct channel *channel = start_channel(call, &roster);
	const char *channel_text = json_text(call->body, "channel");

	if (channel == NULL)
		return;
	starting->identifier.proof = PROOF_CHANNEL;
	/* Where a person has one conversation, what they answer must find it. */
	if ((channel_connector(channel)->abilities & HAS_EMAIL_THREADS) == 0)
		identity_conversation(&starting->place, &starting->identifier, "",
				      starting->conversation);
	else
		id_new("cnv_", starting->conversation);
	id_new("wrk_", starting->work_item);
	if (!writing_fill(call, &starting->writing, starting->conversation,
			  starting->place.channel))
		return;
	channel_fill(&starting->writing.reply, channel);
	starting->converse = (struct converse){
		.address = starting->identifier.value,
		.name = json_text_copy(call->body, "name", call->arena),
		.thread = "",
		.subject = json_text_copy(call->body, "subject", call->arena),
		.work_item = starting->work_item,
		.queue = arena_text(call->arena, roster_fallback(roster)),
		.cost = roster_channel(roster, channel_text)->cost,
		.waiting_cost = roster_channel(roster, channel_text)->waiting_cost,
	};
	start_store(call);
}

static void on_phone(const char *e164, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct starting *starting = call->state;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	address_settle(call->arena, &starting->identifier, e164);
	start_at_target(call);
}

static void target_read(struct api_call *call, const struct channel *channel)
{
	struct starting *starting = call->state;
	const char *region = channel_default_region(channel);
	char phone[ADDRESS_PHONE_BYTES];
	const char *known;
	struct error err;

	if (address_normalise(call->arena, &starting->identifier, phone)) {
		start_at_target(call);
		return;
	}
	known = phones_known(call->parts->phones, region, phone);
	if (known != NULL)
		on_phone(known, NULL, call);
	else if (phones_read(call->parts->phones, region, phone, on_phone, call, &err) != 0)
		api_fail(call, &err);
}

static void on_answered(struct api_call *call, const struct answered *answered)
{
	struct starting *starting = call->state;

	starting->answers = answered->customer;
	starting->identifier.scope = answered->scope;
	starting->is_claimed = answered->is_claimed;
	start_at_target(call);
}

/* A phone number is the same person's on every channel, an account only on its own. */
static bool is_known_everywhere(const struct connector *connector)
{
	return text_equal(connector->identifier_kind, "phone") ||
	       (connector->abilities & HAS_EMAIL_THREADS) != 0;
}

void handle_conversation_start(struct api_call *call)
{
	struct starting *starting = arena_alloc(call->arena, sizeof(*starting));
	const struct roster *roster;
	struct channel *channel = start_channel(call, &roster);
	const struct connector *connector;

	if (channel == NULL)
		return;
	connector = channel_connector(channel);
	call->state = starting;
	starting->place = (struct identity_place){ .mac = call->parts->key,
						   .workspace = call->who.workspace,
						   .channel = arena_text(call->arena,
									 channel_name(channel)) };
	starting->identifier = (struct identifier){
		.kind = connector->identifier_kind,
		.value = json_text_copy(call->body, "to", call->arena),
		.scope = is_known_everywhere(connector) ? "" : starting->place.channel,
	};
	if (json_text(call->body, "answers") == NULL)
		target_read(call, channel);
	else
		answered_find(call, starting->place.channel, &starting->identifier, on_answered);
}
