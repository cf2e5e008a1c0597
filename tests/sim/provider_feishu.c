/* Feishu / Lark: events with an Encrypt Key (sealed and signed) or without (a token inside). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum {
	TEXT_MAX = 150 * 1024,
	CARD_MAX = 30 * 1024,
	UUID_MAX = 50,
	KEYS_MAX = 1000,
	AES_BLOCK = 16
};

struct feishu {
	char uuids[KEYS_MAX][UUID_MAX + 1]; /* and the message that each made */
	char messages[KEYS_MAX][64];
	size_t count;
};

static void error(struct ask *ask, const char *code, const char *detail)
{
	if (strcmp(code, "not_found") == 0)
		answer(ask, 404, "text/plain", "404 page not found", 18);
	else
		answer_json(ask, text_starts(code, "99991") || text_starts(code, "23") ? 400 : 200,
			    "{\"code\":%s,\"msg\":%s,\"error\":{\"log_id\":\"2026sim\"}}", code,
			    quote(ask->arena, detail));
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	if (status != 429)
		return "{\"code\":1500,\"msg\":\"internal error\"}";
	answer_field(ask, "x-ogw-ratelimit-limit", "50");
	answer_field(ask, "x-ogw-ratelimit-reset",
		     arena_format(ask->arena, "%lld", (long long)seconds));
	return "{\"code\":99991400,\"msg\":\"request trigger frequency limit\"}";
}

static bool token_is_right(struct ask *ask)
{
	const char *token = ask_bearer(ask);
	if (token_is_good(ask->sim, token))
		return true;
	refuse(ask, token[0] == '\0' ? "99991661" : "99991663", "Invalid access token");
	return false;
}

static void on_token(struct ask *ask)
{
	struct json_object *json = ask_json(ask);
	if (!text_equal(json_text(json, "app_id"), setting(ask->sim, "app_id")))
		refuse(ask, "10003", "invalid app_id");
	else if (!text_equal(json_text(json, "app_secret"), setting(ask->sim, "app_secret")))
		refuse(ask, "10014", "app secret invalid");
	else
		answer_json(ask, 200,
			    "{\"code\":0,\"msg\":\"ok\",\"tenant_access_token\":\"%s\",\"expire\":"
			    "7200}",
			    token_mint(ask->sim, "t-"));
}

/* ---- sends ---- */

static const char *wrong_with_content(struct ask *ask, const char *type,
				      struct json_object *content)
{
	const char *given = json_text(ask->json, "content");
	const char *key;
	if (content == NULL || json_kind(content) != JSON_OBJECT)
		return "230001";
	if (strcmp(type, "text") == 0) {
		if (said(content, "text", "")[0] == '\0')
			return "230001";
		return strlen(given) > TEXT_MAX ? "230025" : NULL;
	}
	if (strcmp(type, "post") == 0 || strcmp(type, "interactive") == 0)
		return strlen(given) > CARD_MAX ? "230025" : NULL;
	if (strcmp(type, "image") == 0)
		key = json_text(content, "image_key");
	else if (text_has_word("file,audio,media,sticker", ',', type))
		key = json_text(content, "file_key");
	else
		return text_has_word("share_chat,share_user", ',', type) ? NULL : "230001";
	return key != NULL && media_find(ask->sim, key) != NULL ? NULL : "230001";
}

static void answer_message(struct ask *ask, const char *id, const char *to)
{
	answer_json(
		ask, 200,
		"{\"code\":0,\"msg\":\"success\",\"data\":{\"message_id\":\"%s\",\"root_id\":\"\","
		"\"parent_id\":\"\",\"msg_type\":%s,\"create_time\":\"%lld\",\"chat_id\":\"oc_%s\","
		"\"sender\":{\"id\":\"%s\",\"id_type\":\"app_id\",\"sender_type\":\"app\"},"
		"\"body\":{\"content\":%s}}}",
		id, quote(ask->arena, json_text(ask->json, "msg_type")), (long long)sim_now_ms(),
		to, setting(ask->sim, "app_id"),
		quote(ask->arena, json_text(ask->json, "content")));
}

/* The message that this uuid made before; a new uuid is kept with this id. */
static const char *known_message(struct feishu *own, const char *uuid, const char *id)
{
	for (size_t i = 0; uuid != NULL && i < own->count; i++)
		if (strcmp(own->uuids[i], uuid) == 0)
			return own->messages[i];
	if (uuid != NULL && own->count < KEYS_MAX) {
		snprintf(own->uuids[own->count], sizeof(own->uuids[0]), "%s", uuid);
		snprintf(own->messages[own->count++], sizeof(own->messages[0]), "%s", id);
	}
	return NULL;
}

