#include "store/handshake.h"

#include <stdio.h>
#include <string.h>

#include "store/address.h"
#include "store/call.h"
#include "store/redis.h"
#include "store/reply.h"
#include "store/scripts.h"
#include "store/store_internal.h"

static void send(struct handshake *handshake, struct link *link, struct store_call *call)
{
	call_seal(call);
	link_send(link, call->bytes + call->start, call->len - call->start);
	call_free(call);
	handshake->waiting++;
}

void handshake_start(struct handshake *handshake, struct link *link, const struct address *address)
{
	struct store_call *call;

	*handshake = (struct handshake){ 0 };
	if (address->password != NULL) {
		call = store_command("AUTH");
		if (address->user != NULL)
			store_arg_text(call, address->user);
		store_arg_text(call, address->password);
		send(handshake, link, call);
	}
	if (address->database != 0) {
		call = store_command("SELECT");
		store_arg_int(call, address->database);
		send(handshake, link, call);
	}
	for (size_t i = 0; i < script_count(); i++) {
		const struct script_text *source = script_at(i)->source;

		call = store_command("SCRIPT");
		store_arg_text(call, "LOAD");
		store_arg(call, source->text, source->len);
		send(handshake, link, call);
	}
	call = store_command("ROLE");
	send(handshake, link, call);
	call = store_command("INFO");
	store_arg_text(call, "replication");
	send(handshake, link, call);
}

void lineage_read(struct lineage *lineage, const char *info)
{
	size_t id_len = 0;
	size_t before_len = 0;
	const char *id = info_field(info, "master_replid", &id_len);
	const char *before = info_field(info, "master_replid2", &before_len);

	snprintf(lineage->id, sizeof(lineage->id), "%.*s", (int)id_len, id == NULL ? "" : id);
	snprintf(lineage->before, sizeof(lineage->before), "%.*s", (int)before_len,
		 before == NULL ? "" : before);
}

int handshake_answer(struct handshake *handshake, const struct store_reply *reply,
		     struct error *err)
{
	handshake->waiting--;
	if (reply->is_error && strstr(reply_text(reply, NULL), "compiling script") != NULL)
		return error_set(err, ERROR_PERMANENT,
				 "it does not know our scripts; Redis 7.0 or newer, or Valkey, is "
				 "needed: %s",
				 reply_text(reply, NULL));
	if (reply->is_error)
		return error_set(err, ERROR_TEMPORARY, "%s", reply_text(reply, NULL));
	if (reply_is(reply, "slave"))
		return error_set(err, ERROR_TEMPORARY, "it is a replica, not the master");
	if (handshake->waiting == 0)
		lineage_read(&handshake->lineage, reply_text(reply, NULL));
	return 0;
}
