/* Stand-ins for the providers' APIs: each takes what a broker sends as strictly as the provider
 * does, answers in the provider's own words, and writes to the broker as the provider would. One
 * provider is one table in one file (provider_<name>.c); serving, posting, faults and the tests'
 * own calls under
 * /_sim/ are common to all (standin*.c). Written from the providers' documents, not from our
 * connectors. See README.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

struct accepted;
struct ask;
struct event_base;
struct evhttp;
struct evhttp_request;
struct post;
struct standin;

/* ---- the table of one provider ---- */

struct route {
	const char *method; /* "*": any */
	const char *path;   /* a segment may end with *; a last ** takes the rest */
	const char *on;     /* what faults are aimed at: send, token, media, poll, other */
	void (*handle)(struct ask *ask);
};

struct setting_default {
	const char *name;
	const char *value;
};

struct provider {
	const char *name;
	const struct setting_default *settings; /* ended by a nameless row */
	const struct route *routes;             /* ended by a row without method */
	int64_t answer_ms;                      /* how long it waits for an answer of ours */
	const int64_t *retry_ms;                /* before the 2nd, 3rd ... attempt; ended by -1 */
	int64_t rate;                           /* sends it takes in a second; 0: any number */
	bool mints_tokens;       /* a token that expired is asked for anew; else it is bad */
	const char *window_code; /* error()'s for a closed window; NULL: it knows none */
	const char *token_code;  /* ... for a token that is no good */
	size_t own_size;         /* of standin.own, zeroed */
	/* Answers with the provider's error of that code; detail may be NULL. */
	void (*error)(struct ask *ask, const char *code, const char *detail);
	/* The body beside a 5xx or 429 status. NULL: "{}". */
	const char *(*trouble)(struct ask *ask, int status, int64_t seconds);
	/* A customer writes; ends in post_start() or keeps it for a poll. NULL, or what is wrong
	 * with what was asked for. ret_id: the provider's id of it. */
	const char *(*say)(struct standin *sim, struct json_object *what, char ret_id[128]);
	/* What became of a message we sent. NULL slot: the provider tells nothing. */
	const char *(*receipt)(struct standin *sim, struct json_object *what, char ret_id[128]);
	void (*end)(struct standin *sim); /* frees what own holds; NULL */
	/* How the provider proves the address once, at the console. NULL: it does not. */
	const char *(*handshake)(struct standin *sim, struct json_object *what, char ret_id[128]);
};

extern const struct provider telegram_provider, whatsapp_provider, messenger_provider,
	instagram_provider, wechat_provider, wecom_provider, feishu_provider, dingtalk_provider,
	line_provider, slack_provider, weibo_provider, x_provider, twilio_provider,
	aliyun_sms_provider, http_sms_provider;

const struct provider *provider_find(const char *name);
void provider_names(struct buf *out);

/* ---- one stand-in that runs ---- */

enum { FAULTS_MAX = 32, PEOPLE_MAX = 2000, FAULT_WORD = 64 };

struct fault {
	char kind[FAULT_WORD];
	char on[FAULT_WORD];
	char code[FAULT_WORD];
	char match[FAULT_WORD]; /* only requests whose body has this; "": all */
	int64_t left;
	int64_t after; /* so many pass unharmed first */
	int64_t status;
	int64_t seconds;
	int64_t ms;
	int64_t times;
};

/* A customer as the provider knows it. */
struct person {
	char id[128];
	int64_t window_until_ms; /* 0: shut */
	int64_t window_left;
	bool is_blocked; /* has blocked the account */
	int64_t number;  /* the provider's own use */
};

struct media {
	char id[128];
	char type[96];
	char name[256];
	char *bytes;
	size_t len;
};

struct list {
	char **items; /* JSON texts */
	size_t count;
};

