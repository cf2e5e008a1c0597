/* WeCom customer service: a signal to the callback, then sync_msg is pulled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/xml.h"
#include "provider.h"

enum { TEXT_MAX = 2048, MSGID_MAX = 32, ITEMS_MAX = 2000, KEYS_MAX = 1000, STATE_ROBOT = 1 };

/* What sync_msg has to give, and which of our own message ids were seen. */
struct wecom {
	char *items[ITEMS_MAX];
	char accounts[ITEMS_MAX][64]; /* the open_kfid of each */
	size_t count;
	char keys[KEYS_MAX][MSGID_MAX + 1];
	size_t key_count;
	char signal_token[64];
	int states[PEOPLE_MAX]; /* session state by person, 0: as the setting says */
};

static void error(struct ask *ask, const char *code, const char *detail)
{
	if (strcmp(code, "not_found") == 0)
		answer(ask, 404, "text/html", "", 0);
	else
		answer_json(ask, 200, "{\"errcode\":%s,\"errmsg\":%s}", code,
			    quote(ask->arena, detail));
}

static const char *trouble(struct ask *ask, int status, int64_t seconds)
{
	(void)ask;
	(void)seconds;
	return status == 429 ? "{\"errcode\":45009,\"errmsg\":\"reach max api limit\"}"
			     : "{\"errcode\":-1,\"errmsg\":\"system busy\"}";
}

static bool token_is_right(struct ask *ask)
{
	const char *token = ask_query(ask, "access_token");
	if (token_is_good(ask->sim, token))
		return true;
	refuse(ask, token == NULL ? "41001" : "42001", "access_token missing or expired");
	return false;
}

static void on_token(struct ask *ask)
{
	if (!text_equal(ask_query(ask, "corpid"), setting(ask->sim, "corp_id")))
		refuse(ask, "40013", "invalid corpid");
	else if (!text_equal(ask_query(ask, "corpsecret"), setting(ask->sim, "app_secret")))
		refuse(ask, "40001", "invalid credential");
	else
		answer_json(ask, 200,
			    "{\"errcode\":0,\"errmsg\":\"ok\",\"access_token\":\"%s\","
			    "\"expires_in\":7200}",
			    token_mint(ask->sim, "wc_"));
}

/* ---- pulling ---- */

static void add_item(struct buf *out, const char *item)
{
	buf_format(out, "%s%s", out->len > 0 ? "," : "", item);
}

/* A cursor is "c-" and how far it got; "" is the start. */
static size_t cursor_at(const struct wecom *own, const char *cursor)
{
	size_t at = text_starts(cursor, "c-") ? strtoul(cursor + 2, NULL, 10) : 0;
	return at <= own->count ? at : own->count;
}

static void answer_sync(struct ask *ask, const char *account, const char *cursor, size_t limit)
{
	const struct wecom *own = ask->sim->own;
	const char *page = setting(ask->sim, "page"); /* smaller pages than were asked for */
	struct buf items = { 0 };
	size_t at = cursor_at(own, cursor);
	size_t given = 0;
	if (page[0] != '\0' && strtoul(page, NULL, 10) < limit)
		limit = strtoul(page, NULL, 10);
	while (at < own->count && given < limit) {
		if (strcmp(own->accounts[at], account) == 0) {
			add_item(&items, own->items[at]);
			given++;
		}
		at++;
	}
	answer_json(ask, 200,
		    "{\"errcode\":0,\"errmsg\":\"ok\",\"next_cursor\":\"c-%zu\",\"has_more\":%d,"
		    "\"msg_list\":[%s]}",
		    at, at < own->count ? 1 : 0, buf_string(&items));
	buf_clear(&items);
}

