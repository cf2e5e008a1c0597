/* WhatsApp Cloud API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider_graph.h"

enum { BODY_MAX = 4096, LABEL_MAX = 512, CAPTION_MAX = 1024, BUTTONS_MAX = 3, TITLE_MAX = 20 };

static bool call_is_right(struct ask *ask)
{
	if (!graph_version_is_right(ask) || !graph_token_is_right(ask))
		return false;
	if (strcmp(ask->rest[1], setting(ask->sim, "phone_number_id")) == 0)
		return true;
	refuse(ask, "not_found", "Object with that ID does not exist");
	return false;
}

/* ---- what a message must have: NULL, or its error code ---- */

static const char *check_text(struct ask *ask)
{
	const char *body = json_text(ask->json, "text.body");
	if (body == NULL || body[0] == '\0')
		return "131008";
	return text_characters(body, strlen(body)) > BODY_MAX ? "131009" : NULL;
}

static const char *check_file(struct ask *ask)
{
	const char *type = json_text(ask->json, "type");
	struct json_object *file = json_at(ask->json, type);
	const char *id = json_text(file, "id");
	const char *link = json_text(file, "link");
	const char *caption = json_text(file, "caption");
	if ((id == NULL) == (link == NULL))
		return "131008";
	if (id != NULL && media_find(ask->sim, id) == NULL)
		return "131009";
	if (link != NULL && !text_starts(link, "http"))
		return "131009";
	if (caption != NULL && (strcmp(type, "audio") == 0 || strcmp(type, "sticker") == 0))
		return "131009";
	if (json_has(file, "filename") && strcmp(type, "document") != 0)
		return "131009";
	return caption != NULL && text_characters(caption, strlen(caption)) > CAPTION_MAX ? "131009"
											  : NULL;
}

static const char *check_location(struct ask *ask)
{
	return json_has(ask->json, "location.latitude") && json_has(ask->json, "location.longitude")
		       ? NULL
		       : "131008";
}

static const char *check_template(struct ask *ask)
{
	const char *name = json_text(ask->json, "template.name");
	struct json_object *parts = json_at(ask->json, "template.components");
	if (name == NULL || json_text(ask->json, "template.language.code") == NULL)
		return "131008";
	if (!text_has_word(setting(ask->sim, "templates"), ',', name))
		return "132001";
	for (size_t i = 0; i < json_count(parts); i++) {
		struct json_object *part = json_item(parts, i);
		if (json_text(part, "type") == NULL ||
		    json_kind(json_at(part, "parameters")) != JSON_ARRAY)
			return "131009";
	}
	return NULL;
}

static const char *check_interactive(struct ask *ask)
{
	struct json_object *buttons = json_at(ask->json, "interactive.action.buttons");
	if (json_text(ask->json, "interactive.body.text") == NULL)
		return "131008";
	if (json_count(buttons) > BUTTONS_MAX)
		return "131009";
	for (size_t i = 0; i < json_count(buttons); i++) {
		const char *title = json_text(json_item(buttons, i), "reply.title");
		if (title == NULL || text_characters(title, strlen(title)) > TITLE_MAX)
			return "131009";
	}
	return NULL;
}

static const char *check_reaction(struct ask *ask)
{
	return json_text(ask->json, "reaction.message_id") != NULL ? NULL : "131008";
}

static const struct {
	const char *type;
	const char *(*check)(struct ask *ask);
	const char *text; /* where a line of text stands in it */
} types[] = {
	{ "text", check_text, "text.body" },
	{ "image", check_file, "image.caption" },
	{ "video", check_file, "video.caption" },
	{ "audio", check_file, NULL },
	{ "document", check_file, "document.caption" },
	{ "sticker", check_file, NULL },
	{ "location", check_location, "location.name" },
	{ "template", check_template, "template.name" },
	{ "interactive", check_interactive, "interactive.body.text" },
	{ "reaction", check_reaction, "reaction.emoji" },
};

static size_t type_of(struct ask *ask)
{
	const char *type = said(ask->json, "type", "text");
	size_t at = 0;
	while (at < COUNT_OF(types) && strcmp(types[at].type, type) != 0)
		at++;
	return at;
}

