/* Who wrote, in the form in which people are compared. A national phone number
 * is read by the phone worker, once: then it is known for a while. */
#include <string.h>

#include "base/limits.h"
#include "channel.h"
#include "identity/address.h"
#include "identity/phones.h"
#include "normalise/normalise.h"

struct asking {
	struct flight *flight;
	struct identifier *identifier;
};

static void on_phone(const char *e164, const struct error *err, void *context)
{
	struct asking *asking = context;
	struct flight *flight = asking->flight;

	if (!flight_landed(flight))
		return;
	if (err != NULL)
		flight_fail(flight, "reading a phone number: %s", err->text);
	else
		address_settle(flight->arena, asking->identifier, e164);
	if (flight->pending == 0)
		pipeline_resume(flight, flight->error.kind == ERROR_NONE ? STAGE_NEXT : STAGE_FAIL);
}

static void identifier_read(struct flight *flight, struct identifier *identifier)
{
	const char *region = channel_default_region(flight->channel);
	char phone[ADDRESS_PHONE_BYTES];
	struct asking *asking;
	const char *known;
	struct error err;

	if (address_normalise(flight->arena, identifier, phone))
		return;
	known = phones_known(flight->parts->phones, region, phone);
	if (known != NULL) {
		address_settle(flight->arena, identifier, known);
		return;
	}
	asking = arena_alloc(flight->arena, sizeof(*asking));
	*asking = (struct asking){ flight, identifier };
	if (phones_read(flight->parts->phones, region, phone, on_phone, asking, &err) != 0)
		flight_fail(flight, "reading a phone number: %s", err.text);
	else
		flight->pending++;
}

enum stage_result normalise_people(struct flight *flight)
{
	for (size_t i = 0; i < flight->parsed.message_count; i++) {
		struct message *message = &flight->parsed.messages[i];

		identifier_read(flight, &message->sender);
		for (size_t j = 0; j < message->other_count; j++)
			identifier_read(flight, &message->others[j]);
	}
	if (flight->pending > 0)
		return STAGE_WAIT;
	return flight->error.kind == ERROR_NONE ? STAGE_NEXT : STAGE_FAIL;
}
