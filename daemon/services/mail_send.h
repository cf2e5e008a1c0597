/* One mail through an SMTP server, sent by the mail worker (libesmtp blocks).
 * The pool is made with `once` set: a job whose worker died may have been sent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct worker_pool;

enum mail_tls {
	MAIL_TLS_REQUIRED,
	MAIL_TLS_NONE
}; /* of smtp://: STARTTLS or nothing; smtps:// is TLS from the start */

struct mail_send_options {
	const char *url; /* smtp://host:port, the port defaults to 587; smtps://host:port */
	enum mail_tls tls;
	const char *ca_file; /* NULL: the system's */
	const char *user;    /* NULL: no login. Refused without TLS, except to loopback */
	const char *password;
	const char *oauth_bearer; /* XOAUTH2 instead of a password; NULL */
	const char *hostname;     /* EHLO; NULL: the domain of from */
	const char *from;         /* envelope; "" for <> */
	const char *const *to;    /* envelope */
	size_t to_count;          /* 1-100 */
	const void *message;      /* with Date, Message-ID, From and To; every line ends in CRLF */
	size_t message_len;
	int64_t timeout_ms; /* of each answer of the server; 0: 60 s */
};

enum mail_verdict {
	MAIL_SENT,      /* taken for at least one recipient; see refused_count */
	MAIL_RETRY,     /* not sent; later it may work */
	MAIL_REAUTH,    /* not sent; the login was refused */
	MAIL_PERMANENT, /* not sent; it never will be */
	MAIL_UNKNOWN,   /* the server may have taken it: nobody knows */
};

struct mail_send_recipient {
	const char *address;
	int code; /* of RCPT; 0: none came */
	const char *text;
};

struct mail_send_answer {
	enum mail_verdict verdict;
	int code; /* SMTP code that decided; 0: none */
	const char *text;
	const struct mail_send_recipient *recipients; /* as given */
	size_t recipient_count;
	size_t refused_count; /* with MAIL_SENT: recipients that did not get it */
};

/* Exactly once and never before the return; valid inside the call only. */
typedef void mail_send_done(const struct mail_send_answer *answer, void *context);

/* One session per account at a time. -1 with err when nothing was started: the
 * queue is full (ERROR_TEMPORARY) or what was given can never be sent
 * (ERROR_MISUSE: a bare CR or LF, a control character in an address ...). */
int mail_send(struct worker_pool *pool, const struct mail_send_options *options,
	      mail_send_done *done, void *context, struct error *err);
