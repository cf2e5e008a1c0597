/* struct host: what a connector may ask of the core. The pure part is here;
 * http, mail, IMAP and the cursor have files of their own. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "host/host_private.h"
#include "services/http_server.h"
#include "services/loop.h"
#include "verify/jwt.h"

enum { HMAC_KEY_BYTES = 64 };

static char *host_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static char *host_format(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = arena_alloc(arena, len > 0 ? (size_t)len + 1 : 1);
	if (len > 0)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}

static const char *host_field(const struct inbound *in, const char *name)
{
	const struct request_view *view = in->request;

	return view && view->field ? view->field(view->context, name) : NULL;
}

static const char *host_query(const struct inbound *in, const char *name)
{
	const struct request_view *view = in->request;

	return view && view->query ? view->query(view->context, name) : NULL;
}

static struct json_object *host_json_read(const char *bytes, size_t len, struct arena *arena,
					  const char **ret_error)
{
	struct error err = { 0 };
	struct json_object *value = json_read(bytes, len, &err);

	if (!value && ret_error)
		*ret_error = arena_text(arena, err.text);
	return value;
}

static void host_json_free(struct json_object *value)
{
	json_free(&value);
}

static const char *host_json_text(struct json_object *value, const char *path)
{
	return path[0] ? json_text(value, path) : json_string(value);
}

static enum host_json_kind host_json_kind(struct json_object *value, const char *path)
{
	static const enum host_json_kind kinds[] = {
		[JSON_NULL] = HOST_JSON_ABSENT,   [JSON_BOOL] = HOST_JSON_BOOL,
		[JSON_NUMBER] = HOST_JSON_NUMBER, [JSON_TEXT] = HOST_JSON_TEXT,
		[JSON_ARRAY] = HOST_JSON_ARRAY,   [JSON_OBJECT] = HOST_JSON_OBJECT,
	};

	return kinds[json_kind(path[0] ? json_at(value, path) : value)];
}

static char *host_json_quote(struct arena *arena, const char *text)
{
	OWNED(buf_clear) struct buf buf = { 0 };
	struct json_out out;

	jw_start(&out, &buf);
	jw_text(&out, NULL, text);
	return arena_copy(arena, buf_string(&buf), buf.len);
}

static void host_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
			     unsigned char out[32])
{
	static struct {
		struct mac *mac;
		unsigned char key[HMAC_KEY_BYTES];
		size_t len;
	} kept;

	if (key_len > HMAC_KEY_BYTES) {
		OWNED(mac_free) struct mac *once = mac_new(key, key_len);

		mac_once(once, bytes, len, out);
		return;
	}
	/* Setting a key up costs as much as signing a message with it, and most
	 * messages in a row are of one channel. */
	if (kept.mac == NULL || !crypto_equal(kept.key, kept.len, key, key_len)) {
		mac_free(&kept.mac);
		kept.mac = mac_new(key, key_len);
		memcpy(kept.key, key, key_len);
		kept.len = key_len;
	}
	mac_once(kept.mac, bytes, len, out);
}

static char *host_base64(struct arena *arena, const void *bytes, size_t len)
{
	char *text = arena_alloc(arena, 4 * ((len + 2) / 3) + 1);

	text_base64(bytes, len, text);
	return text;
}

static char *host_hex(struct arena *arena, const void *bytes, size_t len)
{
	char *text = arena_alloc(arena, 2 * len + 1);

	text_hex(bytes, len, text);
	return text;
}

static void *host_channel_state(const struct channel *channel)
{
	return channel->state;
}

static const void *host_channel_settings(const struct channel *channel)
{
	return channel->settings;
}

static struct arena *host_channel_arena(struct channel *channel)
{
	return channel->arena;
}

