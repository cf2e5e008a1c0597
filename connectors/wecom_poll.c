/* One pull at a time: every wanted account in turn, page by page. A page's
 * customers are asked for their names, its items go through the pipeline one
 * after the other, and only then the account's cursor moves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider_call.h"
#include "wecom_private.h"

enum {
	PAGE = 100, /* as many customers as one question for names may have */
	PAGE_BYTES = 4 * 1024 * 1024,
	AGAIN_MS = 5000,
	REFUSED_MS = 60000,
};

struct pull {
	struct channel *channel;
	struct wecom_state *state;
	struct wecom_account *account;
	struct arena *arena; /* of one page */
	struct json_object *page;
	struct json_object *items;
	struct json_object *people; /* NULL: no names */
	size_t next;
	void (*go_on)(struct pull *pull); /* to the next page or account */
};

static void page_free(struct pull *pull)
{
	const struct host *host = wecom_host();

	if (pull->people)
		host->json_free(pull->people);
	if (pull->page)
		host->json_free(pull->page);
	if (pull->arena)
		host->arena_free(pull->arena);
	pull->arena = NULL;
	pull->page = pull->people = pull->items = NULL;
	pull->next = 0;
}

static void pull_end(struct pull *pull, int64_t again_ms)
{
	struct wecom_state *state = pull->state;
	struct channel *channel = pull->channel;

	/* A page that was begun and did not end is wanted still. */
	if (pull->arena && pull->account)
		pull->account->is_wanted = true;
	page_free(pull);
	free(pull);
	state->is_pulling = false;
	if (!state->is_mine)
		return;
	wecom_host()->wake(channel, state->is_rung ? 0 : again_ms);
	state->is_rung = false;
}

/* ---- the cursors: "<open_kfid> <cursor>" lines ---- */

static char *cursors_text(const struct wecom_state *state, struct arena *arena)
{
	const struct host *host = wecom_host();
	char *text = host->text(arena, "");

	for (size_t i = 0; i < state->account_count; i++)
		if (state->accounts[i].cursor[0])
			text = host->format(arena, "%s%s %s\n", text, state->accounts[i].id,
					    state->accounts[i].cursor);
	return text;
}

static void cursors_read(struct wecom_state *state, const char *text, struct arena *arena)
{
	char *line = wecom_host()->text(arena, text);

	while (line && *line) {
		char *end = strchr(line, '\n');
		char *space = strchr(line, ' ');
		struct wecom_account *account;

		if (end)
			*end = '\0';
		if (space && (!end || space < end) && strlen(space + 1) < WECOM_ID_BYTES) {
			*space = '\0';
			account = wecom_account(state, line);
			if (account)
				memcpy(account->cursor, space + 1, strlen(space + 1) + 1);
		}
		line = end ? end + 1 : NULL;
	}
}

static void on_moved(const char *error, void *context)
{
	struct pull *pull = context;

	if (error) {
		/* What is stored comes once more and is known by its msgid. */
		wecom_host()->log(pull->channel, 1, "event=cursor_not_kept error=\"%s\"", error);
		pull->state->has_cursors = false;
		pull_end(pull, AGAIN_MS);
	} else {
		pull->go_on(pull);
	}
}

static void move_cursor(struct pull *pull)
{
	const struct host *host = wecom_host();
	const char *next = provider_text(host, pull->page, "next_cursor", "");
	bool has_more = host->json_int(pull->page, "has_more", 0) == 1;
	bool is_new = next[0] && strcmp(next, pull->account->cursor) != 0;

	/* More without another cursor would turn for ever. */
	if (has_more && is_new)
		pull->account->is_wanted = true;
	if (!is_new || strlen(next) >= WECOM_ID_BYTES) {
		pull->go_on(pull);
		return;
	}
	memcpy(pull->account->cursor, next, strlen(next) + 1);
	host->cursor_put(pull->channel, cursors_text(pull->state, pull->arena), on_moved, pull);
}

/* ---- one page ---- */

/* The customer's row of the answer for names; NULL. */
static struct json_object *person_of(const struct pull *pull, const char *id)
{
	const struct host *host = wecom_host();
	struct json_object *list =
		pull->people ? host->json_at(pull->people, "customer_list") : NULL;
	bool is_list = list && host->json_kind(list, "") == HOST_JSON_ARRAY;

	for (size_t i = 0; is_list && i < host->json_count(list); i++) {
		struct json_object *person = host->json_item(list, i);

		if (strcmp(provider_text(host, person, "external_userid", ""), id) == 0)
			return person;
	}
	return NULL;
}

