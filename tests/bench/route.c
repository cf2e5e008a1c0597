/* The router's decisions alone: the desk of the daemon beside the plain way, a scan over all agents
 * or items. Prints one line of JSON. Every decision of the desk is compared with the scan's.
 *
 *   route AGENTS              agents of 64 skills: an item comes, who gets it
 *   route QUEUES ITEMS SERVED 1,000 agents: one becomes free, what does he get
 *   route rebuild ITEMS       the roster of 1,000 agents and so many waiting items, read anew
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "routing/desk.h"
#include "store/reply.h"

enum { SKILLS = 64, LEVELS = 5, NEEDS = 200, TURNS = 20000, CHECKED = 200, CAPACITY = 3 };

struct bed {
	struct roster *roster;
	struct desk *desk;
	size_t agents;
	size_t queues;
	size_t served;         /* queues of an agent; 0: every one */
	unsigned char *levels; /* agent x skill */
	int64_t now_ms;
	char needs[NEEDS][40];
	int skills[NEEDS][2];
	int wanted[NEEDS][2];
};

static uint32_t seed = 20261123;

static uint32_t chance(uint32_t sides)
{
	seed = seed * 1664525U + 1013904223U;
	return (uint32_t)(((uint64_t)seed * sides) >> 32);
}

static int64_t clock_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static int64_t quantile(int64_t *times, size_t count, double part)
{
	qsort(times, count, sizeof(*times), compare);
	return times[(size_t)((double)(count - 1) * part)];
}

/* ---- a roster of the size wanted ---- */

static const struct store_reply *hash(char **texts, size_t count)
{
	struct store_reply *replies = memory_new((count + 1) * sizeof(*replies));
	const struct store_reply **items = memory_new((count + 1) * sizeof(struct store_reply *));

	for (size_t i = 0; i < count; i++) {
		replies[i].kind = REPLY_TEXT;
		replies[i].len = strlen(texts[i]);
		replies[i].as.text = texts[i];
		items[i] = &replies[i];
	}
	replies[count].kind = REPLY_ARRAY;
	replies[count].len = count;
	replies[count].as.items = items;
	return &replies[count];
}

static char *agent_text(const struct bed *bed, size_t agent)
{
	char *text = memory_new(4000);
	size_t len = (size_t)sprintf(text, "{\"capacity\":%d,\"queues\":[", CAPACITY);

	for (size_t i = 0; i < bed->served; i++)
		len += (size_t)sprintf(text + len, "%s\"q%u\"", i == 0 ? "" : ",",
				       chance((uint32_t)bed->queues));
	len += (size_t)sprintf(text + len, "],\"skills\":{");
	for (int i = 0; i < SKILLS; i++)
		len += (size_t)sprintf(text + len, "%s\"s%d\":%d", i == 0 ? "" : ",", i,
				       bed->levels[agent * SKILLS + (size_t)i]);
	sprintf(text + len, "}}");
	return text;
}

static void bed_roster(struct bed *bed)
{
	const struct store_reply *kinds[ROSTER_KINDS];
	struct store_reply all = { .kind = REPLY_ARRAY, .len = ROSTER_KINDS, .as.items = kinds };
	char **queues = memory_new(bed->queues * 2 * sizeof(char *));
	char **agents = memory_new(bed->agents * 2 * sizeof(char *));
	struct error err = { 0 };

	for (size_t i = 0; i < bed->queues; i++) {
		queues[2 * i] = memory_new(20);
		sprintf(queues[2 * i], "q%zu", i);
		queues[2 * i + 1] = memory_text("{}");
	}
	for (size_t i = 0; i < bed->agents; i++) {
		agents[2 * i] = memory_new(20);
		sprintf(agents[2 * i], "a%zu", i);
		agents[2 * i + 1] = agent_text(bed, i);
	}
	for (size_t i = 0; i < ROSTER_KINDS; i++)
		kinds[i] = hash(NULL, 0);
	kinds[ROSTER_QUEUES] = hash(queues, bed->queues * 2);
	kinds[ROSTER_AGENTS] = hash(agents, bed->agents * 2);
	bed->roster = roster_new(&all, NULL, &err);
}

static void bed_new(struct bed *bed)
{
	bed->levels = memory_new(bed->agents * SKILLS);
	for (size_t i = 0; i < bed->agents * SKILLS; i++)
		bed->levels[i] = (unsigned char)(1 + chance(LEVELS));
	for (int i = 0; i < NEEDS; i++) {
		for (int j = 0; j < 2; j++) {
			bed->skills[i][j] = (int)chance(SKILLS);
			bed->wanted[i][j] = 2 + (int)chance(LEVELS - 1);
		}
		sprintf(bed->needs[i], "s%d>=%d&s%d>=%d", bed->skills[i][0], bed->wanted[i][0],
			bed->skills[i][1], bed->wanted[i][1]);
	}
	bed_roster(bed);
	bed->now_ms = 1700000000000;
	bed->desk = desk_new();
	desk_roster(bed->desk, bed->roster);
}

