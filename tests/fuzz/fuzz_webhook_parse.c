/* Any bytes posted to the generic channel: never verified, and read to a
 * message with an id and a sender, or refused with a reason. */
#include "contract/fixture.h"
#include "fuzz/fuzz.h"

#define SETTINGS "{\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}"

static struct channel *channel_once(void)
{
	static struct fixture fixture;

	if (!fixture.channel) {
		fixture_start(&fixture);
		MUST(fixture_open(&fixture, "webhook", SETTINGS) == 0);
	}
	return fixture.channel;
}

/* Every header is the input's first line: signatures of any shape. */
static const char *first_line(void *context, const char *name)
{
	(void)name;
	return context;
}

static void check_message(const struct message *message)
{
	MUST(message->provider_id && message->provider_id[0]);
	MUST(message->sender.value && message->sender.value[0]);
	MUST(strlen(message->provider_id) <= 512 && strlen(message->sender.value) <= 512);
	MUST(strlen(message->text) <= 256 * 1024 && message->attachment_count <= 50);
	MUST(message->text[0] || message->attachment_count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct channel *channel = channel_once();
	const struct connector *connector = channel_connector(channel);
	struct arena *arena = arena_new(0);
	char *body = arena_copy(arena, data, size);
	char *line = arena_copy(arena, body, strcspn(body, "\n"));
	struct request_view view = { first_line, NULL, line };
	struct inbound in = { .method = "POST",
			      .target = "/in/shop",
			      .body = body,
			      .body_len = size,
			      .now_s = 1614265330,
			      .request = &view };
	struct parsed parsed = { 0 };
	const char *error = NULL;

	MUST(connector->verify(channel, &in, arena, &parsed) == FORGED);
	if (connector->parse(channel, &in, arena, &parsed, &error) == 0) {
		MUST(parsed.message_count == 1);
		check_message(&parsed.messages[0]);
	} else {
		MUST(error && error[0]);
	}
	arena_free(&arena);
	return 0;
}
