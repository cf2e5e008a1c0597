/* WeChat Official Account: plain, compatible and safe (AES) mode by the settings mode and
 * encoding_aes_key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/xml.h"
#include "provider.h"

enum { TEXT_MAX = 2048, TOKEN_LIFE_S = 7200, MENU_COUNT = 3, MENU_MS = 60000 };

static void error(struct ask *ask, const char *code, const char *detail)
{
	long number = strcmp(code, "not_found") == 0 ? -1 : strtol(code, NULL, 10);
	if (strcmp(code, "not_found") == 0)
		answer(ask, 404, "text/html", "", 0);
	else
		answer_json(
			ask, 200, "{\"errcode\":%ld,\"errmsg\":%s}", number,
			quote(ask->arena, arena_format(ask->arena, "%s rid: 65a-1b2c", detail)));
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	(void)ask;
	(void)seconds;
	return status == 429 ? "{\"errcode\":45011,\"errmsg\":\"api minute-quota reach limit\"}"
			     : "{\"errcode\":-1,\"errmsg\":\"system error\"}";
}

static bool token_is_right(struct ask *ask)
{
	const char *token = ask_query(ask, "access_token");
	if (token == NULL)
		refuse(ask, "41001", "access_token missing");
	else if (token_is_good(ask->sim, token))
		return true;
	else
		refuse(ask, "40001", "invalid credential, access_token is invalid or not latest");
	return false;
}

static void answer_token(struct ask *ask, const char *appid, const char *app_secret)
{
	if (!text_equal(appid, setting(ask->sim, "app_id")))
		refuse(ask, "40013", "invalid appid");
	else if (!text_equal(app_secret, setting(ask->sim, "app_secret")))
		refuse(ask, "40125", "invalid appsecret");
	else
		answer_json(ask, 200, "{\"access_token\":\"%s\",\"expires_in\":%d}",
			    token_mint(ask->sim, "88_"), TOKEN_LIFE_S);
}

static void on_stable_token(struct ask *ask)
{
	struct json_object *json = ask_json(ask);
	if (!text_equal(json_text(json, "grant_type"), "client_credential")) {
		refuse(ask, "40002", "invalid grant_type");
		return;
	}
	if (json_bool(json, "force_refresh", false))
		ask->sim->token[0] = '\0';
	answer_token(ask, json_text(json, "appid"), json_text(json, "secret"));
}

/* The old way: every call puts the last token out. */
static void on_old_token(struct ask *ask)
{
	ask->sim->token[0] = '\0';
	answer_token(ask, ask_query(ask, "appid"), ask_query(ask, "secret"));
}

/* ---- sends ---- */

/* \uXXXX beyond ASCII. */
static bool has_escaped_letters(const char *json)
{
	for (; *json != '\0'; json++) {
		if (*json != '\\' || *++json == '\0')
			continue;
		if (*json == 'u' && strncmp(json + 1, "00", 2) != 0)
			return true;
	}
	return false;
}

static const char *wrong_with_content(struct ask *ask, const char *type)
{
	struct json_object *inside = json_at(ask->json, type);
	const char *id = json_text(inside, "media_id");
	if (strcmp(type, "text") == 0) {
		const char *text = json_text(inside, "content");
		if (text == NULL || text[0] == '\0')
			return "44004";
		/* Chinese that goes as \uXXXX is shown as such. */
		if (has_escaped_letters(ask->body))
			return "40035";
		return strlen(text) > TEXT_MAX ? "45002" : NULL;
	}
	if (strcmp(type, "image") == 0 || strcmp(type, "voice") == 0 || strcmp(type, "video") == 0)
		return id != NULL && media_find(ask->sim, id) != NULL ? NULL : "40007";
	if (strcmp(type, "news") == 0)
		return json_count(json_at(inside, "articles")) == 1 ? NULL : "45008";
	if (strcmp(type, "msgmenu") == 0)
		return json_count(json_at(inside, "list")) > 0 ? NULL : "40035";
	return strcmp(type, "miniprogrampage") == 0 ? NULL : "40008";
}

