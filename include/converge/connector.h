/* The contract between the core and a connector: all that a connector's author
 * reads. One connector is one .c file whose only public symbol is a
 * `const struct connector <name>_connector`; it is listed in
 * connectors/registry.c, or built as a shared object of its own and named by
 * `connector_path`. A plug-in links no symbol of the daemon: everything it may
 * ask of the core is in struct host.
 *
 * All slots run on the event loop and must not block. `parse` is pure: same
 * bytes, same answer, no I/O, so that it can be fuzzed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "converge/message.h"
#include "converge/setting.h"

enum { CONNECTOR_ABI = 1 };

struct arena;
struct channel;
struct delivery;
struct json_object;

/* ---- visitors: people in front of a page of ours (HAS_VISITORS) ----
 * The core owns sessions, their tokens, the live stream and the endpoints. It
 * asks visitor_rules() for what a page may do, visitor_session() once when a
 * session starts, keeps the struct visitor with the session, and hands it to
 * parse() as inbound.visitor with every message of that session. A message
 * that came over a session is already verified: verify() is not called. */
struct visitor {
	const char *id;    /* stable: the proved subject, or the core's own: vis_ and a ULID */
	const char *name;  /* "" where unknown */
	const char *email; /* NULL */
	const char *phone; /* NULL */
	enum proof
		proof; /* PROOF_PERSON with a signed identity, else PROOF_CHANNEL (the session) */
};
struct visitor_rules {
	const char *const *origins; /* CORS; "*" is any; none: our own origin only */
	size_t origin_count;
	const char *greeting; /* NULL */
	const char *closed;   /* shown outside the hours of service; NULL while open */
	int64_t opens_s;      /* when closed ends (unix); 0: while open, or not known */
	const char *calendar; /* of the business configuration: closed is shown only while it is
			       * closed too; NULL: none */
	const char *offline_channel;      /* takes what is left while closed; NULL or "": none */
	bool has_demo_page;               /* a page of the daemon's own shows the chat */
	const char *const *code_channels; /* that send one-time codes; none: whichever can */
	size_t code_channel_count;
};

/* ---- what the core tells a connector about one request ---- */
struct inbound {
	const char *method;     /* "GET", "POST"; "" for polled and socket bytes */
	const char *target;     /* path and query exactly as received */
	const char *public_url; /* the base the provider sees; NULL where not set */
	const char *body;       /* raw bytes; for BODY_MIME connectors see body_format */
	size_t body_len;
	const char *envelope_from; /* LMTP MAIL FROM; NULL elsewhere, "" for <> */
	const char *envelope_to;   /* LMTP RCPT TO; NULL elsewhere */
	int64_t now_s;             /* unix seconds, for timestamp tolerance */
	const char *id; /* made by the core, of this inbound only; for payloads without one */
	void *request;  /* for host->field() and host->query() */
	const struct visitor
		*visitor; /* HAS_VISITORS: whom the session token stands for; else NULL */
	const struct inbound_part *parts; /* BODY_MIME: the decoded parts the document refers to */
	size_t part_count;
	int64_t whole_size; /* body is only the headers of a mail of so many bytes; 0: it is all */
	const char *source; /* address of who asks, behind trusted proxies; NULL for polled bytes */
};

/* Bytes beside the document of a BODY_MIME inbound, in the order of its
 * attachments. They live as long as the inbound. */
struct inbound_part {
	const void *bytes;
	size_t len;
};

enum verdict {
	VERIFIED,
	FORGED,    /* missing, wrong or stale proof: 401 */
	HANDSHAKE, /* verified, and answered at once with parsed.answer_*; parse() is not called */
	IGNORED,   /* nothing for us (a provider's ping): 200 */
};

/* ---- what the core hands to send() ---- */
struct outbound {
	const char *id;           /* msg_..., of a further part of it msg_...-2; the same on
				   * every attempt */
	const char *conversation; /* cnv_... */
	enum message_kind kind;
	const char *text;
	const char *html; /* NULL */
	const char *to;   /* the identifier's value */
	const char *to_name;
	const char *subject;     /* of the conversation; NULL */
	const char *thread;      /* the channel's thread key */
	const char *reply_token; /* signed, [a-z0-9], at most 40; proves that an answer belongs
				  * here; NULL: no answer does */
	const char *in_reply_to; /* provider id of the newest inbound message; NULL */
	const char *const *references; /* provider ids of the thread, oldest first; of what we
					* wrote ourselves our own id (msg_...) */
	size_t reference_count;
	const struct attachment *attachments;
	size_t attachment_count;
	const char *extra;         /* small JSON: cc, bcc, template ...; NULL */
	int64_t created_ms;        /* the same on every attempt */
	int attempt;               /* 1, 2, ... */
	bool automatic;            /* written by a machine */
	const char *reply_context; /* of the newest inbound message that had one; NULL */
	int64_t last_inbound_ms;   /* when the customer wrote last; 0: never */
};

