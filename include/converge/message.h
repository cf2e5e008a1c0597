/* The normalised message and the person it is from. Texts are UTF-8, NFC,
 * bounded, and live in the arena that the core hands to parse(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum message_kind {
	MESSAGE_TEXT,
	MESSAGE_IMAGE,
	MESSAGE_VOICE,
	MESSAGE_VIDEO,
	MESSAGE_FILE,
	MESSAGE_LOCATION,
	MESSAGE_EVENT,   /* something happened (follow, menu click): shown folded */
	MESSAGE_NOTE,    /* internal: never leaves */
	MESSAGE_UNKNOWN, /* a kind the connector does not know; kept, raw beside it */
};

/* How sure we are that an identifier belongs to the sender. */
enum proof {
	PROOF_CLAIMED, /* T0: typed or unauthenticated */
	PROOF_CHANNEL, /* T1: the provider or the link authenticated it */
	PROOF_PERSON,  /* T2: the person proved it (signed token, one-time code) */
};

struct identifier {
	const char *kind;  /* email, phone, wechat, webhook, visitor ... */
	const char *scope; /* app, portfolio or channel it is valid in; "" for global ones */
	const char *value; /* normalised; opaque for provider ids */
	const char *raw;   /* as received; NULL where equal */
	enum proof proof;
	const char *proved_by; /* "dkim", "signature", "jwt" ...; NULL when claimed */
};

struct attachment {
	const char *name;       /* cleaned file name; may be "" */
	const char *type;       /* media type */
	const char *url;        /* where the provider keeps it; NULL once stored */
	const char *blob;       /* blob id once stored; NULL before */
	int64_t size;           /* bytes; -1 unknown */
	const char *content_id; /* of an inline mail image; NULL */
	const void *bytes;      /* held in memory by the body format (mail parts); NULL */
};

/* A delivery state told by the provider for something we sent. */
enum receipt_state { RECEIPT_SENT, RECEIPT_DELIVERED, RECEIPT_READ, RECEIPT_FAILED };

struct receipt {
	const char *provider_id; /* of our message */
	enum receipt_state state;
	const char *error; /* NULL unless failed */
	/* A watermark instead of provider_id (NULL): all that was sent to this identifier's value
	 * until then. */
	const char *to;
	const char *scope; /* of that identifier; NULL reads as "" */
	int64_t until_ms;
};

/* Evidence for the thread a message belongs to (email). */
struct thread_hint {
	const char *token; /* our reply token, found in an address or a Message-ID; NULL */
	const char *const *references; /* message ids, nearest first */
	size_t reference_count;
	const char *subject; /* without Re: and its kin */
};

/* What an event tells of a phone call. message.thread is the id of the call: all its events are one
 * conversation, whose customer the first event tells. The first one that is not CALL_NOTED opens a
 * work item, once, however many follow; they move it (docs/voice.md). An event that is late never
 * takes a call back. */
enum call_state {
	CALL_NOTED,    /* held, recorded, put through ...: kept, moves nothing */
	CALL_RINGING,  /* it came in, or waits in a queue */
	CALL_ANSWERED, /* a person talks to the caller */
	CALL_ENDED,    /* over; missed unless an event said that it was answered, or talk_s does */
	CALL_MISSED,   /* over, and nobody talked to the caller */
};

struct phone_call {
	enum call_state state;
	bool is_outgoing; /* ours to the customer: kept, opens no work item */
	int64_t order; /* grows with the events of one call: which of two answers is newer; 0: only
			* the first one counts */
	const char *agent; /* who talks: an agent's id or one of its `lines`; NULL: not told */
	int64_t talk_s;    /* how long they talked; -1: not told */
};

struct message {
	enum message_kind kind;
	const char *provider_id;  /* the provider's id: drops duplicates; never NULL or "" */
	const char *dedupe;       /* what is remembered instead of provider_id; NULL: provider_id */
	const char *text;         /* "" where there is none */
	const char *html;         /* kept apart, shown sandboxed only; NULL */
	const char *subject;      /* NULL where the channel has none */
	const char *language;     /* NULL: found by the core */
	struct identifier sender; /* the one this conversation belongs to */
	const char *sender_name;  /* shown; "" where unknown */
	struct identifier others[8]; /* further claims about the same person */
	size_t other_count;
	const char *thread; /* the channel's own thread key; "" where it has none */
	struct thread_hint hint;
	struct attachment *attachments;
	size_t attachment_count;
	int64_t sent_ms;      /* the provider's time, unix ms; 0 unknown */
	bool automatic;       /* out-of-office, list, bounce: never answered by a machine */
	const char *raw_blob; /* the raw mail, once stored; NULL */
	const char *extra;    /* small JSON object of channel facts (cc, in_reply_to, location,
			       * postback ...); NULL */
	/* What an answer needs of the newest message (a reply token, an address for answers): at
	 * most 1 KiB, opaque, handed to send() until a newer message brings another. NULL: keeps
	 * the older one. */
	const char *reply_context;
	/* The reply window that this message opens, where it is another than the channel's
	 * (struct window_rules): WINDOW_NONE opens none and leaves an open one alone; 0: the
	 * channel's. */
	int64_t window_ms;
	int64_t window_count;
	const struct phone_call *call; /* an event of a phone call (kind MESSAGE_EVENT); NULL */
};

enum { WINDOW_NONE = -1 };

/* What one request or one polled item yields. */
struct parsed {
	struct message *messages;
	size_t message_count;
	struct receipt *receipts;
	size_t receipt_count;
	/* The provider's own form of "ok"; NULL: the core's default answer. */
	int answer_status;
	const char *answer_type;
	const char *answer_body;
	/* There is something to fetch: poll() runs soon, at whichever instance holds the channel's
	 * lease (WAKES_POLL). A hint, not a message: poll() must come by on its own now and then.
	 */
	bool wake;
};