static void on_sync(struct ask *ask)
{
	const struct wecom *own = ask->sim->own;
	if (!token_is_right(ask))
		return;
	struct json_object *json = ask_json(ask);
	const char *account = said(json, "open_kfid", "");
	const char *cursor = said(json, "cursor", "");
	const char *token = said(json, "token", "");
	int64_t limit = json_int(json, "limit", 1000);
	if (json == NULL)
		refuse(ask, "40063", "the body is no JSON");
	else if (!text_has_word(setting(ask->sim, "open_kfid"), ',', account))
		refuse(ask, "95000", "invalid open_kfid");
	else if (limit < 1 || limit > 1000 || strlen(cursor) > 64)
		refuse(ask, "40058", "invalid limit or cursor");
	else if (token[0] != '\0' && strcmp(token, own->signal_token) != 0)
		refuse(ask, "95007", "invalid msg token");
	else
		answer_sync(ask, account, cursor, (size_t)limit);
}

/* ---- sends ---- */

static const char *wrong_with_content(struct ask *ask, const char *type)
{
	struct json_object *inside = json_at(ask->json, type);
	const char *id = json_text(inside, "media_id");
	if (strcmp(type, "text") == 0) {
		const char *text = said(inside, "content", "");
		return text[0] == '\0' || strlen(text) > TEXT_MAX ? "40058" : NULL;
	}
	if (text_has_word("image,voice,video,file", ',', type))
		return id != NULL && media_find(ask->sim, id) != NULL ? NULL : "40007";
	if (strcmp(type, "location") == 0)
		return json_has(inside, "latitude") && json_has(inside, "longitude") ? NULL
										     : "40058";
	return text_has_word("link,miniprogram,msgmenu", ',', type) ? NULL : "40008";
}

static bool key_is_wrong(const char *key)
{
	return key != NULL &&
	       (strlen(key) > MSGID_MAX ||
		key[strspn(key,
			   "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-")] !=
			'\0');
}

static bool key_is_known(struct wecom *own, const char *key)
{
	for (size_t i = 0; i < own->key_count; i++)
		if (strcmp(own->keys[i], key) == 0)
			return true;
	if (own->key_count < KEYS_MAX)
		snprintf(own->keys[own->key_count++], sizeof(own->keys[0]), "%s", key);
	return false;
}

static int *state_of(struct standin *sim, const char *who)
{
	struct wecom *own = sim->own;
	int *state = &own->states[person_find(sim, who) - sim->people];
	if (*state == 0)
		*state = (int)strtol(setting(sim, "service_state"), NULL, 10);
	return state;
}

static const char *wrong_with(struct ask *ask, const char *to, const char *key)
{
	struct json_object *json = ask->json;
	struct person *person = person_find(ask->sim, to);
	const char *account = said(json, "open_kfid", "");
	if (!text_has_word(setting(ask->sim, "open_kfid"), ',', account))
		return "95000";
	if (person == NULL)
		return "40096";
	if (key_is_wrong(key))
		return "40058";
	const char *wrong = wrong_with_content(ask, said(json, "msgtype", ""));
	if (wrong != NULL)
		return wrong;
	if (*state_of(ask->sim, to) > STATE_ROBOT)
		return "95018";
	return NULL;
}

static void on_send(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	if (ask_json(ask) == NULL) {
		refuse(ask, "40063", "the body is no JSON");
		return;
	}
	const char *to = json_text(ask->json, "touser");
	const char *key = json_text(ask->json, "msgid");
	const char *wrong = wrong_with(ask, to, key);
	bool is_repeat = wrong == NULL && key != NULL && key_is_known(ask->sim->own, key);
	if (wrong == NULL && !is_repeat && !window_take(ask->sim, to))
		wrong = "95001";
	if (wrong != NULL) {
		refuse(ask, wrong, "the message cannot be sent");
		return;
	}
	const char *type = json_text(ask->json, "msgtype");
	const char *id =
		key != NULL ? key
			    : arena_format(ask->arena, "kf%lld", (long long)next_number(ask->sim));
	accept_send(ask,
		    &(struct accepted){ .id = id,
					.to = to,
					.kind = type,
					.text = json_text(ask->json, "text.content"),
					.media = json_text(json_at(ask->json, type), "media_id"),
					.key = key,
					.is_repeat = is_repeat });
	answer_json(ask, 200, "{\"errcode\":0,\"errmsg\":\"ok\",\"msgid\":%s}",
		    quote(ask->arena, id));
}

