/* What the pipeline is given of deliver_sm, read into messages and receipts. */
#include <string.h>

#include "provider_read.h"
#include "smpp_private.h"
#include "sms_udh.h"

enum { TON_INTERNATIONAL = 1, TON_ALPHANUMERIC = 5, PARTS_MAX = 255, SHOWN_OCTETS = 512 };

struct reading {
	const struct channel *channel;
	const struct smpp_settings *settings;
	struct arena *arena;
	struct json_object *body;
	struct parsed *ret;
	struct smpp_sm first; /* of the parts that are there */
	unsigned char *data;  /* of all of them, without their headers */
	size_t len;
	const char *missing; /* "2,3"; "" */
};

void smpp_part_of(const struct smpp_sm *sm, struct sms_part *ret, size_t *ret_skip)
{
	*ret_skip = 0;
	*ret = (struct sms_part){ 0 };
	if (sm->esm_class & SMPP_UDHI)
		*ret_skip = sms_udh_read(sm->data, sm->len, ret);
	if (ret->total > 0 || sm->sar_ref < 0 || sm->sar_total < 1 || sm->sar_number < 1 ||
	    sm->sar_number > sm->sar_total)
		return;
	*ret = (struct sms_part){ .ref = (unsigned)sm->sar_ref,
				  .is_wide = true,
				  .total = (unsigned)sm->sar_total,
				  .number = (unsigned)sm->sar_number };
}

/* False: octets, or an alphabet that is not known here. */
static bool alphabet_of(const struct smpp_settings *settings, unsigned coding,
			enum sms_alphabet *ret)
{
	static const signed char known[] = {
		-2, SMS_ASCII, -1, SMS_LATIN1, -1, -1, -1, -1, SMS_UCS2
	};
	static const signed char by_class[] = { SMS_GSM7, -1, SMS_UCS2, -1 };
	int alphabet = -1;

	if (coding < sizeof(known))
		alphabet = known[coding] == -2 ? settings->alphabet : known[coding];
	else if (coding >= 0xf0)
		alphabet = coding & 4 ? -1 : settings->alphabet;
	else if (coding >= 0xe0)
		alphabet = SMS_UCS2;
	else if (coding >= 0xc0)
		alphabet = SMS_GSM7;
	else if (coding >= 0x10 && coding < 0x40)
		alphabet = by_class[(coding >> 2) & 3];
	*ret = (enum sms_alphabet)(alphabet < 0 ? SMS_GSM7 : alphabet);
	return alphabet >= 0;
}

/* NULL: it is no text. */
static const char *text_of(const struct reading *reading, bool is_receipt)
{
	const struct host *host = smpp_host();
	enum sms_alphabet alphabet;
	char *text;

	if (!alphabet_of(reading->settings, reading->first.data_coding, &alphabet))
		return NULL;
	/* The centre itself words receipts, in ASCII: their "_" is none of the GSM alphabet's. */
	if (is_receipt && alphabet == SMS_GSM7)
		alphabet = SMS_LATIN1;
	text = host->alloc(reading->arena, reading->len * SMS_UTF8_PER_OCTET + 1);
	sms_decode(alphabet, reading->data, reading->len, text);
	return text;
}

/* ---- the parts ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool unhex(const char *hex, unsigned char *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static int read_pdu(const struct reading *reading, const char *hex, struct smpp_sm *ret,
		    const char **ret_error)
{
	size_t len = strlen(hex) / 2;
	unsigned char *bytes = smpp_host()->alloc(reading->arena, len + 1);
	struct smpp_pdu pdu;
	size_t pdu_len;

	*ret_error = "no deliver_sm";
	if (strlen(hex) % 2 != 0 || !unhex(hex, bytes, len) ||
	    smpp_pdu_read(bytes, len, &pdu, &pdu_len) != SMPP_WHOLE || pdu_len != len ||
	    pdu.command != SMPP_DELIVER_SM)
		return -1;
	return smpp_sm_read(&pdu, ret, ret_error);
}

static void add_part(struct reading *reading, const struct smpp_sm *sm)
{
	struct sms_part place;
	unsigned char *data;
	size_t skip;

	smpp_part_of(sm, &place, &skip);
	data = smpp_host()->alloc(reading->arena, reading->len + sm->len + 1);
	if (reading->len > 0)
		memcpy(data, reading->data, reading->len);
	if (sm->len > skip)
		memcpy(data + reading->len, sm->data + skip, sm->len - skip);
	reading->data = data;
	reading->len += sm->len - skip;
}

static int read_parts(struct reading *reading, const char **ret_error)
{
	const struct host *host = smpp_host();
	struct json_object *list = host->json_at(reading->body, "pdus");
	size_t count = provider_count(host, list);
	bool has_first = false;

	*ret_error = "no deliver_sm";
	reading->missing = "";
	for (size_t i = 0; i < count && i < PARTS_MAX; i++) {
		const char *hex = host->json_text(host->json_item(list, i), "");
		struct smpp_sm sm;

		if (!hex || !hex[0]) {
			reading->missing = host->format(reading->arena, "%s%s%zu", reading->missing,
							reading->missing[0] ? "," : "", i + 1);
			continue;
		}
		if (read_pdu(reading, hex, &sm, ret_error) < 0)
			return -1;
		if (!has_first)
			reading->first = sm;
		has_first = true;
		add_part(reading, &sm);
	}
	return has_first ? 0 : -1;
}

/* ---- receipts ---- */

