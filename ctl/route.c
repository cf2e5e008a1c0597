/* route simulate and route replay: what other rules, agents or hours would do, before they do it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/text.h"
#include "base/yaml.h"
#include "business/business.h"
#include "ctl.h"
#include "routing/simulation.h"
#include "store/reply.h"

enum { HOUR_MS = 3600 * 1000, DAY_HOURS = 24, MINUTE_MS = 60 * 1000 };

/* ---- a roster out of a file ---- */

static const struct store_reply *text_reply(struct arena *arena, const char *text)
{
	struct store_reply *reply = arena_alloc(arena, sizeof(*reply));
	*reply = (struct store_reply){ .kind = REPLY_TEXT, .len = strlen(text), .as.text = text };
	return reply;
}

static const struct store_reply *kind_reply(struct arena *arena, const struct business *business,
					    const char *kind)
{
	size_t count = 0;
	const struct business_object *objects = business_objects(business, kind, &count);
	struct store_reply *reply = arena_alloc(arena, sizeof(*reply));
	reply->kind = REPLY_ARRAY;
	reply->len = 2 * count;
	reply->as.items = arena_alloc(arena, (2 * count + 1) * sizeof(*reply->as.items));
	for (size_t i = 0; i < count; i++) {
		reply->as.items[2 * i] = text_reply(arena, objects[i].id);
		reply->as.items[2 * i + 1] = text_reply(arena, objects[i].json);
	}
	return reply;
}

/* What a roster is made of, each kind as the store answers it. */
struct configuration {
	const struct store_reply *kinds[ROSTER_KINDS];
};

static void configuration_of_file(struct arena *arena, const struct business *business,
				  struct configuration *ret)
{
	for (size_t i = 0; i < ROSTER_KINDS; i++)
		ret->kinds[i] = kind_reply(arena, business, business_kind(roster_kinds[i])->key);
}

static struct roster *roster_of(struct arena *arena, const struct configuration *configuration,
				struct error *err)
{
	struct store_reply *all = arena_alloc(arena, sizeof(*all));
	all->kind = REPLY_ARRAY;
	all->len = ROSTER_KINDS;
	all->as.items = arena_alloc(arena, ROSTER_KINDS * sizeof(*all->as.items));
	memcpy(all->as.items, configuration->kinds, sizeof(configuration->kinds));
	return roster_new(all, NULL, err);
}

/* The objects of one kind that a running daemon has. */
static const struct store_reply *kind_ask(struct call *call, const char *kind, int *ret_code)
{
	struct store_reply *reply = arena_alloc(call->arena, sizeof(*reply));
	const struct store_reply **items = NULL;
	const char *after = NULL;
	size_t count = 0;
	*ret_code = EXIT_DONE;
	do {
		const char *target =
			arena_format(call->arena, "/v1/%s?limit=200%s%s", kind,
				     after == NULL ? "" : "&after=", after == NULL ? "" : after);
		struct json_object *page = call_request(call, "GET", target, NULL, ret_code);
		struct json_object *list = json_at(page, "data");
		for (size_t i = 0; i < json_count(list); i++) {
			struct buf text = { 0 };
			json_append(json_item(list, i), &text);
			items = memory_grow(items, count + 2, sizeof(struct store_reply *));
			items[count++] = text_reply(
				call->arena, json_text_copy(json_item(list, i), "id", call->arena));
			items[count++] =
				text_reply(call->arena, arena_text(call->arena, buf_string(&text)));
			buf_clear(&text);
		}
		after = json_text_copy(page, "next_cursor", call->arena);
		json_free(&page);
	} while (after != NULL && *ret_code == EXIT_DONE);
	*reply = (struct store_reply){ .kind = REPLY_ARRAY, .len = count };
	reply->as.items = arena_alloc(call->arena, (count + 1) * sizeof(*items));
	if (count > 0)
		memcpy(reply->as.items, items, count * sizeof(*items));
	free(items);
	return reply;
}

