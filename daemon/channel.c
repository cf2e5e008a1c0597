#include "channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "host/host_private.h"
#include "services/loop.h"
#include "services/socket.h"
#include "store/lease.h"

struct channels *channels_new(const struct channels_options *options)
{
	struct channels *channels = memory_new(sizeof(*channels));

	channels->options = *options;
	channels->sockets = sockets_new(options->loop);
	return channels;
}

enum { RETEST_FIRST_MS = 60 * 1000, RETEST_MAX_MS = 10 * 60 * 1000 };

static void channel_free(void *object)
{
	struct channel *channel = object;

	host_ops_end(channel, "the channel is closing");
	channel->connector->close(channel);
	host_ops_end(channel, "the channel is closing");
	loop_timer_free(&channel->wake);
	loop_timer_free(&channel->retest);
	loop_timer_free(&channel->listen);
	free(channel->state);
	free(channel->parked);
	arena_free(&channel->arena);
	free(channel);
}

static void channel_stop(struct channel *channel)
{
	bool was_polling = channel->polling;

	channel->polling = false;
	channel->started = false;
	if (channel->wake)
		loop_timer_stop(channel->wake);
	if (channel->retest)
		loop_timer_stop(channel->retest);
	if (channel->listen)
		loop_timer_stop(channel->listen);
	if (channel->lease)
		lease_drop(&channel->lease);
	if (was_polling)
		channel->connector->poll(channel, true);
}

void channel_hold(struct channel *channel)
{
	channel->refs++;
}

static bool is_busy(const struct channels *channels)
{
	for (const struct channel *channel = channels->first; channel; channel = channel->next)
		if (channel->refs > 1 || channel->connections > 0)
			return true;
	return false;
}

void channel_settled(struct channel *channel)
{
	/* The owner of a closed one may be gone. */
	if (!channel->closed && channel->owner->drained && !is_busy(channel->owner))
		loop_timer_start(channel->owner->drain, 0);
}

static void on_drained(void *context)
{
	struct channels *channels = context;
	void (*done)(void *) = channels->drained;

	channels->drained = NULL;
	if (done)
		done(channels->drained_context);
}

void channels_drain(struct channels *channels, int64_t grace_ms, void (*done)(void *context),
		    void *context)
{
	channels->drained = done;
	channels->drained_context = context;
	channels->drain = loop_timer_new(channels->options.loop, on_drained, channels);
	loop_timer_start(channels->drain, is_busy(channels) ? grace_ms : 0);
}

void channel_drop(struct channel *channel)
{
	if (--channel->refs == 0)
		loop_defer_free(channel->loop, channel, channel_free);
	else
		channel_settled(channel);
}

static void channel_unlink(struct channel *channel)
{
	struct channel **link = &channel->owner->first;

	while (*link != channel)
		link = &(*link)->next;
	*link = channel->next;
}

void channel_close(struct channel *channel)
{
	if (channel->closed)
		return;
	channel->closed = true;
	channel_stop(channel);
	channel_unlink(channel);
	channel_drop(channel);
}

void channels_free(struct channels **channels)
{
	if (!*channels)
		return;
	while ((*channels)->first) {
		struct channel *channel = (*channels)->first;

		channel->closed = true;
		channel_stop(channel);
		(*channels)->first = channel->next;
		host_ops_end(channel, "the channel is closing");
		if (--channel->refs == 0)
			channel_free(channel);
	}
	loop_timer_free(&(*channels)->drain);
	sockets_free(&(*channels)->sockets);
	loop_defer_free((*channels)->options.loop, *channels, free);
	*channels = NULL;
}

static void on_wake(void *context)
{
	struct channel *channel = context;

	if (channel->connector->poll && channel->polling)
		channel->connector->poll(channel, false);
}

int channel_open(struct channels *channels, const struct channel_options *options,
		 struct error *err)
{
	struct channel *channel = memory_new(sizeof(*channel));
	struct channel **link = &channels->first;
	const char *why = NULL;

	channel->owner = channels;
	channel->loop = channels->options.loop;
	channel->refs = 1;
	channel->arena = arena_new(0);
	channel->workspace = arena_text(channel->arena, options->workspace);
	channel->name = arena_text(channel->arena, options->name);
	channel->connector = options->connector;
	channel->settings = options->settings;
	channel->public_url = arena_text(channel->arena, options->public_url);
	channel->default_region = arena_text(channel->arena, options->default_region);
	channel->remember_ms = options->remember_ms;
	channel->window_ms = options->window_ms;
	channel->sending = options->sending;
	channel->is_simulated = options->is_simulated;
	channel->state = memory_new(options->connector->state_size + 1);
	channel->wake = loop_timer_new(channels->options.loop, on_wake, channel);
	if (channel->connector->open(&host_services, channel, &why) < 0) {
		error_set(err, ERROR_MISUSE, "channel %s: %s", channel->name,
			  why ? why : "cannot be opened");
		channel->closed = true;
		channel_free(channel);
		return -1;
	}
	while (*link)
		link = &(*link)->next;
	*link = channel;
	return 0;
}

static void on_lease(bool held, const char *fence, void *context)
{
	struct channel *channel = context;

	(void)fence;
	if (held == channel->polling)
		return;
	channel->polling = held;
	log_info(channel->name, "event=%s", held ? "poll_started" : "poll_stopped");
	channel->connector->poll(channel, !held);
	host_listen(channel);
}

/* Some send over what they poll: one connection, so one instance does both. */
static bool follows_steward(const struct channel *channel)
{
	return (channel->connector->abilities & POLLS_WHERE_SENDS) != 0;
}

