/* One request and its answer, and the verbs that are no more than that. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "client.h"
#include "ctl.h"

enum {
	REQUEST_TIMEOUT_MS = 60 * 1000,
	LIST_LIMIT = 200,
	LIST_LIMIT_MAX = 100000,
	PAGE_LIMIT = 200,
};

static int send_request(struct call *call, const struct client_request *request,
			struct json_object **ret_value)
{
	struct client_answer answer = { 0 };
	struct error err = { 0 };
	int code = EXIT_DONE;
	if (client_run(request, NULL, NULL, &answer, &err) < 0)
		code = output_error(err.kind == ERROR_TEMPORARY ? EX_UNAVAILABLE : EX_PROTOCOL,
				    &err);
	else if (answer.status < 200 || answer.status > 299)
		code = output_problem(answer.status, buf_string(&answer.body), answer.body.len);
	else if (answer.body.len > 0)
		*ret_value = json_read(answer.body.data, answer.body.len, &err);
	if (code == EXIT_DONE && answer.body.len > 0 && *ret_value == NULL) {
		error_wrap(&err, "the answer of %s", request->target);
		code = output_error(EX_PROTOCOL, &err);
	}
	(void)call;
	buf_clear(&answer.body);
	return code;
}

struct json_object *call_request(struct call *call, const char *method, const char *target,
				 const struct buf *body, int *ret_exit)
{
	struct location location;
	struct error err = { 0 };
	struct json_object *value = NULL;
	char key[ID_BYTES];
	const char *asked_key = call_option(call, "--key");
	id_new("ctl_", key);
	if (locate(call->config_file, call->arena, &location, &err) < 0) {
		*ret_exit = output_error(EX_CONFIG, &err);
		return NULL;
	}
	struct client_request request = {
		.socket_path = location.socket,
		.method = method,
		.target = target,
		.workspace = call->workspace,
		.may_make_workspace = call->may_make_workspace,
		.body = body != NULL ? buf_string(body) : NULL,
		.body_len = body != NULL ? body->len : 0,
		.idempotency_key =
			asked_key != NULL ? asked_key : (strcmp(method, "POST") == 0 ? key : NULL),
		.timeout_ms = REQUEST_TIMEOUT_MS,
	};
	*ret_exit = send_request(call, &request, &value);
	return value;
}

int call_enter_workspace(struct call *call)
{
	struct location location;
	struct error err = { 0 };
	if (locate(call->config_file, call->arena, &location, &err) < 0)
		return output_error(EX_CONFIG, &err);
	struct client_request probe = { .socket_path = location.socket,
					.method = "GET",
					.target = "/v1/queues?limit=1",
					.workspace = call->workspace,
					.timeout_ms = REQUEST_TIMEOUT_MS };
	struct client_answer answer = { 0 };
	int code = EXIT_DONE;
	call->may_make_workspace = true;
	if (strcmp(call->workspace, "main") == 0)
		return EXIT_DONE;
	if (client_run(&probe, NULL, NULL, &answer, &err) < 0)
		code = output_error(EX_UNAVAILABLE, &err);
	struct json_object *problem =
		code == EXIT_DONE && answer.status == 404
			? json_read(buf_string(&answer.body), answer.body.len, NULL)
			: NULL;
	if (text_equal(json_text(problem, "code"), "unknown_workspace"))
		fprintf(stderr, "convergectl: note: %s; it begins with this\n",
			json_text(problem, "detail"));
	json_free(&problem);
	buf_clear(&answer.body);
	return code;
}

const char *call_path(struct call *call)
{
	const char *pattern = call->command->path;
	const char *hole = strstr(pattern, "%s");
	if (hole == NULL)
		return pattern;
	struct buf path = { 0 };
	for (size_t i = 0; hole != NULL; i++, hole = strstr(pattern, "%s")) {
		buf_add(&path, pattern, (size_t)(hole - pattern));
		text_percent(&path, call->arguments[i], strlen(call->arguments[i]));
		pattern = hole + strlen("%s");
	}
	buf_text(&path, pattern);
	char *copy = arena_text(call->arena, buf_string(&path));
	buf_clear(&path);
	return copy;
}

static void add_parameter(struct buf *target, const char *name, const char *value)
{
	buf_byte(target, strchr(buf_string(target), '?') == NULL ? '?' : '&');
	buf_format(target, "%s=", name);
	text_percent(target, value, strlen(value));
}

void call_add_query(const struct call *call, struct buf *target)
{
	const struct choice_option *rows = call->command->options;
	for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++)
		if (rows[i].field != NULL && call->options[i] != NULL)
			add_parameter(target, rows[i].field, call->options[i]);
}

static int64_t list_limit(const struct call *call, struct error *err)
{
	const char *text = call_option(call, "--limit");
	uint64_t number = LIST_LIMIT;
	if (text != NULL &&
	    (!text_uint(text, strlen(text), &number) || number < 1 || number > LIST_LIMIT_MAX))
		return error_set(err, ERROR_MISUSE, "--limit is a number from 1 to %d",
				 LIST_LIMIT_MAX);
	return (int64_t)number;
}

struct pages {
	struct json_object **values; /* one answer each */
	size_t value_count;
	struct json_object **rows; /* borrowed from the values */
	size_t row_count;
	size_t wanted;
	char *after; /* in the call's arena; NULL at the start */
};

