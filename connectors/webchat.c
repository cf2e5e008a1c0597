/* webchat: visitors of a web page. The core holds their sessions, the live
 * stream and the endpoints under /chat/<channel>; this file says what a page
 * may do, who a visitor is, and reads what they write.
 *
 * Session body: {} or {"name","email","identity"}; identity is a JWT (HS256 or
 * EdDSA) that the site's own server signed: sub, aud, exp (at most 1 h ahead),
 * optionally iss, nbf, name, email, phone_number.
 * Message body: {"text","client_id","attachments":[{"blob","name","type"}]}; the
 * core has checked that a blob is an upload of this visitor: what stands after
 * its "-" is the seal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converge/connector.h"
#include "signed_identity.h"

enum {
	TEXT_MAX_BYTES = 256 * 1024,
	SHORT_MAX_BYTES = 320,
	ATTACHMENTS_MAX = 10,
	HOURS_MAX = 28,
	WEEK_MINUTES = 7 * 24 * 60,
	DAY_MINUTES = 24 * 60,
};

struct webchat_settings {
	struct setting_texts origins;
	char *greeting;
	struct setting_texts hours;
	char *utc_offset;
	char *calendar;
	char *offline_message;
	char *offline_channel;
	bool demo_page;
	struct signed_identity_settings identity;
	struct setting_texts code_channels;
};

/* Minutes since Monday 00:00 local time; from < to, to may pass the week's end. */
struct span {
	int from, to;
};

struct webchat_state {
	struct span hours[HOURS_MAX];
	size_t hour_count;
	int offset_minutes;
	struct signed_identity identity;
};

