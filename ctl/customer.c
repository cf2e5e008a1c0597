/* Verbs of customers that are more than one request: merging, splitting, reverting, each with a
 * preview that a person can read. */
#include <string.h>

#include "base/text.h"
#include "ctl.h"

static void member_add(struct json_out *json, const char *name, const char *value)
{
	if (value != NULL)
		jw_text(json, name, value);
}

static const char *path_of(struct call *call)
{
	return call_option(call, "--preview") == NULL
		       ? call_path(call)
		       : arena_format(call->arena, "%s?preview=true", call_path(call));
}

static void side_print(const char *what, struct json_object *side)
{
	printf("%-8s ", what);
	if (side == NULL) {
		puts("a new customer");
		return;
	}
	output_plain(stdout, json_text(side, "id"));
	printf("  ");
	output_plain(stdout, json_text(side, "name") == NULL ? "" : json_text(side, "name"));
	putchar('\n');
}

static void field_print(struct json_object *object, const char *field)
{
	const char *text = json_text(object, field);
	output_plain(stdout, text == NULL ? "" : text);
}

static void preview_print(struct json_object *preview)
{
	struct json_object *identifiers = json_at(preview, "identifiers");
	struct json_object *talks = json_at(preview, "conversations");
	struct json_object *conflicts = json_at(preview, "conflicts");
	puts("nothing done; would be:");
	side_print("from", json_at(preview, "from"));
	side_print("into", json_at(preview, "into"));
	for (size_t i = 0; i < json_count(identifiers); i++) {
		struct json_object *one = json_item(identifiers, i);
		printf("moves    ");
		field_print(one, "kind");
		printf(" ");
		field_print(one, "value");
		printf(" (");
		field_print(one, "proof");
		puts(")");
	}
	for (size_t i = 0; i < json_count(talks); i++) {
		struct json_object *one = json_item(talks, i);
		printf("with     conversation %s on ", json_text(one, "id"));
		field_print(one, "channel");
		printf(", %lld messages\n", (long long)json_int(one, "messages", 0));
	}
	for (size_t i = 0; i < json_count(conflicts); i++) {
		struct json_object *one = json_item(conflicts, i);
		printf("differs  ");
		field_print(one, "field");
		printf(": ");
		field_print(one, "into");
		printf(" stays, ");
		field_print(one, "from");
		puts(" is kept beside it");
	}
}

static int send(struct call *call, const struct buf *body)
{
	int code;
	struct json_object *answer = call_request(call, "POST", path_of(call), body, &code);
	if (code == EXIT_DONE && call->form == OUTPUT_TABLE && json_bool(answer, "preview", false))
		preview_print(answer);
	else if (code == EXIT_DONE)
		output_object(call, answer);
	json_free(&answer);
	return code;
}

static int send_named(struct call *call, const char *name)
{
	struct buf body = { 0 };
	struct json_out json;
	jw_start(&json, &body);
	jw_object(&json, NULL);
	if (name != NULL)
		jw_text(&json, name, call->arguments[1]);
	member_add(&json, "reason", call_option(call, "--reason"));
	member_add(&json, "name", call_option(call, "--name"));
	jw_object_end(&json);
	int code = send(call, &body);
	buf_clear(&body);
	return code;
}

int run_customer_merge(struct call *call)
{
	return send_named(call, "from");
}

int run_customer_split(struct call *call)
{
	return send_named(call, "identifier");
}

int run_customer_decide(struct call *call)
{
	return send_named(call, NULL);
}

int run_customer_find(struct call *call)
{
	struct command as_list = *call->command;
	const struct command *command = call->command;
	struct buf path = { 0 };
	buf_text(&path, "/v1/customers?identifier=");
	text_percent(&path, call->arguments[0], strlen(call->arguments[0]));
	as_list.path = arena_text(call->arena, buf_string(&path));
	buf_clear(&path);
	call->command = &as_list;
	int code = run_list(call);
	call->command = command;
	return code;
}