static void post_status(struct standin *sim, const char *id, const char *to, const char *label,
			const char *inside)
{
	struct buf body = { 0 };
	struct arena *arena = arena_new(0);
	buf_format(
		&body,
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"%s\",\"changes\":[{"
		"\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\":{"
		"\"display_phone_number\":\"15550783881\",\"phone_number_id\":\"%s\"},"
		"\"statuses\":[{\"id\":%s,\"timestamp\":\"%lld\",\"recipient_id\":%s,%s%s%s%s}]},"
		"\"field\":\"messages\"}]}]}",
		setting(sim, "waba_id"), setting(sim, "phone_number_id"), quote(arena, id),
		(long long)(sim_now_ms() / 1000), quote(arena, to),
		label != NULL ? "\"biz_opaque_callback_data\":" : "",
		label != NULL ? quote(arena, label) : "", label != NULL ? "," : "", inside);
	graph_post(sim, id, NULL, &body);
	buf_clear(&body);
	arena_free(&arena);
}

static const char *status_failed(struct arena *arena, const char *code)
{
	return arena_format(arena,
			    "\"status\":\"failed\",\"errors\":[{\"code\":%s,\"title\":\"failed\","
			    "\"message\":\"failed\",\"error_data\":{\"details\":\"by the test\"},"
			    "\"href\":\"https://developers.facebook.com/docs/whatsapp\"}]",
			    code);
}

static void take(struct ask *ask, const char *to, size_t type)
{
	const char *id =
		arena_format(ask->arena, "wamid.HBgSIM%06lld", (long long)next_number(ask->sim));
	const char *kind = types[type].type;
	struct json_object *file = json_at(ask->json, kind);
	const char *media = json_text(file, "id");
	accept_send(ask,
		    &(struct accepted){ .id = id,
					.to = to,
					.kind = kind,
					.text = types[type].text != NULL
							? json_text(ask->json, types[type].text)
							: NULL,
					.media = media != NULL ? media : json_text(file, "link"),
					.key = json_text(ask->json, "biz_opaque_callback_data") });
	answer_json(ask, 200,
		    "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"%s\",\"wa_id\":"
		    "\"%s\"}],\"messages\":[{\"id\":\"%s\",\"message_status\":\"accepted\"}]}",
		    to, to, id);
}

static const char *wrong_with(struct ask *ask, const char *to, size_t type)
{
	const struct person *person = person_find(ask->sim, to);
	const char *label = json_text(ask->json, "biz_opaque_callback_data");
	const char *is_individual = said(ask->json, "recipient_type", "individual");
	if (!text_equal(json_text(ask->json, "messaging_product"), "whatsapp") ||
	    strcmp(is_individual, "individual") != 0 || !digits_only(to))
		return "100";
	if (type == COUNT_OF(types))
		return "131051";
	if (label != NULL && strlen(label) > LABEL_MAX)
		return "131009";
	const char *wrong = types[type].check(ask);
	if (wrong != NULL)
		return wrong;
	if (person != NULL && person->is_blocked)
		return "131026";
	if (strcmp(types[type].type, "template") == 0 || window_take(ask->sim, to))
		return NULL;
	return "131047";
}

static void on_message(struct ask *ask)
{
	if (!call_is_right(ask))
		return;
	if (ask_json(ask) == NULL) {
		refuse(ask, "100", "The body is no JSON");
		return;
	}
	if (text_equal(json_text(ask->json, "status"), "read")) {
		const char *id = json_text(ask->json, "message_id");
		if (id == NULL || !text_starts(id, "wamid."))
			refuse(ask, "100", "message_id is no message of a customer");
		else
			answer_json(ask, 200, "{\"success\":true}");
		return;
	}
	const char *to = json_text(ask->json, "to");
	size_t type = type_of(ask);
	const char *wrong = wrong_with(ask, to, type);
	if (wrong == NULL) {
		take(ask, to, type);
		return;
	}
	/* Bad manners of the newer API: taken first, refused by a status. */
	if (strcmp(wrong, "131047") == 0 &&
	    strcmp(setting(ask->sim, "window_refusal"), "later") == 0) {
		take(ask, to, type);
		return;
	}
	refuse(ask, wrong, "The message is not what the API asks for");
}

static void on_upload(struct ask *ask)
{
	struct part file, type, product;
	if (!call_is_right(ask))
		return;
	if (!ask_part(ask, "messaging_product", &product) || product.len != 8 ||
	    memcmp(product.bytes, "whatsapp", 8) != 0) {
		refuse(ask, "100", "messaging_product is missing");
		return;
	}
	if (!ask_part(ask, "file", &file) || file.file == NULL || file.len == 0) {
		refuse(ask, "100", "file is missing");
		return;
	}
	const char *kind = ask_part(ask, "type", &type)
				   ? arena_copy(ask->arena, type.bytes, type.len)
				   : file.type;
	size_t limit = text_starts(kind, "image/")   ? 5u << 20
		       : text_starts(kind, "audio/") ? 16u << 20
		       : text_starts(kind, "video/") ? 16u << 20
						     : 100u << 20;
	if (strchr(kind, '/') == NULL || file.len > limit) {
		refuse(ask, "131053", "the type or the size is not supported");
		return;
	}
	const char *id = arena_format(ask->arena, "9%012lld", (long long)next_number(ask->sim));
	media_bytes(media_keep(ask->sim, id, kind, file.file), file.bytes, file.len);
	answer_json(ask, 200, "{\"id\":\"%s\"}", id);
}

