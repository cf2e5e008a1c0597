/* import csv: a table of people, as spreadsheets write it. */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "import.h"

enum { COLUMNS = 200, FILE_MAX = 256 * 1024 * 1024 };

enum field {
	FIELD_ATTRIBUTE,
	FIELD_ID,
	FIELD_NAME,
	FIELD_EMAIL,
	FIELD_PHONE,
	FIELD_TIER,
	FIELD_TAGS,
	FIELD_NOTE,
	FIELD_CREATED
};

/* How people head their columns. */
static const struct {
	const char *title;
	enum field field;
} titles[] = {
	{ "id", FIELD_ID },
	{ "external_id", FIELD_ID },
	{ "customer_id", FIELD_ID },
	{ "编号", FIELD_ID },
	{ "客户编号", FIELD_ID },
	{ "name", FIELD_NAME },
	{ "full name", FIELD_NAME },
	{ "姓名", FIELD_NAME },
	{ "客户姓名", FIELD_NAME },
	{ "客户名称", FIELD_NAME },
	{ "email", FIELD_EMAIL },
	{ "e-mail", FIELD_EMAIL },
	{ "mail", FIELD_EMAIL },
	{ "邮箱", FIELD_EMAIL },
	{ "电子邮箱", FIELD_EMAIL },
	{ "邮件", FIELD_EMAIL },
	{ "phone", FIELD_PHONE },
	{ "mobile", FIELD_PHONE },
	{ "phone_number", FIELD_PHONE },
	{ "tel", FIELD_PHONE },
	{ "手机", FIELD_PHONE },
	{ "手机号", FIELD_PHONE },
	{ "电话", FIELD_PHONE },
	{ "联系电话", FIELD_PHONE },
	{ "tier", FIELD_TIER },
	{ "level", FIELD_TIER },
	{ "等级", FIELD_TIER },
	{ "客户等级", FIELD_TIER },
	{ "tags", FIELD_TAGS },
	{ "labels", FIELD_TAGS },
	{ "标签", FIELD_TAGS },
	{ "note", FIELD_NOTE },
	{ "notes", FIELD_NOTE },
	{ "备注", FIELD_NOTE },
	{ "created_at", FIELD_CREATED },
	{ "创建时间", FIELD_CREATED },
};

struct table {
	struct buf bytes;
	const char *at;
	char separator;
	size_t line;
	const char *cells[COLUMNS];
	size_t count;
	size_t row_line; /* where the row that was read last began */
	enum field fields[COLUMNS];
	const char *names[COLUMNS];
	size_t columns;
};

/* ---- reading ---- */

static int file_read(const char *path, struct buf *out, struct error *err)
{
	FILE *file = text_equal(path, "-") ? stdin : fopen(path, "re");
	size_t got;

	if (file == NULL)
		return error_set(err, ERROR_MISUSE, "%s: %s", path, strerror(errno));
	do {
		buf_reserve(out, 64 * 1024);
		got = fread(out->data + out->len, 1, 64 * 1024, file);
		out->len += got;
	} while (got > 0 && out->len < FILE_MAX);
	out->data[out->len] = '\0';
	if (file != stdin)
		fclose(file);
	return got > 0 ? error_set(err, ERROR_MISUSE, "%s: longer than 256 MiB", path) : 0;
}

/* Spreadsheets of a Chinese system write GB18030 where they are not asked for UTF-8. */
static int to_utf8(const char *path, struct buf *bytes, struct error *err)
{
	iconv_t converter;
	struct buf out = { 0 };
	char *in = bytes->data;
	size_t left = bytes->len;
	size_t room = 2 * left + 16;
	char *place;
	size_t failed;

	if (text_is_utf8(bytes->data, bytes->len))
		return 0;
	converter = iconv_open("UTF-8", "GB18030");
	buf_reserve(&out, room);
	place = out.data;
	failed =
		converter == (iconv_t)-1 ? (size_t)-1 : iconv(converter, &in, &left, &place, &room);
	if (converter != (iconv_t)-1)
		iconv_close(converter);
	if (failed == (size_t)-1) {
		buf_clear(&out);
		return error_set(
			err, ERROR_MISUSE,
			"%s: neither UTF-8 nor GB18030 (byte %zu); save it as \"CSV UTF-8\"", path,
			(size_t)(in - bytes->data) + 1);
	}
	out.len = (size_t)(place - out.data);
	*place = '\0';
	buf_clear(bytes);
	*bytes = out;
	fprintf(stderr, "convergectl: note: %s is not UTF-8; read as GB18030\n", path);
	return 0;
}

