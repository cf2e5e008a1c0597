#include <stdarg.h>
#include <stdio.h>

#include "api/api.h"
#include "api/audit.h"
#include "base/memory.h"
#include "base/problems.h"

static const char *status_title(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {
		{ 400, "Bad request" },        { 401, "Not signed in" },
		{ 403, "Not allowed" },        { 404, "Not found" },
		{ 405, "Method not allowed" }, { 409, "Conflict" },
		{ 412, "Changed meanwhile" },  { 413, "Too large" },
		{ 415, "Wrong content type" }, { 422, "Cannot be done" },
		{ 429, "Too many requests" },  { 503, "Try again" },
	};

	for (size_t i = 0; i < COUNT_OF(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

/* The members that every problem has; more may follow, then problem_end(). */
static void problem_begin(struct api_call *call, struct json_out *out, int status, const char *code,
			  const char *detail)
{
	char type[160];

	snprintf(type, sizeof(type), "urn:converge:problem:%s", code);
	jw_object(out, NULL);
	jw_text(out, "type", type);
	jw_text(out, "title", status_title(status));
	jw_int(out, "status", status);
	jw_text(out, "code", code);
	jw_text(out, "detail", detail);
	jw_text(out, "instance", http_request_id(call->request));
}

static void problem_end(struct api_call *call, struct json_out *out, int status, struct buf *body)
{
	jw_object_end(out);
	audit_end(call, status, NULL);
	http_answer(call->request, status, "application/problem+json", body->data, body->len);
	buf_clear(body);
	json_free(&call->body);
}

static void write_pointed(struct json_out *out, const char *code, const char *detail,
			  const char *pointer)
{
	jw_object(out, NULL);
	jw_text(out, "pointer", pointer);
	jw_text(out, "code", code);
	jw_text(out, "detail", detail);
	jw_object_end(out);
}

static void problem_write(struct api_call *call, int status, const char *code, const char *detail,
			  const char *pointer)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	problem_begin(call, &out, status, code, detail);
	if (pointer != NULL) {
		jw_array(&out, "errors");
		write_pointed(&out, code, detail, pointer);
		jw_array_end(&out);
	}
	problem_end(call, &out, status, &body);
}

void api_no_conversation(struct api_call *call)
{
	api_problem(call, 404, "no_such_conversation", "there is no conversation \"%s\"",
		    call->params[0]);
}

void api_conflict(struct api_call *call, const struct conflict *conflict)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	problem_begin(call, &out, 409, conflict->code, conflict->detail);
	if (conflict->state != NULL)
		jw_text(&out, "state", conflict->state);
	jw_array(&out, "allowed");
	for (size_t i = 0; i < conflict->allowed_count; i++)
		jw_text(&out, NULL, conflict->allowed[i]);
	jw_array_end(&out);
	problem_end(call, &out, 409, &body);
}

void api_problem(struct api_call *call, int status, const char *code, const char *format, ...)
{
	char detail[600];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	problem_write(call, status, code, detail, NULL);
}

void api_problem_at(struct api_call *call, const char *code, int64_t position, const char *detail)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	problem_begin(call, &out, 400, code, detail);
	jw_int(&out, "position", position);
	problem_end(call, &out, 400, &body);
}

void api_replayed(struct api_call *call)
{
	http_request_add_field(call->request, "Idempotency-Replayed", "true");
}

void api_key_conflict(struct api_call *call)
{
	api_problem(call, 422, "idempotency_conflict",
		    "this Idempotency-Key was used with another request");
}

void api_invalid(struct api_call *call, const char *pointer, const char *format, ...)
{
	char detail[600];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	problem_write(call, 400, "invalid_field", detail, pointer);
}

/* "text (hint)" */
static const char *phrase(struct api_call *call, const struct problem *problem)
{
	return problem->hint == NULL
		       ? problem->text
		       : arena_format(call->arena, "%s (%s)", problem->text, problem->hint);
}

void api_invalid_object(struct api_call *call, struct problems *problems)
{
	const struct problem *problem;
	struct buf body = { 0 };
	struct json_out out;
	size_t first = 0;

	while (problem_at(problems, first)->severity != PROBLEM_ERROR)
		first++;
	jw_start(&out, &body);
	problem_begin(call, &out, 400, "invalid_object", phrase(call, problem_at(problems, first)));
	jw_array(&out, "errors");
	for (size_t i = first; (problem = problem_at(problems, i)) != NULL; i++)
		if (problem->severity == PROBLEM_ERROR)
			write_pointed(&out, "invalid_field", phrase(call, problem),
				      arena_format(call->arena, "#/body%s", problem->at.file));
	jw_array_end(&out);
	problem_end(call, &out, 400, &body);
}

void api_unknown_name(struct api_call *call, const char *pointer, const char *detail)
{
	problem_write(call, 400, "unknown_name", detail,
		      pointer == NULL ? NULL : arena_format(call->arena, "#/body%s", pointer));
}

void api_fail(struct api_call *call, const struct error *err)
{
	if (err->kind == ERROR_TEMPORARY) {
		http_request_add_field(call->request, "Retry-After", "2");
		problem_write(call, 503, "store_unavailable", err->text, NULL);
		return;
	}
	problem_write(call, 500, "internal", err->text, NULL);
}

void api_slow_down(struct api_call *call, int64_t wait_ms)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait_ms + 999) / 1000);
	http_request_add_field(call->request, "Retry-After", seconds);
	problem_write(call, 429, "too_many_requests", "too many requests; wait a little", NULL);
}

void api_answer(struct api_call *call, int status, struct buf *json)
{
	audit_end(call, status, buf_string(json));
	http_answer(call->request, status, "application/json", buf_string(json), json->len);
	buf_clear(json);
	json_free(&call->body);
}

void api_answer_text(struct api_call *call, int status, const char *json)
{
	struct buf body = { 0 };

	buf_text(&body, json);
	api_answer(call, status, &body);
}

void api_empty(struct api_call *call, int status)
{
	audit_end(call, status, NULL);
	http_answer_empty(call->request, status);
	json_free(&call->body);
}
