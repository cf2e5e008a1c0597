/* /_sim/: the calls by which a test drives a stand-in and looks at it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { REPLAY_MAX = 1000 };

static void answer_buf(struct ask *ask, struct buf *out)
{
	answer(ask, 200, "application/json", buf_string(out), out->len);
	buf_clear(out);
}

static void write_list(struct json_out *json, const char *key, const struct list *list)
{
	jw_array(json, key);
	for (size_t i = 0; i < list->count; i++)
		jw_raw(json, NULL, list->items[i], strlen(list->items[i]));
	jw_array_end(json);
}

static void on_sent(struct ask *ask)
{
	struct buf out = { 0 };
	struct json_out json;
	jw_start(&json, &out);
	jw_object(&json, NULL);
	write_list(&json, "sent", &ask->sim->sent);
	write_list(&json, "refused", &ask->sim->refused);
	jw_object_end(&json);
	answer_buf(ask, &out);
}

static void write_post(struct json_out *json, const struct post *post)
{
	jw_object(json, NULL);
	jw_text(json, "id", post->id);
	jw_int(json, "attempts", post->attempts);
	jw_int(json, "status", post->status);
	jw_int(json, "took_ms", post->took_ms);
	jw_bool(json, "settled", post->is_settled);
	jw_bool(json, "ok", post->is_right);
	jw_text(json, "wrong", post->wrong);
	jw_text(json, "answer", post->answered);
	jw_object_end(json);
}

static void write_fault(struct json_out *json, const struct fault *fault)
{
	jw_object(json, NULL);
	jw_text(json, "kind", fault->kind);
	jw_text(json, "on", fault->on);
	jw_int(json, "left", fault->left);
	jw_int(json, "after", fault->after);
	jw_object_end(json);
}

static void write_person(struct json_out *json, const struct person *person)
{
	int64_t left_ms = person->window_until_ms - sim_now_ms();
	jw_object(json, NULL);
	jw_text(json, "id", person->id);
	jw_bool(json, "blocked", person->is_blocked);
	jw_int(json, "window_ms", left_ms > 0 ? left_ms : 0);
	jw_int(json, "window_left", person->window_left);
	jw_object_end(json);
}

static void on_state(struct ask *ask)
{
	struct standin *sim = ask->sim;
	struct buf out = { 0 };
	struct json_out json;
	jw_start(&json, &out);
	jw_object(&json, NULL);
	jw_text(&json, "provider", sim->provider->name);
	jw_int(&json, "tokens_minted", sim->tokens_minted);
	jw_object(&json, "settings");
	for (size_t i = 0; i < sim->setting_count; i++)
		jw_text(&json, sim->settings[i].name, sim->settings[i].value);
	jw_object_end(&json);
	write_list(&json, "calls", &sim->calls);
	jw_array(&json, "posts");
	for (size_t i = 0; i < sim->post_count; i++)
		write_post(&json, sim->posts[i]);
	jw_array_end(&json);
	jw_array(&json, "faults");
	for (size_t i = 0; i < FAULTS_MAX; i++)
		if (sim->faults[i].left > 0)
			write_fault(&json, &sim->faults[i]);
	jw_array_end(&json);
	jw_array(&json, "people");
	for (size_t i = 0; i < sim->person_count; i++)
		write_person(&json, &sim->people[i]);
	jw_array_end(&json);
	jw_object_end(&json);
	answer_buf(ask, &out);
}

static void answer_wrong(struct ask *ask, const char *what)
{
	answer_json(ask, 400, "{\"error\":%s}", quote(ask->arena, what));
}

typedef const char *slot_fn(struct standin *sim, struct json_object *what, char ret_id[128]);

static void ask_slot(struct ask *ask, slot_fn *slot)
{
	char id[128] = "";
	struct json_object *what = ask_json(ask);
	const char *wrong = "this provider has no such thing";
	if (what == NULL)
		wrong = "no JSON body";
	else if (slot != NULL)
		wrong = slot(ask->sim, what, id);
	if (wrong != NULL)
		answer_wrong(ask, wrong);
	else
		answer_json(ask, 200, "{\"id\":%s}", quote(ask->arena, id));
}

static void on_say(struct ask *ask)
{
	ask_slot(ask, ask->sim->provider->say);
}

static void on_receipt(struct ask *ask)
{
	ask_slot(ask, ask->sim->provider->receipt);
}

static void on_handshake(struct ask *ask)
{
	ask_slot(ask, ask->sim->provider->handshake);
}

/* ---- faults ---- */

