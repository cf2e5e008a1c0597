#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk_bed.h"

static void begin(struct desk_bed *desk, const char *token)
{
	const struct outbox_claim claim = { .workspace = "main",
					    .fence = "f1",
					    .conversation = desk->conversation,
					    .token = token,
					    .timeout_ms = 30000 };

	outbox_begin(desk->bed->store, &claim, desk_on_outbox, desk);
	desk_wait(desk);
}

static void recover(struct desk_bed *desk)
{
	const struct outbox_claim claim = { .workspace = "main",
					    .fence = "f1",
					    .conversation = desk->conversation };

	desk_ask(desk, "ZADD {main}:od 1 %s", desk->conversation);
	outbox_recover(desk->bed->store, &claim, desk_on_outbox, desk);
	desk_wait(desk);
}

static void end(struct desk_bed *desk, const char *message, const char *token,
		enum outbox_outcome outcome)
{
	const struct identity_place place = { desk->mac, "main", "shop" };
	struct identity_key reference;
	const struct outbox_ending ending = {
		.workspace = "main",
		.conversation = desk->conversation,
		.message = message,
		.token = token,
		.outcome = outcome,
		.code = "550",
		.why = "no such user",
		.provider_id = outcome == OUTCOME_SENT ? "wamid.1" : NULL,
		.reference = outcome == OUTCOME_SENT ? &reference : NULL,
	};

	identity_reference(&place, "wamid.1", &reference);
	outbox_end(desk->bed->store, &ending, desk_on_outbox, desk);
	desk_wait(desk);
}

static void decide(struct desk_bed *desk, const char *message, const char *decision)
{
	const struct outbox_decision what = { .workspace = "main",
					      .message = message,
					      .decision = decision };

	outbox_decide(desk->bed->store, &what, desk_on_outbox, desk);
	desk_wait(desk);
}

static const char *mark(struct desk_bed *desk, const char *message)
{
	return desk_ask(desk, "HGET {main}:y:%s %s", desk->conversation, message);
}

static struct desk_bed *with_reply(void)
{
	struct desk_bed *desk = desk_bed_new();

	desk_assign(desk, "alice");
	desk_reply(desk, "alice", NULL, "on its way");
	return desk;
}

Test(outbox, sends_one_after_the_other_in_the_order_they_were_written)
{
	struct desk_bed *desk = with_reply();
	char first[ID_BYTES], second[ID_BYTES];

	memcpy(first, desk->written_id, ID_BYTES);
	desk_reply(desk, "alice", NULL, "and more");
	memcpy(second, desk->written_id, ID_BYTES);
	begin(desk, "t1");
	cr_expect_eq(desk->outbox, OUTBOX_OK);
	cr_expect_str_eq(desk->sending, first);
	cr_expect_not_null(strstr(desk->stored, "\"text\":\"on its way\""));
	begin(desk, "t2");
	cr_expect_eq(desk->outbox, OUTBOX_SENDING);
	end(desk, first, "t2", OUTCOME_SENT);
	cr_expect_str_eq(desk->refusal, "token");
	end(desk, first, "t1", OUTCOME_SENT);
	cr_expect_str_eq(desk->state, "sent");
	begin(desk, "t3");
	cr_expect_str_eq(desk->sending, second);
	end(desk, second, "t3", OUTCOME_SENT);
	begin(desk, "t4");
	cr_expect_eq(desk->outbox, OUTBOX_EMPTY);
	cr_expect_str_eq(desk_ask(desk, "ZCARD {main}:od"), "0");
	cr_expect_str_eq(desk_ask(desk, "EXISTS {main}:x:%s", first), "0");
	desk_bed_free(&desk);
}

Test(outbox, weak_link_double_send_one_key_makes_one_message)
{
	struct desk_bed *desk = desk_bed_new();
	char first[ID_BYTES];

	desk_assign(desk, "alice");
	desk_reply(desk, "alice", "k1", "once");
	memcpy(first, desk->written_id, ID_BYTES);
	desk_reply(desk, "alice", "k1", "once");
	cr_expect(desk->replayed);
	cr_expect_str_eq(desk->written_id, first);
	cr_expect_str_eq(desk_ask(desk, "LLEN {main}:oq:%s", desk->conversation), "1");
	cr_expect_str_eq(desk_ask(desk, "LLEN {main}:m:%s", desk->conversation), "2");
	desk_reply(desk, "alice", "k1", "something else");
	cr_expect_eq(desk->written.code, WRITE_CONFLICT);
	desk_bed_free(&desk);
}

Test(outbox, a_retry_comes_back_later_with_the_next_number)
{
	struct desk_bed *desk = with_reply();

	begin(desk, "t1");
	end(desk, desk->written_id, "t1", OUTCOME_RETRY);
	cr_expect_str_eq(desk->state, "queued");
	begin(desk, "t2");
	cr_expect_eq(desk->outbox, OUTBOX_OK);
	cr_expect_eq(desk->attempt, 2);
	desk_bed_free(&desk);
}

