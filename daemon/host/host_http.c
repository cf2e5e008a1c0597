#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "host/host_private.h"
#include "services/transfer.h"

enum { FIELDS_MAX = 32 };

struct http_op {
	struct host_op op;
	struct transfer *transfer;
	host_http_done *done;
	void *context;
};

bool host_url_is_loopback(const char *url)
{
	const char *name = strstr(url, "://");
	size_t len;

	name = name ? name + 3 : url;
	if (name[0] == '[')
		return strncmp(name, "[::1]", 5) == 0;
	len = strcspn(name, ":/?#");
	if (len == 9 && strncasecmp(name, "localhost", 9) == 0)
		return true;
	return len >= 7 && strncmp(name, "127.", 4) == 0 && strspn(name, "0123456789.") >= len;
}

static void http_end(struct host_op *op, const char *why)
{
	struct http_op *http = (struct http_op *)op;
	struct host_answer answer = { .error = why, .maybe_received = true, .retry_after_ms = -1 };

	transfer_cancel(&http->transfer);
	http->done(&answer, http->context);
	free(http);
}

static void on_answer(const struct transfer_answer *from, void *context)
{
	struct http_op *http = context;
	struct host_answer answer = {
		.error = from->error ? from->error->text : NULL,
		.maybe_received = from->error && from->progress >= TRANSFER_SENT,
		.status = from->status,
		.body = from->body,
		.body_len = from->body_len,
		.retry_after_ms = from->retry_after_ms,
	};

	host_op_finish(&http->op);
	http->done(&answer, http->context);
	free(http);
}

void host_http(struct channel *channel, const struct host_http *call, host_http_done *done,
	       void *context)
{
	struct transfer_field fields[FIELDS_MAX];
	struct transfer_options options = {
		.url = call->url,
		.method = call->method,
		.fields = fields,
		.body = call->body,
		.body_len = call->body_len,
		.allow_private = call->allow_private,
		.has_effect = call->has_effect,
		.timeout_ms = call->timeout_ms,
		.answer_max = call->answer_max,
	};
	struct http_op *http = memory_new(sizeof(*http));

	for (size_t i = 0; call->fields && call->fields[i] && i / 2 < FIELDS_MAX; i += 2)
		fields[options.field_count++] =
			(struct transfer_field){ .name = call->fields[i],
						 .value = call->fields[i + 1] };
	http->done = done;
	http->context = context;
	host_op_start(&http->op, channel, http_end);
	http->transfer =
		transfer_start(channel->owner->options.transfers, &options, NULL, on_answer, http);
}
