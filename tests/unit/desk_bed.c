#include "desk_bed.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"

static void note(char *out, size_t room, const char *text)
{
	snprintf(out, room, "%s", text != NULL ? text : "");
}

void desk_wait(struct desk_bed *desk)
{
	bed_until(desk->bed, &desk->done);
	desk->done = false;
}

const char *desk_ask(struct desk_bed *desk, const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return redis_ask(&desk->bed->child, "%s", command);
}

static void on_admitted(const struct admit_result *result, const struct error *err, void *context)
{
	struct desk_bed *desk = context;

	if (err != NULL)
		abort();
	note(desk->message, ID_BYTES, result->message);
	note(desk->conversation, ID_BYTES, result->conversation);
	note(desk->customer, ID_BYTES, result->customer);
	note(desk->item, ID_BYTES, result->work_item);
	desk->done = true;
}

void desk_admit(struct desk_bed *desk, const char *provider_id)
{
	const struct message message = {
		.provider_id = provider_id,
		.text = "hello",
		.sender = { .kind = "webhook",
			    .scope = "shop",
			    .value = "u1",
			    .proof = PROOF_CHANNEL,
			    .proved_by = "signature" },
		.sender_name = "Ann",
		.thread = "",
	};
	const struct admission admission = {
		.workspace = "main",
		.channel = "shop",
		.message = &message,
		.work = { .queue = "support", .type = "refund" },
		.now_ms = 1763845200000,
	};

	admit_run(desk->admit, &admission, on_admitted, desk);
	desk_wait(desk);
}

struct desk_bed *desk_bed_new(void)
{
	const struct presence online = { "alice", "online", NULL, true };
	struct desk_bed *desk = memory_new(sizeof(*desk));

	desk->bed = bed_new(NULL);
	desk->mac = mac_new("installation", 12);
	desk->admit = admit_new(desk->bed->store, desk->mac);
	desk_admit(desk, "p1");
	desk_ask(desk, "SET {main}:lease:steward f1");
	presence_set(desk->bed->store, "main", &online, desk_on_work, desk);
	desk_wait(desk);
	return desk;
}

void desk_bed_free(struct desk_bed **desk)
{
	admit_free(&(*desk)->admit);
	mac_free(&(*desk)->mac);
	bed_free(&(*desk)->bed);
	free(*desk);
	*desk = NULL;
}

struct work_call desk_call(struct desk_bed *desk, const char *agent)
{
	return (struct work_call){ .store = desk->bed->store,
				   .workspace = "main",
				   .work_item = desk->item,
				   .agent = agent };
}

void desk_on_work(const struct work_result *result, const struct error *err, void *context)
{
	struct desk_bed *desk = context;

	if ((err != NULL) != (result->code == WORK_FAILED))
		abort();
	desk->code = result->code;
	note(desk->refusal, sizeof(desk->refusal), result->refusal);
	note(desk->state, sizeof(desk->state), result->state);
	note(desk->given, sizeof(desk->given), result->work_item);
	desk->allowed[0] = '\0';
	for (size_t i = 0; i < result->allowed_count; i++) {
		strncat(desk->allowed, result->allowed[i], 20);
		strncat(desk->allowed, " ", 2);
	}
	desk->version = result->version;
	desk->replayed = result->replayed;
	desk->done = true;
}

void desk_on_write(const struct write_result *result, const struct error *err, void *context)
{
	struct desk_bed *desk = context;

	if ((err != NULL) != (result->code == WRITE_FAILED))
		abort();
	desk->written = *result;
	note(desk->written_id, ID_BYTES, result->message);
	note(desk->refusal, sizeof(desk->refusal), result->refusal);
	desk->replayed = result->replayed;
	desk->done = true;
}

void desk_on_outbox(const struct outbox_result *result, const struct error *err, void *context)
{
	struct desk_bed *desk = context;

	if ((err != NULL) != (result->code == OUTBOX_FAILED))
		abort();
	desk->outbox = result->code;
	note(desk->state, sizeof(desk->state), result->state);
	note(desk->refusal, sizeof(desk->refusal), result->refusal);
	note(desk->sending, ID_BYTES, result->message_id);
	note(desk->stored, sizeof(desk->stored), result->message ? result->message->stored : "");
	desk->attempt = result->message ? result->message->attempt : 0;
	desk->done = true;
}

void desk_offer(struct desk_bed *desk, const char *agent, const char *offer)
{
	const struct offer_proposal proposal = {
		.fence = "f1",
		.work_item = desk->item,
		.version = atoll(desk_ask(desk, "HGET {main}:w:%s v", desk->item)),
		.agent = agent,
		.offer = offer,
		.accept_ms = 30000,
		.agent_capacity = 10,
		.cost = 2,
		.parallel = 2,
		.missed_max = 3,
	};

	offer_make(desk->bed->store, "main", &proposal, desk_on_work, desk);
	desk_wait(desk);
}

void desk_assign(struct desk_bed *desk, const char *agent)
{
	struct work_call call = desk_call(desk, agent);

	desk_offer(desk, agent, "off_1");
	work_accept(&call, desk_on_work, desk);
	desk_wait(desk);
}

void desk_reply(struct desk_bed *desk, const char *agent, const char *key, const char *text)
{
	char id[ID_BYTES];
	const struct message_record message = {
		.id = id,
		.conversation = desk->conversation,
		.out = true,
		.kind = MESSAGE_TEXT,
		.text = text,
		.author_type = "agent",
		.author_id = agent,
		.author_name = "Alice",
		.channel = "shop",
		.created_ms = 1763845200000,
	};
	const struct reply reply = { .workspace = "main",
				     .key = key,
				     .request = text,
				     .message = &message,
				     .agent = agent };

	id_new("msg_", id);
	conversation_reply(desk->bed->store, &reply, desk_on_write, desk);
	desk_wait(desk);
}

void desk_fire(struct desk_bed *desk, const char *member)
{
	const struct work_timer timer = { "f1", member };

	work_timer_fire(desk->bed->store, "main", &timer, desk_on_work, desk);
	desk_wait(desk);
}
