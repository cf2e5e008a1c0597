/* Delivery receipts as SMPP 3.4, appendix B, words them, and the ids they name. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "converge/message.h"

/* The value of "name:value" in the text of a receipt: any order, any case of the name; what follows
 * "text:" is the message itself, and only that name finds it. False: it is not there, or has no
 * room. */
bool smpp_receipt_field(const char *text, const char *name, char *ret, size_t room);
/* DELIVRD and the like. False: it says nothing that is known. */
bool smpp_receipt_state(const char *word, enum receipt_state *ret);
/* message_state of the TLV, as its word; NULL: unknown. */
const char *smpp_state_word(int state);

enum smpp_id_base {
	SMPP_ID_SAME,      /* the response and the receipt say the same */
	SMPP_ID_HEX_FIRST, /* the response in hexadecimal, the receipt in decimal */
	SMPP_ID_HEX_LAST,  /* the response in decimal, the receipt in hexadecimal */
};

/* The id by which a message is known, from what the response or a receipt says: numbers without
 * leading zeros, hexadecimal in capitals. ret has room for SMPP_ID_BYTES. */
void smpp_id_of_response(enum smpp_id_base base, const char *id, char *ret);
void smpp_id_of_receipt(enum smpp_id_base base, const char *id, char *ret);