static void host_log(const struct channel *channel, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void host_log(const struct channel *channel, int level, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (level < LOG_ERROR || level > LOG_DEBUG)
		level = LOG_DEBUG;
	log_line((enum log_level)level, channel->name, "connector=%s %s", channel->connector->name,
		 line);
}

static void host_wake(struct channel *channel, int64_t delay_ms)
{
	if (!channel->closed)
		loop_timer_start(channel->wake, delay_ms);
}

static char *host_format_time(struct arena *arena, int64_t unix_ms)
{
	char text[32];

	text_format_time(unix_ms, text);
	return arena_text(arena, text);
}

static int64_t host_unix_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool host_jwt(const struct host_jwt *check, struct arena *arena, struct host_jwt_claims *ret,
		     const char **ret_error)
{
	struct error err = { 0 };

	if (jwt_check(check, arena, ret, &err) == 0)
		return true;
	if (ret_error)
		*ret_error = arena_text(arena, err.text);
	return false;
}

static void host_sent(struct delivery *delivery, const char *provider_id)
{
	const struct channel_hooks *hooks = &delivery->channel->owner->options.hooks;

	hooks->sent(delivery, provider_id, hooks->context);
}

static void host_failed(struct delivery *delivery, enum send_failure failure, const char *code,
			const char *why, int64_t retry_after_ms)
{
	const struct channel_hooks *hooks = &delivery->channel->owner->options.hooks;

	hooks->failed(delivery, failure, code, why, retry_after_ms, hooks->context);
}

static void host_media_found(struct media_search *search, const struct media_request *request)
{
	search->found(search, request);
}

static void host_media_lost(struct media_search *search, bool gone, const char *why)
{
	search->lost(search, gone, why);
}

static struct arena *host_arena_new(void)
{
	return arena_new(0);
}

static void host_arena_free(struct arena *arena)
{
	arena_free(&arena);
}

const struct host host_services = {
	.size = sizeof(struct host),
	.alloc = arena_alloc,
	.text = arena_text,
	.copy = arena_copy,
	.format = host_format,
	.field = host_field,
	.query = host_query,
	.json_read = host_json_read,
	.json_free = host_json_free,
	.json_text = host_json_text,
	.json_int = json_int,
	.json_at = json_at,
	.json_count = json_count,
	.json_item = json_item,
	.json_quote = host_json_quote,
	.hmac_sha256 = host_hmac_sha256,
	.hmac_sha1 = crypto_hmac_sha1,
	.sha256 = crypto_sha256,
	.equal = crypto_equal,
	.unbase64 = text_unbase64,
	.base64 = host_base64,
	.hex = host_hex,
	.channel_name = channel_name,
	.channel_state = host_channel_state,
	.channel_settings = host_channel_settings,
	.channel_arena = host_channel_arena,
	.log = host_log,
	.http = host_http,
	.mail_send = host_mail_send,
	.imap_open = host_imap_open,
	.imap_run = host_imap_run,
	.imap_close = host_imap_close,
	.receive = host_receive,
	.cursor_get = host_cursor_get,
	.cursor_put = host_cursor_put,
	.sent = host_sent,
	.failed = host_failed,
	.attachment = host_attachment,
	.wake = host_wake,
	.park = channel_park,
	.unpark = channel_unpark,
	.json_kind = host_json_kind,
	.json_bool = json_bool,
	.parse_time = text_parse_time,
	.format_time = host_format_time,
	.jwt = host_jwt,
	.unix_ms = host_unix_ms,
	.arena_new = host_arena_new,
	.arena_free = host_arena_free,
	.attachment_url = channel_attachment_url,
	.sha1 = crypto_sha1,
	.aes256_cbc_decrypt = crypto_aes256_cbc_decrypt,
	.aes256_cbc_encrypt = crypto_aes256_cbc_encrypt,
	.random = crypto_random,
	.xml_read = host_xml_read,
	.form_read = host_form_read,
	.url_escape = host_url_escape,
	.json_print = host_json_print,
	.callback_url = host_callback_url,
	.md5 = crypto_md5,
	.media_found = host_media_found,
	.media_lost = host_media_lost,
	.socket_open = host_socket_open,
	.socket_write = host_socket_write,
	.socket_close = host_socket_close,
	.network_has = http_network_has,
};
