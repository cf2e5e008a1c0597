/* The answer to a word such as STOP: the one message that is still sent. */
#include <stdio.h>

#include "admit/run.h"
#include "base/arena.h"
#include "conversation/conversation.h"
#include "identity/identity.h"
#include "store/store.h"

static void on_written(const struct write_result *result, const struct error *err, void *context)
{
	const struct admit_result stored = { .code = ADMIT_STORED };

	if (result->code == WRITE_FAILED)
		admit_run_fail(context, err);
	else
		admit_run_end(context, &stored, NULL);
}

void admit_confirm(struct admit *admit, const struct admit_confirmation *what, admit_done_fn *done,
		   void *context)
{
	const struct identity_place place = { admit->mac, what->workspace, what->channel };
	struct admit_run *run = admit_run_new(admit, what->workspace, done, context);
	struct identity_key heard;
	char key[sizeof(heard.hex) + 8];
	char id[ID_BYTES];
	const struct message_record record = {
		.id = id,
		.conversation = what->conversation,
		.out = true,
		.kind = MESSAGE_TEXT,
		.text = what->text,
		.author_type = "system",
		.channel = what->channel,
		.created_ms = what->now_ms,
		.automatic = true,
	};
	struct reply reply = { .workspace = what->workspace,
			       .key = key,
			       .request = "opt",
			       .message = &record,
			       .any_agent = true,
			       .idempotent = what->idempotent,
			       .to_opted_out = true };

	/* Once for one message of theirs, however often it comes. */
	identity_reference(&place, what->heard, &heard);
	snprintf(key, sizeof(key), "opt-%s", heard.hex);
	id_new("msg_", id);
	conversation_reply(admit->store, &reply, on_written, run);
}
