#include <stdlib.h>
#include <string.h>

#include "multipart.h"
#include "whatsapp_private.h"

enum { UPLOAD_MS = 120000 };

struct sending {
	struct channel *channel;
	struct delivery *delivery;
	struct arena *arena;
	const char *to;
	const char *id; /* ours */
	const struct attachment *attachment;
};

static const struct whatsapp_settings *settings_of(const struct channel *channel)
{
	return whatsapp_host()->channel_settings(channel);
}

static void sending_free(struct sending *sending)
{
	whatsapp_host()->arena_free(sending->arena);
	free(sending);
}

static void on_sent(const struct host_answer *answer, struct json_object *body, struct arena *arena,
		    void *context)
{
	struct sending *sending = context;
	const struct host *host = whatsapp_host();
	struct json_object *messages = body ? host->json_at(body, "messages") : NULL;
	const char *id = NULL;

	(void)arena;
	if (host->json_kind(messages, "") == HOST_JSON_ARRAY && host->json_count(messages) > 0)
		id = provider_text(host, host->json_item(messages, 0), "id", NULL);
	graph_end(host, sending->delivery, answer, body, id);
	sending_free(sending);
}

/* content: "text":{...} */
static void post_message(struct sending *sending, const char *type, const char *content)
{
	const struct host *host = whatsapp_host();
	const struct whatsapp_settings *settings = settings_of(sending->channel);
	const struct graph_call call = {
		.channel = sending->channel,
		.settings = &settings->graph,
		.path = host->format(sending->arena, "%s/messages", settings->phone_number_id),
		.body = host->format(sending->arena,
				     "{\"messaging_product\":\"whatsapp\",\"recipient_type\":"
				     "\"individual\",\"to\":%s,\"type\":\"%s\",\"%s\":%s,"
				     "\"biz_opaque_callback_data\":%s}",
				     host->json_quote(sending->arena, sending->to), type, type,
				     content, host->json_quote(sending->arena, sending->id)),
		.done = on_sent,
		.context = sending,
	};

	graph_call(host, &call);
}

/* ---- a file: upload, then send its id ---- */

static const char *kind_of(const char *type)
{
	if (strcmp(type, "image/jpeg") == 0 || strcmp(type, "image/png") == 0)
		return "image";
	if (strcmp(type, "video/mp4") == 0 || strcmp(type, "video/3gpp") == 0)
		return "video";
	if (strncmp(type, "audio/", 6) == 0)
		return "audio";
	return "document";
}

static void on_uploaded(const struct host_answer *answer, struct json_object *body,
			struct arena *arena, void *context)
{
	struct sending *sending = context;
	const struct host *host = whatsapp_host();
	const char *id = provider_text(host, body, "id", NULL);
	const char *kind = kind_of(sending->attachment->type);
	const char *name = sending->attachment->name;
	bool is_ok = !answer->error && answer->status >= 200 && answer->status < 300;

