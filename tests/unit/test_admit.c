#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit/admit.h"
#include "base/crypto.h"
#include "base/id.h"
#include "delivery/outbox.h"
#include "identity/identity.h"
#include "store_bed.h"

enum { PARALLEL = 64 };

struct bench {
	struct store_bed *bed;
	struct mac *mac;
	struct admit *admit;
	size_t waiting;
	bool idle;
	/* what came back, in order */
	size_t stored, duplicates, failed;
	size_t new_customers, new_conversations, new_items, reopened;
	char message[ID_BYTES], conversation[ID_BYTES], customer[ID_BYTES], item[ID_BYTES];
	int64_t index;
};

static void bench_start(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->bed = bed_new(NULL);
	b->mac = mac_new("installation", 12);
	b->admit = admit_new(b->bed->store, b->mac);
}

static void bench_stop(struct bench *b)
{
	admit_free(&b->admit);
	mac_free(&b->mac);
	bed_free(&b->bed);
}

static void note(char out[ID_BYTES], const char *text)
{
	snprintf(out, ID_BYTES, "%s", text ? text : "");
}

static void on_admitted(const struct admit_result *result, const struct error *err, void *context)
{
	struct bench *b = context;

	b->stored += result->code == ADMIT_STORED;
	b->duplicates += result->code == ADMIT_DUPLICATE;
	b->failed += result->code == ADMIT_FAILED;
	cr_expect_eq(err != NULL, result->code == ADMIT_FAILED, "%s", err ? err->text : "");
	b->new_customers += result->new_customer;
	b->new_conversations += result->new_conversation;
	b->new_items += result->new_work_item;
	b->reopened += result->reopened;
	if (result->code == ADMIT_STORED) {
		note(b->message, result->message);
		note(b->conversation, result->conversation);
		note(b->customer, result->customer);
		note(b->item, result->work_item);
		b->index = result->index;
	}
	b->idle = --b->waiting == 0;
}

static struct message text_from(const char *id, const char *who)
{
	return (struct message){
		.provider_id = id,
		.text = "hello",
		.sender = { .kind = "webhook",
			    .scope = "shop",
			    .value = who,
			    .proof = PROOF_CHANNEL,
			    .proved_by = "signature" },
		.sender_name = "Ann",
		.thread = "",
	};
}

static struct admission admission_of(const struct message *message)
{
	return (struct admission){
		.workspace = "main",
		.channel = "shop",
		.message = message,
		.work = { .queue = "support", .type = "refund", .skills = "refunds>=2" },
		.now_ms = 1763845200000,
	};
}

static void start(struct bench *b, const struct admission *admission)
{
	b->waiting++;
	b->idle = false;
	admit_run(b->admit, admission, on_admitted, b);
}

static void admit_now(struct bench *b, const struct message *message)
{
	struct admission admission = admission_of(message);

	start(b, &admission);
	bed_until(b->bed, &b->idle);
}

static const char *ask(struct bench *b, const char *command)
{
	return redis_ask(&b->bed->child, "%s", command);
}

Test(admit, makes_customer_conversation_item_and_message_in_one_step)
{
	struct bench b;
	struct message message = text_from("p1", "u1");
	char command[128];

	bench_start(&b);
	admit_now(&b, &message);
	cr_assert_eq(b.stored, 1);
	cr_expect_eq(b.new_customers + b.new_conversations + b.new_items, 3);
	cr_expect(id_is(b.message, "msg_") && id_is(b.conversation, "cnv_"));
	cr_expect(id_is(b.customer, "cus_") && id_is(b.item, "wrk_"));
	snprintf(command, sizeof(command), "HMGET {main}:w:%s s q ty sk num v", b.item);
	cr_expect_str_eq(ask(&b, command), "queued,support,refund,refunds>=2,1,1");
	cr_expect_str_eq(ask(&b, "ZRANGE {main}:q:support 0 -1"), b.item);
	snprintf(command, sizeof(command), "LRANGE {main}:m:%s 0 -1", b.conversation);
	cr_expect_not_null(strstr(ask(&b, command), "\"text\":\"hello\""));
	cr_expect_str_eq(ask(&b, "XLEN {main}:log"), "1");
	bench_stop(&b);
}

