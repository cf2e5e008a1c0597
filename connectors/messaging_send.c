#include <stdlib.h>
#include <string.h>

#include "messaging.h"
#include "multipart.h"

enum { UPLOAD_MS = 120000 };

static const int64_t day_ms = (int64_t)24 * 3600 * 1000;

struct sending {
	struct channel *channel;
	struct delivery *delivery;
	struct arena *arena;
	const char *to;
	bool is_late;     /* a day has gone since the customer wrote */
	const char *kind; /* of the attachment */
	const struct attachment *attachment;
};

static const struct messaging_settings *settings_of(const struct sending *sending)
{
	return messaging_host()->channel_settings(sending->channel);
}

static void sending_free(struct sending *sending)
{
	messaging_host()->arena_free(sending->arena);
	free(sending);
}

static void on_sent(const struct host_answer *answer, struct json_object *body, struct arena *arena,
		    void *context)
{
	struct sending *sending = context;

	(void)arena;
	graph_end(messaging_host(), sending->delivery, answer, body,
		  provider_text(messaging_host(), body, "message_id", NULL));
	sending_free(sending);
}

/* After a day only what a person wrote may follow, under a tag that says so. */
static void post_message(struct sending *sending, const char *content)
{
	const struct host *host = messaging_host();
	const struct messaging_settings *settings = settings_of(sending);
	const struct graph_call call = {
		.channel = sending->channel,
		.settings = &settings->graph,
		.path = host->format(sending->arena, "%s/messages", settings->page_id),
		.body = host->format(sending->arena,
				     "{\"recipient\":{\"id\":%s},%s,\"message\":%s}",
				     host->json_quote(sending->arena, sending->to),
				     sending->is_late ? "\"messaging_type\":\"MESSAGE_TAG\","
							"\"tag\":\"HUMAN_AGENT\""
						      : "\"messaging_type\":\"RESPONSE\"",
				     content),
		.done = on_sent,
		.context = sending,
	};

	graph_call(host, &call);
}

static void on_uploaded(const struct host_answer *answer, struct json_object *body,
			struct arena *arena, void *context)
{
	struct sending *sending = context;
	const struct host *host = messaging_host();
	const char *id = provider_text(host, body, "attachment_id", NULL);
	bool is_ok = !answer->error && answer->status >= 200 && answer->status < 300;

	(void)arena;
	if (is_ok && id) {
		post_message(sending,
			     host->format(sending->arena,
					  "{\"attachment\":{\"type\":\"%s\",\"payload\":"
					  "{\"attachment_id\":%s}}}",
					  sending->kind, host->json_quote(sending->arena, id)));
		return;
	}
	/* Nothing has been said to the customer yet. */
	if (answer->error || is_ok)
		host->failed(sending->delivery, SEND_RETRY, "upload",
			     answer->error ? answer->error : "the answer cannot be read", -1);
	else
		graph_end(host, sending->delivery, answer, body, NULL);
	sending_free(sending);
}

static const char *kind_of(const char *type)
{
	if (strncmp(type, "image/", 6) == 0)
		return "image";
	if (strncmp(type, "video/", 6) == 0)
		return "video";
	return strncmp(type, "audio/", 6) == 0 ? "audio" : "file";
}

static void on_attachment(const void *bytes, size_t len, const char *error, bool gone,
			  void *context)
{
	struct sending *sending = context;
	const struct host *host = messaging_host();
	const char *const fields[] = {
		"message",
		host->format(sending->arena, "{\"attachment\":{\"type\":\"%s\",\"payload\":{}}}",
			     sending->kind),
		NULL
	};
	const struct multipart_file file = { .field = "filedata",
					     .name = sending->attachment->name,
					     .type = sending->attachment->type,
					     .bytes = bytes,
					     .len = len };
	struct graph_call call = { .channel = sending->channel,
				   .settings = &settings_of(sending)->graph,
				   .timeout_ms = UPLOAD_MS,
				   .done = on_uploaded,
				   .context = sending };
	struct multipart body;

	if (error) {
		host->failed(sending->delivery, gone ? SEND_PERMANENT : SEND_RETRY, "attachment",
			     error, -1);
		sending_free(sending);
		return;
	}
	body = multipart_build(host, sending->arena, fields, &file);
	call.path = host->format(sending->arena, "%s/message_attachments",
				 settings_of(sending)->page_id);
	call.type = body.content_type;
	call.body = body.body;
	call.len = body.len;
	graph_call(host, &call);
}

