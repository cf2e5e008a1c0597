/* DELETE /v1/customers/{id} and the jobs it makes: what takes longer than a request. */
#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/id.h"
#include "base/text.h"
#include "identity/customer.h"
#include "identity/customer_compose.h"
#include "parts.h"
#include "store/store.h"

enum { JOBS_SHOWN = 500 };

static void job_write(struct json_out *out, const char *id, const struct store_reply *hash)
{
	jw_object(out, NULL);
	jw_text(out, "id", id);
	jw_text(out, "kind", reply_field_text(hash, "k"));
	jw_text(out, "state", reply_field_text(hash, "s"));
	jw_text(out, "customer", reply_field_text(hash, "u"));
	jw_int(out, "conversations", reply_field_int(hash, "talks"));
	jw_text(out, "by", reply_field_text(hash, "by"));
	jw_time(out, "created_at", reply_field_int(hash, "ct"));
	jw_time(out, "ended_at", reply_field_int(hash, "et"));
	jw_object_end(out);
}

/* ---- one job ---- */

static void on_job(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (reply_count(reply) == 0) {
		api_problem(call, 404, "no_such_job", "there is no job \"%s\"", call->params[0]);
		return;
	}
	jw_start(&out, &body);
	job_write(&out, call->params[0], reply);
	api_answer(call, call->route->status, &body);
}

void api_job(struct api_call *call, const char *job)
{
	struct store_call *read = store_command("HGETALL");

	call->params[0] = job;
	store_arg_key(read, call->who.workspace, "j:%s", job);
	store_read(call->parts->store, read, on_job, call);
}

void handle_job_get(struct api_call *call)
{
	api_job(call, call->params[0]);
}

/* ---- the list ---- */

/* Jobs are read one after the other, then sorted and cut as any list. */
struct listing {
	struct api_call *call;
	struct page_row rows[JOBS_SHOWN];
	size_t count;
	size_t at;
};

static void list_next(struct listing *listing);

static void list_write(struct json_out *out, const struct page_row *row)
{
	jw_raw(out, NULL, row->what, strlen(row->what));
}

static void on_list_job(const struct store_reply *reply, const struct error *err, void *context)
{
	struct listing *listing = context;
	struct page_row *row = &listing->rows[listing->at];
	struct buf text = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(listing->call, err);
		return;
	}
	jw_start(&out, &text);
	job_write(&out, row->id, reply);
	row->what = arena_text(listing->call->arena, buf_string(&text));
	row->place = reply_field_int(reply, "ct");
	buf_clear(&text);
	listing->at++;
	list_next(listing);
}

static void list_next(struct listing *listing)
{
	struct store_call *read;

	if (listing->at == listing->count) {
		page_answer(listing->call, listing->rows, listing->count, list_write);
		return;
	}
	read = store_command("HGETALL");
	store_arg_key(read, listing->call->who.workspace, "j:%s", listing->rows[listing->at].id);
	store_read(listing->call->parts->store, read, on_list_job, listing);
}

static void on_jobs(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct listing *listing;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	listing = arena_alloc(call->arena, sizeof(*listing));
	listing->call = call;
	for (size_t i = 0; i < reply_count(reply) && i < JOBS_SHOWN; i++)
		listing->rows[listing->count++].id =
			arena_text(call->arena, reply_text_at(reply, i));
	list_next(listing);
}

void handle_job_list(struct api_call *call)
{
	struct store_call *read = store_command("ZREVRANGE");

	store_arg_key(read, call->who.workspace, "jobs");
	store_arg_int(read, 0);
	store_arg_int(read, JOBS_SHOWN - 1);
	store_read(call->parts->store, read, on_jobs, call);
}

/* ---- erasing a customer ---- */

static void preview(struct api_call *call, const struct customer *customer)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_bool(&out, "preview", true);
	jw_text(&out, "customer", customer->id);
	jw_text(&out, "name", customer->name);
	jw_int(&out, "identifiers", (int64_t)customer->identifier_count);
	jw_int(&out, "conversations", (int64_t)customer->conversation_count);
	jw_int(&out, "cases", (int64_t)customer->case_count);
	jw_text(&out, "merged", customer->merged);
	customer_write_hold(&out, customer);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static const char *hold_reason(struct api_call *call, const char *hold)
{
	struct json_object *json = json_read(hold, strlen(hold), NULL);
	const char *reason = json_text_copy(json, "reason", call->arena);

	json_free(&json);
	return reason == NULL ? "" : reason;
}

static void on_opened(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	const char *why = reply_text_at(reply, 1);
	size_t more = reply_is(reply, "replay") ? 1 : 0;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "conflict"))
		api_key_conflict(call);
	else if (reply_is(reply, "refused") && text_equal(why, "erasing"))
		api_job(call, arena_text(call->arena, reply_text_at(reply, 2)));
	else if (reply_is(reply, "refused") && text_equal(why, "held"))
		api_problem(call, 409, "legal_hold", "a legal hold is on this customer: %s",
			    hold_reason(call, reply_text_at(reply, 2)));
	else if (reply_is(reply, "refused") && text_equal(why, "moved"))
		api_problem(call, 409, "merged", "this customer is now part of %s",
			    reply_text_at(reply, 2));
	else if (reply_is(reply, "refused"))
		api_problem(call, 404, "no_such_customer", "there is no such customer");
	else
		api_job(call, arena_text(call->arena, reply_text_at(reply, 1 + more)));
}

static void on_customer(const struct customer *customer, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct store_call *open;
	char job[ID_BYTES];

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (customer == NULL) {
		api_problem(call, 404, "no_such_customer", "there is no such customer");
		return;
	}
	if (text_equal(api_query(call, "preview"), "true")) {
		preview(call, customer);
		return;
	}
	id_new("job_", job);
	open = store_script("erase_open", call->who.workspace);
	store_key(open, "u:%s", customer->id);
	store_key(open, "j:%s", job);
	store_arg_once(open, *call->idempotency_key == '\0' ? NULL : call->idempotency_key,
		       call->request_hash);
	store_arg_text(open, customer->id);
	store_arg_text(open, job);
	store_arg_text(open, call->who.agent);
	store_run(call->parts->store, open, on_opened, call);
}

void handle_customer_erase(struct api_call *call)
{
	customer_read(call->parts->store, call->who.workspace, call->params[0], on_customer, call);
}
