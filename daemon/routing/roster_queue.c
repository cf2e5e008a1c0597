#include "routing/roster_queue.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };

static enum strategy strategy_of(const char *name)
{
	static const char *const names[] = { "longest_idle", "least_loaded", "best_skill",
					     "round_robin" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (text_equal(names[i], name))
			return (enum strategy)i;
	return STRATEGY_LONGEST_IDLE;
}

static void overflow_read(struct queue_row *row, struct json_object *list, struct arena *arena)
{
	struct overflow_row *rows = arena_alloc(arena, (json_count(list) + 1) * sizeof(*rows));

	for (size_t i = 0; i < json_count(list); i++) {
		struct json_object *object = json_item(list, i);

		rows[i] = (struct overflow_row){
			.length = json_int(object, "when.length", 0),
			.wait_ms = json_int(object, "when.wait_ms", 0),
			.expected_wait_ms = json_int(object, "when.expected_wait_ms", 0),
			.nobody = json_bool(object, "when.nobody", false),
			.closed = json_bool(object, "when.closed", false),
			.queue = json_text_copy(object, "to", arena),
		};
	}
	row->overflow = rows;
	row->overflow_count = json_count(list);
}

static void escalation_read(struct queue_row *row, struct json_object *list, struct arena *arena)
{
	struct escalation_row *rows = arena_alloc(arena, (json_count(list) + 1) * sizeof(*rows));

	for (size_t i = 0; i < json_count(list); i++) {
		struct json_object *object = json_item(list, i);
		const char *to = json_text_copy(object, "to", arena);

		rows[i] = (struct escalation_row){
			.after_ms = json_int(object, "after_ms", 0),
			.accept_ms = json_int(object, "accept_ms", 10 * MINUTE_MS),
			.urgency = json_text_copy(object, "urgency", arena),
			.priority = json_int(object, "priority", 0),
		};
		if (to != NULL && text_starts(to, "agent:"))
			rows[i].agent = to + strlen("agent:");
		else if (to != NULL && text_starts(to, "queue:"))
			rows[i].queue = to + strlen("queue:");
	}
	row->escalation = rows;
	row->escalation_count = json_count(list);
}

void queue_row_read(struct queue_row *row, const char *id, struct json_object *object,
		    struct arena *arena)
{
	*row = (struct queue_row){
		.id = id,
		.name = json_text_copy(object, "name", arena),
		.strategy = strategy_of(json_text(object, "strategy")),
		.offer_timeout_ms = json_int(object, "offer_timeout_ms", 30 * SECOND_MS),
		.wrap_ms = json_int(object, "wrap_up_ms", 0),
		.sticky_ms = json_int(object, "sticky_ms", 0),
		.age_percent = json_int(object, "age_percent", 100),
		.age_cap_ms = json_int(object, "age_cap_ms", 0),
		.service_level_ms = json_int(object, "service_level_ms", 20 * SECOND_MS),
		.wrap_extension_ms = json_int(object, "wrap_up_extension_ms", MINUTE_MS),
		.wrap_extensions = json_int(object, "wrap_up_extensions", 3),
		.close_ms = json_int(object, "close_after_ms", 0),
		.calendar = json_text_copy(object, "calendar", arena),
		.parallel_offers = json_int(object, "parallel_offers", 1),
		.missed_max = json_int(object, "missed_offers", 3),
		.may_exceed_on_transfer = json_bool(object, "exceed_on_transfer", true),
		.may_exceed_on_claim = json_bool(object, "exceed_on_claim", false),
		.is_paused = json_bool(object, "paused", false),
	};
	overflow_read(row, json_at(object, "overflow"), arena);
	escalation_read(row, json_at(object, "escalation"), arena);
}