static const struct setting webchat_settings_rows[] = {
	SETTING_ROW("origins", LIST, struct webchat_settings, origins, NULL,
		    .text = "Web origins that may use the chat, such as https://shop.example; "
			    "* is any, none: only the daemon's own pages."),
	SETTING_ROW("greeting", TEXT, struct webchat_settings, greeting, NULL, .max = 2000,
		    .text = "Shown before the visitor writes."),
	SETTING_ROW("hours", LIST, struct webchat_settings, hours, NULL,
		    .text = "When people answer, such as \"mon-fri 09:00-18:00\"; none: always."),
	SETTING_ROW("utc_offset", TEXT, struct webchat_settings, utc_offset, "+00:00",
		    .text = "The clock of hours, such as +08:00."),
	SETTING_ROW("calendar", TEXT, struct webchat_settings, calendar, NULL, .max = 64,
		    .text = "Instead of hours: a calendar of the business configuration, with its "
			    "time zone and holidays."),
	SETTING_ROW("offline_message", TEXT, struct webchat_settings, offline_message,
		    "We are away at the moment. Leave a message and we will answer.", .max = 2000,
		    .text = "Shown outside the hours."),
	SETTING_ROW("offline_channel", TEXT, struct webchat_settings, offline_channel, NULL,
		    .max = 40,
		    .text = "A mail channel of the same workspace: outside the hours a visitor may "
			    "leave a message there, and is answered by mail."),
	SETTING_ROW(
		"demo_page", BOOL, struct webchat_settings, demo_page, "false",
		.text = "Whoever knows /widget/demo/<name> on this daemon may try the chat there; "
			"simulated channels always have that page."),
	SIGNED_IDENTITY_ROWS(struct webchat_settings, identity),
	SETTING_ROW("code_channels", LIST, struct webchat_settings, code_channels, NULL,
		    .text = "Channels that send one-time codes to a visitor's address; none: the "
			    "first one that can."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

/* ---- hours ---- */

static int day_of(const char *text)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	for (int i = 0; i < 7; i++)
		if (strncmp(text, days[i], 3) == 0)
			return i;
	return -1;
}

/* "09:00" to minutes; -1 where it is not a time of day (24:00 is one). */
static int minutes_of(const char *text)
{
	int hour, minute;

	if (strlen(text) != 5 || text[2] != ':' || strspn(text, "0123456789:") != 5)
		return -1;
	hour = (text[0] - '0') * 10 + text[1] - '0';
	minute = (text[3] - '0') * 10 + text[4] - '0';
	if (minute > 59 || hour > 24 || (hour == 24 && minute))
		return -1;
	return hour * 60 + minute;
}

/* "mon-fri 09:00-18:00" or "sat 10:00-02:00": one span a day. */
static int hours_add(struct webchat_state *state, const char *text)
{
	char days[8], from[6], to[6];
	char rest;
	int first, last, open, shut;

	if (sscanf(text, "%7[a-z-] %5[0-9:]-%5[0-9:]%c", days, from, to, &rest) != 3)
		return -1;
	first = day_of(days);
	last = strlen(days) == 7 && days[3] == '-' ? day_of(days + 4) : first;
	open = minutes_of(from);
	shut = minutes_of(to);
	if ((strlen(days) != 3 && strlen(days) != 7) || first < 0 || last < 0 || open < 0 ||
	    shut < 0 || open == shut)
		return -1;
	if (shut < open)
		shut += DAY_MINUTES;
	for (int day = first;; day = (day + 1) % 7) {
		if (state->hour_count == HOURS_MAX)
			return -1;
		state->hours[state->hour_count++] = (struct span){ .from = day * DAY_MINUTES + open,
								   .to = day * DAY_MINUTES + shut };
		if (day == last)
			return 0;
	}
}

static int offset_of(const char *text, int *ret_minutes)
{
	int minutes;

	if (!text || (text[0] != '+' && text[0] != '-'))
		return -1;
	minutes = minutes_of(text + 1);
	if (minutes < 0 || minutes > 14 * 60)
		return -1;
	*ret_minutes = text[0] == '-' ? -minutes : minutes;
	return 0;
}

/* Since Monday 00:00 by the channel's clock. */
static int week_minute(const struct webchat_state *state, int64_t now_s)
{
	/* 1970-01-01 was a Thursday: three days after a Monday. */
	return (int)((now_s / 60 + state->offset_minutes + 3 * DAY_MINUTES) % WEEK_MINUTES);
}

static bool is_open(const struct webchat_state *state, int64_t now_s)
{
	int at = week_minute(state, now_s);

	if (state->hour_count == 0)
		return true;
	for (size_t i = 0; i < state->hour_count; i++) {
		const struct span *span = &state->hours[i];

		if ((at >= span->from && at < span->to) || at + WEEK_MINUTES < span->to)
			return true;
	}
	return false;
}

/* When a chat that is closed now opens next. */
static int64_t opens_s(const struct webchat_state *state, int64_t now_s)
{
	int at = week_minute(state, now_s);
	int soonest = WEEK_MINUTES;

	for (size_t i = 0; i < state->hour_count; i++) {
		int wait = (state->hours[i].from - at + WEEK_MINUTES) % WEEK_MINUTES;

		if (wait < soonest)
			soonest = wait;
	}
	return (now_s / 60 + soonest) * 60;
}

static void webchat_rules(const struct channel *channel, int64_t now_s, struct visitor_rules *ret)
{
	const struct webchat_settings *settings = host->channel_settings(channel);
	const char *calendar =
		settings->calendar && settings->calendar[0] ? settings->calendar : NULL;

	const struct webchat_state *state = host->channel_state(channel);
	bool is_closed = calendar || !is_open(state, now_s);

	*ret = (struct visitor_rules){
		.origins = (const char *const *)settings->origins.items,
		.origin_count = settings->origins.count,
		.greeting = settings->greeting,
		.closed = is_closed ? settings->offline_message : NULL,
		.opens_s = is_closed && !calendar ? opens_s(state, now_s) : 0,
		.calendar = calendar,
		.offline_channel = settings->offline_channel,
		.has_demo_page = settings->demo_page,
		.code_channels = (const char *const *)settings->code_channels.items,
		.code_channel_count = settings->code_channels.count,
	};
}

/* ---- reading a body ---- */

struct reader {
	const struct channel *channel;
	const struct inbound *in;
	struct arena *arena;
	struct json_object *body; /* NULL: an empty one */
	const char *error;        /* the first complaint */
};

static int complain(struct reader *reader, const char *error)
{
	if (!reader->error)
		reader->error = error;
	return -1;
}

/* An optional short text, "" where absent or after a complaint. */
static const char *short_text(struct reader *reader, struct json_object *from, const char *path)
{
	enum host_json_kind kind = from ? host->json_kind(from, path) : HOST_JSON_ABSENT;
	const char *text = kind == HOST_JSON_TEXT ? host->json_text(from, path) : NULL;

	if (kind == HOST_JSON_ABSENT)
		return "";
	if (text && strlen(text) <= SHORT_MAX_BYTES)
		return host->text(reader->arena, text);
	complain(reader, host->format(reader->arena, "%s: must be a text of at most %d bytes", path,
				      SHORT_MAX_BYTES));
	return "";
}

/* ---- who the visitor is ---- */

static int prove(struct reader *reader, const char *token, struct visitor *ret)
{
	const struct webchat_state *state = host->channel_state(reader->channel);
	const struct host_jwt jwt = { .token = token, .now_s = reader->in->now_s };
	struct host_jwt_claims claims;
	const char *why = "";

	if (signed_identity_check(&state->identity, &jwt, reader->arena, &claims, &why) < 0)
		return complain(reader, host->format(reader->arena, "identity: %s", why));
	if (strncmp(claims.subject, "vis_", 4) == 0)
		return complain(reader, "identity: sub must not start with vis_");
	*ret = (struct visitor){
		.id = claims.subject,
		.name = claims.name ? claims.name : "",
		.email = claims.email,
		.phone = claims.phone,
		.proof = PROOF_PERSON,
	};
	return 0;
}

static int read_anonymous(struct reader *reader, struct visitor *ret)
{
	const struct webchat_settings *settings = host->channel_settings(reader->channel);
	const char *email;

	if (settings->identity.required)
		return complain(reader, "identity: this channel wants a signed identity");
	email = short_text(reader, reader->body, "email");
	*ret = (struct visitor){
		.name = short_text(reader, reader->body, "name"),
		.email = email[0] ? email : NULL,
		.proof = PROOF_CHANNEL,
	};
	return reader->error ? -1 : 0;
}

static int read_visitor(struct reader *reader, struct visitor *ret)
{
	const char *token;

	if (reader->body && host->json_kind(reader->body, "") != HOST_JSON_OBJECT)
		return complain(reader, "the body must be a JSON object");
	if (!reader->body || host->json_kind(reader->body, "identity") == HOST_JSON_ABSENT)
		return read_anonymous(reader, ret);
	token = host->json_text(reader->body, "identity");
	return prove(reader, token ? token : "", ret);
}

static int webchat_session(const struct channel *channel, const struct inbound *in,
			   struct arena *arena, struct visitor *ret, const char **ret_error)
{
	struct reader reader = { .channel = channel, .in = in, .arena = arena };
	int status;

	if (in->body_len > 0) {
		reader.body = host->json_read(in->body, in->body_len, arena, ret_error);
		if (!reader.body)
			return -1;
	}
	status = read_visitor(&reader, ret);
	if (reader.body)
		host->json_free(reader.body);
	if (status < 0)
		*ret_error = reader.error;
	return status;
}

/* ---- what they write ---- */

static void add_claim(struct message *message, const char *kind, const char *value, bool proved)
{
	if (!value || !value[0])
		return;
	message->others[message->other_count++] = (struct identifier){
		.kind = kind,
		.scope = "",
		.value = value,
		.proof = proved ? PROOF_PERSON : PROOF_CLAIMED,
		.proved_by = proved ? "jwt" : NULL,
	};
}

static void set_sender(struct reader *reader, struct message *message)
{
	const struct visitor *visitor = reader->in->visitor;
	struct arena *arena = reader->arena;
	bool proved = visitor->proof == PROOF_PERSON;

	message->sender = (struct identifier){
		.kind = "visitor",
		.scope = host->text(arena, host->channel_name(reader->channel)),
		.value = host->text(arena, visitor->id),
		.proof = visitor->proof,
		.proved_by = proved ? "jwt" : "session",
	};
	message->sender_name = visitor->name ? host->text(arena, visitor->name) : "";
	add_claim(message, "email", host->text(arena, visitor->email), proved);
	add_claim(message, "phone", host->text(arena, visitor->phone), proved);
}

static int read_attachments(struct reader *reader, struct message *message)
{
	struct json_object *list = host->json_at(reader->body, "attachments");
	enum host_json_kind kind = host->json_kind(reader->body, "attachments");
	size_t count = kind == HOST_JSON_ARRAY ? host->json_count(list) : 0;

	if (kind == HOST_JSON_ABSENT)
		return 0;
	if (kind != HOST_JSON_ARRAY || count > ATTACHMENTS_MAX)
		return complain(reader, "attachments: must be a list of at most 10");
	message->attachments =
		host->alloc(reader->arena, (count + 1) * sizeof(*message->attachments));
	message->attachment_count = count;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = host->json_item(list, i);
		const char *blob = short_text(reader, item, "blob");

		message->attachments[i] = (struct attachment){
			.blob = host->copy(reader->arena, blob, strcspn(blob, "-")),
			.name = short_text(reader, item, "name"),
			.type = short_text(reader, item, "type"),
			.size = -1,
		};
		if (!message->attachments[i].blob[0])
			return complain(reader, "attachments: each needs a blob");
	}
	return 0;
}

