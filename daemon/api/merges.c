/* /v1/customers/{id}/merge, /split, merges and their revert: who is one person with whom. Each can
 * be looked at first (?preview=true): the same reading, and no script. */
#include <stdio.h>
#include <string.h>

#include "api/merges.h"
#include "api/page.h"
#include "base/memory.h"
#include "base/text.h"
#include "identity/customer.h"
#include "identity/merge.h"
#include "identity/suggestions.h"
#include "parts.h"
#include "store/store.h"

enum { MERGES_SHOWN = 100 };

static bool is_preview(struct api_call *call)
{
	return text_equal(api_query(call, "preview"), "true");
}

static const char *who_by(struct api_call *call)
{
	return text_starts(call->who.agent, "token:")
		       ? call->who.agent
		       : arena_format(call->arena, "agent:%s", call->who.agent);
}

/* ---- answers ---- */

struct refusal {
	const char *word;
	int status;
	const char *code;
	const char *text; /* with who and detail */
};

static const struct refusal refusals[] = {
	{ "not_found", 404, "no_such_customer", "there is no such customer" },
	{ "moved", 409, "merged", "%s is part of %s now" },
	{ "version", 412, "version",
	  "%s has changed meanwhile: version %s; look at the preview again" },
	{ "erasing", 409, "erasing", "one of them is being erased" },
	{ "self", 409, "same_customer", "these are one customer already" },
	{ "too_many", 409, "too_many_identifiers",
	  "together they would have more than 64 identifiers, or 64 customers merged into one" },
	{ "reverted", 409, "reverted", "this was reverted before" },
	{ "gone", 409, "nothing_left", "nothing of what moved then is there any more" },
	{ "no_identifier", 404, "no_such_identifier", "the customer has no such identifier" },
	{ "no_suggestion", 404, "no_such_suggestion",
	  "nobody suggested that these two customers are one" },
	{ "last", 409, "last_identifier", "a customer keeps at least one identifier" },
};

static void answer_refusal(struct api_call *call, const struct merge_result *result)
{
	const char *who = result->who == NULL ? "it" : result->who;
	const char *detail = result->detail == NULL ? "another one" : result->detail;
	const struct conflict decided = {
		.code = "illegal_state",
		.detail = "somebody has decided about this suggestion already",
		.state = result->detail,
	};

	if (text_equal(result->refusal, "decided")) {
		api_conflict(call, &decided);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		const struct refusal *row = &refusals[i];

		if (!text_equal(row->word, result->refusal))
			continue;
		if (text_equal(row->word, "moved"))
			api_problem(call, row->status, row->code, "%s is part of %s now", who,
				    detail);
		else if (text_equal(row->word, "version"))
			api_problem(
				call, row->status, row->code,
				"%s has changed meanwhile: version %s; look at the preview again",
				who, detail);
		else
			api_problem(call, row->status, row->code, "%s", row->text);
		return;
	}
	api_problem(call, 409, "refused", "refused: %s", result->refusal);
}

static bool answered_otherwise(struct api_call *call, const struct merge_result *result,
			       const struct error *err)
{
	if (err != NULL)
		api_fail(call, err);
	else if (result->code == MERGE_CONFLICT)
		api_key_conflict(call);
	else if (result->code == MERGE_REFUSED)
		answer_refusal(call, result);
	else
		return false;
	return true;
}

static void on_done(const struct merge_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (answered_otherwise(call, result, err))
		return;
	if (result->replayed)
		api_replayed(call);
	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "merge", result->merge);
	jw_text(&out, "customer", result->customer);
	jw_int(&out, "version", result->version);
	jw_text(&out, "other", result->other);
	jw_int(&out, "other_version", result->other_version);
	jw_int(&out, "identifiers", result->identifiers);
	jw_int(&out, "conversations", result->conversations);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static struct merging *merging_new(struct api_call *call, void (*next)(struct merging *merging))
{
	struct merging *merging = arena_alloc(call->arena, sizeof(*merging));

	merging->call = call;
	merging->next = next;
	return merging;
}

/* ---- merging ---- */

static int64_t version_asked(struct api_call *call, const char *path, int64_t otherwise)
{
	return json_int(call->body, path, otherwise);
}

static struct merge_act act_of(struct api_call *call)
{
	return (struct merge_act){ .store = call->parts->store,
				   .workspace = call->who.workspace,
				   .key = call->idempotency_key,
				   .request = call->request_hash,
				   .by = who_by(call) };
}

static const char *evidence_of(struct api_call *call, const char *kind)
{
	struct buf text = { 0 };
	struct json_out out;
	const char *copy;
	const char *reason = json_text(call->body, "reason");

	jw_start(&out, &text);
	jw_object(&out, NULL);
	jw_text(&out, "kind", kind);
	if (reason != NULL)
		jw_text(&out, "reason", reason);
	jw_object_end(&out);
	copy = arena_text(call->arena, buf_string(&text));
	buf_clear(&text);
	return copy;
}

