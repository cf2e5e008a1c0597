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

static int messenger_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	return messaging_open(core, channel, &messenger_kind, ret_error);
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
	.close = messaging_close,
	.verify = messaging_verify,
	.parse = messaging_parse,
	.send = messaging_send,
	.media = messaging_media,
	.test = messaging_test,
	.find_name = messaging_find_name,
	.window = messaging_window,
};