/* Single use, for an event's code. */
static void on_send_event(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *code = json_text(ask_json(ask), "code");
	const char *type = said(ask->json, "msgtype", "");
	if (code == NULL || !text_starts(code, "code_"))
		refuse(ask, "95007", "invalid code");
	else if (key_is_known(ask->sim->own, code))
		refuse(ask, "95007", "the code was used");
	else if (!text_has_word("text,msgmenu", ',', type))
		refuse(ask, "40008", "invalid message type");
	else {
		accept_send(ask, &(struct accepted){ .id = code,
						     .kind = type,
						     .text = json_text(ask->json, "text.content"),
						     .key = code });
		answer_json(ask, 200, "{\"errcode\":0,\"errmsg\":\"ok\",\"msgid\":%s}",
			    quote(ask->arena, code));
	}
}

static void on_state_get(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *who = json_text(ask_json(ask), "external_userid");
	if (person_find(ask->sim, who) == NULL)
		refuse(ask, "40096", "invalid external userid");
	else
		answer_json(ask, 200,
			    "{\"errcode\":0,\"errmsg\":\"ok\",\"service_state\":%d,"
			    "\"servicer_userid\":\"\"}",
			    *state_of(ask->sim, who));
}

static void on_state_trans(struct ask *ask)
{
	if (!token_is_right(ask))
		return;
	const char *who = json_text(ask_json(ask), "external_userid");
	int64_t to = json_int(ask->json, "service_state", -1);
	if (person_find(ask->sim, who) == NULL) {
		refuse(ask, "40096", "invalid external userid");
		return;
	}
	int *state = state_of(ask->sim, who);
	if (to < *state || to > 4 || *state == 4 || (*state == to && to != 3)) {
		refuse(ask, "95016", "the state cannot be changed so");
		return;
	}
	*state = (int)to;
	answer_json(ask, 200, "{\"errcode\":0,\"errmsg\":\"ok\",\"msg_code\":\"code_%lld\"}",
		    (long long)next_number(ask->sim));
}

static void on_customers(struct ask *ask)
{
	struct buf out = { 0 };
	if (!token_is_right(ask))
		return;
	struct json_object *list = json_at(ask_json(ask), "external_userid_list");
	if (json_count(list) < 1 || json_count(list) > 100) {
		refuse(ask, "40058", "external_userid_list");
		return;
	}
	for (size_t i = 0; i < json_count(list); i++) {
		const char *who = json_string(json_item(list, i));
		if (person_find(ask->sim, who) != NULL)
			add_item(&out,
				 arena_format(ask->arena,
					      "{\"external_userid\":%s,\"nickname\":\"小明\","
					      "\"avatar\":\"\",\"gender\":1,\"unionid\":\"u_%s\"}",
					      quote(ask->arena, who), who));
	}
	answer_json(ask, 200,
		    "{\"errcode\":0,\"errmsg\":\"ok\",\"customer_list\":[%s],"
		    "\"invalid_external_userid\":[]}",
		    buf_string(&out));
	buf_clear(&out);
}

/* The setting may name several. */
static const char *first_account(struct standin *sim, struct arena *arena)
{
	const char *accounts = setting(sim, "open_kfid");
	return arena_copy(arena, accounts, strcspn(accounts, ","));
}

static void on_accounts(struct ask *ask)
{
	if (token_is_right(ask))
		answer_json(
			ask, 200,
			"{\"errcode\":0,\"errmsg\":\"ok\",\"account_list\":[{\"open_kfid\":\"%s\","
			"\"name\":\"客服\",\"avatar\":\"\"}]}",
			first_account(ask->sim, ask->arena));
}

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
	if (type == NULL || !text_has_word("image,voice,video,file", ',', type)) {
		refuse(ask, "40004", "invalid media type");
		return;
	}
	if (!ask_part(ask, "media", &file) || file.file == NULL) {
		refuse(ask, "41005", "media data missing");
		return;
	}
	size_t limit = strcmp(type, "voice") == 0  ? 2u << 20
		       : strcmp(type, "file") == 0 ? 20u << 20
						   : 10u << 20;
	if (file.len < 5 || file.len > limit) {
		refuse(ask, file.len < 5 ? "40006" : "45001", "invalid media size");
		return;
	}
	const char *id = arena_format(ask->arena, "up_%lld", (long long)next_number(ask->sim));
	media_bytes(media_keep(ask->sim, id, file.type, file.file), file.bytes, file.len);
	answer_json(ask, 200,
		    "{\"errcode\":0,\"errmsg\":\"ok\",\"type\":\"%s\",\"media_id\":\"%s\","
		    "\"created_at\":\"%lld\"}",
		    type, id, (long long)(sim_now_ms() / 1000));
}

