/* The entry point: reads the command line by the table and runs one command. */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/settings.h"
#include "base/text.h"
#include "ctl.h"

#define DEFAULT_CONFIG "/etc/converge/converged.yaml"

enum { WORDS_MAX = 64 };

struct scan {
	int argc;
	char **argv;
	int at;
	const char *noun;
	const char *verb;
	bool wants_help;
	bool has_ended_options;
	struct call *call;
};

struct common_option {
	const char *name;
	char letter;
};

static const struct common_option common_options[] = {
	{ "--config", 'c' },
	{ "--workspace", 'w' },
	{ "--output", 'o' },
};

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "convergectl: %s%s%s\nTry: convergectl --help\n", what, word[0] ? ": " : "",
		word);
	return EX_USAGE;
}

/* What there is instead of a wrong word, the nearest first. */
static int usage_of(const char *what, const char *word, const char *const *known)
{
	const char *near = settings_nearest(word, known);
	fprintf(stderr, "convergectl: %s: %s\n", what, word);
	if (near != NULL)
		fprintf(stderr, "Did you mean: %s\n", near);
	fputs(known[0] == NULL ? "There is none here." : "Known here:", stderr);
	for (size_t i = 0; known[i] != NULL; i++)
		fprintf(stderr, "%s %s", i == 0 ? "" : ",", known[i]);
	fputs("\nTry: convergectl --help\n", stderr);
	return EX_USAGE;
}

static int usage_noun(const char *word)
{
	const char *known[WORDS_MAX] = { NULL };
	size_t count, rows, at = 0;
	const struct command *all = commands_all(&rows);
	for (count = 0; count < rows && at + 1 < WORDS_MAX; count++)
		if (at == 0 || strcmp(known[at - 1], all[count].noun) != 0)
			known[at++] = all[count].noun;
	return usage_of("unknown noun", word, known);
}

static int usage_verb(const char *noun, const char *word)
{
	const char *known[WORDS_MAX] = { NULL };
	char what[80];
	size_t rows, at = 0;
	const struct command *all = commands_all(&rows);
	for (size_t i = 0; i < rows && at + 1 < WORDS_MAX; i++)
		if (strcmp(all[i].noun, noun) == 0 && all[i].verb != NULL)
			known[at++] = all[i].verb;
	snprintf(what, sizeof(what), "unknown verb of \"%s\"", noun);
	return usage_of(what, word, known);
}

static int usage_option(const struct command *command, const char *word)
{
	const char *known[WORDS_MAX] = { NULL };
	const struct choice_option *rows = command != NULL ? command->options : NULL;
	size_t at = 0;
	for (size_t i = 0; i < sizeof(common_options) / sizeof(common_options[0]); i++)
		known[at++] = common_options[i].name;
	known[at++] = "--help";
	for (size_t i = 0; rows != NULL && rows[i].name != NULL && at + 1 < WORDS_MAX; i++)
		known[at++] = rows[i].name;
	return usage_of("unknown option", word, known);
}

/* The value of the option at scan->at, given as --name=value, as the next word, or (one letter)
 * behind the letter. NULL where it is missing. */
static const char *take_value(struct scan *scan, const char *inline_value)
{
	if (inline_value != NULL)
		return inline_value;
	if (scan->at + 1 >= scan->argc)
		return NULL;
	return scan->argv[++scan->at];
}

static int set_common(struct scan *scan, char letter, const char *value)
{
	struct call *call = scan->call;
	if (value == NULL)
		return usage("this option needs a value", (char[]){ '-', letter, '\0' });
	if (letter == 'c')
		call->config_file = value;
	else if (letter == 'w')
		call->workspace = value;
	else if (strcmp(value, "json") == 0)
		call->form = OUTPUT_JSON;
	else if (strcmp(value, "table") == 0)
		call->form = OUTPUT_TABLE;
	else
		return usage("output is table or json, not", value);
	return EXIT_DONE;
}

static int set_own(struct scan *scan, const char *name, size_t name_len, const char *inline_value)
{
	const struct command *command = scan->call->command;
	const struct choice_option *rows = command != NULL ? command->options : NULL;
	for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++) {
		if (strlen(rows[i].name) != name_len || strncmp(rows[i].name, name, name_len) != 0)
			continue;
		const char *value = rows[i].value == NULL ? "" : take_value(scan, inline_value);
		if (value == NULL)
			return usage("this option needs a value", rows[i].name);
		scan->call->options[i] = value;
		return EXIT_DONE;
	}
	return usage_option(command, name);
}

