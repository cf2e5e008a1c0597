#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/settings.h"
#include "base/text.h"

struct option_row {
	char letter; /* '\0': none */
	const char *name;
	const char *argument; /* NULL: a flag */
	size_t offset;        /* bool of a flag, const char * of an argument */
	bool is_hidden;
	const char *text;
};

/* What the table fills; the log level is a word first. */
struct parsing {
	struct options options;
	const char *log_level;
};

#define ROW(row_letter, row_name, row_argument, member, row_text)                                  \
	{                                                                                          \
		.letter = (row_letter), .name = (row_name), .argument = (row_argument),            \
		.offset = offsetof(struct parsing, member), .text = (row_text)                     \
	}

static const struct option_row rows[] = {
	ROW('c', "config", "FILE", options.config,
	    "The configuration; by default $CONVERGE_CONFIG or " OPTIONS_CONFIG_DEFAULT "."),
	ROW('t', "test-config", NULL, options.test,
	    "Checks the configuration, prints every error and exits with 0 or 78."),
	ROW('V', "version", NULL, options.version,
	    "Prints the versions of the program and of its libraries."),
	ROW('h', "help", NULL, options.help, "Prints this."),
	ROW('\0', "demo", NULL, options.demo,
	    "Runs with a store, agents and channels of its own, to look around."),
	ROW('\0', "no-simulator", NULL, options.no_simulator,
	    "With --demo: leaves the simulated customers out."),
	ROW('\0', "log-level", "LEVEL", log_level,
	    "error, warn, info or debug, whatever the configuration says."),
	ROW('\0', "print-sample-config", NULL, options.print_sample,
	    "Prints a configuration with every setting."),
	ROW('\0', "print-settings-doc", NULL, options.print_settings,
	    "Prints every setting as a Markdown table."),
	{ .name = "worker",
	  .argument = "NAME",
	  .offset = offsetof(struct parsing, options.worker),
	  .is_hidden = true,
	  .text = "Runs as a worker process; the daemon starts these." },
};

static const struct option_row *by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
			return &rows[i];
	}
	return NULL;
}

static const struct option_row *by_letter(char letter)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].letter != '\0' && rows[i].letter == letter)
			return &rows[i];
	}
	return NULL;
}

static int unknown_name(const char *name, size_t len, struct error *err)
{
	const char *names[COUNT_OF(rows) + 1];
	char written[64];
	const char *near;

	if (len >= sizeof(written))
		len = sizeof(written) - 1;
	memcpy(written, name, len);
	written[len] = '\0';
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		names[i] = rows[i].name;
	names[COUNT_OF(rows)] = NULL;
	near = settings_nearest(written, names);
	if (near == NULL)
		return error_set(err, ERROR_MISUSE, "unknown option --%s (see --help)", written);
	return error_set(err, ERROR_MISUSE, "unknown option --%s (did you mean --%s?)", written,
			 near);
}

struct arguments {
	int count;
	char *const *texts;
	int at; /* of the next one */
};

static int apply(struct parsing *parsing, const struct option_row *row, const char *value,
		 struct arguments *arguments, struct error *err)
{
	void *slot = (char *)parsing + row->offset;

	if (row->argument == NULL) {
		if (value != NULL)
			return error_set(err, ERROR_MISUSE, "option --%s takes no value",
					 row->name);
		*(bool *)slot = true;
		return 0;
	}
	if (value == NULL && arguments->at < arguments->count)
		value = arguments->texts[arguments->at++];
	if (value == NULL || value[0] == '\0')
		return error_set(err, ERROR_MISUSE, "option --%s needs a value: %s", row->name,
				 row->argument);
	*(const char **)slot = value;
	return 0;
}

static int parse_long(struct parsing *parsing, const char *text, struct arguments *arguments,
		      struct error *err)
{
	size_t len = strcspn(text, "=");
	const struct option_row *row = by_name(text, len);

	if (row == NULL)
		return unknown_name(text, len, err);
	return apply(parsing, row, text[len] == '=' ? text + len + 1 : NULL, arguments, err);
}

/* "-tc FILE", "-cFILE" */
static int parse_short(struct parsing *parsing, const char *text, struct arguments *arguments,
		       struct error *err)
{
	for (; *text != '\0'; text++) {
		const struct option_row *row = by_letter(*text);
		const char *rest = text[1] == '\0' ? NULL : text + 1;

		if (row == NULL)
			return error_set(err, ERROR_MISUSE, "unknown option -%c (see --help)",
					 *text);
		if (row->argument != NULL)
			return apply(parsing, row, rest, arguments, err);
		if (apply(parsing, row, NULL, arguments, err) < 0)
			return -1;
	}
	return 0;
}