/* ---- customers ---- */

static const char *nonce_of(struct post *post)
{
	if (post->given_nonce == NULL)
		post->given_nonce =
			arena_format(post->arena, "%09lld", (long long)(sim_now_ms() % 1000000000));
	return post->given_nonce;
}

static void sign(struct post *post)
{
	struct error err;
	bool is_get = strcmp(post->method, "GET") == 0;
	struct json_object *xml = is_get ? NULL : xml_read(post->body, post->len, &err);
	const char *sealed = is_get ? post->id : said(xml, "Encrypt", "");
	const char *stamp = post_stamp(post, false);
	const char *const words[] = { secret(post->sim, "token"), stamp, nonce_of(post), sealed,
				      NULL };
	post_query(post, "msg_signature", sha1_sorted(post->arena, words));
	post_query(post, "timestamp", stamp);
	post_query(post, "nonce", nonce_of(post));
	if (is_get)
		post_query(post, "echostr", sealed);
	json_free(&xml);
}

static const char *check(struct post *post, int status, const char *body)
{
	(void)post;
	if (status != 200)
		return status == 0 ? "no answer in 5 s" : "not 200";
	return body[0] == '\0' || strcmp(body, "success") == 0 ? NULL : "neither empty nor success";
}

static const char *check_echo(struct post *post, int status, const char *body)
{
	const char *plain = envelope_open(post->arena, setting(post->sim, "encoding_aes_key"),
					  post->id, setting(post->sim, "corp_id"));
	if (status != 200)
		return "not 200";
	return plain != NULL && strcmp(body, plain) == 0 ? NULL : "not the decrypted echostr alone";
}

/* The doorbell. raw: its XML. */
static void ring(struct standin *sim, const char *id, struct json_object *what, const char *account)
{
	struct wecom *own = sim->own;
	struct post *post = post_new(sim, id, what);
	struct buf body = { 0 };
	const char *raw = json_text(what, "raw");
	snprintf(own->signal_token, sizeof(own->signal_token), "ENC%lld",
		 (long long)next_number(sim));
	const char *xml =
		raw != NULL
			? raw
			: arena_format(
				  post->arena,
				  "<xml><ToUserName><![CDATA[%s]]></ToUserName><CreateTime>%lld"
				  "</CreateTime><MsgType><![CDATA[event]]></MsgType><Event>"
				  "<![CDATA[kf_msg_or_event]]></Event><Token><![CDATA[%s]]></Token>"
				  "<OpenKfId><![CDATA[%s]]></OpenKfId></xml>",
				  setting(sim, "corp_id"), (long long)(sim_now_ms() / 1000),
				  own->signal_token, account);
	const char *sealed = json_text(what, "sealed");
	if (sealed == NULL)
		sealed = envelope_seal(post->arena, setting(sim, "encoding_aes_key"), xml,
				       setting(sim, "corp_id"), json_text(what, "random"));
	buf_format(&body,
		   "<xml><ToUserName><![CDATA[%s]]></ToUserName><Encrypt><![CDATA[%s]]></Encrypt>"
		   "<AgentID><![CDATA[]]></AgentID></xml>",
		   setting(sim, "corp_id"), sealed);
	post_body(post, "text/xml", body.data, body.len);
	buf_clear(&body);
	post->sign = sign;
	post->check = check;
	post_start(post);
}

static void keep(struct standin *sim, const char *account, const char *item)
{
	struct wecom *own = sim->own;
	if (own->count == ITEMS_MAX)
		return;
	snprintf(own->accounts[own->count], sizeof(own->accounts[0]), "%s", account);
	own->items[own->count++] = memory_text(item);
}