static void on_custom(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	/* WeChat reads the body as JSON whatever its type is called. */
	struct error err;
	ask->json = json_read(ask->body, ask->len, &err);
	const char *to = json_text(ask->json, "touser");
	const char *type = said(ask->json, "msgtype", "");
	struct person *person = person_find(ask->sim, to);
	if (ask->json == NULL) {
		refuse(ask, "47001", "data format error");
		return;
	}
	if (person == NULL) {
		refuse(ask, "40003", "invalid openid");
		return;
	}
	const char *wrong = wrong_with_content(ask, type);
	if (wrong == NULL && person->is_blocked)
		wrong = "45015";
	else if (wrong == NULL && person->window_until_ms < sim_now_ms())
		wrong = "45015";
	else if (wrong == NULL && !window_take(ask->sim, to))
		wrong = "45047";
	if (wrong != NULL) {
		refuse(ask, wrong, "response out of limit or the message is wrong");
		return;
	}
	const char *id = arena_format(ask->arena, "%lld", (long long)next_number(ask->sim));
	const char *text = json_text(ask->json, "text.content");
	accept_send(ask,
		    &(struct accepted){ .id = id,
					.to = to,
					.kind = type,
					.text = text,
					.media = json_text(json_at(ask->json, type), "media_id") });
	answer_json(ask, 200, "{\"errcode\":0,\"errmsg\":\"ok\"}");
}

static void on_template(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	struct json_object *json = ask_json(ask);
	const char *to = json_text(json, "touser");
	const char *template = json_text(json, "template_id");
	if (person_find(ask->sim, to) == NULL)
		refuse(ask, "40003", "invalid openid");
	else if (template == NULL || !text_has_word(setting(ask->sim, "templates"), ',', template))
		refuse(ask, "40037", "invalid template_id");
	else if (json_kind(json_at(json, "data")) != JSON_OBJECT)
		refuse(ask, "47003", "argument invalid! data");
	else {
		const char *id = arena_format(ask->arena, "20016322%08lld",
					      (long long)next_number(ask->sim));
		accept_send(ask,
			    &(struct accepted){
				    .id = id, .to = to, .kind = "template", .text = template });
		answer_json(ask, 200, "{\"errcode\":0,\"errmsg\":\"ok\",\"msgid\":%s}", id);
	}
}

static void on_typing(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *command = json_text(ask_json(ask), "command");
	if (command == NULL || !text_has_word("Typing,CancelTyping", ',', command))
		refuse(ask, "45072", "command not allowed");
	else
		answer_json(ask, 200, "{\"errcode\":0,\"errmsg\":\"ok\"}");
}

static void on_user(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *openid = ask_query(ask, "openid");
	const struct person *person = person_find(ask->sim, openid);
	if (person == NULL)
		refuse(ask, "40003", "invalid openid");
	else
		answer_json(ask, 200,
			    "{\"subscribe\":%d,\"openid\":%s,\"unionid\":\"u_%s\","
			    "\"subscribe_time\":1767322545,\"remark\":\"\",\"tagid_list\":[]}",
			    person->is_blocked ? 0 : 1, quote(ask->arena, openid), openid);
}

static void on_ips(struct ask *ask)
{
	if (token_is_right(ask))
		answer_json(ask, 200, "{\"ip_list\":[\"127.0.0.1\"]}");
}

/* ---- media ---- */

static void on_media_get(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const struct media *media = media_find(ask->sim, ask_query(ask, "media_id"));
	if (media == NULL)
		refuse(ask, "40007", "invalid media_id");
	else
		answer_media(ask, media);
}

