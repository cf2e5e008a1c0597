#include "automation/sla_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/log_entry.h"
#include "store/store.h"

struct reading {
	sla_read_fn *done;
	void *context;
};

/* What sla_read.lua answers, in its order. */
enum {
	READ_STATE,
	READ_QUEUE,
	READ_TYPE,
	READ_TOPIC,
	READ_URGENCY,
	READ_CHANNEL,
	READ_CONVERSATION,
	READ_CREATED,
	READ_RESPONSE,
	READ_AGENT,
	READ_WAITING,
	READ_CLOCKS,
	READ_TIER,
	READ_COUNT
};

static const char *text_of(const struct store_reply *reply, size_t index)
{
	const char *text = reply_text(reply_item(reply, index), NULL);

	return text == NULL ? "" : text;
}

static void on_read(const struct store_reply *reply, const struct error *err, void *context)
{
	struct reading *reading = context;
	struct sla_item item = { 0 };
	struct error problem = { 0 };

	if (err == NULL && reply_count(reply) != READ_COUNT) {
		error_set(&problem, ERROR_TEMPORARY, "the store gave an unknown answer");
		err = &problem;
	}
	if (err == NULL) {
		item.kept = text_of(reply, READ_CLOCKS);
		item.state = text_of(reply, READ_STATE);
		item.waiting = text_of(reply, READ_WAITING);
		item.agent = text_of(reply, READ_AGENT);
		item.facts.subject = (struct sla_subject){
			.queue = text_of(reply, READ_QUEUE),
			.type = text_of(reply, READ_TYPE),
			.topic = text_of(reply, READ_TOPIC),
			.urgency = text_of(reply, READ_URGENCY),
			.channel = text_of(reply, READ_CHANNEL),
			.tier = text_of(reply, READ_TIER),
		};
		item.facts.has_conversation = *text_of(reply, READ_CONVERSATION) != '\0';
		item.facts.created_ms = reply_int(reply_item(reply, READ_CREATED));
		item.facts.first_response_ms = reply_int(reply_item(reply, READ_RESPONSE));
		/* Clocks that cannot be read start anew: better than never again. */
		(void)sla_record_read(item.kept, &item.record, &problem);
	}
	reading->done(err == NULL ? &item : NULL, err, reading->context);
	free(reading);
}

void sla_item_read(struct store *store, const char *workspace, const char *work_item,
		   sla_read_fn *done, void *context)
{
	struct reading *reading = memory_new(sizeof(*reading));
	struct store_call *call = store_script("sla_read", workspace);

	*reading = (struct reading){ done, context };
	store_key(call, "w:%s", work_item);
	store_read(store, call, on_read, reading);
}

struct putting {
	sla_put_fn *done;
	void *context;
};

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	struct putting *putting = context;
	const char *refusal = NULL;

	if (err == NULL && !reply_is(reply, "ok"))
		refusal = reply_is(reply, "refused") ? text_of(reply, 1) : "unknown";
	putting->done(refusal, err, putting->context);
	free(putting);
}

static void add_change(struct store_call *call, const struct sla_change *change)
{
	struct buf extra = { 0 };
	struct json_out out;

	jw_start(&out, &extra);
	jw_object(&out, NULL);
	jw_text(&out, "metric", sla_metric_names[change->metric]);
	jw_text(&out, "event", change->event);
	jw_int(&out, "number", change->number);
	jw_int(&out, "at", change->at_ms);
	if (change->due_ms != 0)
		jw_int(&out, "due", change->due_ms);
	if (change->waiting != NULL)
		jw_text(&out, "for", change->waiting);
	jw_object_end(&out);
	store_arg_text(call, change->from);
	store_arg_text(call, change->to);
	store_arg_text(call, change->policy);
	store_arg(call, extra.data, extra.len);
	buf_clear(&extra);
}

bool sla_record_is_empty(const struct sla_record *record)
{
	bool is_empty = record->policy[0] == '\0';

	for (size_t i = 0; i < SLA_METRICS; i++)
		is_empty &= record->clocks[i].number == 0;
	return is_empty;
}

static void add_guard(struct store_call *call, const struct sla_put *put)
{
	int64_t generation;
	struct log_id id = { 0 };
	char text[LOG_ID_BYTES];

	if (put->time_ms == 0) {
		store_arg_text(call, "");
		store_arg_text(call, "");
		return;
	}
	/* Nothing read: everything that is there is unread. */
	(void)log_position_parse(put->position, &generation, &id);
	log_id_format(id, text);
	store_arg_int(call, put->time_ms);
	store_arg_text(call, text);
}

void sla_item_put(struct store *store, const struct sla_put *put, sla_put_fn *done, void *context)
{
	struct store_call *call = store_script("sla_put", put->workspace);
	struct putting *putting = memory_new(sizeof(*putting));
	struct buf text = { 0 }, shown = { 0 };
	int64_t next_ms = sla_next_due(put->record);

	*putting = (struct putting){ done, context };
	if (!sla_record_is_empty(put->record)) {
		sla_record_write(put->record, &text);
		sla_record_show(put->record, &shown);
	}
	store_key(call, "lease:steward");
	store_key(call, "w:%s", put->work_item);
	store_arg_text(call, put->fence);
	store_arg_text(call, put->work_item);
	store_arg_text(call, put->kept);
	store_arg_text(call, buf_string(&text));
	store_arg_text(call, sla_attention(put->record));
	if (next_ms != 0)
		store_arg_int(call, next_ms);
	else
		store_arg_text(call, "");
	add_guard(call, put);
	store_arg_int(call, put->changes->priority);
	store_arg_text(call, put->changes->has_urgency ? "1" : "0");
	store_arg_text(call, put->changes->urgency);
	store_arg_text(call, buf_string(&shown));
	for (size_t i = 0; i < put->changes->count; i++)
		add_change(call, &put->changes->list[i]);
	buf_clear(&text);
	buf_clear(&shown);
	store_run(store, call, on_put, putting);
}