static int read_message(struct reader *reader, struct message *message)
{
	const struct inbound *in = reader->in;
	const char *text = host->json_text(reader->body, "text");
	const char *client_id = short_text(reader, reader->body, "client_id");
	const struct webchat_state *state = host->channel_state(reader->channel);

	/* A session may be older than that setting. */
	if (state->identity.settings->required && in->visitor->proof != PROOF_PERSON)
		return complain(reader, "identity: this channel wants a signed identity");
	if (reader->error || read_attachments(reader, message) < 0)
		return -1;
	if ((!text && host->json_kind(reader->body, "text") != HOST_JSON_ABSENT) ||
	    (text && strlen(text) > TEXT_MAX_BYTES))
		return complain(reader, "text: must be a text of at most 256 KiB");
	if ((!text || !text[0]) && message->attachment_count == 0)
		return complain(reader, "text: is missing");
	if (!client_id[0] && !in->id)
		return complain(reader, "client_id: is missing");
	message->kind = MESSAGE_TEXT;
	message->text = text ? host->text(reader->arena, text) : "";
	message->thread = "";
	/* A page chooses its client_id, so it only counts beside its own visitor. */
	message->provider_id =
		client_id[0] ? host->format(reader->arena, "%s %s", in->visitor->id, client_id)
			     : host->text(reader->arena, in->id);
	set_sender(reader, message);
	return reader->error ? -1 : 0;
}

