/* Names of queues, agents and skills that a request gives, checked before the
 * handler goes on: 400 unknown_name says the nearest one and what there is.
 * Where nothing of a kind is configured there is nothing to compare with, and
 * every name will do, but of a calendar or a classifier: what names it would do nothing. */
#pragma once

#include "api/api.h"

enum name_kind {
	NAME_QUEUE,
	NAME_AGENT,
	NAME_SKILL,
	NAME_SKILL_NEEDED, /* where none is declared: one that some agent has */
	NAME_CALENDAR,
	NAME_CLASSIFIER
};

struct name_given {
	enum name_kind kind;
	const char *name;    /* NULL: not given */
	const char *where;   /* "agent" or "then.queue", for the answer */
	const char *pointer; /* JSON pointer within the body; NULL: it stands elsewhere */
};

struct business_reference;

enum name_kind name_kind_of(const struct business_reference *reference);
/* Goes on with next(call), at once or later, or answers. names must live in the call's arena. */
void names_check(struct api_call *call, const struct name_given *names, size_t count,
		 route_fn *next);
/* The same for one name. */
void name_check(struct api_call *call, enum name_kind kind, const char *name, const char *where,
		route_fn *next);
/* The names in the objects that the body puts (POST /v1/configuration), but for those that it puts
 * itself. */
void names_check_put(struct api_call *call, route_fn *next);
/* Goes on with next(call), at once or later, or answers 404 unknown_workspace. */
void workspace_check(struct api_call *call, route_fn *next);
/* What to say behind "there is no ...": "; did you mean \"shop\"?" or "". known: NULL-terminated.
 */
const char *name_hint(struct api_call *call, const char *name, const char *const *known);
/* The same for a channel of the caller's workspace. */
const char *channel_hint(struct api_call *call, const char *name);
/* A word against a fixed list (NULL-terminated): false after having answered. */
bool word_check(struct api_call *call, const char *where, const char *word,
		const char *const *known);
