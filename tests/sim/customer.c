/* One customer from arrival to leaving. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/memory.h"
#include "sim.h"

enum {
	RETRY_S = 2,
	TYPING_MIN_S = 3,
	TYPING_SPAN_S = 12,
	TRIES_MAX = 60,
};

static void on_timeout(evutil_socket_t fd, short what, void *context)
{
	struct customer *customer = context;
	(void)fd;
	(void)what;
	customer->on_timer(customer);
}

static void wait_for(struct customer *customer, double seconds, void (*then)(struct customer *))
{
	double scaled = seconds / customer->sim->speed;
	struct timeval delay = { .tv_sec = (time_t)scaled,
				 .tv_usec =
					 (suseconds_t)((scaled - (double)(time_t)scaled) * 1e6) };
	customer->on_timer = then;
	evtimer_add(customer->timer, &delay);
}

void customer_repeat(struct customer *customer)
{
	char message_id[64];
	snprintf(message_id, sizeof(message_id), "%s-%d", customer->id, customer->said);
	customer->door->say(customer, customer->saying, message_id);
}

static void say(struct customer *customer, const char *text)
{
	customer->on_timer = NULL;
	evtimer_del(customer->timer);
	customer->saying = text;
	customer_repeat(customer);
}

static void say_line(struct customer *customer)
{
	customer->is_nudging = false;
	say(customer, customer->story->lines[customer->line]);
}

static void say_nudge(struct customer *customer)
{
	customer->is_nudging = true;
	say(customer, customer->story->nudge);
}

static void lose_patience(struct customer *customer)
{
	if (customer->is_nudged || customer->story->nudge == NULL) {
		customer_leave(customer);
		return;
	}
	customer->is_nudged = true;
	say_nudge(customer);
}

void customer_heard(struct customer *customer, bool is_heard, const char *why)
{
	if (is_heard) {
		sim_say(customer->sim, "%s (%s, %s, %s) wrote", customer->name, customer->id,
			customer->door->name, customer->story->kind);
		customer->sim->messages++;
		customer->said++;
		customer->tries = 0;
		customer->line += customer->is_nudging ? 0 : 1;
		customer->is_nudging = false;
		wait_for(customer, (double)customer->sim->patience_s, lose_patience);
		return;
	}
	customer->sim->refused++;
	if (++customer->tries > TRIES_MAX) {
		fprintf(stderr, "converge-sim: %s gives up at the %s door: %s\n", customer->id,
			customer->door->name, why);
		customer_leave(customer);
		return;
	}
	wait_for(customer, RETRY_S * customer->sim->speed,
		 customer->is_nudging ? say_nudge : say_line);
}

void customer_answered(struct customer *customer, const char *text)
{
	struct sim *sim = customer->sim;
	(void)text;
	if (customer->is_leaving)
		return;
	sim->answered++;
	sim_say(sim, "%s (%s) was answered", customer->name, customer->id);
	if (customer->line < STORY_LINES && customer->story->lines[customer->line] != NULL)
		wait_for(customer, TYPING_MIN_S + sim_random(sim) * TYPING_SPAN_S, say_line);
	else
		wait_for(customer, TYPING_MIN_S, customer_leave);
}

struct customer *customer_find(struct sim *sim, const char *id)
{
	for (size_t i = 0; i < CUSTOMERS_MAX; i++)
		if (sim->customers[i] != NULL && strcmp(sim->customers[i]->id, id) == 0)
			return sim->customers[i];
	return NULL;
}

/* One of the doors that are open; of the providers each is one. */
static void pick_door(struct customer *customer)
{
	struct sim *sim = customer->sim;
	const struct door *open[3];
	size_t count = 0;
	if (sim->webhook_channel != NULL)
		open[count++] = &webhook_door;
	if (sim->chat_channel != NULL)
		open[count++] = &chat_door;
	if (sim->mail_address != NULL)
		open[count++] = &mail_door;
	size_t at = (size_t)(sim_random(sim) * (double)(count + sim->standin_count));
	customer->door = at < count ? open[at] : &provider_door;
	customer->at = at < count ? NULL : sim->standins[at - count];
}

void customer_arrive(struct sim *sim)
{
	size_t at = 0;
	while (at < CUSTOMERS_MAX && sim->customers[at] != NULL)
		at++;
	if (at == CUSTOMERS_MAX)
		return; /* the house is full: this one walks on */
	struct customer *customer = memory_new(sizeof(*customer));
	customer->sim = sim;
	customer->number = ++sim->arrived;
	pick_door(customer);
	customer->story = story_pick(sim);
	snprintf(customer->id, sizeof(customer->id), "u-%llx-%lld", (unsigned long long)sim->seed,
		 (long long)customer->number);
	snprintf(customer->name, sizeof(customer->name), "%s", story_name(sim, customer->story));
	customer->timer = evtimer_new(sim->base, on_timeout, customer);
	sim->customers[at] = customer;
	say_line(customer);
}

static void free_customer(struct customer *customer)
{
	struct sim *sim = customer->sim;
	for (size_t i = 0; i < CUSTOMERS_MAX; i++)
		if (sim->customers[i] == customer)
			sim->customers[i] = NULL;
	if (customer->door->leave != NULL)
		customer->door->leave(customer);
	event_free(customer->timer);
	buf_clear(&customer->line_bytes);
	buf_clear(&customer->event_bytes);
	free(customer->token);
	free(customer);
	sim->left++;
	if (sim->count > 0 && sim->left >= sim->count)
		event_base_loopexit(sim->base, NULL);
}

/* On the next turn: the caller may be inside a callback of the door. */
void customer_leave(struct customer *customer)
{
	if (customer->is_leaving) {
		free_customer(customer);
		return;
	}
	customer->is_leaving = true;
	wait_for(customer, 0, customer_leave);
}
