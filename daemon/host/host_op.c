#include "host/host_private.h"

void host_op_start(struct host_op *op, struct channel *channel,
		   void (*end)(struct host_op *op, const char *why))
{
	op->channel = channel;
	op->end = end;
	op->next = channel->ops;
	op->link = &channel->ops;
	if (op->next)
		op->next->link = &op->next;
	channel->ops = op;
}

bool host_op_finish(struct host_op *op)
{
	if (!op->channel)
		return false;
	*op->link = op->next;
	if (op->next)
		op->next->link = op->link;
	op->channel = NULL;
	op->next = NULL;
	op->link = NULL;
	return true;
}

void host_ops_end(struct channel *channel, const char *why)
{
	while (channel->ops) {
		struct host_op *op = channel->ops;

		host_op_finish(op);
		op->end(op, why);
	}
}
