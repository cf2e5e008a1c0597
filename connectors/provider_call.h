/* One call to a provider that answers in JSON, for the connectors that make many of them. */
#pragma once

#include "converge/connector.h"
#include "provider_read.h"

/* body: the answer's JSON, NULL where there is none that can be read; it and the arena's bytes are
 * gone after the call. */
typedef void provider_answered(const struct host_answer *answer, struct json_object *body,
			       struct arena *arena, void *context);

struct provider_named {
	void (*done)(const char *name, void *context);
	void *context;
};

void provider_call(const struct host *host, struct channel *channel, const struct host_http *call,
		   provider_answered *done, void *context);

/* A text of the answer, or the fallback where it is absent (value may be NULL). */
const char *provider_text(const struct host *host, struct json_object *value, const char *path,
			  const char *fallback);

/* For find_name(): a call whose answer names somebody, at the first of the paths (static,
 * NULL-terminated) that has a text. */
void provider_find_name(const struct host *host, struct channel *channel,
			const struct host_http *call, const char *const *paths,
			const struct provider_named *named);

/* Ends a send whose call brought no HTTP answer: uncertain where the provider may have it and a
 * repetition would double it. */
void provider_unreached(const struct host *host, struct delivery *delivery,
			const struct host_answer *answer, bool is_idempotent);

/* An attachment whose texts live in the arena: send() gets one that does not outlast it. */
struct attachment *provider_attachment(const struct host *host, struct arena *arena,
				       const struct attachment *from);

/* One `channel test` under way; ended by provider_tried(), which frees it. */
struct provider_trial {
	void (*done)(bool ok, const char *phrase, void *context);
	void *context;
};
struct provider_trial *provider_trial_new(void (*done)(bool ok, const char *phrase, void *context),
					  void *context);
void provider_tried(struct provider_trial *trial, bool ok, const char *phrase);
