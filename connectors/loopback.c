/* loopback: what is sent comes back as a message from whom it was sent to. It
 * has no service behind it and no signature: it is the smallest connector, to
 * read first and to try rules with. Never for customers.
 *
 * A message may also be pushed in: POST /in/<channel> with
 * {"from":"ann","text":"hello","id":"1"} and the header x-loopback-token. */
#include <string.h>

#include "converge/connector.h"

struct loopback_settings {
	char *token;
	bool echo;
};

static const struct setting loopback_settings_rows[] = {
	SETTING_ROW("token", SECRET, struct loopback_settings, token, NULL,
		    .text = "A request must carry it in x-loopback-token; none: nothing is "
			    "accepted from outside."),
	SETTING_ROW("echo", BOOL, struct loopback_settings, echo, "true",
		    .text = "What is sent comes back as a message of the customer."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

static int loopback_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	(void)channel;
	host = core;
	if (core->size < sizeof(struct host)) {
		*ret_error = "the daemon is older than this connector";
		return -1;
	}
	return 0;
}

static void loopback_close(struct channel *channel)
{
	(void)channel;
}

static enum verdict loopback_verify(struct channel *channel, const struct inbound *in,
				    struct arena *arena, struct parsed *ret)
{
	const struct loopback_settings *settings = host->channel_settings(channel);
	const char *token = host->field(in, "x-loopback-token");

	(void)arena;
	(void)ret;
	if (!settings->token || !settings->token[0] || !token)
		return FORGED;
	return host->equal(token, strlen(token), settings->token, strlen(settings->token))
		       ? VERIFIED
		       : FORGED;
}

static int loopback_read(struct json_object *body, const struct channel *channel,
			 struct arena *arena, struct message *ret, const char **ret_error)
{
	const char *id = host->json_text(body, "id");
	const char *from = host->json_text(body, "from");
	const char *text = host->json_text(body, "text");

	if (!id || !id[0] || !from || !from[0] || !text) {
		*ret_error = "id, from and text must be texts";
		return -1;
	}
	ret->kind = MESSAGE_TEXT;
	ret->provider_id = host->text(arena, id);
	ret->text = host->text(arena, text);
	ret->thread = "";
	ret->sender_name = host->text(arena, from);
	ret->sender = (struct identifier){
		.kind = "loopback",
		.scope = host->text(arena, host->channel_name(channel)),
		.value = host->text(arena, from),
		.proof = PROOF_CHANNEL,
		.proved_by = "token",
	};
	return 0;
}

static int loopback_parse(const struct channel *channel, const struct inbound *in,
			  struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct json_object *body = host->json_read(in->body, in->body_len, arena, ret_error);
	struct message *message = host->alloc(arena, sizeof(*message));
	int status;

	if (!body)
		return -1;
	status = loopback_read(body, channel, arena, message, ret_error);
	host->json_free(body);
	if (status < 0)
		return -1;
	ret->messages = message;
	ret->message_count = 1;
	return 0;
}

static void on_echoed(bool durable, const char *error, void *context)
{
	struct channel *channel = context;

	if (!durable)
		host->log(channel, 1, "event=echo_lost error=\"%s\"", error ? error : "");
}

static void echo(struct channel *channel, const struct outbound *message)
{
	struct arena *arena = host->arena_new();
	struct inbound in = { .method = "", .target = "" };

	in.body = host->format(arena, "{\"id\":%s,\"from\":%s,\"text\":%s}",
			       host->json_quote(arena, message->id),
			       host->json_quote(arena, message->to),
			       host->json_quote(arena, message->text ? message->text : ""));
	in.body_len = strlen(in.body);
	in.now_s = host->unix_ms() / 1000;
	host->receive(channel, &in, on_echoed, channel);
	host->arena_free(arena);
}

static void loopback_send(struct channel *channel, const struct outbound *message,
			  struct delivery *delivery)
{
	const struct loopback_settings *settings = host->channel_settings(channel);

	if (settings->echo)
		echo(channel, message);
	host->sent(delivery, message->id);
}

const struct connector loopback_connector = {
	.name = "loopback",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | IDEMPOTENT_SEND,
	.body_format = BODY_RAW,
	.identifier_kind = "loopback",
	.settings_size = sizeof(struct loopback_settings),
	.settings = loopback_settings_rows,
	.open = loopback_open,
	.close = loopback_close,
	.verify = loopback_verify,
	.parse = loopback_parse,
	.send = loopback_send,
};
