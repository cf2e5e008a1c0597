#include "smpp_receipt.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "smpp_pdu.h"

static bool is_field(const char *at, const char *name)
{
	size_t len = strlen(name);

	return strncasecmp(at, name, len) == 0 && at[len] == ':';
}

bool smpp_receipt_field(const char *text, const char *name, char *ret, size_t room)
{
	bool is_text = strcasecmp(name, "text") == 0;

	while (*text) {
		bool is_last = is_field(text, "text");

		if (is_field(text, name)) {
			const char *value = text + strlen(name) + 1;
			size_t len = is_text ? strlen(value) : strcspn(value, " ");

			if (len >= room)
				return false;
			memcpy(ret, value, len);
			ret[len] = '\0';
			return true;
		}
		if (is_last)
			return false;
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	return false;
}

static const struct {
	const char *word;
	int state; /* message_state; 0: the word alone */
	enum receipt_state receipt;
} states[] = {
	{ "ENROUTE", 1, RECEIPT_SENT },    { "DELIVRD", 2, RECEIPT_DELIVERED },
	{ "EXPIRED", 3, RECEIPT_FAILED },  { "DELETED", 4, RECEIPT_FAILED },
	{ "UNDELIV", 5, RECEIPT_FAILED },  { "ACCEPTD", 6, RECEIPT_SENT },
	{ "UNKNOWN", 7, RECEIPT_FAILED },  { "REJECTD", 8, RECEIPT_FAILED },
	{ "SKIPPED", 9, RECEIPT_FAILED },  { "ACKED", 0, RECEIPT_SENT },
	{ "BUFFERED", 0, RECEIPT_SENT },   { "BUFFRED", 0, RECEIPT_SENT },
	{ "FAILED", 0, RECEIPT_FAILED },   { "DELIVERED", 0, RECEIPT_DELIVERED },
	{ "REJECTED", 0, RECEIPT_FAILED }, { "UNDELIVERABLE", 0, RECEIPT_FAILED },
};

enum { STATES = sizeof(states) / sizeof(states[0]) };

bool smpp_receipt_state(const char *word, enum receipt_state *ret)
{
	for (size_t i = 0; i < STATES; i++) {
		if (strcasecmp(states[i].word, word) != 0)
			continue;
		*ret = states[i].receipt;
		return true;
	}
	return false;
}

const char *smpp_state_word(int state)
{
	for (size_t i = 0; i < STATES; i++)
		if (states[i].state == state && state > 0)
			return states[i].word;
	return NULL;
}

/* ---- ids ---- */

/* The same number again in another base; the text itself where it is none of 64 bits. */
static void rebase(const char *id, int base, char *ret)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	uint64_t number;

	errno = 0;
	number = strtoull(id, NULL, base);
	if (id[0] == '\0' || strspn(id, digits) != strlen(id) ||
	    (base == 10 && strspn(id, "0123456789") != strlen(id)) || errno != 0)
		snprintf(ret, SMPP_ID_BYTES, "%s", id);
	else
		snprintf(ret, SMPP_ID_BYTES, "%" PRIu64, number);
}

static void plain(const char *id, char *ret)
{
	size_t len = strlen(id);
	size_t zeros = strspn(id, "0");
	bool is_number = len > 0 && strspn(id, "0123456789abcdefABCDEF") == len;

	if (is_number && zeros == len)
		zeros = len - 1;
	snprintf(ret, SMPP_ID_BYTES, "%s", id + (is_number ? zeros : 0));
	for (char *at = ret; is_number && *at; at++)
		*at = (char)toupper((unsigned char)*at);
}

void smpp_id_of_response(enum smpp_id_base base, const char *id, char *ret)
{
	if (base == SMPP_ID_SAME)
		plain(id, ret);
	else
		rebase(id, base == SMPP_ID_HEX_FIRST ? 16 : 10, ret);
}

void smpp_id_of_receipt(enum smpp_id_base base, const char *id, char *ret)
{
	if (base == SMPP_ID_SAME)
		plain(id, ret);
	else
		rebase(id, base == SMPP_ID_HEX_LAST ? 16 : 10, ret);
}