Test(admit, dup_webhook_race_64_posts_of_one_id_make_one_message)
{
	struct bench b;
	struct message message = text_from("p1", "u1");
	struct admission admission = admission_of(&message);
	char command[128];

	bench_start(&b);
	for (int i = 0; i < PARALLEL; i++)
		start(&b, &admission);
	bed_until(b.bed, &b.idle);
	cr_expect_eq(b.stored, 1);
	cr_expect_eq(b.duplicates, PARALLEL - 1);
	snprintf(command, sizeof(command), "LLEN {main}:m:%s", b.conversation);
	cr_expect_str_eq(ask(&b, command), "1");
	cr_expect_str_eq(ask(&b, "XLEN {main}:log"), "1");
	bench_stop(&b);
}

Test(admit, album_split_ten_first_messages_at_once_open_one_conversation)
{
	struct bench b;
	struct message messages[10];
	struct admission admission;
	char ids[10][16];

	bench_start(&b);
	for (int i = 0; i < 10; i++) {
		snprintf(ids[i], sizeof(ids[i]), "p%d", i);
		messages[i] = text_from(ids[i], "u1");
		admission = admission_of(&messages[i]);
		start(&b, &admission);
	}
	bed_until(b.bed, &b.idle);
	cr_expect_eq(b.stored, 10);
	cr_expect_eq(b.new_customers, 1);
	cr_expect_eq(b.new_conversations, 1);
	cr_expect_eq(b.new_items, 1);
	cr_expect_eq(b.index, 9);
	bench_stop(&b);
}

Test(admit, unique_violation_loss_a_race_on_a_new_contact_loses_nothing)
{
	struct bench b;
	struct message messages[PARALLEL];
	struct admission admission;
	char ids[PARALLEL][16], threads[PARALLEL][16];

	/* One new contact, every message in a thread of its own. */
	bench_start(&b);
	for (int i = 0; i < PARALLEL; i++) {
		snprintf(ids[i], sizeof(ids[i]), "p%d", i);
		snprintf(threads[i], sizeof(threads[i]), "t%d", i);
		messages[i] = text_from(ids[i], "u1");
		messages[i].thread = threads[i];
		admission = admission_of(&messages[i]);
		start(&b, &admission);
	}
	bed_until(b.bed, &b.idle);
	cr_expect_eq(b.stored, PARALLEL);
	cr_expect_eq(b.new_customers, 1);
	cr_expect_eq(b.new_conversations, PARALLEL);
	bench_stop(&b);
}

Test(admit, answers_a_repeated_message_with_its_first_id_where_asked)
{
	struct bench b;
	struct message message = text_from("visitor:1", "u1");
	struct admission admission = admission_of(&message);
	char expected[ID_BYTES];
	const struct identity_place place = { NULL, "main", "shop" };
	struct identity_place with = place;

	bench_start(&b);
	with.mac = b.mac;
	identity_message(&with, "visitor:1", expected);
	admission.steady_id = true;
	start(&b, &admission);
	bed_until(b.bed, &b.idle);
	cr_expect_str_eq(b.message, expected);
	bench_stop(&b);
}

Test(admit, a_claimed_sender_never_lands_in_a_proved_record)
{
	struct bench b;
	struct message proved = text_from("p1", "u1");
	struct message claimed = text_from("p2", "u1");
	struct message again = text_from("p3", "u1");
	char first[ID_BYTES], second[ID_BYTES];

	bench_start(&b);
	admit_now(&b, &proved);
	note(first, b.customer);
	claimed.sender.proof = again.sender.proof = PROOF_CLAIMED;
	admit_now(&b, &claimed);
	note(second, b.customer);
	cr_expect_str_neq(first, second);
	again.thread = "another";
	admit_now(&b, &again);
	cr_expect_str_eq(b.customer, second, "an unproved sender finds its own earlier record");
	cr_expect_eq(b.new_customers, 2);
	bench_stop(&b);
}

Test(admit, finds_a_customer_by_another_proved_identifier_but_not_by_a_claimed_one)
{
	struct bench b;
	struct message first = text_from("p1", "u1");
	struct message second = text_from("p2", "u2");
	struct message third = text_from("p3", "u3");
	const struct identifier phone = {
		.kind = "phone", .scope = "", .value = "+8613800000000", .proof = PROOF_CHANNEL
	};
	char owner[ID_BYTES];

	bench_start(&b);
	first.others[0] = phone;
	first.other_count = 1;
	admit_now(&b, &first);
	note(owner, b.customer);
	second.others[0] = phone;
	second.other_count = 1;
	admit_now(&b, &second);
	cr_expect_str_eq(b.customer, owner);
	third.others[0] = phone;
	third.others[0].proof = PROOF_CLAIMED;
	third.other_count = 1;
	admit_now(&b, &third);
	cr_expect_str_neq(b.customer, owner);
	bench_stop(&b);
}