static void poll_start(struct channel *channel)
{
	const struct channels_options *options = &channel->owner->options;

	if (!options->leases)
		on_lease(true, NULL, channel);
	else if (follows_steward(channel))
		on_lease(options->hooks.sends_here(channel->workspace, options->hooks.context),
			 NULL, channel);
	else
		channel->lease =
			lease_want(options->leases, channel->workspace,
				   arena_format(channel->arena, "channel:%s", channel->name),
				   on_lease, channel);
}

void channels_start(struct channels *channels)
{
	for (struct channel *channel = channels->first; channel; channel = channel->next) {
		if (channel->started || !channel->connector->poll)
			continue;
		channel->started = true;
		poll_start(channel);
	}
}

void channels_steward(struct channels *channels, const char *workspace, bool held)
{
	for (struct channel *channel = channels->first; channel; channel = channel->next)
		if (channel->started && follows_steward(channel) &&
		    strcmp(channel->workspace, workspace) == 0)
			on_lease(held, NULL, channel);
}

void channels_stop(struct channels *channels)
{
	for (struct channel *channel = channels->first; channel; channel = channel->next)
		channel_stop(channel);
}

struct channel *channel_find(struct channels *channels, const char *workspace, const char *name)
{
	for (struct channel *channel = channels->first; channel; channel = channel->next)
		if (strcmp(channel->name, name) == 0 && strcmp(channel->workspace, workspace) == 0)
			return channel;
	return NULL;
}

struct channel *channel_at(struct channels *channels, size_t index)
{
	struct channel *channel = channels->first;

	while (channel && index-- > 0)
		channel = channel->next;
	return channel;
}

struct channel *channel_for_mail(struct channels *channels, const char *address)
{
	for (struct channel *channel = channels->first; channel; channel = channel->next)
		if ((channel->connector->abilities & ACCEPTS_MAIL) &&
		    channel->connector->takes(channel, address))
			return channel;
	return NULL;
}

const char *channel_name(const struct channel *channel)
{
	return channel->name;
}

const char *channel_workspace(const struct channel *channel)
{
	return channel->workspace;
}

const struct connector *channel_connector(const struct channel *channel)
{
	return channel->connector;
}

bool channel_is_simulated(const struct channel *channel)
{
	return channel->is_simulated;
}

const char *channel_public_url(const struct channel *channel)
{
	return channel->public_url;
}

const char *channel_default_region(const struct channel *channel)
{
	return channel->default_region;
}

int64_t channel_remember_ms(const struct channel *channel)
{
	return channel->remember_ms != 0 ? channel->remember_ms : channel->connector->remember_ms;
}

void channel_window(const struct channel *channel, struct window_rules *ret)
{
	*ret = (struct window_rules){ .open_ms = channel->connector->window_ms };
	if (channel->connector->window)
		channel->connector->window(channel, ret);
	if (channel->window_ms != 0)
		ret->open_ms = channel->window_ms;
}

const struct sending_rules *channel_sending(const struct channel *channel)
{
	static const struct sending_rules none = { .opt_out = OPT_OUT_AUTO };

	return channel->sending ? channel->sending : &none;
}

bool channel_hears_opt_out(const struct channel *channel)
{
	int mode = channel_sending(channel)->opt_out;

	return mode == OPT_OUT_AUTO ? (channel->connector->abilities & HAS_OPT_OUT_WORDS) != 0
				    : mode == OPT_OUT_ON;
}

const char *channel_parked(const struct channel *channel)
{
	return channel->parked;
}

static void tell_parked(struct channel *channel)
{
	const struct channel_hooks *hooks = &channel->owner->options.hooks;

	if (hooks->parked)
		hooks->parked(channel, channel->parked, hooks->context);
}

static void on_retested(bool ok, const char *phrase, void *context)
{
	struct channel *channel = context;

	channel->is_testing = false;
	if (ok)
		channel_unpark(channel);
	if (!ok && channel->parked && !channel->closed) {
		log_info(channel->name, "event=still_parked why=%s", log_quote(phrase));
		channel->retest_ms = channel->retest_ms * 2 < RETEST_MAX_MS ? channel->retest_ms * 2
									    : RETEST_MAX_MS;
		loop_timer_start(channel->retest, channel->retest_ms);
	}
	channel_drop(channel);
}

/* What a person mends at the provider should not need a person here too. */
static void on_retest(void *context)
{
	struct channel *channel = context;

	if (channel->closed || channel->is_testing || !channel->parked)
		return;
	channel->is_testing = true;
	channel_hold(channel);
	channel->connector->test(channel, on_retested, channel);
}

static void retest_later(struct channel *channel)
{
	if (!channel->connector->test || channel->closed)
		return;
	if (!channel->retest)
		channel->retest = loop_timer_new(channel->loop, on_retest, channel);
	channel->retest_ms = RETEST_FIRST_MS;
	loop_timer_start(channel->retest, channel->retest_ms);
}

void channel_park(struct channel *channel, const char *why)
{
	bool is_new = !channel->parked;
	char *kept = memory_text(why);

	free(channel->parked);
	channel->parked = kept;
	if (!is_new)
		return;
	retest_later(channel);
	log_warn(channel->name, "event=parked why=%s", log_quote(why));
	tell_parked(channel);
}

void channel_unpark(struct channel *channel)
{
	if (!channel->parked)
		return;
	free(channel->parked);
	channel->parked = NULL;
	if (channel->retest)
		loop_timer_stop(channel->retest);
	log_info(channel->name, "event=unparked");
	tell_parked(channel);
}
