/* Fields, forms, JSON and multipart bodies of what is asked. */
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "provider.h"

const char *ask_field(struct ask *ask, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(ask->request), name);
}

static const char *form_value(struct ask *ask, const char *form, const char *name)
{
	size_t want = strlen(name);
	while (form != NULL && *form != '\0') {
		size_t len = strcspn(form, "&");
		size_t key = strcspn(form, "=&");
		char *got = arena_copy(ask->arena, form, key);
		if (text_unpercent(got, key, true, got, key + 1) == (long)want &&
		    strcmp(got, name) == 0) {
			size_t value_len = len > key ? len - key - 1 : 0;
			char *value = arena_copy(ask->arena, form + len - value_len, value_len);
			return text_unpercent(value, value_len, true, value, value_len + 1) >= 0
				       ? value
				       : NULL;
		}
		form += len + (form[len] == '&');
	}
	return NULL;
}

const char *ask_query(struct ask *ask, const char *name)
{
	return form_value(ask, ask->query, name);
}

static bool has_type(struct ask *ask, const char *type)
{
	const char *given = ask_field(ask, "Content-Type");
	return given != NULL && strncasecmp(given, type, strlen(type)) == 0 &&
	       strchr("; ", given[strlen(type)]) != NULL;
}

const char *ask_form(struct ask *ask, const char *name)
{
	if (!has_type(ask, "application/x-www-form-urlencoded"))
		return NULL;
	return form_value(ask, ask->body, name);
}

struct json_object *ask_json(struct ask *ask)
{
	struct error err;
	if (ask->json == NULL && has_type(ask, "application/json"))
		ask->json = json_read(ask->body, ask->len, &err);
	return ask->json;
}

const char *ask_bearer(struct ask *ask)
{
	const char *given = ask_field(ask, "Authorization");
	return given != NULL && text_starts(given, "Bearer ") ? given + strlen("Bearer ") : "";
}

/* ---- multipart/form-data ---- */

/* The value of a parameter in a header's line: name="value" or name=value. */
static const char *parameter(struct ask *ask, const char *line, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = strcasestr(line, name); at != NULL; at = strcasestr(at + len, name)) {
		if (at == line || strchr("; \t", at[-1]) == NULL || at[len] != '=')
			continue;
		const char *value = at + len + 1;
		return value[0] == '"'
			       ? arena_copy(ask->arena, value + 1, strcspn(value + 1, "\"\r\n"))
			       : arena_copy(ask->arena, value, strcspn(value, "; \r\n"));
	}
	return NULL;
}

static void part_line(struct ask *ask, const char *line, struct part *ret)
{
	if (strncasecmp(line, "content-disposition:", strlen("content-disposition:")) == 0) {
		ret->name = parameter(ask, line, "name");
		ret->file = parameter(ask, line, "filename");
	} else if (strncasecmp(line, "content-type:", strlen("content-type:")) == 0) {
		const char *value = line + strlen("content-type:");
		value += strspn(value, " ");
		ret->type = arena_copy(ask->arena, value, strcspn(value, "\r\n"));
	}
}

/* The part that starts at *at, which then stands at the next; false at the end. */
static bool part_next(struct ask *ask, const char **at, const char *mark, struct part *ret)
{
	const char *end = ask->body + ask->len;
	size_t mark_len = strlen(mark);
	const char *line = *at + mark_len;
	*ret = (struct part){ .name = "", .type = "" };
	if (end - line < 4 || strncmp(line, "\r\n", 2) != 0)
		return false;
	for (line += 2; strncmp(line, "\r\n", 2) != 0;) {
		const char *next = memmem(line, (size_t)(end - line), "\r\n", 2);
		if (next == NULL)
			return false;
		part_line(ask, arena_copy(ask->arena, line, (size_t)(next - line)), ret);
		line = next + 2;
	}
	ret->bytes = line + 2;
	const char *close = memmem(ret->bytes, (size_t)(end - ret->bytes), mark, mark_len);
	if (close == NULL || close - ret->bytes < 2)
		return false;
	ret->len = (size_t)(close - ret->bytes) - 2;
	*at = close;
	return true;
}

bool ask_part(struct ask *ask, const char *name, struct part *ret)
{
	const char *boundary;
	if (!has_type(ask, "multipart/form-data"))
		return false;
	boundary = parameter(ask, ask_field(ask, "Content-Type"), "boundary");
	if (boundary == NULL || boundary[0] == '\0')
		return false;
	const char *mark = arena_format(ask->arena, "--%s", boundary);
	const char *at = memmem(ask->body, ask->len, mark, strlen(mark));
	while (at != NULL && part_next(ask, &at, mark, ret))
		if (ret->name != NULL && strcmp(ret->name, name) == 0)
			return true;
	return false;
}

/* ---- words ---- */

const char *quote(struct arena *arena, const char *text)
{
	struct buf out = { 0 };
	struct json_out json;
	jw_start(&json, &out);
	jw_text(&json, NULL, text);
	const char *copy = arena_copy(arena, buf_string(&out), out.len);
	buf_clear(&out);
	return copy;
}

const char *said(struct json_object *what, const char *name, const char *fallback)
{
	const char *text = json_text(what, name);
	return text != NULL ? text : fallback;
}

size_t utf16_length(const char *text)
{
	size_t units = 0, left = strlen(text);
	while (left > 0) {
		uint32_t codepoint = 0;
		size_t len = text_character(text, left, &codepoint);
		len = len > 0 ? len : 1;
		units += codepoint > 0xffff ? 2 : 1;
		text += len;
		left -= len;
	}
	return units;
}

const char *http_date(struct arena *arena, int64_t unix_s)
{
	char text[64];
	struct tm parts;
	time_t when = (time_t)unix_s;
	gmtime_r(&when, &parts);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
	return arena_text(arena, text);
}
