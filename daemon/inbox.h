/* What comes in without a webhook: polled and socket bytes (the channels'
 * hooks) and mail over LMTP, each into the pipeline. */
#pragma once

#include "base/error.h"
#include "channel.h"
#include "parts.h"

struct lmtp_server;

/* Fills the hooks that channels_new() takes. */
void inbox_hooks(struct parts *parts, struct channel_hooks *ret);
/* The LMTP door: 250 only after the durable ack. NULL with err. */
struct lmtp_server *inbox_listen(struct parts *parts, const char *address, struct error *err);