struct standin {
	struct event_base *base;
	const struct provider *provider;
	struct evhttp *http;
	const char *listen;
	struct setting_default *settings; /* values owned */
	size_t setting_count;
	struct fault faults[FAULTS_MAX];
	struct person *people;
	size_t person_count;
	struct media *media;
	size_t media_count;
	struct list sent;
	struct list refused;
	struct list calls; /* every request, also those that a fault met */
	struct post **posts;
	size_t post_count;
	struct post *held; /* by "reorder" */
	char token[160];   /* minted; "" before the first */
	int64_t tokens_minted;
	int64_t counter; /* for ids */
	int64_t rate_second;
	int64_t rate_used;
	bool is_lying; /* secrets are wrong for one signature */
	void *own;     /* the provider's */
	/* Told of what was taken and of what was posted, one way or the other; NULL. */
	void (*on_accepted)(struct standin *sim, const struct accepted *accepted);
	void (*on_settled)(struct standin *sim, const struct post *post);
	void *watcher;
};

/* listen: host:port. NULL, having said why. */
struct standin *standin_start(struct event_base *base, const struct provider *provider,
			      const char *listen);
void standin_free(struct standin **sim);

int64_t sim_now_ms(void);
/* "" where nothing is set. */
const char *setting(struct standin *sim, const char *name);
/* As setting(), but wrong while the signature is to be. */
const char *secret(struct standin *sim, const char *name);
void setting_put(struct standin *sim, const char *name, const char *value);
int64_t next_number(struct standin *sim);
/* "http://host:port" of this stand-in, as what it serves is addressed. */
const char *own_base(struct standin *sim, struct arena *arena);

struct person *person_find(struct standin *sim, const char *id);
struct person *person_of(struct standin *sim, const char *id); /* makes one */
/* The customer wrote: the window is open for so long and so many. */
void window_open(struct standin *sim, const char *id, int64_t ms, int64_t count);
bool window_take(struct standin *sim, const char *id);

struct media *media_find(struct standin *sim, const char *id);
struct media *media_keep(struct standin *sim, const char *id, const char *type, const char *name);
void media_bytes(struct media *media, const void *bytes, size_t len);
/* The file that a customer sends, from {"media": {"base64", "type", "name"}}: NULL where none or
 * unreadable. */
struct media *media_said(struct standin *sim, struct json_object *what, const char *id);

const char *token_mint(struct standin *sim, const char *prefix); /* the same while it is good */
bool token_is_good(struct standin *sim, const char *token);

/* An armed fault of this kind for such requests, used up once; false: none. */
bool fault_take(struct standin *sim, const char *kind, const char *on, struct fault *ret);
/* As fault_take(), for this request: a fault may be meant for one body alone. */
bool ask_fault(struct ask *ask, const char *kind, struct fault *ret);
void list_add(struct list *list, struct buf *json);

/* ---- what we are asked ---- */

struct ask {
	struct standin *sim;
	struct evhttp_request *request;
	const struct route *route;
	struct arena *arena;
	const char *method;
	const char *path;
	const char *query;   /* as received; NULL: none */
	const char *rest[4]; /* what the stars of the route's path stand for */
	const char *body;
	size_t len;
	struct json_object *json; /* of ask_json() */
	const char *reply_fields[12];
	bool is_accepted;
	bool is_answered;
};

const char *ask_field(struct ask *ask, const char *name); /* NULL where absent */
const char *ask_query(struct ask *ask, const char *name);
const char *ask_form(struct ask *ask, const char *name); /* of an urlencoded body */
/* The strict JSON body; NULL where it is none or is not sent as application/json. */
struct json_object *ask_json(struct ask *ask);
const char *ask_bearer(struct ask *ask); /* "" where there is none */

struct part {
	const char *name;
	const char *file; /* NULL */
	const char *type; /* "" */
	const char *bytes;
	size_t len;
};
/* Of a multipart/form-data body; false where there is none of that name. */
bool ask_part(struct ask *ask, const char *name, struct part *ret);