static void agent_free_now(struct bed *bed, struct desk_agent *agent)
{
	agent->is_proposed = false;
	agent->load = 0;
	agent->idle_ms = bed->now_ms;
	desk_agent_changed(bed->desk, agent);
}

static void agents_come(struct bed *bed)
{
	struct desk_agent *agent;
	struct desk_match match;
	size_t at = 0;

	while ((agent = desk_next_agent(bed->desk, &at)) != NULL) {
		agent->is_online = agent->is_routable = true;
		bed->now_ms++;
		agent_free_now(bed, agent);
	}
	desk_match(bed->desk, bed->now_ms, &match);
}

/* ---- who gets an item ---- */

static bool scan_meets(const struct bed *bed, size_t agent, int need)
{
	const unsigned char *levels = bed->levels + agent * SKILLS;

	return levels[bed->skills[need][0]] >= bed->wanted[need][0] &&
	       levels[bed->skills[need][1]] >= bed->wanted[need][1];
}

/* Longest idle of those who are free and meet the need; over what a plain router would hold. */
static size_t scan_agent(const struct bed *bed, struct desk_agent *const *agents, int need)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < bed->agents; i++) {
		const struct desk_agent *agent = agents[i];

		if (!agent->is_online || !agent->is_routable || agent->is_proposed ||
		    agent->load + 1 > CAPACITY || !scan_meets(bed, i, need) ||
		    (best != SIZE_MAX && agent->idle_ms >= agents[best]->idle_ms))
			continue;
		best = i;
	}
	return best;
}

/* In the order of their skills. */
static struct desk_agent **agent_list(const struct bed *bed)
{
	struct desk_agent **list = memory_new(bed->agents * sizeof(struct desk_agent *));
	size_t at = 0;
	struct desk_agent *agent;

	while ((agent = desk_next_agent(bed->desk, &at)) != NULL)
		list[atol(agent->id + 1)] = agent;
	return list;
}

static void fail(const char *what, const char *got)
{
	fprintf(stderr, "the desk and the scan differ: %s, %s\n", what, got);
	exit(1);
}

struct times {
	int64_t *decision;
	int64_t *turn; /* with what it takes to put the item and the agent back */
	int64_t *scan;
	size_t turns;
	size_t scans;
};

/* The scan leaves the caches cold: a turn is either compared or timed. */
static void turn_agent(struct bed *bed, struct desk_agent **agents, struct times *times,
		       bool is_compared)
{
	int need = (int)chance(NEEDS);
	struct desk_item item = { .id = (char[]){ "w" },
				  .queue = (char[]){ "q0" },
				  .skills = bed->needs[need],
				  .queued_ms = ++bed->now_ms,
				  .cost = 1 };
	struct desk_match match;
	int64_t began = clock_ns();
	size_t scanned = is_compared ? scan_agent(bed, agents, need) : 0;
	int64_t asked;
	bool found;

	if (is_compared)
		times->scan[times->scans++] = clock_ns() - began;
	began = clock_ns();
	desk_put_item(bed->desk, &item);
	asked = clock_ns();
	found = desk_match(bed->desk, bed->now_ms, &match);
	times->decision[times->turns] = clock_ns() - asked;
	if (is_compared &&
	    (found != (scanned != SIZE_MAX) || (found && match.agent != agents[scanned])))
		fail(bed->needs[need], found ? match.agent->id : "nobody");
	desk_remove_item(bed->desk, "w");
	if (found)
		agent_free_now(bed, match.agent);
	desk_match(bed->desk, bed->now_ms, &match);
	times->turn[times->turns] = clock_ns() - began;
	if (!is_compared)
		times->turns++;
}

static int decide(size_t count)
{
	struct bed bed = { .agents = count, .queues = 1 };
	struct times times = { .decision = memory_new((TURNS + 1) * sizeof(int64_t)),
			       .turn = memory_new((TURNS + 1) * sizeof(int64_t)),
			       .scan = memory_new(TURNS * sizeof(int64_t)) };
	struct desk_agent **agents;

	bed_new(&bed);
	agents_come(&bed);
	agents = agent_list(&bed);
	for (size_t i = 0; i < TURNS; i++)
		turn_agent(&bed, agents, &times, i % (TURNS / CHECKED) == 0);
	printf("{\"decision_ns\":%lld,\"decision_p99_ns\":%lld,\"scan_ns\":%lld,\"turn_ns\":%lld}"
	       "\n",
	       (long long)quantile(times.decision, times.turns, 0.5),
	       (long long)quantile(times.decision, times.turns, 0.99),
	       (long long)quantile(times.scan, times.scans, 0.5),
	       (long long)quantile(times.turn, times.turns, 0.5));
	return 0;
}

