/* converge-sim: simulated customers for the demonstration, for tests and as a load.
 * They know nothing of the daemon but its public front doors. */
#include <event2/event.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sysexits.h>
#include <time.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "provider.h"
#include "sim.h"
#include "wire.h"

static const char usage_text[] =
	"usage: converge-sim [OPTION...]\n"
	"Customers who write, in Chinese and English, by the public front doors of a running "
	"converged.\n\n"
	"  --config FILE       take addresses, channels and secrets from the daemon's settings\n"
	"  --http HOST:PORT    the daemon's HTTP listener (numeric address)\n"
	"  --webhook NAME      a channel of the generic webhook\n"
	"  --secret SECRET     its whsec_ secret\n"
	"  --deliver URL       its deliver_url, answered here\n"
	"  --chat NAME         a web chat channel\n"
	"  --lmtp HOST:PORT    the daemon's LMTP listener\n"
	"  --mail ADDRESS      the address of a mail channel\n"
	"  --smtp HOST:PORT    where its answers are taken\n"
	"  --rate N            customers a minute on average; default 6\n"
	"  --count N           end after N stories; default: never\n"
	"  --seed N            the same seed, the same customers; default: the time\n"
	"  --speed X           how fast people read, type and lose patience; default 1\n"
	"  --patience S        how long a customer waits for an answer; default 120\n"
	"  --quiet             say nothing but errors\n\n"
	"Or a provider's API, for tests (tests/sim/README.md):\n"
	"  --provider NAME     stand in for it; what follows is about it, up to the next "
	"--provider\n"
	"  --listen HOST:PORT  where its API and /_sim/ are served\n"
	"  --in URL            where it posts to: http://HOST:PORT/in/CHANNEL\n"
	"  --set NAME=VALUE    a setting of it; GET /_sim/state shows them all\n";

enum { FIRST_GUESTS = 6 };

enum option_id {
	OPTION_CONFIG = 256,
	OPTION_HTTP,
	OPTION_WEBHOOK,
	OPTION_SECRET,
	OPTION_DELIVER,
	OPTION_CHAT,
	OPTION_LMTP,
	OPTION_MAIL,
	OPTION_SMTP,
	OPTION_RATE,
	OPTION_COUNT,
	OPTION_SEED,
	OPTION_SPEED,
	OPTION_PATIENCE,
	OPTION_QUIET,
	OPTION_PROVIDER,
	OPTION_LISTEN,
	OPTION_IN,
	OPTION_SET,
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "http", required_argument, NULL, OPTION_HTTP },
	{ "webhook", required_argument, NULL, OPTION_WEBHOOK },
	{ "secret", required_argument, NULL, OPTION_SECRET },
	{ "deliver", required_argument, NULL, OPTION_DELIVER },
	{ "chat", required_argument, NULL, OPTION_CHAT },
	{ "lmtp", required_argument, NULL, OPTION_LMTP },
	{ "mail", required_argument, NULL, OPTION_MAIL },
	{ "smtp", required_argument, NULL, OPTION_SMTP },
	{ "rate", required_argument, NULL, OPTION_RATE },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "seed", required_argument, NULL, OPTION_SEED },
	{ "speed", required_argument, NULL, OPTION_SPEED },
	{ "patience", required_argument, NULL, OPTION_PATIENCE },
	{ "quiet", no_argument, NULL, OPTION_QUIET },
	{ "provider", required_argument, NULL, OPTION_PROVIDER },
	{ "listen", required_argument, NULL, OPTION_LISTEN },
	{ "in", required_argument, NULL, OPTION_IN },
	{ "set", required_argument, NULL, OPTION_SET },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

double sim_random(struct sim *sim)
{
	/* splitmix64 */
	uint64_t z = sim->random += 0x9e3779b97f4a7c15ULL;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

void sim_say(struct sim *sim, const char *format, ...)
{
	va_list arguments;
	if (sim->is_quiet)
		return;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

static int set_text(struct sim *sim, int option, const char *value)
{
	const struct {
		int option;
		const char **member;
	} rows[] = {
		{ OPTION_HTTP, &sim->http },
		{ OPTION_WEBHOOK, &sim->webhook_channel },
		{ OPTION_SECRET, &sim->webhook_secret },
		{ OPTION_DELIVER, &sim->deliver_url },
		{ OPTION_CHAT, &sim->chat_channel },
		{ OPTION_LMTP, &sim->lmtp },
		{ OPTION_MAIL, &sim->mail_address },
		{ OPTION_SMTP, &sim->smtp },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].option != option)
			continue;
		*rows[i].member = value;
		return 0;
	}
	return -1;
}

static int set_number(struct sim *sim, int option, const char *value)
{
	char *end = NULL;
	double number = strtod(value, &end);
	if (end == value || *end != '\0' || number < 0 || number > 1e15)
		return -1;
	switch (option) {
	case OPTION_RATE:
		sim->per_minute = number;
		return number > 0 ? 0 : -1;
	case OPTION_SPEED:
		sim->speed = number;
		return number > 0 ? 0 : -1;
	case OPTION_COUNT:
		sim->count = (int64_t)number;
		return 0;
	case OPTION_SEED:
		sim->seed = (uint64_t)number;
		return 0;
	case OPTION_PATIENCE:
		sim->patience_s = (int64_t)number;
		return 0;
	default:
		return -1;
	}
}

