/* Which identifiers, conversations and cases are a person's. Whose an identifier is, the index
 * says: one that is only claimed here may be somebody else's, and so are its conversations. */
#include <string.h>

#include "api/person.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/history.h"
#include "identity/identity.h"
#include "parts.h"
#include "store/store.h"

enum { PAGE = 200, SCAN_COUNT = 500 };

/* As the customer's record has them: what is newest may not be in the history yet. */
struct recent {
	const char *id;
	const char *key;
};

struct gathering {
	person_step_fn *done;
	struct recent *recent;
	size_t recent_count;
	const char **hashes; /* of identifiers, and whose each is */
	size_t hash_count;
	size_t asked;
};

static void talk_add(struct person *person, const char *id)
{
	if (person_know(person, id))
		person_ids_add(&person->talks, id);
}

/* ---- in the store alone: where nothing is kept elsewhere ---- */

static void scan(struct person *person);

static void scan_again(struct person *person)
{
	if (person->waiting > 0)
		return;
	if (text_equal(person->scan, "0"))
		person->gathering->done(person);
	else
		scan(person);
}

struct candidate {
	struct person *person;
	const char *id;
};

static void on_key(const struct store_reply *reply, const struct error *err, void *context)
{
	struct candidate *candidate = context;
	struct person *person = candidate->person;

	person->waiting--;
	if (!person_is_wanted(person))
		return;
	if (err == NULL && person_ids_have(&person->keys, reply_text(reply, NULL)))
		talk_add(person, candidate->id);
	if (err != NULL)
		person->is_failed = true;
	if (person->waiting == 0 && person->is_failed)
		person_fail(person, err);
	else
		scan_again(person);
}

static void on_scanned(const struct store_reply *reply, const struct error *err, void *context)
{
	struct person *person = context;
	const struct store_reply *keys = reply_item(reply, 1);
	size_t prefix = strlen(person->workspace) + strlen("{}:c:");

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	person->scan = arena_text(person->arena, reply_text(reply_item(reply, 0), NULL));
	for (size_t i = 0; i < reply_count(keys); i++) {
		struct candidate *candidate = arena_alloc(person->arena, sizeof(*candidate));
		struct store_call *read = store_command("HGET");

		candidate->person = person;
		candidate->id =
			arena_text(person->arena, reply_text(reply_item(keys, i), NULL) + prefix);
		store_arg_key(read, person->workspace, "c:%s", candidate->id);
		store_arg_text(read, "ik");
		person->waiting++;
		person_hold(person);
		store_read(person->parts->store, read, on_key, candidate);
	}
	scan_again(person);
}

static void scan(struct person *person)
{
	struct store_call *call = store_command("SCAN");

	store_arg_text(call, person->scan);
	store_arg_text(call, "MATCH");
	store_arg_key(call, person->workspace, "c:*");
	store_arg_text(call, "COUNT");
	store_arg_int(call, SCAN_COUNT);
	person_hold(person);
	store_read(person->parts->store, call, on_scanned, person);
}

/* ---- out of the history, which has all of the store too ---- */

static void talks_ask(struct person *person);

static void on_talks(struct json_object *answer, const struct error *err, void *context)
{
	struct person *person = context;
	struct json_object *ids = json_at(answer, "ids");
	size_t count = json_count(ids);

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		talk_add(person, json_string(json_item(ids, i)));
	if (count < PAGE) {
		person->gathering->done(person);
		return;
	}
	person->after = arena_text(person->arena, json_string(json_item(ids, count - 1)));
	talks_ask(person);
}

static void talks_ask(struct person *person)
{
	struct buf fields = { 0 };
	struct json_out out;

	person_ask_start(person, &out, &fields);
	if (person->after != NULL)
		jw_text(&out, "after", person->after);
	person_hold(person);
	history_ask(person->parts->history, "person_talks", person->workspace, &fields, on_talks,
		    person);
	buf_clear(&fields);
}

static void talks_gather(struct person *person)
{
	struct gathering *gathering = person->gathering;

	for (size_t i = 0; i < gathering->recent_count; i++)
		if (person_ids_have(&person->keys, gathering->recent[i].key))
			talk_add(person, gathering->recent[i].id);
	person->scan = "0";
	if (history_is_kept(person->parts->history))
		talks_ask(person);
	else
		scan(person);
}

/* ---- whose an identifier is ---- */

static void owner_ask(struct person *person);

static void on_owner(const struct store_reply *reply, const struct error *err, void *context)
{
	struct person *person = context;
	struct gathering *gathering = person->gathering;
	const char *hash = gathering->hashes[gathering->asked];

	if (!person_is_wanted(person))
		return;
	if (err != NULL) {
		person_fail(person, err);
		return;
	}
	if (person_ids_have(&person->us, reply_text(reply, NULL)))
		person_ids_add(&person->keys, hash);
	gathering->asked++;
	owner_ask(person);
}

/* The bucket is in the field itself (scripts/README.md). */
static void owner_ask(struct person *person)
{
	struct gathering *gathering = person->gathering;
	unsigned char field[IDENTITY_FIELD_BYTES];
	struct store_call *call;
	const char *hash;

	if (gathering->asked == gathering->hash_count) {
		talks_gather(person);
		return;
	}
	hash = gathering->hashes[gathering->asked];
	if (text_unhex(hash, strlen(hash), field, sizeof(field)) != IDENTITY_FIELD_BYTES) {
		person_fail(person, NULL);
		return;
	}
	call = store_command("HGET");
	store_arg_key(
		call, person->workspace, "i:%x",
		((unsigned)field[IDENTITY_FIELD_BYTES - 2] << 8 | field[IDENTITY_FIELD_BYTES - 1]) %
			IDENTITY_BUCKETS);
	store_arg(call, field, sizeof(field));
	person_hold(person);
	store_read(person->parts->store, call, on_owner, person);
}

void person_gather(struct person *person, const struct customer *customer, person_step_fn *done)
{
	struct gathering *gathering = arena_alloc(person->arena, sizeof(*gathering));

	person->gathering = gathering;
	gathering->done = done;
	gathering->recent = arena_alloc(person->arena, (customer->conversation_count + 1) *
							       sizeof(*gathering->recent));
	gathering->hashes = arena_alloc(person->arena, (customer->identifier_count + 1) *
							       sizeof(*gathering->hashes));
	for (size_t i = 0; i < customer->conversation_count; i++)
		gathering->recent[gathering->recent_count++] = (struct recent){
			arena_text(person->arena, customer->conversations[i].id),
			arena_text(person->arena, customer->conversations[i].identifier),
		};
	for (size_t i = 0; i < customer->identifier_count; i++)
		gathering->hashes[gathering->hash_count++] =
			arena_text(person->arena, customer->identifiers[i].hash);
	for (size_t i = 0; i < customer->part_count; i++)
		person_ids_add(&person->us, customer->parts[i].id);
	for (size_t i = 0; i < customer->case_count; i++)
		person_ids_add(&person->cases, customer->cases[i]);
	person->counts[PERSON_IDENTIFIERS] = (int64_t)customer->identifier_count;
	owner_ask(person);
}