static int configuration_of_daemon(struct call *call, struct configuration *ret)
{
	int code = EXIT_DONE;
	for (size_t i = 0; i < ROSTER_KINDS && code == EXIT_DONE; i++)
		ret->kinds[i] = kind_ask(call, roster_kinds[i], &code);
	return code;
}

static struct business *file_read(const char *file, int *ret_code)
{
	struct problems *problems = problems_new();
	struct business *business = business_read(file, problems);
	problems_print(problems, stderr);
	problems_free(&problems);
	*ret_code = business == NULL ? EX_CONFIG : EXIT_DONE;
	return business;
}

/* ---- a day out of a file ---- */

struct day {
	struct arena *arena;
	struct problems *problems;
	uint64_t random;
	int64_t random_handle_ms; /* mean, where the day does not tell */
	struct sim_arrival *arrivals;
	size_t arrival_count;
	size_t arrival_room;
	struct sim_shift *shifts;
	size_t shift_count;
};

static double chance(struct day *day)
{
	day->random ^= day->random << 13;
	day->random ^= day->random >> 7;
	day->random ^= day->random << 17;
	return ((double)(day->random >> 11) + 0.5) / 9007199254740992.0;
}

/* Times between customers, and how long they take, are as memoryless as in real life. */
static int64_t around(struct day *day, double mean_ms)
{
	return (int64_t)(-log(chance(day)) * mean_ms);
}

static const struct yaml_node *wanted(struct day *day, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_find(map, key);
	if (node == NULL)
		problem_error(day->problems, &map->at, "\"%s\" is missing", key);
	return node;
}

static int64_t span_of(struct day *day, const struct yaml_node *map, const char *key,
		       int64_t fallback)
{
	const struct yaml_node *node = yaml_find(map, key);
	int64_t ms = fallback;
	if (node != NULL && (node->kind != NODE_TEXT || !settings_parse_time(node->text, &ms)))
		problem_error(day->problems, &node->at, "\"%s\" must be a time, such as 5m", key);
	return ms;
}

/* "09:30" as ms since midnight. */
static int64_t clock_of(struct day *day, const struct yaml_node *node)
{
	unsigned hour = 0, minute = 0;
	char rest = 0;
	if (node == NULL)
		return 0;
	if (node->kind != NODE_TEXT ||
	    sscanf(node->text, "%2u:%2u%c", &hour, &minute, &rest) != 2 || hour > DAY_HOURS ||
	    minute > 59)
		problem_error(day->problems, &node->at, "a time of day is expected, such as 09:30");
	return (int64_t)hour * HOUR_MS + (int64_t)minute * MINUTE_MS;
}

static double rate_of(struct day *day, const struct yaml_node *node)
{
	char *end = NULL;
	double rate = node->kind == NODE_TEXT ? strtod(node->text, &end) : -1;
	if (end == NULL || *end != '\0' || rate < 0 || rate > 100000) {
		problem_error(day->problems, &node->at,
			      "a number of customers in an hour is expected, 0 to 100000");
		return 0;
	}
	return rate;
}

static void arrival_add(struct day *day, const struct sim_arrival *arrival)
{
	if (day->arrival_count == day->arrival_room) {
		day->arrival_room = day->arrival_room == 0 ? 256 : day->arrival_room * 2;
		day->arrivals = memory_grow(day->arrivals, day->arrival_room, sizeof(*arrival));
	}
	day->arrivals[day->arrival_count++] = *arrival;
}

static void hour_fill(struct day *day, const struct sim_arrival *like, int hour, double rate)
{
	int64_t end_ms = (int64_t)(hour + 1) * HOUR_MS;
	int64_t at_ms = (int64_t)hour * HOUR_MS;
	if (rate <= 0)
		return;
	while ((at_ms += around(day, HOUR_MS / rate)) < end_ms) {
		struct sim_arrival one = *like;
		one.at_ms = at_ms;
		one.handle_ms = around(day, (double)like->handle_ms);
		arrival_add(day, &one);
	}
}

