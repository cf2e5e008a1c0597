/* What the files of transfer.c share: the only header that includes libcurl, for them alone. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "services/transfer.h"

struct loop_timer;

enum { ENGINE_SOCKETS = 8 }; /* more than happy eyeballs opens for one connection */

/* One connection pool: the shared one, or the single connection of a session. */
struct engine {
	struct transfers *owner;
	CURLM *multi;
	struct loop_timer *timer;
	struct transfer *first;
	struct engine *next_mail, **mail_link; /* an engine of one mail, freed with it */
	bool has_one;                          /* connection: its sockets are known */
	curl_socket_t sockets[ENGINE_SOCKETS];
	size_t socket_count;
};

struct transfers {
	struct loop *loop;
	struct engine shared;
	struct engine *mails;
};

struct transfer_session {
	struct engine engine;
};

struct transfer {
	struct engine *engine;
	struct transfer *next;
	struct transfer **link;
	CURL *easy;
	struct curl_slist *fields;
	struct curl_slist *mail_to;
	char *body;
	size_t body_len;
	size_t handed; /* bytes of the body given to curl */
	struct buf headers;
	struct buf answer;
	size_t answer_max;
	char error_text[CURL_ERROR_SIZE];
	char refusal[256]; /* what the server said; curl forgets it while closing */
	struct error error;
	enum transfer_progress progress;
	bool is_mailbox;   /* imap: curl repeats every line as a header */
	bool is_command;   /* imap: the lines of a custom command come as body */
	bool is_mail;      /* smtp */
	bool is_unstarted; /* end_unstarted() is on its way and frees it */
	bool allow_private;
	bool was_private; /* refused at connect */
	bool was_too_big;
	transfer_done_fn *done; /* NULL once cancelled or called */
	void *context;
};

/* ---- transfer_engine.c: curl on the loop ---- */
void engine_init(struct engine *engine, struct transfers *owner, long connections);
/* With a connection of its own; engine_release() frees it. */
struct engine *engine_new_for_mail(struct transfers *transfers);
/* Frees an engine of one mail, later; nothing on others. */
void engine_release(struct engine *engine);
/* Ends what is under way with ERROR_TEMPORARY. */
void engine_stop(struct engine *engine);
void engine_clear(struct engine *engine); /* stops first */
/* Shuts the sockets down. curl says QUIT or LOGOUT when it closes a mail connection, and then
 * blocks for the answer; without its socket nothing is said. */
void engine_hang_up(struct engine *engine);

/* ---- transfer_setup.c: options to curl's handle ---- */
/* -1 with transfer->error. */
int transfer_set_up(struct transfer *transfer, const struct transfer_options *options);

/* ---- transfer.c ---- */
/* curl is done with it: tells who waits, and frees it later. */
void transfer_end(struct transfer *transfer, CURLcode result);