/* A file's address, or the number itself (a test of the channel). */
static void on_object(struct ask *ask)
{
	const struct media *media = media_find(ask->sim, ask->rest[1]);
	if (!graph_version_is_right(ask) || !graph_token_is_right(ask))
		return;
	if (media != NULL)
		answer_json(ask, 200,
			    "{\"messaging_product\":\"whatsapp\",\"url\":%s,\"mime_type\":%s,"
			    "\"sha256\":\"%s\",\"file_size\":%zu,\"id\":%s}",
			    quote(ask->arena, graph_media_url(ask->sim, ask->arena, media->id)),
			    quote(ask->arena, media->type),
			    sha256_hex(ask->arena, media->bytes, media->len), media->len,
			    quote(ask->arena, media->id));
	else if (strcmp(ask->rest[1], setting(ask->sim, "phone_number_id")) == 0)
		answer_json(ask, 200,
			    "{\"id\":\"%s\",\"display_phone_number\":\"+1 555-078-3881\","
			    "\"verified_name\":\"Sim\",\"quality_rating\":\"GREEN\"}",
			    ask->rest[1]);
	else
		refuse(ask, "not_found", "Object with that ID does not exist");
}

/* ---- customers ---- */

/* The member of a message that its kind names; NULL: cannot be said. */
static const char *content(struct standin *sim, struct json_object *what, struct arena *arena)
{
	const char *kind = said(what, "kind", "text");
	const char *text = quote(arena, said(what, "text", ""));
	if (strcmp(kind, "text") == 0)
		return arena_format(arena, "\"type\":\"text\",\"text\":{\"body\":%s}", text);
	if (strcmp(kind, "postback") == 0)
		return arena_format(arena,
				    "\"type\":\"interactive\",\"interactive\":{\"type\":"
				    "\"button_reply\",\"button_reply\":{\"id\":%s,\"title\":%s}}",
				    quote(arena, said(what, "payload", "yes")), text);
	if (strcmp(kind, "location") == 0)
		return arena_format(arena,
				    "\"type\":\"location\",\"location\":{\"latitude\":%s,"
				    "\"longitude\":%s,\"name\":%s,\"address\":%s}",
				    said(what, "latitude", "31.2304"),
				    said(what, "longitude", "121.4737"), text,
				    quote(arena, said(what, "address", "")));
	if (strcmp(kind, "reaction") == 0)
		return arena_format(
			arena,
			"\"type\":\"reaction\",\"reaction\":{\"message_id\":%s,\"emoji\":%s}",
			quote(arena, said(what, "reply_to", "")), text);
	if (strcmp(kind, "unsupported") == 0)
		return "\"type\":\"unsupported\",\"errors\":[{\"code\":131051,\"title\":\"Message "
		       "type unknown\",\"message\":\"Message type unknown\",\"error_data\":{"
		       "\"details\":\"Message type is currently not supported.\"}}]";
	const char *id = arena_format(arena, "8%012lld", (long long)next_number(sim));
	const struct media *media = media_said(sim, what, id);
	const char *type = strcmp(kind, "file") == 0    ? "document"
			   : strcmp(kind, "voice") == 0 ? "audio"
							: kind;
	if (media == NULL)
		return NULL;
	return arena_format(arena,
			    "\"type\":\"%s\",\"%s\":{\"id\":\"%s\",\"mime_type\":%s,\"sha256\":\"%"
			    "s\"%s%s%s%s%s}",
			    type, type, id, quote(arena, media->type),
			    sha256_hex(arena, media->bytes, media->len),
			    strcmp(type, "document") == 0 ? ",\"filename\":" : "",
			    strcmp(type, "document") == 0 ? quote(arena, media->name) : "",
			    strcmp(text, "\"\"") != 0 ? ",\"caption\":" : "",
			    strcmp(text, "\"\"") != 0 ? text : "",
			    strcmp(kind, "voice") == 0 ? ",\"voice\":true" : "");
}