static void take(struct ask *ask, const char *to)
{
	const char *type = said(ask->json, "msg_type", "");
	const char *given = said(ask->json, "content", "");
	const char *uuid = json_text(ask->json, "uuid");
	struct error err;
	struct json_object *content = json_read(given, strlen(given), &err);
	const char *wrong = wrong_with_content(ask, type, content);
	if (wrong == NULL && uuid != NULL && strlen(uuid) > UUID_MAX)
		wrong = "230001";
	if (wrong != NULL) {
		refuse(ask, wrong, "Your request contains an invalid request parameter.");
		json_free(&content);
		return;
	}
	const char *id = arena_format(ask->arena, "om_sim%06lld", (long long)next_number(ask->sim));
	const char *known = known_message(ask->sim->own, uuid, id);
	const char *key = json_text(content, "image_key");
	accept_send(ask,
		    &(struct accepted){ .id = id,
					.to = to,
					.kind = type,
					.text = json_text(content, "text"),
					.media = key != NULL ? key : json_text(content, "file_key"),
					.key = uuid,
					.is_repeat = known != NULL });
	answer_message(ask, known != NULL ? known : id, to);
	json_free(&content);
}

static void on_send(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *type = ask_query(ask, "receive_id_type");
	const char *to = json_text(ask_json(ask), "receive_id");
	const struct person *person = person_find(ask->sim, to);
	if (type == NULL || !text_has_word("open_id,union_id,user_id,email,chat_id", ',', type))
		refuse(ask, "99992402", "field validation failed: receive_id_type");
	else if (ask->json == NULL || to == NULL)
		refuse(ask, "230001", "receive_id is missing");
	else if (strcmp(type, "open_id") == 0 && !text_starts(to, "ou_"))
		refuse(ask, "230001", "invalid receive_id");
	else if (strcmp(type, "chat_id") == 0 && !text_starts(to, "oc_"))
		refuse(ask, "230001", "invalid receive_id");
	else if (person == NULL || person->is_blocked)
		refuse(ask, "230013", "Bot has NO availability to this user.");
	else
		take(ask, to);
}

static void on_reply(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	if (ask_json(ask) == NULL)
		refuse(ask, "230001", "the body is no JSON");
	else if (!text_starts(ask->rest[0], "om_"))
		refuse(ask, "230001", "invalid message_id");
	else
		take(ask, ask->rest[0]);
}

/* ---- files ---- */

static void keep_upload(struct ask *ask, const struct part *file, const char *prefix,
			const char *member)
{
	const char *id =
		arena_format(ask->arena, "%s%lld", prefix, (long long)next_number(ask->sim));
	media_bytes(media_keep(ask->sim, id, file->type, file->file), file->bytes, file->len);
	answer_json(ask, 200, "{\"code\":0,\"msg\":\"success\",\"data\":{\"%s\":\"%s\"}}", member,
		    id);
}

static void on_image(struct ask *ask)
{
	struct part type, file;
	if (!token_is_right(ask))
		return;
	if (!ask_part(ask, "image_type", &type) || type.len != 7 ||
	    memcmp(type.bytes, "message", 7) != 0 || !ask_part(ask, "image", &file) ||
	    file.len == 0)
		refuse(ask, "234001", "Invalid request param.");
	else if (file.len > 10u << 20)
		refuse(ask, "234006", "The file size exceed the max value.");
	else
		keep_upload(ask, &file, "img_v3_", "image_key");
}

static void on_file(struct ask *ask)
{
	struct part type, name, file;
	if (!token_is_right(ask))
		return;
	bool is_whole = ask_part(ask, "file_type", &type) && ask_part(ask, "file_name", &name) &&
			ask_part(ask, "file", &file) && file.len > 0;
	if (!is_whole || !text_has_word("opus,mp4,pdf,doc,xls,ppt,stream", ',',
					arena_copy(ask->arena, type.bytes, type.len)))
		refuse(ask, "234001", "Invalid request param.");
	else if (file.len > 30u << 20)
		refuse(ask, "234006", "The file size exceed the max value.");
	else
		keep_upload(ask, &file, "file_v3_", "file_key");
}

static void on_resource(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *type = ask_query(ask, "type");
	const struct media *media = media_find(ask->sim, ask->rest[1]);
	if (type == NULL || !text_has_word("image,file", ',', type) || media == NULL ||
	    !text_starts(ask->rest[0], "om_"))
		refuse(ask, "234001", "Invalid request param.");
	else
		answer_media(ask, media);
}

