#include "conversation/threading.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum {
	ID_CHARS = 26,
	MAC_CHARS = 11, /* 55 bits */
	TOKEN_CHARS = ID_CHARS + MAC_CHARS,
	SCORE_TOKEN = 60,
	SCORE_REFERENCE = 50,
	SCORE_FAR_REFERENCE = 45,
	SCORE_PARTICIPANT = 35,
	SCORE_SUBJECT = 5,
	AGE_STEPS = 3,
	DAY_MS = 24 * 3600 * 1000,
};

/* ---- reply tokens ---- */

static void token_mac(struct mac *mac, const char *workspace, const char *conversation,
		      char out[MAC_CHARS + 1])
{
	static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
	unsigned char bytes[SHA256_BYTES];

	mac_begin(mac);
	mac_add(mac, "reply-token", sizeof("reply-token"));
	mac_add(mac, workspace, strlen(workspace) + 1);
	mac_add(mac, conversation, strlen(conversation));
	mac_end(mac, bytes);
	for (size_t i = 0; i < MAC_CHARS; i++)
		out[i] = alphabet[bytes[i] & 31];
	out[MAC_CHARS] = '\0';
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

void reply_token_make(struct mac *mac, const char *workspace, const char *conversation,
		      char out[REPLY_TOKEN_BYTES])
{
	char mac_text[MAC_CHARS + 1];

	token_mac(mac, workspace, conversation, mac_text);
	snprintf(out, REPLY_TOKEN_BYTES, "%.*s%s", ID_CHARS, conversation + strlen("cnv_"),
		 mac_text);
	lower(out);
}

bool reply_token_read(struct mac *mac, const char *workspace, const char *token,
		      char ret_conversation[ID_BYTES])
{
	char given[REPLY_TOKEN_BYTES], expected[MAC_CHARS + 1], conversation[ID_BYTES] = "cnv_";

	if (strlen(token) != TOKEN_CHARS)
		return false;
	memcpy(given, token, TOKEN_CHARS + 1);
	lower(given);
	for (size_t i = 0; i < ID_CHARS; i++)
		conversation[4 + i] = (char)toupper((unsigned char)given[i]);
	if (!id_is(conversation, "cnv_"))
		return false;
	token_mac(mac, workspace, conversation, expected);
	if (!crypto_equal(expected, MAC_CHARS, given + ID_CHARS, MAC_CHARS))
		return false;
	memcpy(ret_conversation, conversation, ID_BYTES);
	return true;
}

/* ---- the choice ---- */

struct clue {
	const struct thread_found *found;
	const char *what;
	int score;
};

static bool is_participant(const struct thread_found *found, const char *sender)
{
	for (size_t i = 0; sender && i < found->participant_count; i++)
		if (text_equal_nocase(found->participants[i], sender))
			return true;
	return false;
}

static bool is_same_subject(const struct thread_found *found, const char *subject)
{
	return subject && subject[0] && found->subject &&
	       text_equal_nocase(found->subject, subject);
}

/* Old threads say a little less, but never so little that proof stops counting. */
static int age_penalty(const struct thread_found *found, int64_t now_ms)
{
	static const int days[AGE_STEPS] = { 30, 180, 730 };
	int penalty = 0;

	for (size_t i = 0; found->last_ms > 0 && i < AGE_STEPS; i++)
		if (now_ms - found->last_ms > (int64_t)days[i] * DAY_MS)
			penalty += 2;
	return penalty;
}

static struct clue strongest(const struct thread_evidence *evidence, bool from_participant)
{
	struct clue clue = { 0 };

	if (evidence->token &&
	    is_participant(evidence->token, evidence->sender) == from_participant)
		return (struct clue){ evidence->token, "reply token", SCORE_TOKEN };
	for (size_t i = 0; i < evidence->reference_count; i++) {
		const struct thread_found *found = &evidence->references[i];

		if (is_participant(found, evidence->sender) != from_participant)
			continue;
		clue.found = found;
		clue.what = i || found->is_far ? "an earlier message of the thread"
					       : "the message it answers";
		clue.score = i || found->is_far ? SCORE_FAR_REFERENCE : SCORE_REFERENCE;
		break;
	}
	return clue;
}

static void weigh(const struct thread_evidence *evidence, const struct clue *clue,
		  bool from_participant, struct thread_choice *ret)
{
	bool same_subject = is_same_subject(clue->found, evidence->subject);
	int penalty = age_penalty(clue->found, evidence->now_ms);

	ret->verdict = from_participant ? THREAD_SAME : THREAD_RELATED;
	ret->conversation = clue->found->conversation;
	ret->score = clue->score + (from_participant ? SCORE_PARTICIPANT : 0) +
		     (same_subject ? SCORE_SUBJECT : 0) - penalty;
	snprintf(ret->reason, sizeof(ret->reason), "%s; sender %s%s%s", clue->what,
		 from_participant ? "takes part in it" : "is a stranger to it: related only",
		 same_subject ? "; same subject" : "", penalty ? "; old thread" : "");
}

struct thread_choice thread_choose(const struct thread_evidence *evidence)
{
	struct thread_choice choice = { .verdict = THREAD_NEW };
	struct clue clue = strongest(evidence, true);
	bool from_participant = clue.found;

	if (!from_participant)
		clue = strongest(evidence, false);
	if (clue.found)
		weigh(evidence, &clue, from_participant, &choice);
	else
		snprintf(choice.reason, sizeof(choice.reason), "%s",
			 evidence->has_token && !evidence->token
				 ? "its reply token is not ours; no message of ours is named"
				 : "no message of ours is named");
	return choice;
}