static void merge_now(struct merging *merging)
{
	struct api_call *call = merging->call;
	const struct side *into = &merging->sides[0];
	const struct side *from = &merging->sides[1];
	const struct merge merge = {
		.act = act_of(call),
		.into = into->id,
		.from = from->id,
		.into_version = version_asked(call, "versions.into",
					      call->if_match > 0 ? call->if_match : 0),
		.from_version = version_asked(call, "versions.from", 0),
		.evidence = evidence_of(call, merging->is_suggested ? "suggestion" : "manual"),
		.is_suggested = merging->is_suggested,
	};

	if (is_preview(call) && !text_equal(into->id, from->id))
		merge_preview(merging, from, into, true);
	else
		customer_merge(&merge, on_done, call);
}

static void on_suggestions(const struct suggestion *suggestions, size_t count,
			   const struct error *err, void *context)
{
	struct merging *merging = context;
	const struct side *into = &merging->sides[0];
	const struct side *from = &merging->sides[1];
	struct merge_result refused = { .refusal = "no_suggestion", .who = from->id };

	if (err != NULL) {
		api_fail(merging->call, err);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (!text_equal(suggestions[i].other, from->id))
			continue;
		if (text_equal(suggestions[i].state, "open")) {
			merge_preview(merging, from, into, true);
			return;
		}
		refused.refusal = "decided";
		refused.detail = suggestions[i].state;
	}
	answer_refusal(merging->call, &refused);
}

static void accept_now(struct merging *merging)
{
	struct api_call *call = merging->call;

	if (is_preview(call) && !text_equal(merging->sides[0].id, merging->sides[1].id))
		customer_suggestions_read(call->parts->store, call->who.workspace,
					  merging->sides[0].id, on_suggestions, merging);
	else
		merge_now(merging);
}

void handle_suggestion_accept(struct api_call *call)
{
	struct merging *merging = merging_new(call, accept_now);

	merging->is_suggested = true;
	merging->ids[0] = call->params[0];
	merging->ids[1] = call->params[1];
	merging->count = 2;
	merge_sides_read(merging);
}

/* A repeated request finds the two to be one: its answer is the first one's, which the script knows
 * by the key, and what was asked is named as it was then. */
void handle_customer_merge(struct api_call *call)
{
	struct merging *merging = merging_new(call, merge_now);

	merging->ids[0] = call->params[0];
	merging->ids[1] = json_text(call->body, "from");
	merging->count = 2;
	merge_sides_read(merging);
}

/* ---- splitting and sharing: one identifier ---- */

static bool identifier_is_known(struct merging *merging)
{
	if (merging->hash == NULL)
		api_problem(merging->call, 404, "no_such_identifier",
			    "the customer has no identifier \"%s\"; they are written like "
			    "email:a@example.com",
			    merging->text);
	return merging->hash != NULL;
}

static void split_now(struct merging *merging)
{
	struct api_call *call = merging->call;
	const struct side *side = &merging->sides[0];
	const char *name = json_text(call->body, "name");
	const struct split split = {
		.act = act_of(call),
		.customer = side->id,
		.version = version_asked(call, "versions.from",
					 call->if_match > 0 ? call->if_match : 0),
		.identifier = merging->hash,
		.name = name == NULL ? side->name
				     : text_clean_line(call->arena, name, strlen(name), 200),
		.evidence = evidence_of(call, "manual"),
	};

	/* A repeated request does not find it any more, but its key is known. */
	if (merging->hash == NULL && *call->idempotency_key == '\0') {
		identifier_is_known(merging);
		return;
	}
	if (is_preview(call) && identifier_is_known(merging))
		merge_preview(merging, side, NULL, false);
	else if (!is_preview(call))
		customer_split(&split, on_done, call);
}

static struct merging *one_identifier(struct api_call *call, const char *text,
				      void (*next)(struct merging *merging))
{
	struct merging *merging = merging_new(call, next);

	merging->ids[0] = call->params[0];
	merging->count = 1;
	merging->text = text;
	merging->only = " ";
	return merging;
}

void handle_customer_split(struct api_call *call)
{
	merge_sides_read(one_identifier(call, json_text(call->body, "identifier"), split_now));
}

static void on_shared(const struct merge_result *result, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (answered_otherwise(call, result, err))
		return;
	if (result->replayed)
		api_replayed(call);
	handle_customer_get(call);
}

static void share_now(struct merging *merging)
{
	struct api_call *call = merging->call;
	const struct share share = {
		.act = act_of(call),
		.customer = merging->sides[0].id,
		.version = call->if_match > 0 ? call->if_match : 0,
		.identifier = merging->hash,
		.record = merging->record,
		.is_shared = json_bool(call->body, "shared", false),
	};

	if (identifier_is_known(merging))
		identifier_share(&share, on_shared, call);
}

void handle_identifier_share(struct api_call *call)
{
	merge_sides_read(one_identifier(call, call->params[1], share_now));
}

/* ---- reverting ---- */

