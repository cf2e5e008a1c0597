#include "routing/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/log.h"

enum { MINUTE_MS = 60 * 1000, MINUTES = 60, SMOOTHING = 8 };

struct minute {
	int64_t number; /* since the epoch; another one: stale */
	uint32_t arrived;
	uint32_t accepted;
	uint32_t within;
	uint32_t abandoned;
	int64_t wait_ms; /* sum of the accepted */
};

struct line {
	struct minute minutes[MINUTES];
	int64_t waiting;         /* as far as this reader has seen; never below 0 */
	int64_t accepted_ms;     /* the last accept that left work waiting; 0: none */
	int64_t accept_every_ms; /* smoothed */
};

struct figures {
	int64_t since_ms;
	struct map *lines; /* queue -> line */
	struct sla_figures sla[SLA_METRICS];
};

struct figures *figures_new(int64_t now_ms)
{
	struct figures *figures = memory_new(sizeof(*figures));

	figures->since_ms = now_ms;
	figures->lines = map_new();
	return figures;
}

void figures_free(struct figures **figures)
{
	struct line *line;
	size_t at = 0;

	if (*figures == NULL)
		return;
	while ((line = map_next((*figures)->lines, &at, NULL)) != NULL)
		free(line);
	map_free(&(*figures)->lines);
	free(*figures);
	*figures = NULL;
}

void figures_reset(struct figures *figures)
{
	struct line *line;
	size_t at = 0;

	while ((line = map_next(figures->lines, &at, NULL)) != NULL) {
		line->waiting = 0;
		line->accepted_ms = 0;
	}
}

static struct line *line_of(struct figures *figures, const char *queue)
{
	struct line *line = map_get(figures->lines, queue);

	if (line == NULL) {
		line = memory_new(sizeof(*line));
		map_put(figures->lines, queue, line);
	}
	return line;
}

void figures_set_waiting(struct figures *figures, const char *queue, int64_t waiting)
{
	line_of(figures, queue)->waiting = waiting;
}

static struct minute *minute_of(struct line *line, int64_t time_ms)
{
	int64_t number = time_ms / MINUTE_MS;
	struct minute *minute = &line->minutes[number % MINUTES];

	if (minute->number != number)
		*minute = (struct minute){ .number = number };
	return minute;
}

static bool waits(const char *state)
{
	return text_equal(state, "queued") || text_equal(state, "offered");
}

static bool is_over(const char *state)
{
	return text_equal(state, "resolved") || text_equal(state, "closed") ||
	       text_equal(state, "cancelled");
}

static int64_t wait_of(const struct log_entry *entry)
{
	const char *at = entry->extra == NULL ? NULL : strstr(entry->extra, "\"wait\":");
	int64_t wait_ms = at == NULL ? 0 : strtoll(at + strlen("\"wait\":"), NULL, 10);

	return wait_ms < 0 ? 0 : wait_ms;
}

/* Only accepts that follow each other while work waits tell how fast the queue is served. */
static void pace(struct line *line, int64_t time_ms)
{
	int64_t every_ms = time_ms - line->accepted_ms;

	if (line->accepted_ms != 0 && every_ms >= 0)
		line->accept_every_ms =
			line->accept_every_ms == 0
				? every_ms
				: line->accept_every_ms +
					  (every_ms - line->accept_every_ms) / SMOOTHING;
	line->accepted_ms = line->waiting > 0 ? time_ms : 0;
}

static void accepted(struct line *line, const struct log_entry *entry, int64_t within_ms)
{
	struct minute *minute = minute_of(line, entry->time_ms);
	int64_t wait_ms = wait_of(entry);

	minute->accepted++;
	minute->within += wait_ms <= within_ms;
	minute->wait_ms += wait_ms;
	pace(line, entry->time_ms);
}

static bool is_move(const struct log_entry *entry)
{
	return entry->extra != NULL && (strstr(entry->extra, "\"overflow\"") != NULL ||
					strstr(entry->extra, "\"transfer\"") != NULL);
}

static bool is_about_items(const struct log_entry *entry)
{
	return text_equal(entry->type, "work_item.state") ||
	       text_equal(entry->type, "work_item.created") ||
	       text_equal(entry->type, "message.created");
}

/* Made by sla_put, which writes the names without spaces: "metric":"x". */
static bool says(const struct log_entry *entry, const char *name, const char *value)
{
	char piece[64];

	snprintf(piece, sizeof(piece), "\"%s\":\"%s\"", name, value);
	return strstr(entry->extra, piece) != NULL;
}

static void sla_entry(struct figures *figures, const struct log_entry *entry)
{
	for (size_t i = 0; entry->extra != NULL && i < SLA_METRICS; i++) {
		if (!says(entry, "metric", sla_metric_names[i]))
			continue;
		figures->sla[i].warned += says(entry, "event", "warn");
		figures->sla[i].breached += says(entry, "event", "breach");
		figures->sla[i].fulfilled += says(entry, "event", "fulfil");
	}
}

void figures_entry(struct figures *figures, const struct log_entry *entry, int64_t within_ms)
{
	struct line *line;
	bool waited = waits(entry->from);

	if (text_equal(entry->type, "sla.state"))
		sla_entry(figures, entry);
	if (!is_about_items(entry) || entry->queue == NULL || entry->to == NULL ||
	    *entry->to == '\0' || *entry->queue == '\0')
		return;
	line = line_of(figures, entry->queue);
	if (waits(entry->to) && (!waited || is_move(entry))) {
		minute_of(line, entry->time_ms)->arrived++;
		line->waiting++;
	} else if (waited && !waits(entry->to)) {
		line->waiting -= line->waiting > 0;
		if (is_over(entry->to))
			minute_of(line, entry->time_ms)->abandoned++;
		else
			accepted(line, entry, within_ms);
	}
}

void figures_queue(const struct figures *figures, const char *queue, int64_t now_ms,
		   struct queue_figures *ret)
{
	const struct line *line = map_get(figures->lines, queue);
	int64_t newest = now_ms / MINUTE_MS;
	int64_t wait_ms = 0;

	*ret = (struct queue_figures){ .window_ms = now_ms - figures->since_ms };
	if (ret->window_ms > (int64_t)MINUTES * MINUTE_MS)
		ret->window_ms = (int64_t)MINUTES * MINUTE_MS;
	for (size_t i = 0; line != NULL && i < MINUTES; i++) {
		const struct minute *minute = &line->minutes[i];

		if (minute->number <= newest - MINUTES || minute->number > newest)
			continue;
		ret->arrived += minute->arrived;
		ret->accepted += minute->accepted;
		ret->within += minute->within;
		ret->abandoned += minute->abandoned;
		wait_ms += minute->wait_ms;
	}
	if (ret->accepted > 0)
		ret->mean_wait_ms = wait_ms / ret->accepted;
	if (line != NULL)
		ret->accept_every_ms = line->accept_every_ms;
	if (line != NULL)
		ret->waiting = line->waiting;
}

const struct sla_figures *figures_sla(const struct figures *figures, enum sla_metric metric)
{
	return &figures->sla[metric];
}

int64_t figures_service_level(const struct queue_figures *queue)
{
	int64_t left = queue->accepted + queue->abandoned;

	return left == 0 ? -1 : queue->within * 1000 / left;
}

int64_t figures_expected_wait(const struct queue_figures *queue, int64_t place, int64_t ready)
{
	if (place <= ready)
		return 0;
	return queue->accept_every_ms == 0 ? -1 : (place - ready) * queue->accept_every_ms;
}
