#include "script_harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "redis_child.h"
#include "store/scripts.h"

enum { WORDS = 96, LINES = 200, CALLS_MAX = 400 };

static const char prefix[] = "{t}:";

struct line {
	char *words[WORDS];
	size_t lens[WORDS];
	size_t count;
};

struct scenario {
	struct line setup[LINES];
	size_t setup_count;
	struct line call;
	char expect[64];
	char again[64];
	bool resend_changes;
	const struct script_text *script;
	bool is_allow_oom;
	bool is_no_writes;
};

/* The script under test sees this in place of redis: call n fails, time stands still. */
static const char shim[] = "local redis = (function(real)\n"
			   "  local n = 0\n"
			   "  local function call(verb, ...)\n"
			   "    n = n + 1\n"
			   "    verb = verb:upper()\n"
			   "    if n == %d then error({err = 'FAULT ' .. verb}) end\n"
			   "    if verb == 'TIME' then return {'1700000000', '0'} end\n"
			   "    if verb ~= 'XADD' then return real.call(verb, ...) end\n"
			   "    local args = {...}\n"
			   "    for i = 2, #args do\n"
			   "      if args[i] == '*' then args[i] = '1700000000000-*' break end\n"
			   "    end\n"
			   "    return real.call(verb, unpack(args))\n"
			   "  end\n"
			   "  return setmetatable({call = call, pcall = call}, {__index = real})\n"
			   "end)(redis)\n";

/* --- the file --- */

static char unescape(const char **at)
{
	char c = *++*at;
	char hex[3] = { 0 };

	if (c == 'n')
		return '\n';
	if (c == 't')
		return '\t';
	if (c != 'x')
		return c;
	hex[0] = *++*at;
	hex[1] = *++*at;
	return (char)strtol(hex, NULL, 16);
}

static void add_word(struct line *line, const char **at)
{
	struct buf word = { 0 };
	bool is_quoted = **at == '"';

	if (is_quoted)
		++*at;
	else if (**at == '$')
		buf_text(&word, ++*at == NULL ? "" : prefix);
	for (; **at != '\0' && **at != (is_quoted ? '"' : ' '); ++*at)
		buf_byte(&word, is_quoted && **at == '\\' ? unescape(at) : **at);
	if (is_quoted && **at == '"')
		++*at;
	line->lens[line->count] = word.len;
	line->words[line->count++] = memory_copy(buf_string(&word), word.len);
	buf_clear(&word);
}

static void split(const char *text, struct line *line)
{
	line->count = 0;
	while (*text != '\0' && line->count < WORDS) {
		if (*text == ' ')
			text++;
		else
			add_word(line, &text);
	}
	if (*text != '\0') {
		fprintf(stderr, "a line of a scenario has more than %d words\n", WORDS);
		abort();
	}
}

static void line_clear(struct line *line)
{
	for (size_t i = 0; i < line->count; i++)
		free(line->words[i]);
	line->count = 0;
}

static void take_line(struct scenario *scenario, const char *text)
{
	if (text[0] == '\0' || text[0] == '#')
		return;
	if (strncmp(text, "expect ", 7) == 0)
		snprintf(scenario->expect, sizeof(scenario->expect), "%.60s", text + 7);
	else if (strncmp(text, "again ", 6) == 0)
		snprintf(scenario->again, sizeof(scenario->again), "%.60s", text + 6);
	else if (strncmp(text, "resend changes:", 15) == 0)
		scenario->resend_changes = true;
	else if (strncmp(text, "call ", 5) == 0)
		split(text, &scenario->call);
	else if (scenario->setup_count < LINES)
		split(text, &scenario->setup[scenario->setup_count++]);
}

static const struct script_text *find_text(const char *name)
{
	for (const struct script_text *row = script_texts; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

bool scenario_script(const char *path, char *ret_script, size_t room)
{
	const char *name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	size_t len = strlen(name);

	if (len < 5 || strcmp(name + len - 4, ".txt") != 0 || strcspn(name, ".") >= room)
		return false;
	snprintf(ret_script, room, "%.*s", (int)strcspn(name, "."), name);
	return true;
}

static bool scenario_load(struct scenario *scenario, const char *path)
{
	char text[8192];
	char name[64];
	FILE *file = fopen(path, "r");

	strcpy(scenario->expect, "ok");
	if (file == NULL || !scenario_script(path, name, sizeof(name)))
		return false;
	while (fgets(text, sizeof(text), file) != NULL) {
		text[strcspn(text, "\n")] = '\0';
		take_line(scenario, text);
	}
	fclose(file);
	scenario->script = find_text(name);
	if (scenario->script == NULL || scenario->call.count < 2)
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(scenario->script->text, "\n"),
		 scenario->script->text);
	scenario->is_allow_oom = strstr(text, "allow-oom") != NULL;
	scenario->is_no_writes = strstr(text, "no-writes") != NULL;
	return strcmp(scenario->call.words[1], name) == 0;
}

static void scenario_clear(struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->setup_count; i++)
		line_clear(&scenario->setup[i]);
	line_clear(&scenario->call);
	free(scenario);
}

