/* The smallest plug-in: built against include/converge alone, linked to nothing. */
#include "converge/connector.h"

#ifndef SAMPLE_ABI
#define SAMPLE_ABI CONNECTOR_ABI
#endif
#ifndef SAMPLE_NAME
#define SAMPLE_NAME "sample"
#endif

static const struct setting rows[] = { SETTING_END };
static const struct host *host;

static int sample_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	(void)channel;
	(void)ret_error;
	return core == host ? 0 : -1;
}

static void sample_close(struct channel *channel)
{
	(void)channel;
}

static void sample_send(struct channel *channel, const struct outbound *message,
			struct delivery *delivery)
{
	(void)channel;
	host->sent(delivery, message->id);
}

static const struct connector sample = {
	.name = SAMPLE_NAME,
	.abi = SAMPLE_ABI,
	.abilities = CAN_SEND,
	.settings = rows,
	.open = sample_open,
	.close = sample_close,
	.send = sample_send,
};

const struct connector *converge_connector(const struct host *core);

const struct connector *converge_connector(const struct host *core)
{
	host = core;
	return core->size < sizeof(*core) ? NULL : &sample;
}
