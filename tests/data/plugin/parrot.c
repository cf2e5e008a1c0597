/* parrot: a connector built outside the tree, against include/converge alone. A
 * message is {"id","from","text"} with the header x-parrot; what is sent goes
 * back in as a message, so one sees both ways. */
#include <string.h>

#include "converge/connector.h"

struct parrot_settings {
	char *word;
};

static const struct setting rows[] = {
	SETTING_ROW("word", SECRET, struct parrot_settings, word, NULL, .flags = SETTING_REQUIRED,
		    .text = "What x-parrot must say."),
	SETTING_END,
};

static const struct host *host;

static int parrot_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	(void)channel;
	(void)ret_error;
	return core == host ? 0 : -1;
}

static void parrot_close(struct channel *channel)
{
	(void)channel;
}

static enum verdict parrot_verify(struct channel *channel, const struct inbound *in,
				  struct arena *arena, struct parsed *ret)
{
	const struct parrot_settings *settings = host->channel_settings(channel);
	const char *said = host->field(in, "x-parrot");

	(void)arena;
	(void)ret;
	return said && host->equal(said, strlen(said), settings->word, strlen(settings->word))
		       ? VERIFIED
		       : FORGED;
}

static int parrot_parse(const struct channel *channel, const struct inbound *in,
			struct arena *arena, struct parsed *ret, const char **ret_error)
{
	struct json_object *body = host->json_read(in->body, in->body_len, arena, ret_error);
	struct message *message = host->alloc(arena, sizeof(*message));

	if (!body)
		return -1;
	message->provider_id = host->text(arena, host->json_text(body, "id"));
	message->text = host->text(arena, host->json_text(body, "text"));
	message->sender.value = host->text(arena, host->json_text(body, "from"));
	message->sender.kind = "parrot";
	message->sender.scope = host->text(arena, host->channel_name(channel));
	message->sender.proof = PROOF_CHANNEL;
	message->sender.proved_by = "parrot";
	message->sender_name = message->thread = "";
	host->json_free(body);
	if (!message->provider_id || !message->text || !message->sender.value) {
		*ret_error = "id, from and text must be texts";
		return -1;
	}
	ret->messages = message;
	ret->message_count = 1;
	return 0;
}

static void on_kept(bool durable, const char *error, void *context)
{
	(void)durable;
	(void)error;
	(void)context;
}

static void parrot_send(struct channel *channel, const struct outbound *message,
			struct delivery *delivery)
{
	struct arena *arena = host->arena_new();
	struct inbound in = { .method = "", .target = "" };

	in.body = host->format(
		arena, "{\"id\":%s,\"from\":%s,\"text\":%s}", host->json_quote(arena, message->id),
		host->json_quote(arena, message->to), host->json_quote(arena, message->text));
	in.body_len = strlen(in.body);
	in.now_s = host->unix_ms() / 1000;
	host->receive(channel, &in, on_kept, NULL);
	host->sent(delivery, message->id);
	host->arena_free(arena);
}

static const struct connector parrot = {
	.name = "parrot",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | IDEMPOTENT_SEND,
	.identifier_kind = "parrot",
	.settings_size = sizeof(struct parrot_settings),
	.settings = rows,
	.open = parrot_open,
	.close = parrot_close,
	.verify = parrot_verify,
	.parse = parrot_parse,
	.send = parrot_send,
};

const struct connector *converge_connector(const struct host *core);

const struct connector *converge_connector(const struct host *core)
{
	host = core;
	return core->size < sizeof(*core) ? NULL : &parrot;
}
