/* Words about the messages themselves, before any rule, bot or classifier sees them. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "channel.h"
#include "normalise/normalise.h"
#include "routing/opt_words.h"
#include "routing/rules.h"

/* No queue: it opens no work item. */
static const struct classification unread = {
	.queue = "",
	.type = "",
	.topic = "",
	.urgency = "",
	.skills = "",
	.rule = "",
	.type_rule = "",
	.topic_rule = "",
	.urgency_rule = "",
	.classifier = "",
	.classifier_rule = "",
	.bits = "",
};

/* Where the provider has recognised the word itself, it says which (extra.opt_out). */
static const char *said(const struct message *message, struct arena *arena)
{
	struct json_object *extra;
	const char *word = NULL;

	if (message->kind == MESSAGE_EVENT && message->extra != NULL) {
		extra = json_read(message->extra, strlen(message->extra), NULL);
		word = json_text_copy(extra, "opt_out", arena);
		json_free(&extra);
	}
	return word == NULL ? message->text : word;
}

static enum opt_word word_of(const struct flight *flight, const struct message *message)
{
	const struct sending_rules *rules = channel_sending(flight->channel);
	enum opt_word word = OPT_NONE;

	if (message->call == NULL && !message->automatic && message->attachment_count == 0 &&
	    (message->kind == MESSAGE_TEXT || message->kind == MESSAGE_EVENT))
		word = opt_word_of(said(message, flight->arena), rules, flight->arena);
	return word == OPT_HELP && rules->help_reply == NULL ? OPT_NONE : word;
}

enum stage_result normalise_opt(struct flight *flight)
{
	if (!channel_hears_opt_out(flight->channel))
		return STAGE_NEXT;
	for (size_t i = 0; i < flight->parsed.message_count; i++) {
		struct passenger *passenger = &flight->passengers[i];

		passenger->opt_word = (int)word_of(flight, passenger->message);
		/* Whether OPT_IN takes anything back, only the store knows. */
		if (passenger->opt_word == OPT_OUT || passenger->opt_word == OPT_HELP)
			passenger->classification = &unread;
	}
	return STAGE_NEXT;
}
