#include "api/visitor.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "channel.h"
#include "identity/identity.h"

static const char prefix[] = "cvv_";

enum { PREFIX_LEN = 4, MAC_TEXT = 43, TOKEN_MAX = 4096, DAY_S = 24 * 3600 };

static void token_mac(struct mac *mac, const char *channel, const char *payload, size_t len,
		      char out[MAC_TEXT + 1])
{
	unsigned char sum[SHA256_BYTES];

	mac_begin(mac);
	mac_add(mac, "visitor", 8);
	mac_add(mac, channel, strlen(channel) + 1);
	mac_add(mac, payload, len);
	mac_end(mac, sum);
	text_base64url(sum, sizeof(sum), out);
}

void visitor_token_make(const struct visitor_seal *seal, const struct visitor *visitor,
			struct buf *out)
{
	struct buf json = { 0 };
	struct json_out writer;
	char sum[MAC_TEXT + 1];
	size_t start;

	jw_start(&writer, &json);
	jw_object(&writer, NULL);
	jw_text(&writer, "id", visitor->id);
	jw_text(&writer, "name", visitor->name == NULL ? "" : visitor->name);
	jw_text(&writer, "email", visitor->email);
	jw_text(&writer, "phone", visitor->phone);
	jw_bool(&writer, "person", visitor->proof == PROOF_PERSON);
	jw_int(&writer, "exp", seal->now_s + (int64_t)VISITOR_TOKEN_DAYS * DAY_S);
	jw_object_end(&writer);
	buf_text(out, prefix);
	start = out->len;
	buf_reserve(out, json.len * 2 + 8);
	out->len += text_base64url(json.data, json.len, out->data + out->len);
	token_mac(seal->mac, seal->channel, out->data + start, out->len - start, sum);
	buf_byte(out, '.');
	buf_text(out, sum);
	buf_clear(&json);
}

static struct json_object *payload_read(const char *payload, size_t len, struct arena *arena)
{
	char *json = arena_alloc(arena, len + 1);
	long used = text_unbase64url(payload, len, json, len);

	return used < 0 ? NULL : json_read(json, (size_t)used, NULL);
}

bool visitor_token_read(const struct visitor_seal *seal, const char *token, struct arena *arena,
			struct visitor *ret)
{
	const char *payload;
	const char *dot;
	char sum[MAC_TEXT + 1];
	struct json_object *json;
	bool is_good;

	if (!text_starts(token, prefix) || strlen(token) > TOKEN_MAX)
		return false;
	payload = token + PREFIX_LEN;
	dot = strchr(payload, '.');
	if (dot == NULL)
		return false;
	token_mac(seal->mac, seal->channel, payload, (size_t)(dot - payload), sum);
	if (!crypto_equal(dot + 1, strlen(dot + 1), sum, MAC_TEXT))
		return false;
	json = payload_read(payload, (size_t)(dot - payload), arena);
	is_good = json != NULL && json_int(json, "exp", 0) > seal->now_s &&
		  json_text(json, "id") != NULL;
	if (is_good) {
		*ret = (struct visitor){
			.id = json_text_copy(json, "id", arena),
			.name = json_text_copy(json, "name", arena),
			.email = json_text_copy(json, "email", arena),
			.phone = json_text_copy(json, "phone", arena),
			.proof = json_bool(json, "person", false) ? PROOF_PERSON : PROOF_CHANNEL,
		};
	}
	json_free(&json);
	return is_good;
}

bool visitor_conversation(struct mac *mac, const struct channel *channel,
			  const struct visitor *visitor, struct arena *arena, char ret_id[ID_BYTES])
{
	static const char probe[] = "{\"text\":\"-\"}";
	struct inbound in = { .method = "POST",
			      .id = "-",
			      .body = probe,
			      .body_len = sizeof(probe) - 1,
			      .visitor = visitor };
	struct identity_place place = { .mac = mac,
					.workspace = channel_workspace(channel),
					.channel = channel_name(channel) };
	struct parsed parsed = { 0 };
	const char *why;

	/* Only the connector knows what identifier and thread its messages get; parse is pure. */
	if (channel_connector(channel)->parse(channel, &in, arena, &parsed, &why) != 0 ||
	    parsed.message_count != 1)
		return false;
	identity_conversation(&place, &parsed.messages[0].sender,
			      parsed.messages[0].thread == NULL ? "" : parsed.messages[0].thread,
			      ret_id);
	return true;
}