/* --- running --- */

/* words: call NAME key... | argument... */
static struct resp *run_script(struct redis_child *child, const struct line *line, int fail_at)
{
	const struct script_text *script = find_text(line->words[1]);
	const char *words[WORDS + 4] = { "EVAL" };
	size_t lens[WORDS + 4] = { 4 };
	char keys[WORDS][1100];
	char number[16];
	size_t count = 3;
	size_t i = 2;
	size_t body;
	struct buf text = { 0 };
	struct resp *resp;

	if (script == NULL)
		return NULL;
	body = strcspn(script->text, "\n") + 1;
	buf_add(&text, script->text, body);
	buf_format(&text, shim, fail_at);
	buf_text(&text, script->text + body);
	words[1] = text.data;
	lens[1] = text.len;
	snprintf(keys[0], sizeof(keys[0]), "%smeta", prefix);
	words[count] = keys[0];
	lens[count] = strlen(keys[0]);
	count++;
	for (; i < line->count && strcmp(line->words[i], "|") != 0; i++, count++) {
		snprintf(keys[i], sizeof(keys[i]), "%s%s", prefix, line->words[i]);
		words[count] = keys[i];
		lens[count] = strlen(keys[i]);
	}
	lens[2] = (size_t)snprintf(number, sizeof(number), "%zu", count - 3);
	words[2] = number;
	for (i++; i < line->count; i++, count++) {
		words[count] = line->words[i];
		lens[count] = line->lens[i];
	}
	resp = redis_argv(child, count, words, lens);
	buf_clear(&text);
	return resp;
}

static int by_text(const void *a, const void *b)
{
	const struct resp *const *left = a;
	const struct resp *const *right = b;

	return strcmp((*left)->text, (*right)->text);
}

/* Every key and its DUMP, in order of names. */
static void state_of(struct redis_child *child, struct buf *out)
{
	struct resp *keys = redis_do(child, "KEYS *");

	buf_reset(out);
	qsort(keys->items, keys->len, sizeof(keys->items[0]), by_text);
	for (size_t i = 0; i < keys->len; i++) {
		const char *words[] = { "DUMP", keys->items[i]->text };
		struct resp *dump = redis_argv(child, 2, words, NULL);

		buf_text(out, keys->items[i]->text);
		buf_byte(out, '\n');
		if (dump->text != NULL)
			buf_add(out, dump->text, dump->len);
		resp_free(&dump);
	}
	resp_free(&keys);
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(buf_string(a), buf_string(b), a->len) == 0;
}

static const char *first_word(const struct resp *resp)
{
	while (resp != NULL && resp->type == '*')
		resp = resp->len > 0 ? resp->items[0] : NULL;
	return resp == NULL || resp->text == NULL ? "" : resp->text;
}

static bool fail(char *why, size_t room, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, room, format, args);
	va_end(args);
	return false;
}

struct trial {
	struct redis_child *child;
	const struct scenario *scenario;
	struct buf before;
	struct buf complete;
	struct buf now;
	char *why;
	size_t room;
};

static bool reset(struct trial *trial)
{
	struct redis_child *child = trial->child;
	struct resp *resp = redis_do(child, "FLUSHALL");

	resp_free(&resp);
	resp = redis_do(child, "HSET %smeta format 1 gen 1 num 0 bell 1", prefix);
	resp_free(&resp);
	for (size_t i = 0; i < trial->scenario->setup_count; i++) {
		const struct line *line = &trial->scenario->setup[i];
		const char *words[WORDS];
		bool is_ok;

		memcpy(words, line->words, sizeof(words));
		if (strcmp(words[0], "run") == 0)
			resp = run_script(child, line, 0);
		else
			resp = redis_argv(child, line->count, words, line->lens);
		is_ok = resp != NULL && resp->type != '-';
		if (!is_ok)
			fail(trial->why, trial->room, "setup line %zu: %s", i + 1,
			     first_word(resp));
		resp_free(&resp);
		if (!is_ok)
			return false;
	}
	state_of(child, &trial->before);
	return true;
}

