#include "store_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct store_bed *bed_new(const struct store_options *options)
{
	struct store_bed *bed = calloc(1, sizeof(*bed));
	struct store_options own = { 0 };
	struct error err;

	redis_child_start(&bed->child, NULL);
	bed->loop = loop_new();
	if (options != NULL)
		own = *options;
	own.url = bed->child.url;
	bed->store = store_new(bed->loop, &own, &err);
	if (bed->store == NULL)
		abort();
	return bed;
}

void bed_free(struct store_bed **bed)
{
	store_free(&(*bed)->store);
	loop_free(&(*bed)->loop);
	redis_child_stop(&(*bed)->child);
	free(*bed);
	*bed = NULL;
}

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void bed_until(struct store_bed *bed, const bool *flag)
{
	time_t end = now_s() + 20;

	while (!*flag) {
		if (now_s() > end) {
			fputs("store_bed: it did not happen in 20 s\n", stderr);
			abort();
		}
		loop_turn(bed->loop, true);
	}
}

void bed_until_up(struct store_bed *bed, bool up)
{
	time_t end = now_s() + 20;

	while (store_is_up(bed->store) != up) {
		if (now_s() > end)
			abort();
		loop_turn(bed->loop, true);
	}
}

void bed_done(const struct store_reply *reply, const struct error *err, void *context)
{
	struct bed_answer *answer = context;
	const char *text =
		reply_text(reply_kind(reply) == REPLY_ARRAY ? reply_item(reply, 0) : reply, NULL);

	answer->is_done = true;
	answer->count++;
	answer->kind = err == NULL ? ERROR_NONE : err->kind;
	if (err != NULL)
		snprintf(answer->text, sizeof(answer->text), "error: %s", err->text);
	else if (reply_kind(reply) == REPLY_INT)
		snprintf(answer->text, sizeof(answer->text), "%lld", (long long)reply_int(reply));
	else
		snprintf(answer->text, sizeof(answer->text), "%s", text == NULL ? "(nil)" : text);
}

static struct bed_answer last_answer;

const char *bed_run(struct store_bed *bed, struct store_call *take_call)
{
	last_answer = (struct bed_answer){ 0 };
	store_run(bed->store, take_call, bed_done, &last_answer);
	bed_until(bed, &last_answer.is_done);
	return last_answer.text;
}

const char *bed_read(struct store_bed *bed, struct store_call *take_call)
{
	last_answer = (struct bed_answer){ 0 };
	store_read(bed->store, take_call, bed_done, &last_answer);
	bed_until(bed, &last_answer.is_done);
	return last_answer.text;
}