static int fetch_page(struct call *call, struct pages *pages)
{
	struct buf target = { 0 };
	size_t left = pages->wanted - pages->row_count;
	int code;
	buf_text(&target, call_path(call));
	call_add_query(call, &target);
	if (call_option(call, "--limit") != NULL) {
		char number[24];
		snprintf(number, sizeof(number), "%zu", left < PAGE_LIMIT ? left : PAGE_LIMIT);
		add_parameter(&target, "limit", number);
	}
	if (pages->after != NULL)
		add_parameter(&target, "after", pages->after);
	struct json_object *value = call_request(call, "GET", target.data, NULL, &code);
	buf_clear(&target);
	if (value == NULL)
		return code == EXIT_DONE ? EX_PROTOCOL : code;
	pages->values = memory_grow(pages->values, pages->value_count + 1, sizeof(*pages->values));
	pages->values[pages->value_count++] = value;
	struct json_object *data = json_at(value, "data");
	size_t count = json_count(data);
	if (count > left)
		count = left;
	if (count > 0)
		pages->rows =
			memory_grow(pages->rows, pages->row_count + count, sizeof(*pages->rows));
	for (size_t i = 0; i < count; i++)
		pages->rows[pages->row_count++] = json_item(data, i);
	pages->after = count > 0 ? json_text_copy(value, "next_cursor", call->arena) : NULL;
	return EXIT_DONE;
}

static int fetch_pages(struct call *call, struct pages *pages)
{
	int code = EXIT_DONE;
	do
		code = fetch_page(call, pages);
	while (code == EXIT_DONE && pages->after != NULL && pages->row_count < pages->wanted);
	return code;
}

static void clear_pages(struct pages *pages)
{
	for (size_t i = 0; i < pages->value_count; i++)
		json_free(&pages->values[i]);
	free(pages->values);
	free(pages->rows);
}

int run_list(struct call *call)
{
	struct error err = { 0 };
	int64_t limit = list_limit(call, &err);
	if (limit < 0)
		return output_error(EX_USAGE, &err);
	struct pages pages = { .wanted = (size_t)limit };
	int code = fetch_pages(call, &pages);
	if (code == EXIT_DONE)
		output_rows(call, pages.rows, pages.row_count);
	clear_pages(&pages);
	return code;
}

int run_find(struct call *call)
{
	struct pages pages = { .wanted = LIST_LIMIT_MAX };
	struct error err = { 0 };
	bool is_found = false;
	int code = fetch_pages(call, &pages);
	for (size_t i = 0; code == EXIT_DONE && i < pages.row_count; i++) {
		if (!text_equal(json_text(pages.rows[i], "id"), call->arguments[0]))
			continue;
		output_object(call, pages.rows[i]);
		is_found = true;
	}
	clear_pages(&pages);
	if (code != EXIT_DONE || is_found)
		return code;
	error_set(&err, ERROR_MISUSE, "there is no %s %s", call->command->noun, call->arguments[0]);
	return output_error(EXIT_REFUSED, &err);
}

int run_show(struct call *call)
{
	int code;
	struct json_object *value = call_request(call, "GET", call_path(call), NULL, &code);
	output_object(call, value);
	json_free(&value);
	return code;
}

static size_t count_holes(const char *path)
{
	size_t count = 0;
	for (path = strstr(path, "%s"); path != NULL; path = strstr(path + 1, "%s"))
		count++;
	return count;
}

/* The second argument, unless it is part of the path, is the body's member of that name: "ID
 * OUTCOME" sends "outcome". */
static const char *second_name(const struct call *call)
{
	char *name = arena_text(call->arena, strrchr(call->command->arguments, ' ') + 1);
	for (char *p = name; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return name;
}

int run_send(struct call *call)
{
	const struct choice_option *rows = call->command->options;
	struct buf body = { 0 };
	struct json_out json;
	int code;
	jw_start(&json, &body);
	jw_object(&json, NULL);
	if (call->argument_count > 1 && count_holes(call->command->path) < 2)
		jw_text(&json, second_name(call), call->arguments[1]);
	for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++)
		if (rows[i].field != NULL && call->options[i] != NULL)
			jw_text(&json, rows[i].field, call->options[i]);
	jw_object_end(&json);
	bool has_body = strcmp(call->command->method, "DELETE") != 0;
	struct json_object *value = call_request(call, call->command->method, call_path(call),
						 has_body ? &body : NULL, &code);
	output_object(call, value);
	json_free(&value);
	buf_clear(&body);
	return code;
}
