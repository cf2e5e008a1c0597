/* A store that only knows cursors, kept in memory: host_cursor.c on the test's
 * own loop, without a server. */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "services/loop.h"
#include "store/lease.h"
#include "store/store.h"

struct store {
	struct loop *loop;
	char cursor[256]; /* "" while unset */
	int puts;
};

struct store_call {
	struct store *store;
	store_done_fn *done;
	void *context;
	char value[256];
	bool is_put;
};

struct store_reply {
	const char *text;
};

struct store_call *store_command(const char *verb)
{
	(void)verb;
	return memory_new(sizeof(struct store_call));
}

struct store_call *store_script(const char *script, const char *workspace)
{
	struct store_call *call = store_command(script);

	(void)workspace;
	call->is_put = true;
	return call;
}

void store_key(struct store_call *call, const char *format, ...)
{
	(void)call;
	(void)format;
}

void store_arg_key(struct store_call *call, const char *workspace, const char *format, ...)
{
	(void)call;
	(void)workspace;
	(void)format;
}

void store_arg_text(struct store_call *call, const char *text)
{
	if (!call->value[0])
		snprintf(call->value, sizeof(call->value), "%s", text);
}

int64_t reply_int(const struct store_reply *reply)
{
	(void)reply;
	return 0;
}

const char *reply_text(const struct store_reply *reply, size_t *ret_len)
{
	if (ret_len)
		*ret_len = reply->text ? strlen(reply->text) : 0;
	return reply->text;
}

static void fake_store_answer(void *context)
{
	struct store_call *call = context;
	struct store *store = call->store;
	struct store_reply reply = { store->cursor[0] ? store->cursor : NULL };

	if (call->is_put) {
		snprintf(store->cursor, sizeof(store->cursor), "%s", call->value);
		store->puts++;
		reply.text = "ok";
	}
	call->done(&reply, NULL, call->context);
	free(call);
}

void store_run(struct store *store, struct store_call *take_call, store_done_fn *done,
	       void *context)
{
	take_call->store = store;
	take_call->done = done;
	take_call->context = context;
	loop_soon(store->loop, fake_store_answer, take_call);
}

void store_read(struct store *store, struct store_call *take_call, store_done_fn *done,
		void *context)
{
	store_run(store, take_call, done, context);
}

struct lease *lease_want(struct leases *leases, const char *workspace, const char *name,
			 lease_change_fn *on_change, void *context)
{
	(void)leases;
	(void)workspace;
	(void)name;
	(void)on_change;
	(void)context;
	abort();
}

void lease_drop(struct lease **lease)
{
	(void)lease;
	abort();
}
