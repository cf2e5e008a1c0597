/* Small verbs of their own: tokens, passwords, messages, health, version. */
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl.h"

enum { PASSWORD_MAX = 256 };

int run_version(struct call *call)
{
	(void)call;
	puts("convergectl " CONVERGE_VERSION);
	return EXIT_DONE;
}

static struct json_object *post_options(struct call *call, int *ret_code)
{
	const struct choice_option *rows = call->command->options;
	struct buf body = { 0 };
	struct json_out json;
	jw_start(&json, &body);
	jw_object(&json, NULL);
	for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++)
		if (rows[i].field != NULL && call->options[i] != NULL)
			jw_text(&json, rows[i].field, call->options[i]);
	jw_object_end(&json);
	struct json_object *value =
		call_request(call, call->command->method, call_path(call), &body, ret_code);
	buf_clear(&body);
	return value;
}

int run_token_create(struct call *call)
{
	int code = call_enter_workspace(call);
	if (code != EXIT_DONE)
		return code;
	struct json_object *value = post_options(call, &code);
	const char *token = json_text(value, "token");
	if (code == EXIT_DONE && token == NULL) {
		fprintf(stderr, "convergectl: the answer holds no token\n");
		code = EX_PROTOCOL;
	} else if (code == EXIT_DONE && call->form == OUTPUT_TABLE) {
		puts(token);
	} else if (code == EXIT_DONE) {
		output_object(call, value);
	}
	json_free(&value);
	return code;
}

/* One line without its end; false at the end of the input or when it is too long. */
static bool read_password(bool is_asking, char out[PASSWORD_MAX])
{
	struct termios before;
	bool is_quiet = is_asking && tcgetattr(STDIN_FILENO, &before) == 0;
	if (is_quiet) {
		struct termios quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fputs("New password: ", stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	bool is_read = fgets(out, PASSWORD_MAX, stdin) != NULL;
	if (is_quiet) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	size_t len = is_read ? strcspn(out, "\r\n") : 0;
	bool is_whole = is_read && len + 1 < PASSWORD_MAX;
	if (is_read)
		out[len] = '\0';
	return is_whole && len > 0;
}

int run_agent_password(struct call *call)
{
	char password[PASSWORD_MAX];
	bool is_asking = call_option(call, "--stdin") == NULL;
	if (is_asking && !isatty(STDIN_FILENO)) {
		fprintf(stderr, "convergectl: standard input is not a terminal; use --stdin\n");
		return EX_USAGE;
	}
	if (!read_password(is_asking, password)) {
		fprintf(stderr, "convergectl: the password is empty or longer than %d bytes\n",
			PASSWORD_MAX - 2);
		return EX_DATAERR;
	}
	struct buf body = { 0 };
	struct json_out json;
	int code;
	jw_start(&json, &body);
	jw_object(&json, NULL);
	jw_text(&json, "password", password);
	jw_object_end(&json);
	struct json_object *value =
		call_request(call, call->command->method, call_path(call), &body, &code);
	explicit_bzero(password, sizeof(password));
	explicit_bzero(body.data, body.len);
	buf_clear(&body);
	json_free(&value);
	return code;
}

int run_message_send(struct call *call)
{
	struct buf body = { 0 };
	struct json_out json;
	int code;
	jw_start(&json, &body);
	jw_object(&json, NULL);
	jw_text(&json, "kind", call_option(call, "--note") != NULL ? "note" : "reply");
	jw_text(&json, "text", call->arguments[1]);
	jw_object_end(&json);
	struct json_object *value =
		call_request(call, call->command->method, call_path(call), &body, &code);
	output_object(call, value);
	json_free(&value);
	buf_clear(&body);
	return code;
}

static const struct column message_columns[] = {
	{ "TIME", "created_at" },         { "DIRECTION", "direction" }, { "AUTHOR", "author.name" },
	{ "DELIVERY", "delivery.state" }, { "TEXT", "text" },           { NULL, NULL },
};

static int show_messages(struct call *call)
{
	struct command as_list = *call->command;
	struct buf path = { 0 };
	buf_format(&path, "%s/messages", call_path(call));
	as_list.path = arena_text(call->arena, buf_string(&path));
	as_list.columns = message_columns;
	buf_clear(&path);
	call->command = &as_list;
	return run_list(call);
}

int run_conversation_show(struct call *call)
{
	const struct command *command = call->command;
	int code = run_show(call);
	if (code != EXIT_DONE || call->form == OUTPUT_JSON)
		return code;
	fputc('\n', stdout);
	code = show_messages(call);
	call->command = command;
	return code;
}

int run_history_restore(struct call *call)
{
	int code;
	struct json_object *value = post_options(call, &code);
	struct json_object *missing = json_at(value, "restore.not_kept");
	output_object(call, value);
	if (code == EXIT_DONE && call->form == OUTPUT_TABLE) {
		puts("\nIt goes on by itself; \"convergectl history status\" says how far it is.\n"
		     "No history has these, so they do not come back:");
		for (size_t i = 0; i < json_count(missing); i++)
			printf("  %s\n", json_string(json_item(missing, i)));
	}
	json_free(&value);
	return code;
}

int run_health(struct call *call)
{
	int code;
	struct json_object *value = call_request(call, "GET", call_path(call), NULL, &code);
	if (code == EXIT_DONE && value != NULL)
		output_object(call, value);
	else if (code == EXIT_DONE)
		puts("ready");
	json_free(&value);
	return code;
}