static int level_read(struct parsing *parsing, struct error *err)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };

	parsing->options.log_level = -1;
	if (parsing->log_level == NULL)
		return 0;
	for (size_t i = 0; i < COUNT_OF(levels); i++) {
		if (strcmp(levels[i], parsing->log_level) != 0)
			continue;
		parsing->options.log_level = (int)i;
		return 0;
	}
	return error_set(err, ERROR_MISUSE,
			 "option --log-level is \"%.20s\" (it may be error, warn, info, debug)",
			 parsing->log_level);
}

static void config_choose(struct options *options)
{
	const char *named = getenv("CONVERGE_CONFIG");

	if (options->config == NULL && named != NULL && named[0] != '\0')
		options->config = named;
	options->is_config_given = options->config != NULL;
	if (options->config == NULL)
		options->config = OPTIONS_CONFIG_DEFAULT;
}

int options_parse(int argc, char *const *argv, struct options *ret, struct error *err)
{
	struct parsing parsing = { 0 };
	struct arguments arguments = { argc, argv, 1 };

	while (arguments.at < arguments.count) {
		const char *text = argv[arguments.at++];
		int status = 0;

		if (text[0] != '-' || text[1] == '\0')
			return error_set(err, ERROR_MISUSE, "unexpected \"%.60s\" (see --help)",
					 text);
		if (text[1] != '-')
			status = parse_short(&parsing, text + 1, &arguments, err);
		else
			status = parse_long(&parsing, text + 2, &arguments, err);
		if (status < 0)
			return -1;
	}
	if (level_read(&parsing, err) < 0)
		return -1;
	config_choose(&parsing.options);
	*ret = parsing.options;
	return 0;
}

static void row_title(const struct option_row *row, char out[64])
{
	char letter[8] = "    ";

	if (row->letter != '\0')
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(out, 64, "%s--%s%s%s", letter, row->name, row->argument == NULL ? "" : " ",
		 row->argument == NULL ? "" : row->argument);
}

void options_help(struct buf *out)
{
	char title[64];

	buf_text(out, "usage: converged [options]\n"
		      "The omnichannel message broker: messages in, agents' answers out.\n\n");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].is_hidden)
			continue;
		row_title(&rows[i], title);
		buf_format(out, "  %-25s %s\n", title, rows[i].text);
	}
	buf_text(out,
		 "\nSIGHUP reads the configuration again, SIGTERM ends after what is in flight.\n"
		 "\nexamples: converged --demo\n"
		 "          converged -t -c conf/converged.yaml\n");
}

void options_man(struct buf *out)
{
	buf_text(out,
		 "converged(8)\n\n# NAME\n\nconverged - the omnichannel message broker daemon\n\n"
		 "# SYNOPSIS\n\n*converged* [options]\n\n# OPTIONS\n\n");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct option_row *row = &rows[i];

		if (row->is_hidden)
			continue;
		if (row->letter != '\0')
			buf_format(out, "*-%c*, ", row->letter);
		buf_format(out, "*--%s*%s%s%s\n\t%s\n\n", row->name,
			   row->argument == NULL ? "" : " _",
			   row->argument == NULL ? "" : row->argument,
			   row->argument == NULL ? "" : "_", row->text);
	}
	buf_text(out,
		 "# SIGNALS\n\n*SIGHUP*\n\tReads the configuration again; with an error in it the "
		 "old "
		 "one stays.\n\n*SIGTERM*, *SIGINT*\n\tStops accepting, answers what is in flight "
		 "and "
		 "ends.\n\n"
		 "# EXIT STATUS\n\n*0*\n\tFine.\n\n*64*\n\tThe command line is wrong.\n\n"
		 "*69*\n\tThe embedded store or a worker cannot be started.\n\n"
		 "*71*\n\tA listener or the admin socket cannot be opened, such as a port "
		 "that is taken.\n\n"
		 "*73*\n\tstate_dir cannot be made or written.\n\n"
		 "*74*\n\tWriting the output failed.\n\n"
		 "*75*\n\tSomething that it needs is not there now, such as a lock that another "
		 "instance holds.\n\n*78*\n\tThe configuration is wrong.\n\n"
		 "# SEE ALSO\n\n*converged.yaml*(5)\n");
}

void options_version(struct buf *out, const struct options_library *libraries)
{
	buf_text(out, "converged " CONVERGE_VERSION "\n");
	for (; libraries != NULL && libraries->name != NULL; libraries++)
		buf_format(out, "%s %s\n", libraries->name, libraries->version());
}
