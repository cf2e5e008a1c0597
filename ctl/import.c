/* convergectl import: batches, and what became of them. */
#include "import.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"

enum {
	BATCH_RECORDS = 100,
	BATCH_BYTES = 1024 * 1024,
	SHOWN_REFUSALS = 200,
	ID_MAX = 60,
	KINDS = 2,
};

static const char *const kinds[KINDS] = { "customers", "conversations" };

struct count {
	long created, updated, unchanged, refused;
};

/* Records of one kind that wait to be sent. */
struct batch {
	struct buf json;
	size_t count;
	char **places; /* of each record, for messages */
};

struct import_run {
	struct call *call;
	const char *source;
	bool is_dry;
	bool is_trusted;
	struct import_source *from;
	struct arena *arena;
	struct batch batches[KINDS];
	struct count counts[KINDS];
	struct count canned;
	long shown;
	struct batch *open;
	size_t open_from;
	char open_at[512];
	struct json_out out;
	struct json_object *canned_known; /* list of pages */
	struct buf canned_puts;
	int code;
};

struct arena *import_arena(struct import_run *run)
{
	return run->arena;
}

struct import_source *import_from(struct import_run *run)
{
	return run->from;
}

bool import_is_over(const struct import_run *run)
{
	return run->code != EXIT_DONE;
}

void import_fail(struct import_run *run, int exit_code, const struct error *err)
{
	if (run->code == EXIT_DONE)
		run->code = output_error(exit_code, err);
}

static void refusal_show(struct import_run *run, const char *at, const char *why)
{
	if (run->shown++ < SHOWN_REFUSALS) {
		fprintf(stderr, "convergectl: ");
		output_plain(stderr, at);
		fprintf(stderr, ": error: ");
		output_plain(stderr, why);
		fputc('\n', stderr);
	} else if (run->shown == SHOWN_REFUSALS + 1) {
		fprintf(stderr, "convergectl: more of that is only counted\n");
	}
}

/* ---- sending ---- */

static size_t kind_of(const struct import_run *run, const struct batch *batch)
{
	return (size_t)(batch - run->batches);
}

static void batch_clear(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->places[i]);
	free(batch->places);
	buf_clear(&batch->json);
	*batch = (struct batch){ 0 };
}

static void result_count(struct import_run *run, const struct batch *batch, size_t index,
			 struct json_object *result)
{
	struct count *count = &run->counts[kind_of(run, batch)];
	const char *word = json_text(result, "result");

	count->created += text_equal(word, "created");
	count->updated += text_equal(word, "updated");
	count->unchanged += text_equal(word, "unchanged");
	if (text_equal(word, "refused")) {
		count->refused++;
		refusal_show(run, batch->places[index], json_text(result, "reason"));
	}
}

static void batch_send(struct import_run *run, struct batch *batch)
{
	struct buf body = { 0 };
	struct json_out out;
	struct json_object *answer;
	struct json_object *results;
	int code = EXIT_DONE;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "source", run->source);
	jw_bool(&out, "dry_run", run->is_dry);
	jw_bool(&out, "trusted", run->is_trusted);
	if (call_option(run->call, "--region") != NULL)
		jw_text(&out, "region", call_option(run->call, "--region"));
	jw_array(&out, kinds[kind_of(run, batch)]);
	jw_raw(&out, NULL, buf_string(&batch->json), batch->json.len);
	jw_array_end(&out);
	jw_object_end(&out);
	answer = call_request(run->call, "POST", "/v1/import", &body, &code);
	results = json_at(answer, "results");
	for (size_t i = 0; i < batch->count && i < json_count(results); i++)
		result_count(run, batch, i, json_item(results, i));
	if (code != EXIT_DONE)
		run->code = code;
	json_free(&answer);
	buf_clear(&body);
}

/* A conversation names its customer, who is sent first. */
static void flush(struct import_run *run)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (run->batches[i].count > 0 && run->code == EXIT_DONE)
			batch_send(run, &run->batches[i]);
		batch_clear(&run->batches[i]);
	}
	arena_free(&run->arena);
	run->arena = arena_new(0);
}

/* ---- records ---- */

struct json_out *import_begin(struct import_run *run, const char *kind, const char *at)
{
	struct batch *batch = &run->batches[text_equal(kind, kinds[1])];

	run->open = batch;
	run->open_from = batch->json.len;
	snprintf(run->open_at, sizeof(run->open_at), "%s", at);
	if (batch->count > 0)
		buf_byte(&batch->json, ',');
	jw_start(&run->out, &batch->json);
	jw_object(&run->out, NULL);
	return &run->out;
}

