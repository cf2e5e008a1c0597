/* Search beside a look-up by primary key, in one database. Prints one line of JSON.
 *
 *   search URL MESSAGES [again]   sqlite:/path or postgresql://..., empty; MESSAGES are written
 * first, or are there already
 *
 * Texts are Chinese (four of five) and English, 8 to 60 characters or 4 to 20 words, drawn so that
 * a character's or word's share falls with its rank (1/rank, of 3,000 characters and 20,000 words);
 * each 20th has a phone number. Questions are parts of texts, so that each finds something. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/history_search.h"
#include "workers/worker.h"

enum { BATCH = 500, CHARACTERS = 3000, WORDS = 20000, TURNS = 2000, KINDS = 6, CHANNEL_EVERY = 10 };

static const char *url;
static struct sql sql;
static uint32_t seed = 20261123;
static int64_t times[TURNS], lookups[TURNS];

static double chance(void)
{
	seed = seed * 1664525u + 1013904223u;
	return (double)(seed >> 8) / (1 << 24);
}

static size_t rank(size_t count)
{
	return (size_t)(exp(chance() * log((double)count + 1)) - 1);
}

static int64_t clock_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void add_character(struct buf *out)
{
	char bytes[4];

	buf_add(out, bytes, text_encode((uint32_t)(0x4e00 + rank(CHARACTERS) * 6 % 20900), bytes));
}

static void add_word(struct buf *out)
{
	size_t number = rank(WORDS) + 27;

	for (; number > 0; number /= 26)
		buf_byte(out, (char)('a' + number * 7 % 26));
}

static void add_text(struct buf *out, int64_t number)
{
	size_t len = (size_t)(8 + chance() * 52);

	if (number % 5 != 0)
		for (size_t i = 0; i < len; i++)
			add_character(out);
	else
		for (size_t i = 0; i < len / 3 + 2; i++) {
			buf_text(out, i > 0 ? " " : "");
			add_word(out);
		}
	if (number % 20 == 0)
		buf_format(out, " 138-%04d-%04d", (int)(chance() * 10000), (int)(chance() * 10000));
}

/* ---- jobs ---- */

static struct json_object *job(char mode, const struct buf *json)
{
	struct buf bytes = { 0 }, answer = { 0 };
	struct json_object *value;
	struct error err = { 0 };

	buf_byte(&bytes, mode);
	buf_add(&bytes, url, strlen(url) + 1);
	buf_byte(&bytes, '\0');
	buf_add(&bytes, json->data, json->len);
	if (history_handle(bytes.data, bytes.len, &answer, &err) < 0) {
		fprintf(stderr, "search: %s\n", err.text);
		exit(1);
	}
	value = json_read(answer.data, answer.len, &err);
	buf_clear(&bytes);
	buf_clear(&answer);
	return value;
}

static void add_message(struct json_out *out, int64_t number)
{
	struct buf text = { 0 }, json = { 0 };
	struct json_out message;
	char id[40], conversation[40];

	snprintf(id, sizeof(id), "msg_%012lld", (long long)number);
	snprintf(conversation, sizeof(conversation), "cnv_%09lld", (long long)number / 10);
	add_text(&text, number);
	jw_start(&message, &json);
	jw_object(&message, NULL);
	jw_raw(&message, "author", "{\"type\":\"customer\",\"name\":\"A Name\"}", 35);
	jw_text(&message, "id", id);
	jw_text(&message, "conversation", conversation);
	jw_text(&message, "direction", "in");
	jw_text(&message, "kind", "text");
	jw_text(&message, "text", text.data);
	jw_time(&message, "created_at", 1700000000000 + number * 3000);
	jw_object_end(&message);
	jw_object(out, NULL);
	jw_text(out, "conversation", conversation);
	jw_int(out, "created_ms", 1);
	jw_int(out, "index", number % 10);
	jw_text(out, "json", json.data);
	jw_object_end(out);
	buf_clear(&text);
	buf_clear(&json);
}

static void add_conversations(struct json_out *out, int64_t first)
{
	jw_array(out, "conversations");
	for (int64_t i = first / 10; i < (first + BATCH) / 10; i++) {
		char id[40];

		snprintf(id, sizeof(id), "cnv_%09lld", (long long)i);
		jw_object(out, NULL);
		jw_text(out, "id", id);
		jw_object(out, "hash");
		jw_text(out, "ch", i % CHANNEL_EVERY == 0 ? "rare" : "shop");
		jw_text(out, "ik", id + 4);
		jw_text(out, "s", "closed");
		jw_object_end(out);
		jw_object_end(out);
	}
	jw_array_end(out);
}

