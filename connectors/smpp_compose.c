/* A text as one or more submit_sm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smpp_private.h"
#include "sms_split.h"
#include "sms_udh.h"

enum {
	UCS2 = 8,
	ROOM = 512,
	UNLIMITED = 30000,
	ALONE_OCTETS = 140,
	TON_INTERNATIONAL = 1,
	TON_ALPHANUMERIC = 5
};

static const struct sms_room rooms[] = {
	[SMPP_LONG_UDH] = { 160, 153, 70, 67 },
	[SMPP_LONG_UDH16] = { 160, 152, 70, 66 },
	[SMPP_LONG_SAR] = { 160, 153, 70, 67 },
	[SMPP_LONG_PAYLOAD] = { UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED },
};

static bool set_address(struct smpp_address *address, const char *value, int ton, int64_t npi)
{
	bool is_number = value[0] == '+' || strspn(value, "0123456789") == strlen(value);
	size_t len;

	if (ton > 0)
		address->ton = (unsigned)ton - 1;
	else if (!is_number)
		address->ton = TON_ALPHANUMERIC;
	else
		address->ton = value[0] == '+' ? TON_INTERNATIONAL : 0;
	address->npi = address->ton == TON_ALPHANUMERIC ? 0 : (unsigned)npi;
	value += value[0] == '+';
	len = strlen(value);
	if (len >= SMPP_ADDRESS_BYTES - 1)
		return false;
	memcpy(address->value, value, len + 1);
	return true;
}

static bool set_addresses(const struct smpp_settings *settings, const struct outbound *message,
			  struct smpp_sm *sm)
{
	const char *to = message->to;
	const char *digits = to[0] == '+' ? to + 1 : to;
	const char *source = settings->source_addr ? settings->source_addr : "";
	bool is_same = settings->answer_from_same && message->reply_context;

	if (!digits[0] || strspn(digits, "0123456789") != strlen(digits))
		return false;
	return set_address(&sm->destination, to, settings->dest_ton, settings->dest_npi) &&
	       set_address(&sm->source, is_same ? message->reply_context : source,
			   is_same ? 0 : settings->source_ton, settings->source_npi);
}

static void part_write(struct smpp_submit_part *part, const struct smpp_sm *sm)
{
	size_t room = ROOM + sm->len;

	part->pdu = malloc(room);
	if (!part->pdu)
		abort();
	part->len = smpp_sm_write(SMPP_SUBMIT_SM, 0, sm, part->pdu, room);
}

/* The part's octets behind the header that says which it is. */
static void part_compose(struct smpp_submit_part *part, struct smpp_sm *sm, int how,
			 const struct sms_part *place)
{
	unsigned char data[ROOM];
	size_t header;

	if (how == SMPP_LONG_SAR) {
		sm->sar_ref = (int)place->ref;
		sm->sar_total = (int)place->total;
		sm->sar_number = (int)place->number;
		part_write(part, sm);
		return;
	}
	header = sms_udh_write(place, data);
	memcpy(data + header, sm->data, sm->len);
	sm->data = data;
	sm->len += header;
	sm->esm_class |= SMPP_UDHI;
	part_write(part, sm);
	sm->esm_class &= ~(unsigned)SMPP_UDHI;
}

static unsigned registered(const struct smpp_settings *settings)
{
	static const unsigned values[] = { 1, 2, 0 };

	return values[settings->registered_delivery];
}

static struct smpp_submit *submit_new(size_t count)
{
	struct smpp_submit *submit = calloc(1, sizeof(*submit));

	if (!submit)
		abort();
	submit->parts = calloc(count, sizeof(*submit->parts));
	if (!submit->parts)
		abort();
	submit->count = count;
	submit->started_ms = smpp_now();
	for (size_t i = 0; i < count; i++)
		submit->parts[i].submit = submit;
	return submit;
}

void smpp_submit_free(struct smpp_submit *submit)
{
	for (size_t i = 0; i < submit->count; i++)
		free(submit->parts[i].pdu);
	free(submit->parts);
	free(submit);
}

static struct smpp_submit *compose(struct smpp_state *state, const struct sms_split *split,
				   struct smpp_sm *sm)
{
	const struct smpp_settings *settings = smpp_settings(state);
	struct smpp_submit *submit = submit_new(split->count);
	bool is_wide = settings->long_messages != SMPP_LONG_UDH;
	struct sms_part place = { .is_wide = is_wide, .total = (unsigned)split->count };

	if (split->count > 1)
		state->reference++;
	place.ref = state->reference & (is_wide ? 0xffff : 0xff);
	for (size_t i = 0; i < split->count; i++) {
		place.number = (unsigned)i + 1;
		sm->data = sms_split_part(split, i, &sm->len);
		/* The last one's receipt speaks for the whole: one message has one id. */
		sm->registered_delivery = i + 1 == split->count ? registered(settings) : 0;
		sm->is_payload =
			settings->long_messages == SMPP_LONG_PAYLOAD && sm->len > ALONE_OCTETS;
		if (split->count == 1)
			part_write(&submit->parts[i], sm);
		else
			part_compose(&submit->parts[i], sm, settings->long_messages, &place);
	}
	return submit;
}

struct smpp_submit *smpp_compose(struct smpp_state *state, const struct outbound *message,
				 const char **ret_code, const char **ret_why)
{
	const struct smpp_settings *settings = smpp_settings(state);
	struct smpp_sm sm = { .state = -1, .sar_ref = -1, .sar_total = -1, .sar_number = -1 };
	struct smpp_submit *submit;
	struct sms_split split;

	if (!set_addresses(settings, message, &sm)) {
		*ret_code = "bad_address";
		*ret_why = "the number cannot be reached by SMS";
		return NULL;
	}
	if (!sms_split(message->text, (enum sms_alphabet)settings->alphabet,
		       &rooms[settings->long_messages], &split)) {
		*ret_code = "too_long";
		*ret_why = "the text takes more than 255 parts";
		return NULL;
	}
	snprintf(sm.service_type, sizeof(sm.service_type), "%s",
		 settings->service_type ? settings->service_type : "");
	sm.data_coding = split.alphabet == SMS_UCS2 ? UCS2 : 0;
	submit = compose(state, &split, &sm);
	sms_split_clear(&split);
	return submit;
}