/* Runs the call; its first word must be `word` (NULL: any but an error). */
static bool run_whole(struct trial *trial, const char *word, const char *when)
{
	struct resp *resp = run_script(trial->child, &trial->scenario->call, 0);
	bool is_ok = resp->type != '-' && (word == NULL || strcmp(first_word(resp), word) == 0);

	if (!is_ok)
		fail(trial->why, trial->room, "%s: answered '%s', not '%s'", when, first_word(resp),
		     word == NULL ? "..." : word);
	resp_free(&resp);
	state_of(trial->child, &trial->now);
	return is_ok;
}

static bool try_whole_and_again(struct trial *trial)
{
	const struct scenario *scenario = trial->scenario;
	const char *again = scenario->again[0] == '\0' ? NULL : scenario->again;

	if (!reset(trial) || !run_whole(trial, scenario->expect, "whole"))
		return false;
	state_of(trial->child, &trial->complete);
	if (!run_whole(trial, again, "again"))
		return false;
	if (!scenario->resend_changes && !same(&trial->now, &trial->complete))
		return fail(trial->why, trial->room, "again: the re-send changed the state");
	return true;
}

static bool is_write(struct redis_child *child, const char *verb)
{
	char flags[4096];

	snprintf(flags, sizeof(flags), "%s", redis_ask(child, "COMMAND INFO %s", verb));
	return strstr(flags, ",write,") != NULL;
}

/* Call n fails. *ret_end: the script has fewer calls. */
static bool try_fault(struct trial *trial, int n, int *first_write, bool *ret_end)
{
	struct resp *resp;
	char verb[64] = "";

	if (!reset(trial))
		return false;
	resp = run_script(trial->child, &trial->scenario->call, n);
	if (strncmp(first_word(resp), "FAULT ", 6) == 0)
		snprintf(verb, sizeof(verb), "%.*s", (int)strcspn(first_word(resp) + 6, " "),
			 first_word(resp) + 6);
	*ret_end = verb[0] == '\0';
	resp_free(&resp);
	if (*ret_end)
		return true;
	if (*first_write > 0 && n > *first_write) {
		if (strcmp(verb, "PUBLISH") != 0 && !is_write(trial->child, verb))
			return fail(trial->why, trial->room,
				    "call %d is %s, a read after the first write (call %d)", n,
				    verb, *first_write);
		return true;
	}
	if (is_write(trial->child, verb))
		*first_write = n;
	state_of(trial->child, &trial->now);
	if (!same(&trial->now, &trial->before))
		return fail(trial->why, trial->room, "call %d (%s) failing: state was touched", n,
			    verb);
	if (!run_whole(trial, trial->scenario->expect, "re-send after a failure"))
		return false;
	if (!same(&trial->now, &trial->complete))
		return fail(trial->why, trial->room,
			    "call %d (%s) failing: the re-send did not complete", n, verb);
	return true;
}

static bool try_full(struct trial *trial)
{
	const struct scenario *scenario = trial->scenario;
	struct resp *resp;
	bool is_refused;
	bool is_done;

	if (!reset(trial))
		return false;
	redis_ask(trial->child, "CONFIG SET maxmemory 1");
	resp = run_script(trial->child, &scenario->call, 0);
	redis_ask(trial->child, "CONFIG SET maxmemory 0");
	is_refused = strncmp(first_word(resp), "OOM ", 4) == 0;
	is_done = strcmp(first_word(resp), scenario->expect) == 0;
	resp_free(&resp);
	state_of(trial->child, &trial->now);
	if (!scenario->is_allow_oom && !scenario->is_no_writes)
		return (is_refused && same(&trial->now, &trial->before)) ||
		       fail(trial->why, trial->room, "full store: it was not refused");
	return (is_done && same(&trial->now, &trial->complete)) ||
	       fail(trial->why, trial->room, "full store: it did not complete");
}

static bool try_all(struct trial *trial)
{
	bool is_end = false;
	int first_write = 0;

	if (!try_whole_and_again(trial))
		return false;
	for (int n = 1; n < CALLS_MAX && !is_end; n++)
		if (!try_fault(trial, n, &first_write, &is_end))
			return false;
	if (first_write > 0 && trial->scenario->is_no_writes)
		return fail(trial->why, trial->room, "it writes in spite of no-writes");
	return try_full(trial);
}

bool scenario_run(struct redis_child *child, const char *path, char *why, size_t room)
{
	struct scenario *scenario = memory_new(sizeof(*scenario));
	struct trial trial = { .child = child, .scenario = scenario, .why = why, .room = room };
	bool is_ok;

	if (!scenario_load(scenario, path))
		is_ok = fail(why, room, "cannot be read, or has no call of its own script");
	else
		is_ok = try_all(&trial);
	buf_clear(&trial.before);
	buf_clear(&trial.complete);
	buf_clear(&trial.now);
	scenario_clear(scenario);
	return is_ok;
}