void import_end(struct import_run *run)
{
	struct batch *batch = run->open;

	jw_object_end(&run->out);
	batch->places = memory_grow(batch->places, batch->count + 1, sizeof(*batch->places));
	batch->places[batch->count++] = memory_text(run->open_at);
	run->open = NULL;
	if (batch->count >= BATCH_RECORDS || batch->json.len >= BATCH_BYTES)
		flush(run);
}

void import_refuse(struct import_run *run, const char *at, const char *why)
{
	if (run->open != NULL) {
		run->open->json.len = run->open_from;
		run->open->json.data[run->open_from] = '\0';
		run->counts[kind_of(run, run->open)].refused++;
		run->open = NULL;
	} else {
		run->counts[0].refused++;
	}
	refusal_show(run, at, why);
}

void import_identifier(struct json_out *out, const char *kind, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	jw_object(out, NULL);
	jw_text(out, "kind", kind);
	jw_text(out, "value", value);
	jw_object_end(out);
}

const char *import_scalar(struct arena *arena, struct json_object *value)
{
	struct buf text = { 0 };
	const char *copy = NULL;

	if (json_kind(value) == JSON_TEXT)
		return json_string(value);
	if (json_kind(value) == JSON_NUMBER || json_kind(value) == JSON_BOOL) {
		json_append(value, &text);
		copy = arena_text(arena, buf_string(&text));
		buf_clear(&text);
	}
	return copy;
}

/* ---- canned replies: configuration, so they go by its call, all at once ---- */

