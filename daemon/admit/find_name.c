#include "admit/find_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit/admit.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "store/store.h"
#include "workspace.h"

enum { NAME_MAX_BYTES = 200 };

struct naming {
	struct parts *parts;
	struct channel *channel;
	char *who;
	char customer[ID_BYTES];
	char conversation[ID_BYTES];
};

static void naming_free(struct naming *naming)
{
	channel_drop(naming->channel);
	free(naming->who);
	free(naming);
}

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct naming *naming = context;

	(void)reply;
	if (err != NULL)
		log_warn(naming->conversation, "event=name_not_written error=%s",
			 log_quote(err->text));
	naming_free(naming);
}

static void on_named(const char *name, void *context)
{
	struct naming *naming = context;
	struct arena *arena = arena_new(0);
	const char *clean =
		name == NULL ? "" : text_clean_line(arena, name, strlen(name), NAME_MAX_BYTES);
	struct store_call *put;

	if (*clean == '\0' || naming->parts->store == NULL) {
		naming_free(naming);
	} else {
		put = store_script("name_put", channel_workspace(naming->channel));
		store_key(put, "c:%s", naming->conversation);
		store_arg_text(put, naming->customer);
		store_arg_text(put, clean);
		store_run(naming->parts->store, put, on_put, naming);
	}
	arena_free(&arena);
}

static void ask(struct naming *naming)
{
	channel_connector(naming->channel)
		->find_name(naming->channel, naming->who, on_named, naming);
}

/* Somebody who came back: perhaps the provider did not answer then. */
static void on_known(const struct store_reply *reply, const struct error *err, void *context)
{
	struct naming *naming = context;
	const char *name = err == NULL ? reply_text(reply, NULL) : NULL;

	if (err != NULL || naming->parts->store == NULL || (name != NULL && *name != '\0'))
		naming_free(naming);
	else
		ask(naming);
}

void find_name(const struct flight *flight, const struct message *message,
	       const struct admit_result *result)
{
	const char *said = message->sender_name;
	struct naming *naming;
	struct store_call *read;

	if (channel_connector(flight->channel)->find_name == NULL ||
	    (said != NULL && *said != '\0') || !result->new_conversation)
		return;
	naming = memory_new(sizeof(*naming));
	naming->parts = flight->parts;
	naming->channel = flight->channel;
	channel_hold(naming->channel);
	naming->who = memory_text(message->sender.value);
	snprintf(naming->customer, sizeof(naming->customer), "%s", result->customer);
	snprintf(naming->conversation, sizeof(naming->conversation), "%s", result->conversation);
	if (result->new_customer) {
		ask(naming);
		return;
	}
	read = store_command("HGET");
	store_arg_key(read, channel_workspace(naming->channel), "u:%s", naming->customer);
	store_arg_text(read, "nm");
	store_read(naming->parts->store, read, on_known, naming);
}