static void replay(struct standin *sim, int64_t count)
{
	size_t known = sim->post_count;
	for (size_t i = 0; i < known && count > 0; i++) {
		if (!sim->posts[i]->is_right || sim->posts[i]->is_once)
			continue;
		post_again(sim->posts[i]);
		count--;
	}
}

/* Where a fault of this kind strikes unless the test says so. */
static const char *fault_place(const char *kind)
{
	static const char *const of_posts[] = { "duplicate", "reorder", "wrong_signature",
						"clock_skew" };
	for (size_t i = 0; i < COUNT_OF(of_posts); i++)
		if (strcmp(kind, of_posts[i]) == 0)
			return "post";
	return "send";
}

static bool fault_is_known(const char *kind)
{
	static const char *const kinds[] = {
		"status",    "retry_after",       "retry_after_date", "delay", "drop_before",
		"garbage",   "drop_after_accept", "expire_token",     "error", "window_closed",
		"duplicate", "reorder",           "wrong_signature",  "slow",  "clock_skew",
		"truncate",  "redirect",
	};
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

static void on_fault(struct ask *ask)
{
	struct standin *sim = ask->sim;
	struct json_object *what = ask_json(ask);
	const char *kind = said(what, "kind", "");
	size_t at = 0;
	if (strcmp(kind, "replay") == 0) {
		replay(sim, json_int(what, "count", REPLAY_MAX));
		answer_json(ask, 200, "{}");
		return;
	}
	while (at < FAULTS_MAX && sim->faults[at].left > 0)
		at++;
	if (!fault_is_known(kind) || at == FAULTS_MAX) {
		answer_wrong(ask, "no such fault, or too many are armed");
		return;
	}
	struct fault *fault = &sim->faults[at];
	*fault = (struct fault){ .left = json_int(what, "count", 1),
				 .after = json_int(what, "after", 0),
				 .status = json_int(what, "status", 503),
				 .seconds = json_int(what, "seconds", 1),
				 .ms = json_int(what, "ms", 1000),
				 .times = json_int(what, "times", 2) };
	snprintf(fault->kind, sizeof(fault->kind), "%s", kind);
	snprintf(fault->on, sizeof(fault->on), "%s", said(what, "on", fault_place(kind)));
	snprintf(fault->code, sizeof(fault->code), "%s", said(what, "code", ""));
	snprintf(fault->match, sizeof(fault->match), "%s", said(what, "match", ""));
	answer_json(ask, 200, "{}");
}

static void on_fault_clear(struct ask *ask)
{
	memset(ask->sim->faults, 0, sizeof(ask->sim->faults));
	answer_json(ask, 200, "{}");
}

/* ---- people, settings, media ---- */

static void on_customer(struct ask *ask)
{
	struct json_object *what = ask_json(ask);
	const char *id = json_text(what, "id");
	if (id == NULL) {
		answer_wrong(ask, "id is missing");
		return;
	}
	struct person *person = person_of(ask->sim, id);
	person->is_blocked = json_bool(what, "blocked", person->is_blocked);
	if (json_has(what, "window_ms"))
		window_open(ask->sim, id, json_int(what, "window_ms", 0), 0);
	answer_json(ask, 200, "{}");
}

static void put_one(const char *key, struct json_object *value, void *context)
{
	if (json_kind(value) == JSON_TEXT)
		setting_put(context, key, json_string(value));
}

static void on_settings(struct ask *ask)
{
	json_each_field(ask_json(ask), put_one, ask->sim);
	answer_json(ask, 200, "{}");
}

static void on_media(struct ask *ask)
{
	const struct media *media = media_find(ask->sim, ask->path + strlen("/_sim/media/"));
	if (media != NULL)
		answer_media(ask, media);
	else
		answer_json(ask, 404, "{}");
}

void control_ask(struct ask *ask)
{
	static const struct {
		const char *method;
		const char *path;
		void (*handle)(struct ask *ask);
	} rows[] = {
		{ "GET", "/_sim/sent", on_sent },
		{ "GET", "/_sim/state", on_state },
		{ "POST", "/_sim/say", on_say },
		{ "POST", "/_sim/receipt", on_receipt },
		{ "POST", "/_sim/handshake", on_handshake },
		{ "POST", "/_sim/fault", on_fault },
		{ "DELETE", "/_sim/fault", on_fault_clear },
		{ "POST", "/_sim/customer", on_customer },
		{ "POST", "/_sim/settings", on_settings },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (strcmp(rows[i].path, ask->path) != 0 ||
		    strcmp(rows[i].method, ask->method) != 0)
			continue;
		rows[i].handle(ask);
		return;
	}
	if (text_starts(ask->path, "/_sim/media/"))
		on_media(ask);
	else
		answer_json(ask, 404, "{\"error\":\"no such call\"}");
}
