/* PDUs of SMPP 3.4 (Issue 1.2) to structs and back. Strict: what does not keep the lengths of the
 * specification is refused with a phrase. Pure; everything points into the PDU it was read from. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum smpp_command {
	SMPP_BIND_RECEIVER = 0x1,
	SMPP_BIND_TRANSMITTER = 0x2,
	SMPP_SUBMIT_SM = 0x4,
	SMPP_DELIVER_SM = 0x5,
	SMPP_UNBIND = 0x6,
	SMPP_BIND_TRANSCEIVER = 0x9,
	SMPP_OUTBIND = 0xb,
	SMPP_ENQUIRE_LINK = 0x15,
	SMPP_ALERT_NOTIFICATION = 0x102,
};
#define SMPP_RESPONSE 0x80000000U /* on top of a command; alone it is generic_nack */

enum smpp_status {
	SMPP_OK = 0x00,
	SMPP_INVALID_COMMAND = 0x03,
	SMPP_INVALID_BIND_STATE = 0x04,
	SMPP_ALREADY_BOUND = 0x05,
	SMPP_SYSTEM_ERROR = 0x08,
	SMPP_BIND_FAILED = 0x0d,
	SMPP_INVALID_PASSWORD = 0x0e,
	SMPP_INVALID_SYSTEM_ID = 0x0f,
	SMPP_QUEUE_FULL = 0x14,
	SMPP_SUBMIT_FAILED = 0x45,
	SMPP_INVALID_SYSTEM_TYPE = 0x53,
	SMPP_THROTTLED = 0x58,
	SMPP_TEMPORARY = 0x64,
	SMPP_UNKNOWN_ERROR = 0xff,
};

enum {
	SMPP_HEAD = 16,
	SMPP_PDU_MAX = 64 * 1024,
	SMPP_SHORT_MAX = 254,
	SMPP_ID_BYTES = 66, /* of a message id with its NUL */
	SMPP_ADDRESS_BYTES = 22,
	SMPP_SEQUENCE_MAX = 0x7fffffff,
	SMPP_UDHI = 0x40, /* esm_class */
	SMPP_TYPE = 0x3c, /* esm_class: what kind of delivery */
	SMPP_RECEIPT = 0x04,
	SMPP_INTERMEDIATE = 0x20,
};

struct smpp_pdu {
	uint32_t command;
	uint32_t status;
	uint32_t sequence;
	const unsigned char *body;
	size_t body_len;
};

struct smpp_address {
	unsigned ton;
	unsigned npi;
	char value[SMPP_ADDRESS_BYTES];
};

/* submit_sm and deliver_sm: one layout. */
struct smpp_sm {
	char service_type[6];
	struct smpp_address source;
	struct smpp_address destination;
	unsigned esm_class;
	unsigned protocol_id;
	unsigned priority;
	unsigned registered_delivery;
	unsigned data_coding;
	const unsigned char *data; /* short_message, or message_payload where that is empty */
	size_t len;
	bool is_payload; /* written as message_payload however short it is */
	/* Of the TLVs; -1 and "" where absent. */
	char receipted_id[SMPP_ID_BYTES];
	int state;
	int network_error;
	int sar_ref;
	int sar_total;
	int sar_number;
};

struct smpp_bind {
	enum smpp_command command;
	const char *system_id;   /* at most 15 */
	const char *password;    /* at most 8 */
	const char *system_type; /* at most 12 */
	unsigned ton;
	unsigned npi;
	const char *range; /* at most 40 */
};

enum smpp_frame {
	SMPP_WHOLE,
	SMPP_PART,   /* more bytes must come */
	SMPP_BROKEN, /* no SMPP: the connection cannot go on */
};

/* The first PDU of a stream; ret_len is its length. */
enum smpp_frame smpp_pdu_read(const void *bytes, size_t len, struct smpp_pdu *ret, size_t *ret_len);
/* 0, or -1 with a phrase. */
int smpp_sm_read(const struct smpp_pdu *pdu, struct smpp_sm *ret, const char **ret_error);
/* message_id of submit_sm_resp, system_id of a bind's response: "" where there is none. */
void smpp_id_read(const struct smpp_pdu *pdu, char ret[SMPP_ID_BYTES]);

/* Octets written; 0: it does not fit. */
size_t smpp_head_write(uint32_t command, uint32_t status, uint32_t sequence, unsigned char *out);
size_t smpp_sm_write(uint32_t command, uint32_t sequence, const struct smpp_sm *sm,
		     unsigned char *out, size_t room);
size_t smpp_bind_write(const struct smpp_bind *bind, uint32_t sequence, unsigned char *out,
		       size_t room);
/* deliver_sm_resp: its message_id is always empty. */
size_t smpp_delivered_write(uint32_t status, uint32_t sequence, unsigned char *out);
void smpp_sequence_set(unsigned char *pdu, uint32_t sequence);

/* "throttled" and the like; the number in hexadecimal where it has no name here. */
const char *smpp_status_name(uint32_t status, char room[16]);
