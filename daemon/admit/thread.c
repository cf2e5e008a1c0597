#include "admit/thread.h"

#include <stdio.h>
#include <string.h>

#include "admit/admit.h"
#include "base/json.h"
#include "base/limits.h"
#include "channel.h"
#include "conversation/conversation.h"
#include "conversation/threading.h"
#include "services/loop.h"
#include "workers/parse.h"
#include "workspace.h"

/* A conversation that evidence leads to; its texts are in the flight's arena. */
struct found {
	struct thread_found thread; /* .conversation is NULL while nothing is known */
	const char *participants[1];
};

struct search {
	struct flight *flight;
	struct passenger *passenger;
	char token_conversation[ID_BYTES]; /* "" where no token verified */
	struct found token;
	struct found reference;
	struct search *next;
	struct search *first; /* of the flight */
};

static void take(struct search *search, struct found *found,
		 const struct conversation *conversation)
{
	struct arena *arena = search->flight->arena;

	found->participants[0] = arena_text(arena, conversation->address);
	found->thread = (struct thread_found){
		.conversation = arena_text(arena, conversation->id),
		.participants = found->participants,
		.participant_count = conversation->address == NULL ? 0 : 1,
		.subject = conversation->subject == NULL
				   ? NULL
				   : subject_base(arena_text(arena, conversation->subject)),
		.last_ms = conversation->updated_ms,
	};
}

/* Where the message stands in words, in front of what the connector said. */
static void note(struct search *search, const struct thread_choice *choice)
{
	struct message *message = search->passenger->message;
	struct arena *arena = search->flight->arena;
	const char *rest =
		message->extra == NULL || message->extra[1] == '}' ? NULL : message->extra;
	struct buf text = { 0 };
	struct json_out out;

	jw_start(&out, &text);
	jw_object(&out, NULL);
	jw_int(&out, "score", choice->score);
	jw_text(&out, "reason", choice->reason);
	if (choice->verdict == THREAD_RELATED)
		jw_text(&out, "related", choice->conversation);
	jw_object_end(&out);
	message->extra = arena_format(arena, "{\"thread\":%s%s%s", buf_string(&text),
				      rest == NULL ? "}" : ",", rest == NULL ? "" : rest + 1);
	buf_clear(&text);
}

/* The oldest id of the chain: further mails of the same chain meet in one
 * conversation, whether or not its first mail came to us. */
static const char *chain_of(const struct message *message)
{
	const struct thread_hint *hint = &message->hint;
	const char *oldest = hint->reference_count > 0 ? hint->references[hint->reference_count - 1]
						       : message->provider_id;

	return strlen(oldest) <= LIMIT_ID_BYTES ? oldest : message->provider_id;
}

static void choose(struct search *search)
{
	struct message *message = search->passenger->message;
	const struct thread_evidence evidence = {
		.sender = message->sender.value,
		.subject = message->hint.subject,
		.now_ms = loop_unix_ms(search->flight->parts->loop),
		.has_token = message->hint.token != NULL,
		.token = search->token.thread.conversation == NULL ? NULL : &search->token.thread,
		.references = &search->reference.thread,
		.reference_count = search->reference.thread.conversation == NULL ? 0 : 1,
	};
	struct thread_choice choice = thread_choose(&evidence);

	if (choice.verdict == THREAD_SAME)
		search->passenger->conversation = choice.conversation;
	else
		message->thread = chain_of(message);
	note(search, &choice);
}

/* After every look-up; the last one of the flight decides for all of its messages. */
static void step_end(struct search *search)
{
	struct flight *flight = search->flight;

	if (flight->pending > 0)
		return;
	if (flight->error.kind != ERROR_NONE) {
		pipeline_resume(flight, STAGE_FAIL);
		return;
	}
	for (struct search *one = search->first; one != NULL; one = one->next)
		choose(one);
	pipeline_resume(flight, STAGE_NEXT);
}

static bool step_landed(struct search *search, const struct error *err)
{
	if (!flight_landed(search->flight))
		return false;
	if (err != NULL)
		flight_fail(search->flight, "finding the thread: %s", err->text);
	return true;
}

static void on_token_read(const struct conversation *conversation, const struct error *err,
			  void *context)
{
	struct search *search = context;

	if (!step_landed(search, err))
		return;
	if (conversation != NULL)
		take(search, &search->token, conversation);
	step_end(search);
}

static void on_reference_read(const struct conversation *conversation, const struct error *err,
			      void *context)
{
	struct search *search = context;

	if (!step_landed(search, err))
		return;
	if (conversation != NULL)
		take(search, &search->reference, conversation);
	step_end(search);
}

static void read_found(struct search *search, const char *id, conversation_fn *done)
{
	search->flight->pending++;
	conversation_read(search->flight->parts->store, workspace_name(search->flight->workspace),
			  id, done, search);
}

static void on_reference_found(const char *conversation, const char *message, int64_t index,
			       const struct error *err, void *context)
{
	struct search *search = context;

	(void)message;
	(void)index;
	if (!step_landed(search, err))
		return;
	if (conversation != NULL)
		read_found(search, conversation, on_reference_read);
	step_end(search);
}

static void look_up(struct search *search)
{
	struct flight *flight = search->flight;
	const struct thread_hint *hint = &search->passenger->message->hint;
	const struct admission admission = {
		.workspace = workspace_name(flight->workspace),
		.channel = channel_name(flight->channel),
	};

	if (hint->token != NULL && reply_token_read(flight->parts->key, admission.workspace,
						    hint->token, search->token_conversation))
		read_found(search, search->token_conversation, on_token_read);
	if (hint->reference_count == 0)
		return;
	flight->pending++;
	admit_find(flight->parts->admit, &admission, hint->references, hint->reference_count,
		   on_reference_found, search);
}

enum stage_result admit_thread(struct flight *flight)
{
	const struct connector *connector = channel_connector(flight->channel);
	struct search *first = NULL, **link = &first;

	if ((connector->abilities & HAS_EMAIL_THREADS) == 0 || flight->is_unreadable)
		return STAGE_NEXT;
	for (size_t i = 0; i < flight->parsed.message_count; i++) {
		struct search *search = arena_alloc(flight->arena, sizeof(*search));

		search->flight = flight;
		search->passenger = &flight->passengers[i];
		*link = search;
		link = &search->next;
	}
	for (struct search *one = first; one != NULL; one = one->next) {
		one->first = first;
		look_up(one);
	}
	if (flight->pending > 0)
		return STAGE_WAIT;
	for (struct search *one = first; one != NULL; one = one->next)
		choose(one);
	return STAGE_NEXT;
}
