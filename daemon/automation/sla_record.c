/* What is kept of a work item's clocks, as JSON in its hash, and as the API shows it. */
#include <string.h>

#include "automation/sla_internal.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

/* Where a clock's numbers stand in its list, after the policy. */
static int64_t *clock_number(struct sla_clock *clock, size_t index)
{
	int64_t *const numbers[] = {
		&clock->number,    &clock->started_ms,  &clock->used_ms,
		&clock->since_ms,  &clock->due_ms,      &clock->warn_due_ms,
		&clock->warned_ms, &clock->breached_ms, &clock->ended_ms,
	};

	return index < COUNT_OF(numbers) ? numbers[index] : NULL;
}

static void text_if(struct json_out *out, const char *key, const char *text)
{
	if (text[0] != '\0')
		jw_text(out, key, text);
}

static void clock_write(struct json_out *out, enum sla_metric metric, const struct sla_clock *clock)
{
	struct sla_clock copy = *clock;
	const int64_t *number;

	if (clock->number == 0)
		return;
	jw_array(out, sla_metric_names[metric]);
	jw_int(out, NULL, (int64_t)clock->state);
	jw_text(out, NULL, clock->policy);
	for (size_t i = 0; (number = clock_number(&copy, i)) != NULL; i++)
		jw_int(out, NULL, *number);
	jw_array_end(out);
}

void sla_record_write(const struct sla_record *record, struct buf *out)
{
	struct json_out writer;

	jw_start(&writer, out);
	jw_object(&writer, NULL);
	text_if(&writer, "policy", record->policy);
	text_if(&writer, "state", record->state);
	text_if(&writer, "waiting", record->waiting);
	text_if(&writer, "agent", record->owner);
	text_if(&writer, "position", record->position);
	jw_bool(&writer, "responded", record->responded);
	if (record->priority != 0)
		jw_int(&writer, "priority", record->priority);
	text_if(&writer, "urgency", record->urgency);
	text_if(&writer, "raised", record->raised);
	text_if(&writer, "escalate", record->escalate);
	if (record->escalate[0] != '\0') {
		jw_int(&writer, "accept", record->escalate_accept_ms);
		jw_int(&writer, "since", record->escalate_ms);
	}
	for (size_t i = 0; i < SLA_METRICS; i++)
		clock_write(&writer, (enum sla_metric)i, &record->clocks[i]);
	jw_object_end(&writer);
}

static void clock_read(struct sla_clock *clock, struct json_object *list)
{
	int64_t *number;

	if (json_count(list) < 2)
		return;
	clock->state = (unsigned)json_int(json_item(list, 0), "", SLA_IDLE);
	sla_copy(clock->policy, sizeof(clock->policy), json_string(json_item(list, 1)));
	for (size_t i = 0; (number = clock_number(clock, i)) != NULL; i++)
		*number = json_int(json_item(list, i + 2), "", 0);
}

int sla_record_read(const char *text, struct sla_record *record, struct error *err)
{
	struct json_object *object;

	memset(record, 0, sizeof(*record));
	if (text == NULL || text[0] == '\0')
		return 0;
	object = json_read(text, strlen(text), err);
	if (object == NULL)
		return error_wrap(err, "kept clocks");
	sla_copy(record->policy, sizeof(record->policy), json_text(object, "policy"));
	sla_copy(record->state, sizeof(record->state), json_text(object, "state"));
	sla_copy(record->waiting, sizeof(record->waiting), json_text(object, "waiting"));
	sla_copy(record->owner, sizeof(record->owner), json_text(object, "agent"));
	sla_copy(record->position, sizeof(record->position), json_text(object, "position"));
	record->responded = json_bool(object, "responded", false);
	record->priority = json_int(object, "priority", 0);
	sla_copy(record->urgency, sizeof(record->urgency), json_text(object, "urgency"));
	sla_copy(record->raised, sizeof(record->raised), json_text(object, "raised"));
	sla_copy(record->escalate, sizeof(record->escalate), json_text(object, "escalate"));
	record->escalate_accept_ms = json_int(object, "accept", 0);
	record->escalate_ms = json_int(object, "since", 0);
	for (size_t i = 0; i < SLA_METRICS; i++)
		clock_read(&record->clocks[i], json_at(object, sla_metric_names[i]));
	json_free(&object);
	return 0;
}

static void clock_show(struct json_out *out, const struct sla_record *record,
		       enum sla_metric metric)
{
	const struct sla_clock *clock = &record->clocks[metric];
	const char *state = sla_shown_state(clock);

	if (state == NULL)
		return;
	jw_object(out, NULL);
	jw_text(out, "metric", sla_metric_names[metric]);
	jw_text(out, "policy", clock->policy);
	jw_text(out, "state", state);
	jw_int(out, "number", clock->number);
	jw_time(out, "due_at", clock->due_ms);
	jw_time(out, "warn_at", clock->warned_ms != 0 ? clock->warned_ms : clock->warn_due_ms);
	if (clock->state == SLA_PAUSED)
		jw_text(out, "paused_for", record->waiting);
	if (clock->breached_ms != 0)
		jw_time(out, "breached_at", clock->breached_ms);
	if (clock->state == SLA_FULFILLED)
		jw_time(out, "fulfilled_at", clock->ended_ms);
	jw_object_end(out);
}

void sla_record_show(const struct sla_record *record, struct buf *out)
{
	struct json_out writer;

	jw_start(&writer, out);
	jw_array(&writer, NULL);
	for (size_t i = 0; i < SLA_METRICS; i++)
		clock_show(&writer, record, (enum sla_metric)i);
	jw_array_end(&writer);
}