static const char *fit_id(struct import_run *run, const char *text)
{
	char id[ID_MAX + 1];
	size_t len = 0;

	for (; *text != '\0' && len < ID_MAX; text++) {
		bool is_fit = (*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9');
		bool is_upper = *text >= 'A' && *text <= 'Z';

		if (is_fit || is_upper)
			id[len++] = is_upper ? (char)(*text - 'A' + 'a') : *text;
		else if (len > 0 && id[len - 1] != '-')
			id[len++] = '-';
	}
	while (len > 0 && id[len - 1] == '-')
		len--;
	id[len] = '\0';
	return arena_text(run->arena, id);
}

static struct json_object *canned_find(struct import_run *run, const char *id)
{
	for (size_t i = 0; i < json_count(run->canned_known); i++)
		if (text_equal(json_text(json_item(run->canned_known, i), "id"), id))
			return json_item(run->canned_known, i);
	return NULL;
}

static struct json_object *canned_read(struct import_run *run)
{
	struct buf all = { 0 };
	struct buf target = { 0 };
	struct json_object *list;
	const char *after = "";
	int code = EXIT_DONE;

	buf_text(&all, "[");
	while (after != NULL && code == EXIT_DONE) {
		struct json_object *page;

		buf_reset(&target);
		buf_format(&target, "/v1/canned-replies?limit=200%s%s", *after ? "&after=" : "",
			   after);
		page = call_request(run->call, "GET", buf_string(&target), NULL, &code);
		for (size_t i = 0; i < json_count(json_at(page, "data")); i++) {
			if (all.len > 1)
				buf_byte(&all, ',');
			json_append(json_item(json_at(page, "data"), i), &all);
		}
		after = json_text_copy(page, "next_cursor", run->arena);
		json_free(&page);
	}
	buf_text(&all, "]");
	list = json_read(buf_string(&all), all.len, NULL);
	buf_clear(&all);
	buf_clear(&target);
	if (code != EXIT_DONE)
		run->code = code;
	return list;
}

void import_canned(struct import_run *run, const char *id, const char *title, const char *text)
{
	const char *fit = fit_id(run, id);
	struct json_object *known;
	struct json_out out;

	if (run->canned_known == NULL)
		run->canned_known = canned_read(run);
	if (*fit == '\0' || *text == '\0' || run->code != EXIT_DONE) {
		run->canned.refused++;
		return;
	}
	known = canned_find(run, fit);
	if (known != NULL && text_equal(json_text(known, "text"), text)) {
		run->canned.unchanged++;
		return;
	}
	run->canned.created += known == NULL;
	run->canned.updated += known != NULL;
	if (run->canned_puts.len > 0)
		buf_byte(&run->canned_puts, ',');
	jw_start(&out, &run->canned_puts);
	jw_object(&out, NULL);
	jw_text(&out, "kind", "canned-replies");
	jw_object(&out, "object");
	jw_text(&out, "id", fit);
	if (*title != '\0')
		jw_text(&out, "title", text_clean_line(run->arena, title, strlen(title), 200));
	jw_text(&out, "text", text_clean(run->arena, text, strlen(text), 20000));
	jw_object_end(&out);
	jw_object_end(&out);
}

static void canned_send(struct import_run *run)
{
	struct buf body = { 0 };
	struct json_object *answer;
	int code = EXIT_DONE;

	if (run->canned_puts.len == 0 || run->is_dry || run->code != EXIT_DONE)
		return;
	buf_format(&body, "{\"put\":[%s],\"delete\":[]}", buf_string(&run->canned_puts));
	answer = call_request(run->call, "POST", "/v1/configuration", &body, &code);
	json_free(&answer);
	buf_clear(&body);
	if (code != EXIT_DONE)
		run->code = code;
}

/* ---- the command ---- */

static void count_print(const char *what, const struct count *count)
{
	printf("%-16s %ld new, %ld changed, %ld as they were, %ld refused\n", what, count->created,
	       count->updated, count->unchanged, count->refused);
}

static int run_end(struct import_run *run)
{
	bool is_refused = run->counts[0].refused + run->counts[1].refused > 0;

	flush(run);
	canned_send(run);
	if (run->is_dry)
		puts("nothing done; would be:");
	for (size_t i = 0; i < KINDS; i++)
		count_print(kinds[i], &run->counts[i]);
	count_print("canned replies", &run->canned);
	if (run->code != EXIT_DONE)
		fprintf(stderr, "convergectl: the import ended early; run it again to go on, "
				"what is there already stays as it is\n");
	is_refused |= run->counts[0].refused + run->counts[1].refused > 0;
	buf_clear(&run->canned_puts);
	json_free(&run->canned_known);
	import_source_free(&run->from);
	arena_free(&run->arena);
	return run->code != EXIT_DONE ? run->code : is_refused ? EX_DATAERR : EXIT_DONE;
}

static char *token_read(struct call *call, struct error *err)
{
	const char *path = call_option(call, "--token-file");
	char line[4096];
	FILE *file = path == NULL ? NULL : fopen(path, "re");
	char *token = NULL;

	if (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		token = arena_text(call->arena, line);
	}
	if (file != NULL)
		fclose(file);
	if (token == NULL || *token == '\0') {
		error_set(err, ERROR_MISUSE,
			  path == NULL ? "--url needs --token-file, a file that holds the token"
				       : "%s holds no token",
			  path);
		return NULL;
	}
	return token;
}

static void run_begin(struct import_run *run, struct call *call, const char *source)
{
	*run = (struct import_run){ .call = call,
				    .source = source,
				    .is_dry = call_option(call, "--dry-run") != NULL,
				    .is_trusted = call_option(call, "--trust") != NULL,
				    .arena = arena_new(0) };
	run->code = call_enter_workspace(call);
}

/* A folder as the argument, or --url with a token. */
static int product_run(struct call *call, const char *source, int (*reader)(struct import_run *),
		       const struct import_login *login)
{
	struct import_run run;
	struct error err = { 0 };
	const char *folder = call->argument_count > 0 ? call->arguments[0] : NULL;

	if ((folder == NULL) == (login->url == NULL)) {
		error_set(&err, ERROR_MISUSE,
			  "name either a folder of saved answers, or --url with --token-file");
		return output_error(EX_USAGE, &err);
	}
	run_begin(&run, call, source);
	run.from = folder != NULL ? import_source_folder(folder, &err) : import_source_api(login);
	if (run.from == NULL)
		import_fail(&run, EX_NOINPUT, &err);
	else if (run.code == EXIT_DONE)
		reader(&run);
	return run_end(&run);
}

int run_import_csv(struct call *call)
{
	struct import_run run;

	run_begin(&run, call,
		  call_option(call, "--source") != NULL ? call_option(call, "--source") : "csv");
	if (run.code == EXIT_DONE)
		import_csv(&run, call->arguments[0]);
	return run_end(&run);
}

static const char *without_slash(struct arena *arena, const char *url)
{
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	return arena_copy(arena, url, len);
}

int run_import_chatwoot(struct call *call)
{
	struct error err = { 0 };
	const char *url = call_option(call, "--url");
	struct import_login login = { .field = "api_access_token" };

	if (url != NULL) {
		const char *account = call_option(call, "--account");

		login.value = token_read(call, &err);
		if (login.value == NULL)
			return output_error(EX_USAGE, &err);
		login.url = arena_format(call->arena, "%s/api/v1/accounts/%s",
					 without_slash(call->arena, url),
					 account == NULL ? "1" : account);
	}
	return product_run(call, "chatwoot", import_chatwoot, &login);
}

int run_import_zendesk(struct call *call)
{
	struct error err = { 0 };
	struct import_login login = { .url = call_option(call, "--url") };
	const char *user = call_option(call, "--user");

	if (login.url != NULL) {
		login.password = token_read(call, &err);
		if (login.password != NULL && user == NULL)
			error_set(&err, ERROR_MISUSE,
				  "--url needs --user, the address whose token it is");
		if (login.password == NULL || user == NULL)
			return output_error(EX_USAGE, &err);
		login.user = arena_format(call->arena, "%s/token", user);
	}
	return product_run(call, "zendesk", import_zendesk, &login);
}
