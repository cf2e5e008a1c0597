#include <criterion/criterion.h>

#include "../../connectors/smpp_pdu.h"
#include "../../connectors/smpp_receipt.h"
#include "../contract/fixture.h"

/* ---- the shared vectors ---- */

static struct json_object *vector(struct json_object *all, const char *id)
{
	struct json_object *list = json_at(all, "vectors");

	for (size_t i = 0; i < json_count(list); i++)
		if (text_equal(json_text(json_item(list, i), "id"), id))
			return json_item(list, i);
	cr_assert_fail("no vector %s", id);
	return NULL;
}

static struct json_object *vectors(void)
{
	char *text = fixture_read_file(TEST_DATA "/vectors.json");
	struct json_object *all = json_read(text, strlen(text), NULL);

	free(text);
	return all;
}

static size_t unhex(const char *hex, unsigned char *out)
{
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len; i++)
		sscanf(hex + 2 * i, "%2hhx", &out[i]);
	return len;
}

static struct smpp_sm sm_of(struct json_object *fields, unsigned char *data)
{
	struct smpp_sm sm = { .state = -1, .sar_ref = -1, .sar_total = -1, .sar_number = -1 };

	sm.source.ton = json_int(fields, "source_addr_ton", 0);
	sm.source.npi = json_int(fields, "source_addr_npi", 0);
	snprintf(sm.source.value, SMPP_ADDRESS_BYTES, "%s", json_text(fields, "source_addr"));
	sm.destination.ton = json_int(fields, "dest_addr_ton", 0);
	sm.destination.npi = json_int(fields, "dest_addr_npi", 0);
	snprintf(sm.destination.value, SMPP_ADDRESS_BYTES, "%s",
		 json_text(fields, "destination_addr"));
	sm.esm_class = json_int(fields, "esm_class", 0);
	sm.registered_delivery = json_int(fields, "registered_delivery", 0);
	sm.data_coding = json_int(fields, "data_coding", 0);
	sm.len = unhex(json_text(fields, "short_message"), data);
	sm.data = data;
	return sm;
}

static void expect_bytes(struct json_object *one, const unsigned char *out, size_t len)
{
	unsigned char expected[1024];
	size_t expected_len = unhex(json_text(one, "expected.hex"), expected);

	cr_expect_eq(len, expected_len, "%s: %zu", json_text(one, "id"), len);
	cr_expect_arr_eq(out, expected, expected_len, "%s", json_text(one, "id"));
}

static void check_sm(struct json_object *one, uint32_t command)
{
	unsigned char data[256], out[1024], again[1024];
	struct smpp_sm sm = sm_of(json_at(one, "inputs.fields"), data);
	size_t len = smpp_sm_write(command, json_int(one, "inputs.sequence_number", 0), &sm, out,
				   sizeof(out));
	struct smpp_pdu pdu;
	struct smpp_sm read;
	const char *error;
	size_t whole;

	expect_bytes(one, out, len);
	cr_assert_eq(smpp_pdu_read(out, len, &pdu, &whole), SMPP_WHOLE);
	cr_assert_eq(smpp_sm_read(&pdu, &read, &error), 0, "%s", error);
	cr_expect_str_eq(read.source.value, sm.source.value);
	cr_expect_eq(read.len, sm.len);
	cr_expect_eq(smpp_sm_write(command, pdu.sequence, &read, again, sizeof(again)), len);
	cr_expect_arr_eq(again, out, len);
}

Test(smpp_pdu, writes_and_reads_the_shared_messages)
{
	static const char *const submits[] = { "smpp-submit-gsm7", "smpp-submit-ucs2",
					       "smpp-submit-udh-part1" };
	struct json_object *all = vectors();

	for (size_t i = 0; i < COUNT_OF(submits); i++)
		check_sm(vector(all, submits[i]), SMPP_SUBMIT_SM);
	check_sm(vector(all, "smpp-deliver-mo"), SMPP_DELIVER_SM);
	json_free(&all);
}

static const struct {
	const char *id;
	uint32_t command;
	uint32_t status;
} heads[] = {
	{ "smpp-enquire-link", SMPP_ENQUIRE_LINK, 0 },
	{ "smpp-enquire-link-resp", SMPP_ENQUIRE_LINK | SMPP_RESPONSE, 0 },
	{ "smpp-unbind", SMPP_UNBIND, 0 },
	{ "smpp-generic-nack", SMPP_RESPONSE, SMPP_INVALID_COMMAND },
	{ "smpp-bind-fail", SMPP_BIND_TRANSCEIVER | SMPP_RESPONSE, SMPP_BIND_FAILED },
	{ "smpp-submit-throttled", SMPP_SUBMIT_SM | SMPP_RESPONSE, SMPP_THROTTLED },
};

