#include "api/find.h"

#include "base/text.h"
#include "channel.h"
#include "config.h"
#include "identity/address.h"
#include "identity/customer.h"
#include "identity/import.h"
#include "identity/phones.h"
#include "parts.h"

struct finding {
	struct api_call *call;
	struct identifier identifier;
	struct identity_place place;
	size_t channel; /* the next one to ask */
	bool is_import_asked;
	const char *ids[FOUND_MAX];
	size_t count;
	customers_found_fn *done;
	void *context;
};

static void finding_end(struct finding *finding, const struct error *err)
{
	finding->done(finding->ids, err == NULL ? finding->count : 0, err, finding->context);
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
		finding_end(finding, err);
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
	finding_end(finding, NULL);
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
		finding_end(finding, err);
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
		finding_end(finding, &err);
}

bool customers_find(struct api_call *call, const char *text, customers_found_fn *done,
		    void *context)
{
	struct finding *finding = arena_alloc(call->arena, sizeof(*finding));
	char phone[ADDRESS_PHONE_BYTES];

	*finding = (struct finding){ .call = call, .done = done, .context = context };
	finding->place = (struct identity_place){ .mac = call->parts->key,
						  .workspace = call->who.workspace,
						  .channel = "" };
	if (text == NULL || !identity_parse(call->arena, text, &finding->identifier))
		return false;
	if (address_normalise(call->arena, &finding->identifier, phone))
		finding_start(finding);
	else
		phone_ask(finding, phone);
	return true;
}