/* per_hour is a number for the whole day, or 24 of them. */
static void stream_read(struct day *day, const struct yaml_node *map)
{
	const struct yaml_node *rate = wanted(day, map, "per_hour");
	const struct yaml_node *text = yaml_find(map, "text");
	const struct yaml_node *channel = yaml_find(map, "channel");
	const struct sim_arrival like = {
		.channel = channel == NULL ? "" : channel->text,
		.text = text == NULL ? "" : text->text,
		.handle_ms = span_of(day, map, "handle", 5 * MINUTE_MS),
		.patience_ms = span_of(day, map, "patience", 0),
	};
	if (rate == NULL)
		return;
	if (rate->kind == NODE_LIST && rate->count != DAY_HOURS)
		problem_error(day->problems, &rate->at,
			      "\"per_hour\" must have 24 numbers, or be one");
	else
		for (int hour = 0; hour < DAY_HOURS; hour++)
			hour_fill(day, &like, hour,
				  rate_of(day, rate->kind == NODE_LIST ? rate->items[hour] : rate));
}

static void shift_read(struct day *day, const struct yaml_node *map)
{
	const struct yaml_node *agents = wanted(day, map, "agents");
	int64_t from_ms = clock_of(day, wanted(day, map, "from"));
	int64_t until_ms = clock_of(day, wanted(day, map, "to"));
	if (agents == NULL || agents->kind != NODE_LIST || until_ms <= from_ms) {
		problem_error(day->problems, &map->at,
			      "a shift has agents, a list, and ends after it begins");
		return;
	}
	for (size_t i = 0; i < agents->count; i++) {
		day->shifts = memory_grow(day->shifts, day->shift_count + 1, sizeof(*day->shifts));
		day->shifts[day->shift_count++] =
			(struct sim_shift){ agents->items[i]->text, from_ms, until_ms };
	}
}

static void list_read(struct day *day, const struct yaml_node *map, const char *key,
		      void (*read)(struct day *, const struct yaml_node *))
{
	const struct yaml_node *list = wanted(day, map, key);
	for (size_t i = 0; list != NULL && list->kind == NODE_LIST && i < list->count; i++) {
		if (list->items[i]->kind == NODE_MAP)
			read(day, list->items[i]);
		else
			problem_error(day->problems, &list->items[i]->at, "a map is expected");
	}
	if (list != NULL && list->kind != NODE_LIST)
		problem_error(day->problems, &list->at, "\"%s\" must be a list", key);
}

static int by_time(const void *a, const void *b)
{
	const struct sim_arrival *left = a;
	const struct sim_arrival *right = b;
	return left->at_ms < right->at_ms ? -1 : left->at_ms > right->at_ms;
}

/* False after the file's problems were printed. */
static bool day_read(struct day *day, const char *file)
{
	struct yaml_node *map;
	bool is_good;
	day->problems = problems_new();
	map = yaml_read(file, day->arena, day->problems);
	if (map != NULL) {
		list_read(day, map, "arrivals", stream_read);
		list_read(day, map, "shifts", shift_read);
	}
	is_good = problems_errors(day->problems) == 0;
	problems_print(day->problems, stderr);
	problems_free(&day->problems);
	if (day->arrival_count > 0)
		qsort(day->arrivals, day->arrival_count, sizeof(*day->arrivals), by_time);
	return is_good;
}

/* ---- what comes out ---- */

static double seconds(int64_t ms)
{
	return ms < 0 ? -1 : (double)ms / 1000;
}