static int scan_long(struct scan *scan, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	const char *inline_value = equals != NULL ? equals + 1 : NULL;
	if (strcmp(word, "--help") == 0) {
		scan->wants_help = true;
		return EXIT_DONE;
	}
	for (size_t i = 0; i < sizeof(common_options) / sizeof(common_options[0]); i++)
		if (strlen(common_options[i].name) == len &&
		    strncmp(common_options[i].name, word, len) == 0)
			return set_common(scan, common_options[i].letter,
					  take_value(scan, inline_value));
	return set_own(scan, word, len, inline_value);
}

static int scan_short(struct scan *scan, const char *word)
{
	const char *inline_value = word[2] != '\0' ? word + 2 : NULL;
	switch (word[1]) {
	case 'h':
		scan->wants_help = true;
		return EXIT_DONE;
	case 'c':
	case 'w':
	case 'o':
		return set_common(scan, word[1], take_value(scan, inline_value));
	case 'f':
		return set_own(scan, "--file", strlen("--file"), inline_value);
	case 'm':
		return set_own(scan, "--message", strlen("--message"), inline_value);
	default:
		return usage_option(scan->call->command, word);
	}
}

static int scan_word(struct scan *scan, const char *word)
{
	struct call *call = scan->call;
	if (scan->noun == NULL) {
		scan->noun = word;
		call->command = commands_find(word, NULL);
		return commands_has_noun(word) ? EXIT_DONE : usage_noun(word);
	}
	if (call->command == NULL) {
		scan->verb = word;
		call->command = commands_find(scan->noun, word);
		return call->command != NULL ? EXIT_DONE : usage_verb(scan->noun, word);
	}
	if (call->argument_count == CALL_ARGUMENTS)
		return usage("one argument too many", word);
	call->arguments[call->argument_count++] = word;
	return EXIT_DONE;
}

static int scan_all(struct scan *scan)
{
	for (; scan->at < scan->argc; scan->at++) {
		const char *word = scan->argv[scan->at];
		int code;
		if (scan->has_ended_options || word[0] != '-' || word[1] == '\0')
			code = scan_word(scan, word);
		else if (strcmp(word, "--") == 0)
			code = (scan->has_ended_options = true, EXIT_DONE);
		else
			code = word[1] == '-' ? scan_long(scan, word) : scan_short(scan, word);
		if (code != EXIT_DONE)
			return code;
	}
	return EXIT_DONE;
}

/* Words in brackets may be left out; they come last. */
static size_t words_in(const char *text, size_t *ret_needed)
{
	size_t count = 0;
	*ret_needed = 0;
	for (const char *p = text; p != NULL && *p != '\0'; p += strspn(p, " ")) {
		*ret_needed += *p != '[';
		p += strcspn(p, " ");
		count++;
	}
	return count;
}

static int check_complete(const struct scan *scan)
{
	const struct call *call = scan->call;
	const struct command *command = call->command;
	size_t needed;
	size_t wanted = words_in(command->arguments, &needed);
	if (call->argument_count < needed)
		return usage("it needs", command->arguments);
	if (call->argument_count > wanted)
		return usage("one argument too many", call->arguments[wanted]);
	for (size_t i = 0; command->options != NULL && command->options[i].name != NULL; i++)
		if (command->options[i].required && call->options[i] == NULL)
			return usage("it needs the option", command->options[i].name);
	return EXIT_DONE;
}

static int run(struct scan *scan)
{
	int code = scan_all(scan);
	if (code != EXIT_DONE)
		return code;
	if (scan->wants_help) {
		help_print(stdout, scan->noun, scan->verb);
		return EXIT_DONE;
	}
	if (scan->call->command == NULL) {
		help_print(stderr, scan->noun, NULL);
		return EX_USAGE;
	}
	code = check_complete(scan);
	return code != EXIT_DONE ? code : scan->call->command->run(scan->call);
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "--man") == 0) {
		help_man(stdout);
		return EXIT_DONE;
	}
	if (argc == 2 && (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0))
		return run_version(NULL);
	const char *config = getenv("CONVERGE_CONFIG");
	struct call call = { .config_file = config != NULL ? config : DEFAULT_CONFIG,
			     .workspace = "main",
			     .arena = arena_new(0) };
	struct scan scan = { .argc = argc, .argv = argv, .at = 1, .call = &call };
	int code = run(&scan);
	arena_free(&call.arena);
	if (fflush(stdout) != 0 && code == EXIT_DONE)
		code = EX_IOERR;
	return code;
}