static void on_bot(struct ask *ask)
{
	if (token_is_right(ask))
		answer_json(
			ask, 200,
			"{\"code\":0,\"msg\":\"ok\",\"bot\":{\"activate_status\":2,\"app_name\":"
			"\"Sim\",\"open_id\":\"ou_bot\"}}");
}

static void on_user(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	if (person_find(ask->sim, ask->rest[0]) == NULL)
		refuse(ask, "230013", "no such user");
	else
		answer_json(
			ask, 200,
			"{\"code\":0,\"msg\":\"success\",\"data\":{\"user\":{\"open_id\":\"%s\","
			"\"name\":\"李雷\"}}}",
			ask->rest[0]);
}

/* ---- customers ---- */

/* base64(iv, AES-256-CBC(PKCS#7)) with the hash of the Encrypt Key. */
static const char *seal(struct standin *sim, struct arena *arena, const char *json)
{
	unsigned char key[SHA256_BYTES];
	const char *encrypt_key = setting(sim, "encrypt_key");
	size_t len = strlen(json);
	size_t padded = len + AES_BLOCK - len % AES_BLOCK;
	unsigned char *plain = arena_alloc(arena, padded);
	unsigned char *sealed = arena_alloc(arena, AES_BLOCK + padded);
	char *text = arena_alloc(arena, 2 * (AES_BLOCK + padded) + 8);
	crypto_sha256(encrypt_key, strlen(encrypt_key), key);
	crypto_random(sealed, AES_BLOCK);
	memcpy(plain, json, len);
	memset(plain + len, (int)(padded - len), padded - len);
	crypto_aes256_cbc_encrypt(key, sealed, plain, padded, sealed + AES_BLOCK);
	text_base64(sealed, AES_BLOCK + padded, text);
	return text;
}

static void sign(struct post *post)
{
	const char *key = secret(post->sim, "encrypt_key");
	const char *stamp = post_stamp(post, false);
	struct buf text = { 0 };
	if (setting(post->sim, "encrypt_key")[0] == '\0')
		return;
	if (post->given_nonce == NULL)
		post->given_nonce = arena_format(post->arena, "n%lld", (long long)sim_now_ms());
	buf_format(&text, "%s%s%s", stamp, post->given_nonce, key);
	buf_add(&text, post->body, post->len);
	post_field(post, "X-Lark-Request-Timestamp", stamp);
	post_field(post, "X-Lark-Request-Nonce", post->given_nonce);
	post_field(post, "X-Lark-Signature", sha256_hex(post->arena, text.data, text.len));
	buf_clear(&text);
}

/* The legacy callback of a card: sha1 with the verification token, never sealed. */
static void sign_card(struct post *post)
{
	const char *stamp = post_stamp(post, false);
	struct buf text = { 0 };
	if (post->given_nonce == NULL)
		post->given_nonce = arena_format(post->arena, "n%lld", (long long)sim_now_ms());
	buf_format(&text, "%s%s%s", stamp, post->given_nonce,
		   secret(post->sim, "verification_token"));
	buf_add(&text, post->body, post->len);
	post_field(post, "X-Lark-Request-Timestamp", stamp);
	post_field(post, "X-Lark-Request-Nonce", post->given_nonce);
	post_field(post, "X-Lark-Signature", sha1_hex(post->arena, text.data, text.len));
	buf_clear(&text);
}

static struct post *make_post(struct standin *sim, const char *id, struct json_object *what,
			      const char *json)
{
	struct post *post = post_new(sim, id, what);
	const char *body = json;
	if (setting(sim, "encrypt_key")[0] != '\0')
		body = arena_format(post->arena, "{\"encrypt\":\"%s\"}",
				    seal(sim, post->arena, json));
	post_body(post, "application/json", body, strlen(body));
	post->sign = sign;
	return post;
}

/* header and event around what happened. */
static void post_event(struct standin *sim, const char *id, struct json_object *what,
		       const char *type, const char *event)
{
	struct arena *arena = arena_new(0);
	struct fault fault;
	/* Without a key the token is the whole proof. */
	bool is_bare = setting(sim, "encrypt_key")[0] == '\0';
	sim->is_lying = is_bare && fault_take(sim, "wrong_signature", "post", &fault);
	const char *json = arena_format(
		arena,
		"{\"schema\":\"2.0\",\"header\":{\"event_id\":\"ev-%lld\",\"event_type\":\"%s\","
		"\"create_time\":\"%lld\",\"token\":\"%s\",\"app_id\":\"%s\",\"tenant_key\":\"tk\"}"
		","
		"\"event\":%s}",
		(long long)next_number(sim), type, (long long)sim_now_ms(),
		secret(sim, "verification_token"), setting(sim, "app_id"), event);
	sim->is_lying = false;
	post_start(make_post(sim, id, what, json));
	arena_free(&arena);
}

