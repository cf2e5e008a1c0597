#include "smpp_pdu.h"

#include <stdio.h>
#include <string.h>

enum { TLVS_MAX = 64, TIME_BYTES = 17, VERSION = 0x34, SHORT_READ_MAX = 255 };
enum {
	TLV_RECEIPTED_ID = 0x001e,
	TLV_SAR_REF = 0x020c,
	TLV_SAR_TOTAL = 0x020e,
	TLV_SAR_NUMBER = 0x020f,
	TLV_NETWORK_ERROR = 0x0423,
	TLV_PAYLOAD = 0x0424,
	TLV_STATE = 0x0427,
};

/* ---- reading ---- */

struct reader {
	const unsigned char *at;
	size_t left;
	const char *error; /* the first one; NULL */
};

static uint32_t number_at(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static unsigned take_octet(struct reader *reader)
{
	if (reader->left == 0) {
		reader->error = reader->error ? reader->error : "the PDU ends too early";
		return 0;
	}
	reader->left--;
	return *reader->at++;
}

/* Into out, which has room for `room` with the NUL; NULL: passed over. */
static void take_text(struct reader *reader, char *out, size_t room, const char *error)
{
	const unsigned char *end = memchr(reader->at, 0, reader->left < room ? reader->left : room);
	size_t len = end ? (size_t)(end - reader->at) : 0;

	if (out)
		out[0] = '\0';
	if (!end) {
		reader->error = reader->error ? reader->error : error;
		reader->left = 0;
		return;
	}
	if (out)
		memcpy(out, reader->at, len + 1);
	reader->at += len + 1;
	reader->left -= len + 1;
}

static void take_address(struct reader *reader, struct smpp_address *ret)
{
	ret->ton = take_octet(reader);
	ret->npi = take_octet(reader);
	take_text(reader, ret->value, sizeof(ret->value) - 1, "an address is longer than 20");
}

static int tlv_number(const unsigned char *value, size_t len)
{
	return len == 1 ? value[0] : len == 2 ? value[0] << 8 | value[1] : -1;
}

static void read_tlv(unsigned tag, const unsigned char *value, size_t len, struct smpp_sm *ret)
{
	switch (tag) {
	case TLV_RECEIPTED_ID:
		if (len < sizeof(ret->receipted_id)) {
			memcpy(ret->receipted_id, value, len);
			ret->receipted_id[len] = '\0';
		}
		break;
	case TLV_SAR_REF:
		ret->sar_ref = tlv_number(value, len);
		break;
	case TLV_SAR_TOTAL:
		ret->sar_total = tlv_number(value, len);
		break;
	case TLV_SAR_NUMBER:
		ret->sar_number = tlv_number(value, len);
		break;
	case TLV_NETWORK_ERROR:
		ret->network_error = len == 3 ? value[1] << 8 | value[2] : -1;
		break;
	case TLV_STATE:
		ret->state = tlv_number(value, len);
		break;
	case TLV_PAYLOAD:
		if (ret->len == 0) {
			ret->data = value;
			ret->len = len;
		}
		break;
	default:
		break;
	}
}

static void take_tlvs(struct reader *reader, struct smpp_sm *ret)
{
	for (int count = 0; reader->left > 0; count++) {
		size_t len = reader->left >= 4 ? (size_t)(reader->at[2] << 8 | reader->at[3]) : 0;

		if (reader->left < 4 || len > reader->left - 4) {
			reader->error = "an optional parameter reaches past the end";
			return;
		}
		if (count == TLVS_MAX) {
			reader->error = "there are more than 64 optional parameters";
			return;
		}
		read_tlv((unsigned)(reader->at[0] << 8 | reader->at[1]), reader->at + 4, len, ret);
		reader->at += 4 + len;
		reader->left -= 4 + len;
	}
}

enum smpp_frame smpp_pdu_read(const void *bytes, size_t len, struct smpp_pdu *ret, size_t *ret_len)
{
	const unsigned char *at = bytes;
	uint32_t length;

	if (len < 4)
		return SMPP_PART;
	length = number_at(at);
	if (length < SMPP_HEAD || length > SMPP_PDU_MAX)
		return SMPP_BROKEN;
	if (len < length)
		return SMPP_PART;
	*ret = (struct smpp_pdu){
		.command = number_at(at + 4),
		.status = number_at(at + 8),
		.sequence = number_at(at + 12),
		.body = at + SMPP_HEAD,
		.body_len = length - SMPP_HEAD,
	};
	*ret_len = length;
	return SMPP_WHOLE;
}

int smpp_sm_read(const struct smpp_pdu *pdu, struct smpp_sm *ret, const char **ret_error)
{
	struct reader reader = { .at = pdu->body, .left = pdu->body_len };

	memset(ret, 0, sizeof(*ret));
	ret->state = ret->network_error = -1;
	ret->sar_ref = ret->sar_total = ret->sar_number = -1;
	take_text(&reader, ret->service_type, sizeof(ret->service_type),
		  "service_type is longer than 5");
	take_address(&reader, &ret->source);
	take_address(&reader, &ret->destination);
	ret->esm_class = take_octet(&reader);
	ret->protocol_id = take_octet(&reader);
	ret->priority = take_octet(&reader);
	take_text(&reader, NULL, TIME_BYTES, "schedule_delivery_time is longer than 16");
	take_text(&reader, NULL, TIME_BYTES, "validity_period is longer than 16");
	ret->registered_delivery = take_octet(&reader);
	take_octet(&reader); /* replace_if_present_flag */
	ret->data_coding = take_octet(&reader);
	take_octet(&reader); /* sm_default_msg_id */
	ret->len = take_octet(&reader);
	if (ret->len > reader.left && !reader.error)
		reader.error = "sm_length reaches past the end";
	if (!reader.error) {
		ret->data = reader.at;
		reader.at += ret->len;
		reader.left -= ret->len;
		take_tlvs(&reader, ret);
	}
	*ret_error = reader.error;
	return reader.error ? -1 : 0;
}

void smpp_id_read(const struct smpp_pdu *pdu, char ret[SMPP_ID_BYTES])
{
	struct reader reader = { .at = pdu->body, .left = pdu->body_len };

	take_text(&reader, ret, SMPP_ID_BYTES, "message_id is longer than 65");
}

/* ---- writing ---- */

struct writer {
	unsigned char *start;
	size_t len;
	size_t room;
	bool is_full;
};

static void put(struct writer *writer, const void *bytes, size_t len)
{
	if (writer->is_full || len > writer->room - writer->len) {
		writer->is_full = true;
		return;
	}
	memcpy(writer->start + writer->len, bytes, len);
	writer->len += len;
}

static void put_octet(struct writer *writer, unsigned octet)
{
	const unsigned char byte = (unsigned char)octet;

	put(writer, &byte, 1);
}

/* max: with the NUL. */
static void put_text(struct writer *writer, const char *text, size_t max)
{
	size_t size = strlen(text) + 1;

	if (size > max)
		writer->is_full = true;
	else
		put(writer, text, size);
}

static void put_tlv(struct writer *writer, unsigned tag, const void *value, size_t len)
{
	put_octet(writer, tag >> 8);
	put_octet(writer, tag);
	put_octet(writer, (unsigned)(len >> 8));
	put_octet(writer, (unsigned)len);
	put(writer, value, len);
}

static void put_tlv_number(struct writer *writer, unsigned tag, int value, size_t len)
{
	const unsigned char octets[] = { (unsigned char)(value >> 8), (unsigned char)value };

	if (value >= 0)
		put_tlv(writer, tag, octets + sizeof(octets) - len, len);
}

static void put_address(struct writer *writer, const struct smpp_address *address)
{
	put_octet(writer, address->ton);
	put_octet(writer, address->npi);
	put_text(writer, address->value, sizeof(address->value) - 1);
}

static void set_number(unsigned char *at, uint32_t value)
{
	at[0] = (unsigned char)(value >> 24);
	at[1] = (unsigned char)(value >> 16);
	at[2] = (unsigned char)(value >> 8);
	at[3] = (unsigned char)value;
}

static size_t finish(struct writer *writer)
{
	if (writer->is_full || writer->len > SMPP_PDU_MAX)
		return 0;
	set_number(writer->start, (uint32_t)writer->len);
	return writer->len;
}

size_t smpp_head_write(uint32_t command, uint32_t status, uint32_t sequence, unsigned char *out)
{
	set_number(out, SMPP_HEAD);
	set_number(out + 4, command);
	set_number(out + 8, status);
	set_number(out + 12, sequence);
	return SMPP_HEAD;
}

static void begin(struct writer *writer, uint32_t command, uint32_t sequence)
{
	unsigned char head[SMPP_HEAD];

	put(writer, head, smpp_head_write(command, SMPP_OK, sequence, head));
}

size_t smpp_sm_write(uint32_t command, uint32_t sequence, const struct smpp_sm *sm,
		     unsigned char *out, size_t room)
{
	struct writer writer = { .start = out, .room = room };
	size_t short_len = sm->len <= SMPP_SHORT_MAX && !sm->is_payload ? sm->len : 0;

	begin(&writer, command, sequence);
	put_text(&writer, sm->service_type, sizeof(sm->service_type));
	put_address(&writer, &sm->source);
	put_address(&writer, &sm->destination);
	put_octet(&writer, sm->esm_class);
	put_octet(&writer, sm->protocol_id);
	put_octet(&writer, sm->priority);
	put_text(&writer, "", TIME_BYTES);
	put_text(&writer, "", TIME_BYTES);
	put_octet(&writer, sm->registered_delivery);
	put_octet(&writer, 0);
	put_octet(&writer, sm->data_coding);
	put_octet(&writer, 0);
	put_octet(&writer, (unsigned)short_len);
	put(&writer, sm->data ? sm->data : out, short_len);
	put_tlv_number(&writer, TLV_SAR_REF, sm->sar_ref, 2);
	put_tlv_number(&writer, TLV_SAR_TOTAL, sm->sar_total, 1);
	put_tlv_number(&writer, TLV_SAR_NUMBER, sm->sar_number, 1);
	if (sm->receipted_id[0])
		put_tlv(&writer, TLV_RECEIPTED_ID, sm->receipted_id, strlen(sm->receipted_id) + 1);
	put_tlv_number(&writer, TLV_STATE, sm->state, 1);
	if (short_len < sm->len)
		put_tlv(&writer, TLV_PAYLOAD, sm->data, sm->len);
	return finish(&writer);
}

size_t smpp_bind_write(const struct smpp_bind *bind, uint32_t sequence, unsigned char *out,
		       size_t room)
{
	struct writer writer = { .start = out, .room = room };

	begin(&writer, bind->command, sequence);
	put_text(&writer, bind->system_id, 16);
	put_text(&writer, bind->password, 9);
	put_text(&writer, bind->system_type, 13);
	put_octet(&writer, VERSION);
	put_octet(&writer, bind->ton);
	put_octet(&writer, bind->npi);
	put_text(&writer, bind->range, 41);
	return finish(&writer);
}

size_t smpp_delivered_write(uint32_t status, uint32_t sequence, unsigned char *out)
{
	smpp_head_write(SMPP_DELIVER_SM | SMPP_RESPONSE, status, sequence, out);
	set_number(out, SMPP_HEAD + 1);
	out[SMPP_HEAD] = 0;
	return SMPP_HEAD + 1;
}

void smpp_sequence_set(unsigned char *pdu, uint32_t sequence)
{
	set_number(pdu + 12, sequence);
}

const char *smpp_status_name(uint32_t status, char room[16])
{
	static const struct {
		uint32_t status;
		const char *name;
	} names[] = {
		{ 0x0a, "bad_source" },      { 0x0b, "bad_destination" },
		{ 0x0d, "bind_failed" },     { 0x0e, "bad_password" },
		{ 0x0f, "bad_system_id" },   { 0x14, "queue_full" },
		{ 0x33, "bad_destination" }, { 0x45, "submit_failed" },
		{ 0x48, "bad_source_ton" },  { 0x49, "bad_source_npi" },
		{ 0x50, "bad_dest_ton" },    { 0x51, "bad_dest_npi" },
		{ 0x53, "bad_system_type" }, { 0x58, "throttled" },
		{ 0x64, "temporary" },       { 0x65, "permanent" },
		{ 0x66, "rejected" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].status == status)
			return names[i].name;
	snprintf(room, 16, "0x%08x", (unsigned)status);
	return room;
}
