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

static int instagram_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	return messaging_open(core, channel, &instagram_kind, ret_error);
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
	.close = messaging_close,
	.verify = messaging_verify,
	.parse = messaging_parse,
	.send = messaging_send,
	.media = messaging_media,
	.test = messaging_test,
	.window = messaging_window,
};
