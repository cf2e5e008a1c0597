/* The business configuration (queues, agents, rules ...): from a file or from
 * the API to canonical JSON objects, judged by the same rows.
 *
 * A canonical object has every field of its kind that was given or has a
 * fallback, in the order of the rows: texts, numbers and lists as written,
 * times as integer milliseconds under <name>_ms, and "id". Objects of a file
 * also have "order", their place in it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/problems.h"

struct business;
struct json_object;
struct json_out;

/* One kind of object. */
struct business_kind {
	const char *key;   /* in files: "canned_replies" */
	const char *store; /* in URLs and in the store: "canned-replies" */
	const struct business_field *fields;
};

extern const struct business_kind business_kinds[]; /* ended by one without a key */
/* By either name; NULL where there is none. */
const struct business_kind *business_kind(const char *name);
/* Each kind with its fields (name, kind, form, range, choices, help), into the open array of out.
 */
void business_describe(struct json_out *out);

struct business_object {
	const char *id;
	const char *json; /* canonical */
	struct place at;
};

/* NULL when there is an error (all of them are in problems). */
struct business *business_read(const char *file, struct problems *problems);
struct business *business_parse(const char *file, const char *bytes, size_t len,
				struct problems *problems);
void business_free(struct business **business);
/* The objects of a kind, as ordered in the file; NULL where the file has no such section (an
 * empty section is not NULL and has count 0). */
const struct business_object *business_objects(const struct business *business, const char *kind,
					       size_t *ret_count);

/* A name that an object gives of another one: the queue of a rule, a skill of an agent. */
struct business_reference {
	const char *kind; /* of what is named: "queues", "skills" */
	const char *name;
	const char *from;  /* kind of the object that names it: "rules" */
	const char *field; /* "then.queue" */
	struct place at;
};
/* Those of a file whose objects it does not hold itself: they must be in the store. */
const struct business_reference *business_missing(const struct business *business,
						  size_t *ret_count);
/* Those of one object (kind by either name), in the arena; unchecked objects will do. */
const struct business_reference *business_references(const char *kind, struct json_object *object,
						     struct arena *arena, size_t *ret_count);

/* One object as it comes through the API: 0 and its canonical JSON appended to out, or -1 with a
 * phrase for the answer. "x": "30s" and "x_ms": 30000 are both taken; nulls are left out. */
int business_check(const char *kind, struct json_object *object, struct buf *out,
		   struct error *err);
/* The same, with all that is wrong: the file of each place is the JSON pointer within the object,
 * "" for the whole of it. */
int business_judge(const char *kind, struct json_object *object, struct buf *out,
		   struct problems *problems);

/* ---- secrets of objects (a classifier's) are never shown again, but as "set:" and a fingerprint
 * ---- */
enum { BUSINESS_SHOWN_BYTES = 16 };
bool business_has_secrets(const char *kind);
void business_secret_show(const char *secret, char out[BUSINESS_SHOWN_BYTES]);
/* The object as it is shown, appended to out. */
void business_mask(const char *kind, struct json_object *object, struct buf *out);
/* As it is given, appended to out; secrets that are missing or as shown come from the stored one
 * (NULL: none is stored). */
void business_keep_secrets(const char *kind, struct json_object *given, struct json_object *stored,
			   struct buf *out);
/* As it is given, appended to out, but for a secret that is made: where none or "new" is given. The
 * one before it stays beside it for a day. True where one was made, which is shown once. */
bool business_roll_secret(const char *kind, struct json_object *given, struct json_object *stored,
			  int64_t now_ms, struct buf *out);
/* As business_mask(), but with the secret that was made. */
void business_show_made(const char *kind, struct json_object *object, struct buf *out);
