#include "config_doc.h"

#include <stdio.h>
#include <string.h>

#include "base/settings.h"

static const char *const kind_words[] = {
	[SETTING_BOOL] = "yes or no", [SETTING_COUNT] = "number",    [SETTING_SIZE] = "size",
	[SETTING_TIME] = "time",      [SETTING_TEXT] = "text",       [SETTING_CHOICE] = "choice",
	[SETTING_URL] = "URL",        [SETTING_ADDRESS] = "address", [SETTING_PATH] = "path",
	[SETTING_SECRET] = "secret",  [SETTING_LIST] = "list",       [SETTING_GROUP] = "map",
};

/* What stands for a value where there is no fallback. */
static const char *const kind_examples[] = {
	[SETTING_BOOL] = "false",       [SETTING_COUNT] = "1",
	[SETTING_SIZE] = "1G",          [SETTING_TIME] = "24h",
	[SETTING_TEXT] = "...",         [SETTING_CHOICE] = "word",
	[SETTING_URL] = "https://host", [SETTING_ADDRESS] = "unix:/path",
	[SETTING_PATH] = "/path",       [SETTING_SECRET] = "secret.txt",
	[SETTING_LIST] = "[]",          [SETTING_GROUP] = "{}",
};

static bool is_shown(const struct setting *row)
{
	return (row->flags & (SETTING_HIDDEN | SETTING_ABSENT)) == 0;
}

/* ---- the sample file ---- */

struct sample {
	struct buf *out;
	int indent;
	bool is_commented; /* a group of which nothing has a fallback */
};

static bool has_fallback(const struct setting *row)
{
	if (row->kind != SETTING_GROUP)
		return row->fallback != NULL;
	for (const struct setting *inner = row->rows; inner->name != NULL; inner++) {
		if (has_fallback(inner))
			return true;
	}
	return false;
}

/* A URL's first scheme that is built in says more than "https". */
static const char *example(const struct setting *row, char *out, size_t room)
{
	const char *const *choices = row->choices;

	if (row->fallback != NULL)
		return row->fallback;
	if (row->kind == SETTING_CHOICE)
		return choices[0];
	if (row->kind != SETTING_URL || choices == NULL)
		return kind_examples[row->kind];
	while (*choices != NULL && (**choices == '=' || **choices == '!'))
		choices++;
	if (*choices == NULL)
		return kind_examples[row->kind];
	snprintf(out, room, "%s:%s", *choices,
		 strcmp(*choices, "unix") == 0 || strcmp(*choices, "file") == 0 ||
				 strcmp(*choices, "sqlite") == 0
			 ? "/path"
			 : "//host");
	return out;
}

static void comment_write(const struct sample *sample, const char *text)
{
	const char *rest = text;
	size_t width = 94 - (size_t)sample->indent;

	while (*rest != '\0') {
		size_t len = strlen(rest);

		if (len > width) {
			len = width;
			while (len > 1 && rest[len] != ' ')
				len--;
		}
		buf_format(sample->out, "%*s# %.*s\n", sample->indent, "", (int)len, rest);
		rest += len;
		rest += *rest == ' ';
	}
}

static void rows_write(const struct sample *sample, const struct setting *rows);

static void row_write(const struct sample *sample, const struct setting *row)
{
	bool is_commented = sample->is_commented || !has_fallback(row);
	struct sample inner = { sample->out, sample->indent + 2, is_commented };
	const char *mark = is_commented ? "#" : "";
	char text[64];

	comment_write(sample, row->text);
	if (row->kind == SETTING_GROUP) {
		buf_format(sample->out, "%*s%s%s:\n", sample->indent, "", mark, row->name);
		rows_write(&inner, row->rows);
		return;
	}
	buf_format(sample->out, "%*s%s%s%s: %s\n", sample->indent, "", mark, row->name,
		   row->kind == SETTING_SECRET ? "_file" : "", example(row, text, sizeof(text)));
}

static void rows_write(const struct sample *sample, const struct setting *rows)
{
	for (; rows->name != NULL; rows++) {
		if (!is_shown(rows))
			continue;
		row_write(sample, rows);
		if (sample->indent == 0)
			buf_byte(sample->out, '\n');
	}
}

static void channel_write(struct buf *out, const struct connector *connector)
{
	struct sample sample = { out, 4, true };

	buf_format(out, "  #- name: my-%s\n    #connector: %s\n", connector->name, connector->name);
	if (connector->settings != NULL)
		rows_write(&sample, connector->settings);
	buf_byte(out, '\n');
}

void config_write_sample(struct buf *out, const struct config_registry *registry)
{
	struct sample sample = { out, 0, false };
	struct sample channel = { out, 4, true };
	const struct connector *connector;

	buf_text(out,
		 "# converged.yaml: where the daemon listens, keeps its state and meets its "
		 "channels.\n"
		 "# Every setting stands here with its fallback; those without one are commented "
		 "out.\n"
		 "# Sizes: 64k, 25M, 1G. Times: 500ms, 30s, 5m, 2h, 1d. Relative paths start at "
		 "this "
		 "file's folder.\n"
		 "# A secret x may be given as x_file: PATH or as x: ${env:NAME}.\n"
		 "# `converged -t -c FILE` checks it. Agents, queues and rules are in "
		 "business.yaml.\n"
		 "\n");
	rows_write(&sample, config_rows);
	buf_text(out, "# Channels: configured instances of connectors. These settings are of every "
		      "channel:\nchannels:\n  #- name: shop\n");
	rows_write(&channel, config_channel_rows + 1);
	for (size_t i = 0; registry != NULL && (connector = registry->at(i)) != NULL; i++) {
		buf_byte(out, '\n');
		channel_write(out, connector);
	}
}

