/* POST /v1/import: what another product knew of people and said to them. Rows are taken one after
 * the other; each has a result of its own, and what is refused says why. */
#include <stdio.h>
#include <string.h>

#include "api/imports.h"
#include "base/text.h"
#include "identity/phones.h"
#include "parts.h"
#include "services/loop.h"

enum { NAME_MAX_CHARACTERS = 200, ID_MAX_CHARACTERS = 200, VALUE_MAX = 320 };

static struct json_object *row_of(const struct importing *importing)
{
	size_t people = json_count(importing->customers);

	return importing->next < people
		       ? json_item(importing->customers, importing->next)
		       : json_item(importing->conversations, importing->next - people);
}

static void rows_next(struct importing *importing);

void import_result(struct importing *importing, const char *result, const char *id,
		   const char *reason)
{
	jw_object(&importing->out, NULL);
	jw_text(&importing->out, "external_id", json_text(row_of(importing), "external_id"));
	jw_text(&importing->out, "result", result);
	if (id != NULL && *id != '\0')
		jw_text(&importing->out, "id", id);
	if (reason != NULL)
		jw_text(&importing->out, "reason", reason);
	jw_object_end(&importing->out);
	importing->next++;
	importing->is_waiting = false;
	rows_next(importing);
}

void import_failed(struct importing *importing, const struct error *err)
{
	buf_clear(&importing->body);
	api_fail(importing->call, err);
}

static void on_imported(const struct import_outcome *outcome, const struct error *err,
			void *context)
{
	static const char *const words[] = { "created", "updated", "unchanged" };
	struct importing *importing = context;

	if (err != NULL)
		import_failed(importing, err);
	else
		import_result(importing, words[outcome->code], outcome->customer, NULL);
}

/* ---- one row ---- */

static const char *line_of(struct importing *importing, const char *field, size_t max)
{
	const char *text = json_text(row_of(importing), field);

	return text == NULL ? "" : text_clean_line(importing->call->arena, text, strlen(text), max);
}

/* What an import claims is a claim, unless the one who imports vouches for it. */
static const char *identifiers_read(struct importing *importing, struct json_object *list)
{
	struct arena *arena = importing->call->arena;

	importing->person.count = 0;
	if (json_count(list) > IMPORT_IDENTIFIERS_MAX)
		return "more than 16 identifiers";
	for (size_t i = 0; i < json_count(list); i++) {
		const char *kind = json_text(json_item(list, i), "kind");
		const char *value = json_text(json_item(list, i), "value");
		struct identifier *one = &importing->identifiers[importing->person.count];

		if (!text_equal(kind, "email") && !text_equal(kind, "phone"))
			return "an identifier is of kind email or phone";
		value = value == NULL ? ""
				      : text_clean_line(arena, value, strlen(value), VALUE_MAX);
		if (*value == '\0')
			continue;
		if (text_equal(kind, "email") && strchr(value, '@') == NULL)
			return arena_format(arena, "\"%.60s\" is no mail address", value);
		*one = (struct identifier){ .kind = arena_text(arena, kind),
					    .scope = "",
					    .value = value,
					    .proof = importing->is_trusted ? PROOF_CHANNEL
									   : PROOF_CLAIMED,
					    .proved_by = importing->is_trusted ? "import" : NULL };
		importing->phones[importing->person.count][0] = '\0';
		address_normalise(arena, one, importing->phones[importing->person.count]);
		importing->person.count++;
	}
	return NULL;
}

/* NULL, or why the row cannot be taken. */
static const char *person_take(struct importing *importing)
{
	struct json_object *row = row_of(importing);
	const char *created = json_text(row, "created_at");
	struct import_person *person = &importing->person;

	*person = (struct import_person){ .identifiers = importing->identifiers };
	person->external_id = line_of(importing, "external_id", ID_MAX_CHARACTERS);
	person->name = line_of(importing, "name", NAME_MAX_CHARACTERS);
	person->tier = line_of(importing, "tier", 40);
	person->attributes = json_at(row, "attributes");
	person->tags = json_at(row, "tags");
	if (*person->external_id == '\0')
		return "external_id is missing: the id it has where it comes from";
	if (created != NULL && *created != '\0') {
		person->created_ms = text_parse_time(created);
		if (person->created_ms <= 0)
			return "created_at is not a time such as 2026-01-31T09:00:00Z";
	}
	return identifiers_read(importing, json_at(row, "identifiers"));
}