/* ---- the reply window ----
 * Opened by every inbound message (unless it says otherwise: struct message). The core counts
 * what was sent in it and answers "may we send now?" for people, bots and automation alike. */
enum window_after {
	AFTER_NOTHING,  /* closed: 409, and SEND_WINDOW for what waited too long */
	AFTER_TEMPLATE, /* an approved template (extra.template) may still be sent */
	AFTER_FREE,     /* the connector has another way to send; nothing is refused */
};
struct window_rules {
	int64_t open_ms; /* 0: always open */
	int64_t count;   /* messages in one window; 0: any number */
	enum window_after after;
	bool template_only; /* free text is never possible (SMS templates) */
};

/* What a text will cost before it is sent (SMS). */
struct text_estimate {
	int segments;
	const char *encoding; /* "GSM-7", "UCS-2" ...; static */
	size_t characters;    /* as that encoding counts */
	size_t left;          /* in the last segment */
};

enum send_failure {
	SEND_RETRY,     /* network, 5xx, throttled */
	SEND_REAUTH,    /* the token is bad: refreshed once, then the channel is parked */
	SEND_WINDOW,    /* the reply window is closed */
	SEND_PERMANENT, /* bad recipient, content refused */
	SEND_UNKNOWN,   /* it may have been sent: uncertain unless sends are idempotent */
};

/* ---- HTTP as a connector sees it ---- */
struct host_http {
	const char *method;
	const char *url;
	const char *const *fields; /* name, value, name, value ..., NULL */
	const void *body;
	size_t body_len;
	int64_t timeout_ms; /* 0: 20 s */
	bool allow_private; /* loopback and private addresses, and http://, are allowed */
	size_t answer_max;  /* 0: 1 MiB; more is an error */
	bool has_effect;    /* a GET that sends: it is never repeated by itself. Other methods never
			     * are */
};
struct host_answer {
	const char *error;   /* NULL: an HTTP answer came */
	bool maybe_received; /* with error: the peer may have taken the whole request */
	long status;
	const char *body;
	size_t body_len;
	int64_t retry_after_ms; /* -1: none */
};
typedef void host_http_done(const struct host_answer *answer, void *context);

/* How an attachment that the provider keeps is fetched (struct connector, media). */
struct media_request {
	const char *url;           /* set: the attachment's */
	const char *const *fields; /* name, value, name, value ..., NULL; NULL: none */
	bool allow_private;        /* loopback and private addresses, and http://, are allowed */
};

/* ---- mail as a connector sees it ---- */
enum host_tls { HOST_TLS_DEFAULT, HOST_TLS_NONE, HOST_TLS_STARTTLS, HOST_TLS_IMPLICIT };

/* Where and as whom: smtp(s):// or imap(s)://. HOST_TLS_DEFAULT follows the
 * URL: the s is implicit TLS, else STARTTLS is required unless the address is
 * loopback. */
struct host_account {
	const char *url;
	const char *user;         /* NULL: no login */
	const char *password;     /* NULL with oauth_bearer */
	const char *oauth_bearer; /* an access token for XOAUTH2; NULL */
	enum host_tls tls;
	const char *ca_file; /* NULL: the system's */
};

struct host_mail {
	const struct host_account *account;
	const char *from;      /* envelope sender; "" for <> */
	const char *const *to; /* envelope recipients */
	size_t to_count;
	const char *message; /* headers and body, CRLF lines */
	size_t message_len;
};
struct host_mail_answer {
	const char *error; /* NULL: accepted for every recipient */
	enum send_failure failure;
	int code; /* SMTP code; 0 none */
};
typedef void host_mail_done(const struct host_mail_answer *answer, void *context);

/* IMAP: one login, commands in turn. */
struct host_imap_answer {
	const char *error;    /* NULL: tagged OK */
	bool auth;            /* with error: the login was refused */
	bool new_connection;  /* the session had to connect again */
	const char *untagged; /* "* ..." lines of the answer */
	size_t untagged_len;
	const char *body; /* the literal of a message fetch */
	size_t body_len;
};
typedef void host_imap_done(const struct host_imap_answer *answer, void *context);
struct host_imap; /* a session */

