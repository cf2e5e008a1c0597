#include "thread/thread.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "channel.h"
#include "conversation/conversation.h"
#include "conversation/past.h"
#include "conversation/threading.h"
#include "identity/reference.h"
#include "services/loop.h"
#include "store/store.h"
#include "workers/parse.h"
#include "workspace.h"

enum {
	REFERENCES = 20,   /* of a mail, nearest first, that are looked up */
	CANDIDATES = 5,    /* conversations that are read */
	MESSAGES = 100,    /* of a candidate, newest first, that name who was copied */
	PARTICIPANTS = 200 /* of a candidate */
};

/* A conversation that the evidence names. */
struct candidate {
	struct search *search;
	char id[ID_BYTES];
	bool is_known; /* it exists */
	bool is_past;  /* it has left the store */
	bool is_lost;  /* it cannot be read now */
	struct thread_found found;
	const char *participants[PARTICIPANTS];
};

/* The evidence of one message while it is looked up. */
struct search {
	struct flight *flight;
	struct passenger *passenger;
	size_t left;          /* look-ups under way */
	char token[ID_BYTES]; /* the conversation of a good token; "" */
	char references[REFERENCES][ID_BYTES];
	char before[REFERENCES][ID_BYTES]; /* where what they name was before it was moved */
	char fields[REFERENCES][2 * IDENTITY_FIELD_BYTES + 1]; /* what they are indexed under */
	size_t reference_count;
	struct candidate candidates[CANDIDATES]; /* the token's first */
	size_t candidate_count;
	struct thread_choice choice; /* while its conversation comes back */
};

/* ---- the decision ---- */

static void write_choice(struct search *search, const struct thread_choice *choice)
{
	struct message *message = search->passenger->message;
	const char *extra = message->extra;
	size_t len = extra == NULL ? 0 : strlen(extra);
	struct buf buf = { 0 };
	struct json_out out;

	jw_start(&out, &buf);
	jw_object(&out, NULL);
	jw_int(&out, "score", choice->score);
	jw_text(&out, "reason", choice->reason);
	if (choice->verdict == THREAD_RELATED)
		jw_text(&out, "related", choice->conversation);
	jw_object_end(&out);
	/* An object is more than its two braces when it has a member already. */
	message->extra = arena_format(search->flight->arena, "%.*s%s\"thread\":%s}",
				      len > 2 ? (int)len - 1 : 1, len > 2 ? extra : "{",
				      len > 2 ? "," : "", buf_string(&buf));
	buf_clear(&buf);
}

/* Of a chain that is new to us, the oldest id: its further mails meet in one conversation, whether
 * or not its first one came here. */
static void chain_key(struct message *message)
{
	const struct thread_hint *hint = &message->hint;
	const char *oldest =
		hint->reference_count > 0 ? hint->references[hint->reference_count - 1] : NULL;

	if (oldest != NULL && *oldest != '\0' && strlen(oldest) <= LIMIT_ID_BYTES)
		message->thread = oldest;
}

/* The token is proof of which thread is meant, but who takes part in it cannot be read now. */
static void token_stands(struct search *search, struct thread_choice *choice)
{
	for (size_t i = 0; i < search->candidate_count; i++) {
		const struct candidate *candidate = &search->candidates[i];

		if (!candidate->is_lost || !text_equal(candidate->id, search->token))
			continue;
		choice->verdict = THREAD_RELATED;
		choice->conversation = candidate->id;
		snprintf(choice->reason, sizeof(choice->reason),
			 "reply token; who takes part in it cannot be read now: related only");
	}
}

static bool is_past(const struct search *search, const char *conversation)
{
	for (size_t i = 0; i < search->candidate_count; i++)
		if (text_equal(search->candidates[i].id, conversation))
			return search->candidates[i].is_past;
	return false;
}

static void choose(struct search *search, const struct thread_choice *choice)
{
	if (choice->verdict == THREAD_SAME)
		search->passenger->conversation =
			arena_text(search->flight->arena, choice->conversation);
	else
		chain_key(search->passenger->message);
	write_choice(search, choice);
}