static void phones_settle(struct importing *importing);

static void on_phone(const char *e164, const struct error *err, void *context)
{
	struct importing *importing = context;

	if (err != NULL) {
		import_failed(importing, err);
		return;
	}
	address_settle(importing->call->arena, &importing->identifiers[importing->phone++], e164);
	phones_settle(importing);
}

/* National numbers are read by another process; then the person is complete. */
static void phones_settle(struct importing *importing)
{
	struct phones *phones = importing->call->parts->phones;
	struct error err;

	for (; importing->phone < importing->person.count; importing->phone++) {
		const char *number = importing->phones[importing->phone];
		const char *known =
			*number == '\0' ? NULL : phones_known(phones, importing->region, number);

		if (*number == '\0')
			continue;
		if (known != NULL) {
			address_settle(importing->call->arena,
				       &importing->identifiers[importing->phone], known);
			continue;
		}
		if (phones_read(phones, importing->region, number, on_phone, importing, &err) < 0)
			import_failed(importing, &err);
		return;
	}
	customer_import(&importing->order, &importing->person, on_imported, importing);
}

static void row_begin(struct importing *importing)
{
	const char *why;

	if (importing->next >= json_count(importing->customers)) {
		import_talk(importing, row_of(importing));
		return;
	}
	why = person_take(importing);
	importing->phone = 0;
	if (why == NULL)
		phones_settle(importing);
	else
		import_result(importing, "refused", NULL, why);
}

/* Rows that end at once come back here through import_result(): they are begun from one loop, and
 * not each from within the one before. */
static void rows_next(struct importing *importing)
{
	size_t count = json_count(importing->customers) + json_count(importing->conversations);

	if (importing->is_turning)
		return;
	importing->is_turning = true;
	while (!importing->is_waiting && importing->next < count) {
		importing->is_waiting = true;
		row_begin(importing);
	}
	importing->is_turning = false;
	if (importing->next < count)
		return;
	jw_array_end(&importing->out);
	jw_object_end(&importing->out);
	api_answer(importing->call, 200, &importing->body);
}

static bool is_name(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= 40 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool is_upper(char letter)
{
	return letter >= 'A' && letter <= 'Z';
}

void handle_import(struct api_call *call)
{
	struct importing *importing = arena_alloc(call->arena, sizeof(*importing));
	const char *source = json_text(call->body, "source");
	const char *region = json_text_copy(call->body, "region", call->arena);

	if (source == NULL || !is_name(source)) {
		api_invalid(call, "#/body/source", "source is 1 to 40 of a-z, 0-9 and -");
		return;
	}
	if (region != NULL &&
	    (strlen(region) != 2 || !is_upper(region[0]) || !is_upper(region[1]))) {
		api_invalid(call, "#/body/region", "region is two upper-case letters, such as CN");
		return;
	}
	importing->call = call;
	importing->region = region;
	importing->is_trusted = json_bool(call->body, "trusted", false);
	importing->customers = json_at(call->body, "customers");
	importing->conversations = json_at(call->body, "conversations");
	importing->order = (struct import_order){
		.store = call->parts->store,
		.arena = call->arena,
		.place = { .mac = call->parts->key, .workspace = call->who.workspace },
		.source = arena_text(call->arena, source),
		.is_dry = json_bool(call->body, "dry_run", false),
		.now_ms = loop_unix_ms(call->parts->loop),
	};
	jw_start(&importing->out, &importing->body);
	jw_object(&importing->out, NULL);
	jw_array(&importing->out, "results");
	rows_next(importing);
}