static void keep_item(struct pull *pull, host_received *done)
{
	const struct host *host = wecom_host();
	struct json_object *item = host->json_item(pull->items, pull->next);
	struct json_object *person =
		person_of(pull, provider_text(host, item, "external_userid", ""));
	struct arena *arena = host->arena_new();
	struct inbound in = { .method = "", .target = "" };

	in.body = host->format(arena, "{\"item\":%s,\"nickname\":%s,\"unionid\":%s}",
			       host->json_print(item, arena),
			       host->json_quote(arena, provider_text(host, person, "nickname", "")),
			       host->json_quote(arena, provider_text(host, person, "unionid", "")));
	in.body_len = strlen(in.body);
	in.now_s = host->unix_ms() / 1000;
	host->receive(pull->channel, &in, done, pull);
	host->arena_free(arena);
}

static void on_kept(bool durable, const char *error, void *context)
{
	struct pull *pull = context;
	const struct host *host = wecom_host();

	if (!durable) {
		host->log(pull->channel, 1, "event=message_not_kept error=\"%s\"",
			  error ? error : "");
		pull_end(pull, AGAIN_MS);
		return;
	}
	pull->next++;
	if (!pull->state->is_mine)
		pull_end(pull, AGAIN_MS);
	else if (pull->next < host->json_count(pull->items))
		keep_item(pull, on_kept);
	else
		move_cursor(pull);
}

static void keep_page(struct pull *pull)
{
	if (pull->items && wecom_host()->json_count(pull->items) > 0)
		keep_item(pull, on_kept);
	else
		move_cursor(pull);
}

static void on_people(const struct weixin_answer *answer, void *context)
{
	struct pull *pull = context;
	const struct host *host = wecom_host();
	const char *copy;

	/* A name is no reason to keep a message waiting. */
	if (answer->is_ok) {
		copy = host->json_print(answer->body, pull->arena);
		pull->people = host->json_read(copy, strlen(copy), pull->arena, NULL);
	}
	keep_page(pull);
}

/* The page's customers as a JSON list without doubles; NULL: none. */
static const char *customers_of(const struct pull *pull)
{
	const struct host *host = wecom_host();
	const char *list = "";

	for (size_t i = 0; pull->items && i < host->json_count(pull->items); i++) {
		struct json_object *item = host->json_item(pull->items, i);
		const char *id = provider_text(host, item, "external_userid", "");
		const char *quoted = host->json_quote(pull->arena, id);

		if (id[0] && !strstr(list, quoted))
			list = host->format(pull->arena, "%s%s%s", list, list[0] ? "," : "",
					    quoted);
	}
	return list[0] ? list : NULL;
}

static void ask_people(struct pull *pull)
{
	const struct host *host = wecom_host();
	const char *customers = customers_of(pull);
	struct weixin_request request = { .method = "POST",
					  .path = "/cgi-bin/kf/customer/batchget" };

	if (!customers) {
		keep_page(pull);
		return;
	}
	request.body = host->format(
		pull->arena, "{\"external_userid_list\":[%s],\"need_enter_session_context\":0}",
		customers);
	request.len = strlen(request.body);
	weixin_call(&pull->state->api, &request, on_people, pull);
}

static void on_page_refused(struct pull *pull, const struct weixin_answer *answer)
{
	const struct host *host = wecom_host();
	int64_t again_ms = answer->failure == SEND_RETRY || answer->failure == SEND_UNKNOWN
				   ? AGAIN_MS
				   : REFUSED_MS;

	host->log(pull->channel, 1, "event=pull_refused account=%s code=%s", pull->account->id,
		  answer->code);
	if (strcmp(answer->code, "95007") == 0 && pull->account->token[0]) {
		/* The signal is too old: once more without it. */
		pull->account->token[0] = '\0';
		pull->account->is_wanted = true;
		pull->go_on(pull);
		return;
	}
	if (answer->failure == SEND_REAUTH)
		host->park(pull->channel, answer->why);
	pull_end(pull, answer->retry_after_ms > again_ms ? answer->retry_after_ms : again_ms);
}

static void on_page(const struct weixin_answer *answer, void *context)
{
	struct pull *pull = context;
	const struct host *host = wecom_host();
	struct json_object *items;
	const char *copy;

	if (!pull->state->is_mine) {
		pull_end(pull, AGAIN_MS);
		return;
	}
	if (!answer->is_ok) {
		on_page_refused(pull, answer);
		return;
	}
	/* The answer is gone after this call. */
	copy = host->json_print(answer->body, pull->arena);
	pull->page = host->json_read(copy, strlen(copy), pull->arena, NULL);
	items = pull->page ? host->json_at(pull->page, "msg_list") : NULL;
	pull->items = items && host->json_kind(items, "") == HOST_JSON_ARRAY ? items : NULL;
	ask_people(pull);
}