Test(smpp_pdu, writes_and_reads_the_shared_heads)
{
	struct json_object *all = vectors();

	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		struct json_object *one = vector(all, heads[i].id);
		uint32_t sequence = json_int(one, "inputs.sequence_number", 0);
		unsigned char out[SMPP_HEAD];
		struct smpp_pdu pdu = { 0 };
		char id[SMPP_ID_BYTES];
		size_t len;

		expect_bytes(one, out,
			     smpp_head_write(heads[i].command, heads[i].status, sequence, out));
		cr_expect_eq(smpp_pdu_read(out, sizeof(out), &pdu, &len), SMPP_WHOLE);
		cr_expect_eq(pdu.command, heads[i].command);
		cr_expect_eq(pdu.status, heads[i].status);
		cr_expect_eq(pdu.sequence, sequence);
		smpp_id_read(&pdu, id); /* an error has no body */
		cr_expect_str_empty(id);
	}
	json_free(&all);
}

Test(smpp_pdu, writes_the_shared_bind_and_reads_the_shared_responses)
{
	struct json_object *all = vectors();
	struct smpp_bind bind = { .command = SMPP_BIND_TRANSCEIVER,
				  .system_id = "esme1",
				  .password = "secret",
				  .system_type = "",
				  .range = "" };
	unsigned char out[128];
	struct smpp_pdu pdu;
	char id[SMPP_ID_BYTES];
	size_t len;

	expect_bytes(vector(all, "smpp-bind-transceiver"), out,
		     smpp_bind_write(&bind, 1, out, sizeof(out)));
	expect_bytes(vector(all, "smpp-deliver-resp"), out, smpp_delivered_write(0, 21, out));
	unhex(json_text(vector(all, "smpp-bind-transceiver-resp"), "expected.hex"), out);
	cr_expect_eq(smpp_pdu_read(out, sizeof(out), &pdu, &len), SMPP_WHOLE);
	smpp_id_read(&pdu, id);
	cr_expect_str_eq(id, "SMSC");
	unhex(json_text(vector(all, "smpp-submit-resp"), "expected.hex"), out);
	cr_expect_eq(smpp_pdu_read(out, sizeof(out), &pdu, &len), SMPP_WHOLE);
	smpp_id_read(&pdu, id);
	cr_expect_str_eq(id, "40C4F2A1");
	bind.password = "ninebytes";
	cr_expect_eq(smpp_bind_write(&bind, 1, out, sizeof(out)), 0);
	json_free(&all);
}

/* ---- what is none ---- */

Test(smpp_pdu, waits_for_the_rest_and_refuses_a_length_that_is_none)
{
	unsigned char bytes[20] = { 0, 0, 0, 17, 0, 0, 0, 0x15 };
	struct smpp_pdu pdu;
	size_t len = 0;

	cr_expect_eq(smpp_pdu_read(bytes, 3, &pdu, &len), SMPP_PART);
	cr_expect_eq(smpp_pdu_read(bytes, 16, &pdu, &len), SMPP_PART);
	cr_expect_eq(smpp_pdu_read(bytes, 20, &pdu, &len), SMPP_WHOLE);
	cr_expect_eq(len, 17);
	bytes[3] = 15;
	cr_expect_eq(smpp_pdu_read(bytes, 20, &pdu, &len), SMPP_BROKEN);
	bytes[1] = 1; /* 65551 */
	cr_expect_eq(smpp_pdu_read(bytes, 20, &pdu, &len), SMPP_BROKEN);
}

static const struct {
	const char *hex; /* of the body */
	const char *error;
} broken[] = {
	{ "", "service_type" },
	{ "313233343536", "service_type" },
	{ "00", "the PDU ends too early" },
	{ "000101313233343536373839303132333435363738393031323300", "an address" },
	{ "00000000"
	  "000000"
	  "000000"
	  "000000"
	  "00",
	  "the PDU ends too early" },
	{ "00000000"
	  "000000"
	  "000000"
	  "0000"
	  "0000000005"
	  "4142",
	  "sm_length reaches" },
	{ "00000000"
	  "000000"
	  "000000"
	  "0000"
	  "0000000001"
	  "41"
	  "0424",
	  "optional parameter" },
	{ "00000000"
	  "000000"
	  "000000"
	  "0000"
	  "0000000001"
	  "41"
	  "04240002"
	  "41",
	  "optional" },
};

Test(smpp_pdu, says_what_a_message_lacks)
{
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		unsigned char body[64];
		struct smpp_pdu pdu = { .body = body, .body_len = unhex(broken[i].hex, body) };
		struct smpp_sm sm;
		const char *error = NULL;

		cr_expect_eq(smpp_sm_read(&pdu, &sm, &error), -1, "%zu", i);
		cr_expect(error && strstr(error, broken[i].error), "%zu: %s", i, error);
	}
}