Test(admit, the_senders_own_customer_wins_over_the_others)
{
	struct bench b;
	struct message a = text_from("p1", "u1");
	struct message c = text_from("p2", "u2");
	struct message both = text_from("p3", "u2");
	char owner[ID_BYTES];

	bench_start(&b);
	admit_now(&b, &a);
	admit_now(&b, &c);
	note(owner, b.customer);
	both.others[0] = a.sender;
	both.other_count = 1;
	both.thread = "new";
	admit_now(&b, &both);
	cr_expect_str_eq(b.customer, owner);
	cr_expect_eq(b.new_customers, 2);
	bench_stop(&b);
}

static void other_add(struct message *message, const char *kind, const char *value,
		      enum proof proof)
{
	message->others[message->other_count++] =
		(struct identifier){ .kind = kind, .scope = "", .value = value, .proof = proof };
}

/* What customer's suggestion of other says, "" where there is none. */
static const char *suggestion_of(struct bench *b, const char *customer, const char *other)
{
	return redis_ask(&b->bed->child, "HGET {main}:sg:%s %s", customer, other);
}

Test(admit, suggests_who_proved_what_another_one_claims)
{
	struct bench b;
	struct message owner = text_from("p1", "u1");
	struct message claimer = text_from("p2", "u2");
	struct message again = text_from("p3", "u2");
	char proved[ID_BYTES];

	bench_start(&b);
	other_add(&owner, "email", "ann@example.org", PROOF_CHANNEL);
	owner.sender_name = "Li";
	admit_now(&b, &owner);
	note(proved, b.customer);
	other_add(&claimer, "email", "ann@example.org", PROOF_CLAIMED);
	admit_now(&b, &claimer);
	cr_expect_str_neq(b.customer, proved);
	cr_expect_not_null(strstr(suggestion_of(&b, proved, b.customer),
				  "{\"state\":\"open\",\"score\":50,\"at\":"));
	cr_expect_not_null(
		strstr(suggestion_of(&b, b.customer, proved),
		       "\"evidence\":[{\"channel\":\"shop\",\"identifier\":[\"email\",\"\","
		       "\"ann@example.org\",0,"));
	/* The same again says nothing new: a no stays a no, and the known path asks nothing. */
	redis_ask(&b.bed->child, "DEL {main}:sg:%s {main}:sg:%s", proved, b.customer);
	other_add(&again, "email", "ann@example.org", PROOF_CLAIMED);
	admit_now(&b, &again);
	cr_expect_str_eq(suggestion_of(&b, proved, b.customer), "(nil)");
	bench_stop(&b);
}

Test(admit, suggests_more_strongly_where_the_names_are_the_same)
{
	struct bench b;
	struct message owner = text_from("p1", "u1");
	struct message mail = text_from("p2", "u2");
	char proved[ID_BYTES];

	bench_start(&b);
	other_add(&owner, "email", "ann@example.org", PROOF_CHANNEL);
	admit_now(&b, &owner);
	note(proved, b.customer);
	mail.sender = (struct identifier){
		.kind = "email", .scope = "", .value = "ann@example.org", .proof = PROOF_CLAIMED
	};
	admit_now(&b, &mail);
	cr_expect_str_neq(b.customer, proved, "a claim lands in no proved record");
	cr_expect_not_null(strstr(suggestion_of(&b, b.customer, proved), "\"score\":70,"));
	bench_stop(&b);
}

Test(admit, suggests_the_owners_of_what_one_message_proves)
{
	static const struct {
		enum proof proof;
		const char *score;
	} rows[] = { { PROOF_CHANNEL, "\"score\":80," }, { PROOF_PERSON, "\"score\":100," } };

	for (size_t i = 0; i < 2; i++) {
		struct bench b;
		struct message a = text_from("p1", "u1");
		struct message c = text_from("p2", "u2");
		struct message both = text_from("p3", "u2");
		char other[ID_BYTES];

		bench_start(&b);
		other_add(&a, "email", "ann@example.org", PROOF_CHANNEL);
		admit_now(&b, &a);
		note(other, b.customer);
		admit_now(&b, &c);
		other_add(&both, "email", "ann@example.org", rows[i].proof);
		admit_now(&b, &both);
		cr_expect_str_neq(b.customer, other);
		cr_expect_not_null(strstr(suggestion_of(&b, b.customer, other), rows[i].score));
		cr_expect_not_null(strstr(suggestion_of(&b, other, b.customer), rows[i].score));
		bench_stop(&b);
	}
}

