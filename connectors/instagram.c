/* instagram: the direct messages of a professional account
 * (developers.facebook.com/docs/instagram-platform). The person is known to this account only.
 * Takes pictures, video and sound. Limit: 1000 bytes. */
#include "messaging.h"

static const struct setting instagram_settings_rows[] = {
	SETTING_ROW("page_id", TEXT, struct messaging_settings, page_id, NULL,
		    .flags = SETTING_REQUIRED,
		    .text = "Of the Instagram account (17841...): the webhook page of the app "
			    "dashboard."),
	SETTING_ROW("human_agent", BOOL, struct messaging_settings, human_agent, "false",
		    .text = "The app has the Human Agent permission: people may answer for seven "
			    "days."),
	GRAPH_ROWS(struct messaging_settings, graph),
	SETTING_END,
};

static const struct messaging_kind instagram_kind = { .object = "instagram",
						      .identifier = "instagram",
						      .takes_files = false };

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

static int instagram_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	host = core;
	return messaging_open(core, channel, &instagram_kind, ret_error);
}

static void instagram_close(struct channel *channel)
{
	(void)channel;
}

static enum verdict instagram_verify(struct channel *channel, const struct inbound *in,
				     struct arena *arena, struct parsed *ret)
{
	const struct messaging_settings *settings = host->channel_settings(channel);

	return graph_verify(host, &settings->graph, in, arena, ret);
}

static int instagram_parse(const struct channel *channel, const struct inbound *in,
			   struct arena *arena, struct parsed *ret, const char **ret_error)
{
	return messaging_parse(channel, in, arena, ret, ret_error);
}

static void instagram_send(struct channel *channel, const struct outbound *message,
			   struct delivery *delivery)
{
	messaging_send(channel, message, delivery);
}

static void instagram_media(const struct channel *channel, const struct attachment *attachment,
			    struct arena *arena, struct media_request *ret)
{
	(void)arena;
	messaging_media(channel, attachment, ret);
}

static void instagram_test(struct channel *channel,
			   void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	messaging_test(channel, done, context);
}

static void instagram_window(const struct channel *channel, struct window_rules *ret)
{
	messaging_window(channel, ret);
}

const struct connector instagram_connector = {
	.name = "instagram",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | HAS_RECEIPTS | PROVIDER_RETRIES |
		     SENDS_ONE_THING,
	.body_format = BODY_RAW,
	.max_text = 1000,
	.text_unit = TEXT_BYTES,
	.identifier_kind = "instagram",
	.settings_size = sizeof(struct messaging_settings),
	.settings = instagram_settings_rows,
	.state_size = sizeof(struct messaging_state),
	.open = instagram_open,
	.close = instagram_close,
	.verify = instagram_verify,
	.parse = instagram_parse,
	.send = instagram_send,
	.media = instagram_media,
	.test = instagram_test,
	.window = instagram_window,
};
