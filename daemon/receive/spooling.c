#include "receive/spooling.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "receive/spool_record.h"
#include "services/http_server.h"
#include "services/loop.h"
#include "services/spool.h"
#include "store/store.h"

enum { TICK_MS = 1000, PAGE_BYTES = 1024 * 1024 };

enum line_state {
	LINE_UNREAD, /* a forerunner may have left something */
	LINE_EMPTY,
	LINE_BEHIND,
};

/* The spool of one channel. */
struct line {
	struct spooling *spooling;
	char *workspace;
	char *channel;
	struct spool *spool;
	struct spool *refused; /* what the way in refuses for good; an operator looks at it */
	enum line_state state;
	size_t adding;
	size_t waiting;
	bool is_draining;

	/* the page on its way in */
	struct buf *records;
	size_t count;
	size_t index;
	uint64_t next;
	LIST_ENTRY(line) link;
};

struct spooling {
	struct parts *parts;
	struct loop_timer *tick;
	LIST_HEAD(, line) lines;
};

struct adding {
	struct line *line;
	struct flight *flight;
	void (*done)(struct flight *flight, bool kept);
	struct error error; /* of an add that did not begin */
};

/* ---- lines ---- */

static struct line *line_of(struct spooling *spooling, const struct channel *channel)
{
	const char *workspace = channel_workspace(channel);
	struct buf name = { 0 };
	struct line *line;

	LIST_FOREACH (line, &spooling->lines, link)
		if (text_equal(line->channel, channel_name(channel)) &&
		    text_equal(line->workspace, workspace))
			return line;
	line = memory_new(sizeof(*line));
	line->spooling = spooling;
	line->workspace = memory_text(workspace);
	line->channel = memory_text(channel_name(channel));
	buf_format(&name, "%s_%s", workspace, line->channel);
	line->spool = spool_new(spooling->parts->disk, name.data);
	buf_text(&name, "_refused");
	line->refused = spool_new(spooling->parts->disk, name.data);
	buf_clear(&name);
	LIST_INSERT_HEAD(&spooling->lines, line, link);
	return line;
}

static void page_clear(struct line *line)
{
	for (size_t i = 0; i < line->count; i++)
		buf_clear(&line->records[i]);
	free(line->records);
	line->records = NULL;
	line->count = 0;
}

/* ---- out of the spool, into the pipeline ---- */

static void drain_stop(struct line *line)
{
	page_clear(line);
	line->is_draining = false;
}

static void on_dropped(const struct error *err, void *context)
{
	struct line *line = context;

	if (err != NULL) {
		log_error(line->channel, "event=spool_drop_failed error=%s", log_quote(err->text));
	} else {
		log_info(line->channel, "event=spool_drained messages=%zu", line->count);
		line->waiting -= line->count < line->waiting ? line->count : line->waiting;
		loop_timer_start(line->spooling->tick, 0);
	}
	drain_stop(line);
}

static void record_launch(struct line *line);

/* One record is settled; a page that is through leaves the disk as a whole. */
static void record_settled(struct line *line)
{
	struct error err;

	line->index++;
	if (line->index < line->count)
		record_launch(line);
	else if (spool_drop(line->spool, line->next, on_dropped, line, &err) != 0)
		on_dropped(&err, line);
}

static void on_put_aside(uint64_t end, const struct error *err, void *context)
{
	struct line *line = context;

	(void)end;
	if (err == NULL) {
		record_settled(line);
		return;
	}
	log_error(line->channel, "event=spool_refused_not_kept error=%s", log_quote(err->text));
	drain_stop(line);
}

static void put_aside(struct line *line, const char *why)
{
	const struct buf *record = &line->records[line->index];
	struct error err;

	log_error(line->channel, "event=spool_refused file=%s_%s_refused error=%s", line->workspace,
		  line->channel, log_quote(why));
	if (spool_add(line->refused, record->data, record->len, on_put_aside, line, &err) != 0)
		on_put_aside(0, &err, line);
}

static void on_flight(struct flight *flight, bool durable, void *context)
{
	struct line *line = context;

	if (durable)
		record_settled(line);
	else if (flight->error.kind == ERROR_MISUSE)
		put_aside(line, flight->error.text);
	else
		drain_stop(line); /* the store is away again: from the page's start, later */
}

static bool is_record(const struct buf *bytes)
{
	struct arena *arena = arena_new(bytes->len + 1024);
	struct spool_request request;
	struct inbound in = { 0 };
	bool is = spool_record_read(bytes->data, bytes->len, arena, &in, &request);

	arena_free(&arena);
	return is;
}

static void record_launch(struct line *line)
{
	struct parts *parts = line->spooling->parts;
	struct channel *channel = channel_find(parts->channels, line->workspace, line->channel);
	const struct buf *record = &line->records[line->index];
	struct inbound in = { .method = "", .target = "" };
	struct spool_request *request;
	struct flight *flight;

	if (channel == NULL) {
		drain_stop(line);
		return;
	}
	if (!is_record(record)) {
		put_aside(line, "this is no record of a request");
		return;
	}
	flight = pipeline_launch(parts->pipeline, channel, &in, NULL, on_flight, line);
	request = arena_alloc(flight->arena, sizeof(*request));
	spool_record_read(record->data, record->len, flight->arena, &flight->in, request);
	flight->in.public_url = channel_public_url(channel);
}

