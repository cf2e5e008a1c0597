/* What the connectors over Meta's Graph API share (developers.facebook.com/docs/graph-api): the
 * handshake, the signature, calls and what an error means. */
#pragma once

#include "converge/connector.h"
#include "provider_call.h"

#define GRAPH_PROVIDER "https://graph.facebook.com"

struct graph_settings {
	char *app_secret;
	char *verify_token;
	char *access_token;
	char *api_base;
	char *api_version;
};

extern const char *const graph_url_schemes[];

/* Rows of a connector whose settings have a member of that struct. */
#define GRAPH_ROWS(type, member)                                                                   \
	SETTING_ROW("app_secret", SECRET, type, member.app_secret, NULL,                           \
		    .flags = SETTING_REQUIRED,                                                     \
		    .text = "App dashboard, App settings, Basic, App secret: signs what comes "    \
			    "in."),                                                                \
		SETTING_ROW("verify_token", SECRET, type, member.verify_token, NULL,               \
			    .flags = SETTING_REQUIRED,                                             \
			    .text = "What you type into Verify token of the webhook's settings."), \
		SETTING_ROW("access_token", SECRET, type, member.access_token, NULL,               \
			    .flags = SETTING_REQUIRED,                                             \
			    .text = "Sends, and fetches files: of a system user or of the page."), \
		SETTING_ROW("api_version", TEXT, type, member.api_version, "v25.0",                \
			    .text = "Of the Graph API."),                                          \
		SETTING_ROW("api_base", URL, type, member.api_base, GRAPH_PROVIDER,                \
			    .choices = graph_url_schemes,                                          \
			    .text = "Replaces the provider's address: a proxy, a private cloud "   \
				    "or a simulator.")

bool graph_is_private(const struct graph_settings *settings);
/* At open: 0, or -1 with a phrase. */
int graph_check(const struct graph_settings *settings, const char **ret_error);
enum verdict graph_verify(const struct host *host, const struct graph_settings *settings,
			  const struct inbound *in, struct arena *arena, struct parsed *ret);

struct graph_call {
	struct channel *channel;
	const struct graph_settings *settings;
	const char *method; /* NULL: POST */
	const char *path;   /* behind the version: "1020/messages" */
	const char *type;   /* NULL: JSON */
	const char *body;
	size_t len; /* with type */
	int64_t timeout_ms;
	provider_answered *done;
	void *context;
};
void graph_call(const struct host *host, const struct graph_call *call);
const char *graph_bearer(const struct host *host, const struct graph_settings *settings,
			 struct arena *arena);

/* Ends a send by its answer. id_path: where the answer has the message's id. */
void graph_end(const struct host *host, struct delivery *delivery, const struct host_answer *answer,
	       struct json_object *body, const char *id);
/* The test slot. name_path: where the answer says who we are; trial is freed. */
void graph_tried(const struct host *host, const struct host_answer *answer,
		 struct json_object *body, const char *name_path, struct provider_trial *trial);
