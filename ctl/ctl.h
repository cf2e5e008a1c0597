/* convergectl: the command line of a running daemon. commands.c is the table of
 * nouns and verbs from which parsing, --help and the man page come; every verb
 * is one function that gets a struct call and returns the exit code. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

enum {
	CALL_ARGUMENTS = 2, /* most positional arguments a command takes */
	CALL_OPTIONS = 10,  /* most options of its own a command has */
};

/* Exit codes; the others are of <sysexits.h>: 64 usage, 66 unreadable input, 69 daemon not
 * reachable, 73 cannot create, 74 input/output, 75 try again later, 76 answer not understood,
 * 78 configuration. */
enum { EXIT_DONE = 0, EXIT_REFUSED = 1 };

struct call;

/* A value taken from JSON answers, as a table's column or a detail's line. */
struct column {
	const char *title;
	const char *path; /* dotted */
};

struct choice_option {
	const char *name;  /* "--role" */
	const char *value; /* what stands for the value in help; NULL: a flag */
	const char *field; /* member of the body, or parameter of the query; NULL: the command reads
			      it */
	bool required;
	const char *text;
};

struct command {
	const char *noun;
	const char *verb;      /* NULL: the noun alone is the command */
	const char *arguments; /* "ID TEXT"; words in brackets may be left out; NULL: none */
	const char *text;      /* one sentence of help */
	int (*run)(struct call *call);
	const char *method;           /* for the generic verbs */
	const char *path;             /* "/v1/queues/%s": the first argument, percent-encoded */
	const struct column *columns; /* ended by a row without a title */
	const struct choice_option *options; /* ended by a row without a name */
};

enum output_form { OUTPUT_TABLE, OUTPUT_JSON };

/* One run of one command. */
struct call {
	const struct command *command;
	const char *config_file;
	const char *workspace;
	bool may_make_workspace;
	enum output_form form;
	const char *arguments[CALL_ARGUMENTS];
	size_t argument_count;
	const char *options[CALL_OPTIONS]; /* values in the order of command->options; NULL: not
					      given */
	struct arena *arena;
};

/* commands.c */
const struct command *commands_all(size_t *ret_count);
const struct command *commands_find(const char *noun, const char *verb);
bool commands_has_noun(const char *noun);

/* Value of an option by its name ("--role"); NULL where not given. Flags give "". */
const char *call_option(const struct call *call, const char *name);

/* help.c */
void help_print(FILE *out, const char *noun, const char *verb); /* NULLs widen the view */
void help_man(FILE *out);

/* The settings file of the daemon, as far as a client of it needs to know. locate.c */
struct location {
	char *state_dir;                           /* absolute */
	char *socket;                              /* of the admin listener */
	char *store;                               /* "embedded" or a URL */
	char *blobs;                               /* NULL: in state_dir */
	char *blobs_access_key, *blobs_secret_key; /* NULL: none */
	char *history;                             /* a URL, or "none" */
	char *history_password;                    /* of PostgreSQL; NULL: in the URL, or none */
	char **workspaces;                         /* that it serves; NULL at the end */
	bool shows_secrets; /* others can read the file, and it has secrets in it */
};
int locate(const char *config_file, struct arena *arena, struct location *ret, struct error *err);

/* output.c: what people see. Text of customers is stripped of control characters in tables. */
int output_problem(int status, const char *body, size_t len); /* to stderr; the exit code */
int output_error(int exit_code, const struct error *err);
void output_rows(struct call *call, struct json_object *const *rows, size_t count);
void output_object(struct call *call, struct json_object *object);
/* Text of outsiders for a terminal: without control characters. */
void output_plain(FILE *stream, const char *text);
bool output_is_colourful(FILE *stream);

/* One request to the daemon and its parsed answer; NULL after an error was printed, with
 * *ret_exit set. An empty answer gives NULL with EXIT_DONE. */
struct json_object *call_request(struct call *call, const char *method, const char *target,
				 const struct buf *body, int *ret_exit);
/* From here on a workspace that is not there is made; if so, a note says which is nearest. */
int call_enter_workspace(struct call *call);
/* Expands command->path with the first argument. */
const char *call_path(struct call *call);

/* Appends the options that have a field as query parameters. */
void call_add_query(const struct call *call, struct buf *target);

struct business;
/* Prints what is odd about a file's rules, if it has any, as warnings. rules.c */
int rules_warn(struct call *call, const struct business *business);

/* The generic verbs: generic.c */
int run_list(struct call *call);
int run_show(struct call *call);
int run_send(struct call *call); /* method and path of the row, the options as body */

int run_find(struct call *call); /* the row of a list whose id is the first argument */

/* verbs of their own */
int run_agent_password(struct call *call);
int run_apply(struct call *call);
int run_backup(struct call *call);
int run_blobs_copy(struct call *call);
int run_blobs_sweep(struct call *call);
int run_conversation_show(struct call *call);
int run_customer_erase(struct call *call);
int run_customer_export(struct call *call);
int run_customer_find(struct call *call);
int run_customer_merge(struct call *call);
int run_customer_decide(struct call *call);
int run_customer_split(struct call *call);
int run_doctor(struct call *call);
int run_export(struct call *call);
int run_health(struct call *call);
int run_history_move(struct call *call);
int run_history_restore(struct call *call);
int run_import_chatwoot(struct call *call);
int run_import_csv(struct call *call);
int run_import_zendesk(struct call *call);
int run_message_send(struct call *call);
int run_restore(struct call *call);
int run_route_replay(struct call *call);
int run_route_simulate(struct call *call);
int run_rules_lint(struct call *call);
int run_rules_test(struct call *call);
int run_tail(struct call *call);
int run_token_create(struct call *call);
int run_version(struct call *call);
