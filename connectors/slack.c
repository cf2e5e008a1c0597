/* slack: an app of Slack (api.slack.com, Events API and interactivity).
 *
 * In: POST /in/<channel> with X-Slack-Signature over the time and the body:
 * events as JSON, buttons and slash commands as a form. A conversation is a
 * person's direct messages, or a thread of a Slack channel. Out:
 * chat.postMessage and the three calls of an upload; Slack has no key against
 * doubles and no receipts. Limit: text of 4000 characters. */
#include <stdlib.h>
#include <string.h>

#include "slack_private.h"

enum { SIGNATURE_BYTES = 32, SKEW_S = 300, TEXT_MAX = 4000, FILES_MAX = 20 };

static const char *const url_schemes[] = { "https", "http", NULL };

static const struct setting slack_settings_rows[] = {
	SETTING_ROW("signing_secret", SECRET, struct slack_settings, signing_secret, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "api.slack.com, your app, Basic Information, Signing Secret."),
	SETTING_ROW("bot_token", SECRET, struct slack_settings, bot_token, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "OAuth & Permissions, Bot User OAuth Token (xoxb-...)."),
	SETTING_ROW("api_base", URL, struct slack_settings, api_base, SLACK_PROVIDER,
		    .choices = url_schemes,
		    .text = "Replaces the provider's address: a proxy, a private cloud or a "
			    "simulator."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *slack_host(void)
{
	return host;
}

bool slack_is_private(const struct channel *channel)
{
	const struct slack_settings *settings = host->channel_settings(channel);

	return strcmp(settings->api_base, SLACK_PROVIDER) != 0;
}

const char *slack_bearer(const struct channel *channel, struct arena *arena)
{
	const struct slack_settings *settings = host->channel_settings(channel);

	return host->format(arena, "Bearer %s", settings->bot_token);
}

/* ---- proof ---- */

static bool signature_fits(const struct channel *channel, const struct inbound *in,
			   struct arena *arena)
{
	const struct slack_settings *settings = host->channel_settings(channel);
	const char *timestamp = host->field(in, "x-slack-request-timestamp");
	const char *signature = host->field(in, "x-slack-signature");
	unsigned char mac[SIGNATURE_BYTES];
	const char *expected;
	size_t head;
	char *bytes;

	if (!timestamp || !signature || !provider_is_fresh(in, timestamp, 1, SKEW_S))
		return false;
	head = strlen(timestamp) + 4;
	bytes = host->alloc(arena, head + in->body_len + 1);
	memcpy(bytes, "v0:", 3);
	memcpy(bytes + 3, timestamp, head - 4);
	bytes[head - 1] = ':';
	if (in->body_len)
		memcpy(bytes + head, in->body, in->body_len);
	host->hmac_sha256(settings->signing_secret, strlen(settings->signing_secret), bytes,
			  head + in->body_len, mac);
	expected = host->format(arena, "v0=%s", host->hex(arena, mac, sizeof(mac)));
	return host->equal(signature, strlen(signature), expected, strlen(expected));
}

/* Slack asks once whether this address is ours, and tells when the app is gone. */
static enum verdict judge_kind(struct channel *channel, const struct inbound *in,
			       struct arena *arena, struct parsed *ret)
{
	struct json_object *body;
	enum verdict verdict = VERIFIED;
	const char *type;

	if (in->body_len == 0 || in->body[0] != '{' ||
	    (!strstr(in->body, "url_verification") && !strstr(in->body, "app_uninstalled") &&
	     !strstr(in->body, "tokens_revoked")))
		return VERIFIED;
	body = host->json_read(in->body, in->body_len, arena, NULL);
	if (!body)
		return VERIFIED; /* parse() says what is wrong with it */
	type = provider_text(host, body, "event.type", "");
	if (strcmp(provider_text(host, body, "type", ""), "url_verification") == 0) {
		verdict = HANDSHAKE;
		ret->answer_status = 200;
		ret->answer_type = "text/plain";
		ret->answer_body = host->text(arena, provider_text(host, body, "challenge", ""));
	} else if (strcmp(type, "app_uninstalled") == 0 || strcmp(type, "tokens_revoked") == 0) {
		host->park(channel, "the app was removed from the Slack workspace");
	}
	host->json_free(body);
	return verdict;
}

static enum verdict slack_verify(struct channel *channel, const struct inbound *in,
				 struct arena *arena, struct parsed *ret)
{
	if (strcmp(in->method, "POST") != 0 || !signature_fits(channel, in, arena))
		return FORGED;
	return judge_kind(channel, in, arena, ret);
}

/* ---- the way in ---- */

struct reading {
	const struct channel *channel;
	struct arena *arena;
	struct json_object *body;
	struct message *message;
	struct parsed *ret;
	const char *error;
};

static const char *text_of(struct reading *reading, struct json_object *value, const char *path)
{
	return host->text(reading->arena, provider_text(host, value, path, ""));
}

/* <url|label>, <#C1|name>, <@U1>: a person reads the label, and where it leads.
 * Returns what was written; never more than was taken. */
static size_t plain_link(const char *link, size_t len, char *out)
{
	const char *bar = memchr(link, '|', len);
	size_t target = bar ? (size_t)(bar - link) : len;
	size_t label = bar ? len - target - 1 : 0;
	char *at = out;

	if (label == 0) {
		memmove(out, link, target);
		return target;
	}
	memmove(at, bar + 1, label);
	at += label;
	if (strncmp(link, "http", 4) != 0)
		return label;
	*at++ = ' ';
	*at++ = '(';
	memcpy(at, link, target);
	at += target;
	*at++ = ')';
	return (size_t)(at - out);
}

static char plain_entity(const char **text)
{
	static const struct {
		const char *entity;
		char plain;
	} entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' } };

	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(entities[i].entity);

		if (strncmp(*text, entities[i].entity, len) != 0)
			continue;
		*text += len;
		return entities[i].plain;
	}
	return *(*text)++;
}

/* Slack writes & < > as entities, and links between < and >. */
static const char *plain_text(struct reading *reading, const char *text)
{
	char *out = host->alloc(reading->arena, strlen(text) + 1);
	char *at = out;

	while (*text) {
		const char *end = *text == '<' ? strchr(text, '>') : NULL;

		if (end) {
			at += plain_link(text + 1, (size_t)(end - text) - 1, at);
			text = end + 1;
		} else {
			*at++ = plain_entity(&text);
		}
	}
	return out;
}

static void read_person(struct reading *reading, const char *team, const char *user,
			const char *name)
{
	reading->message->sender_name = name;
	reading->message->sender = (struct identifier){
		.kind = "slack",
		.scope = team,
		.value = user,
		.proof = PROOF_CHANNEL,
		.proved_by = "slack",
	};
}

/* Direct messages are one conversation, whatever thread they are in; in a Slack
 * channel every thread is one. reply_context is where the answer goes. */
static void read_place(struct reading *reading, struct json_object *from)
{
	const char *channel = text_of(reading, from, "channel");
	const char *thread = text_of(reading, from, "thread_ts");
	const char *ts = text_of(reading, from, "ts");
	bool is_direct =
		strcmp(text_of(reading, from, "channel_type"), "im") == 0 || channel[0] == 'D';

	if (!thread[0])
		thread = is_direct ? "" : ts;
	reading->message->thread =
		is_direct ? "" : host->format(reading->arena, "%s:%s", channel, thread);
	reading->message->reply_context = host->format(reading->arena, "%s:%s", channel, thread);
	reading->message->provider_id = host->format(reading->arena, "%s:%s", channel, ts);
	reading->message->sent_ms = provider_time(strtoll(ts, NULL, 10));
}

static enum message_kind kind_of(const char *type)
{
	static const struct {
		const char *prefix;
		enum message_kind kind;
	} kinds[] = { { "image/", MESSAGE_IMAGE },
		      { "audio/", MESSAGE_VOICE },
		      { "video/", MESSAGE_VIDEO } };

	for (size_t i = 0; i < 3; i++)
		if (strncmp(type, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return kinds[i].kind;
	return MESSAGE_FILE;
}

static void read_files(struct reading *reading, struct json_object *files)
{
	size_t count = provider_count(host, files);
	struct message *message = reading->message;

	if (count > FILES_MAX)
		count = FILES_MAX;
	message->attachments =
		host->alloc(reading->arena, (count + 1) * sizeof(*message->attachments));
	for (size_t i = 0; i < count; i++) {
		struct json_object *file = host->json_item(files, i);
		const char *url = text_of(reading, file, "url_private_download");
		const char *type = text_of(reading, file, "mimetype");

		if (!url[0])
			url = text_of(reading, file, "url_private");
		if (!url[0])
			continue;
		message->attachments[message->attachment_count++] = (struct attachment){
			.name = text_of(reading, file, "name"),
			.type = type[0] ? type : "application/octet-stream",
			.url = url,
			.size = host->json_int(file, "size", -1),
		};
	}
	if (message->attachment_count > 0)
		message->kind = kind_of(message->attachments[0].type);
}

/* A change of an earlier message: shown beside it, never in its place. */
static void read_change(struct reading *reading, struct json_object *event, const char *subtype)
{
	bool is_edit = strcmp(subtype, "message_changed") == 0;
	struct json_object *about = host->json_at(event, is_edit ? "message" : "previous_message");
	const char *ts = text_of(reading, event, is_edit ? "message.ts" : "deleted_ts");
	struct message *message = reading->message;

	read_place(reading, event);
	read_person(reading, text_of(reading, reading->body, "team_id"),
		    text_of(reading, about, "user"), "");
	message->kind = MESSAGE_EVENT;
	message->window_ms = WINDOW_NONE;
	message->text = is_edit ? plain_text(reading, provider_text(host, about, "text", ""))
				: "[message_deleted]";
	message->extra = host->format(
		reading->arena, "{\"%s\":%s}", is_edit ? "edits" : "unsends",
		host->json_quote(reading->arena,
				 host->format(reading->arena, "%s:%s",
					      text_of(reading, event, "channel"), ts)));
}

static void read_words(struct reading *reading, struct json_object *event, const char *subtype)
{
	struct message *message = reading->message;

	read_place(reading, event);
	read_person(reading, text_of(reading, reading->body, "team_id"),
		    text_of(reading, event, "user"), "");
	message->kind = MESSAGE_TEXT;
	message->text = plain_text(reading, provider_text(host, event, "text", ""));
	if (subtype[0] && strcmp(subtype, "file_share") != 0 &&
	    strcmp(subtype, "thread_broadcast") != 0 && strcmp(subtype, "me_message") != 0) {
		message->kind = MESSAGE_EVENT;
		message->window_ms = WINDOW_NONE;
	}
	read_files(reading, host->json_at(event, "files"));
}

static void read_happening(struct reading *reading, struct json_object *event, const char *type)
{
	struct message *message = reading->message;
	const char *user = text_of(reading, event, "user");

	if (!user[0])
		user = text_of(reading, event, "user.id");
	read_person(reading, text_of(reading, reading->body, "team_id"), user, "");
	message->kind = MESSAGE_EVENT;
	message->window_ms = WINDOW_NONE;
	message->thread = "";
	message->text = host->format(reading->arena, "[%s]", type);
	message->provider_id = text_of(reading, reading->body, "event_id");
}

static void read_event(struct reading *reading)
{
	struct json_object *event = host->json_at(reading->body, "event");
	const char *type = text_of(reading, event, "type");
	const char *subtype = text_of(reading, event, "subtype");
	struct message *message = reading->message;

	if (host->json_kind(event, "") != HOST_JSON_OBJECT) {
		/* app_rate_limited and its kin are about us, not of a person */
		host->log(
			reading->channel, 2, "event=told type=%s",
			host->json_quote(reading->arena, text_of(reading, reading->body, "type")));
		return;
	}
	if (text_of(reading, event, "bot_id")[0] || text_of(reading, event, "message.bot_id")[0])
		return; /* our own words, and those of other machines */
	if (strcmp(subtype, "message_changed") == 0 || strcmp(subtype, "message_deleted") == 0)
		read_change(reading, event, subtype);
	else if (strcmp(type, "message") == 0 || strcmp(type, "app_mention") == 0)
		read_words(reading, event, subtype);
	else
		read_happening(reading, event, type);
	if (message->sender.value[0] && message->provider_id[0])
		reading->ret->message_count = 1;
}

/* ---- forms: buttons and slash commands ---- */

static const char *pair_of(const struct host_pair *pairs, long count, const char *name)
{
	for (long i = 0; i < count; i++)
		if (strcmp(pairs[i].name, name) == 0)
			return pairs[i].value;
	return "";
}

static void read_button(struct reading *reading)
{
	struct json_object *actions = host->json_at(reading->body, "actions");
	struct json_object *action = host->json_kind(actions, "") == HOST_JSON_ARRAY
					     ? host->json_item(actions, 0)
					     : NULL;
	const char *type = text_of(reading, reading->body, "type");
	const char *value = action ? text_of(reading, action, "value") : "";
	struct message *message = reading->message;

	read_person(reading, text_of(reading, reading->body, "team.id"),
		    text_of(reading, reading->body, "user.id"),
		    text_of(reading, reading->body, "user.name"));
	message->kind = MESSAGE_EVENT;
	message->thread = "";
	message->text = value[0] ? value : host->format(reading->arena, "[%s]", type);
	message->extra = host->format(reading->arena, "{\"postback\":%s}",
				      host->json_quote(reading->arena, value));
	message->reply_context =
		host->format(reading->arena, "%s:", text_of(reading, reading->body, "channel.id"));
	message->provider_id = text_of(reading, reading->body, "trigger_id");
	if (message->sender.value[0] && message->provider_id[0])
		reading->ret->message_count = 1;
}

static void read_command(struct reading *reading, const struct host_pair *pairs, long count)
{
	struct message *message = reading->message;

	read_person(reading, pair_of(pairs, count, "team_id"), pair_of(pairs, count, "user_id"),
		    pair_of(pairs, count, "user_name"));
	message->kind = MESSAGE_TEXT;
	message->thread = "";
	message->text = host->format(reading->arena, "%s %s", pair_of(pairs, count, "command"),
				     plain_text(reading, pair_of(pairs, count, "text")));
	message->provider_id = pair_of(pairs, count, "trigger_id");
	if (message->sender.value[0] && message->provider_id[0])
		reading->ret->message_count = 1;
	else
		reading->error = "the form has neither payload nor a command";
}

static void read_form(struct reading *reading, const struct inbound *in)
{
	const struct host_pair *pairs = NULL;
	long count = host->form_read(in->body, in->body_len, reading->arena, &pairs);
	const char *payload;

	if (count < 0) {
		reading->error = "the form cannot be decoded";
		return;
	}
	reading->ret->answer_status = 200; /* nothing in it, or Slack shows it to the person */
	reading->ret->answer_type = "text/plain";
	reading->ret->answer_body = "";
	payload = pair_of(pairs, count, "payload");
	if (!payload[0]) {
		read_command(reading, pairs, count);
		return;
	}
	reading->body = host->json_read(payload, strlen(payload), reading->arena, &reading->error);
	if (reading->body)
		read_button(reading);
}

static int slack_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		       struct parsed *ret, const char **ret_error)
{
	struct reading reading = { .channel = channel, .arena = arena, .ret = ret };

	reading.message = host->alloc(arena, sizeof(*reading.message));
	ret->messages = reading.message;
	if (in->body_len > 0 && in->body[0] != '{')
		read_form(&reading, in);
	else if ((reading.body = host->json_read(in->body, in->body_len, arena, &reading.error)))
		read_event(&reading);
	if (reading.body)
		host->json_free(reading.body);
	if (!reading.error)
		return 0;
	*ret_error = reading.error;
	return -1;
}

/* ---- files of customers ---- */

static void slack_media(const struct channel *channel, const struct attachment *attachment,
			struct arena *arena, struct media_request *ret)
{
	const struct slack_settings *settings = host->channel_settings(channel);
	const char *base =
		slack_is_private(channel) ? settings->api_base : "https://files.slack.com";
	const char **fields;

	ret->url = attachment->url;
	ret->allow_private = slack_is_private(channel);
	/* A file that lives elsewhere must not see the token. */
	if (strncmp(attachment->url, base, strlen(base)) != 0 ||
	    attachment->url[strlen(base)] != '/')
		return;
	fields = host->alloc(arena, 3 * sizeof(*fields));
	fields[0] = "authorization";
	fields[1] = slack_bearer(channel, arena);
	ret->fields = fields;
}

/* ---- life ---- */

static int slack_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct slack_settings *settings = core->channel_settings(channel);

	host = core;
	if (!settings->signing_secret || !settings->signing_secret[0]) {
		*ret_error = "signing_secret must not be empty";
		return -1;
	}
	if (!settings->bot_token || !settings->bot_token[0]) {
		*ret_error = "bot_token must not be empty";
		return -1;
	}
	return 0;
}

static void slack_close(struct channel *channel)
{
	(void)channel;
}

const struct connector slack_connector = {
	.name = "slack",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | PROVIDER_RETRIES | SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_CHARACTERS,
	.identifier_kind = "slack",
	.settings_size = sizeof(struct slack_settings),
	.settings = slack_settings_rows,
	.open = slack_open,
	.close = slack_close,
	.verify = slack_verify,
	.parse = slack_parse,
	.send = slack_send,
	.media = slack_media,
	.test = slack_test,
	.find_name = slack_find_name,
};