/* It comes back before the message does, so that it stays whose it was. */
static void on_revived(const struct error *err, void *context)
{
	struct search *search = context;
	struct flight *flight = search->flight;

	if (!flight_landed(flight))
		return;
	if (err != NULL) {
		search->choice.verdict = THREAD_RELATED;
		snprintf(search->choice.reason, sizeof(search->choice.reason),
			 "its thread cannot be brought back now: related only");
	}
	choose(search, &search->choice);
	if (flight->pending == 0)
		pipeline_resume(flight, flight->error.kind == ERROR_NONE ? STAGE_NEXT : STAGE_FAIL);
}

static void search_decide(struct search *search)
{
	struct flight *flight = search->flight;
	struct message *message = search->passenger->message;
	struct thread_found found[CANDIDATES];
	struct thread_evidence evidence = {
		.sender = message->sender.value,
		.subject = message->hint.subject,
		.now_ms = loop_unix_ms(flight->parts->loop),
		.has_token = message->hint.token != NULL,
		.references = found,
	};
	struct thread_choice choice;

	for (size_t i = 0; i < search->candidate_count; i++) {
		const struct candidate *candidate = &search->candidates[i];

		if (!candidate->is_known)
			continue;
		if (text_equal(candidate->id, search->token))
			evidence.token = &candidate->found;
		else
			found[evidence.reference_count++] = candidate->found;
	}
	choice = thread_choose(&evidence);
	if (choice.verdict == THREAD_NEW)
		token_stands(search, &choice);
	if (choice.verdict == THREAD_SAME && is_past(search, choice.conversation)) {
		search->choice = choice;
		flight->pending++;
		conversation_revive(flight->parts, workspace_name(flight->workspace),
				    choice.conversation, on_revived, search);
		return;
	}
	choose(search, &choice);
}

static void search_end(struct search *search)
{
	struct flight *flight = search->flight;

	if (flight->error.kind == ERROR_NONE)
		search_decide(search);
	if (flight->pending == 0)
		pipeline_resume(flight, flight->error.kind == ERROR_NONE ? STAGE_NEXT : STAGE_FAIL);
}

/* ---- who takes part ---- */

/* Our own addresses are on every mail: they are nobody's proof. */
static void participant_add(struct candidate *candidate, const char *address)
{
	struct flight *flight = candidate->search->flight;
	const struct connector *connector = channel_connector(flight->channel);

	if (address == NULL || candidate->found.participant_count == PARTICIPANTS ||
	    (connector->takes != NULL && connector->takes(flight->channel, address)))
		return;
	candidate->participants[candidate->found.participant_count++] =
		arena_text(flight->arena, address);
}

static void people_add(struct candidate *candidate, struct json_object *people)
{
	for (size_t i = 0; i < json_count(people); i++)
		participant_add(candidate, json_string(json_item(people, i)));
}

static void copied_add(struct candidate *candidate, const struct message_page *page)
{
	struct buf text = { 0 };
	struct json_object *list;

	buf_byte(&text, '[');
	buf_add(&text, page->json, page->len);
	buf_byte(&text, ']');
	list = json_read(text.data, text.len, NULL);
	for (size_t i = 0; i < json_count(list); i++) {
		people_add(candidate, json_at(json_item(list, i), "extra.cc"));
		people_add(candidate, json_at(json_item(list, i), "extra.to"));
	}
	json_free(&list);
	buf_clear(&text);
}

static void candidate_end(struct candidate *candidate)
{
	struct search *search = candidate->search;

	if (--search->left == 0)
		search_end(search);
}

static void on_messages(const struct message_page *page, const struct error *err, void *context)
{
	struct candidate *candidate = context;

	if (!flight_landed(candidate->search->flight))
		return;
	(void)err; /* who was copied is not known then; whose it is is */
	if (page != NULL)
		copied_add(candidate, page);
	candidate_end(candidate);
}