/* ---- tables ---- */

static void schemes_write(struct buf *out, const char *const *choices)
{
	const char *separator = ": ";

	for (; choices != NULL && *choices != NULL; choices++) {
		if (**choices == '!')
			continue;
		buf_format(out, "%s`%s`", separator, *choices + (**choices == '='));
		separator = ", ";
	}
}

static void range_write(struct buf *out, const struct setting *row)
{
	char low[32], high[32];

	settings_format_number(row->kind, row->min, low);
	settings_format_number(row->kind, row->max, high);
	if (row->max != 0)
		buf_format(out, ", %s to %s", low, high);
	else if (row->min != 0)
		buf_format(out, ", at least %s", low);
}

static void table_row(struct buf *out, const char *name, const struct setting *row)
{
	const char *fallback = (row->flags & SETTING_REQUIRED) != 0 ? "required" : "";

	buf_format(out, "| `%s` | %s", name, kind_words[row->kind]);
	schemes_write(out, row->choices);
	if (row->kind == SETTING_COUNT || row->kind == SETTING_SIZE || row->kind == SETTING_TIME)
		range_write(out, row);
	if (row->fallback != NULL)
		buf_format(out, " | `%s`", row->fallback);
	else
		buf_format(out, " | %s", fallback);
	buf_format(out, " | %s | %s |\n", (row->flags & SETTING_RELOADABLE) != 0 ? "yes" : "",
		   row->text);
}

static void table_rows(struct buf *out, const char *prefix, const struct setting *rows)
{
	char name[200];

	for (const struct setting *row = rows; row->name != NULL; row++) {
		if (!is_shown(row))
			continue;
		snprintf(name, sizeof(name), "%s%s", prefix, row->name);
		table_row(out, name, row);
		if (row->kind != SETTING_GROUP)
			continue;
		snprintf(name, sizeof(name), "%s%s.", prefix, row->name);
		table_rows(out, name, row->rows);
	}
}

static void table_write(struct buf *out, const struct setting *rows)
{
	buf_text(out, "| setting | type | fallback | reload | meaning |\n"
		      "| --- | --- | --- | --- | --- |\n");
	table_rows(out, "", rows);
	buf_byte(out, '\n');
}

void config_write_tables(struct buf *out, const struct config_registry *registry)
{
	const struct connector *connector;

	buf_text(out, "### converged.yaml\n\n");
	table_write(out, config_rows);
	buf_text(out, "### channels[]\n\n");
	table_write(out, config_channel_rows);
	for (size_t i = 0; registry != NULL && (connector = registry->at(i)) != NULL; i++) {
		if (connector->settings == NULL)
			continue;
		buf_format(out, "### channels[] with connector: %s\n\n", connector->name);
		table_write(out, connector->settings);
	}
}

/* ---- the man page ---- */

static void man_rows(struct buf *out, const char *prefix, const struct setting *rows)
{
	char name[200];

	for (const struct setting *row = rows; row->name != NULL; row++) {
		if (!is_shown(row))
			continue;
		buf_format(out, "*%s%s* (%s%s%s)\n\t%s\n\n", prefix, row->name,
			   kind_words[row->kind], row->fallback == NULL ? "" : ", fallback ",
			   row->fallback == NULL ? "" : row->fallback, row->text);
		if (row->kind != SETTING_GROUP)
			continue;
		snprintf(name, sizeof(name), "%s%s.", prefix, row->name);
		man_rows(out, name, row->rows);
	}
}

void config_write_man(struct buf *out)
{
	buf_text(out,
		 "converged.yaml(5)\n\n# NAME\n\nconverged.yaml - configuration of converged(8)\n\n"
		 "# DESCRIPTION\n\nThe file is YAML: maps, lists and texts, without anchors, "
		 "aliases and "
		 "tags. Sizes are written as 64k, 25M or 1G, times as 500ms, 30s, 5m, 2h or 1d. "
		 "Relative "
		 "paths start at the folder of the file that names them. A secret _x_ may be given "
		 "as "
		 "x\\_file, the path of a file that holds it, or as ${env:NAME}.\n\n"
		 "*converged -t* checks the file and prints every error.\n\n# SETTINGS\n\n");
	man_rows(out, "", config_rows);
	buf_text(out, "# CHANNELS\n\nThe setting *channels* is a list. Each channel has these "
		      "settings and "
		      "those of its connector, which *converged --print-settings-doc* shows.\n\n");
	man_rows(out, "", config_channel_rows);
	buf_text(out, "# SEE ALSO\n\n*converged*(8)\n");
}
