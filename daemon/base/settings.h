/* Fills structs from a map by their rows (include/converge/setting.h). Every
 * error goes to the problems, at its own place, and never shows a secret. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/problems.h"
#include "base/yaml.h"
#include "converge/setting.h"

enum { SETTING_SECRET_MAX = 64 * 1024 };

/* Where the values come from. */
struct settings_source {
	struct arena *arena; /* of the texts */
	struct problems *problems;
	const char *folder; /* relative paths start here */
	bool is_service; /* run by a service manager: secrets in files others can read are errors */
	bool is_exposed; /* others can read the file itself */
};

/* The source that a file is; looks at $INVOCATION_ID and the file's mode. */
void settings_source_open(struct settings_source *source, const char *file, struct arena *arena,
			  struct problems *problems);

/* A struct and its rows. Where two tables have a row of one name, both are filled. */
struct settings_table {
	const struct setting *rows; /* NULL ends an array of tables */
	void *target;
};

/* Sets the fallbacks, groups included. */
void settings_defaults(const struct settings_source *source, const struct settings_table *tables);
/* Fills the tables from the map; where names it in errors ("listen", "channel \"shop\"", NULL: the
 * file); others are further keys that the caller reads by itself (NULL-terminated, or NULL). */
void settings_read(const struct settings_source *source, const struct yaml_node *map,
		   const char *where, const struct settings_table *tables,
		   const char *const *others);

/* A relative path as seen from the folder, without "./" parts; in the arena. */
char *settings_path(const struct settings_source *source, const char *path);

/* The nearest of the names (NULL-terminated) to what was written; NULL: none is near. */
const char *settings_nearest(const char *written, const char *const *names);

/* "25M" and "30s" as numbers; false where they are none. */
bool settings_parse_size(const char *text, int64_t *ret_bytes);
bool settings_parse_time(const char *text, int64_t *ret_ms);
/* The shortest exact text of a number of that kind. */
void settings_format_number(enum setting_kind kind, int64_t number, char out[32]);
/* A value that may be shown: bounded, without control characters; in the arena. */
const char *settings_shown(struct arena *arena, const char *text);

/* Do the two structs differ in this row? */
bool settings_differ(const struct setting *row, const void *a, const void *b);
