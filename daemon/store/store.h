/* The store: one Redis (redis.c is the only hiredis file). Every change of
 * shared state is one script of scripts/; scripts/README.md is the map of keys,
 * scripts and states.
 *
 * Two lanes and a bell, a connection each: `write` runs scripts, `read` runs
 * plain reads, `bell` is the pub/sub doorbell of the log. All commands of one
 * loop turn leave in one write. Every command has a deadline; a NOSCRIPT or a
 * missed deadline closes the connection, and what is unanswered is re-sent in
 * order on the next one (scripts are harmless when re-sent) until its deadline
 * ends it with ERROR_TEMPORARY. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct loop;
struct store;
struct store_reply; /* borrowed: valid inside the done call only */

struct store_options {
	const char *url;     /* unix:/path, redis://[user:pass@]host:port[/db] */
	const char *ack;     /* "local" or "replicas" */
	bool allow_unsafe;   /* skip the refusal of stores that would lose messages */
	int64_t deadline_ms; /* of one command; default 5 s */
	int in_flight_max;   /* commands sent and unanswered, per lane */
	int queue_max;       /* commands waiting; more are refused at once */
};

/* One call of a script, or one plain command. Built, handed over with
 * store_run()/store_read(), then owned by the store. */
struct store_call;

/* script is the file's name without .lua; unknown names abort (programmer's mistake). */
struct store_call *store_script(const char *script, const char *workspace);
struct store_call *store_command(const char *verb);

/* Keys first, then arguments. A key is written without its hash tag:
 * store_key(call, "c:%s", id) sends "{ws}:c:<id>". KEYS[1] is always
 * {ws}:meta and is added by store_script() itself. */
void store_key(struct store_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void store_arg(struct store_call *call, const void *bytes, size_t len); /* copied */
void store_arg_text(struct store_call *call, const char *text);         /* NULL sends "" */
void store_arg_int(struct store_call *call, int64_t number);
/* The two arguments of an idempotency key: the caller's and its request's hash, or (key NULL) a
 * fresh one, because the store itself may send a call again. */
void store_arg_once(struct store_call *call, const char *key, const char *request);
/* For plain commands: "{ws}:" + formatted, as an argument. */
void store_arg_key(struct store_call *call, const char *workspace, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Exactly once, never before store_run() has returned. err is NULL when the
 * store answered (the answer itself may be a refusal the script returned). An
 * error reply of Redis (OOM, MISCONF, READONLY, ...) comes as err: TEMPORARY
 * where waiting may help. */
typedef void store_done_fn(const struct store_reply *reply, const struct error *err, void *context);

void store_run(struct store *store, struct store_call *take_call, store_done_fn *done,
	       void *context);
void store_read(struct store *store, struct store_call *take_call, store_done_fn *done,
		void *context);

/* --- replies --- */
enum store_reply_kind { REPLY_NIL, REPLY_TEXT, REPLY_INT, REPLY_ARRAY };
enum store_reply_kind reply_kind(const struct store_reply *reply);
const char *reply_text(const struct store_reply *reply,
		       size_t *ret_len);             /* NUL-terminated; NULL if no text */
int64_t reply_int(const struct store_reply *reply);  /* an integer, or a text that is one; else 0 */
size_t reply_count(const struct store_reply *reply); /* 0 unless an array */
const struct store_reply *reply_item(const struct store_reply *reply, size_t index);
/* Value of a field in a flat [name, value, name, value ...] array (HGETALL); NULL if absent. */
const char *reply_field(const struct store_reply *reply, const char *name);
/* With "" as NULL, which is how the scripts say that there is none; a number that is none is 0. */
const char *reply_text_at(const struct store_reply *reply, size_t index);
int64_t reply_int_at(const struct store_reply *reply, size_t index);
const char *reply_field_text(const struct store_reply *reply, const char *name);
int64_t reply_field_int(const struct store_reply *reply, const char *name);
/* True for a script's status answer {"refused", code, ...}; see scripts/README.md. */
bool reply_is(const struct store_reply *reply,
	      const char *word); /* first item (or the text) equals word */

/* --- life --- */
typedef void store_up_fn(bool up, void *context);
struct store *store_new(struct loop *loop, const struct store_options *options, struct error *err);
/* What was waiting is still sent, but every unanswered call ends with an error
 * first. Free leases before, log readers and keepers at the latest in the same turn. */
void store_free(struct store **pointer);
bool store_is_up(const struct store *store);
void store_on_change(struct store *store, store_up_fn *fn, void *context);
void store_off_change(struct store *store, store_up_fn *fn, void *context);
/* Start checks (AOF, policy, version, replicas); done once. err names what is wrong and how to mend
 * it. */
void store_check(struct store *store, void (*done)(const struct error *err, void *context),
		 void *context);
/* Fraction of maxmemory in use, refreshed every second; admission stops at 0.85. */
double store_fullness(const struct store *store);

/* Whispers: short texts told to every instance that listens right now (typing ...), kept nowhere,
 * lost while nobody can hear. */
struct bell_ear;
typedef void store_whisper_fn(const char *text, void *context);
struct bell_ear *store_hear(struct store *store, const char *workspace, store_whisper_fn *fn,
			    void *context);
void store_hear_end(struct bell_ear **ear);
void store_whisper(struct store *store, const char *workspace, const char *text);

struct store_stats {
	int64_t scripts, reads, resent, failed, reconnects, waiting;
	int64_t last_rtt_us;
};
struct store_stats store_stats(const struct store *store);
