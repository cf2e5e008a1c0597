#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "desk_bed.h"
#include "identity/customer.h"
#include "parts.h"

struct shown {
	bool done, none;
	char json[8000];
	size_t count;
	int64_t first, next;
	bool more;
};

static void on_page(const struct message_page *page, const struct error *err, void *context)
{
	struct shown *shown = context;

	cr_expect_null(err);
	shown->none = page == NULL;
	if (page != NULL) {
		snprintf(shown->json, sizeof(shown->json), "[%s]", page->json);
		shown->count = page->count;
		shown->first = page->count > 0 ? page->positions[0] : -1;
		shown->next = page->next;
		shown->more = page->more;
		cr_expect_eq(json_check(shown->json, strlen(shown->json), NULL), 0);
	}
	shown->done = true;
}

static void read_page(struct desk_bed *desk, const struct message_query *query, struct shown *shown)
{
	const struct parts parts = { .store = desk->bed->store };

	memset(shown, 0, sizeof(*shown));
	conversation_messages(&parts, query, on_page, shown);
	bed_until(desk->bed, &shown->done);
}

static void write_note(struct desk_bed *desk, const char *text)
{
	char id[ID_BYTES];
	const struct message_record message = { .id = id,
						.conversation = desk->conversation,
						.kind = MESSAGE_NOTE,
						.text = text,
						.author_type = "agent",
						.author_id = "bob",
						.channel = "shop" };
	const struct reply reply = { .workspace = "main", .message = &message, .agent = "bob" };

	id_new("msg_", id);
	conversation_reply(desk->bed->store, &reply, desk_on_write, desk);
	desk_wait(desk);
}

Test(conversation, shows_messages_with_the_customers_id_and_delivery)
{
	struct desk_bed *desk = desk_bed_new();
	struct message_query query = { .workspace = "main",
				       .conversation = desk->conversation,
				       .limit = 50 };
	struct shown shown;
	struct json_object *list;
	struct json_object *one;

	desk_assign(desk, "alice");
	desk_reply(desk, "alice", NULL, "say \"},\"id\":\"msg_x\" and 退款");
	write_note(desk, "careful");
	read_page(desk, &query, &shown);
	cr_expect_eq(shown.count, 3);
	list = json_read(shown.json, strlen(shown.json), NULL);
	one = json_item(list, 0);
	cr_expect_str_eq(json_text(one, "author.id"), desk->customer);
	cr_expect_str_eq(json_text(one, "author.name"), "Ann");
	cr_expect_str_eq(json_text(one, "direction"), "in");
	cr_expect_not(json_has(one, "delivery"), "null");
	one = json_item(list, 1);
	cr_expect_str_eq(json_text(one, "delivery.state"), "queued");
	cr_expect_str_eq(json_text(one, "author.id"), "alice");
	cr_expect_str_eq(json_text(one, "text"), "say \"},\"id\":\"msg_x\" and 退款");
	cr_expect_str_eq(json_text(json_item(list, 2), "kind"), "note");
	json_free(&list);
	query.without_notes = true;
	read_page(desk, &query, &shown);
	cr_expect_eq(shown.count, 2);
	desk_bed_free(&desk);
}

Test(conversation, pages_meet_without_a_gap_in_both_directions)
{
	struct desk_bed *desk = desk_bed_new();
	struct message_query query = { .workspace = "main",
				       .conversation = desk->conversation,
				       .limit = 3 };
	struct shown shown;
	int64_t first;
	char id[16];

	for (int i = 2; i <= 7; i++) {
		snprintf(id, sizeof(id), "p%d", i);
		desk_admit(desk, id);
	}
	read_page(desk, &query, &shown);
	first = shown.first;
	cr_expect(shown.count == 3 && shown.more && shown.next == first + 3);
	query.from = first + 6;
	read_page(desk, &query, &shown);
	cr_expect(shown.first == first + 6 && shown.count == 1 && !shown.more);
	query.from = -1;
	read_page(desk, &query, &shown);
	cr_expect(shown.first == first + 6 && shown.count == 3 && shown.more);
	cr_expect_eq(shown.next, first + 3);
	cr_expect_lt(strstr(shown.json, "\"p7\""), strstr(shown.json, "\"p5\""), "newest first");
	query.from = first + 1;
	query.descending = true;
	read_page(desk, &query, &shown);
	cr_expect(shown.first == first + 1 && shown.count == 2 && !shown.more);
	query.conversation = "cnv_none";
	read_page(desk, &query, &shown);
	cr_expect(shown.none);
	desk_bed_free(&desk);
}

