/* Channels: configured instances of connectors, opened by the broker. This is
 * also where struct host (include/converge/connector.h) is served from; what
 * only the pipeline and the delivery can do is asked of struct channel_hooks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "converge/connector.h"
#include "converge/setting.h"

struct channels;
struct leases;
struct loop;
struct store;
struct transfers;
struct worker_pool;

/* What inbound.request points to, so that host->field() and host->query() work; NULL for
 * polled and socket bytes. */
struct request_view {
	const char *(*field)(void *context, const char *name);
	const char *(*query)(void *context, const char *name);
	void *context;
};

/* What send() is given and ends: whoever delivers embeds it first in a struct
 * of its own, sets channel, and gets it back in the hooks below. */
struct delivery {
	struct channel *channel;
};

/* What find_media() is given and answers (host->media_found, host->media_lost): whoever
 * fetches embeds it first in a struct of its own. */
struct media_search {
	void (*found)(struct media_search *search, const struct media_request *request);
	void (*lost)(struct media_search *search, bool gone, const char *why);
};

/* parsed.wake: poll() runs soon, here or where the lease is. */
void channel_wake(struct channel *channel);
/* host->attachment_url, for the core itself. */
char *channel_attachment_url(struct channel *channel, const struct attachment *attachment,
			     int64_t expires_s, struct arena *arena);

struct channel_hooks {
	/* host->receive: bytes of a poll or a socket into the pipeline. `in` is borrowed for the
	 * call. done exactly once, never before this returned. */
	void (*receive)(struct channel *channel, const struct inbound *in, host_received *done,
			void *done_context, void *context);
	/* host->sent and host->failed: the end of one send, exactly once. */
	void (*sent)(struct delivery *delivery, const char *provider_id, void *context);
	void (*failed)(struct delivery *delivery, enum send_failure failure, const char *code,
		       const char *why, int64_t retry_after_ms, void *context);
	/* host->attachment. */
	void (*attachment)(struct channel *channel, const struct attachment *attachment,
			   host_attached *done, void *done_context, void *context);
	/* host->attachment_url: path and query of a link; appended to out. */
	void (*link)(const char *blob, int64_t expires_s, struct buf *out, void *context);
	/* Is this the instance that sends for the workspace? (POLLS_WHERE_SENDS; asked where there
	 * are leases) */
	bool (*sends_here)(const char *workspace, void *context);
	/* The channel was parked (why) or works again (NULL). May be NULL. */
	void (*parked)(struct channel *channel, const char *why, void *context);
	void *context;
};

struct channels_options {
	struct loop *loop;
	struct store *store;   /* cursors; NULL in tests without one */
	struct leases *leases; /* for polled channels; NULL: poll as if always held */
	struct transfers *transfers;
	struct worker_pool
		*mail; /* its pool has `once` set; NULL: all mail goes through transfers */
	struct channel_hooks hooks;
};

/* What a channel's configuration says about writing to people, whatever its connector. */
enum opt_out_mode { OPT_OUT_AUTO, OPT_OUT_ON, OPT_OUT_OFF };

/* Texts may be NULL: none. */
struct sending_rules {
	int opt_out;                        /* enum opt_out_mode */
	struct setting_texts opt_out_words; /* beside the usual ones */
	struct setting_texts opt_in_words;
	struct setting_texts help_words;
	char *opt_out_reply; /* the one message that is still sent */
	char *opt_in_reply;
	char *help_reply;
	int64_t per_recipient_hour; /* messages to one address; 0: any number */
	int64_t per_recipient_day;
	char *automatic_hours; /* calendar in which machines write; NULL: always */
	char *segment_price;   /* "0.045 CNY"; NULL: not known */
};

struct channel_options {
	const char *workspace;
	const char *name;
	const struct connector *connector;
	const void *settings;       /* filled by the connector's rows; outlives the channel */
	const char *public_url;     /* NULL where not set */
	const char *default_region; /* two upper-case letters; NULL */
	int64_t remember_ms;        /* 0: the connector's */
	int64_t window_ms;          /* 0: the connector's */
	const struct sending_rules *sending; /* outlives the channel; NULL: none */
	bool is_simulated;                   /* its customers are a program's */
};

struct channels *channels_new(const struct channels_options *options);
void channels_free(struct channels **channels); /* closes all */

/* Opens one: 0, or -1 with err. The channel is idle until channels_start(). */
int channel_open(struct channels *channels, const struct channel_options *options,
		 struct error *err);
/* Safe inside a callback: the channel stays until whoever holds it has dropped it. */
void channel_close(struct channel *channel);
/* A message on its way through the channel: it may be closed meanwhile, but not freed. */
void channel_hold(struct channel *channel);
void channel_drop(struct channel *channel);
/* Asks for the leases of polled channels opened since the last call. */
void channels_start(struct channels *channels);
/* This instance sends for the workspace from now on, or no longer: so do its channels that are
 * POLLS_WHERE_SENDS. */
void channels_steward(struct channels *channels, const char *workspace, bool held);
/* Gives the leases back; polls stop (SIGTERM). */
void channels_stop(struct channels *channels);
/* Behind channels_stop(): done once nothing is under way in any channel (a send, a message, a
 * connection), or after grace_ms. Never before this returned. */
void channels_drain(struct channels *channels, int64_t grace_ms, void (*done)(void *context),
		    void *context);

struct channel *channel_find(struct channels *channels, const char *workspace, const char *name);
struct channel *channel_at(struct channels *channels, size_t index); /* NULL past the end */
/* The channel whose connector takes this LMTP recipient; NULL: 550. */
struct channel *channel_for_mail(struct channels *channels, const char *address);

const char *channel_name(const struct channel *channel);
const char *channel_workspace(const struct channel *channel);
const struct connector *channel_connector(const struct channel *channel);
const char *channel_public_url(const struct channel *channel);
bool channel_is_simulated(const struct channel *channel);
const char *channel_default_region(const struct channel *channel);
/* How long a message may be repeated (0: 8 days), how long we may answer one (0: always). */
int64_t channel_remember_ms(const struct channel *channel);
/* By the connector and its settings; a window of the channel's own goes before. */
void channel_window(const struct channel *channel, struct window_rules *ret);

/* What its configuration says about sending. Never NULL. */
const struct sending_rules *channel_sending(const struct channel *channel);
/* Are words such as STOP honoured? */
bool channel_hears_opt_out(const struct channel *channel);

/* Why it is parked; NULL while it works. Sends wait while parked. */
const char *channel_parked(const struct channel *channel);
void channel_park(struct channel *channel, const char *why);
void channel_unpark(struct channel *channel);

/* The one struct host of the process. */
extern const struct host host_services;
