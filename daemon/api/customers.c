/* /v1/customers?identifier=: finding. */
#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/text.h"
#include "channel.h"
#include "config.h"
#include "identity/address.h"
#include "identity/customer.h"
#include "identity/import.h"
#include "identity/phones.h"
#include "parts.h"

/* The proved owner, and whoever claimed it on each channel. */

enum { FOUND_MAX = 50 };

struct finding {
	struct api_call *call;
	struct identifier identifier;
	struct identity_place place;
	size_t channel; /* the next one to ask */
	bool is_import_asked;
	const char *ids[FOUND_MAX];
	size_t count;
};

static void write_found(struct json_out *out, const struct page_row *row)
{
	jw_object(out, NULL);
	jw_text(out, "id", row->id);
	jw_object_end(out);
}

/* Ids are in the order of creation. */
static void finding_answer(struct finding *finding)
{
	struct page_row rows[FOUND_MAX];

	for (size_t i = 0; i < finding->count; i++)
		rows[i] = (struct page_row){ .id = finding->ids[i] };
	page_answer(finding->call, rows, finding->count, write_found);
}

static void finding_add(struct finding *finding, const char *customer)
{
	for (size_t i = 0; i < finding->count; i++)
		if (text_equal(finding->ids[i], customer))
			return;
	if (finding->count < FOUND_MAX)
		finding->ids[finding->count++] = arena_text(finding->call->arena, customer);
}

static void on_found(const char *customer, const struct error *err, void *context)
{
	struct finding *finding = context;
	struct api_call *call = finding->call;
	const struct channel *channel;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (customer != NULL)
		finding_add(finding, customer);
	while ((channel = channel_at(call->parts->channels, finding->channel++)) != NULL) {
		if (!text_equal(channel_workspace(channel), call->who.workspace))
			continue;
		finding->place.channel = arena_text(call->arena, channel_name(channel));
		finding->identifier.proof = PROOF_CLAIMED;
		customer_find(call->parts->store, &finding->place, &finding->identifier, on_found,
			      finding);
		return;
	}
	if (!finding->is_import_asked) {
		finding->is_import_asked = true;
		finding->place.channel = IMPORT_PLACE;
		finding->identifier.proof = PROOF_CLAIMED;
		customer_find(call->parts->store, &finding->place, &finding->identifier, on_found,
			      finding);
		return;
	}
	finding_answer(finding);
}

static void finding_start(struct finding *finding)
{
	customer_find(finding->call->parts->store, &finding->place, &finding->identifier, on_found,
		      finding);
}

static void on_phone(const char *e164, const struct error *err, void *context)
{
	struct finding *finding = context;

	if (err != NULL) {
		api_fail(finding->call, err);
		return;
	}
	address_settle(finding->call->arena, &finding->identifier, e164);
	finding_start(finding);
}

/* A number as it is typed at home, in the country of this installation. */
static void phone_ask(struct finding *finding, const char *phone)
{
	const struct parts *parts = finding->call->parts;
	const char *region = parts->config->default_region;
	const char *known = phones_known(parts->phones, region, phone);
	struct error err;

	if (known != NULL)
		on_phone(known, NULL, finding);
	else if (phones_read(parts->phones, region, phone, on_phone, finding, &err) != 0)
		api_fail(finding->call, &err);
}

void handle_customer_find(struct api_call *call)
{
	const char *text = api_query(call, "identifier");
	struct finding *finding = arena_alloc(call->arena, sizeof(*finding));
	char phone[ADDRESS_PHONE_BYTES];

	finding->call = call;
	finding->place = (struct identity_place){ .mac = call->parts->key,
						  .workspace = call->who.workspace,
						  .channel = "" };
	if (text == NULL || !identity_parse(call->arena, text, &finding->identifier)) {
		api_problem(call, 400, "bad_identifier",
			    "identifier must be kind:value, such as email:a@example.com or "
			    "phone:%%2B8613800138000");
		return;
	}
	if (address_normalise(call->arena, &finding->identifier, phone))
		finding_start(finding);
	else
		phone_ask(finding, phone);
}
