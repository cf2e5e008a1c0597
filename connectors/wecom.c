/* wecom: WeCom customer service (微信客服), developer.work.weixin.qq.com.
 *
 * In: the callback is only a signal; messages are pulled from sync_msg under
 * the channel's lease, by a cursor for each account that moves once a batch is
 * stored. Out: send_msg with a msgid of ours. Limits: text 2048 bytes; 48 h and
 * 5 messages after the customer wrote. */
#include "converge/connector.h"

#include <string.h>

#include "provider_call.h"
#include "wecom_private.h"

enum {
	SKEW_S = 300,
	TEXT_MAX = 2048,
	BODY_MAX = 64 * 1024,
	DAY_MS = 24 * 3600 * 1000,
};

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting wecom_settings_rows[] = {
	SETTING_ROW("corp_id", TEXT, struct wecom_settings, corp_id, NULL,
		    .flags = SETTING_REQUIRED, .text = "The company's ID (CorpID)."),
	SETTING_ROW("app_secret", SECRET, struct wecom_settings, app_secret, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Secret of the app that may call the customer-service API."),
	SETTING_ROW("token", SECRET, struct wecom_settings, token, NULL, .flags = SETTING_REQUIRED,
		    .text = "Token of the callback."),
	SETTING_ROW("encoding_aes_key", SECRET, struct wecom_settings, encoding_aes_key, NULL,
		    .flags = SETTING_REQUIRED, .text = "EncodingAESKey of the callback."),
	SETTING_ROW("api_base", URL, struct wecom_settings, api_base, WECOM_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_ROW("poll", TIME, struct wecom_settings, poll_ms, "10m", .min = 10000,
		    .max = DAY_MS, .text = "How often to look for messages whose signal was lost."),
	SETTING_ROW("reply_window", TIME, struct wecom_settings, reply_window_ms, "48h",
		    .min = 60000, .max = (int64_t)30 * DAY_MS,
		    .text = "How long after a message of the customer WeCom takes ours."),
	SETTING_ROW("reply_count", COUNT, struct wecom_settings, reply_count, "5", .min = 1,
		    .max = 1000, .text = "How many of ours after a message of the customer."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *wecom_host(void)
{
	return host;
}

struct wecom_account *wecom_account(struct wecom_state *state, const char *id)
{
	struct wecom_account *account = state->accounts;
	size_t len = id ? strlen(id) : 0;

	for (size_t i = 0; i < state->account_count; i++, account++)
		if (id && strcmp(account->id, id) == 0)
			return account;
	if (len == 0 || len >= WECOM_ID_BYTES || strpbrk(id, " \n") ||
	    state->account_count == WECOM_ACCOUNTS_MAX)
		return NULL;
	state->account_count++;
	memset(account, 0, sizeof(*account));
	memcpy(account->id, id, len + 1);
	return account;
}

/* ---- the proof ---- */

/* The signal's token spares the next pull the limit of those without one. */
static void note_signal(struct channel *channel, const char *plain, struct arena *arena)
{
	struct json_object *xml = host->xml_read(plain, strlen(plain), arena, NULL);
	const char *token = xml ? host->json_text(xml, "Token") : NULL;
	struct wecom_account *account =
		xml ? wecom_account(host->channel_state(channel), host->json_text(xml, "OpenKfId"))
		    : NULL;

	if (account && token && strlen(token) < sizeof(account->token)) {
		memcpy(account->token, token, strlen(token) + 1);
		account->is_wanted = true;
	}
	if (xml)
		host->json_free(xml);
}

static enum verdict wecom_verify(struct channel *channel, const struct inbound *in,
				 struct arena *arena, struct parsed *ret)
{
	const struct wecom_settings *settings = host->channel_settings(channel);
	const struct wecom_state *state = host->channel_state(channel);
	bool is_handshake = strcmp(in->method, "GET") == 0;
	const char *sealed =
		is_handshake ? host->query(in, "echostr") : envelope_sealed(host, in, arena);
	const char *const texts[] = { settings->token, host->query(in, "timestamp"),
				      host->query(in, "nonce"), sealed, NULL };
	const char *error, *plain;

	if (!provider_is_fresh(in, texts[1], 1, SKEW_S) ||
	    !envelope_is_signed(host, arena, host->query(in, "msg_signature"), texts, 4))
		return FORGED;
	plain = envelope_open(&state->seal, arena, sealed, &error);
	if (!plain)
		return FORGED;
	if (!is_handshake) {
		note_signal(channel, plain, arena);
		return VERIFIED;
	}
	ret->answer_status = 200;
	ret->answer_type = "text/plain";
	ret->answer_body = plain;
	return HANDSHAKE;
}

/* ---- the way in ---- */

/* A signal says only that there is something to be pulled. */
static int read_signal(const struct channel *channel, const struct inbound *in, struct arena *arena,
		       struct parsed *ret, const char **ret_error)
{
	const struct wecom_state *state = host->channel_state(channel);
	const char *sealed = envelope_sealed(host, in, arena);
	const char *plain;
	struct json_object *xml;

	ret->answer_status = 200;
	ret->answer_type = "text/plain";
	ret->answer_body = "success";
	*ret_error = "Encrypt: is missing";
	plain = sealed ? envelope_open(&state->seal, arena, sealed, ret_error) : NULL;
	xml = plain ? host->xml_read(plain, strlen(plain), arena, ret_error) : NULL;
	if (!xml)
		return -1;
	ret->wake = strcmp(provider_text(host, xml, "Event", ""), "kf_msg_or_event") == 0;
	host->json_free(xml);
	return 0;
}

/* What is posted is XML; what was pulled is JSON, and never posted: it is not sealed. */
static int wecom_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		       struct parsed *ret, const char **ret_error)
{
	if (in->body_len > 0 && in->body[0] == '{')
		return wecom_read_item(channel, in, arena, ret, ret_error);
	return read_signal(channel, in, arena, ret, ret_error);
}

static void wecom_find_media(struct channel *channel, const struct attachment *attachment,
			     struct media_search *search)
{
	struct wecom_state *state = host->channel_state(channel);

	weixin_find_media(&state->api, attachment, search);
}

static void wecom_window(const struct channel *channel, struct window_rules *ret)
{
	const struct wecom_settings *settings = host->channel_settings(channel);

	ret->open_ms = settings->reply_window_ms;
	ret->count = settings->reply_count;
	ret->after = AFTER_NOTHING;
}

/* ---- life ---- */

static bool is_set(const char *text)
{
	return text && text[0];
}

static int wecom_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct wecom_settings *settings = core->channel_settings(channel);
	struct wecom_state *state = core->channel_state(channel);

	host = core;
	if (!is_set(settings->corp_id) || !is_set(settings->app_secret) ||
	    !is_set(settings->token)) {
		*ret_error = "corp_id, app_secret and token must not be empty";
		return -1;
	}
	state->seal.host = core;
	state->seal.receive_id = settings->corp_id;
	if (!envelope_key_read(core, settings->encoding_aes_key, &state->seal.key)) {
		*ret_error = "encoding_aes_key must be 43 letters and digits";
		return -1;
	}
	wecom_api_open(channel);
	return 0;
}

static void wecom_close(struct channel *channel)
{
	struct wecom_state *state = host->channel_state(channel);

	access_token_close(&state->api.token);
}

const struct connector wecom_connector = {
	.name = "wecom",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | HAS_RECEIPTS | IDEMPOTENT_SEND |
		     PROVIDER_RETRIES | SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_BYTES,
	.body_limit = BODY_MAX,
	.window_ms = (int64_t)2 * DAY_MS,
	.identifier_kind = "wecom",
	.settings_size = sizeof(struct wecom_settings),
	.settings = wecom_settings_rows,
	.state_size = sizeof(struct wecom_state),
	.open = wecom_open,
	.close = wecom_close,
	.verify = wecom_verify,
	.parse = wecom_parse,
	.send = wecom_send,
	.poll = wecom_poll,
	.sent_as = wecom_sent_as,
	.find_media = wecom_find_media,
	.window = wecom_window,
	.test = wecom_test,
};
