/* Outgoing transfers over libcurl's multi interface (transfer.c is the only
 * curl file): HTTP for connectors, webhooks and media, IMAP for mailboxes,
 * SMTP for accounts with XOAUTH2. SMTP only in a worker (workers/mail_transfer.h):
 * libcurl blocks there until the server has answered. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct loop;
struct transfers;
struct transfer;
struct transfer_session; /* keeps one connection and its login for several transfers in turn */

/* How far it got: decides between retry and uncertain. */
enum transfer_progress {
	TRANSFER_NOT_CONNECTED,
	TRANSFER_CONNECTED,
	TRANSFER_SENT,
	TRANSFER_ANSWERED
};

struct transfer_field {
	const char *name;
	const char *value;
};

struct transfer_options {
	const char *url;
	const char *method; /* HTTP method, or an IMAP command for CUSTOMREQUEST; NULL: by url */
	const struct transfer_field *fields;
	size_t field_count;
	const void *body; /* copied */
	size_t body_len;
	const char *user;
	const char *password;
	const char *oauth_bearer; /* XOAUTH2 token */
	const char *s3_region;    /* user and password are keys that sign the request for S3 (AWS
				   * SigV4); a field x-amz-content-sha256 says the body's hash */
	const char *mail_from;    /* SMTP envelope */
	const char *const *mail_to;
	size_t mail_to_count;
	bool require_tls;   /* STARTTLS or implicit TLS, or fail; http:// is refused */
	bool no_tls;        /* plain text even where the server offers STARTTLS */
	bool allow_private; /* loopback, private and link-local addresses may be connected to */
	const char *ca_file;
	int64_t timeout_ms; /* whole transfer; default 20 s */
	int64_t connect_ms; /* default 10 s */
	bool has_effect;    /* a GET that does something: like every other method it is never
			     * repeated over another connection when a kept one turns out dead */
	int redirects;      /* of HTTP that are followed, each hop judged like the first; 0: none */
	size_t answer_max;  /* bytes kept of the answer; more is an error */
};

struct transfer_answer {
	const struct error *error; /* NULL: an answer came */
	enum transfer_progress progress;
	long status;      /* HTTP status or SMTP reply code; 0 without one */
	const char *body; /* NUL-terminated as well */
	size_t body_len;
	const char *headers; /* raw lines: HTTP headers, or IMAP untagged lines */
	size_t headers_len;
	int64_t retry_after_ms; /* from Retry-After in seconds or as a date; -1: none */
	bool auth_refused;      /* with error: the login was refused */
	bool new_connection;    /* the session had to connect (IMAP: start the poll again) */
};

/* Called exactly once, never before transfer_start() has returned; the answer
 * is valid inside the call only. */
typedef void transfer_done_fn(const struct transfer_answer *answer, void *context);

struct transfers *transfers_new(struct loop *loop);
void transfers_free(struct transfers **transfers); /* running ones end with an error first */

struct transfer *transfer_start(struct transfers *transfers, const struct transfer_options *options,
				struct transfer_session *session /* or NULL */,
				transfer_done_fn *done, void *context);
void transfer_cancel(struct transfer **transfer); /* done will not be called */

/* How an IMAP answer is taken apart: a custom command's answer lines are in
 * headers ("* ..." lines only), the literal of a fetch is the body. */
struct transfer_session *transfer_session_new(struct transfers *transfers);
void transfer_session_free(struct transfer_session **session);

/* First value of a header in answer->headers, copied to out; false if absent. */
bool transfer_header(const struct transfer_answer *answer, const char *name, char *out,
		     size_t room);
/* Is this numeric address loopback, private, link-local, multicast, documentation
 * or a v4-mapped form of those? Judged at connect, on every hop. */
bool transfer_is_private_address(const char *numeric);

const char *transfer_version(void); /* of the library that runs */
