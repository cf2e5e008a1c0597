/* What the files of the email connector share; nothing here is for others. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "converge/connector.h"

enum email_alignment { EMAIL_ALIGNMENT_RELAXED, EMAIL_ALIGNMENT_STRICT };
enum email_after { EMAIL_AFTER_NOTHING, EMAIL_AFTER_SEEN, EMAIL_AFTER_MOVE };

struct email_imap_settings {
	char *url;
	char *user;
	char *password;
	char *folder;
	int64_t poll_ms;
	int64_t window_ms; /* how far back a new or re-created mailbox is read */
	int tls;
	int after;
	char *move_to;
	char *ca_file;
};

struct email_smtp_settings {
	char *url;
	char *user;
	char *password;
	int tls;
	char *ca_file;
};

struct email_oauth_settings {
	char *token_url;
	char *client_id;
	char *client_secret;
	char *refresh_token;
	char *scope;
};

struct email_settings {
	char *address;
	char *name;
	struct setting_texts aliases;
	char *authserv_id;
	int64_t received_above;
	int alignment;
	int64_t max_size;
	struct email_imap_settings imap;
	struct email_smtp_settings smtp;
	struct email_oauth_settings oauth;
};

/* ---- growable text ---- */
struct email_text {
	char *data;
	size_t len, room;
};
void email_text_add(struct email_text *text, const char *bytes, size_t len);
void email_text_put(struct email_text *text, const char *string);
void email_text_format(struct email_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void email_text_clear(struct email_text *text);

/* ---- addresses (email_address.c, pure) ---- */
bool email_address_ok(const char *address);
const char *email_domain(const char *address); /* after the last '@'; "" where there is none */
/* Is it ours: the address or an alias, with or without a plus part? */
bool email_is_ours(const struct email_settings *settings, const char *address);
/* What could be a reply token, copied to out (at least 41 bytes): the plus part of an address of
 * ours, or the front of a Message-ID of ours. */
bool email_token_of_address(const struct email_settings *settings, const char *address, char *out);
bool email_token_of_id(const struct email_settings *settings, const char *message_id, char *out);

/* Could it be the Message-ID of a letter of ours (email_sent_as)? */
bool email_id_is_ours(const struct email_settings *settings, const char *message_id);

/* ---- composing (email_compose.c, pure) ---- */
struct email_file {
	const char *name;
	const char *type;
	const char *bytes;
	size_t len;
};
struct email_letter {
	const struct email_settings *settings;
	const struct outbound *message;
	const char *message_id; /* with brackets */
	const char *boundary;   /* of this letter only */
	const char *const *cc;
	size_t cc_count;
	const struct email_file *files;
	size_t file_count;
};
void email_compose(const struct email_letter *letter, struct email_text *out);
/* One header field, folded; text becomes encoded words where it must. */
void email_put_text_field(struct email_text *out, const char *name, const char *value);
/* A file name as parameters of Content-Disposition, RFC 2231. */
void email_put_file_name(struct email_text *out, const char *name);
void email_put_base64(struct email_text *out, const char *bytes, size_t len); /* 76 a line */

/* ---- reading (email_parse.c, pure) ---- */
int email_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		struct parsed *ret, const char **ret_error);
char *email_mail_options(const struct channel *channel, const struct inbound *in,
			 struct arena *arena);

/* ---- IMAP answers (email_imap_lines.c, pure) ---- */
struct email_mailbox {
	uint32_t uidvalidity; /* 0: not told */
	uint32_t uidnext;     /* 0: not told */
};
struct email_listed {
	uint32_t uid;
	int64_t size; /* -1: not told */
	bool deleted;
};
void email_read_mailbox(const char *lines, size_t len, struct email_mailbox *ret);
/* UID FETCH answers with a UID above `above`, ascending; the count, at most room. */
size_t email_read_listed(const char *lines, size_t len, uint32_t above, struct email_listed *out,
			 size_t room);
/* UIDs of a SEARCH answer: the lowest one; 0 where there is none. */
uint32_t email_read_search(const char *lines, size_t len);
/* A folder name in UTF-8 to modified UTF-7 (RFC 3501), percent-encoded for the path if url. */
char *email_folder(struct arena *arena, const char *utf8, bool url);

/* ---- access tokens (email_oauth.c) ---- */
struct email_oauth {
	char *token; /* "" or NULL: none */
	int64_t expires_ms;
};
bool email_has_oauth(const struct email_settings *settings);

/* ---- the mailbox (email_imap.c) ---- */
enum { EMAIL_LISTED_MAX = 200 };

struct email_poll {
	struct host_imap *session;
	bool active; /* under the lease */
	bool busy;   /* one asynchronous call is under way */
	bool again;  /* start over when it lands */
	bool has_cursor;
	bool skip_id;     /* the server of this session does not know ID */
	bool may_connect; /* the next command is the first one: a new connection is fine */
	uint32_t uidvalidity, last_uid, uidnext;
	int restarts; /* connections lost within this poll */
	int64_t backoff_ms;
	struct email_listed listed[EMAIL_LISTED_MAX];
	size_t listed_count, listed_at;
	uint32_t listed_end;               /* the range that was listed ends here */
	uint32_t stored[EMAIL_LISTED_MAX]; /* durable, to be marked */
	size_t stored_count;
};

struct email_state {
	struct email_oauth receiving, sending;
	struct email_poll poll;
	struct arena *scratch; /* of one poll */
};

/* Ends in done(channel, NULL or a phrase), with a fresh token in *oauth; at once where there is
 * one already. */
void email_token_get(struct channel *channel, struct email_oauth *oauth,
		     void (*done)(struct channel *channel, const char *error, void *context),
		     void *context);
void email_token_forget(struct email_oauth *oauth);
void email_poll_tick(struct channel *channel, bool lost);
void email_poll_close(struct channel *channel);

/* ---- a try at the login (email_test.c) ---- */
void email_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
		void *context);

/* ---- the way out (email_send.c) ---- */
void email_send(struct channel *channel, const struct outbound *message, struct delivery *delivery);

/* The Message-ID of a letter, <token.message@domain>, within 78 characters where the domain leaves
 * room: the same on every attempt, so that a twin is dropped on the way; an answer that only keeps
 * References still finds its thread. */
const char *email_sent_as(const struct channel *channel, const struct outbound *message,
			  struct arena *arena);

/* The core, once a channel was opened. */
const struct host *email_host(void);
