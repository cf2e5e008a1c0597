#include "events/webhook_post.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config.h"
#include "services/loop.h"
#include "services/transfer.h"

enum { ANSWER_MAX = 64 * 1024, STATUS_OK = 200, STATUS_LAST = 299, ERROR_MAX = 200 };

struct posting {
	struct parts *parts;
	webhook_posted_fn *done;
	void *context;
};

static void posting_end(struct posting *posting, const struct webhook_posted *posted)
{
	posting->done(posted, posting->context);
	free(posting);
}

/* The status decides, once it has come: whatever becomes of the answer's body, the event was taken
 * or not. */
static void on_answer(const struct transfer_answer *answer, void *context)
{
	struct webhook_posted posted = { .status = answer->status,
					 .retry_after_ms = answer->retry_after_ms };
	char error[ERROR_MAX];

	if (answer->status < STATUS_OK || answer->status > STATUS_LAST) {
		if (answer->status == 0)
			snprintf(error, sizeof(error), "%.*s", ERROR_MAX - 1,
				 answer->error == NULL ? "no answer" : answer->error->text);
		else
			snprintf(error, sizeof(error), "HTTP %ld", answer->status);
		posted.error = error;
	}
	posting_end(context, &posted);
}

static void on_unsigned(void *context)
{
	posting_end(context, &(struct webhook_posted){ .error = "its secret cannot be used",
						       .retry_after_ms = -1 });
}

void webhook_post(const struct webhook_post *post)
{
	struct posting *posting = memory_new(sizeof(*posting));
	int64_t now_ms = loop_unix_ms(post->parts->loop);
	char timestamp[24];
	char signature[WEBHOOK_SIGNATURE_BYTES];
	const struct transfer_field fields[] = {
		{ "Content-Type", "application/json" }, { "User-Agent", "converged" },
		{ "webhook-id", post->event },          { "webhook-timestamp", timestamp },
		{ "webhook-signature", signature },
	};
	struct transfer_options options = {
		.url = post->webhook->url,
		.method = "POST",
		.fields = fields,
		.field_count = COUNT_OF(fields),
		.allow_private = post->parts->config->limits.private_webhooks,
		.timeout_ms = post->webhook->timeout_ms,
		.connect_ms = post->webhook->timeout_ms,
		.answer_max = ANSWER_MAX,
	};
	struct buf body = { 0 };

	posting->parts = post->parts;
	posting->done = post->done;
	posting->context = post->context;
	buf_text(&body, post->json);
	snprintf(timestamp, sizeof(timestamp), "%" PRId64, now_ms / 1000);
	options.body = body.data;
	options.body_len = body.len;
	if (options.url == NULL ||
	    webhook_sign(post->webhook, post->event, now_ms, &body, signature) != 0)
		loop_soon(post->parts->loop, on_unsigned, posting);
	else
		transfer_start(post->parts->transfers, &options, NULL, on_answer, posting);
	buf_clear(&body);
}