/* A token is good in any channel of the workspace; a mail that came to another
 * one stays there, so nobody takes part. Nor in a notice: whoever got it need not
 * be who asked for it. */
static void on_conversation(const struct conversation *conversation, const struct error *err,
			    void *context)
{
	struct candidate *candidate = context;
	struct flight *flight = candidate->search->flight;
	struct message_query query = { .workspace = workspace_name(flight->workspace),
				       .conversation = candidate->id,
				       .from = -1,
				       .limit = MESSAGES,
				       .without_notes = true };

	if (!flight_landed(flight))
		return;
	/* A store that is away ends the flight later. The history may be: nobody waits for it. */
	candidate->is_lost = err != NULL;
	candidate->is_known = conversation != NULL;
	candidate->is_past = conversation != NULL && conversation->is_past;
	if (conversation == NULL || conversation->is_notice ||
	    !text_equal(conversation->channel, channel_name(flight->channel))) {
		candidate_end(candidate);
		return;
	}
	if (conversation->subject != NULL)
		candidate->found.subject =
			subject_base(arena_text(flight->arena, conversation->subject));
	candidate->found.last_ms = conversation->updated_ms;
	participant_add(candidate, conversation->address);
	flight->pending++;
	conversation_messages(flight->parts, &query, on_messages, candidate);
}

/* ---- what the hint names ---- */

static void candidate_add(struct search *search, const char *conversation, bool is_far)
{
	struct candidate *candidate = &search->candidates[search->candidate_count];

	if (*conversation == '\0' || search->candidate_count == CANDIDATES)
		return;
	for (size_t i = 0; i < search->candidate_count; i++)
		if (text_equal(search->candidates[i].id, conversation))
			return;
	search->candidate_count++;
	candidate->search = search;
	memcpy(candidate->id, conversation, ID_BYTES);
	candidate->found.conversation = candidate->id;
	candidate->found.participants = candidate->participants;
	candidate->found.is_far = is_far;
}

/* A token names the conversation that its message was in when it left. Whoever moved the message
 * since knew better. */
static void token_follow(struct search *search)
{
	for (size_t i = 0; i < REFERENCES && search->token[0] != '\0'; i++)
		if (text_equal(search->before[i], search->token)) {
			memcpy(search->token, search->references[i], ID_BYTES);
			return;
		}
}

static void candidates_read(struct search *search)
{
	struct flight *flight = search->flight;

	token_follow(search);
	candidate_add(search, search->token, false);
	for (size_t i = 0; i < REFERENCES; i++)
		candidate_add(search, search->references[i], i > 0);
	search->left = search->candidate_count;
	flight->pending += search->candidate_count;
	for (size_t i = 0; i < search->candidate_count; i++)
		conversation_read(flight->parts, workspace_name(flight->workspace),
				  search->candidates[i].id, on_conversation,
				  &search->candidates[i]);
	if (search->candidate_count == 0)
		search_end(search);
}

/* ---- references to what has left the store ---- */

static void on_past_references(struct json_object *answer, const struct error *err, void *context)
{
	struct search *search = context;
	struct json_object *rows = json_at(answer, "references");

	if (!flight_landed(search->flight))
		return;
	(void)err; /* unknown then: the mail opens a conversation of its own */
	for (size_t i = 0; i < json_count(rows); i++) {
		const char *field = json_text(json_item(rows, i), "field");
		const char *conversation = json_text(json_item(rows, i), "conversation");

		for (size_t j = 0; conversation != NULL && j < search->reference_count; j++)
			if (text_equal(search->fields[j], field))
				snprintf(search->references[j], ID_BYTES, "%s", conversation);
	}
	candidates_read(search);
}