Test(admit, suggests_nobody_where_nobody_else_proved_it)
{
	struct bench b;
	struct message a = text_from("p1", "u1");
	struct message c = text_from("p2", "u1");

	bench_start(&b);
	other_add(&a, "email", "ann@example.org", PROOF_CHANNEL);
	admit_now(&b, &a);
	c.thread = "new";
	other_add(&c, "email", "ann@example.org", PROOF_CLAIMED);
	other_add(&c, "phone", "+8613800138000", PROOF_CLAIMED);
	admit_now(&b, &c);
	cr_expect_eq(b.new_customers, 1);
	cr_expect_str_eq(ask(&b, "KEYS {main}:sg:*"), "");
	bench_stop(&b);
}

Test(admit, suggests_nobody_for_an_identifier_that_is_shared)
{
	struct bench b;
	struct message owner = text_from("p1", "u1");
	struct message claimer = text_from("p2", "u2");
	struct identity_place place = { NULL, "main", "shop" };
	struct identity_key key;
	char proved[ID_BYTES];

	bench_start(&b);
	place.mac = b.mac;
	other_add(&owner, "email", "office@example.org", PROOF_CHANNEL);
	admit_now(&b, &owner);
	note(proved, b.customer);
	identity_index(&place, &owner.others[0], &key);
	redis_ask(&b.bed->child,
		  "HSET {main}:u:%s i:%s [\"email\",\"\",\"o\",1,\"\",1,\"\",\"sh\"]", proved,
		  key.hex);
	other_add(&claimer, "email", "office@example.org", PROOF_CLAIMED);
	admit_now(&b, &claimer);
	cr_expect_str_neq(b.customer, proved);
	cr_expect_str_eq(ask(&b, "KEYS {main}:sg:*"), "");
	bench_stop(&b);
}

Test(admit, keeps_the_better_proof_of_what_a_customer_has)
{
	struct bench b;
	struct message first = text_from("p1", "u1");
	struct message again = text_from("p2", "u1");
	struct identity_place place = { NULL, "main", "shop" };
	struct identity_key key;

	bench_start(&b);
	place.mac = b.mac;
	other_add(&first, "email", "ann@example.org", PROOF_CHANNEL);
	admit_now(&b, &first);
	other_add(&again, "email", "ann@example.org", PROOF_PERSON);
	again.others[0].proved_by = "jwt";
	again.thread = "new";
	admit_now(&b, &again);
	identity_index(&place, &again.others[0], &key);
	cr_expect_not_null(
		strstr(redis_ask(&b.bed->child, "HGET {main}:u:%s i:%s", b.customer, key.hex),
		       "\"ann@example.org\",2,\"jwt\","));
	cr_expect_eq(b.new_customers, 1);
	bench_stop(&b);
}

Test(admit, gives_a_set_of_remembered_ids_its_time_to_live_once)
{
	struct bench b;
	struct message message = text_from("p1", "u1");
	const char *key;
	char command[128];

	bench_start(&b);
	admit_now(&b, &message);
	key = ask(&b, "KEYS {main}:d:*");
	snprintf(command, sizeof(command), "TTL %s", key);
	cr_expect_gt(atoi(ask(&b, command)), 8 * 24 * 3600);
	bench_stop(&b);
}

Test(admit, remembers_a_message_over_the_change_of_generations)
{
	struct bench b;
	struct message message = text_from("p1", "u1");
	struct admission admission = admission_of(&message);

	bench_start(&b);
	admission.remember_ms = 3600 * 1000;
	start(&b, &admission);
	bed_until(b.bed, &b.idle);
	admission.now_ms += admission.remember_ms;
	start(&b, &admission);
	bed_until(b.bed, &b.idle);
	cr_expect_eq(b.duplicates, 1);
	bench_stop(&b);
}

struct found {
	bool done;
	char conversation[ID_BYTES], message[ID_BYTES];
	int64_t index;
};

