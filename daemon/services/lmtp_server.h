/* An LMTP listener (RFC 2033): takes mail for the recipients that the owner
 * knows, and answers after the final dot once per recipient, only when the
 * owner says how it went. Bounded: mail size, recipients, connections, idle
 * time. Bare LF does not end anything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct lmtp_mail;
struct lmtp_server;
struct loop;

struct lmtp_options {
	const char *address;  /* host:port, [v6]:port, unix:/path */
	const char *hostname; /* in the greeting */
	int64_t mail_max;     /* bytes of one mail; advertised as SIZE */
	int recipients_max;   /* per mail; default 100 */
	int connections_max;  /* default 100 */
	int64_t idle_ms;      /* default 5 min */
};

/* Is this recipient ours? (RCPT TO; false answers 550 5.1.1.) */
typedef bool lmtp_takes_fn(const char *recipient, void *context);
/* One whole mail for one recipient; answer with lmtp_answer(), later and exactly once. The bytes
 * are valid until then. */
typedef void lmtp_mail_fn(struct lmtp_mail *mail, void *context);

struct lmtp_server *lmtp_server_new(struct loop *loop, const struct lmtp_options *options,
				    lmtp_takes_fn *takes, lmtp_mail_fn *on_mail, void *context,
				    struct error *err);
void lmtp_server_free(struct lmtp_server **server); /* open connections get 421 */
int lmtp_server_port(const struct lmtp_server *server);

const char *lmtp_mail_from(const struct lmtp_mail *mail); /* "" for <> */
const char *lmtp_mail_recipient(const struct lmtp_mail *mail);
const char *lmtp_mail_bytes(const struct lmtp_mail *mail, size_t *ret_len); /* dot-unstuffed */

enum lmtp_verdict {
	LMTP_STORED,    /* 250 2.0.0 */
	LMTP_TRY_AGAIN, /* 451 4.3.0 */
	LMTP_REFUSED,   /* 554 5.6.0 */
};
void lmtp_answer(struct lmtp_mail *mail, enum lmtp_verdict verdict, const char *phrase);
