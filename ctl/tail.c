/* tail: follows the events (SSE), one line each. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client.h"
#include "ctl.h"

enum { EVENT_MAX = 256 * 1024 };

struct tail {
	struct call *call;
	struct buf line;
	char type[64];
	char id[128];
	struct buf data;
	uint64_t wanted; /* 0: no end */
	uint64_t count;
};

static void print_event(struct tail *tail)
{
	static const char *const shown[] = { "time",  "work_item", "conversation", "message",
					     "agent", "queue",     "from",         "to" };
	if (tail->call->form == OUTPUT_JSON) {
		puts(buf_string(&tail->data));
		return;
	}
	struct json_object *event = json_read(buf_string(&tail->data), tail->data.len, NULL);
	output_plain(stdout, tail->id[0] != '\0' ? tail->id : "-");
	putchar(' ');
	output_plain(stdout, tail->type);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (json_text(event, shown[i]) == NULL)
			continue;
		printf(" %s=", shown[i]);
		output_plain(stdout, json_text(event, shown[i]));
	}
	putchar('\n');
	json_free(&event);
}

static int end_event(struct tail *tail)
{
	if (tail->data.len > 0) {
		print_event(tail);
		fflush(stdout);
		tail->count++;
	}
	buf_reset(&tail->data);
	snprintf(tail->type, sizeof(tail->type), "message");
	return (tail->wanted != 0 && tail->count >= tail->wanted) || ferror(stdout);
}

static int take_line(struct tail *tail)
{
	const char *line = buf_string(&tail->line);
	if (line[0] == '\0')
		return end_event(tail);
	const char *colon = strchr(line, ':');
	const char *value = colon == NULL ? "" : colon + 1 + (colon[1] == ' ');
	if (text_starts(line, "data:")) {
		if (tail->data.len > 0)
			buf_byte(&tail->data, '\n');
		buf_text(&tail->data, value);
	} else if (text_starts(line, "event:")) {
		snprintf(tail->type, sizeof(tail->type), "%s", value);
	} else if (text_starts(line, "id:")) {
		snprintf(tail->id, sizeof(tail->id), "%s", value);
	}
	return 0;
}

static int on_bytes(const char *bytes, size_t len, void *context)
{
	struct tail *tail = context;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\n') {
			if (bytes[i] != '\r' && tail->line.len < EVENT_MAX)
				buf_byte(&tail->line, bytes[i]);
			continue;
		}
		int is_over = take_line(tail);
		buf_reset(&tail->line);
		if (is_over)
			return 1;
	}
	return 0;
}

static int follow(struct tail *tail, const struct client_request *request)
{
	struct client_answer answer = { 0 };
	struct error err = { 0 };
	int code = EXIT_DONE;
	if (client_run(request, on_bytes, tail, &answer, &err) < 0)
		code = output_error(EX_UNAVAILABLE, &err);
	else if (answer.status < 200 || answer.status > 299)
		code = output_problem(answer.status, buf_string(&answer.body), answer.body.len);
	buf_clear(&answer.body);
	return code;
}

int run_tail(struct call *call)
{
	struct location location;
	struct error err = { 0 };
	const char *count = call_option(call, "--count");
	struct tail tail = { .call = call, .type = "message" };
	if (count != NULL && !text_uint(count, strlen(count), &tail.wanted)) {
		error_set(&err, ERROR_MISUSE, "--count is a number");
		return output_error(EX_USAGE, &err);
	}
	if (locate(call->config_file, call->arena, &location, &err) < 0)
		return output_error(EX_CONFIG, &err);
	struct buf target = { 0 };
	buf_text(&target, call_path(call));
	call_add_query(call, &target);
	struct client_request request = { .socket_path = location.socket,
					  .method = "GET",
					  .target = target.data,
					  .workspace = call->workspace,
					  .last_event_id = call_option(call, "--after") };
	int code = follow(&tail, &request);
	buf_clear(&target);
	buf_clear(&tail.line);
	buf_clear(&tail.data);
	return code;
}
