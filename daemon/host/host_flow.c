/* Calls that the pipeline and the blob store answer: they may outlive the
 * channel, so each is held by an op of ours. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "host/host_private.h"

struct receive_op {
	struct host_op op;
	host_received *done;
	void *context;
};

static void receive_end(struct host_op *op, const char *why)
{
	struct receive_op *receive = (struct receive_op *)op;

	receive->done(false, why, receive->context);
}

static void on_received(bool durable, const char *error, void *context)
{
	struct receive_op *receive = context;

	if (host_op_finish(&receive->op))
		receive->done(durable, error, receive->context);
	free(receive);
}

void host_receive(struct channel *channel, const struct inbound *in, host_received *done,
		  void *context)
{
	const struct channel_hooks *hooks = &channel->owner->options.hooks;
	struct receive_op *receive = memory_new(sizeof(*receive));

	receive->done = done;
	receive->context = context;
	host_op_start(&receive->op, channel, receive_end);
	hooks->receive(channel, in, on_received, receive, hooks->context);
}

struct attachment_op {
	struct host_op op;
	host_attached *done;
	void *context;
};

static void attachment_end(struct host_op *op, const char *why)
{
	struct attachment_op *attachment = (struct attachment_op *)op;

	attachment->done(NULL, 0, why, false, attachment->context);
}

static void on_attachment(const void *bytes, size_t len, const char *error, bool gone,
			  void *context)
{
	struct attachment_op *attachment = context;

	if (host_op_finish(&attachment->op))
		attachment->done(bytes, len, error, gone, attachment->context);
	free(attachment);
}

void host_attachment(struct channel *channel, const struct attachment *wanted, host_attached *done,
		     void *context)
{
	const struct channel_hooks *hooks = &channel->owner->options.hooks;
	struct attachment_op *attachment = memory_new(sizeof(*attachment));

	attachment->done = done;
	attachment->context = context;
	host_op_start(&attachment->op, channel, attachment_end);
	hooks->attachment(channel, wanted, on_attachment, attachment, hooks->context);
}

char *channel_attachment_url(struct channel *channel, const struct attachment *attachment,
			     int64_t expires_s, struct arena *arena)
{
	const struct channel_hooks *hooks = &channel->owner->options.hooks;
	OWNED(buf_clear) struct buf url = { 0 };

	if (!attachment->blob || !hooks->link)
		return NULL;
	if (channel->public_url)
		buf_text(&url, channel->public_url);
	while (url.len > 0 && url.data[url.len - 1] == '/')
		url.len--;
	hooks->link(attachment->blob, expires_s, &url, hooks->context);
	if (attachment->name && attachment->name[0]) {
		buf_text(&url, "&name=");
		text_percent(&url, attachment->name, strlen(attachment->name));
	}
	return arena_text(arena, buf_string(&url));
}
