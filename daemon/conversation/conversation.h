/* Conversations: writing into one, starting one, reading one. done comes
 * exactly once, never before the call has returned; results are borrowed and
 * valid inside it, absent texts are NULL. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/id.h"
#include "conversation/message.h"

struct parts;
struct store;

/* ---- writing ---- */
enum write_code {
	WRITE_OK,
	/* refusal: not_found, illegal_state, not_assignee, exists, opted_out, recipient_cap (state:
	 * ms until one more may leave), no_such_attachment
	 * (state: its place from 1) */
	WRITE_REFUSED,
	WRITE_CONFLICT, /* the idempotency key was used with another request */
	WRITE_FAILED,
};

struct write_result {
	enum write_code code;
	bool replayed;
	const char *refusal;
	const char *state;   /* of the conversation or the item, with a refusal */
	const char *message; /* the first one's id in a replay */
	int64_t index;
	const char *work_item;
	const char *work_state;
	int64_t version;
};
typedef void write_done_fn(const struct write_result *result, const struct error *err,
			   void *context);

struct reply {
	const char *workspace;
	const char *key;     /* hash of the idempotency key with its owner, hex; NULL: none */
	const char *request; /* hash of the request; NULL where key is */
	/* id, conversation, channel, author, text ...; attachments have blobs */
	const struct message_record *message;
	const char *agent;  /* who writes; NULL: nobody who could be the assignee */
	bool any_agent;     /* needs no assignment: supervisor, automation, bot. Notes need none */
	bool idempotent;    /* the connector declares idempotent sends */
	int64_t expires_ms; /* do not send after (unix); 0: always */
	int64_t version;    /* that the work item must have; 0: any */
	int64_t per_hour;   /* messages that the addressee may get; 0: any number */
	int64_t per_day;
	const char *mentions; /* agents whom a note names, parted by spaces; NULL: nobody */
	bool is_shut;         /* the reply window: only what was written before is answered */
	bool to_opted_out;    /* goes also to who wants no messages: what confirms that */
};
/* A message of kind MESSAGE_NOTE is a note: it never leaves. */
void conversation_reply(struct store *store, const struct reply *reply, write_done_fn *done,
			void *context);

struct converse {
	struct reply
		first; /* the message and who sends it; agent NULL: the item waits in its queue */
	const char *customer;
	const char *identifier_hash; /* hex, identity_index() */
	const void *identifier_field;
	size_t identifier_field_len;
	unsigned identifier_bucket;
	const char *proved_hash; /* hex, identity_index_proved() */
	const char *record;      /* identity_record(): a customer that is new gets it; NULL: the
				  * customer must exist */
	const char *address;
	const char *name;
	const char *thread;
	const char *subject;
	const char *work_item; /* wrk_ id to use */
	const char *queue;
	const char *type;
	int64_t cost;         /* to the agent */
	int64_t waiting_cost; /* and while it waits */
	int64_t priority;
};
void conversation_start(struct store *store, const struct converse *converse, write_done_fn *done,
			void *context);

/* ---- reading: the store, and the history for what has left it (past.h). Who reads does not notice
 * which. While the history cannot be asked, what is in the store is shown alone, and what has left
 * it is an error that may pass. ---- */
struct conversation {
	const char *id;
	bool is_past; /* has left the store: conversation_revive() before it is written to */
	const char *channel;
	const char *customer;
	const char *address;
	const char *name;
	const char *thread;
	const char *subject;
	const char *work_item;
	bool open;
	bool is_notice; /* it carries one notice of ours: an answer opens a conversation of its own
			 */
	int64_t messages;
	int64_t created_ms;
	int64_t updated_ms;
	int64_t version;
	const char *last_inbound; /* provider id of the newest inbound message */
	int64_t last_inbound_ms;
	const char *window;          /* delivery/window.h, kept; NULL */
	const char *page_attributes; /* what the visitor's page said, JSON object; NULL */
	const char *newest;          /* conversations_past(): its newest message as stored */
	int64_t newest_ms;           /* and when it was made */
};
/* conversation is NULL where there is none, and with err. */
typedef void conversation_fn(const struct conversation *conversation, const struct error *err,
			     void *context);
void conversation_read(const struct parts *parts, const char *workspace, const char *id,
		       conversation_fn *done, void *context);

/* Those of a customer's identifiers that the history knows, the last changed first, 50 at most:
 * also such as are in the store, as they were written down. Nothing where none is kept. */
typedef void conversations_fn(const struct conversation *list, size_t count,
			      const struct error *err, void *context);
void conversations_past(const struct parts *parts, const char *workspace, const char *customer,
			conversations_fn *done, void *context);

/* Back into the store, without its messages: harmless where it is there. */
typedef void conversation_revived_fn(const struct error *err, void *context);
void conversation_revive(const struct parts *parts, const char *workspace, const char *id,
			 conversation_revived_fn *done, void *context);

/* A page of messages as the API shows them: JSON objects parted by commas, delivery marks merged
 * in. more: there are further ones in that direction. Positions order a conversation's messages
 * for good, wherever they are. */
struct message_page {
	const char *json; /* without the brackets of the array */
	size_t len;
	size_t count;
	bool more;
	const size_t *starts;     /* of each one shown, in json; its comma or the end follows it */
	const int64_t *positions; /* of each one shown */
	int64_t next; /* where the next page begins; of those looked at, notes included */
};
/* The messages as a list, which the caller frees; page may be NULL: none. */
struct json_object *message_page_list(const struct message_page *page);
typedef void message_page_fn(const struct message_page *page, const struct error *err,
			     void *context);
struct message_query {
	const char *workspace;
	const char *conversation;
	int64_t from; /* position of the first, or where it would be; -1: the newest, descending */
	size_t limit; /* 1-200 */
	bool descending;
	bool without_notes; /* what the customer may see; count may then be below limit */
	bool is_index; /* from is an index in the store, which alone is read: for what is in flight
			*/
};
/* page is NULL where there is no such conversation, and with err. */
void conversation_messages(const struct parts *parts, const struct message_query *query,
			   message_page_fn *done, void *context);

/* One message's stored text: from its place in the store, or where it has left, from the history.
 * NULL where it is in neither, and with err. */
struct message_place {
	const char *workspace;
	const char *conversation;
	const char *message;
	int64_t index;
};
typedef void message_text_fn(const char *stored, const struct error *err, void *context);
void message_read(const struct parts *parts, const struct message_place *place,
		  message_text_fn *done, void *context);