static void on_media_upload(struct ask *ask)
{
	struct part file;
	if (!token_is_right(ask))
		return;
	const char *type = ask_query(ask, "type");
	if (type == NULL || !text_has_word("image,voice,video,thumb", ',', type)) {
		refuse(ask, "40004", "invalid media type");
		return;
	}
	if (!ask_part(ask, "media", &file) || file.file == NULL || file.len == 0) {
		refuse(ask, "41005", "media data missing");
		return;
	}
	size_t limit = strcmp(type, "voice") == 0   ? 2u << 20
		       : strcmp(type, "thumb") == 0 ? 64u << 10
						    : 10u << 20;
	if (file.len > limit) {
		refuse(ask, "45001", "media size out of limit");
		return;
	}
	const char *id = arena_format(ask->arena, "up_%lld", (long long)next_number(ask->sim));
	media_bytes(media_keep(ask->sim, id, file.type, file.file), file.bytes, file.len);
	answer_json(ask, 200, "{\"type\":\"%s\",\"media_id\":\"%s\",\"created_at\":%lld}", type, id,
		    (long long)(sim_now_ms() / 1000));
}

/* ---- customers ---- */

static bool is_encrypted(struct standin *sim)
{
	return strcmp(setting(sim, "mode"), "plain") != 0;
}

static const char *nonce_of(struct post *post)
{
	if (post->given_nonce == NULL)
		post->given_nonce =
			arena_format(post->arena, "%09lld", (long long)(sim_now_ms() % 1000000000));
	return post->given_nonce;
}

/* post->body is the sealed message already; here only what every attempt has anew. */
static void sign(struct post *post)
{
	struct standin *sim = post->sim;
	const char *token = secret(sim, "token");
	const char *stamp = post_stamp(post, false);
	const char *nonce = nonce_of(post);
	const char *const plain[] = { token, stamp, nonce, NULL };
	post_query(post, "signature", sha1_sorted(post->arena, plain));
	post_query(post, "timestamp", stamp);
	post_query(post, "nonce", nonce);
	if (strcmp(post->method, "GET") == 0) {
		post_query(post, "echostr", post->id);
		return;
	}
	post_query(post, "openid", "of-no-matter");
	if (!is_encrypted(sim))
		return;
	struct error err;
	struct json_object *xml = xml_read(post->body, post->len, &err);
	const char *const sealed[] = { token, stamp, nonce, said(xml, "Encrypt", ""), NULL };
	post_query(post, "encrypt_type", "aes");
	post_query(post, "msg_signature", sha1_sorted(post->arena, sealed));
	json_free(&xml);
}

static const char *check(struct post *post, int status, const char *body)
{
	(void)post;
	if (status != 200)
		return status == 0 ? "no answer in 5 s: the customer sees an error" : "not 200";
	if (body[0] == '\0' || strcmp(body, "success") == 0)
		return NULL;
	return text_starts(body, "<xml>") ? NULL : "neither success nor empty nor XML";
}

static const char *check_echo(struct post *post, int status, const char *body)
{
	if (status != 200)
		return "not 200";
	return strcmp(body, post->id) == 0 ? NULL : "not the echostr, exactly";
}

static void add(struct buf *out, const char *name, const char *value)
{
	buf_format(out, "<%s><![CDATA[%s]]></%s>", name, value, name);
}

/* The elements of a file; false: there is none. */
static bool add_file(struct standin *sim, struct json_object *what, const char *kind,
		     struct buf *out)
{
	char id[64];
	snprintf(id, sizeof(id), "med_%lld", (long long)next_number(sim));
	if (media_said(sim, what, id) == NULL)
		return false;
	if (strcmp(kind, "image") == 0)
		buf_format(out, "<PicUrl><![CDATA[http://%s/pic/%s]]></PicUrl>", sim->listen, id);
	if (strcmp(kind, "voice") == 0)
		add(out, "Format", "amr");
	if (strcmp(kind, "video") == 0)
		add(out, "ThumbMediaId", id);
	add(out, "MediaId", id);
	return true;
}

