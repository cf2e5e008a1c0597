/* The parse worker: mail bytes to one document (docs/mail-document.md). The
 * functions here are pure and know no GMime; parse_mime.c alone walks the tree. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum {
	PARSE_RECEIVED_MAX = 50, /* more: a loop */
	PARSE_REFERENCES_MAX = 100,
	PARSE_RECIPIENTS_MAX = 100, /* of a delivery report */
	PARSE_SUSPICIONS = 5,
	PARSE_HTML_BYTES = 1024 * 1024,
};

/* ---- header fields, in order, values unfolded but not decoded ---- */
struct field {
	const char *name;
	const char *value;
	size_t len;
};
struct fields {
	struct field *items;
	size_t count;
	size_t end; /* where the body begins */
};

/* -1 with err where a limit is passed. */
int fields_scan(const char *raw, size_t len, struct arena *arena, struct fields *ret,
		struct error *err);
const char *fields_get(const struct fields *fields, const char *name); /* first; NULL */
size_t fields_count(const struct fields *fields, const char *name);

/* Encoded words, and raw bytes by guess, to clean UTF-8 on one line. */
char *header_decode(struct arena *arena, const char *value, size_t len, size_t max);
/* One parameter of Content-Type or Content-Disposition with RFC 2231 and the
 * encoded words that others put there; NULL where absent. */
char *header_parameter(struct arena *arena, const char *value, const char *name);
/* The part before ';', lower case, no space. */
char *header_token(struct arena *arena, const char *value);
/* Re:, 回复： and their kin taken off, as often as they stand there. */
const char *subject_base(const char *subject);
/* A file name without path, controls and direction marks; "" where nothing is left. */
char *file_name_clean(struct arena *arena, const char *name);

/* ---- charsets ---- */
int charset_open(struct error *err); /* every supported one, once, before the sandbox */
void charset_close(void);
/* Appends UTF-8; what is invalid becomes U+FFFD. An unknown or missing name is
 * guessed from the bytes, and false is returned. */
bool charset_decode(const char *name, const char *bytes, size_t len, struct buf *out);

/* ---- addresses ---- */
struct mail_address {
	const char *name; /* "" */
	const char *address;
};
struct mail_addresses {
	struct mail_address *items;
	size_t count;
};
/* Appends what the value holds, at most `room` of them; more are left out. */
void addresses_read(struct arena *arena, const char *value, size_t room,
		    struct mail_addresses *ret);
bool address_equal(const char *a, const char *b);

struct mail_texts {
	const char **items;
	size_t count;
};
/* "<a@b> <c@d>": with brackets, inner space removed. */
void message_ids_read(struct arena *arena, const char *value, struct mail_texts *ret);

/* ---- what the headers say about the mail ---- */
struct parse_options {
	const char *authserv_id;   /* NULL: no Authentication-Results counts */
	size_t received_above;     /* Received fields that our own hosts add above it */
	bool is_strict;            /* a signature must be of From's very domain */
	const char *envelope_from; /* NULL unknown; "" the null sender */
	struct mail_texts own;     /* our addresses */
};
struct mail_auth {
	const char *dkim; /* "pass", "fail" ...; NULL where not told */
	const char *spf;
	const char *dmarc;
	bool aligned;          /* a passing result vouches for the domain of From */
	const char *proved_by; /* "dmarc", "dkim"; NULL: From is only claimed */
	const char
		*suspicions[PARSE_SUSPICIONS]; /* why it may be spoofed (docs/mail-document.md) */
	size_t suspicion_count;
	/* how it was decided */
	bool is_signed;   /* DKIM of the domain of From passed */
	bool is_vouched;  /* DMARC passed */
	bool is_disowned; /* DMARC failed */
	bool is_forged;   /* somebody else wrote a result in our name that would have proved it */
};
void auth_read(const struct fields *fields, const struct parse_options *options,
	       const struct mail_addresses *from, struct arena *arena, struct mail_auth *ret);
/* Why no machine may answer; NULL where one may. */
const char *automatic_reason(const struct fields *fields, const struct parse_options *options,
			     const char *from, struct arena *arena);

/* ---- text ---- */
/* Length of the part of the text before the quoted mail and the signature; the
 * whole length where nothing would be left. */
size_t quote_cut(const char *text, size_t len);
/* format=flowed (RFC 3676) to paragraphs. */
void flowed_join(const char *text, size_t len, bool delete_space, struct buf *out);
/* HTML to text (html.c, the only gumbo file); *ret_cut is where a quoted mail
 * begins in what was appended, or its length. */
void html_to_text(const char *html, size_t len, struct buf *out, size_t *ret_cut);

/* ---- reports ---- */
struct mail_recipient {
	const char *address;
	const char *action;
	const char *status;
	const char *diagnostic;
};
struct mail_report {
	bool is_dsn;
	bool is_mdn;
	bool is_complaint;
	bool guessed;                    /* a bounce in no standard form */
	const char *original_message_id; /* NULL */
	const char *disposition;         /* of an MDN: "displayed"; of a complaint: "abuse" */
	struct mail_recipient *recipients;
	size_t recipient_count;
};
void report_read_status(struct arena *arena, const char *bytes, size_t len,
			struct mail_report *ret);
void report_read_disposition(struct arena *arena, const char *bytes, size_t len,
			     struct mail_report *ret);
void report_read_feedback(struct arena *arena, const char *bytes, size_t len,
			  struct mail_report *ret);
/* Message-ID: in the headers, or anywhere in the text, of the mail that came back. */
void report_find_original(struct arena *arena, const char *bytes, size_t len,
			  struct mail_report *ret);

/* ---- the document ---- */
struct mail_part {
	const char *name;
	const char *type;
	const char *content_id; /* NULL */
	bool is_inline;
	const char *bytes;
	size_t len;
};
struct mail {
	struct fields fields;
	const char *message_id; /* NULL */
	struct mail_texts in_reply_to;
	struct mail_texts references;
	struct mail_addresses from, to, cc, reply_to, delivered_to;
	const char *subject;
	int64_t date_ms; /* 0 unknown */
	const char *text;
	size_t text_cut;
	const char *html; /* NULL */
	bool truncated;
	bool charset_guessed;
	const char *automatic; /* reason, NULL */
	struct mail_auth auth;
	struct mail_report report;
	struct mail_part *parts;
	size_t part_count;
	char content_hash[65];
};

/* GMime and the charsets, once per process, before mail_read(). */
int mail_open(struct error *err);
void mail_close(void);

/* The walk. -1 with err: the mail cannot be read and is to be kept raw. */
int mail_read(const char *raw, size_t len, const struct parse_options *options, struct arena *arena,
	      struct mail *ret, struct error *err);
/* Appends u32 length of the JSON, u32 count of the attachments and u32 size of each, the JSON and a
 * NUL, then the attachments' bytes. */
void mail_write(const struct mail *mail, struct buf *out);
