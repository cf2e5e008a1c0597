/* The doors of the providers that the settings file has with a local api_base: each is a stand-in
 * (provider.h) in this process, where customers write and are answered. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"
#include "sim.h"

/* Telegram and WhatsApp know people by numbers, the others take any text. */
static void address_of(const struct customer *customer, char out[48])
{
	snprintf(out, 48, "86139%08lld", (long long)customer->number);
}

static struct customer *customer_where(struct standin *standin, const char *address,
				       const char *message_id)
{
	struct sim *sim = standin->watcher;
	for (size_t i = 0; i < CUSTOMERS_MAX; i++) {
		struct customer *customer = sim->customers[i];
		char own[48];
		if (customer == NULL || customer->at != standin)
			continue;
		address_of(customer, own);
		if ((address != NULL && strcmp(own, address) == 0) ||
		    (message_id != NULL && strcmp(customer->own_id, message_id) == 0))
			return customer;
	}
	return NULL;
}

static void on_accepted(struct standin *standin, const struct accepted *accepted)
{
	struct customer *customer =
		accepted->to != NULL ? customer_where(standin, accepted->to, NULL) : NULL;
	if (customer != NULL)
		customer_answered(customer, accepted->text);
}

static void on_settled(struct standin *standin, const struct post *post)
{
	struct customer *customer = customer_where(standin, NULL, post->id);
	if (customer == NULL)
		return;
	customer->own_id[0] = '\0';
	customer_heard(customer, post->is_right, post->wrong);
}

static void provider_say(struct customer *customer, const char *text, const char *message_id)
{
	struct arena *arena = arena_new(0);
	char id[128] = "", address[48];
	(void)message_id; /* the provider gives it one */
	address_of(customer, address);
	const char *json =
		arena_format(arena, "{\"from\":%s,\"name\":%s,\"text\":%s}", quote(arena, address),
			     quote(arena, customer->name), quote(arena, text));
	struct json_object *what = json_read(json, strlen(json), NULL);
	const char *wrong = customer->at->provider->say(customer->at, what, id);
	snprintf(customer->own_id, sizeof(customer->own_id), "%s", id);
	json_free(&what);
	arena_free(&arena);
	if (wrong != NULL)
		customer_heard(customer, false, wrong);
}

const struct door provider_door = { "provider", provider_say, NULL };

int provider_door_open(struct sim *sim, const struct provider_channel *channel)
{
	const char *listen = arena_text(sim->arena, channel->api_base + strlen("http://"));
	struct standin *standin = standin_start(sim->base, channel->provider, listen);
	if (standin == NULL)
		return -1;
	standin->watcher = sim;
	standin->on_accepted = on_accepted;
	standin->on_settled = on_settled;
	setting_put(standin, "in",
		    arena_format(sim->arena, "http://%s/in/%s", sim->http, channel->name));
	for (size_t i = 0; i < channel->setting_count; i++)
		setting_put(standin, channel->settings[i][0], channel->settings[i][1]);
	sim->standins[sim->standin_count++] = standin;
	return 0;
}