Test(smpp_pdu, carries_long_payloads_and_parts_in_optional_parameters)
{
	unsigned char data[1000], out[2048];
	struct smpp_sm sm = { .data = data, .len = sizeof(data), .state = 2 };
	struct smpp_pdu pdu;
	struct smpp_sm read;
	const char *error;
	size_t len;

	memset(data, 'a', sizeof(data));
	sm.sar_ref = 0x1234;
	sm.sar_total = 3;
	sm.sar_number = 2;
	strcpy(sm.receipted_id, "40C4F2A1");
	cr_expect_eq(smpp_sm_write(SMPP_DELIVER_SM, 1, &sm, out, 500), 0);
	len = smpp_sm_write(SMPP_DELIVER_SM, 1, &sm, out, sizeof(out));
	cr_assert_gt(len, 1000);
	cr_assert_eq(smpp_pdu_read(out, len, &pdu, &len), SMPP_WHOLE);
	cr_assert_eq(smpp_sm_read(&pdu, &read, &error), 0);
	cr_expect_eq(read.len, sizeof(data));
	cr_expect_arr_eq(read.data, data, sizeof(data));
	cr_expect_eq(read.sar_ref, 0x1234);
	cr_expect_eq(read.sar_total, 3);
	cr_expect_eq(read.sar_number, 2);
	cr_expect_eq(read.state, 2);
	cr_expect_str_eq(read.receipted_id, "40C4F2A1");
	smpp_sequence_set(out, SMPP_SEQUENCE_MAX);
	cr_assert_eq(smpp_pdu_read(out, len, &pdu, &len), SMPP_WHOLE);
	cr_expect_eq(pdu.sequence, SMPP_SEQUENCE_MAX);
}

/* ---- receipts ---- */

Test(smpp_pdu, reads_the_shared_receipts)
{
	static const char *const ids[] = { "smpp-receipt-parse-delivrd",
					   "smpp-receipt-parse-undeliv" };
	static const char *const fields[] = { "id",          "sub",       "dlvrd", "submit date",
					      "done date",   "stat",      "err",   "text",
					      "submit_date", "done_date", NULL };
	struct json_object *all = vectors();

	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		struct json_object *one = vector(all, ids[i]);
		const char *text = json_text(one, "inputs.short_message");
		enum receipt_state state;
		char value[64];

		for (size_t j = 0; fields[j]; j++) {
			struct json_object *expected =
				json_has(json_at(one, "expected"), fields[j])
					? json_at(json_at(one, "expected"), fields[j])
					: NULL;
			char name[32];

			if (!expected)
				continue;
			snprintf(name, sizeof(name), "%s", fields[j]);
			if (strchr(name, '_'))
				*strchr(name, '_') = ' ';
			cr_expect(smpp_receipt_field(text, name, value, sizeof(value)), "%s", name);
			cr_expect_str_eq(value, json_string(expected));
		}
		cr_expect(smpp_receipt_field(text, "stat", value, sizeof(value)));
		cr_expect(smpp_receipt_state(value, &state));
		cr_expect_eq(state, i == 0 ? RECEIPT_DELIVERED : RECEIPT_FAILED);
	}
	json_free(&all);
}

Test(smpp_pdu, does_not_believe_the_text_of_a_message)
{
	char value[8];

	cr_expect_not(smpp_receipt_field("id:1 text:x stat:DELIVRD", "stat", value, 8));
	cr_expect_not(smpp_receipt_field("xid:1", "id", value, 8));
	cr_expect_not(smpp_receipt_field("id:123456789", "id", value, 8));
	cr_expect(smpp_receipt_field("STAT:DELIVRD  ID:7", "id", value, 8));
	cr_expect_str_eq(value, "7");
	cr_expect_null(smpp_state_word(0));
	cr_expect_null(smpp_state_word(77));
	cr_expect_str_eq(smpp_state_word(8), "REJECTD");
}

static const struct {
	enum smpp_id_base base;
	const char *response;
	const char *receipt;
	const char *id;
} ids[] = {
	{ SMPP_ID_SAME, "40c4f2a1", "0040C4F2A1", "40C4F2A1" },
	{ SMPP_ID_SAME, "0", "000", "0" },
	{ SMPP_ID_SAME, "a1-B2", "a1-B2", "a1-B2" },
	{ SMPP_ID_SAME, "", "", "" },
	{ SMPP_ID_HEX_FIRST, "40C4F2A1", "1086648993", "1086648993" },
	{ SMPP_ID_HEX_FIRST, "ffffffffffffffff", "18446744073709551615", "18446744073709551615" },
	{ SMPP_ID_HEX_LAST, "1086648993", "40c4f2a1", "1086648993" },
	{ SMPP_ID_HEX_FIRST, "not-hex", "not-hex", "not-hex" },
};

Test(smpp_pdu, meets_response_and_receipt_in_one_id)
{
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		char id[SMPP_ID_BYTES];

		smpp_id_of_response(ids[i].base, ids[i].response, id);
		cr_expect_str_eq(id, ids[i].id, "%zu: %s", i, id);
		smpp_id_of_receipt(ids[i].base, ids[i].receipt, id);
		cr_expect_str_eq(id, ids[i].id, "%zu: %s", i, id);
	}
}