/* Options of the newest stand-in. */
static int take_provider_option(struct sim *sim, int option)
{
	if (option == OPTION_PROVIDER) {
		sim->standin_provider = provider_find(optarg);
		return sim->standin_provider != NULL && sim->standin_count < STANDINS_MAX
			       ? EX_OK
			       : EX_USAGE;
	}
	if (option == OPTION_LISTEN) {
		if (sim->standin_provider == NULL)
			return EX_USAGE;
		struct standin *standin = standin_start(sim->base, sim->standin_provider, optarg);
		if (standin == NULL)
			return EX_UNAVAILABLE;
		sim->standins[sim->standin_count++] = standin;
		return EX_OK;
	}
	if (sim->standin_count == 0)
		return EX_USAGE;
	struct standin *standin = sim->standins[sim->standin_count - 1];
	char *equals = strchr(optarg, '=');
	if (option == OPTION_IN) {
		setting_put(standin, "in", optarg);
		return EX_OK;
	}
	if (equals == NULL)
		return EX_USAGE;
	*equals = '\0';
	setting_put(standin, optarg, equals + 1);
	return EX_OK;
}

static int take_option(struct sim *sim, int option)
{
	if (option >= OPTION_PROVIDER)
		return take_provider_option(sim, option);
	if (option == OPTION_QUIET) {
		sim->is_quiet = true;
		return EX_OK;
	}
	if (option == OPTION_CONFIG)
		return sim_settings(sim, optarg) < 0 ? EX_CONFIG : EX_OK;
	if (option == '?' ||
	    (set_text(sim, option, optarg) < 0 && set_number(sim, option, optarg) < 0))
		return EX_USAGE;
	return EX_OK;
}

static bool has_door(const struct sim *sim)
{
	return (sim->standin_count > 0 && sim->standin_provider == NULL) ||
	       (sim->webhook_channel != NULL && sim->http != NULL) ||
	       (sim->chat_channel != NULL && sim->http != NULL) ||
	       (sim->mail_address != NULL && sim->lmtp != NULL);
}

static int read_options(struct sim *sim, int argc, char **argv)
{
	int option;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage_text, stdout);
			exit(0);
		}
		int status = take_option(sim, option);
		if (status != EX_OK)
			return status;
	}
	if (optind < argc || (!has_door(sim) && sim->standin_count == 0) ||
	    (sim->webhook_channel != NULL && sim->webhook_secret == NULL)) {
		fprintf(stderr, "converge-sim: no door to go in by; see --help\n");
		return EX_USAGE;
	}
	return 0;
}

/* A day in 24 minutes: a morning peak, a lull, an evening peak; quiet, not silent, at night. */
static double day_curve(time_t now)
{
	static const double hours[24] = { 0.3, 0.2, 0.2, 0.2, 0.2, 0.3, 0.5, 0.8,
					  1.3, 1.8, 1.9, 1.6, 1.1, 1.2, 1.5, 1.5,
					  1.3, 1.1, 1.1, 1.4, 1.7, 1.5, 0.9, 0.5 };
	return hours[(now / 60) % 24];
}

static void plan_arrival(struct sim *sim)
{
	double rate = sim->per_minute / 60.0 * day_curve(time(NULL));
	double gap = -log(1.0 - sim_random(sim)) / rate;
	/* The curve moves on meanwhile, so nobody plans further than a minute; and who watches
	 * wants to see somebody soon. */
	double longest = sim->arrived < FIRST_GUESTS ? 2 : 60;
	if (gap > longest)
		gap = longest;
	struct timeval delay = { .tv_sec = (time_t)gap,
				 .tv_usec = (suseconds_t)((gap - (double)(time_t)gap) * 1e6) };
	evtimer_add(sim->arrival, &delay);
}

static void on_arrival(evutil_socket_t fd, short what, void *context)
{
	struct sim *sim = context;
	(void)fd;
	(void)what;
	if (sim->count > 0 && sim->arrived >= sim->count)
		return;
	customer_arrive(sim);
	plan_arrival(sim);
}

static void on_signal(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	event_base_loopexit(context, NULL);
}

static int run(struct sim *sim)
{
	if ((sim->webhook_channel != NULL && webhook_door_open(sim) < 0) ||
	    (sim->mail_address != NULL && mail_door_open(sim) < 0))
		return EX_UNAVAILABLE;
	struct event *interrupted = evsignal_new(sim->base, SIGINT, on_signal, sim->base);
	struct event *terminated = evsignal_new(sim->base, SIGTERM, on_signal, sim->base);
	evsignal_add(interrupted, NULL);
	evsignal_add(terminated, NULL);
	sim->arrival = evtimer_new(sim->base, on_arrival, sim);
	if (has_door(sim))
		on_arrival(-1, 0, sim);
	event_base_dispatch(sim->base);
	event_free(sim->arrival);
	event_free(interrupted);
	event_free(terminated);
	if (!has_door(sim))
		return 0;
	printf("%lld customers, %lld messages in, %lld refused for a while, %lld answers\n",
	       (long long)sim->arrived, (long long)sim->messages, (long long)sim->refused,
	       (long long)sim->answered);
	return 0;
}

static void close_doors(struct sim *sim)
{
	wire_door_free(&sim->webhook_in);
	wire_door_free(&sim->mail_in);
	mac_free(&sim->webhook_key);
	for (size_t i = 0; i < sim->standin_count; i++)
		standin_free(&sim->standins[i]);
	event_base_free(sim->base);
	arena_free(&sim->arena);
}

int main(int argc, char **argv)
{
	struct sim sim = {
		.per_minute = 6, .speed = 1, .patience_s = 120, .seed = (uint64_t)time(NULL)
	};
	signal(SIGPIPE, SIG_IGN);
	sim.arena = arena_new(0);
	sim.base = event_base_new();
	int code = read_options(&sim, argc, argv);
	sim.random = sim.seed;
	if (code == EX_USAGE)
		fputs(usage_text, stderr);
	if (code == 0)
		code = run(&sim);
	close_doors(&sim);
	return code;
}