/* How far they have read: all of ours until then. */
static int read_mark(struct reader *reader, struct parsed *ret)
{
	const char *until = host->json_text(reader->body, "read_until");
	struct receipt *receipt = host->alloc(reader->arena, sizeof(*receipt));

	*receipt = (struct receipt){
		.state = RECEIPT_READ,
		.to = host->text(reader->arena, reader->in->visitor->id),
		.scope = host->text(reader->arena, host->channel_name(reader->channel)),
		.until_ms = until ? host->parse_time(until) : 0,
	};
	if (receipt->until_ms <= 0)
		return complain(reader, "read_until: must be a time such as 2026-01-02T03:04:05Z");
	ret->receipts = receipt;
	ret->receipt_count = 1;
	return 0;
}

static int webchat_parse(const struct channel *channel, const struct inbound *in,
			 struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct reader reader = { .channel = channel, .in = in, .arena = arena };
	struct message *message = host->alloc(arena, sizeof(*message));
	int status;

	if (!in->visitor || !in->visitor->id || !in->visitor->id[0]) {
		*ret_error = "there is no visitor";
		return -1;
	}
	reader.body = host->json_read(in->body, in->body_len, arena, ret_error);
	if (!reader.body)
		return -1;
	if (host->json_kind(reader.body, "") != HOST_JSON_OBJECT)
		status = complain(&reader, "the body must be a JSON object");
	else if (host->json_kind(reader.body, "read_until") != HOST_JSON_ABSENT)
		status = read_mark(&reader, ret);
	else
		status = read_message(&reader, message);
	host->json_free(reader.body);
	if (status < 0) {
		*ret_error = reader.error;
		return -1;
	}
	ret->messages = message;
	ret->message_count = ret->receipt_count > 0 ? 0 : 1;
	return 0;
}

/* The message is in the conversation already, and the stream shows the
 * conversation: there is nothing left to carry. */
static void webchat_send(struct channel *channel, const struct outbound *message,
			 struct delivery *delivery)
{
	(void)channel;
	host->sent(delivery, message->id);
}

/* ---- life ---- */

static int webchat_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct webchat_settings *settings = core->channel_settings(channel);
	struct webchat_state *state = core->channel_state(channel);

	host = core;
	if (settings->utc_offset && offset_of(settings->utc_offset, &state->offset_minutes) < 0) {
		*ret_error = "utc_offset must look like +08:00";
		return -1;
	}
	for (size_t i = 0; i < settings->hours.count; i++)
		if (hours_add(state, settings->hours.items[i]) < 0) {
			*ret_error = "hours must look like \"mon-fri 09:00-18:00\"";
			return -1;
		}
	if (settings->hours.count > 0 && settings->calendar && settings->calendar[0]) {
		*ret_error = "hours and calendar exclude each other: name one of them";
		return -1;
	}
	return signed_identity_open(core, channel, &settings->identity, &state->identity,
				    ret_error);
}

static void webchat_close(struct channel *channel)
{
	(void)channel;
}

const struct connector webchat_connector = {
	.name = "webchat",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | HAS_RECEIPTS | HAS_TYPING |
		     IDEMPOTENT_SEND | HAS_VISITORS | PROVIDER_RETRIES | REFUSES_UNREADABLE,
	.body_format = BODY_RAW,
	.body_limit = (size_t)512 * 1024,
	.identifier_kind = "visitor",
	.settings_size = sizeof(struct webchat_settings),
	.settings = webchat_settings_rows,
	.state_size = sizeof(struct webchat_state),
	.open = webchat_open,
	.close = webchat_close,
	.parse = webchat_parse,
	.send = webchat_send,
	.visitor_rules = webchat_rules,
	.visitor_session = webchat_session,
};
