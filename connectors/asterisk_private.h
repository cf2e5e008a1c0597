/* What the files of the asterisk connector share. */
#pragma once

#include "asterisk_ami.h"
#include "converge/connector.h"

enum { ASTERISK_ID_MAX = 64, ASTERISK_CALLS_MAX = 500 };

enum asterisk_auth { ASTERISK_MD5, ASTERISK_PLAIN };
enum asterisk_agent { ASTERISK_INTERFACE, ASTERISK_MEMBER };

struct asterisk_settings {
	char *host;
	int64_t port;
	bool tls;
	char *ca_file;
	char *username;
	char *secret;
	int auth;
	int agent;
	struct setting_texts queues;
	bool trust_caller;
};

/* ---- calls that are not over (asterisk_calls.c) ---- */

struct asterisk_call {
	char id[ASTERISK_ID_MAX];      /* Linkedid */
	char channel[ASTERISK_ID_MAX]; /* Uniqueid of the caller's */
	bool is_answered;
	bool is_seen; /* in the list of channels after a reconnect */
	bool waits;   /* and in a queue's */
	char bridge[ASTERISK_ID_MAX];
	char agent[2 * ASTERISK_ID_MAX]; /* whose device is in the same bridge; "" */
};

/* Kept as the channel's cursor, so that an end that nobody heard is noticed. */
struct asterisk_calls {
	struct asterisk_call *list; /* of ASTERISK_CALLS_MAX */
	size_t count;
};

/* By the caller's channel; NULL. */
struct asterisk_call *asterisk_call_find(struct asterisk_calls *calls, struct ami_text channel);
/* By the id of the call; NULL. */
struct asterisk_call *asterisk_call_of(struct asterisk_calls *calls, struct ami_text id);
/* The one that is there or a new one; NULL: there are too many, or the ids are no ids. */
struct asterisk_call *asterisk_call_add(struct asterisk_calls *calls, struct ami_text id,
					struct ami_text channel);
void asterisk_call_drop(struct asterisk_calls *calls, struct asterisk_call *call);
/* As the cursor's text, and back. */
const char *asterisk_calls_text(const struct host *host, const struct asterisk_calls *calls,
				struct arena *arena);
void asterisk_calls_read(struct asterisk_calls *calls, const char *text);

/* ---- events (asterisk_event.c) ---- */

/* The names of what we add to a block before it is received. */
#define ASTERISK_TIME "Converge-Time" /* unix ms when it came */
#define ASTERISK_CALL "Converge-Call" /* the id of the call */

const struct host *asterisk_host(void);
int asterisk_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		   struct parsed *ret, const char **ret_error);

/* ---- the connection (asterisk_session.c) ---- */

struct asterisk_event;
enum asterisk_stage {
	ASTERISK_AWAY,
	ASTERISK_BANNER,
	ASTERISK_CHALLENGED,
	ASTERISK_LOGIN,
	ASTERISK_CHANNELS, /* the list of channels is on its way */
	ASTERISK_QUEUES,   /* and that of callers who wait */
	ASTERISK_LIVE,
};

struct asterisk_state {
	struct host_socket *socket;
	enum asterisk_stage stage;
	bool is_mine;
	bool knows_calls; /* the cursor was read */
	bool is_reading;  /* it is on its way */
	struct asterisk_calls calls;
	struct asterisk_event *first, **last; /* to be received */
	size_t waiting_bytes;
	struct asterisk_event *current; /* on its way; stays where the lease is lost */
	struct {
		char channel[ASTERISK_ID_MAX];
		char id[ASTERISK_ID_MAX];
		char bridge[ASTERISK_ID_MAX];
		char device[2 * ASTERISK_ID_MAX];
	} * channels; /* of the list while it comes */
	size_t channel_count;
	int64_t connect_ms; /* not before */
	int64_t backoff_ms;
	int64_t heard_ms;
	int64_t pinged_ms;
	int64_t retry_ms; /* the first event is tried again then; 0: at once */
	void (*tried)(bool ok, const char *phrase, void *context);
	void *trial;
};

void asterisk_poll(struct channel *channel, bool lost);
void asterisk_forget(struct asterisk_state *state);
void asterisk_test(struct channel *channel,
		   void (*done)(bool ok, const char *phrase, void *context), void *context);
