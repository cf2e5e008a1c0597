/* Tables, JSON and errors. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "ctl.h"

enum { MB_LEN_MAX_UTF8 = 4 };

bool output_is_colourful(FILE *stream)
{
	return getenv("NO_COLOR") == NULL && isatty(fileno(stream));
}

static void print_error_word(void)
{
	bool colour = output_is_colourful(stderr);
	fprintf(stderr, "convergectl: %serror:%s ", colour ? "\033[31m" : "",
		colour ? "\033[0m" : "");
}

int output_error(int exit_code, const struct error *err)
{
	print_error_word();
	fprintf(stderr, "%s\n", err->text);
	return exit_code;
}

static int exit_of_status(int status)
{
	if (status == 429 || status == 503)
		return EX_TEMPFAIL;
	return status >= 400 ? EXIT_REFUSED : EX_PROTOCOL;
}

/* Text of outsiders for a terminal: control characters become spaces. */
static void put_plain(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;
		bool is_c1 = byte == 0xc2 && ((unsigned char)text[1] & 0xe0) == 0x80;
		if (is_c1)
			text++;
		buf_byte(out, byte < 0x20 || byte == 0x7f || is_c1 ? ' ' : *text);
	}
}

struct joining {
	struct buf *out;
	bool is_flat;
};

static void check_flat(const char *key, struct json_object *value, void *context)
{
	struct joining *joining = context;
	(void)key;
	joining->is_flat = joining->is_flat && json_kind(value) != JSON_ARRAY &&
			   json_kind(value) != JSON_OBJECT;
}

static void join(const char *key, struct json_object *value, void *context)
{
	struct joining *joining = context;
	buf_text(joining->out, joining->out->len > 0 ? ", " : "");
	if (key != NULL)
		buf_format(joining->out, "%s: ", key);
	if (json_kind(value) == JSON_TEXT)
		buf_text(joining->out, json_string(value));
	else
		json_append(value, joining->out);
}

/* "support, refunds" and "zh: 5, refunds: 3"; what is nested stays JSON. */
static void put_group(struct json_object *value, struct buf *raw)
{
	struct joining joining = { raw, true };
	for (size_t i = 0; i < json_count(value); i++)
		check_flat(NULL, json_item(value, i), &joining);
	if (json_kind(value) == JSON_OBJECT)
		json_each_field(value, check_flat, &joining);
	if (!joining.is_flat) {
		json_append(value, raw);
		return;
	}
	for (size_t i = 0; i < json_count(value); i++)
		join(NULL, json_item(value, i), &joining);
	if (json_kind(value) == JSON_OBJECT)
		json_each_field(value, join, &joining);
}

static void put_value(struct json_object *value, struct buf *out)
{
	struct buf raw = { 0 };
	switch (json_kind(value)) {
	case JSON_NULL:
		break;
	case JSON_TEXT:
		buf_text(&raw, json_string(value));
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		put_group(value, &raw);
		break;
	default:
		json_append(value, &raw);
		break;
	}
	put_plain(buf_string(&raw), out);
	buf_clear(&raw);
}

void output_plain(FILE *stream, const char *text)
{
	struct buf plain = { 0 };
	put_plain(text, &plain);
	fputs(buf_string(&plain), stream);
	buf_clear(&plain);
}

int output_problem(int status, const char *body, size_t len)
{
	struct json_object *problem = json_read(body, len, NULL);
	print_error_word();
	const char *title = json_text(problem, "title");
	const char *detail = json_text(problem, "detail");
	const char *id = json_text(problem, "instance");
	if (title == NULL && json_text(problem, "status") != NULL)
		output_plain(stderr, json_text(problem, "status"));
	else if (title == NULL)
		fprintf(stderr, "the daemon answered %d", status);
	else
		output_plain(stderr, title);
	if (json_kind(json_at(problem, "checks")) == JSON_OBJECT) {
		struct buf checks = { 0 };
		put_value(json_at(problem, "checks"), &checks);
		fprintf(stderr, ": %s", buf_string(&checks));
		buf_clear(&checks);
	}
	if (detail != NULL) {
		fputs(": ", stderr);
		output_plain(stderr, detail);
	}
	fprintf(stderr, " (HTTP %d", status);
	if (id != NULL) {
		fputs(", request ", stderr);
		output_plain(stderr, id);
	}
	fputs(")\n", stderr);
	json_free(&problem);
	return exit_of_status(status);
}

/* Columns of a terminal: a Han character takes two. */
static size_t width_of(const char *text)
{
	size_t width = 0;
	mbstate_t state = { 0 };
	while (*text != '\0') {
		wchar_t wide;
		size_t len = mbrtowc(&wide, text, MB_LEN_MAX_UTF8, &state);
		if (len == 0 || len > MB_LEN_MAX_UTF8)
			return width + strlen(text);
		int columns = wcwidth(wide);
		width += columns > 0 ? (size_t)columns : 0;
		text += len;
	}
	return width;
}

static void print_padded(const char *text, size_t width, bool is_last)
{
	fputs(text, stdout);
	if (is_last)
		return;
	for (size_t have = width_of(text); have < width + 2; have++)
		fputc(' ', stdout);
}

static size_t count_columns(const struct column *columns)
{
	size_t count = 0;
	while (columns[count].title != NULL)
		count++;
	return count;
}

static void print_row(char *const *cells, const size_t *widths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_padded(cells[i], widths[i], i + 1 == count);
	fputc('\n', stdout);
}

static void print_table(struct call *call, struct json_object *const *rows, size_t count)
{
	const struct column *columns = call->command->columns;
	size_t wide = count_columns(columns);
	char **cells = arena_alloc(call->arena, (count + 1) * wide * sizeof(*cells));
	size_t *widths = arena_alloc(call->arena, wide * sizeof(*widths));
	for (size_t r = 0; r <= count; r++) {
		for (size_t c = 0; c < wide; c++) {
			struct buf text = { 0 };
			if (r == 0)
				buf_text(&text, columns[c].title);
			else
				put_value(json_at(rows[r - 1], columns[c].path), &text);
			cells[r * wide + c] =
				arena_text(call->arena, text.len > 0 ? text.data : "-");
			buf_clear(&text);
			size_t width = width_of(cells[r * wide + c]);
			if (width > widths[c])
				widths[c] = width;
		}
	}
	for (size_t r = 0; r <= count; r++)
		print_row(cells + r * wide, widths, wide);
}

void output_rows(struct call *call, struct json_object *const *rows, size_t count)
{
	if (call->form == OUTPUT_TABLE) {
		print_table(call, rows, count);
		return;
	}
	struct buf out = { 0 };
	buf_byte(&out, '[');
	for (size_t i = 0; i < count; i++) {
		buf_text(&out, i > 0 ? ",\n " : "");
		json_append(rows[i], &out);
	}
	buf_text(&out, "]\n");
	fwrite(out.data, 1, out.len, stdout);
	buf_clear(&out);
}

static void print_field(const char *key, struct json_object *value, void *context)
{
	(void)context;
	struct buf text = { 0 };
	put_value(value, &text);
	printf("%-18s %s\n", key, text.len > 0 ? text.data : "-");
	buf_clear(&text);
}

void output_object(struct call *call, struct json_object *object)
{
	if (object == NULL)
		return;
	if (call->form == OUTPUT_TABLE && json_kind(object) == JSON_OBJECT) {
		json_each_field(object, print_field, NULL);
		return;
	}
	struct buf out = { 0 };
	json_append(object, &out);
	buf_byte(&out, '\n');
	fwrite(out.data, 1, out.len, stdout);
	buf_clear(&out);
}
