/* Any bytes as SMPP: what is read is written and read again as the same, and receipts and headers
 * in it stay inside it. */
#include <string.h>

#include "../../connectors/smpp_pdu.h"
#include "../../connectors/smpp_receipt.h"
#include "../../connectors/sms_udh.h"
#include "fuzz/fuzz.h"

static void check_again(const struct smpp_pdu *pdu, const struct smpp_sm *sm)
{
	static unsigned char out[2 * SMPP_PDU_MAX];
	size_t len = smpp_sm_write(pdu->command, pdu->sequence, sm, out, sizeof(out));
	struct smpp_pdu again_pdu;
	struct smpp_sm again;
	const char *error;

	if (len == 0)
		return;
	MUST(smpp_pdu_read(out, len, &again_pdu, &len) == SMPP_WHOLE);
	MUST(smpp_sm_read(&again_pdu, &again, &error) == 0);
	MUST(again.len == sm->len && memcmp(again.data, sm->data, sm->len) == 0);
	MUST(strcmp(again.source.value, sm->source.value) == 0);
	MUST(again.esm_class == sm->esm_class && again.data_coding == sm->data_coding);
	MUST(again.sar_ref == sm->sar_ref);
}

static void check_receipt(const struct smpp_sm *sm)
{
	static char text[SMPP_PDU_MAX + 1];
	char value[SMPP_ID_BYTES], id[SMPP_ID_BYTES];

	memcpy(text, sm->data, sm->len);
	text[sm->len] = '\0';
	if (!smpp_receipt_field(text, "id", value, sizeof(value)))
		return;
	MUST(strchr(value, ' ') == NULL);
	for (int base = SMPP_ID_SAME; base <= SMPP_ID_HEX_LAST; base++) {
		smpp_id_of_response((enum smpp_id_base)base, value, id);
		smpp_id_of_receipt((enum smpp_id_base)base, value, id);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smpp_pdu pdu;
	size_t len;

	while (smpp_pdu_read(data, size, &pdu, &len) == SMPP_WHOLE) {
		struct smpp_sm sm;
		struct sms_part part;
		const char *error = NULL;
		char id[SMPP_ID_BYTES];

		MUST(len >= SMPP_HEAD && len <= size);
		smpp_id_read(&pdu, id);
		if (smpp_sm_read(&pdu, &sm, &error) < 0) {
			MUST(error && error[0]);
		} else {
			MUST(sms_udh_read(sm.data, sm.len, &part) <= sm.len);
			MUST(part.number <= part.total);
			check_again(&pdu, &sm);
			check_receipt(&sm);
		}
		data += len;
		size -= len;
	}
	return 0;
}
