/* What the files of struct host share: the channel and its running calls. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "channel.h"

struct lease;
struct loop_timer;
struct sockets;

/* A call of a connector that has not ended. Closing the channel ends each with
 * an error through end(); what the service below reports later is dropped. */
struct host_op {
	struct channel *channel; /* NULL once ended */
	struct host_op *next;
	struct host_op **link;
	void (*end)(struct host_op *op, const char *why); /* calls done; may free op */
};

struct channel {
	struct channels *owner;
	struct loop *loop; /* outlives the owner: the last drop may come after it */
	struct channel *next;
	struct arena *arena;
	char *workspace;
	char *name;
	const struct connector *connector;
	const void *settings;
	char *public_url;
	bool is_simulated;
	char *default_region;
	int64_t remember_ms; /* 0: the connector's */
	int64_t window_ms;   /* 0: the connector's */
	const struct sending_rules *sending;
	void *state;
	char *parked;
	struct loop_timer *retest; /* asks the provider of a parked channel */
	int64_t retest_ms;
	bool is_testing;
	struct loop_timer *listen; /* WAKES_POLL: looks whether another instance was told */
	int64_t told;              /* how often, when it was looked at last */
	struct loop_timer *wake;
	struct lease *lease;
	bool started;
	bool polling; /* the lease is held */
	bool closed;
	int refs; /* one while it is open, one for each channel_hold() */
	struct host_op *ops;
	int connections; /* host->socket_open, not closed */
};

struct channels {
	struct channels_options options;
	struct sockets *sockets;
	struct channel *first;
	struct loop_timer *drain; /* channels_drain() waits */
	void (*drained)(void *context);
	void *drained_context;
};

/* Something of the channel has ended: perhaps it was what channels_drain() waits for. */
void channel_settled(struct channel *channel);

void host_op_start(struct host_op *op, struct channel *channel,
		   void (*end)(struct host_op *op, const char *why));
/* Takes it off its channel; false if it had ended already. */
bool host_op_finish(struct host_op *op);
void host_ops_end(struct channel *channel, const char *why);

/* The services, one file each; the contract stands in include/converge/connector.h. */
void host_http(struct channel *channel, const struct host_http *call, host_http_done *done,
	       void *context);
void host_mail_send(struct channel *channel, const struct host_mail *call, host_mail_done *done,
		    void *context);
struct host_imap *host_imap_open(struct channel *channel, const struct host_account *account);
void host_imap_run(struct host_imap *session, const char *path, const char *command,
		   host_imap_done *done, void *context);
void host_imap_close(struct host_imap *session);
struct host_socket *host_socket_open(struct channel *channel, const struct host_socket_open *open);
bool host_socket_write(struct host_socket *socket, const void *bytes, size_t len);
void host_socket_close(struct host_socket *socket);
void host_receive(struct channel *channel, const struct inbound *in, host_received *done,
		  void *context);
void host_attachment(struct channel *channel, const struct attachment *wanted, host_attached *done,
		     void *context);
void host_cursor_get(struct channel *channel,
		     void (*done)(const char *value, const char *error, void *context),
		     void *context);
void host_cursor_put(struct channel *channel, const char *value,
		     void (*done)(const char *error, void *context), void *context);
struct json_object *host_xml_read(const char *bytes, size_t len, struct arena *arena,
				  const char **ret_error);
long host_form_read(const char *bytes, size_t len, struct arena *arena,
		    const struct host_pair **ret);
char *host_callback_url(const struct channel *channel, struct arena *arena);
char *host_url_escape(struct arena *arena, const char *text);
char *host_json_print(struct json_object *value, struct arena *arena);
/* Looks every second while the channel is polled here and its connector WAKES_POLL. */
void host_listen(struct channel *channel);
/* True where the host of this URL is a loopback name or address. */
bool host_url_is_loopback(const char *url);