/* The elements of an event. */
static void add_event(struct json_object *what, const char *event, struct buf *out)
{
	add(out, "MsgType", "event");
	add(out, "Event", event);
	add(out, "EventKey", said(what, "payload", ""));
}

static bool add_content(struct standin *sim, struct json_object *what, struct buf *out)
{
	const char *kind = said(what, "kind", "text");
	const char *text = said(what, "text", "");
	if (strcmp(kind, "postback") == 0) {
		add_event(what, "CLICK", out);
		return true;
	}
	if (strcmp(kind, "event") == 0) {
		add_event(what, said(what, "event", "subscribe"), out);
		return true;
	}
	add(out, "MsgType", kind);
	if (strcmp(kind, "text") == 0) {
		add(out, "Content", text);
	} else if (strcmp(kind, "location") == 0) {
		buf_format(out, "<Location_X>%s</Location_X><Location_Y>%s</Location_Y>",
			   said(what, "latitude", "31.2304"), said(what, "longitude", "121.4737"));
		add(out, "Scale", "16");
		add(out, "Label", text);
	} else if (strcmp(kind, "link") == 0) {
		add(out, "Title", text);
		add(out, "Description", text);
		add(out, "Url", said(what, "url", "https://example.test/"));
	} else if (!add_file(sim, what, kind, out)) {
		return false;
	}
	buf_format(out, "<MsgId>%s</MsgId>", said(what, "id", "0"));
	return true;
}

/* Menu clicks, following and scans open a short window of their own. */
static void open_window(struct standin *sim, struct json_object *what, const char *from)
{
	const char *kind = said(what, "kind", "text");
	const char *event = said(what, "event", "");
	struct person *person = person_of(sim, from);
	if (strcmp(event, "unsubscribe") == 0) {
		person->is_blocked = true;
		return;
	}
	if (strcmp(event, "subscribe") == 0)
		person->is_blocked = false;
	if (strcmp(kind, "postback") == 0 || strcmp(event, "subscribe") == 0 ||
	    strcmp(event, "SCAN") == 0)
		window_open(sim, from, MENU_MS, MENU_COUNT);
	else if (strcmp(kind, "event") != 0)
		window_open(sim, from, strtoll(setting(sim, "window_ms"), NULL, 10),
			    strtoll(setting(sim, "window_count"), NULL, 10));
}

static void post_xml(struct standin *sim, const char *id, struct json_object *what, const char *xml)
{
	struct post *post = post_new(sim, id, what);
	struct buf body = { 0 };
	if (is_encrypted(sim)) {
		buf_text(&body, "<xml>");
		add(&body, "ToUserName", setting(sim, "original_id"));
		if (strcmp(setting(sim, "mode"), "compatible") == 0)
			buf_format(&body, "%.*s", (int)(strlen(xml) - strlen("<xml></xml>")),
				   xml + strlen("<xml>"));
		add(&body, "Encrypt",
		    envelope_seal(post->arena, setting(sim, "encoding_aes_key"), xml,
				  setting(sim, "app_id"), json_text(what, "random")));
		buf_text(&body, "</xml>");
	} else {
		buf_text(&body, xml);
	}
	post_body(post, "text/xml", body.data, body.len);
	buf_clear(&body);
	post->sign = sign;
	post->check = check;
	post_start(post);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct buf xml = { 0 };
	struct buf inside = { 0 };
	const char *from = said(what, "from", "oABCD1234567890abcdefghijkl0");
	const char *raw = json_text(what, "raw");
	struct json_object *given = json_at(what, "id");
	snprintf(ret_id, 128, "2400000%012lld", (long long)next_number(sim));
	if (json_string(given) != NULL)
		snprintf(ret_id, 128, "%s", json_string(given));
	buf_text(&xml, "<xml>");
	add(&xml, "ToUserName", setting(sim, "original_id"));
	add(&xml, "FromUserName", from);
	buf_format(&xml, "<CreateTime>%lld</CreateTime>",
		   (long long)json_int(what, "at_s", sim_now_ms() / 1000));
	bool is_right = raw != NULL || add_content(sim, what, &inside);
	/* The id that add_content() did not know yet. */
	char *zero = inside.data != NULL ? strstr(inside.data, "<MsgId>0</MsgId>") : NULL;
	if (zero != NULL)
		*zero = '\0';
	buf_text(&xml, buf_string(&inside));
	if (zero != NULL)
		buf_format(&xml, "<MsgId>%s</MsgId>", ret_id);
	buf_text(&xml, "</xml>");
	if (is_right) {
		open_window(sim, what, from);
		post_xml(sim, ret_id, what, raw != NULL ? raw : xml.data);
	}
	buf_clear(&xml);
	buf_clear(&inside);
	return is_right ? NULL : "media.base64 is missing or unreadable";
}