/* ---- a signed identity (JWT) ---- */
struct host_jwt {
	const char *token;
	const void *secret; /* HS256 is accepted with one; NULL */
	size_t secret_len;
	const unsigned char *public_key; /* 32 bytes: EdDSA is accepted with one; NULL */
	const char *audience;            /* must be in aud */
	const char *issuer;              /* must equal iss; NULL: not asked */
	int64_t now_s;
};
struct host_jwt_claims {
	const char *subject; /* never NULL or "" */
	const char *name;    /* NULL where absent, like the others */
	const char *email;   /* NULL too where email_verified is false; so phone */
	const char *phone;
	int64_t expires_s;
};

enum host_json_kind {
	HOST_JSON_ABSENT, /* or null */
	HOST_JSON_BOOL,
	HOST_JSON_NUMBER,
	HOST_JSON_TEXT,
	HOST_JSON_ARRAY,
	HOST_JSON_OBJECT,
};

/* Polled or socket bytes went through the pipeline: durable is true once the
 * message (or the fact that it is a duplicate, or unreadable and kept raw) is
 * stored; only then may the source be told. */
typedef void host_received(bool durable, const char *error, void *context);

/* The answer to find_media(): exactly one of host->media_found() and host->media_lost(), once. */
struct media_search;

/* ---- a name and its value (forms, queries) ---- */
struct host_pair {
	const char *name;
	const char *value;
};

/* ---- a socket as a connector sees it (SMPP, AMI) ---- */
struct host_socket;
struct host_socket_open {
	const char *host;
	int port;
	bool tls;            /* the peer's certificate and name are checked */
	const char *ca_file; /* NULL: the system's */
	int64_t timeout_ms;  /* of connecting; 0: 20 s */
	size_t input_max;    /* unread bytes kept before reading stops; 0: 256 KiB */
	void (*connected)(struct host_socket *socket, void *context);
	/* Bytes have come: returns how many were taken; the rest is shown again with the next. */
	size_t (*received)(struct host_socket *socket, const void *bytes, size_t len,
			   void *context);
	/* Once; the socket is gone after it. Not called after socket_close(). The next one is
	 * opened later, by host->wake(). */
	void (*ended)(const char *why, void *context);
	void *context;
};

typedef void host_attached(const void *bytes, size_t len, const char *error, bool gone,
			   void *context);

/* The services of the core. `size` is sizeof(struct host) of the running
 * daemon; functions are only ever appended. */
struct host {
	size_t size;

