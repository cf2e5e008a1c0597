/* The connector's parse(), then what holds for every channel: bounded, clean
 * text, ids, and the rules over it. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "channel.h"
#include "normalise/normalise.h"

static const char *line(struct arena *arena, const char *text, size_t max)
{
	return text == NULL ? NULL : text_clean_line(arena, text, strlen(text), max);
}

static void identifier_clean(struct arena *arena, struct identifier *identifier)
{
	identifier->value = line(arena, identifier->value, LIMIT_ADDRESS_BYTES);
	identifier->raw = line(arena, identifier->raw, LIMIT_ADDRESS_BYTES);
	if (identifier->scope == NULL)
		identifier->scope = "";
}

static void attachments_clean(struct arena *arena, struct message *message)
{
	if (message->attachment_count > LIMIT_ATTACHMENTS)
		message->attachment_count = LIMIT_ATTACHMENTS;
	for (size_t i = 0; i < message->attachment_count; i++) {
		struct attachment *attachment = &message->attachments[i];

		attachment->name = line(arena, attachment->name, LIMIT_NAME_BYTES);
		attachment->type = line(arena, attachment->type, LIMIT_NAME_BYTES);
	}
}

static void message_clean(struct arena *arena, struct message *message)
{
	message->text = message->text == NULL ? ""
					      : text_clean(arena, message->text,
							   strlen(message->text), LIMIT_TEXT_BYTES);
	if (message->html != NULL)
		message->html =
			text_clean(arena, message->html, strlen(message->html), LIMIT_TEXT_BYTES);
	message->subject = line(arena, message->subject, LIMIT_TEXT_BYTES / 256);
	message->sender_name = message->sender_name == NULL
				       ? ""
				       : line(arena, message->sender_name, LIMIT_NAME_BYTES);
	if (message->thread == NULL)
		message->thread = "";
	identifier_clean(arena, &message->sender);
	if (message->other_count > LIMIT_IDENTIFIERS - 1)
		message->other_count = LIMIT_IDENTIFIERS - 1;
	for (size_t i = 0; i < message->other_count; i++)
		identifier_clean(arena, &message->others[i]);
	attachments_clean(arena, message);
}

static enum stage_result messages_check(struct flight *flight)
{
	for (size_t i = 0; i < flight->parsed.message_count; i++) {
		const struct message *message = &flight->parsed.messages[i];

		if (message->provider_id == NULL || *message->provider_id == '\0' ||
		    strlen(message->provider_id) > LIMIT_ID_BYTES)
			return flight_refuse(flight, 400, "bad_message_id",
					     "message %zu: its id must have 1 to %d bytes", i,
					     LIMIT_ID_BYTES);
		if (message->sender.value == NULL || *message->sender.value == '\0')
			return flight_refuse(flight, 400, "no_sender",
					     "message %zu says not who it is from", i);
		if (message->thread != NULL && strlen(message->thread) > LIMIT_ID_BYTES)
			return flight_refuse(flight, 400, "bad_thread",
					     "message %zu: its thread is longer than %d bytes", i,
					     LIMIT_ID_BYTES);
	}
	return STAGE_NEXT;
}

static enum stage_result connector_parse(struct flight *flight)
{
	const struct connector *connector = channel_connector(flight->channel);
	const char *why = "the request cannot be read";

	if (connector->parse(flight->channel, &flight->in, flight->arena, &flight->parsed, &why) !=
	    0)
		return flight_refuse(flight, 400, "bad_message", "%s", why);
	if (flight->parsed.message_count > LIMIT_MESSAGES_PER_REQUEST)
		return flight_refuse(flight, 413, "too_many_messages",
				     "more than %d messages in one request",
				     LIMIT_MESSAGES_PER_REQUEST);
	return messages_check(flight);
}

/* A message without a sender, say: that it comes again would not change it, so it is kept as it
 * is. */
static void unread_keep(struct flight *flight)
{
	log_warn(flight->id, "stage=parse channel=%s event=unreadable_kept error=%s",
		 channel_name(flight->channel), flight->error.text);
	normalise_unreadable(flight, arena_text(flight->arena, flight->error.text));
	flight->error = (struct error){ 0 };
	flight->status = 0;
	flight->code = NULL;
}

enum stage_result normalise_parse(struct flight *flight)
{
	bool refuses = channel_connector(flight->channel)->abilities & REFUSES_UNREADABLE;
	enum stage_result result;

	if (!flight->is_unreadable) {
		result = connector_parse(flight);
		if (result != STAGE_NEXT && refuses)
			return result;
		if (result != STAGE_NEXT)
			unread_keep(flight);
	}
	flight->passengers = arena_alloc(flight->arena, (flight->parsed.message_count + 1) *
								sizeof(*flight->passengers));
	for (size_t i = 0; i < flight->parsed.message_count; i++) {
		message_clean(flight->arena, &flight->parsed.messages[i]);
		flight->passengers[i].message = &flight->parsed.messages[i];
		id_new("msg_", flight->passengers[i].message_id);
	}
	return STAGE_NEXT;
}