Test(outbox, a_sending_whose_owner_died_is_uncertain_and_never_sent_by_itself)
{
	struct desk_bed *desk = with_reply();

	begin(desk, "t1");
	recover(desk);
	cr_expect_str_eq(desk->state, "uncertain");
	cr_expect_eq(strncmp(mark(desk, desk->written_id), "uncertain ", 10), 0);
	begin(desk, "t2");
	cr_expect_eq(desk->outbox, OUTBOX_EMPTY);
	end(desk, desk->written_id, "t1", OUTCOME_SENT);
	cr_expect_eq(desk->outbox, OUTBOX_REFUSED, "too late");
	decide(desk, desk->written_id, NULL);
	cr_expect_str_eq(desk->refusal, "illegal_state");
	decide(desk, desk->written_id, "resend");
	begin(desk, "t3");
	cr_expect_eq(desk->outbox, OUTBOX_OK);
	desk_bed_free(&desk);
}

Test(outbox, a_failed_one_is_a_dead_letter_that_can_be_driven_again)
{
	struct desk_bed *desk = with_reply();

	begin(desk, "t1");
	end(desk, desk->written_id, "t1", OUTCOME_FAILED);
	cr_expect_str_eq(mark(desk, desk->written_id), "failed 550 no such user");
	cr_expect_str_eq(desk_ask(desk, "ZRANGE {main}:dead 0 -1"), desk->written_id);
	decide(desk, desk->written_id, NULL);
	cr_expect_str_eq(desk->state, "queued");
	cr_expect_str_eq(desk_ask(desk, "ZCARD {main}:dead"), "0");
	decide(desk, desk->written_id, NULL);
	cr_expect_str_eq(desk->refusal, "illegal_state");
	begin(desk, "t2");
	cr_expect_eq(desk->outbox, OUTBOX_OK);
	desk_bed_free(&desk);
}

static void on_receipt(const struct admit_result *result, const struct error *err, void *context)
{
	struct desk_bed *desk = context;

	cr_expect_null(err);
	cr_expect_neq(result->code, ADMIT_FAILED);
	desk->done = true;
}

Test(outbox, a_receipt_finds_what_was_sent_by_the_providers_id)
{
	struct desk_bed *desk = with_reply();
	const struct receipt receipt = { .provider_id = "wamid.1", .state = RECEIPT_DELIVERED };
	const struct admit_receipt call = { "main", "shop", &receipt };

	begin(desk, "t1");
	end(desk, desk->written_id, "t1", OUTCOME_SENT);
	cr_expect_str_eq(mark(desk, desk->written_id), "sent");
	admit_receipt(desk->admit, &call, on_receipt, desk);
	desk_wait(desk);
	cr_expect_str_eq(mark(desk, desk->written_id), "delivered");
	desk_bed_free(&desk);
}

static void tell(struct desk_bed *desk, enum receipt_state state, const char *why)
{
	const struct receipt receipt = { .provider_id = "wamid.1", .state = state, .error = why };
	const struct admit_receipt call = { "main", "shop", &receipt };

	admit_receipt(desk->admit, &call, on_receipt, desk);
	desk_wait(desk);
}

Test(outbox, a_receipt_that_comes_before_the_end_of_the_attempt_is_not_lost)
{
	struct desk_bed *desk = with_reply();

	begin(desk, "t1");
	tell(desk, RECEIPT_DELIVERED, NULL);
	tell(desk, RECEIPT_SENT, NULL);
	cr_expect_str_eq(mark(desk, desk->written_id), "sending");
	end(desk, desk->written_id, "t1", OUTCOME_SENT);
	cr_expect_str_eq(desk->state, "delivered");
	cr_expect_str_eq(mark(desk, desk->written_id), "delivered");
	cr_expect_str_eq(
		desk_ask(desk, "HGET {main}:y:%s %s.id", desk->conversation, desk->written_id),
		"wamid.1");
	tell(desk, RECEIPT_READ, NULL);
	cr_expect_str_eq(mark(desk, desk->written_id), "read");
	desk_bed_free(&desk);
}

Test(outbox, an_early_word_of_failure_makes_a_dead_letter)
{
	struct desk_bed *desk = with_reply();

	begin(desk, "t1");
	tell(desk, RECEIPT_FAILED, "blocked by the customer");
	end(desk, desk->written_id, "t1", OUTCOME_SENT);
	cr_expect_str_eq(desk->state, "failed");
	cr_expect_str_eq(desk_ask(desk, "HGET {main}:dead:%s why", desk->written_id),
			 "blocked by the customer");
	desk_bed_free(&desk);
}