static struct sending *sending_new(struct channel *channel, const struct outbound *message,
				   struct delivery *delivery)
{
	const struct host *host = messaging_host();
	struct sending *sending = calloc(1, sizeof(*sending));

	if (!sending)
		abort();
	sending->channel = channel;
	sending->delivery = delivery;
	sending->arena = host->arena_new();
	sending->to = host->text(sending->arena, message->to);
	sending->is_late = settings_of(sending)->human_agent && !message->automatic &&
			   message->last_inbound_ms > 0 &&
			   host->unix_ms() - message->last_inbound_ms > day_ms;
	return sending;
}

void messaging_send(struct channel *channel, const struct outbound *message,
		    struct delivery *delivery)
{
	const struct host *host = messaging_host();
	const struct messaging_state *state = host->channel_state(channel);
	struct sending *sending = sending_new(channel, message, delivery);

	if (message->attachment_count == 0) {
		post_message(sending,
			     host->format(sending->arena, "{\"text\":%s}",
					  host->json_quote(sending->arena, message->text)));
		return;
	}
	sending->attachment = provider_attachment(host, sending->arena, message->attachments);
	sending->kind = kind_of(sending->attachment->type);
	if (strcmp(sending->kind, "file") == 0 && !state->kind->takes_files) {
		host->failed(delivery, SEND_PERMANENT, "no_files",
			     "this channel takes pictures, video and sound only", -1);
		sending_free(sending);
		return;
	}
	host->attachment(channel, sending->attachment, on_attachment, sending);
}

/* ---- a try ---- */

static void on_tried(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	(void)arena;
	graph_tried(messaging_host(), answer, body, "name", context);
}

void messaging_test(struct channel *channel,
		    void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	const struct host *host = messaging_host();
	const struct messaging_settings *settings = host->channel_settings(channel);
	const struct graph_call call = { .channel = channel,
					 .settings = &settings->graph,
					 .method = "GET",
					 .path = settings->page_id,
					 .done = on_tried,
					 .context = provider_trial_new(done, context) };

	graph_call(host, &call);
}

/* ---- names ---- */

struct naming {
	void (*done)(const char *name, void *context);
	void *context;
};

static void on_named(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	const struct host *host = messaging_host();
	struct naming naming = *(struct naming *)context;
	const char *name = provider_text(host, body, "name", "");

	free(context);
	if (!name[0])
		name = host->format(arena, "%s %s", provider_text(host, body, "first_name", ""),
				    provider_text(host, body, "last_name", ""));
	naming.done(!answer->error && answer->status == 200 ? name : NULL, naming.context);
}

/* Without a list of fields: those that a person's profile has by itself. */
void messaging_find_name(struct channel *channel, const char *who,
			 void (*done)(const char *name, void *context), void *context)
{
	const struct host *host = messaging_host();
	const struct messaging_settings *settings = host->channel_settings(channel);
	struct arena *arena = host->arena_new();
	struct naming *naming = malloc(sizeof(*naming));
	const struct graph_call call = { .channel = channel,
					 .settings = &settings->graph,
					 .method = "GET",
					 .path = host->url_escape(arena, who),
					 .done = on_named,
					 .context = naming };

	if (!naming)
		abort();
	*naming = (struct naming){ done, context };
	graph_call(host, &call);
	host->arena_free(arena);
}
