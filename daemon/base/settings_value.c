#include "base/settings_value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const char *const kind_nouns[] = {
	[SETTING_BOOL] = "true or false",
	[SETTING_COUNT] = "a whole number",
	[SETTING_SIZE] = "a size such as 64k, 25M or 1G",
	[SETTING_TIME] = "a time such as 500ms, 30s, 5m, 2h or 1d",
	[SETTING_TEXT] = "a text",
	[SETTING_CHOICE] = "a word",
	[SETTING_URL] = "a URL",
	[SETTING_ADDRESS] = "an address",
	[SETTING_PATH] = "a path",
	[SETTING_SECRET] = "a text",
	[SETTING_LIST] = "a list",
	[SETTING_GROUP] = "a map",
};

const char *setting_kind_noun(enum setting_kind kind)
{
	return kind_nouns[kind];
}

static const char *shown(const struct setting_value *value)
{
	return settings_shown(value->source->arena, value->text);
}

static bool read_bool(struct setting_value *value)
{
	static const char *const words[] = { "false", "no", "off", "true", "yes", "on" };

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (text_equal_nocase(value->text, words[i])) {
			*(bool *)value->slot = i >= 3;
			return true;
		}
	}
	problem_error(value->source->problems, &value->at, "\"%s\" is \"%s\"\twrite true or false",
		      value->name, shown(value));
	return false;
}

static const char *bounds(const struct setting_value *value)
{
	const struct setting *row = value->row;
	char low[32], high[32];

	settings_format_number(row->kind, row->min, low);
	settings_format_number(row->kind, row->max, high);
	if (row->max == 0)
		return arena_format(value->source->arena, "at least %s", low);
	return arena_format(value->source->arena, "%s to %s", low, high);
}

static bool out_of_range(const struct setting_value *value)
{
	problem_error(value->source->problems, &value->at,
		      "\"%s\" is %s, out of range\tit may be %s", value->name, shown(value),
		      bounds(value));
	return false;
}

static bool not_a_number(const struct setting_value *value)
{
	const char *digits = value->text + (value->text[0] == '-');
	const char *hint = "write a whole number";

	if (value->row->kind == SETTING_SIZE)
		hint = "write a size: 64k, 25M, 1G";
	if (value->row->kind == SETTING_TIME)
		hint = "write a time with its unit: 500ms, 30s, 5m, 2h, 1d";
	if (value->row->kind == SETTING_TIME && *digits != '\0' &&
	    strspn(digits, "0123456789") == strlen(digits))
		problem_error(value->source->problems, &value->at, "\"%s\" has no unit\twrite %ss",
			      value->name, shown(value));
	else
		problem_error(value->source->problems, &value->at, "\"%s\" is \"%s\", not %s\t%s",
			      value->name, shown(value),
			      value->row->kind == SETTING_COUNT  ? "a whole number"
			      : value->row->kind == SETTING_SIZE ? "a size"
								 : "a time",
			      hint);
	return false;
}

static bool read_number(struct setting_value *value)
{
	const struct setting *row = value->row;
	bool negative = value->text[0] == '-';
	const char *text = value->text + negative;
	int64_t number = 0;
	uint64_t count;
	bool ok;

	if (row->kind == SETTING_COUNT) {
		ok = text_uint(text, strlen(text), &count);
		number = count > INT64_MAX ? INT64_MAX : (int64_t)count;
	} else if (row->kind == SETTING_SIZE) {
		ok = settings_parse_size(text, &number);
	} else {
		ok = settings_parse_time(text, &number);
	}
	if (!ok)
		return strspn(text, "0123456789") == strlen(text) && strlen(text) > 18
			       ? out_of_range(value)
			       : not_a_number(value);
	number = negative ? -number : number;
	if (number < row->min || (row->max != 0 && number > row->max))
		return out_of_range(value);
	*(int64_t *)value->slot = number;
	return true;
}

static bool read_choice(struct setting_value *value)
{
	const char *const *choices = value->row->choices;
	const char *near, *list = "";

	for (int i = 0; choices[i] != NULL; i++) {
		if (strcmp(choices[i], value->text) == 0) {
			*(int *)value->slot = i;
			return true;
		}
		list = arena_format(value->source->arena, "%s%s%s", list, i == 0 ? "" : ", ",
				    choices[i]);
	}
	near = settings_nearest(value->text, choices);
	if (near != NULL)
		problem_error(value->source->problems, &value->at,
			      "\"%s\" is \"%s\"\tdid you mean \"%s\"? It may be %s", value->name,
			      shown(value), near, list);
	else
		problem_error(value->source->problems, &value->at, "\"%s\" is \"%s\"\tit may be %s",
			      value->name, shown(value), list);
	return false;
}

static bool read_text(struct setting_value *value)
{
	int64_t len = (int64_t)text_characters(value->text, strlen(value->text));

	if (text_starts(value->text, "${env:")) {
		problem_error(value->source->problems, &value->at,
			      "\"%s\" is no secret\t${env:NAME} is read in secrets and URLs only",
			      value->name);
		return false;
	}
	if (len < value->row->min || (value->row->max != 0 && len > value->row->max)) {
		problem_error(value->source->problems, &value->at,
			      "\"%s\" has %lld characters\tit may have %s", value->name,
			      (long long)len, bounds(value));
		return false;
	}
	return true;
}

static bool read_path(struct setting_value *value)
{
	if (!read_text(value))
		return false;
	if (text_starts(value->text, "~")) {
		problem_error(value->source->problems, &value->at,
			      "\"%s\" begins with \"~\"\twrite the whole path", value->name);
		return false;
	}
	value->text = settings_path(value->source, value->text);
	return true;
}

static bool read_secret(struct setting_value *value)
{
	const char *text;

	if (value->name != value->row->name) {
		text = setting_file_secret(value);
	} else {
		setting_warn_exposed(value);
		text = setting_expand(value);
	}
	if (text == NULL)
		return false;
	value->text = text;
	return true;
}

static bool keep_text(struct setting_value *value)
{
	const char *phrase = value->row->check == NULL ? NULL : value->row->check(value->text);

	if (phrase != NULL) {
		problem_error(value->source->problems, &value->at, "\"%s\" %s\t%s", value->name,
			      phrase, value->row->text);
		return false;
	}
	*(char **)value->slot = arena_text(value->source->arena, value->text);
	return true;
}

static bool (*const readers[])(struct setting_value *) = {
	[SETTING_BOOL] = read_bool,       [SETTING_COUNT] = read_number,
	[SETTING_SIZE] = read_number,     [SETTING_TIME] = read_number,
	[SETTING_CHOICE] = read_choice,   [SETTING_TEXT] = read_text,
	[SETTING_URL] = setting_url_read, [SETTING_ADDRESS] = setting_address_read,
	[SETTING_PATH] = read_path,       [SETTING_SECRET] = read_secret,
};

static bool is_text(enum setting_kind kind)
{
	return kind == SETTING_TEXT || kind == SETTING_URL || kind == SETTING_ADDRESS ||
	       kind == SETTING_PATH || kind == SETTING_SECRET;
}

bool setting_value_read(struct setting_value *value)
{
	if (value->text[0] == '\0' && !(value->row->kind == SETTING_TEXT && value->row->min == 0)) {
		problem_error(value->source->problems, &value->at,
			      "\"%s\" is empty\twrite a value, or remove the line", value->name);
		return false;
	}
	if (!readers[value->row->kind](value))
		return false;
	return is_text(value->row->kind) ? keep_text(value) : true;
}