static void on_found(const char *conversation, const char *message, int64_t index,
		     const struct error *err, void *context)
{
	struct found *found = context;

	cr_expect_null(err);
	note(found->conversation, conversation);
	note(found->message, message);
	found->index = index;
	found->done = true;
}

Test(admit, finds_the_nearest_message_that_a_mail_refers_to)
{
	struct bench b;
	struct message message = text_from("<m1@x>", "u1");
	struct admission admission = admission_of(&message);
	const char *const references[] = { "<unknown@x>", "<m1@x>" };
	struct found found = { 0 };

	bench_start(&b);
	admission.reference = true;
	start(&b, &admission);
	bed_until(b.bed, &b.idle);
	admit_find(b.admit, &admission, references, 2, on_found, &found);
	bed_until(b.bed, &found.done);
	cr_expect_str_eq(found.conversation, b.conversation);
	cr_expect_str_eq(found.message, b.message);
	cr_expect_eq(found.index, 0);
	memset(&found, 0, sizeof(found));
	admit_find(b.admit, &admission, references, 1, on_found, &found);
	bed_until(b.bed, &found.done);
	cr_expect_str_eq(found.conversation, "");
	bench_stop(&b);
}

static void receipt(struct bench *b, enum receipt_state state)
{
	const struct receipt what = { .provider_id = "wamid.1", .state = state };
	const struct admit_receipt call = { "main", "shop", &what };

	b->waiting++;
	b->idle = false;
	admit_receipt(b->admit, &call, on_admitted, b);
	bed_until(b->bed, &b->idle);
}

/* A message of ours that the provider knows as wamid.1. */
static void pretend_sent(struct bench *b, const char *mark)
{
	const struct identity_place place = { b->mac, "main", "shop" };
	struct identity_key key;
	struct resp *answer;
	char bucket[32], value[80];
	const char *set[] = { "HSET", bucket, NULL, value };
	size_t lens[] = { 4, 0, IDENTITY_FIELD_BYTES, 0 };

	identity_reference(&place, "wamid.1", &key);
	lens[1] = (size_t)snprintf(bucket, sizeof(bucket), "{main}:r:%x", key.bucket);
	lens[3] = (size_t)snprintf(value, sizeof(value), "%s %s 3", "01JD0000000000000000000001",
				   "01JD0000000000000000000002");
	set[2] = (const char *)key.field;
	answer = redis_argv(&b->bed->child, 4, set, lens);
	resp_free(&answer);
	redis_ask(&b->bed->child,
		  "HSET {main}:y:cnv_01JD0000000000000000000001 msg_01JD0000000000000000000002 %s",
		  mark);
}

Test(admit, status_regress_all_orders_of_receipts_end_at_the_top_one)
{
	struct bench b;
	const enum receipt_state all[] = { RECEIPT_SENT, RECEIPT_DELIVERED, RECEIPT_READ,
					   RECEIPT_FAILED };

	bench_start(&b);
	for (int order = 0; order < 256; order++) {
		int at[4] = { order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3 };

		if ((1 << at[0] | 1 << at[1] | 1 << at[2] | 1 << at[3]) != 15)
			continue;
		pretend_sent(&b, "sending");
		for (int i = 0; i < 4; i++)
			receipt(&b, all[at[i]]);
		cr_expect_str_eq(ask(&b, "HGET {main}:y:cnv_01JD0000000000000000000001 "
					 "msg_01JD0000000000000000000002"),
				 "read", "order %d", order);
	}
	bench_stop(&b);
}

Test(admit, a_receipt_for_nothing_of_ours_is_no_error)
{
	struct bench b;

	bench_start(&b);
	receipt(&b, RECEIPT_READ);
	cr_expect_eq(b.duplicates, 1);
	bench_stop(&b);
}

Test(admit, says_so_when_the_store_is_gone)
{
	struct store_options options = { .deadline_ms = 300 };
	struct bench b;
	struct message message = text_from("p1", "u1");
	struct admission admission = admission_of(&message);

	memset(&b, 0, sizeof(b));
	b.bed = bed_new(&options);
	b.mac = mac_new("installation", 12);
	b.admit = admit_new(b.bed->store, b.mac);
	redis_child_kill(&b.bed->child);
	b.waiting = 1;
	admit_run(b.admit, &admission, on_admitted, &b);
	bed_until(b.bed, &b.idle);
	cr_expect_eq(b.failed, 1);
	bench_stop(&b);
}