static void revert_now(struct merging *merging)
{
	struct api_call *call = merging->call;
	const struct merge_revert revert = {
		.act = act_of(call),
		.merge = merging->merge,
		.version = version_asked(call, "versions.from", 0),
		.other_version = version_asked(call, "versions.into", 0),
	};

	if (is_preview(call))
		merge_preview(merging, &merging->sides[0],
			      merging->count > 1 ? &merging->sides[1] : NULL, false);
	else
		customer_merge_revert(&revert, on_done, call);
}

/* k, s, into, from, ids */
static void on_merge(const struct store_reply *reply, const struct error *err, void *context)
{
	struct merging *merging = context;
	struct api_call *call = merging->call;
	const char *kind = reply_text_at(reply, 0);
	const char *ids = reply_text_at(reply, 4);

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (kind == NULL) {
		api_problem(call, 404, "no_such_merge", "there is no merge \"%s\"", merging->merge);
		return;
	}
	if (!text_equal(reply_text_at(reply, 1), "merged") && is_preview(call)) {
		api_problem(call, 409, "reverted", "this was reverted before");
		return;
	}
	if (!is_preview(call)) {
		revert_now(merging);
		return;
	}
	merging->only = arena_text(call->arena, ids == NULL ? " " : ids);
	/* Who was merged leads to who has the identifiers now; who was split off has them. */
	merging->ids[0] =
		arena_text(call->arena, reply_text_at(reply, text_equal(kind, "merge") ? 3 : 2));
	merging->ids[1] = arena_text(call->arena, reply_text_at(reply, 3));
	merging->count = text_equal(kind, "merge") ? 1 : 2;
	merge_sides_read(merging);
}

static void revert(struct api_call *call, const char *merge)
{
	static const char *const fields[] = { "k", "s", "into", "from", "ids" };
	struct merging *merging = merging_new(call, revert_now);
	struct store_call *read = store_command("HMGET");

	merging->merge = merge;
	store_arg_key(read, call->who.workspace, "mg:%s", merge);
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		store_arg_text(read, fields[i]);
	store_read(call->parts->store, read, on_merge, merging);
}

void handle_merge_revert(struct api_call *call)
{
	revert(call, call->params[1] == NULL ? call->params[0] : call->params[1]);
}

/* ---- the list ---- */

enum {
	ROW_MERGE,
	ROW_KIND,
	ROW_STATE,
	ROW_INTO,
	ROW_FROM,
	ROW_IDS,
	ROW_EVIDENCE,
	ROW_HINT,
	ROW_BY,
	ROW_AT,
	ROW_REVERTED_BY,
	ROW_REVERTED_AT
};

static size_t words_in(const char *text)
{
	size_t count = 0;

	for (; text != NULL && *text != '\0'; text += strspn(text, " ")) {
		text += strcspn(text, " ");
		count++;
	}
	return count;
}

void merge_write(struct json_out *out, const struct store_reply *row)
{
	const char *evidence = reply_text_at(row, ROW_EVIDENCE);

	jw_object(out, NULL);
	jw_text(out, "id", reply_text_at(row, ROW_MERGE));
	jw_text(out, "kind", reply_text_at(row, ROW_KIND));
	jw_text(out, "state", reply_text_at(row, ROW_STATE));
	jw_text(out, "into", reply_text_at(row, ROW_INTO));
	jw_text(out, "from", reply_text_at(row, ROW_FROM));
	jw_int(out, "identifiers", (int64_t)words_in(reply_text_at(row, ROW_IDS)));
	if (evidence != NULL && json_check(evidence, strlen(evidence), NULL) == 0)
		jw_raw(out, "evidence", evidence, strlen(evidence));
	jw_bool(out, "was_suggested", reply_text_at(row, ROW_HINT) != NULL);
	if (reply_text_at(row, ROW_HINT) != NULL)
		suggestion_stored_write(out, "suggestion", reply_text_at(row, ROW_HINT));
	jw_text(out, "by", reply_text_at(row, ROW_BY));
	jw_time(out, "at", reply_int_at(row, ROW_AT));
	if (reply_text_at(row, ROW_REVERTED_BY) != NULL) {
		jw_text(out, "reverted_by", reply_text_at(row, ROW_REVERTED_BY));
		jw_time(out, "reverted_at", reply_int_at(row, ROW_REVERTED_AT));
	}
	jw_object_end(out);
}

static void on_merges(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 0; i < reply_count(reply); i++)
		merge_write(&out, reply_item(reply, i));
	page_end_whole(call, &out, &body);
}

static void on_merged_customer(const struct customer *customer, const struct error *err,
			       void *context)
{
	struct api_call *call = context;
	struct store_call *read;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	if (customer == NULL) {
		api_problem(call, 404, "no_such_customer", "there is no customer \"%s\"",
			    call->params[0]);
		return;
	}
	read = store_script("merges_read", call->who.workspace);
	store_key(read, "u:%s", customer->id);
	store_arg_text(read, customer->id);
	store_arg_int(read, MERGES_SHOWN);
	store_read(call->parts->store, read, on_merges, call);
}

void handle_merge_list(struct api_call *call)
{
	customer_read(call->parts->store, call->who.workspace, call->params[0], on_merged_customer,
		      call);
}