	(void)arena;
	if (is_ok && id) {
		id = host->json_quote(sending->arena, id);
		post_message(sending, kind,
			     strcmp(kind, "document") == 0
				     ? host->format(sending->arena, "{\"id\":%s,\"filename\":%s}",
						    id, host->json_quote(sending->arena, name))
				     : host->format(sending->arena, "{\"id\":%s}", id));
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

static void on_attachment(const void *bytes, size_t len, const char *error, bool gone,
			  void *context)
{
	struct sending *sending = context;
	const struct host *host = whatsapp_host();
	const struct whatsapp_settings *settings = settings_of(sending->channel);
	const char *const fields[] = { "messaging_product", "whatsapp", "type",
				       sending->attachment->type, NULL };
	const struct multipart_file file = { .field = "file",
					     .name = sending->attachment->name,
					     .type = sending->attachment->type,
					     .bytes = bytes,
					     .len = len };
	struct graph_call call = { .channel = sending->channel,
				   .settings = &settings->graph,
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
	call.path = host->format(sending->arena, "%s/media", settings->phone_number_id);
	call.type = body.content_type;
	call.body = body.body;
	call.len = body.len;
	graph_call(host, &call);
}

/* ---- words, a place, a template ---- */

/* parameters: ["Ann", "42"] fill the body's variables; components, as Meta writes them, win. */
static const char *template_json(struct sending *sending, struct json_object *template)
{
	const struct host *host = whatsapp_host();
	struct json_object *components = host->json_at(template, "components");
	struct json_object *parameters = host->json_at(template, "parameters");
	const char *list = "";
	size_t count = host->json_kind(parameters, "") == HOST_JSON_ARRAY
			       ? host->json_count(parameters)
			       : 0;

	for (size_t i = 0; i < count; i++)
		list = host->format(
			sending->arena, "%s%s{\"type\":\"text\",\"text\":%s}", list, i ? "," : "",
			host->json_quote(
				sending->arena,
				provider_text(host, host->json_item(parameters, i), "", "")));
	if (host->json_kind(components, "") == HOST_JSON_ARRAY)
		list = host->json_print(components, sending->arena);
	else
		list = count ? host->format(sending->arena,
					    "[{\"type\":\"body\",\"parameters\":[%s]}]", list)
			     : "[]";
	return host->format(
		sending->arena, "{\"name\":%s,\"language\":{\"code\":%s},\"components\":%s}",
		host->json_quote(sending->arena, provider_text(host, template, "name", "")),
		host->json_quote(sending->arena, provider_text(host, template, "language", "en")),
		list);
}

static const char *number(struct sending *sending, struct json_object *place, const char *name)
{
	const struct host *host = whatsapp_host();
	struct json_object *value = host->json_at(place, name);

	return host->json_kind(value, "") == HOST_JSON_NUMBER
		       ? host->json_print(value, sending->arena)
		       : "0";
}

static void post_words(struct sending *sending, const struct outbound *message)
{
	const struct host *host = whatsapp_host();
	struct json_object *extra = NULL, *place, *template;

	if (message->extra)
		extra = host->json_read(message->extra, strlen(message->extra), sending->arena,
					NULL);
	place = extra ? host->json_at(extra, "location") : NULL;
	template = extra ? host->json_at(extra, "template") : NULL;
	if (host->json_kind(template, "") == HOST_JSON_OBJECT)
		post_message(sending, "template", template_json(sending, template));
	else if (host->json_kind(place, "") == HOST_JSON_OBJECT)
		post_message(
			sending, "location",
			host->format(sending->arena,
				     "{\"latitude\":%s,\"longitude\":%s,\"name\":%s,"
				     "\"address\":%s}",
				     number(sending, place, "latitude"),
				     number(sending, place, "longitude"),
				     host->json_quote(sending->arena,
						      provider_text(host, place, "name", "")),
				     host->json_quote(sending->arena,
						      provider_text(host, place, "address", ""))));
	else
		post_message(sending, "text",
			     host->format(sending->arena, "{\"body\":%s,\"preview_url\":false}",
					  host->json_quote(sending->arena, message->text)));
	if (extra)
		host->json_free(extra);
}

void whatsapp_send(struct channel *channel, const struct outbound *message,
		   struct delivery *delivery)
{
	const struct host *host = whatsapp_host();
	struct sending *sending = calloc(1, sizeof(*sending));

	if (!sending)
		abort();
	sending->channel = channel;
	sending->delivery = delivery;
	sending->arena = host->arena_new();
	sending->to = host->text(sending->arena, message->to);
	sending->id = host->text(sending->arena, message->id);
	if (message->attachment_count == 0) {
		post_words(sending, message);
		return;
	}
	sending->attachment = provider_attachment(host, sending->arena, message->attachments);
	host->attachment(channel, sending->attachment, on_attachment, sending);
}

/* ---- files of customers: an id, then an address that is good for minutes ---- */

struct finding {
	struct channel *channel;
	struct media_search *search;
};

static void on_found(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct finding finding = *(struct finding *)context;
	const struct host *host = whatsapp_host();
	const struct graph_settings *settings = &settings_of(finding.channel)->graph;
	const char *const fields[] = { "authorization", graph_bearer(host, settings, arena), NULL };
	struct media_request request = { .url = provider_text(host, body, "url", NULL),
					 .fields = fields,
					 .allow_private = graph_is_private(settings) };

	free(context);
	if (request.url)
		host->media_found(finding.search, &request);
	else
		host->media_lost(finding.search, answer->status == 400 || answer->status == 404,
				 answer->error
					 ? answer->error
					 : provider_text(host, body, "error.message", "refused"));
}

void whatsapp_find_media(struct channel *channel, const struct attachment *attachment,
			 struct media_search *search)
{
	const struct host *host = whatsapp_host();
	struct arena *arena = host->arena_new();
	struct finding *finding = malloc(sizeof(*finding));
	struct graph_call call = { .channel = channel,
				   .settings = &settings_of(channel)->graph,
				   .method = "GET",
				   .done = on_found,
				   .context = finding };

	if (!finding)
		abort();
	*finding = (struct finding){ channel, search };
	call.path = host->url_escape(arena, attachment->url + strlen("media:"));
	graph_call(host, &call);
	host->arena_free(arena);
}

/* ---- a try ---- */

static void on_tried(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	(void)arena;
	graph_tried(whatsapp_host(), answer, body, "display_phone_number", context);
}

void whatsapp_test(struct channel *channel,
		   void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	const struct whatsapp_settings *settings = settings_of(channel);
	const struct graph_call call = { .channel = channel,
					 .settings = &settings->graph,
					 .method = "GET",
					 .path = settings->phone_number_id,
					 .done = on_tried,
					 .context = provider_trial_new(done, context) };

	graph_call(whatsapp_host(), &call);
}
