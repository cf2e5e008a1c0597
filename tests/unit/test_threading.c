#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "conversation/threading.h"

static const char *const ann[] = { "ann@example.org" };
static const char *const both[] = { "bob@example.org", "ANN@example.org" };
static const char *const bob[] = { "bob@example.org" };

enum { NOW_MS = 2000000000 };

static const struct thread_found with_ann = { "cnv_A", ann, 1, "order 7", NOW_MS - 1, false };
static const struct thread_found with_both = { "cnv_B", both, 2, NULL, 0, false };
static const struct thread_found with_bob = { "cnv_C", bob, 1, "order 7", 0, false };

struct row {
	const char *name;
	const struct thread_found *token;
	bool has_token;
	const struct thread_found *references[3];
	enum thread_verdict verdict;
	const char *conversation;
	int score;
	const char *reason;
};

static const struct row rows[] = {
	{ "nothing", NULL, false, { NULL }, THREAD_NEW, NULL, 0, "no message of ours" },
	{ "a forged token", NULL, true, { NULL }, THREAD_NEW, NULL, 0, "token is not ours" },
	{ "token and participant",
	  &with_ann,
	  true,
	  { NULL },
	  THREAD_SAME,
	  "cnv_A",
	  100,
	  "reply token; sender takes part in it; same subject" },
	{ "token, one of several people",
	  &with_both,
	  true,
	  { NULL },
	  THREAD_SAME,
	  "cnv_B",
	  95,
	  "takes part" },
	{ "token and a stranger",
	  &with_bob,
	  true,
	  { NULL },
	  THREAD_RELATED,
	  "cnv_C",
	  65,
	  "stranger" },
	{ "reference and participant",
	  NULL,
	  false,
	  { &with_ann },
	  THREAD_SAME,
	  "cnv_A",
	  90,
	  "the message it answers" },
	{ "reference and a stranger",
	  NULL,
	  false,
	  { &with_bob },
	  THREAD_RELATED,
	  "cnv_C",
	  55,
	  "stranger" },
	{ "nearest reference wins",
	  NULL,
	  false,
	  { &with_both, &with_ann },
	  THREAD_SAME,
	  "cnv_B",
	  85,
	  "the message it answers" },
	{ "farther one with a participant",
	  NULL,
	  false,
	  { &with_bob, &with_ann },
	  THREAD_SAME,
	  "cnv_A",
	  85,
	  "earlier message" },
	{ "token before reference",
	  &with_ann,
	  true,
	  { &with_both },
	  THREAD_SAME,
	  "cnv_A",
	  100,
	  "reply token" },
	{ "own reference before a stranger's token",
	  &with_bob,
	  true,
	  { &with_ann },
	  THREAD_SAME,
	  "cnv_A",
	  90,
	  "the message it answers" },
	{ "forged token, good reference",
	  NULL,
	  true,
	  { &with_ann },
	  THREAD_SAME,
	  "cnv_A",
	  90,
	  "the message it answers" },
};

Test(threading, chooses_by_the_strongest_evidence_and_says_why)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *row = &rows[i];
		struct thread_found references[3];
		struct thread_evidence evidence = { .sender = "ann@example.org",
						    .subject = "Order 7",
						    .now_ms = NOW_MS,
						    .token = row->token,
						    .has_token = row->has_token,
						    .references = references };
		struct thread_choice choice;

		while (evidence.reference_count < 3 && row->references[evidence.reference_count]) {
			references[evidence.reference_count] =
				*row->references[evidence.reference_count];
			evidence.reference_count++;
		}
		choice = thread_choose(&evidence);
		cr_expect_eq(choice.verdict, row->verdict, "%s: %d", row->name, choice.verdict);
		cr_expect_eq(choice.score, row->score, "%s: %d", row->name, choice.score);
		cr_expect(strstr(choice.reason, row->reason), "%s: %s", row->name, choice.reason);
		if (row->conversation)
			cr_expect_str_eq(choice.conversation, row->conversation, "%s", row->name);
		else
			cr_expect_null(choice.conversation, "%s", row->name);
	}
}

Test(threading, never_loses_a_proved_thread_to_its_age)
{
	struct thread_found old = with_ann;
	struct thread_evidence evidence = { .sender = "ann@example.org",
					    .token = &old,
					    .now_ms = INT64_C(1900000000000) };
	struct thread_choice choice;

	old.last_ms = 1;
	choice = thread_choose(&evidence);
	cr_assert_eq(choice.verdict, THREAD_SAME);
	cr_assert_eq(choice.score, 89);
	cr_assert(strstr(choice.reason, "old thread"));
}