static void result_json(struct json_out *json, const char *name, const struct sim_result *result)
{
	jw_object(json, name);
	jw_number(json, "occupancy", result->occupancy);
	jw_array(json, "queues");
	for (size_t i = 0; i < result->queue_count; i++) {
		const struct sim_queue *queue = &result->queues[i];
		size_t left = queue->taken + queue->gave_up;
		jw_object(json, NULL);
		jw_text(json, "queue", queue->id);
		jw_int(json, "arrived", (int64_t)queue->arrived);
		jw_int(json, "taken", (int64_t)queue->taken);
		jw_int(json, "gave_up", (int64_t)queue->gave_up);
		jw_int(json, "left", (int64_t)queue->left);
		jw_int(json, "escalated", (int64_t)queue->escalated);
		jw_number(json, "service_level",
			  left == 0 ? 0 : (double)queue->within / (double)left);
		jw_number(json, "wait_mean_s", seconds(queue->mean_ms));
		jw_number(json, "wait_median_s", seconds(queue->median_ms));
		jw_number(json, "wait_p90_s", seconds(queue->p90_ms));
		jw_number(json, "wait_longest_s", seconds(queue->longest_ms));
		jw_number(json, "estimate_error_median_s", seconds(queue->error_median_ms));
		jw_number(json, "estimate_error_p90_s", seconds(queue->error_p90_ms));
		jw_object_end(json);
	}
	jw_array_end(json);
	jw_object_end(json);
}

static void result_print(const char *name, const struct sim_result *result)
{
	printf("%s: occupancy %.0f %%\n", name, result->occupancy * 100);
	printf("%-14s %8s %8s %8s %6s %6s %7s %9s %9s %9s %9s %11s %11s\n", "QUEUE", "ARRIVED",
	       "TAKEN", "GAVE UP", "LEFT", "ESCAL.", "LEVEL", "MEAN S", "MEDIAN S", "P90 S",
	       "LONGEST S", "EST. ERR S", "ERR P90 S");
	for (size_t i = 0; i < result->queue_count; i++) {
		const struct sim_queue *queue = &result->queues[i];
		size_t left = queue->taken + queue->gave_up;
		printf("%-14s %8zu %8zu %8zu %6zu %6zu %6.1f%% %9.1f %9.1f %9.1f %9.1f %11.1f "
		       "%11.1f\n",
		       queue->id, queue->arrived, queue->taken, queue->gave_up, queue->left,
		       queue->escalated,
		       left == 0 ? 0 : 100.0 * (double)queue->within / (double)left,
		       seconds(queue->mean_ms), seconds(queue->median_ms), seconds(queue->p90_ms),
		       seconds(queue->longest_ms), seconds(queue->error_median_ms),
		       seconds(queue->error_p90_ms));
	}
}

static void results_show(struct call *call, const struct sim_result *now,
			 const struct sim_result *then)
{
	struct buf text = { 0 };
	struct json_out json;
	if (call->form == OUTPUT_TABLE) {
		result_print("as it is", now);
		if (then != NULL)
			result_print("with the other rules", then);
		return;
	}
	jw_start(&json, &text);
	jw_object(&json, NULL);
	result_json(&json, "now", now);
	if (then != NULL)
		result_json(&json, "then", then);
	jw_object_end(&json);
	puts(buf_string(&text));
	buf_clear(&text);
}

/* rules: instead of those of the configuration; NULL: nothing to compare with. */
static int run_both(struct call *call, const struct day *day,
		    const struct configuration *configuration, const struct business *rules)
{
	struct error err = { 0 };
	struct configuration other = *configuration;
	struct roster *now = roster_of(call->arena, configuration, &err);
	struct roster *then = NULL;
	struct simulation simulation = { now, day->arrivals, day->arrival_count, day->shifts,
					 day->shift_count };
	struct sim_result results[2];
	int code = EXIT_DONE;
	if (rules != NULL) {
		other.kinds[ROSTER_RULES] = kind_reply(call->arena, rules, "rules");
		then = roster_of(call->arena, &other, &err);
	}
	if (err.kind != ERROR_NONE) {
		code = output_error(EX_CONFIG, &err);
	} else {
		simulation_run(&simulation, call->arena, &results[0]);
		simulation.roster = then;
		if (then != NULL)
			simulation_run(&simulation, call->arena, &results[1]);
		results_show(call, &results[0], then == NULL ? NULL : &results[1]);
	}
	roster_free(&now);
	roster_free(&then);
	return code;
}

static uint64_t seed_of(const struct call *call)
{
	const char *seed = call_option(call, "--seed");
	uint64_t number = seed == NULL ? 1 : strtoull(seed, NULL, 10);
	return number * 0x9e3779b97f4a7c15u + 1;
}

