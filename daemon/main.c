/* The entry point: options, then a worker process, one of the generators, or
 * the daemon. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/yaml.h"
#include "broker.h"
#include "broker_parts.h"
#include "config.h"
#include "config_doc.h"
#include "options.h"
#include "services/loop.h"
#include "services/transfer.h"

static int print(struct buf *text)
{
	int failed = text->len > 0 && fwrite(text->data, 1, text->len, stdout) != text->len;

	failed |= fflush(stdout) != 0;
	buf_clear(text);
	return failed ? EX_IOERR : EX_OK;
}

static int print_version(void)
{
	static const struct options_library libraries[] = {
		{ "libevent", loop_version }, { "OpenSSL", crypto_version },
		{ "json-c", json_version },   { "libcurl", transfer_version },
		{ "libyaml", yaml_version },  { NULL, NULL },
	};
	struct buf text = { 0 };

	options_version(&text, libraries);
	return print(&text);
}

static int generate(const struct options *options)
{
	struct buf text = { 0 };

	if (options->help)
		options_help(&text);
	else if (options->print_sample)
		config_print_sample(&text);
	else
		config_print_tables(&text);
	return print(&text);
}

static int run(const struct options *options)
{
	struct broker_options broker = { .config_file = options->config,
					 .log_level = options->log_level,
					 .demo = options->demo,
					 .simulator = !options->no_simulator };
	int status;

	if (options->demo && !options->is_config_given) {
		broker.config_file = broker_demo_config();
		if (broker.config_file == NULL)
			return EX_CANTCREAT;
	}
	status = broker_run(&broker);
	if (status != EX_OK && options->demo)
		fprintf(stderr, "converged: the settings of the demonstration are in %s\n",
			broker.config_file);
	return status;
}

/* The workers' programs lie beside this one. Only returns when they cannot be run. */
static int become_worker(const char *worker, char **argv)
{
	const char *name = strcmp(worker, "phone") == 0 ? "/converged-phone" : "/converged-worker";
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - strlen(name) - 1);
	char *slash = NULL;

	if (len > 0) {
		path[len] = '\0';
		slash = strrchr(path, '/');
	}
	if (slash != NULL) {
		memcpy(slash, name, strlen(name) + 1);
		execv(path, argv);
	}
	fprintf(stderr, "converged: cannot run %s, which must lie beside it: %s\n", name + 1,
		strerror(errno));
	return EX_UNAVAILABLE;
}

int main(int argc, char **argv)
{
	struct options options;
	struct error err;

	if (options_parse(argc, argv, &options, &err) != 0) {
		fprintf(stderr, "converged: %s\n", err.text);
		return EX_USAGE;
	}
	if (options.worker != NULL)
		return become_worker(options.worker, argv);
	if (options.version)
		return print_version();
	if (options.help || options.print_sample || options.print_settings)
		return generate(&options);
	if (options.test)
		return config_test(options.config);
	return run(&options);
}