/* ---- the shared vectors ---- */

static struct json_object *read_vector(void)
{
	FILE *file = fopen(TEST_DATA "/email/thread-match.vector", "rb");
	static char bytes[16384];
	size_t len;

	cr_assert_not_null(file);
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	return json_read(bytes, len, NULL);
}

/* Ids of a header, last one first, behind In-Reply-To: nearest first. */
static size_t nearest_first(struct json_object *row, char ids[8][64])
{
	const char *reply = json_text(row, "in_reply_to");
	const char *list = json_text(row, "references");
	char words[8][64];
	int count;
	size_t total = 0;

	if (reply)
		snprintf(ids[total++], 64, "%s", reply);
	count = list ? sscanf(list, "%63s %63s %63s", words[0], words[1], words[2]) : 0;
	while (count-- > 0)
		snprintf(ids[total++], 64, "%s", words[count]);
	return total;
}

static void lookup_id(const char *key, struct json_object *value, void *context)
{
	const char **pair = context;

	if (strcmp(key, pair[0]) == 0)
		pair[1] = json_string(value);
}

static size_t known_references(struct json_object *known, struct json_object *row,
			       struct thread_found found[8])
{
	static char ids[8][64];
	size_t named = nearest_first(row, ids), count = 0;

	for (size_t i = 0; i < named; i++) {
		const char *pair[2] = { ids[i], NULL };

		json_each_field(known, lookup_id, pair);
		if (pair[1])
			found[count++] = (struct thread_found){ pair[1], ann, 1, NULL, 0, false };
	}
	return count;
}

Test(threading, agrees_with_the_shared_vectors)
{
	struct json_object *vector = read_vector();
	struct json_object *list = json_at(vector, "inputs.cases");
	struct json_object *known = json_at(vector, "inputs.known_message_ids");
	struct json_object *expected = json_at(vector, "expected.conversations");

	cr_assert_eq(json_count(list), 5);
	for (size_t i = 0; i < json_count(list); i++) {
		struct json_object *row = json_item(list, i);
		const char *to = json_text(row, "to");
		const char *want = json_string(json_item(expected, i));
		struct thread_found token = { "conv17", ann, 1, NULL, 0, false };
		struct thread_found found[8];
		struct thread_evidence evidence = { .sender = ann[0],
						    .references = found,
						    .subject = json_text(row, "subject") };
		struct thread_choice choice;

		evidence.reference_count = known_references(known, row, found);
		if (to && strstr(to, "+conv17."))
			evidence.token = &token; /* its MAC verified */
		choice = thread_choose(&evidence);
		if (strcmp(want, "new") == 0)
			cr_expect_eq(choice.verdict, THREAD_NEW, "case %zu", i);
		else
			cr_expect(choice.verdict == THREAD_SAME &&
					  strncmp(want, choice.conversation,
						  strlen(choice.conversation)) == 0,
				  "case %zu: %s", i, choice.reason);
	}
	json_free(&vector);
}

Test(reply_token, comes_back_as_its_conversation_and_nothing_else_does)
{
	struct mac *mac = mac_new("0123456789abcdef", 16);
	struct mac *other = mac_new("0123456789abcdeF", 16);
	char id[ID_BYTES], token[REPLY_TOKEN_BYTES], back[ID_BYTES], changed[REPLY_TOKEN_BYTES];

	id_new("cnv_", id);
	reply_token_make(mac, "main", id, token);
	cr_assert_eq(strlen(token), 37);
	cr_assert_eq(strspn(token, "0123456789abcdefghjkmnpqrstvwxyz"), 37);
	cr_assert(reply_token_read(mac, "main", token, back));
	cr_assert_str_eq(back, id);
	for (size_t i = 0; i < 37; i++)
		changed[i] = token[i] >= 'a' && token[i] <= 'z' ? token[i] - 32 : token[i];
	changed[37] = '\0';
	cr_assert(reply_token_read(mac, "main", changed, back), "mail servers fold local parts");
	cr_assert(!reply_token_read(mac, "other", token, back));
	cr_assert(!reply_token_read(other, "main", token, back));
	for (size_t i = 0; i < 37; i++) {
		memcpy(changed, token, sizeof(changed));
		changed[i] = changed[i] == '7' ? '6' : '7';
		cr_expect(!reply_token_read(mac, "main", changed, back), "character %zu", i);
	}
	cr_assert(!reply_token_read(mac, "main", "", back));
	mac_free(&mac);
	mac_free(&other);
}
