/* messenger: the messages of a Facebook page (developers.facebook.com/docs/messenger-platform). The
 * person is known to this page only (a page-scoped id). Limit: 2000 characters. */
#include "messaging.h"

static const struct setting messenger_settings_rows[] = {
	SETTING_ROW("page_id", TEXT, struct messaging_settings, page_id, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Of the page: Page settings, About, or the webhook page of the app "
			    "dashboard."),
	SETTING_ROW("human_agent", BOOL, struct messaging_settings, human_agent, "false",
		    .text = "The app has the Human Agent permission: people may answer for seven "
			    "days."),
	GRAPH_ROWS(struct messaging_settings, graph),
	SETTING_END,
};

static const struct messaging_kind messenger_kind = { .object = "page",
						      .identifier = "messenger",
						      .takes_files = true };

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

static int messenger_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	host = core;
	return messaging_open(core, channel, &messenger_kind, ret_error);
}

static void messenger_close(struct channel *channel)
{
	(void)channel;
}

static enum verdict messenger_verify(struct channel *channel, const struct inbound *in,
				     struct arena *arena, struct parsed *ret)
{
	const struct messaging_settings *settings = host->channel_settings(channel);

	return graph_verify(host, &settings->graph, in, arena, ret);
}

static int messenger_parse(const struct channel *channel, const struct inbound *in,
			   struct arena *arena, struct parsed *ret, const char **ret_error)
{
	return messaging_parse(channel, in, arena, ret, ret_error);
}

static void messenger_send(struct channel *channel, const struct outbound *message,
			   struct delivery *delivery)
{
	messaging_send(channel, message, delivery);
}

static void messenger_media(const struct channel *channel, const struct attachment *attachment,
			    struct arena *arena, struct media_request *ret)
{
	(void)arena;
	messaging_media(channel, attachment, ret);
}

static void messenger_test(struct channel *channel,
			   void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	messaging_test(channel, done, context);
}

static void messenger_window(const struct channel *channel, struct window_rules *ret)
{
	messaging_window(channel, ret);
}

const struct connector messenger_connector = {
	.name = "messenger",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | HAS_RECEIPTS | PROVIDER_RETRIES |
		     SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = 2000,
	.text_unit = TEXT_CHARACTERS,
	.identifier_kind = "messenger",
	.settings_size = sizeof(struct messaging_settings),
	.settings = messenger_settings_rows,
	.state_size = sizeof(struct messaging_state),
	.open = messenger_open,
	.close = messenger_close,
	.verify = messenger_verify,
	.parse = messenger_parse,
	.send = messenger_send,
	.media = messenger_media,
	.test = messenger_test,
	.find_name = messaging_find_name,
	.window = messenger_window,
};
