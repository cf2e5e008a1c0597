/* What the files of the smpp connector share: smpp.c (settings, life), smpp_session.c (connections
 * and binds), smpp_send.c (submit_sm and its answers), smpp_compose.c (a text as PDUs),
 * smpp_receive.c (deliver_sm into the pipeline), smpp_read.c (what the pipeline has read). */
#pragma once

#include "converge/connector.h"
#include "gsm7.h"
#include "smpp_join.h"
#include "smpp_pdu.h"
#include "smpp_receipt.h"
#include "smpp_repeat.h"

enum { SMPP_SESSIONS_MAX = 16 };

enum smpp_long { SMPP_LONG_UDH, SMPP_LONG_UDH16, SMPP_LONG_SAR, SMPP_LONG_PAYLOAD };

struct smpp_settings {
	char *host;
	int64_t port;
	bool tls;
	char *ca_file;
	char *system_id;
	char *password;
	char *system_type;
	char *address_range;
	int bind;
	int64_t binds;
	char *source_addr;
	int source_ton; /* 0: found out, else one more than the TON */
	int64_t source_npi;
	int dest_ton;
	int64_t dest_npi;
	bool answer_from_same;
	bool bare_is_international;
	char *service_type;
	int64_t window;
	int64_t throughput;
	int64_t enquire_ms;
	int64_t answer_ms;
	int64_t response_ms;
	int64_t reconnect_ms;
	int alphabet; /* enum sms_alphabet of data_coding 0 */
	int long_messages;
	int registered_delivery;
	int id_base;
	char *receipt_id;
	char *receipt_state;
	char *receipt_error;
	int64_t parts_wait_ms;
};

enum smpp_phase {
	SMPP_DOWN,
	SMPP_CONNECTING,
	SMPP_BINDING,
	SMPP_BOUND,
	SMPP_LEAVING, /* nothing new; what was written may still be answered */
};

struct smpp_state;
struct smpp_trial;

/* One part of a message, a submit_sm of its own. */
struct smpp_submit_part {
	struct smpp_submit *submit;
	struct smpp_submit_part *next; /* written to the same session */
	struct smpp_session *session;  /* waits for an answer there; NULL */
	unsigned char *pdu;            /* without its sequence number */
	size_t len;
	uint32_t sequence;
	int64_t written_ms;
	bool is_accepted;
};

/* One send. */
struct smpp_submit {
	struct smpp_submit *next; /* in the queue */
	struct delivery *delivery;
	struct smpp_submit_part *parts;
	size_t count;
	size_t accepted;
	size_t waiting;
	int refusals; /* for now, of any part */
	int64_t started_ms;
	char id[SMPP_ID_BYTES]; /* of the last part */
};

struct smpp_session {
	struct smpp_state *state;
	struct smpp_session *next; /* of a trial */
	struct smpp_trial *trial;  /* NULL: it is a bind of the channel's */
	struct host_socket *socket;
	enum smpp_phase phase;
	enum smpp_command command;
	unsigned link; /* which connection of this process; 0 before the first */
	uint32_t sequence;
	int64_t next_try_ms;
	int64_t backoff_ms;
	int64_t due_ms; /* an answer to bind, enquire_link or unbind; 0: none is waited for */
	int64_t heard_ms;
	uint32_t unbind_sequence;         /* of the peer's unbind that is not answered yet; 0 */
	bool is_unbound;                  /* our unbind was answered */
	struct smpp_submit_part *waiting; /* newest first */
	int64_t waiting_count;
};

struct smpp_ack {
	struct smpp_ack *next;
	struct smpp_session *session;
	unsigned link;
	uint32_t sequence;
};

struct smpp_state {
	struct channel *channel;
	bool is_mine;    /* the lease is held */
	bool is_refused; /* the bind, for good: until a test succeeds */
	bool is_closing;
	int64_t wake_ms; /* when the clock rings; INT64_MAX: it does not */
	unsigned links;
	struct smpp_session *sessions;
	size_t session_count;
	struct smpp_session *trials;

	struct smpp_submit *queue; /* with parts not written yet, oldest first */
	size_t queued;
	bool is_pumping;
	int64_t window;  /* of each session: smaller after it was throttled */
	int64_t answers; /* good ones since the window grew */
	int64_t hold_ms; /* nothing is written before */
	int64_t throttle_ms;
	int64_t tokens; /* thousandths of a message */
	int64_t tokens_ms;
	unsigned reference; /* of long messages */

	size_t receiving;
	struct smpp_repeats *repeats;
	struct smpp_join join;
	bool has_join; /* read from the cursor since the lease was won */
	bool is_reading;
	bool is_writing;
	bool is_changed;               /* since the cursor was written */
	struct smpp_ack *acks;         /* once the next writing is done */
	struct smpp_ack *acks_writing; /* once this one is */
};

/* One per process, given by open(). */
const struct host *smpp_host(void);
const struct smpp_settings *smpp_settings(const struct smpp_state *state);
int64_t smpp_now(void);
/* Runs everything that is due, then sleeps until something is. */
void smpp_tick(struct smpp_state *state);
void smpp_wake_by(struct smpp_state *state, int64_t at_ms);

/* ---- smpp_session.c ---- */
void smpp_session_tick(struct smpp_session *session);
/* Breaks the connection; what waits for an answer there will never know. */
void smpp_session_end(struct smpp_session *session, const char *why);
/* Says goodbye; the last answers are still taken. */
void smpp_session_leave(struct smpp_session *session);
/* A LEAVING session with nothing left to wait for. */
void smpp_session_settled(struct smpp_session *session);
bool smpp_session_write(struct smpp_session *session, const void *bytes, size_t len);
uint32_t smpp_session_sequence(struct smpp_session *session);
size_t smpp_bound_count(const struct smpp_state *state);
void smpp_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
	       void *context);

/* ---- smpp_send.c ---- */
void smpp_send(struct channel *channel, const struct outbound *message, struct delivery *delivery);
void smpp_submit_answered(struct smpp_session *session, const struct smpp_pdu *pdu);
void smpp_submit_lost(struct smpp_session *session, const char *why);
/* Writes what the windows and the rate allow. */
void smpp_pump(struct smpp_state *state);
void smpp_submit_tick(struct smpp_state *state);
/* Nothing more will be written: what has not been goes back to the core. */
void smpp_queue_give_back(struct smpp_state *state, const char *code, const char *why);

/* ---- smpp_compose.c ---- */
/* NULL with a code and a phrase: it can never be sent. */
struct smpp_submit *smpp_compose(struct smpp_state *state, const struct outbound *message,
				 const char **ret_code, const char **ret_why);
void smpp_submit_free(struct smpp_submit *submit);

/* ---- smpp_receive.c ---- */
void smpp_deliver(struct smpp_session *session, const struct smpp_pdu *pdu);
void smpp_receive_tick(struct smpp_state *state);
/* The lease is lost: parts are another instance's now. */
void smpp_receive_stop(struct smpp_state *state);

/* ---- smpp_read.c ---- */
/* {"id":"...","total":2,"pdus":["<hex>",""]}: one deliver_sm, or the parts of a long text in their
 * order, "" where one is missing. */
int smpp_read(const struct channel *channel, const struct inbound *in, struct arena *arena,
	      struct parsed *ret, const char **ret_error);
/* Which part of a longer text this is; ret->total is 0 for a whole one. ret_skip: octets of a
 * header before the text. */
struct sms_part;
void smpp_part_of(const struct smpp_sm *sm, struct sms_part *ret, size_t *ret_skip);
