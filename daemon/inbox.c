#include "inbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config.h"
#include "delivery/delivery.h"
#include "pipeline.h"
#include "services/blobs.h"
#include "services/file_link.h"
#include "services/lmtp_server.h"
#include "services/loop.h"
#include "workspace.h"

/* ---- polled and socket bytes ---- */

struct receiving {
	host_received *done;
	void *context;
};

static void on_flight(struct flight *flight, bool durable, void *context)
{
	struct receiving *receiving = context;

	/* What can never be taken is settled too: asking again would not change it. */
	receiving->done(durable || flight->error.kind == ERROR_MISUSE,
			durable ? NULL : flight->error.text, receiving->context);
	free(receiving);
}

static void hook_receive(struct channel *channel, const struct inbound *in, host_received *done,
			 void *done_context, void *context)
{
	struct parts *parts = context;
	struct receiving *receiving = memory_new(sizeof(*receiving));

	receiving->done = done;
	receiving->context = done_context;
	pipeline_launch(parts->pipeline, channel, in, NULL, on_flight, receiving);
}

/* ---- attachments for connectors ---- */

struct fetching {
	host_attached *done;
	void *context;
	const char *error;
	bool gone;
};

static void on_blob(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct fetching *fetching = context;

	fetching->done(bytes, len, err == NULL ? NULL : err->text,
		       err != NULL && err->kind != ERROR_TEMPORARY, fetching->context);
	free(fetching);
}

static void on_no_blob(void *context)
{
	struct fetching *fetching = context;

	fetching->done(NULL, 0, fetching->error, fetching->gone, fetching->context);
	free(fetching);
}

static void hook_attachment(struct channel *channel, const struct attachment *attachment,
			    host_attached *done, void *done_context, void *context)
{
	struct parts *parts = context;
	struct fetching *fetching = memory_new(sizeof(*fetching));
	struct error err;

	(void)channel;
	fetching->done = done;
	fetching->context = done_context;
	if (attachment->blob != NULL &&
	    blobs_get(parts->blobs, attachment->blob, on_blob, fetching, &err) == 0)
		return;
	fetching->gone = attachment->blob == NULL || err.kind != ERROR_TEMPORARY;
	fetching->error = attachment->blob == NULL ? "the attachment has no stored bytes"
						   : "the attachment cannot be read now";
	loop_soon(parts->loop, on_no_blob, fetching);
}

static void hook_link(const char *blob, int64_t expires_s, struct buf *out, void *context)
{
	struct parts *parts = context;

	if (parts->config->files_url != NULL) {
		buf_reset(out);
		buf_text(out, parts->config->files_url);
		while (out->len > 0 && out->data[out->len - 1] == '/')
			out->len--;
	}
	file_link_write(parts->key, blob, expires_s, out);
}

static bool hook_sends_here(const char *workspace, void *context)
{
	struct parts *parts = context;

	return workspace_fence(workspace_get(parts->workspaces, workspace)) != NULL;
}

void inbox_hooks(struct parts *parts, struct channel_hooks *ret)
{
	*ret = (struct channel_hooks){
		.receive = hook_receive,
		.sent = delivery_on_sent,
		.failed = delivery_on_failed,
		.attachment = hook_attachment,
		.link = hook_link,
		.sends_here = hook_sends_here,
		.context = parts,
	};
}

/* ---- mail over LMTP ---- */

static bool on_recipient(const char *recipient, void *context)
{
	struct parts *parts = context;

	return channel_for_mail(parts->channels, recipient) != NULL;
}

static void on_mail_flight(struct flight *flight, bool durable, void *context)
{
	struct lmtp_mail *mail = context;

	if (durable)
		lmtp_answer(mail, LMTP_STORED, "stored");
	else if (flight->error.kind == ERROR_MISUSE)
		lmtp_answer(mail, LMTP_REFUSED, flight->error.text);
	else
		lmtp_answer(mail, LMTP_TRY_AGAIN, "try again later");
}

static void on_mail(struct lmtp_mail *mail, void *context)
{
	struct parts *parts = context;
	struct channel *channel = channel_for_mail(parts->channels, lmtp_mail_recipient(mail));
	struct inbound in = { .method = "",
			      .target = "",
			      .envelope_from = lmtp_mail_from(mail),
			      .envelope_to = lmtp_mail_recipient(mail),
			      .now_s = loop_unix_ms(parts->loop) / 1000 };

	if (channel == NULL) {
		lmtp_answer(mail, LMTP_TRY_AGAIN, "the channel is being changed");
		return;
	}
	in.body = lmtp_mail_bytes(mail, &in.body_len);
	pipeline_launch(parts->pipeline, channel, &in, NULL, on_mail_flight, mail);
}

struct lmtp_server *inbox_listen(struct parts *parts, const char *address, struct error *err)
{
	struct lmtp_options options = {
		.address = address,
		.hostname = "converge",
		.mail_max = parts->config->limits.mail,
	};

	return lmtp_server_new(parts->loop, &options, on_recipient, on_mail, parts, err);
}