/* "msgtype":..., "<type>":{...}; NULL: cannot be said. */
static const char *content(struct standin *sim, struct json_object *what, struct arena *arena)
{
	const char *kind = said(what, "kind", "text");
	const char *text = quote(arena, said(what, "text", ""));
	if (strcmp(kind, "text") == 0)
		return arena_format(arena, "\"msgtype\":\"text\",\"text\":{\"content\":%s}", text);
	if (strcmp(kind, "postback") == 0)
		return arena_format(arena,
				    "\"msgtype\":\"text\",\"text\":{\"content\":%s,\"menu_id\":%s}",
				    text, quote(arena, said(what, "payload", "101")));
	if (strcmp(kind, "location") == 0)
		return arena_format(arena,
				    "\"msgtype\":\"location\",\"location\":{\"latitude\":%s,"
				    "\"longitude\":%s,\"name\":%s,\"address\":%s}",
				    said(what, "latitude", "31.2304"),
				    said(what, "longitude", "121.4737"), text,
				    quote(arena, said(what, "address", "")));
	if (strcmp(kind, "link") == 0)
		return arena_format(arena,
				    "\"msgtype\":\"link\",\"link\":{\"title\":%s,\"desc\":\"\","
				    "\"url\":\"https://example.test/\",\"pic_url\":\"\"}",
				    text);
	const char *id = arena_format(arena, "med_%lld", (long long)next_number(sim));
	if (media_said(sim, what, id) == NULL)
		return NULL;
	return arena_format(arena, "\"msgtype\":\"%s\",\"%s\":{\"media_id\":\"%s\"}", kind, kind,
			    id);
}

static const char *event_of(struct json_object *what, const char *from, const char *account,
			    struct arena *arena)
{
	const char *event = said(what, "event", "enter_session");
	const char *details = "";
	if (strcmp(event, "enter_session") == 0)
		details = ",\"scene\":\"123\",\"scene_param\":\"a\",\"welcome_code\":\"code_w1\"";
	else if (strcmp(event, "user_recall_msg") == 0)
		details = arena_format(arena, ",\"recall_msgid\":%s",
				       quote(arena, said(what, "reply_to", "")));
	else if (strcmp(event, "session_status_change") == 0)
		details = ",\"change_type\":3,\"old_servicer_userid\":\"zhang\",\"msg_code\":"
			  "\"code_s1\"";
	/* Such items may come without an id and without an account of their own. */
	return arena_format(arena,
			    "{\"msgtype\":\"event\",\"send_time\":%lld,\"origin\":4,\"event\":{"
			    "\"event_type\":\"%s\",\"open_kfid\":\"%s\",\"external_userid\":%s%s}}",
			    (long long)(sim_now_ms() / 1000), event, account, quote(arena, from),
			    details);
}

static const char *say(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	const char *from = said(what, "from", "wmDEMO7");
	const char *account = said(what, "open_kfid", first_account(sim, arena));
	bool is_event = strcmp(said(what, "kind", "text"), "event") == 0;
	const char *inside = is_event ? "" : content(sim, what, arena);
	snprintf(ret_id, 128, "msg_%lld", (long long)next_number(sim));
	if (inside != NULL && json_text(what, "raw") == NULL && json_text(what, "sealed") == NULL) {
		keep(sim, account,
		     is_event ? event_of(what, from, account, arena)
			      : arena_format(
					arena,
					"{\"msgid\":\"%s\",\"open_kfid\":\"%s\","
					"\"external_userid\":%s,\"send_time\":%lld,\"origin\":%s,"
					"%s%s}",
					ret_id, account, quote(arena, from),
					(long long)(sim_now_ms() / 1000), said(what, "origin", "3"),
					strcmp(said(what, "origin", "3"), "5") == 0
						? "\"servicer_userid\":\"zhang\","
						: "",
					inside));
		person_of(sim, from);
		if (!is_event)
			window_open(sim, from, strtoll(setting(sim, "window_ms"), NULL, 10),
				    strtoll(setting(sim, "window_count"), NULL, 10));
	}
	if (inside != NULL && !json_bool(what, "silent", false))
		ring(sim, ret_id, what, account);
	arena_free(&arena);
	return inside != NULL ? NULL : "media.base64 is missing or unreadable";
}