	/* Memory. An arena's bytes live as long as what it belongs to. */
	void *(*alloc)(struct arena *arena, size_t size);
	char *(*text)(struct arena *arena, const char *text);
	char *(*copy)(struct arena *arena, const void *bytes, size_t len);
	char *(*format)(struct arena *arena, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

	/* Of the request being verified or parsed; NULL where absent. */
	const char *(*field)(const struct inbound *in, const char *name);
	const char *(*query)(const struct inbound *in, const char *name);

	/* Strict JSON; free with json_free. Look-ups by dotted path. */
	struct json_object *(*json_read)(const char *bytes, size_t len, struct arena *arena,
					 const char **ret_error);
	void (*json_free)(struct json_object *value);
	const char *(*json_text)(struct json_object *value, const char *path);
	int64_t (*json_int)(struct json_object *value, const char *path, int64_t fallback);
	struct json_object *(*json_at)(struct json_object *value, const char *path);
	size_t (*json_count)(struct json_object *array);
	struct json_object *(*json_item)(struct json_object *array, size_t index);
	/* A JSON string literal with quotes, in the arena. */
	char *(*json_quote)(struct arena *arena, const char *text);

	/* Crypto. */
	void (*hmac_sha256)(const void *key, size_t key_len, const void *bytes, size_t len,
			    unsigned char out[32]);
	void (*hmac_sha1)(const void *key, size_t key_len, const void *bytes, size_t len,
			  unsigned char out[20]);
	void (*sha256)(const void *bytes, size_t len, unsigned char out[32]);
	bool (*equal)(const void *a, size_t a_len, const void *b, size_t b_len);
	long (*unbase64)(const char *text, size_t len, void *out, size_t room);
	char *(*base64)(struct arena *arena, const void *bytes, size_t len);
	char *(*hex)(struct arena *arena, const void *bytes, size_t len);

	/* The channel. */
	const char *(*channel_name)(const struct channel *channel);
	void *(*channel_state)(
		const struct channel *channel); /* state_size bytes, zeroed at open */
	const void *(*channel_settings)(const struct channel *channel); /* filled by the rows */
	struct arena *(*channel_arena)(struct channel *channel);        /* lives until close */

	/* Log: key=value pairs, no bodies, no secrets. level: 0 error, 1 warn, 2 info, 3 debug. */
	void (*log)(const struct channel *channel, int level, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

	/* Asynchronous services: done is called exactly once, never before the call returned. */
	void (*http)(struct channel *channel, const struct host_http *call, host_http_done *done,
		     void *context);
	void (*mail_send)(struct channel *channel, const struct host_mail *mail,
			  host_mail_done *done, void *context);
	/* The account is copied. One session is one connection; commands run in turn. */
	struct host_imap *(*imap_open)(struct channel *channel, const struct host_account *account);
	void (*imap_run)(struct host_imap *session,
			 const char *path /* "" or "INBOX" or "INBOX/;UID=7" */,
			 const char *command /* NULL: fetch the path */, host_imap_done *done,
			 void *context);
	void (*imap_close)(struct host_imap *session);

	/* Polled or socket bytes into the pipeline (the message's own life begins). */
	void (*receive)(struct channel *channel, const struct inbound *in, host_received *done,
			void *context);

	/* A small durable cursor of this channel under its lease ("uidvalidity:uid"). */
	void (*cursor_get)(struct channel *channel,
			   void (*done)(const char *value, const char *error, void *context),
			   void *context);
	void (*cursor_put)(struct channel *channel, const char *value,
			   void (*done)(const char *error, void *context), void *context);

	/* The end of one send: exactly one of these, once. */
	void (*sent)(struct delivery *delivery, const char *provider_id /* or NULL */);
	void (*failed)(struct delivery *delivery, enum send_failure failure, const char *code,
		       const char *why, int64_t retry_after_ms /* -1: the core's schedule */);

	/* An attachment's bytes (from the blob store). gone, with error: asking again will not
	 * help. */
	void (*attachment)(struct channel *channel, const struct attachment *attachment,
			   host_attached *done, void *context);

	/* Calls tick(channel) once after delay_ms, on the loop; a later call moves it. */
	void (*wake)(struct channel *channel, int64_t delay_ms);

	/* Stops the channel's sends and shows why to people (410, login refused for good) until a
	 * reload or a person unparks it; unpark says that it works again. Both may be repeated. */
	void (*park)(struct channel *channel, const char *why);
	void (*unpark)(struct channel *channel);

	/* What stands at a path, its truth value, and RFC 3339 both ways (-1: unreadable). */
	enum host_json_kind (*json_kind)(struct json_object *value, const char *path);
	bool (*json_bool)(struct json_object *value, const char *path, bool fallback);
	int64_t (*parse_time)(const char *text);
	char *(*format_time)(struct arena *arena, int64_t unix_ms);

	/* Checks a compact JWT: signature, exp (mandatory, at most 1 h ahead), nbf, aud, iss. */
	bool (*jwt)(const struct host_jwt *check, struct arena *arena, struct host_jwt_claims *ret,
		    const char **ret_error);
	int64_t (*unix_ms)(void);

	/* Scratch of the connector's own, for one send or one poll. */
	struct arena *(*arena_new)(void);
	void (*arena_free)(struct arena *arena);

	/* A link by which anybody can fetch a stored attachment until then: under public_url, or
	 * only path and query where none is set. NULL where its bytes are not stored. */
	char *(*attachment_url)(struct channel *channel, const struct attachment *attachment,
				int64_t expires_s, struct arena *arena);

	void (*sha1)(const void *bytes, size_t len, unsigned char out[20]);
	/* AES-256-CBC without padding: len is a multiple of 16, out has room for it. False: it is
	 * not. */
	bool (*aes256_cbc_decrypt)(const unsigned char key[32], const unsigned char iv[16],
				   const void *bytes, size_t len, void *out);
	bool (*aes256_cbc_encrypt)(const unsigned char key[32], const unsigned char iv[16],
				   const void *bytes, size_t len, void *out);
	void (*random)(void *out, size_t len);

	/* Strict XML as a JSON tree, for the look-ups above: the root element's children by name, a
	 * text where an element has no children, an array where a name repeats; attributes,
	 * comments and space between elements are dropped. A DTD or an entity of its own is an
	 * error, so is more than 64 KiB or 16 levels. NULL with a phrase. Free with json_free. */
	struct json_object *(*xml_read)(const char *bytes, size_t len, struct arena *arena,
					const char **ret_error);
	/* Decodes application/x-www-form-urlencoded bytes in their order: the count, at most
	 * 1,000; -1: they are none (a bad escape, a NUL, too many). */
	long (*form_read)(const char *bytes, size_t len, struct arena *arena,
			  const struct host_pair **ret);
	/* RFC 3986: all but letters, digits and -._~ as %XX. */
	char *(*url_escape)(struct arena *arena, const char *text);
	char *(*json_print)(struct json_object *value, struct arena *arena);

	/* The end of find_media(). gone: asking again will not help. request is copied. */
	void (*media_found)(struct media_search *search, const struct media_request *request);
	void (*media_lost)(struct media_search *search, bool gone, const char *why);

	/* A TCP connection to a provider; NULL is never returned: a failure comes as ended().
	 * socket_write copies; false: not connected, or 1 MiB waits already. */
	struct host_socket *(*socket_open)(struct channel *channel,
					   const struct host_socket_open *open);
	bool (*socket_write)(struct host_socket *socket, const void *bytes, size_t len);
	void (*socket_close)(struct host_socket *socket);

	/* Where the provider reaches this channel: <public_url>/in/<name>. NULL without public_url.
	 */
	char *(*callback_url)(const struct channel *channel, struct arena *arena);

	/* For protocols that know nothing better (AMI's challenge). */
	void (*md5)(const void *bytes, size_t len, unsigned char out[16]);

	/* Is an address (inbound.source) in a network such as 10.0.0.0/8 or 192.0.2.7? -1: it is no
	 * network. */
	int (*network_has)(const char *network, const char *address);
};

enum text_unit { TEXT_BYTES, TEXT_CHARACTERS, TEXT_UTF16 };

/* How body reaches parse(). */
enum body_format {
	BODY_RAW,  /* the bytes as received */
	BODY_MIME, /* mail: the parse worker's JSON reading of it (docs/mail-document.md) */
};

enum connector_ability {
	CAN_RECEIVE = 1 << 0,
	CAN_SEND = 1 << 1,
	HAS_MEDIA = 1 << 2,
	HAS_RECEIPTS = 1 << 3,
	HAS_TYPING = 1 << 4,
	IDEMPOTENT_SEND = 1 << 5,    /* a repeated send with the same id is harmless */
	PROVIDER_RETRIES = 1 << 6,   /* an un-acknowledged message comes again: no local spool */
	HAS_VISITORS = 1 << 7,       /* the daemon holds visitor sessions and their live stream */
	ACCEPTS_MAIL = 1 << 8,       /* LMTP may hand it mail (see `takes`) */
	HAS_EMAIL_THREADS = 1 << 9,  /* conversations follow references, not one per sender */
	POLLS_WHERE_SENDS = 1 << 10, /* poll() runs on the steward, beside send(): one socket */
	SENDS_ONE_THING = 1 << 11,   /* send() gets a text or one attachment, never both or more */
	WAKES_POLL = 1 << 12,        /* parse() may set parsed.wake */
	/* Who writes to us is a program of our own users, who shall hear what is wrong: what
	 * parse() cannot read is answered 400 and not kept. */
	REFUSES_UNREADABLE = 1 << 13,
	/* Its messages tell of phone calls (struct phone_call): a work item of it is for people
	 * only, and takes all of an agent unless its cost is set. */
	HAS_CALLS = 1 << 14,
	/* Text messages to phone numbers: words such as STOP and 退订 end them, unless the
	 * channel's opt_out says otherwise. */
	HAS_OPT_OUT_WORDS = 1 << 15,
};

struct connector {
	const char *name;
	int abi; /* CONNECTOR_ABI */
	unsigned abilities;
	enum body_format body_format;
	size_t max_text; /* of one outgoing message, in text_unit; 0: no limit. The core splits */
	enum text_unit text_unit;
	size_t body_limit;   /* of one request; 0: the server's */
	int64_t remember_ms; /* how long the provider may repeat a message; 0: 8 days */
	int64_t window_ms; /* how long after the customer's last message we may write; 0: always */
	const char *identifier_kind; /* of the sender: "email", "webhook" ... */

	/* Delays before attempts 1, 2, ..., ended by -1; jitter is the core's. NULL: the core's
	 * default: 0, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h. */
	const int64_t *retry_ms;

	size_t settings_size;
	const struct setting *settings; /* rows over the settings struct, ended by a nameless row */
	size_t state_size;

	/* Makes the channel ready; 0, or -1 with a phrase in *ret_error (arena of the channel). A
	 * half-opened channel is closed with close(). host stays valid and the same for every
	 * channel of the process. */
	int (*open)(const struct host *host, struct channel *channel, const char **ret_error);
	void (*close)(struct channel *channel);

	/* Is this request from the provider? Constant time over raw bytes. ret may receive an
	 * answer for HANDSHAKE, or the provider's own form of refusal. */
	enum verdict (*verify)(struct channel *channel, const struct inbound *in,
			       struct arena *arena, struct parsed *ret);
	/* Bytes to messages and receipts, in the arena. 0, or -1 with a phrase that says where:
	 * what cannot be read is kept as it came, in front of a person, and answered as if it had
	 * been read, with ret->answer_* where they are set, so that the provider does not send it
	 * for ever. The phrase goes to people and into logs: no texts or addresses in it. */
	int (*parse)(const struct channel *channel, const struct inbound *in, struct arena *arena,
		     struct parsed *ret, const char **ret_error);
	/* Starts one send; ends later in host->sent() or host->failed(). */
	void (*send)(struct channel *channel, const struct outbound *message,
		     struct delivery *delivery);
	/* Under the channel's lease: called when the lease is won and by host->wake(). lost=true:
	 * stop now. */
	void (*poll)(struct channel *channel, bool lost);
	/* Is this LMTP recipient mine? (ACCEPTS_MAIL) */
	bool (*takes)(const struct channel *channel, const char *address);
	/* BODY_MIME: what the parse worker should know of this mail, as its JSON options
	 * (authserv_id, received_above, own, envelope_from; docs/mail-document.md). May be NULL. */
	char *(*mail_options)(const struct channel *channel, const struct inbound *in,
			      struct arena *arena);
	/* A cheap check with the provider for `convergectl channel test`; done once with a phrase.
	 */
	void (*test)(struct channel *channel,
		     void (*done)(bool ok, const char *phrase, void *context), void *context);

	/* HAS_VISITORS, both slots (see struct visitor). */
	void (*visitor_rules)(const struct channel *channel, int64_t now_s,
			      struct visitor_rules *ret);
	/* The body of POST .../sessions. 0 with ret->id NULL: an anonymous visitor, the core makes
	 * the id; -1 with a phrase: refused, 401. */
	int (*visitor_session)(const struct channel *channel, const struct inbound *in,
			       struct arena *arena, struct visitor *ret, const char **ret_error);

	/* The id by which a message will be known outside, where the connector chooses it itself (a
	 * mail's Message-ID); the same on every attempt. The core writes it down before it calls
	 * send(), so that a report about a message whose end was never told finds it. NULL: the
	 * provider chooses. */
	const char *(*sent_as)(const struct channel *channel, const struct outbound *message,
			       struct arena *arena);
	/* Changes how an attachment given by url is fetched after admission; NULL: a plain GET of
	 * an https address outside private networks. */
	void (*media)(const struct channel *channel, const struct attachment *attachment,
		      struct arena *arena, struct media_request *ret);
	/* Instead of media(), where finding the address needs calls of its own (an attachment's url
	 * is then what parse() wrote, "media:<id>" by custom). The attachment lives until the
	 * answer. */
	void (*find_media)(struct channel *channel, const struct attachment *attachment,
			   struct media_search *search);
	/* The reply window by this channel's settings; NULL: window_ms alone. */
	void (*window)(const struct channel *channel, struct window_rules *ret);
	/* What this text would cost; NULL: nothing worth to be shown. */
	void (*estimate)(const struct channel *channel, const char *text,
			 struct text_estimate *ret);
	/* What the provider calls a person, where its messages do not say: asked once, after a
	 * message of somebody without a name was admitted. who: the identifier's value. done
	 * exactly once, never before this returned; name NULL: not known. May be NULL. */
	void (*find_name)(struct channel *channel, const char *who,
			  void (*done)(const char *name, void *context), void *context);
};

/* A plug-in exports this one symbol: its table, given the host it may use. */
typedef const struct connector *connector_plugin_fn(const struct host *host);
#define CONNECTOR_PLUGIN_SYMBOL "converge_connector"
