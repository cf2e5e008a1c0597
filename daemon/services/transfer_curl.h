/* What the files of transfer.c share: the only header that includes libcurl, for them alone. */
#pragma once

#define CURL_DISABLE_TYPECHECK /* its macros would call the library by name */
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
	CURLM *multi; /* NULL until the first transfer */
	long connections;
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
	bool is_web;
	bool was_private; /* refused at connect */
	bool was_odd_port;
	bool was_too_big;
	transfer_done_fn *done; /* NULL once cancelled or called */
	void *context;
};

/* ---- transfer_library.c ---- */
/* libcurl brings 4 MB of libraries with it, so it is loaded when the first transfer needs it; the
 * calls below go through this table. Without the library the process ends, and says so. */
#define LIBRARY_CALLS(X)                                                                           \
	X(curl_easy_cleanup)                                                                       \
	X(curl_easy_getinfo)                                                                       \
	X(curl_easy_init)                                                                          \
	X(curl_easy_setopt)                                                                        \
	X(curl_easy_strerror)                                                                      \
	X(curl_free)                                                                               \
	X(curl_global_init)                                                                        \
	X(curl_multi_add_handle)                                                                   \
	X(curl_multi_assign)                                                                       \
	X(curl_multi_cleanup)                                                                      \
	X(curl_multi_info_read)                                                                    \
	X(curl_multi_init)                                                                         \
	X(curl_multi_remove_handle)                                                                \
	X(curl_multi_setopt)                                                                       \
	X(curl_multi_socket_action)                                                                \
	X(curl_slist_append)                                                                       \
	X(curl_slist_free_all)                                                                     \
	X(curl_url)                                                                                \
	X(curl_url_cleanup)                                                                        \
	X(curl_url_get)                                                                            \
	X(curl_url_set)                                                                            \
	X(curl_version_info)
struct curl_library {
#define MEMBER_OF(name) __typeof__(&(name)) name;
	LIBRARY_CALLS(MEMBER_OF)
#undef MEMBER_OF
};
const struct curl_library *transfer_library(void);

/* clang-format off */
#undef curl_easy_cleanup
#define curl_easy_cleanup (transfer_library()->curl_easy_cleanup)
#undef curl_easy_getinfo
#define curl_easy_getinfo (transfer_library()->curl_easy_getinfo)
#undef curl_easy_init
#define curl_easy_init (transfer_library()->curl_easy_init)
#undef curl_easy_setopt
#define curl_easy_setopt (transfer_library()->curl_easy_setopt)
#undef curl_easy_strerror
#define curl_easy_strerror (transfer_library()->curl_easy_strerror)
#undef curl_free
#define curl_free (transfer_library()->curl_free)
#undef curl_multi_add_handle
#define curl_multi_add_handle (transfer_library()->curl_multi_add_handle)
#undef curl_multi_assign
#define curl_multi_assign (transfer_library()->curl_multi_assign)
#undef curl_multi_cleanup
#define curl_multi_cleanup (transfer_library()->curl_multi_cleanup)
#undef curl_multi_info_read
#define curl_multi_info_read (transfer_library()->curl_multi_info_read)
#undef curl_multi_init
#define curl_multi_init (transfer_library()->curl_multi_init)
#undef curl_multi_remove_handle
#define curl_multi_remove_handle (transfer_library()->curl_multi_remove_handle)
#undef curl_multi_setopt
#define curl_multi_setopt (transfer_library()->curl_multi_setopt)
#undef curl_multi_socket_action
#define curl_multi_socket_action (transfer_library()->curl_multi_socket_action)
#undef curl_slist_append
#define curl_slist_append (transfer_library()->curl_slist_append)
#undef curl_slist_free_all
#define curl_slist_free_all (transfer_library()->curl_slist_free_all)
#undef curl_url
#define curl_url (transfer_library()->curl_url)
#undef curl_url_cleanup
#define curl_url_cleanup (transfer_library()->curl_url_cleanup)
#undef curl_url_get
#define curl_url_get (transfer_library()->curl_url_get)
#undef curl_url_set
#define curl_url_set (transfer_library()->curl_url_set)
#undef curl_version_info
#define curl_version_info (transfer_library()->curl_version_info)
/* clang-format on */

/* ---- transfer_engine.c: curl on the loop ---- */
void engine_init(struct engine *engine, struct transfers *owner, long connections);
CURLM *engine_multi(struct engine *engine); /* made where there is none yet */
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
