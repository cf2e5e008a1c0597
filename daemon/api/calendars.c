/* Trying a calendar: is it open, when does it change, when is so much business time over. */
#include "api/handlers.h"
#include "api/keep.h"
#include "base/problems.h"
#include "base/settings_value.h"
#include "base/text.h"
#include "business/calendar.h"
#include "parts.h"
#include "services/loop.h"
#include "store/store.h"

#define DAY_MS INT64_C(86400000)

enum { YEAR_DAYS = 366, SPAN_DAYS = 10 * YEAR_DAYS };

struct question {
	int64_t at_ms, to_ms; /* to_ms -1: not asked */
	int64_t add_ms;       /* -1: not asked */
};

/* "8h"; false after having answered. */
static bool duration_read(struct api_call *call, const char *text, int64_t *ret_ms)
{
	static const struct setting row = { .name = "add",
					    .kind = SETTING_TIME,
					    .max = SPAN_DAYS * DAY_MS };
	struct settings_source source = { .folder = "",
					  .arena = call->arena,
					  .problems = problems_new() };
	struct setting_value value = { &source, &row, row.name, text, { "", 0, 0 }, ret_ms };
	bool good = setting_value_read(&value);

	problems_free(&source.problems);
	if (!good)
		api_problem(call, 400, "invalid_field",
			    "add must be a time such as 90m or 8h, at most ten years");
	return good;
}

static bool question_read(struct api_call *call, struct question *question)
{
	const char *at = json_text(call->body, "at"), *to = json_text(call->body, "to");
	const char *add = json_text(call->body, "add");

	question->at_ms = at == NULL ? loop_unix_ms(call->parts->loop) : text_parse_time(at);
	question->to_ms = to == NULL ? -1 : text_parse_time(to);
	question->add_ms = -1;
	if (to != NULL && (question->to_ms - question->at_ms > SPAN_DAYS * DAY_MS ||
			   question->at_ms - question->to_ms > SPAN_DAYS * DAY_MS)) {
		api_problem(call, 400, "invalid_field", "to must be within ten years of at");
		return false;
	}
	return add == NULL || duration_read(call, add, &question->add_ms);
}

static void time_or_null(struct json_out *out, const char *key, int64_t unix_ms)
{
	if (unix_ms == INT64_MAX)
		jw_null(out, key);
	else
		jw_time(out, key, unix_ms);
}

static void answer(struct api_call *call, const struct calendar *calendar, const char *zone)
{
	const struct question *question = call->state;
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "time_zone", zone);
	jw_time(&out, "at", question->at_ms);
	jw_bool(&out, "open", calendar_is_open(calendar, question->at_ms));
	time_or_null(&out, "next_change_at", calendar_next_change(calendar, question->at_ms));
	if (question->add_ms >= 0)
		time_or_null(&out, "added_at",
			     calendar_add(calendar, question->at_ms, question->add_ms));
	if (question->to_ms >= 0)
		jw_int(&out, "between_ms",
		       calendar_between(calendar, question->at_ms, question->to_ms));
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static void on_calendar(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	size_t len = 0;
	const char *stored = err == NULL ? reply_text(reply, &len) : NULL;
	struct error problem = { 0 };
	struct json_object *object;
	struct calendar *calendar;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (stored == NULL) {
		api_problem(call, 404, "no_such_object", "there is no \"%s\" here",
			    call->params[0]);
		return;
	}
	object = json_read(stored, len, &problem);
	calendar = object == NULL ? NULL : calendar_new(object, &problem);
	if (calendar == NULL)
		api_fail(call, &problem);
	else
		answer(call, calendar, json_text(object, "time_zone"));
	calendar_free(&calendar);
	json_free(&object);
}

void handle_calendar_test(struct api_call *call)
{
	struct question *question = arena_alloc(call->arena, sizeof(*question));
	struct store_call *read;

	if (!question_read(call, question))
		return;
	call->state = question;
	read = store_command("HGET");
	store_arg_key(read, call->who.workspace, "cfg:calendars");
	store_arg_text(read, call->params[0]);
	store_read(call->parts->store, read, on_calendar, call);
}