/* Only failures are told. */
static const char *receipt(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct arena *arena = arena_new(0);
	const char *account = first_account(sim, arena);
	const char *id = said(what, "id", "");
	bool is_failed = strcmp(said(what, "status", "failed"), "failed") == 0;
	snprintf(ret_id, 128, "%s", id);
	if (is_failed) {
		keep(sim, account,
		     arena_format(
			     arena,
			     "{\"msgid\":\"ev_%lld\",\"send_time\":%lld,\"origin\":4,\"msgtype\":"
			     "\"event\",\"open_kfid\":\"%s\",\"event\":{\"event_type\":"
			     "\"msg_send_fail\",\"open_kfid\":\"%s\",\"external_userid\":%s,"
			     "\"fail_msgid\":%s,\"fail_type\":%s}}",
			     (long long)next_number(sim), (long long)(sim_now_ms() / 1000), account,
			     account, quote(arena, said(what, "from", "wmDEMO7")), quote(arena, id),
			     said(what, "code", "10")));
		ring(sim, id, NULL, account);
	}
	arena_free(&arena);
	return is_failed ? NULL : "WeCom tells only failures";
}

static const char *handshake(struct standin *sim, struct json_object *what, char ret_id[128])
{
	struct fault fault;
	struct arena *arena = arena_new(0);
	const char *sealed = json_text(what, "sealed");
	if (sealed == NULL)
		sealed = envelope_seal(arena, setting(sim, "encoding_aes_key"),
				       said(what, "echostr", "1616140317555161061"),
				       setting(sim, "corp_id"), json_text(what, "random"));
	struct post *post = post_new(sim, sealed, what);
	snprintf(ret_id, 128, "handshake");
	post->method = "GET";
	post->is_once = true;
	post->is_forged = fault_take(sim, "wrong_signature", "post", &fault);
	post->sign = sign;
	post->check = check_echo;
	post_start(post);
	arena_free(&arena);
	return NULL;
}

static void end(struct standin *sim)
{
	struct wecom *own = sim->own;
	for (size_t i = 0; i < own->count; i++)
		free(own->items[i]);
}

static const struct setting_default settings[] = {
	{ "corp_id", "ww0123456789abcdef" },
	{ "app_secret", "simulated-corp-secret" },
	{ "token", "kfToken1" },
	{ "encoding_aes_key", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C" },
	{ "open_kfid", "wkDEMO1" }, /* several by commas */
	{ "service_state", "1" },
	{ "page", "" },
	{ "window_ms", "172800000" },
	{ "window_count", "5" },
	{ NULL, NULL },
};

static const struct route routes[] = {
	{ "GET", "/cgi-bin/gettoken", "token", on_token },
	{ "POST", "/cgi-bin/kf/sync_msg", "poll", on_sync },
	{ "POST", "/cgi-bin/kf/send_msg", "send", on_send },
	{ "POST", "/cgi-bin/kf/send_msg_on_event", "send", on_send_event },
	{ "POST", "/cgi-bin/kf/service_state/get", "other", on_state_get },
	{ "POST", "/cgi-bin/kf/service_state/trans", "other", on_state_trans },
	{ "POST", "/cgi-bin/kf/customer/batchget", "other", on_customers },
	{ "*", "/cgi-bin/kf/account/list", "other", on_accounts },
	{ "GET", "/cgi-bin/media/get", "media", on_media_get },
	{ "POST", "/cgi-bin/media/upload", "media", on_media_upload },
	{ NULL, NULL, NULL, NULL },
};

static const int64_t retry_ms[] = { 0, 0, -1 };

const struct provider wecom_provider = {
	.name = "wecom",
	.settings = settings,
	.routes = routes,
	.answer_ms = 5000,
	.retry_ms = retry_ms,
	.mints_tokens = true,
	.window_code = "95001",
	.token_code = "42001",
	.own_size = sizeof(struct wecom),
	.error = error,
	.trouble = trouble,
	.say = say,
	.receipt = receipt,
	.handshake = handshake,
	.end = end,
};
