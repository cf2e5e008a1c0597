/* --help on every level, and the man page, from the table of commands. */
#include <string.h>

#include "ctl.h"

static const char *const common_help[][2] = {
	{ "-c, --config FILE",
	  "the daemon's settings; default $CONVERGE_CONFIG or /etc/converge/converged.yaml" },
	{ "-w, --workspace NAME",
	  "the workspace to act in; default main; apply and token create make a new one" },
	{ "-o, --output FORM", "table (default) or json" },
	{ "-h, --help", "help for the program, a noun or a command" },
};

static const char *const exit_help[][2] = {
	{ "0", "done" },
	{ "1", "the daemon refused, or a check of doctor failed" },
	{ "64", "the command line is wrong" },
	{ "65", "the password is empty or too long" },
	{ "66", "an input file cannot be read" },
	{ "69", "the daemon or the store cannot be reached" },
	{ "73", "a file cannot be created" },
	{ "74", "reading or writing failed" },
	{ "75", "not now: try again later" },
	{ "76", "the answer was not understood" },
	{ "78", "the settings or the business configuration are wrong" },
};

static bool is_shown(const struct command *row, const char *noun, const char *verb)
{
	if (noun != NULL && strcmp(row->noun, noun) != 0)
		return false;
	return verb == NULL || row->verb == NULL || strcmp(row->verb, verb) == 0;
}

static void format_name(const struct command *row, char *out, size_t room)
{
	snprintf(out, room, "%s%s%s%s%s", row->noun, row->verb != NULL ? " " : "",
		 row->verb != NULL ? row->verb : "", row->arguments != NULL ? " " : "",
		 row->arguments != NULL ? row->arguments : "");
}

static void print_options(FILE *out, const struct command *row)
{
	for (size_t i = 0; row->options != NULL && row->options[i].name != NULL; i++) {
		const struct choice_option *option = &row->options[i];
		char name[64];
		snprintf(name, sizeof(name), "%s %s", option->name,
			 option->value != NULL ? option->value : "");
		fprintf(out, "      %-24s %s%s\n", name, option->text,
			option->required ? " (required)" : "");
	}
}

void help_print(FILE *out, const char *noun, const char *verb)
{
	size_t count;
	const struct command *rows = commands_all(&count);
	bool is_detailed = noun != NULL;
	const struct command *only = noun != NULL ? commands_find(noun, verb) : NULL;
	char usage[96] = "NOUN [VERB] [ARGUMENT...]";
	if (only != NULL)
		format_name(only, usage, sizeof(usage));
	else if (noun != NULL)
		snprintf(usage, sizeof(usage), "%s VERB [ARGUMENT...]", noun);
	fprintf(out, "usage: convergectl [-c FILE] [-w WORKSPACE] [-o table|json] %s%s\n\n", usage,
		only != NULL && only->options != NULL ? " [OPTION...]" : "");
	for (size_t i = 0; i < count; i++) {
		if (!is_shown(&rows[i], noun, verb))
			continue;
		char name[96];
		format_name(&rows[i], name, sizeof(name));
		fprintf(out, "  %-28s %s\n", name, rows[i].text);
		if (is_detailed)
			print_options(out, &rows[i]);
	}
	fputs("\n", out);
	for (size_t i = 0; i < sizeof(common_help) / sizeof(common_help[0]); i++)
		fprintf(out, "  %-28s %s\n", common_help[i][0], common_help[i][1]);
	if (!is_detailed)
		fputs("\nConvergectl speaks to the daemon through the admin socket in its "
		      "state_dir, so it must run\n"
		      "as a user who may open that. Exit codes: convergectl(1). NO_COLOR is "
		      "honoured.\n"
		      "\nexample: convergectl -c conf/converged.yaml token create --role agent "
		      "--agent alice -o json\n",
		      out);
}

static void man_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void man_item(FILE *out, const char *name, const char *text)
{
	fputs(".TP\n.B ", out);
	man_text(out, name);
	fputs("\n", out);
	man_text(out, text);
	fputs("\n", out);
}

static void man_command(FILE *out, const struct command *row)
{
	char name[96];
	format_name(row, name, sizeof(name));
	man_item(out, name, row->text);
	if (row->options == NULL)
		return;
	fputs(".RS\n", out);
	for (size_t i = 0; row->options[i].name != NULL; i++) {
		const struct choice_option *option = &row->options[i];
		snprintf(name, sizeof(name), "%s %s", option->name,
			 option->value != NULL ? option->value : "");
		man_item(out, name, option->text);
	}
	fputs(".RE\n", out);
}

void help_man(FILE *out)
{
	size_t count;
	const struct command *rows = commands_all(&count);
	fputs(".TH CONVERGECTL 1 \"\" \"Converge " CONVERGE_VERSION "\"\n.SH NAME\n"
	      "convergectl \\- command line of the converged message broker\n.SH SYNOPSIS\n"
	      ".B convergectl\n[\\-c FILE] [\\-w WORKSPACE] [\\-o table|json] NOUN [VERB] "
	      "[ARGUMENT...]\n"
	      ".SH DESCRIPTION\nConvergectl finds the daemon through its settings file and speaks "
	      "to it\n"
	      "through the admin socket in state_dir; whoever may open that socket is an "
	      "administrator.\n"
	      ".SH OPTIONS\n",
	      out);
	for (size_t i = 0; i < sizeof(common_help) / sizeof(common_help[0]); i++)
		man_item(out, common_help[i][0], common_help[i][1]);
	fputs(".SH COMMANDS\n", out);
	for (size_t i = 0; i < count; i++)
		man_command(out, &rows[i]);
	fputs(".SH EXIT STATUS\n", out);
	for (size_t i = 0; i < sizeof(exit_help) / sizeof(exit_help[0]); i++)
		man_item(out, exit_help[i][0], exit_help[i][1]);
	fputs(".SH ENVIRONMENT\n", out);
	man_item(out, "CONVERGE_CONFIG", "the settings file where -c is not given");
	man_item(out, "NO_COLOR", "no colours, whatever its value");
	fputs(".SH SEE ALSO\n.BR converged (8)\n", out);
}