int run_route_simulate(struct call *call)
{
	struct day day = { .arena = call->arena, .random = seed_of(call) };
	const char *other = call_option(call, "--rules");
	int code;
	struct business *business = file_read(call_option(call, "--business"), &code);
	struct configuration configuration;
	struct business *rules =
		code == EXIT_DONE && other != NULL ? file_read(other, &code) : NULL;
	if (code == EXIT_DONE)
		configuration_of_file(call->arena, business, &configuration);
	if (code == EXIT_DONE && !day_read(&day, call->arguments[0]))
		code = EX_CONFIG;
	if (code == EXIT_DONE)
		code = run_both(call, &day, &configuration, rules);
	free(day.arrivals);
	free(day.shifts);
	business_free(&business);
	business_free(&rules);
	return code;
}

/* ---- replay: what is stored, under other rules ---- */

/* A work item as it came, and where it went in truth. */
struct replayed {
	struct sim_arrival arrival;
	const char *queue;
	const char *id;
};

struct replay {
	struct call *call;
	struct day day;
	int64_t since_ms;
	struct replayed *items;
	size_t count;
};

/* The first thing the customer wrote: what the rules saw. */
static const char *first_text(struct replay *replay, const char *conversation, int *ret_code)
{
	const char *target = arena_format(replay->call->arena,
					  "/v1/conversations/%s/messages?limit=5", conversation);
	struct json_object *page = call_request(replay->call, "GET", target, NULL, ret_code);
	struct json_object *list = json_at(page, "data");
	const char *text = "";
	for (size_t i = 0; i < json_count(list) && *text == '\0'; i++) {
		struct json_object *message = json_item(list, i);
		if (text_equal(json_text(message, "direction"), "in") &&
		    json_text(message, "text") != NULL)
			text = arena_text(replay->call->arena, json_text(message, "text"));
	}
	json_free(&page);
	return text;
}

/* *ret_is_old: it and all behind it came before the span. */
static int item_add(struct replay *replay, struct json_object *item, bool *ret_is_old)
{
	const char *conversation = json_text(item, "conversation");
	const char *created = json_text(item, "created_at");
	int64_t at_ms = created == NULL ? -1 : text_parse_time(created);
	struct arena *arena = replay->call->arena;
	int code = EXIT_DONE;
	*ret_is_old = at_ms < replay->since_ms;
	if (conversation == NULL || *ret_is_old)
		return EXIT_DONE;
	replay->items = memory_grow(replay->items, replay->count + 1, sizeof(*replay->items));
	replay->items[replay->count++] = (struct replayed){
		.arrival = { .at_ms = at_ms,
			     .channel = json_text_copy(item, "channel", arena),
			     .text = first_text(replay, conversation, &code),
			     .handle_ms =
				     around(&replay->day, (double)replay->day.random_handle_ms) },
		.queue = json_text_copy(item, "queue", arena),
		.id = json_text_copy(item, "id", arena),
	};
	return code;
}

/* The newest first, until one is older than the span. */
static int items_read(struct replay *replay, const char *filter)
{
	const char *after = NULL;
	bool is_old = false;
	int code = EXIT_DONE;
	do {
		const char *target = arena_format(
			replay->call->arena, "/v1/work-items?order=desc&limit=200%s%s%s", filter,
			after == NULL ? "" : "&after=", after == NULL ? "" : after);
		struct json_object *page = call_request(replay->call, "GET", target, NULL, &code);
		struct json_object *list = json_at(page, "data");
		for (size_t i = 0; i < json_count(list) && code == EXIT_DONE && !is_old; i++)
			code = item_add(replay, json_item(list, i), &is_old);
		after = json_text_copy(page, "next_cursor", replay->call->arena);
		json_free(&page);
	} while (after != NULL && code == EXIT_DONE && !is_old);
	return code;
}

static int by_arrival(const void *a, const void *b)
{
	return by_time(&((const struct replayed *)a)->arrival,
		       &((const struct replayed *)b)->arrival);
}