/* "message_type" and "content" (JSON in a text); NULL: cannot be said. */
static const char *content(struct standin *sim, struct json_object *what, struct arena *arena)
{
	const char *kind = said(what, "kind", "text");
	const char *text = quote(arena, said(what, "text", ""));
	const char *type = kind;
	const char *inside = NULL;
	const char *id =
		arena_format(arena, "%s_v3_in%lld", strcmp(kind, "image") == 0 ? "img" : "file",
			     (long long)next_number(sim));
	if (strcmp(kind, "text") == 0)
		inside = arena_format(arena, "{\"text\":%s}", text);
	else if (strcmp(kind, "post") == 0)
		inside = arena_format(
			arena, "{\"title\":\"\",\"content\":[[{\"tag\":\"text\",\"text\":%s}]]}",
			text);
	else if (strcmp(kind, "location") == 0)
		inside = arena_format(
			arena, "{\"name\":%s,\"longitude\":\"%s\",\"latitude\":\"%s\"}", text,
			said(what, "longitude", "121.4737"), said(what, "latitude", "31.2304"));
	else if (media_said(sim, what, id) == NULL)
		return NULL;
	else if (strcmp(kind, "image") == 0)
		inside = arena_format(arena, "{\"image_key\":\"%s\"}", id);
	else
		inside = arena_format(arena,
				      "{\"file_key\":\"%s\",\"file_name\":%s,\"duration\":2000}",
				      id, quote(arena, said(what, "media.name", "file")));
	if (strcmp(kind, "voice") == 0)
		type = "audio";
	else if (strcmp(kind, "video") == 0)
		type = "media";
	return arena_format(arena, "\"message_type\":\"%s\",\"content\":%s", type,
			    quote(arena, inside));
}

static const char *message_event(struct standin *sim, struct json_object *what, struct arena *arena,
				 const char *id)
{
	const char *from = said(what, "from", "ou_demo");
	const char *chat = said(what, "chat", "");
	const char *reply_to = json_text(what, "reply_to");
	const char *inside = content(sim, what, arena);
	if (inside == NULL)
		return NULL;
	return arena_format(arena,
			    "{\"sender\":{\"sender_id\":{\"open_id\":%s,\"union_id\":\"on_%s\","
			    "\"user_id\":null},"
			    "\"sender_type\":\"user\",\"tenant_key\":\"tk\"},\"message\":{"
			    "\"message_id\":\"%s\",%s"
			    "\"chat_id\":\"%s\",\"chat_type\":\"%s\",\"create_time\":\"%lld\",%s}}",
			    quote(arena, from), from, id,
			    reply_to != NULL
				    ? arena_format(arena, "\"root_id\":%s,\"parent_id\":%s,",
						   quote(arena, reply_to), quote(arena, reply_to))
				    : "",
			    chat[0] != '\0' ? chat : arena_format(arena, "oc_%s", from),
			    chat[0] != '\0' ? "group" : "p2p", (long long)sim_now_ms(), inside);
}

/* Everything but messages: type and event; NULL: not of this kind. */
static const char *other_event(struct json_object *what, struct arena *arena, const char **ret_type)
{
	const char *kind = said(what, "kind", "text");
	const char *from = quote(arena, said(what, "from", "ou_demo"));
	if (strcmp(kind, "unsend") == 0) {
		*ret_type = "im.message.recalled_v1";
		return arena_format(arena,
				    "{\"message_id\":%s,\"chat_id\":\"oc_demo\",\"recall_time\":"
				    "\"%lld\",\"recall_type\":\"message_owner\"}",
				    quote(arena, said(what, "reply_to", "")),
				    (long long)sim_now_ms());
	}
	if (strcmp(kind, "postback") == 0) {
		*ret_type = "card.action.trigger";
		return arena_format(
			arena,
			"{\"operator\":{\"open_id\":%s,\"union_id\":\"on_1\"},\"token\":\"c-1\","
			"\"action\":{\"value\":{\"k\":%s},\"tag\":\"button\",\"name\":%s},"
			"\"context\":{"
			"\"open_message_id\":%s,\"open_chat_id\":\"oc_demo\"}}",
			from, quote(arena, said(what, "payload", "yes")),
			quote(arena, said(what, "text", "Yes")),
			quote(arena, said(what, "reply_to", "om_card")));
	}
	if (strcmp(kind, "event") == 0) {
		*ret_type = said(what, "event", "im.chat.access_event.bot_p2p_chat_entered_v1");
		return arena_format(
			arena, "{\"operator_id\":{\"open_id\":%s},\"chat_id\":\"oc_demo\"}", from);
	}
	return NULL;
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	const char *raw = json_text(what, "raw");
	const char *type = "im.message.receive_v1";
	snprintf(ret_id, 128, "om_cust%06lld", (long long)next_number(sim));
	const char *event = other_event(what, arena, &type);
	if (event == NULL)
		event = message_event(sim, what, arena, ret_id);
	person_of(sim, said(what, "from", "ou_demo"));
	if (json_has(what, "chat"))
		person_of(sim, said(what, "chat", ""));
	if (raw != NULL && strcmp(said(what, "kind", ""), "legacy_card") == 0) {
		struct post *post = post_new(sim, ret_id, what);
		post_body(post, "application/json", raw, strlen(raw));
		post->sign = sign_card;
		post_start(post);
	} else if (raw != NULL) {
		post_start(make_post(sim, ret_id, what, raw));
	} else if (event != NULL) {
		post_event(sim, ret_id, what, type, event);
	}
	arena_free(&arena);
	return raw != NULL || event != NULL ? NULL : "media.base64 is missing or unreadable";
}

