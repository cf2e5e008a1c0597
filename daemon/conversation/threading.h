/* Which conversation a mail belongs to, by scored evidence, and why. Pure: the
 * caller looks up what the hints name and hands over what it found. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/id.h"

/* ---- reply tokens: 26 characters of the conversation's id and 11 of a MAC ---- */
enum { REPLY_TOKEN_BYTES = 40 }; /* 37 and a NUL, rounded */

void reply_token_make(struct mac *mac, const char *workspace, const char *conversation,
		      char out[REPLY_TOKEN_BYTES]);
/* The conversation a token was made for; false where it is not ours. Case does not count. */
bool reply_token_read(struct mac *mac, const char *workspace, const char *token,
		      char ret_conversation[ID_BYTES]);

/* ---- evidence ---- */

/* A conversation that the evidence leads to, and who takes part in it. */
struct thread_found {
	const char *conversation;
	const char *const *participants; /* folded addresses: its customer and whoever was copied */
	size_t participant_count;
	const char *subject; /* base subject; NULL unknown */
	int64_t last_ms;     /* its newest message; 0 unknown */
	bool is_far;         /* named by an earlier message, not by the one it answers */
};

struct thread_evidence {
	const char *sender;  /* folded address */
	const char *subject; /* base subject of the mail; NULL */
	int64_t now_ms;
	bool has_token;                        /* a token stood in it, good or not */
	const struct thread_found *token;      /* what the verified token names; NULL */
	const struct thread_found *references; /* known ones, nearest first */
	size_t reference_count;
};

enum thread_verdict {
	THREAD_NEW,     /* opens a conversation */
	THREAD_SAME,    /* belongs to .conversation */
	THREAD_RELATED, /* opens one, linked to .conversation, without access to it */
};

struct thread_choice {
	enum thread_verdict verdict;
	const char *conversation; /* borrowed from the evidence; NULL with THREAD_NEW */
	int score;                /* 0-100, how strong the evidence is */
	char reason[160];         /* for people, stored with the message */
};

/* A valid token and a participant: same. A known reference and a participant: same. Either one
 * from a stranger: related. A subject alone: never. */
struct thread_choice thread_choose(const struct thread_evidence *evidence);