static void past_references_read(struct search *search)
{
	struct flight *flight = search->flight;
	struct buf fields = { 0 };
	const struct past_question question = { "past_references",
						workspace_name(flight->workspace), &fields };
	struct json_out out;
	size_t unknown = 0;

	buf_text(&fields, ",\"fields\":");
	jw_start(&out, &fields);
	jw_array(&out, NULL);
	for (size_t i = 0; i < search->reference_count; i++) {
		if (search->references[i][0] != '\0')
			continue;
		jw_text(&out, NULL, search->fields[i]);
		unknown++;
	}
	jw_array_end(&out);
	if (unknown > 0 && past_is_kept(flight->parts)) {
		flight->pending++;
		past_ask(flight->parts, &question, on_past_references, search);
	} else {
		candidates_read(search);
	}
	buf_clear(&fields);
}

struct lookup {
	struct search *search;
	size_t place;
};

static void on_reference(const struct store_reply *reply, const struct error *err, void *context)
{
	const struct lookup *lookup = context;
	struct search *search = lookup->search;
	struct reference reference;

	if (!flight_landed(search->flight))
		return;
	if (err != NULL)
		flight_fail(search->flight, "finding the thread: %s", err->text);
	else if (reference_parse(reply_text(reply, NULL), &reference)) {
		memcpy(search->references[lookup->place], reference.conversation, ID_BYTES);
		memcpy(search->before[lookup->place], reference.before, ID_BYTES);
	}
	if (--search->left > 0)
		return;
	if (search->flight->error.kind == ERROR_NONE)
		past_references_read(search);
	else
		search_end(search);
}

static void references_find(struct search *search)
{
	struct flight *flight = search->flight;
	const struct thread_hint *hint = &search->passenger->message->hint;
	const struct identity_place place = { .mac = flight->parts->key,
					      .workspace = workspace_name(flight->workspace),
					      .channel = channel_name(flight->channel) };
	struct identity_key key;

	search->left = hint->reference_count < REFERENCES ? hint->reference_count : REFERENCES;
	search->reference_count = search->left;
	flight->pending += search->left;
	for (size_t i = 0, count = search->left; i < count; i++) {
		struct lookup *lookup = arena_alloc(flight->arena, sizeof(*lookup));

		lookup->search = search;
		lookup->place = i;
		identity_reference(&place, hint->references[i], &key);
		memcpy(search->fields[i], key.hex, sizeof(search->fields[i]));
		store_read(flight->parts->store, reference_command(&place, hint->references[i]),
			   on_reference, lookup);
	}
}

static void search_start(struct flight *flight, struct passenger *passenger)
{
	const struct thread_hint *hint = &passenger->message->hint;
	struct search *search = arena_alloc(flight->arena, sizeof(*search));

	search->flight = flight;
	search->passenger = passenger;
	if (hint->token != NULL)
		reply_token_read(flight->parts->key, workspace_name(flight->workspace), hint->token,
				 search->token);
	if (hint->reference_count > 0)
		references_find(search);
	else if (search->token[0] != '\0')
		candidates_read(search);
	else
		search_decide(search);
}

/* A call is one conversation whatever its events say of who calls. */
static void call_thread(struct flight *flight, struct passenger *passenger)
{
	const struct identity_place place = { flight->parts->key, workspace_name(flight->workspace),
					      channel_name(flight->channel) };
	const struct identifier call = { .kind = "call",
					 .scope = "",
					 .value = passenger->message->thread };
	char *conversation = arena_alloc(flight->arena, ID_BYTES);

	identity_conversation(&place, &call, "", conversation);
	passenger->conversation = conversation;
}

enum stage_result thread_stage(struct flight *flight)
{
	for (size_t i = 0; i < flight->parsed.message_count; i++)
		if (flight->passengers[i].message->call != NULL)
			call_thread(flight, &flight->passengers[i]);
	if ((channel_connector(flight->channel)->abilities & HAS_EMAIL_THREADS) == 0 ||
	    flight->is_unreadable)
		return STAGE_NEXT;
	for (size_t i = 0; i < flight->parsed.message_count; i++)
		search_start(flight, &flight->passengers[i]);
	return flight->pending > 0 ? STAGE_WAIT : STAGE_NEXT;
}