static void load(int64_t messages)
{
	struct buf json = { 0 };
	struct json_out out;
	struct json_object *answer;

	for (int64_t first = 0; first < messages; first += BATCH) {
		buf_reset(&json);
		jw_start(&out, &json);
		jw_object(&out, NULL);
		jw_text(&out, "op", "write");
		jw_text(&out, "workspace", "main");
		jw_bool(&out, "reset", true);
		jw_text(&out, "position", "1-1-0");
		add_conversations(&out, first);
		jw_array(&out, "messages");
		for (int64_t i = first; i < first + BATCH; i++)
			add_message(&out, i);
		jw_array_end(&out);
		jw_object_end(&out);
		answer = job('w', &json);
		json_free(&answer);
	}
	buf_clear(&json);
}

/* ---- questions ---- */

static void add_question(struct buf *out, int kind)
{
	switch (kind) {
	case 0:
		add_character(out);
		break;
	case 1:
		add_character(out);
		add_character(out);
		break;
	case 2:
		add_word(out);
		break;
	case 3:
		add_word(out);
		buf_byte(out, ' ');
		add_word(out);
		break;
	case 4:
		buf_format(out, "%04d", (int)(chance() * 10000));
		break;
	default:
		add_character(out);
		buf_byte(out, ' ');
		add_character(out);
	}
}

static size_t ask(int kind, bool is_filtered)
{
	struct buf json = { 0 }, question = { 0 };
	struct json_out out;
	struct json_object *answer;
	size_t found;

	add_question(&question, kind);
	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "op", "search");
	jw_text(&out, "workspace", "main");
	jw_text(&out, "q", question.data);
	jw_int(&out, "limit", 20);
	if (is_filtered)
		jw_text(&out, "channel", "rare");
	jw_object_end(&out);
	answer = job('r', &json);
	found = json_count(json_at(answer, "data"));
	json_free(&answer);
	buf_clear(&json);
	buf_clear(&question);
	return found;
}

static void look_up(int64_t messages)
{
	char id[40];
	struct error err;

	snprintf(id, sizeof(id), "msg_%012lld", (long long)(chance() * (double)messages));
	const struct sql_value values[] = { sql_text("main"), sql_text(id) };
	const struct sql_query query = { .statement = "SELECT json FROM message"
						      " WHERE workspace = $1 AND id = $2",
					 .values = values,
					 .count = 2 };
	if (sql_query(&sql, &query, &err) < 0)
		exit(1);
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static void print_times(const char *name, int64_t *list, size_t count)
{
	qsort(list, count, sizeof(*list), compare);
	printf("\"%s_p50_us\": %.1f, \"%s_p99_us\": %.1f", name, (double)list[count / 2] / 1000,
	       name, (double)list[count * 99 / 100] / 1000);
}

static void measure(const char *name, int first, int last, bool is_filtered)
{
	size_t found = 0;

	for (size_t i = 0; i < TURNS; i++) {
		int64_t at = clock_ns();

		found += ask(first + (int)(chance() * (last - first + 1)), is_filtered);
		times[i] = clock_ns() - at;
	}
	print_times(name, times, TURNS);
	printf(", \"%s_found\": %.1f, ", name, (double)found / TURNS);
}

int main(int argc, char **argv)
{
	static const char *const names[KINDS] = { "character", "pair",   "word",
						  "words",     "ending", "characters" };
	int64_t messages = argc >= 3 ? strtoll(argv[2], NULL, 10) : 0, at;
	struct sql_place place;
	struct error err;

	if (messages < BATCH)
		return 64;
	url = argv[1];
	place = (struct sql_place){ .url = url };
	at = clock_ns();
	if (argc == 3)
		load(messages);
	printf("{\"messages\": %lld, \"load_us\": %.2f, ", (long long)messages,
	       (double)(clock_ns() - at) / 1000 / (double)messages);
	if (sql_open(&sql, &place, &err) < 0)
		return 1;
	for (int kind = 0; kind < KINDS; kind++)
		measure(names[kind], kind, kind, false);
	measure("filtered", 0, KINDS - 1, true);
	measure("mixed", 0, KINDS - 1, false);
	for (size_t i = 0; i < TURNS; i++) {
		at = clock_ns();
		look_up(messages);
		lookups[i] = clock_ns() - at;
	}
	print_times("lookup", lookups, TURNS);
	printf("}\n");
	sql_close(&sql);
	return 0;
}
