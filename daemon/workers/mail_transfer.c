#include "workers/mail_transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "services/loop.h"
#include "services/transfer.h"

enum { CODE_START_DATA = 354, CODE_BAD_LOGIN = 535 };

struct sending {
	struct buf *answer;
	bool ended;
};

/* The reply code decides where there is one; 354 is the server's "go on", so
 * silence after it means that nobody knows. */
static const char *verdict_of(const struct transfer_answer *answer)
{
	if (!answer->error)
		return "sent";
	if (answer->auth_refused || answer->status == CODE_BAD_LOGIN)
		return "reauth";
	if (answer->status >= 500)
		return "permanent";
	if (answer->status >= 400)
		return "retry";
	if (answer->status == CODE_START_DATA && answer->progress >= TRANSFER_SENT)
		return "unknown";
	return "retry";
}

static void on_end(const struct transfer_answer *from, void *context)
{
	struct sending *sending = context;
	struct json_out out;
	struct arena *arena = arena_new(0);
	const char *text = from->error ? from->error->text : "";

	jw_start(&out, sending->answer);
	jw_object(&out, NULL);
	jw_text(&out, "verdict", verdict_of(from));
	jw_int(&out, "code", from->status);
	jw_text(&out, "text", text_clean_line(arena, text, strlen(text), 300));
	jw_object_end(&out);
	arena_free(&arena);
	sending->ended = true;
}

static void run(const struct transfer_options *options, struct sending *sending)
{
	struct loop *loop = loop_new();
	struct transfers *transfers = transfers_new(loop);

	transfer_start(transfers, options, NULL, on_end, sending);
	while (!sending->ended)
		loop_turn(loop, true);
	loop_turn(loop, false);
	transfers_free(&transfers);
	loop_turn(loop, false);
	loop_free(&loop);
}

int mail_transfer(struct json_object *envelope, const char *message, size_t len, struct buf *answer,
		  struct error *err)
{
	struct json_object *list = json_at(envelope, "to");
	size_t count = json_count(list);
	struct sending sending = { .answer = answer };
	const char **to = memory_new((count + 1) * sizeof(*to));
	struct transfer_options options = {
		.url = json_text(envelope, "url"),
		.user = json_text(envelope, "user"),
		.password = json_text(envelope, "password"),
		.oauth_bearer = json_text(envelope, "bearer"),
		.mail_from = json_text(envelope, "from"),
		.mail_to = to,
		.mail_to_count = count,
		.body = message,
		.body_len = len,
		.ca_file = json_text(envelope, "ca_file"),
		.require_tls = json_bool(envelope, "tls", true),
		.allow_private = true, /* the operator names mail servers, not the customer */
		.timeout_ms =
			json_int(envelope, "timeout_ms", 0) * 3 / 2, /* below the job's deadline */
	};

	for (size_t i = 0; i < count; i++)
		to[i] = json_string(json_item(list, i));
	options.no_tls = !options.require_tls;
	if (count == 0 || !options.mail_from)
		error_set(err, ERROR_MISUSE, "a mail without sender or recipients");
	else
		run(&options, &sending);
	free(to);
	return sending.ended ? 0 : -1;
}
