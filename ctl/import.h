/* Import: people, talks and canned replies out of other products' own words, as the records of
 * POST /v1/import. A reader (import_csv.c, import_chatwoot.c, import_zendesk.c) makes records;
 * import.c sends them in batches and counts what became of them. Everything carries the id it has
 * in its source, so a second run changes nothing that is there already. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "ctl.h"

struct import_run;
struct import_source;

/* ---- records, for readers ---- */

/* Opens a record of the kind ("customers", "conversations"): the reader writes its members into the
 * open object and calls import_end(). at names it in messages ("contacts.json, contact 12"). */
struct json_out *import_begin(struct import_run *run, const char *kind, const char *at);
void import_end(struct import_run *run);
/* A record that cannot be imported: told, counted, passed over. An open one is dropped. */
void import_refuse(struct import_run *run, const char *at, const char *why);
/* A canned reply; id and title may hold any text, the id is made fit. */
void import_canned(struct import_run *run, const char *id, const char *title, const char *text);
struct arena *import_arena(struct import_run *run); /* may be emptied by import_end() */
struct import_source *import_from(struct import_run *run);
/* Nothing more can be sent or read: the reader should end. */
bool import_is_over(const struct import_run *run);
void import_fail(struct import_run *run, int exit_code, const struct error *err);

/* {"kind","value"} inside an open array "identifiers", unless value is empty. */
void import_identifier(struct json_out *out, const char *kind, const char *value);
/* A scalar as text: texts, numbers and booleans; NULL for everything else. */
const char *import_scalar(struct arena *arena, struct json_object *value);

/* ---- where it comes from: a product's API, or a folder of what it answered ---- */

struct import_login {
	const char *url;   /* https://app.chatwoot.com */
	const char *field; /* header that carries the token */
	const char *value;
	const char *user; /* or basic authentication */
	const char *password;
};

struct import_source *import_source_folder(const char *path, struct error *err);
struct import_source *import_source_api(const struct import_login *login);
void import_source_free(struct import_source **source);
bool import_source_is_api(const struct import_source *source);
/* API: the answer to GET target, waiting out 429 and 5xx. NULL with err. */
struct json_object *import_get(struct import_source *source, const char *target, struct error *err);

/* Folder: every object of the lists in name.json, name-*.json and name*.jsonl, in the order of the
 * names. A document is a list, or an object with the list under one of keys (ended by NULL), or one
 * object a line. Returns the files read, or -1 with err ("contacts.json:3: ..."). */
typedef void import_object_fn(struct import_run *run, struct json_object *object, const char *at);
int import_folder_each(struct import_run *run, const char *name, const char *const *keys,
		       import_object_fn *fn, struct error *err);
/* Folder: one document by its file's name; NULL with err. */
struct json_object *import_saved(struct import_source *source, const char *name, struct error *err);
/* The objects of one document that is read already. */
void import_list_each(struct import_run *run, struct json_object *document, const char *const *keys,
		      const char *at, import_object_fn *fn);

/* ---- the readers ---- */
int import_csv(struct import_run *run, const char *file);
int import_chatwoot(struct import_run *run);
int import_zendesk(struct import_run *run);