/* The one of , ; and tab that the first line has most of. */
static char separator_of(const char *text)
{
	size_t len = strcspn(text, "\r\n");
	size_t counts[3] = { 0 };
	static const char separators[] = ",;\t";
	size_t best = 0;

	for (size_t i = 0; i < len; i++)
		for (size_t j = 0; j < 3; j++)
			counts[j] += text[i] == separators[j];
	for (size_t j = 1; j < 3; j++)
		if (counts[j] > counts[best])
			best = j;
	return separators[best];
}

/* One cell in quotes, "" standing for one; -1 where the closing quote is missing. */
static int quoted_read(struct table *table, struct buf *out)
{
	for (table->at++; *table->at != '\0'; table->at++) {
		if (*table->at == '"' && table->at[1] != '"') {
			table->at++;
			return 0;
		}
		table->at += *table->at == '"';
		table->line += *table->at == '\n';
		buf_byte(out, *table->at);
	}
	return -1;
}

static bool is_cell_end(const struct table *table)
{
	return *table->at == table->separator || *table->at == '\n' || *table->at == '\r' ||
	       *table->at == '\0';
}

static int cell_read(struct table *table, struct arena *arena, struct error *err)
{
	struct buf cell = { 0 };
	int result = *table->at == '"' ? quoted_read(table, &cell) : 0;

	while (result == 0 && !is_cell_end(table))
		buf_byte(&cell, *table->at++);
	if (result < 0)
		error_set(err, ERROR_MISUSE, "the quote of column %zu is never closed",
			  table->count + 1);
	if (result == 0 && table->count == COLUMNS)
		result = error_set(err, ERROR_MISUSE, "more than %d columns", COLUMNS);
	if (result == 0)
		table->cells[table->count++] =
			text_clean(arena, buf_string(&cell), cell.len, 100000);
	buf_clear(&cell);
	return result;
}

/* 1, 0 at the end, -1 with err. */
static int row_read(struct table *table, struct arena *arena, struct error *err)
{
	table->count = 0;
	while (*table->at == '\r' || *table->at == '\n')
		table->line += *table->at++ == '\n';
	table->row_line = table->line;
	if (*table->at == '\0')
		return 0;
	for (;;) {
		if (cell_read(table, arena, err) < 0)
			return -1;
		if (*table->at != table->separator)
			return 1;
		table->at++;
	}
}

/* ---- meaning ---- */

static enum field field_of(const char *title)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (text_equal_nocase(titles[i].title, title))
			return titles[i].field;
	return FIELD_ATTRIBUTE;
}

static const char *trimmed(struct arena *arena, const char *text)
{
	return text_clean_line(arena, text, strlen(text), 100000);
}

static int titles_read(struct table *table, struct arena *arena, struct error *err)
{
	bool has_address = false;

	if (row_read(table, arena, err) <= 0)
		return error_set(err, ERROR_MISUSE, "the file is empty");
	table->columns = table->count;
	for (size_t i = 0; i < table->count; i++) {
		table->names[i] = trimmed(arena, table->cells[i]);
		table->fields[i] = field_of(table->names[i]);
		has_address |= table->fields[i] == FIELD_ID || table->fields[i] == FIELD_EMAIL ||
			       table->fields[i] == FIELD_PHONE;
	}
	if (!has_address)
		return error_set(err, ERROR_MISUSE,
				 "no column is called id, email or phone (编号, 邮箱, 手机): the "
				 "first line must name the columns");
	return 0;
}