/* What is open and what was closed, in the order in which it came. */
static int all_read(struct replay *replay)
{
	int code = items_read(replay, "");
	if (code == EXIT_DONE)
		code = items_read(replay, "&state=closed");
	if (replay->count > 0)
		qsort(replay->items, replay->count, sizeof(*replay->items), by_arrival);
	for (size_t i = 0; i < replay->count; i++)
		arrival_add(&replay->day, &replay->items[i].arrival);
	return code;
}

/* Every configured agent, for as long as there is work: who was there is not stored. */
static void everybody_works(struct replay *replay, const struct store_reply *agents)
{
	struct day *day = &replay->day;
	int64_t from_ms = day->arrival_count == 0 ? 0 : day->arrivals[0].at_ms;
	int64_t until_ms =
		day->arrival_count == 0 ? 1 : day->arrivals[day->arrival_count - 1].at_ms;
	day->shifts = memory_grow(NULL, agents->len / 2 + 1, sizeof(*day->shifts));
	for (size_t i = 0; i < agents->len; i += 2)
		day->shifts[day->shift_count++] =
			(struct sim_shift){ agents->as.items[i]->as.text, from_ms,
					    until_ms + (int64_t)DAY_HOURS * HOUR_MS };
}

/* One line for each work item that would go elsewhere. */
static void differences_print(struct replay *replay, const struct roster *roster)
{
	size_t moved = 0;
	for (size_t i = 0; i < replay->day.arrival_count; i++) {
		const char *queue =
			simulation_queue(roster, &replay->day.arrivals[i], replay->call->arena);
		if (text_equal(queue, replay->items[i].queue))
			continue;
		moved++;
		if (replay->call->form == OUTPUT_TABLE)
			printf("%s  %s -> %s\n", replay->items[i].id, replay->items[i].queue,
			       queue);
	}
	fprintf(stderr, "%zu work items, %zu would go to another queue\n",
		replay->day.arrival_count, moved);
}

static int replay_run(struct replay *replay, const struct configuration *configuration,
		      const struct business *rules)
{
	struct error err = { 0 };
	struct configuration other = *configuration;
	struct roster *then = NULL;
	int code = all_read(replay);
	if (code != EXIT_DONE)
		return code;
	other.kinds[ROSTER_RULES] = kind_reply(replay->call->arena, rules, "rules");
	then = roster_of(replay->call->arena, &other, &err);
	everybody_works(replay, configuration->kinds[ROSTER_AGENTS]);
	differences_print(replay, then);
	roster_free(&then);
	return run_both(replay->call, &replay->day, configuration, rules);
}

int run_route_replay(struct call *call)
{
	const char *since = call_option(call, "--since");
	const char *handle = call_option(call, "--handle");
	struct replay replay = { .call = call, .day = { .arena = call->arena } };
	int64_t span_ms = (int64_t)DAY_HOURS * HOUR_MS;
	int code;
	replay.day.random = seed_of(call);
	replay.day.random_handle_ms = 5 * MINUTE_MS;
	if ((since != NULL && !settings_parse_time(since, &span_ms)) ||
	    (handle != NULL && !settings_parse_time(handle, &replay.day.random_handle_ms))) {
		fprintf(stderr,
			"convergectl: --since and --handle are spans of time, such as 24h or 5m\n");
		return EX_USAGE;
	}
	replay.since_ms = (int64_t)time(NULL) * 1000 - span_ms;
	struct business *business = NULL;
	struct configuration configuration;
	struct business *rules = file_read(call_option(call, "--rules"), &code);
	if (code == EXIT_DONE && call_option(call, "--business") == NULL)
		code = configuration_of_daemon(call, &configuration);
	else if (code == EXIT_DONE &&
		 (business = file_read(call_option(call, "--business"), &code)) != NULL)
		configuration_of_file(call->arena, business, &configuration);
	if (code == EXIT_DONE)
		code = replay_run(&replay, &configuration, rules);
	free(replay.day.arrivals);
	free(replay.day.shifts);
	free(replay.items);
	business_free(&business);
	business_free(&rules);
	return code;
}