static void add_message(struct json_object *what, const char *id, const char *inside,
			struct buf *out)
{
	struct arena *arena = arena_new(0);
	const char *reply_to = json_text(what, "reply_to");
	buf_format(out, "%s{\"from\":%s,\"id\":%s,\"timestamp\":\"%lld\",%s%s}",
		   out->data != NULL && out->data[out->len - 1] == '}' ? "," : "",
		   quote(arena, said(what, "from", "16505551234")), quote(arena, id),
		   (long long)(graph_time_ms(what) / 1000),
		   reply_to != NULL
			   ? arena_format(arena,
					  "\"context\":{\"from\":\"15550783881\",\"id\":%s},",
					  quote(arena, reply_to))
			   : "",
		   inside);
	arena_free(&arena);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	struct buf body = { 0 };
	const char *from = said(what, "from", "16505551234");
	struct json_object *texts = json_at(what, "texts");
	const char *inside = content(sim, what, arena);
	snprintf(ret_id, 128, "wamid.HBgCUST%06lld", (long long)next_number(sim));
	if (json_has(what, "id"))
		snprintf(ret_id, 128, "%s", said(what, "id", ""));
	buf_format(
		&body,
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"%s\",\"changes\":[{"
		"\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\":{"
		"\"display_phone_number\":\"15550783881\",\"phone_number_id\":\"%s\"},"
		"\"contacts\":[{\"profile\":{\"name\":%s},\"wa_id\":%s}],\"messages\":[",
		setting(sim, "waba_id"), setting(sim, "phone_number_id"),
		quote(arena, said(what, "name", "Ana")), quote(arena, from));
	for (size_t i = 0; i < json_count(texts); i++)
		add_message(what, arena_format(arena, "%s-%zu", ret_id, i),
			    arena_format(arena, "\"type\":\"text\",\"text\":{\"body\":%s}",
					 quote(arena, json_string(json_item(texts, i)))),
			    &body);
	if (json_count(texts) == 0 && inside != NULL)
		add_message(what, ret_id, inside, &body);
	buf_text(&body, "]},\"field\":\"messages\"}]}]}");
	if (inside != NULL) {
		window_open(sim, from, strtoll(setting(sim, "window_ms"), NULL, 10), 0);
		graph_post(sim, ret_id, what, &body);
	}
	buf_clear(&body);
	arena_free(&arena);
	return inside != NULL ? NULL : "media.base64 is missing or unreadable";
}

static const char *receipt(struct standin *sim, struct json_object *what, char ret_id[128])
{
	const char *status = said(what, "status", "delivered");
	struct json_object *line = graph_sent(sim, json_text(what, "id"));
	struct arena *arena = arena_new(0);
	const char *inside =
		strcmp(status, "failed") == 0
			? status_failed(arena, said(what, "code", "131026"))
			: arena_format(arena,
				       "\"status\":\"%s\",\"pricing\":{\"billable\":true,"
				       "\"pricing_model\":\"PMP\",\"category\":\"service\"}",
				       status);
	snprintf(ret_id, 128, "%s", said(what, "id", ""));
	if (line != NULL)
		post_status(sim, ret_id, said(line, "to", ""), json_text(line, "key"), inside);
	arena_free(&arena);
	bool is_known = line != NULL;
	json_free(&line);
	return is_known ? NULL : "nothing was sent as that id";
}

static const struct setting_default settings[] = {
	{ "access_token", "EAASimulatedToken" },
	{ "app_secret", "0123456789abcdef0123456789abcdef" },
	{ "verify_token", "mytoken" },
	{ "phone_number_id", "106540352242922" },
	{ "waba_id", "102290129340398" },
	{ "templates", "hello_world,order_update" },
	{ "window_ms", "86400000" },
	{ "window_refusal", "now" },
	{ "media_token", "yes" },
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/v*/*/messages", "send", on_message },
	{ "POST", "/v*/*/media", "media", on_upload },
	{ "GET", "/v*/*", "media", on_object },
	{ "GET", "/media/*", "media", graph_on_media },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 2000, 10000, 60000, 300000, 3600000, -1 };

const struct provider whatsapp_provider = {
	.name = "whatsapp",
	.settings = settings,
	.routes = routes,
	.answer_ms = 5000,
	.retry_ms = retry_ms,
	.rate = 80,
	.window_code = "131047",
	.token_code = "190",
	.error = graph_error,
	.trouble = graph_trouble,
	.say = say,
	.receipt = receipt,
	.handshake = graph_handshake,
};