static void ask_page(struct pull *pull)
{
	const struct host *host = wecom_host();
	struct wecom_account *account = pull->account;
	struct weixin_request request = { .method = "POST",
					  .path = "/cgi-bin/kf/sync_msg",
					  .answer_max = PAGE_BYTES };

	/* A signal that comes meanwhile asks for another page. */
	account->is_wanted = false;
	pull->arena = host->arena_new();
	request.body = host->format(
		pull->arena,
		"{\"cursor\":%s,\"token\":%s,\"limit\":%d,\"voice_format\":0,\"open_kfid\":%s}",
		host->json_quote(pull->arena, account->cursor),
		host->json_quote(pull->arena, account->token), PAGE,
		host->json_quote(pull->arena, account->id));
	request.len = strlen(request.body);
	weixin_call(&pull->state->api, &request, on_page, pull);
}

/* ---- the whole pull ---- */

static void go_on(struct pull *pull)
{
	const struct wecom_settings *settings = wecom_host()->channel_settings(pull->channel);
	struct wecom_state *state = pull->state;

	page_free(pull);
	if (!state->is_mine) {
		pull_end(pull, AGAIN_MS);
		return;
	}
	for (size_t i = 0; i < state->account_count; i++) {
		if (!state->accounts[i].is_wanted)
			continue;
		pull->account = &state->accounts[i];
		ask_page(pull);
		return;
	}
	pull_end(pull, settings->poll_ms);
}

/* A signal of another instance, the start and the clock name no account: all of them. */
static void start(struct pull *pull)
{
	struct wecom_state *state = pull->state;
	bool is_any = false;

	for (size_t i = 0; i < state->account_count; i++)
		is_any |= state->accounts[i].is_wanted;
	for (size_t i = 0; !is_any && i < state->account_count; i++) {
		state->accounts[i].is_wanted = true;
		state->accounts[i].token[0] = '\0';
	}
	go_on(pull);
}

static void on_list(const struct weixin_answer *answer, void *context)
{
	struct pull *pull = context;
	const struct host *host = wecom_host();
	struct json_object *list =
		answer->is_ok ? host->json_at(answer->body, "account_list") : NULL;
	bool is_list = list && host->json_kind(list, "") == HOST_JSON_ARRAY;

	for (size_t i = 0; is_list && i < host->json_count(list); i++) {
		struct wecom_account *account =
			wecom_account(pull->state, provider_text(host, host->json_item(list, i),
								 "open_kfid", ""));

		if (account)
			account->is_wanted = true;
	}
	pull->state->has_list = answer->is_ok;
	if (answer->is_ok || pull->state->account_count > 0) {
		start(pull);
		return;
	}
	host->log(pull->channel, 1, "event=no_accounts code=%s", answer->code);
	if (answer->failure == SEND_REAUTH)
		host->park(pull->channel, answer->why);
	pull_end(pull, answer->failure == SEND_RETRY ? AGAIN_MS : REFUSED_MS);
}

static void ask_list(struct pull *pull)
{
	static const char body[] = "{\"offset\":0,\"limit\":100}";
	static const struct weixin_request request = { .method = "POST",
						       .path = "/cgi-bin/kf/account/list",
						       .body = body,
						       .len = sizeof(body) - 1 };

	if (pull->state->has_list)
		start(pull);
	else
		weixin_call(&pull->state->api, &request, on_list, pull);
}

static void on_cursors(const char *value, const char *error, void *context)
{
	struct pull *pull = context;
	const struct host *host = wecom_host();
	struct arena *arena;

	if (error || !pull->state->is_mine) {
		pull_end(pull, AGAIN_MS);
		return;
	}
	arena = host->arena_new();
	cursors_read(pull->state, value ? value : "", arena);
	host->arena_free(arena);
	pull->state->has_cursors = true;
	ask_list(pull);
}

void wecom_poll(struct channel *channel, bool lost)
{
	const struct host *host = wecom_host();
	struct wecom_state *state = host->channel_state(channel);
	struct pull *pull;

	state->is_mine = !lost;
	if (lost) {
		/* Another one moves them meanwhile. */
		state->has_cursors = state->has_list = false;
		return;
	}
	if (state->is_pulling) {
		state->is_rung = true;
		return;
	}
	state->is_pulling = true;
	pull = calloc(1, sizeof(*pull));
	if (!pull)
		abort();
	pull->channel = channel;
	pull->state = state;
	pull->go_on = go_on;
	if (state->has_cursors)
		ask_list(pull);
	else
		host->cursor_get(channel, on_cursors, pull);
}