/* Only of templates: there is no other receipt. */
static const char *receipt(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct buf xml = { 0 };
	bool is_failed = strcmp(said(what, "status", "delivered"), "failed") == 0;
	snprintf(ret_id, 128, "%s", said(what, "id", ""));
	buf_text(&xml, "<xml>");
	add(&xml, "ToUserName", setting(sim, "original_id"));
	add(&xml, "FromUserName", said(what, "from", "oABCD1234567890abcdefghijkl0"));
	buf_format(&xml, "<CreateTime>%lld</CreateTime>", (long long)(sim_now_ms() / 1000));
	add(&xml, "MsgType", "event");
	add(&xml, "Event", "TEMPLATESENDJOBFINISH");
	buf_format(&xml, "<MsgID>%s</MsgID>", ret_id);
	add(&xml, "Status", is_failed ? said(what, "code", "failed:user block") : "success");
	buf_text(&xml, "</xml>");
	post_xml(sim, ret_id, NULL, xml.data);
	buf_clear(&xml);
	return NULL;
}

static const char *handshake(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct fault fault;
	struct post *post = post_new(sim, said(what, "echostr", "5927782489442352469"), what);
	snprintf(ret_id, 128, "handshake");
	post->method = "GET";
	post->is_once = true;
	post->is_forged = fault_take(sim, "wrong_signature", "post", &fault);
	post->sign = sign;
	post->check = check_echo;
	post_start(post);
	return NULL;
}

static const struct setting_default settings[] = {
	{ "app_id", "wxb11529c136998cb6" },
	{ "app_secret", "simulated-app-secret-0123456789ab" },
	{ "token", "pamtest" },
	{ "encoding_aes_key", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG" },
	{ "mode", "safe" }, /* plain, compatible, safe */
	{ "original_id", "gh_0123456789ab" },
	{ "templates", "tpl_order" },
	{ "window_ms", "172800000" },
	{ "window_count", "5" },
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "POST", "/cgi-bin/stable_token", "token", on_stable_token },
	{ "GET", "/cgi-bin/token", "token", on_old_token },
	{ "POST", "/cgi-bin/message/custom/send", "send", on_custom },
	{ "POST", "/cgi-bin/message/template/send", "send", on_template },
	{ "POST", "/cgi-bin/message/custom/typing", "other", on_typing },
	{ "GET", "/cgi-bin/user/info", "other", on_user },
	{ "GET", "/cgi-bin/get_api_domain_ip", "other", on_ips },
	{ "GET", "/cgi-bin/getcallbackip", "other", on_ips },
	{ "GET", "/cgi-bin/media/get", "media", on_media_get },
	{ "POST", "/cgi-bin/media/upload", "media", on_media_upload },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 0, 0, -1 };

const struct provider wechat_provider = {
	.name = "wechat",
	.settings = settings,
	.routes = routes,
	.answer_ms = 5000,
	.retry_ms = retry_ms,
	.mints_tokens = true,
	.window_code = "45015",
	.token_code = "42001",
	.error = error,
	.trouble = trouble,
	.say = say,
	.receipt = receipt,
	.handshake = handshake,
};