static void on_page(const struct spool_page *page, const struct error *err, void *context)
{
	struct line *line = context;

	if (err != NULL) {
		log_error(line->channel, "event=spool_read_failed error=%s", log_quote(err->text));
		drain_stop(line);
		return;
	}
	if (page->count == 0) {
		if (line->adding == 0)
			line->state = LINE_EMPTY;
		drain_stop(line);
		return;
	}
	line->state = LINE_BEHIND;
	line->records = memory_new(page->count * sizeof(*line->records));
	line->count = page->count;
	for (size_t i = 0; i < page->count; i++)
		buf_add(&line->records[i], page->records[i].bytes, page->records[i].len);
	line->next = page->next;
	line->index = 0;
	if (line->waiting < line->count)
		line->waiting = line->count;
	record_launch(line);
}

static void drain(struct line *line)
{
	struct error err;

	if (line->is_draining || line->state == LINE_EMPTY)
		return;
	line->is_draining = true;
	if (spool_read(line->spool, 0, PAGE_BYTES, on_page, line, &err) != 0)
		on_page(NULL, &err, line);
}

static bool channel_is_served(const struct channel *channel)
{
	unsigned abilities = channel_connector(channel)->abilities;

	return (abilities & CAN_RECEIVE) && !(abilities & PROVIDER_RETRIES);
}

static void on_tick(void *context)
{
	struct spooling *spooling = context;
	struct channel *channel;

	for (size_t i = 0; (channel = channel_at(spooling->parts->channels, i)) != NULL; i++)
		if (channel_is_served(channel) && channel_connector(channel)->verify != NULL &&
		    store_is_up(spooling->parts->store))
			drain(line_of(spooling, channel));
	if (!loop_timer_is_armed(spooling->tick))
		loop_timer_start(spooling->tick, TICK_MS);
}

/* ---- into the spool ---- */

static void add_end(struct adding *adding, const struct error *err)
{
	struct line *line = adding->line;

	line->adding--;
	if (err == NULL) {
		line->waiting++;
	} else {
		log_error(line->channel, "event=spool_failed error=%s", log_quote(err->text));
		flight_fail(adding->flight, "the store cannot be reached, and the spool: %s",
			    err->text);
	}
	if (flight_landed(adding->flight))
		adding->done(adding->flight, err == NULL);
	free(adding);
}

static void on_added(uint64_t end, const struct error *err, void *context)
{
	(void)end;
	add_end(context, err);
}

static void on_no_add(void *context)
{
	struct adding *adding = context;

	add_end(adding, &adding->error);
}

bool spooling_serves(const struct flight *flight)
{
	return flight->request != NULL && flight->in.visitor == NULL &&
	       channel_is_served(flight->channel);
}

bool spooling_is_behind(struct spooling *spooling, const struct flight *flight)
{
	return line_of(spooling, flight->channel)->state != LINE_EMPTY;
}

void spooling_add(struct spooling *spooling, struct flight *flight,
		  void (*done)(struct flight *flight, bool kept))
{
	struct adding *adding = memory_new(sizeof(*adding));
	struct line *line = line_of(spooling, flight->channel);
	struct buf record = { 0 };

	*adding = (struct adding){ .line = line, .flight = flight, .done = done };
	if (line->state == LINE_EMPTY) {
		log_warn(line->channel, "event=spooling: the store takes nothing now");
		line->state = LINE_BEHIND;
	}
	line->adding++;
	flight->pending++;
	spool_record_write(&flight->in, http_request_head(flight->request), &record);
	if (spool_add(line->spool, record.data, record.len, on_added, adding, &adding->error) != 0)
		loop_soon(spooling->parts->loop, on_no_add, adding);
	buf_clear(&record);
}

size_t spooling_waiting(const struct spooling *spooling)
{
	const struct line *line;
	size_t count = 0;

	LIST_FOREACH (line, &spooling->lines, link)
		count += line->waiting;
	return count;
}

struct spooling *spooling_new(struct parts *parts)
{
	struct spooling *spooling = memory_new(sizeof(*spooling));

	spooling->parts = parts;
	LIST_INIT(&spooling->lines);
	spooling->tick = loop_timer_new(parts->loop, on_tick, spooling);
	loop_timer_start(spooling->tick, 0);
	return spooling;
}

void spooling_free(struct spooling **ref)
{
	struct line *line;

	if (*ref == NULL)
		return;
	while ((line = LIST_FIRST(&(*ref)->lines)) != NULL) {
		LIST_REMOVE(line, link);
		page_clear(line);
		spool_free(&line->spool);
		spool_free(&line->refused);
		free(line->workspace);
		free(line->channel);
		free(line);
	}
	loop_timer_free(&(*ref)->tick);
	free(*ref);
	*ref = NULL;
}