static void name(struct desk_bed *desk, const char *token)
{
	const struct identity_place place = { desk->mac, "main", "shop" };
	struct identity_key reference;
	const struct outbox_ending naming = {
		.workspace = "main",
		.conversation = desk->conversation,
		.message = desk->written_id,
		.token = token,
		.provider_id = "wamid.1",
		.reference = &reference,
	};

	identity_reference(&place, "wamid.1", &reference);
	outbox_name(desk->bed->store, &naming, desk_on_outbox, desk);
	desk_wait(desk);
}

Test(outbox, a_named_message_is_found_by_a_bounce_though_nobody_told_its_end)
{
	struct desk_bed *desk = with_reply();

	begin(desk, "t1");
	name(desk, "t0");
	cr_expect_str_eq(desk->refusal, "token");
	name(desk, "t1");
	cr_expect_eq(desk->outbox, OUTBOX_OK);
	recover(desk);
	cr_expect_str_eq(desk->state, "uncertain");
	tell(desk, RECEIPT_FAILED, "no such user");
	cr_expect_str_eq(mark(desk, desk->written_id), "failed no such user");
	desk_bed_free(&desk);
}

struct dues {
	bool done;
	size_t count;
	char first[ID_BYTES];
	int64_t due_ms;
};

static void on_due(const struct outbox_due *due, size_t count, const struct error *err,
		   void *context)
{
	struct dues *dues = context;

	cr_expect_null(err);
	dues->count = count;
	if (count > 0) {
		snprintf(dues->first, ID_BYTES, "%s", due[0].conversation);
		dues->due_ms = due[0].due_ms;
	}
	dues->done = true;
}

Test(outbox, says_which_conversation_is_due_and_when)
{
	struct desk_bed *desk = with_reply();
	struct dues dues = { 0 };

	outbox_read_due(desk->bed->store, "main", on_due, &dues);
	bed_until(desk->bed, &dues.done);
	cr_expect_eq(dues.count, 1);
	cr_expect_str_eq(dues.first, desk->conversation);
	cr_expect_gt(dues.due_ms, INT64_C(1700000000000));
	desk_bed_free(&desk);
}

struct letters {
	bool done;
	size_t count;
	char last[80], first[ID_BYTES], what[20], why[40];
};

static void on_dead(const struct dead_page *page, const struct error *err, void *context)
{
	struct letters *letters = context;

	cr_assert_null(err);
	letters->count = page->count;
	snprintf(letters->last, sizeof(letters->last), "%s", page->last ? page->last : "");
	if (page->count > 0) {
		snprintf(letters->first, ID_BYTES, "%s", page->letters[0].message);
		snprintf(letters->what, sizeof(letters->what), "%s",
			 page->letters[0].what ? page->letters[0].what : "");
		snprintf(letters->why, sizeof(letters->why), "%s",
			 page->letters[0].why ? page->letters[0].why : "");
	}
	letters->done = true;
}

static void read_dead(struct desk_bed *desk, const struct dead_query *query,
		      struct letters *letters)
{
	memset(letters, 0, sizeof(*letters));
	outbox_read_dead(desk->bed->store, query, on_dead, letters);
	bed_until(desk->bed, &letters->done);
}

Test(outbox, lists_dead_letters_page_by_page_newest_first)
{
	struct desk_bed *desk = with_reply();
	struct dead_query query = { .workspace = "main", .limit = 2 };
	struct letters letters;
	char after[80];

	begin(desk, "t1");
	end(desk, desk->written_id, "t1", OUTCOME_FAILED);
	read_dead(desk, &query, &letters);
	cr_expect_eq(letters.count, 1);
	cr_expect_str_eq(letters.first, desk->written_id);
	cr_expect_str_eq(letters.what, "failed");
	cr_expect_str_eq(letters.why, "no such user");
	cr_expect_str_eq(letters.last, "");
	desk_ask(desk, "ZADD {main}:dead 5 msg_a 5 msg_b 5 msg_c");
	read_dead(desk, &query, &letters);
	cr_expect_eq(letters.count, 2);
	snprintf(after, sizeof(after), "%s", letters.last);
	query.after = after;
	read_dead(desk, &query, &letters);
	cr_expect_eq(letters.count, 2);
	cr_expect_str_eq(letters.first, "msg_b");
	cr_expect_str_eq(letters.last, "");
	query.ascending = true;
	query.after = NULL;
	read_dead(desk, &query, &letters);
	cr_expect_str_eq(letters.first, "msg_a");
	snprintf(after, sizeof(after), "%s", letters.last);
	query.after = after;
	read_dead(desk, &query, &letters);
	cr_expect_eq(letters.count, 2);
	cr_expect_str_eq(letters.first, "msg_c");
	cr_expect_str_eq(letters.last, "");
	desk_bed_free(&desk);
}