static const char *receipt(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	bool is_read = strcmp(said(what, "status", "read"), "read") == 0;
	snprintf(ret_id, 128, "%s", said(what, "id", ""));
	if (is_read)
		post_event(sim, ret_id, NULL, "im.message.message_read_v1",
			   arena_format(arena,
					"{\"reader\":{\"reader_id\":{\"open_id\":%s},\"read_time\":"
					"\"%lld\",\"tenant_key\":\"tk\"},\"message_id_list\":[%s]}",
					quote(arena, said(what, "from", "ou_demo")),
					(long long)sim_now_ms(), quote(arena, ret_id)));
	arena_free(&arena);
	return is_read ? NULL : "Feishu tells only that a message was read";
}

static const char *check_challenge(struct post *post, int status, const char *body)
{
	struct error err;
	struct json_object *json = json_read(body, strlen(body), &err);
	const char *got = json_text(json, "challenge");
	const char *wrong = NULL;
	if (status != 200)
		wrong = "not 200";
	else if (post->took_ms > 1000)
		wrong = "later than 1 s";
	else if (got == NULL || strcmp(got, post->id) != 0)
		wrong = "not the challenge in JSON";
	json_free(&json);
	return wrong;
}

static const char *handshake(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	struct fault fault;
	const char *challenge = said(what, "challenge", "ajls384kdjx98XX");
	snprintf(ret_id, 128, "%s", challenge);
	sim->is_lying = fault_take(sim, "wrong_signature", "post", &fault);
	struct post *post = make_post(
		sim, challenge, what,
		arena_format(arena,
			     "{\"challenge\":%s,\"token\":\"%s\",\"type\":\"url_verification\"}",
			     quote(arena, challenge), secret(sim, "verification_token")));
	sim->is_lying = false;
	post->is_once = true;
	post->check = check_challenge;
	if (strcmp(setting(sim, "challenge_signed"), "no") == 0)
		post->sign = NULL;
	post_start(post);
	arena_free(&arena);
	return NULL;
}

static const struct setting_default settings[] = {
	{ "app_id", "cli_demo" },      { "app_secret", "simulated-feishu-secret" },
	{ "encrypt_key", "test key" }, { "verification_token", "vtok_0123456789" },
	{ "challenge_signed", "no" },  { NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/open-apis/auth/v3/tenant_access_token/internal", "token", on_token },
	{ "POST", "/open-apis/im/v1/messages", "send", on_send },
	{ "POST", "/open-apis/im/v1/messages/*/reply", "send", on_reply },
	{ "POST", "/open-apis/im/v1/images", "media", on_image },
	{ "POST", "/open-apis/im/v1/files", "media", on_file },
	{ "GET", "/open-apis/im/v1/messages/*/resources/*", "media", on_resource },
	{ "GET", "/open-apis/bot/v3/info", "other", on_bot },
	{ "GET", "/open-apis/contact/v3/users/*", "other", on_user },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 15000, 300000, 3600000, 21600000, -1 };

const struct provider feishu_provider = {
	.name = "feishu",
	.settings = settings,
	.routes = routes,
	.answer_ms = 3000,
	.retry_ms = retry_ms,
	.rate = 50,
	.mints_tokens = true,
	.token_code = "99991663",
	.own_size = sizeof(struct feishu),
	.error = error,
	.trouble = trouble,
	.say = say,
	.receipt = receipt,
	.handshake = handshake,
};