/* Called once for every ask, now or later. */
void answer(struct ask *ask, int status, const char *type, const void *bytes, size_t len);
void answer_json(struct ask *ask, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void answer_field(struct ask *ask, const char *name, const char *value); /* before answer() */
void answer_media(struct ask *ask, const struct media *media);
/* The provider's error, and a line in /_sim/sent why. */
void refuse(struct ask *ask, const char *code, const char *why);

/* What was taken: a line of /_sim/sent. Members may be NULL. */
struct accepted {
	const char *id;
	const char *to;
	const char *kind;
	const char *text;
	const char *media; /* an id of ours, or an address */
	const char *key;   /* the idempotency key or label that came along */
	bool is_repeat;    /* the key was known: nothing was sent again */
};
void accept_send(struct ask *ask, const struct accepted *accepted);

/* ---- what we post to the broker ---- */

struct post {
	struct standin *sim;
	struct arena *arena;
	const char *id;
	const char *method;
	const char *type; /* of the body */
	const char *body;
	size_t len;
	const char *given_timestamp; /* NULL: the clock's; for known answers */
	const char *given_nonce;
	struct buf query;
	const char *fields[24]; /* name, value ... of this attempt */
	/* Fills query and fields (and the body, where that is signed inside); for every attempt. */
	void (*sign)(struct post *post);
	/* What is wrong with the answer, NULL if nothing. NULL slot: any 2xx is right. */
	const char *(*check)(struct post *post, int status, const char *body);
	bool is_once;    /* not repeated, and met by no fault (handshakes) */
	bool is_last;    /* not repeated any more */
	const char *url; /* NULL: the setting "in" */
	/* the framework's */
	struct evhttp_request *answer;
	struct event *timer;
	struct post *next; /* posted when this one is settled */
	int64_t attempts;
	int64_t started_ms;
	int64_t took_ms;
	int64_t skew_ms;
	int status;
	char wrong[160];
	char answered[512];
	bool is_settled;
	bool is_right;
	bool is_forged;
};

/* what (may be NULL): the test's request, whose "timestamp" and "nonce" are taken over. */
struct post *post_new(struct standin *sim, const char *id, struct json_object *what);
void post_body(struct post *post, const char *type, const char *bytes, size_t len);
void post_field(struct post *post, const char *name, const char *value);
void post_query(struct post *post, const char *name, const char *value);
int64_t post_now_ms(struct post *post);
/* given_timestamp, or the clock's in seconds or milliseconds. */
const char *post_stamp(struct post *post, bool is_ms);
const char *post_answer_field(struct post *post, const char *name); /* in check() */
void post_start(struct post *post);
void post_again(struct post *post); /* the same once more, as if it were new */
void post_free(struct post *post);

/* ---- common work ---- */

/* A JSON string literal. */
const char *quote(struct arena *arena, const char *text);
/* what.<name>, else fallback. */
const char *said(struct json_object *what, const char *name, const char *fallback);
size_t utf16_length(const char *text);
/* A header's value that can be a date. */
const char *http_date(struct arena *arena, int64_t unix_s);

const char *hmac256_hex(struct arena *arena, const char *key, const void *bytes, size_t len);
const char *hmac256_base64(struct arena *arena, const char *key, const void *bytes, size_t len);
const char *hmac1_base64(struct arena *arena, const char *key, const void *bytes, size_t len);
const char *sha256_hex(struct arena *arena, const void *bytes, size_t len);
const char *sha1_hex(struct arena *arena, const void *bytes, size_t len);
/* sha1 over the texts in byte order, one after the other; ended by NULL. */
const char *sha1_sorted(struct arena *arena, const char *const *texts);
/* The AES envelope that WeChat, WeCom and DingTalk share: random(16) length text receiver, padded
 * to 32, in base64. random16 NULL: fresh bytes. */
const char *envelope_seal(struct arena *arena, const char *encoding_aes_key, const char *text,
			  const char *receiver, const char *random16);
/* NULL where it cannot be opened or is for another receiver. */
const char *envelope_open(struct arena *arena, const char *encoding_aes_key, const char *base64,
			  const char *receiver);

/* The tests' own calls under /_sim/ (standin_control.c). */
void control_ask(struct ask *ask);
/* Where a request is taken up (standin_serve.c). */
void serve_request(struct evhttp_request *request, void *sim);