Test(conversation, only_the_assignee_replies_and_the_first_answer_is_stamped)
{
	struct desk_bed *desk = desk_bed_new();

	desk_reply(desk, "alice", NULL, "hi");
	cr_expect_str_eq(desk->refusal, "not_assignee");
	desk_assign(desk, "alice");
	cr_expect_str_eq(desk_ask(desk, "HEXISTS {main}:w:%s fr", desk->item), "0");
	desk_reply(desk, "alice", NULL, "hi");
	cr_expect_eq(desk->written.code, WRITE_OK);
	cr_expect_eq(desk->written.index, 1);
	cr_expect_str_eq(desk_ask(desk, "HEXISTS {main}:w:%s fr", desk->item), "1");
	desk_reply(desk, "bob", NULL, "hi");
	cr_expect_str_eq(desk->refusal, "not_assignee");
	desk_bed_free(&desk);
}

struct person {
	bool done, none;
	char id[ID_BYTES];
	size_t identifiers, conversations;
	bool proved;
	char value[40], item[ID_BYTES], found[ID_BYTES];
};

static void on_customer(const struct customer *customer, const struct error *err, void *context)
{
	struct person *person = context;

	cr_expect_null(err);
	person->none = customer == NULL;
	if (customer != NULL) {
		snprintf(person->id, ID_BYTES, "%s", customer->id);
		person->identifiers = customer->identifier_count;
		person->conversations = customer->conversation_count;
		person->proved = customer->identifiers[0].proved;
		snprintf(person->value, sizeof(person->value), "%s",
			 customer->identifiers[0].value);
		snprintf(person->item, ID_BYTES, "%s", customer->conversations[0].work_item);
	}
	person->done = true;
}

static void on_found(const char *customer, const struct error *err, void *context)
{
	struct person *person = context;

	cr_expect_null(err);
	snprintf(person->found, ID_BYTES, "%s", customer ? customer : "");
	person->done = true;
}

Test(customer, is_read_with_identifiers_and_conversations_and_through_a_redirect)
{
	struct desk_bed *desk = desk_bed_new();
	struct person person = { 0 };

	customer_read(desk->bed->store, "main", desk->customer, on_customer, &person);
	bed_until(desk->bed, &person.done);
	cr_expect_eq(person.identifiers, 1);
	cr_expect_eq(person.conversations, 1);
	cr_expect(person.proved);
	cr_expect_str_eq(person.value, "u1");
	cr_expect_str_eq(person.item, desk->item);
	desk_ask(desk, "HSET {main}:u:cus_old to %s", desk->customer);
	memset(&person, 0, sizeof(person));
	customer_read(desk->bed->store, "main", "cus_old", on_customer, &person);
	bed_until(desk->bed, &person.done);
	cr_expect_str_eq(person.id, desk->customer);
	memset(&person, 0, sizeof(person));
	customer_read(desk->bed->store, "main", "cus_none", on_customer, &person);
	bed_until(desk->bed, &person.done);
	cr_expect(person.none);
	desk_bed_free(&desk);
}

Test(customer, is_found_by_an_identifier_as_people_type_it)
{
	struct desk_bed *desk = desk_bed_new();
	const struct identity_place place = { desk->mac, "main", "shop" };
	struct arena *arena = arena_new(0);
	struct identifier identifier;
	struct person person = { 0 };

	cr_assert(identity_parse(arena, "webhook:shop:u1", &identifier));
	customer_find(desk->bed->store, &place, &identifier, on_found, &person);
	bed_until(desk->bed, &person.done);
	cr_expect_str_eq(person.found, desk->customer);
	person.done = false;
	cr_assert(identity_parse(arena, "phone:+8613800000000", &identifier));
	cr_expect_str_eq(identifier.value, "+8613800000000");
	customer_find(desk->bed->store, &place, &identifier, on_found, &person);
	bed_until(desk->bed, &person.done);
	cr_expect_str_eq(person.found, "");
	cr_expect_not(identity_parse(arena, "phone:", &identifier));
	cr_expect_not(identity_parse(arena, ":x", &identifier));
	arena_free(&arena);
	desk_bed_free(&desk);
}