static const char *field_of(const struct reading *reading, const char *text, const char *name)
{
	char value[SMPP_ID_BYTES];

	if (!text || !smpp_receipt_field(text, name, value, sizeof(value)))
		return NULL;
	return smpp_host()->text(reading->arena, value);
}

/* False: it names no message, or says nothing that is known. */
static bool read_receipt(struct reading *reading, const char *text)
{
	const struct host *host = smpp_host();
	const struct smpp_settings *settings = reading->settings;
	struct receipt *receipt = host->alloc(reading->arena, sizeof(*receipt));
	const char *id = reading->first.receipted_id;
	const char *word = smpp_state_word(reading->first.state);
	const char *error = field_of(reading, text, settings->receipt_error);
	char known[SMPP_ID_BYTES];

	if (!id[0])
		id = field_of(reading, text, settings->receipt_id);
	if (!word)
		word = field_of(reading, text, settings->receipt_state);
	if (!id || !id[0] || !word || !smpp_receipt_state(word, &receipt->state))
		return false;
	smpp_id_of_receipt((enum smpp_id_base)settings->id_base, id, known);
	receipt->provider_id = host->text(reading->arena, known);
	if (receipt->state == RECEIPT_FAILED && reading->first.network_error > 0)
		receipt->error =
			host->format(reading->arena, "%s %d", word, reading->first.network_error);
	else if (receipt->state == RECEIPT_FAILED)
		receipt->error = host->format(reading->arena, "%s %s", word, error ? error : "");
	reading->ret->receipts = receipt;
	reading->ret->receipt_count = 1;
	return true;
}

/* ---- messages ---- */

static void set_sender(const struct reading *reading, struct identifier *sender)
{
	const struct host *host = smpp_host();
	const struct smpp_address *source = &reading->first.source;
	bool is_number = strspn(source->value, "+0123456789") == strlen(source->value);
	bool is_international = source->ton == TON_INTERNATIONAL ||
				(reading->settings->bare_is_international && source->ton == 0);

	sender->proof = PROOF_CHANNEL;
	sender->proved_by = "smpp";
	sender->kind = "phone";
	sender->scope = "";
	sender->value = host->text(reading->arena, source->value);
	if (source->ton == TON_ALPHANUMERIC || !is_number) {
		sender->kind = "sms_sender";
		sender->scope = host->channel_name(reading->channel);
	} else if (is_international && source->value[0] && source->value[0] != '+') {
		sender->value = host->format(reading->arena, "+%s", source->value);
	}
}

static const char *extra_of(const struct reading *reading, bool is_text)
{
	const struct host *host = smpp_host();
	struct arena *arena = reading->arena;
	const char *extra = host->format(arena, "{\"to\":%s",
					 host->json_quote(arena, reading->first.destination.value));

	if (reading->missing[0])
		extra = host->format(arena, "%s,\"parts\":{\"total\":%lld,\"missing\":[%s]}", extra,
				     (long long)host->json_int(reading->body, "total", 0),
				     reading->missing);
	if (!is_text && reading->len <= SHOWN_OCTETS)
		extra = host->format(arena, "%s,\"data_coding\":%u,\"data\":\"%s\"", extra,
				     reading->first.data_coding,
				     host->hex(arena, reading->data, reading->len));
	return host->format(arena, "%s}", extra);
}

static int read_message(struct reading *reading, const char *text, bool is_event,
			const char **ret_error)
{
	const struct host *host = smpp_host();
	struct message *message = host->alloc(reading->arena, sizeof(*message));
	const char *id = host->json_text(reading->body, "id");

	*ret_error = "the message says not who it is from";
	if (!id || !id[0] || !reading->first.source.value[0])
		return -1;
	message->kind = is_event ? MESSAGE_EVENT : text ? MESSAGE_TEXT : MESSAGE_UNKNOWN;
	message->provider_id = host->text(reading->arena, id);
	message->text = text ? text : "";
	message->sender_name = "";
	message->thread = "";
	set_sender(reading, &message->sender);
	message->extra = extra_of(reading, text != NULL);
	message->reply_context =
		host->format(reading->arena, "%s%s",
			     reading->first.destination.ton == TON_INTERNATIONAL ? "+" : "",
			     reading->first.destination.value);
	reading->ret->messages = message;
	reading->ret->message_count = 1;
	return 0;
}

static int read_whole(struct reading *reading, const char **ret_error)
{
	unsigned type;
	bool is_receipt;
	const char *text;

	if (read_parts(reading, ret_error) < 0)
		return -1;
	type = reading->first.esm_class & SMPP_TYPE;
	is_receipt = type == SMPP_RECEIPT || type == SMPP_INTERMEDIATE;
	text = text_of(reading, is_receipt);
	if (is_receipt && read_receipt(reading, text))
		return 0;
	return read_message(reading, text, type != 0, ret_error);
}

int smpp_read(const struct channel *channel, const struct inbound *in, struct arena *arena,
	      struct parsed *ret, const char **ret_error)
{
	const struct host *host = smpp_host();
	struct reading reading = { .channel = channel,
				   .settings = host->channel_settings(channel),
				   .arena = arena,
				   .ret = ret };
	int status;

	reading.body = host->json_read(in->body, in->body_len, arena, ret_error);
	if (!reading.body)
		return -1;
	status = read_whole(&reading, ret_error);
	host->json_free(reading.body);
	return status;
}