/* ---- what an agent gets ---- */

static void items_come(struct bed *bed, size_t count)
{
	char id[24];
	char queue[24];

	for (size_t i = 0; i < count; i++) {
		struct desk_item item = { .id = id,
					  .queue = queue,
					  .skills = bed->needs[chance(4)],
					  .queued_ms = bed->now_ms - chance(3600000),
					  .priority = chance(3) * 10,
					  .cost = 1 };

		sprintf(id, "w%zu", i);
		sprintf(queue, "q%u", chance((uint32_t)bed->queues));
		desk_put_item(bed->desk, &item);
	}
}

static int64_t rank(const struct desk_item *item)
{
	return item->priority * 60000 - item->queued_ms;
}

static const struct desk_item *scan_item(const struct bed *bed, const struct desk_agent *agent,
					 size_t number)
{
	const struct desk_item *best = NULL;
	const struct desk_item *item;
	size_t at = 0;

	while ((item = desk_next_item(bed->desk, &at)) != NULL) {
		int need = 0;

		while (strcmp(bed->needs[need], item->skills) != 0)
			need++;
		if (!item->is_proposed && scan_meets(bed, number, need) &&
		    agent_serves(agent->row, item->queue) &&
		    (best == NULL || rank(item) > rank(best) ||
		     (rank(item) == rank(best) && item->queued_ms < best->queued_ms)))
			best = item;
	}
	return best;
}

static int serve(size_t queues, size_t items, size_t served)
{
	struct bed bed = { .agents = 1000, .queues = queues, .served = served };
	int64_t *times = memory_new(TURNS * sizeof(*times));
	int64_t *scans = memory_new(CHECKED * sizeof(*scans));
	struct desk_agent **agents;
	struct desk_match match;
	size_t done = 0;
	size_t checked = 0;

	bed_new(&bed);
	items_come(&bed, items);
	while (desk_match(bed.desk, bed.now_ms, &match))
		fail("nobody is there", match.item->id);
	agents = agent_list(&bed);
	for (size_t i = 0; i < TURNS; i++) {
		size_t number = chance((uint32_t)bed.agents);
		struct desk_agent *agent = agents[number];
		const struct desk_item *wanted = NULL;
		bool is_checked = i % (TURNS / CHECKED) == 0;
		int64_t began = clock_ns();
		bool found;

		if (is_checked) {
			wanted = scan_item(&bed, agent, number);
			scans[checked++] = clock_ns() - began;
		}
		bed.now_ms++;
		agent->is_online = agent->is_routable = true;
		began = clock_ns();
		agent_free_now(&bed, agent);
		found = desk_match(bed.desk, bed.now_ms, &match);
		times[done++] = clock_ns() - began;
		if (is_checked &&
		    (found != (wanted != NULL) ||
		     (found && (match.agent != agent || rank(match.item) != rank(wanted)))))
			fail(wanted == NULL ? "nothing" : wanted->id,
			     found ? match.item->id : "nothing");
		agent->load = CAPACITY;
		agent->is_proposed = false;
		desk_agent_changed(bed.desk, agent);
		if (found)
			desk_remove_item(bed.desk, match.item->id);
	}
	printf("{\"agent_ns\":%lld,\"agent_p99_ns\":%lld,\"scan_ns\":%lld}\n",
	       (long long)quantile(times, done, 0.5), (long long)quantile(times, done, 0.99),
	       (long long)quantile(scans, checked, 0.5));
	return 0;
}

static int rebuild(size_t items)
{
	struct bed bed = { .agents = 1000, .queues = 50, .served = 5 };
	struct desk_match match;
	int64_t began;

	bed_new(&bed);
	began = clock_ns();
	desk_clear_items(bed.desk);
	desk_roster(bed.desk, bed.roster);
	items_come(&bed, items);
	desk_match(bed.desk, bed.now_ms, &match);
	printf("{\"rebuild_ms\":%lld}\n", (long long)(clock_ns() - began) / 1000000);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return decide((size_t)atol(argv[1]));
	if (argc == 3 && strcmp(argv[1], "rebuild") == 0)
		return rebuild((size_t)atol(argv[2]));
	if (argc == 4)
		return serve((size_t)atol(argv[1]), (size_t)atol(argv[2]), (size_t)atol(argv[3]));
	fprintf(stderr, "usage: route AGENTS | route rebuild ITEMS | route QUEUES ITEMS SERVED\n");
	return 2;
}