static const char *cell_of(const struct table *table, enum field field)
{
	for (size_t i = 0; i < table->columns && i < table->count; i++)
		if (table->fields[i] == field && *table->cells[i] != '\0')
			return table->cells[i];
	return NULL;
}

static void tags_write(struct json_out *out, struct arena *arena, const char *cell)
{
	jw_array(out, "tags");
	while (cell != NULL && *cell != '\0') {
		size_t len = strcspn(cell, ",;|");
		const char *tag = text_clean_line(arena, cell, len, 100);

		if (*tag != '\0')
			jw_text(out, NULL, tag);
		cell += len + (cell[len] != '\0');
	}
	jw_array_end(out);
}

static void attributes_write(struct json_out *out, const struct table *table)
{
	jw_object(out, "attributes");
	for (size_t i = 0; i < table->columns && i < table->count; i++)
		if (table->fields[i] == FIELD_ATTRIBUTE && *table->names[i] != '\0' &&
		    *table->cells[i] != '\0')
			jw_text(out, table->names[i], table->cells[i]);
	jw_object_end(out);
}

static void identifiers_write(struct json_out *out, const struct table *table)
{
	jw_array(out, "identifiers");
	for (size_t i = 0; i < table->columns && i < table->count; i++) {
		if (table->fields[i] == FIELD_EMAIL)
			import_identifier(out, "email", table->cells[i]);
		if (table->fields[i] == FIELD_PHONE)
			import_identifier(out, "phone", table->cells[i]);
	}
	jw_array_end(out);
}

static void row_import(struct import_run *run, const struct table *table, const char *at)
{
	struct arena *arena = import_arena(run);
	const char *id = cell_of(table, FIELD_ID);
	const char *note = cell_of(table, FIELD_NOTE);
	struct json_out *out;

	if (table->count > table->columns) {
		import_refuse(
			run, at,
			"more cells than the first line names: is a comma missing its quotes?");
		return;
	}
	id = id != NULL ? id : cell_of(table, FIELD_EMAIL);
	id = id != NULL ? id : cell_of(table, FIELD_PHONE);
	if (id == NULL) {
		import_refuse(run, at, "neither id, email nor phone");
		return;
	}
	id = trimmed(arena, id);
	out = import_begin(run, "customers", at);
	jw_text(out, "external_id", id);
	jw_text(out, "name", cell_of(table, FIELD_NAME));
	jw_text(out, "tier", cell_of(table, FIELD_TIER));
	jw_text(out, "created_at", cell_of(table, FIELD_CREATED));
	tags_write(out, arena, cell_of(table, FIELD_TAGS));
	attributes_write(out, table);
	identifiers_write(out, table);
	jw_array(out, "notes");
	if (note != NULL) {
		jw_object(out, NULL);
		jw_text(out, "text", note);
		jw_object_end(out);
	}
	jw_array_end(out);
	import_end(run);
}

int import_csv(struct import_run *run, const char *file)
{
	struct table table = { .line = 1 };
	struct error err = { 0 };
	struct arena *heads = arena_new(0);
	int result = file_read(file, &table.bytes, &err);
	char at[512];

	if (result == 0)
		result = to_utf8(file, &table.bytes, &err);
	table.at = buf_string(&table.bytes);
	if (text_starts(table.at, "\xEF\xBB\xBF"))
		table.at += 3;
	table.separator = separator_of(table.at);
	if (result == 0) {
		result = titles_read(&table, heads, &err);
		if (result < 0)
			error_wrap(&err, "%s:1", file);
	}
	while (result == 0 && !import_is_over(run)) {
		int got = row_read(&table, import_arena(run), &err);

		snprintf(at, sizeof(at), "%s:%zu", file, table.row_line);
		if (got == 0)
			break;
		if (got < 0)
			result = error_wrap(&err, "%s", at);
		else
			row_import(run, &table, at);
	}
	if (result < 0)
		import_fail(run, EX_DATAERR, &err);
	buf_clear(&table.bytes);
	arena_free(&heads);
	return result;
}
