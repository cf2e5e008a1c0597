/* Any bytes posted to a channel whose proof they lack: never verified, and read
 * to messages and receipts that keep the contract, or refused with a reason.
 * An input that is a golden case (tests/data/<connector>) stands for its body. */
#pragma once

#include "contract/fixture.h"
#include "fuzz/fuzz.h"

static const char *fuzz_first_line(void *context, const char *name)
{
	(void)name;
	return context;
}

static struct channel *fuzz_channel(const char *connector, const char *settings)
{
	static struct fixture fixture;

	if (!fixture.channel) {
		fixture_start(&fixture);
		MUST(fixture_open(&fixture, connector, settings) == 0);
	}
	return fixture.channel;
}

static void fuzz_check_message(const struct message *message)
{
	MUST(message->provider_id && message->provider_id[0]);
	MUST(message->sender.kind && message->sender.value && message->sender.value[0]);
	MUST(message->sender.scope && message->thread && message->text && message->sender_name);
	MUST(message->other_count <= 8);
	MUST(!message->reply_context || strlen(message->reply_context) <= 1024);
	for (size_t i = 0; i < message->attachment_count; i++)
		MUST(message->attachments[i].type && message->attachments[i].name);
	if (message->extra) {
		struct json_object *extra = json_read(message->extra, strlen(message->extra), NULL);

		MUST(extra);
		json_free(&extra);
	}
}

static void fuzz_check(const struct parsed *parsed)
{
	for (size_t i = 0; i < parsed->message_count; i++)
		fuzz_check_message(&parsed->messages[i]);
	for (size_t i = 0; i < parsed->receipt_count; i++)
		MUST(parsed->receipts[i].provider_id || parsed->receipts[i].to);
}

/* The body of a golden case, else the bytes themselves. */
static char *fuzz_body(const uint8_t *data, size_t size, struct arena *arena, size_t *ret_len)
{
	struct json_object *golden = json_read((const char *)data, size, NULL);
	const char *body = golden ? json_text(golden, "request.body") : NULL;
	char *copy = body ? arena_text(arena, body) : arena_copy(arena, data, size);

	*ret_len = body ? strlen(body) : size;
	json_free(&golden);
	return copy;
}

__attribute__((unused)) static int fuzz_parse(const char *name, const char *settings,
					      const uint8_t *data, size_t size)
{
	struct channel *channel = fuzz_channel(name, settings);
	const struct connector *connector = channel_connector(channel);
	struct arena *arena = arena_new(0);
	struct inbound in = { .method = "POST", .target = "/in/x", .now_s = 1767322545 };
	struct request_view view = { fuzz_first_line, fuzz_first_line, NULL };
	struct parsed parsed = { 0 };
	const char *error = NULL;

	in.body = fuzz_body(data, size, arena, &in.body_len);
	view.context = arena_copy(arena, in.body, strcspn(in.body, "\n"));
	in.request = &view;
	MUST(!connector->verify || connector->verify(channel, &in, arena, &parsed) != VERIFIED);
	memset(&parsed, 0, sizeof(parsed));
	if (connector->parse(channel, &in, arena, &parsed, &error) == 0)
		fuzz_check(&parsed);
	else
		MUST(error && error[0]);
	arena_free(&arena);
	return 0;
}

#define FUZZ_CONNECTOR(name, settings)                                                             \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                               \
	{                                                                                          \
		return fuzz_parse(name, settings, data, size);                                     \
	}
