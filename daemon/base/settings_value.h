/* One value of a row, by itself: for settings*.c and for those who keep values elsewhere. */
#pragma once

#include "base/settings.h"

struct setting_value {
	const struct settings_source *source;
	const struct setting *row;
	const char *name; /* as written: the row's, or with _file */
	const char *text; /* finished text is written back here */
	struct place at;
	void *slot; /* the struct's member */
};

/* Parses value->text for any kind but LIST and GROUP. False after an error. */
bool setting_value_read(struct setting_value *value);
/* "a whole number", "a list" ... */
const char *setting_kind_noun(enum setting_kind kind);

/* settings_secret.c: texts from "${env:NAME}" and from files. NULL after an error. */
const char *setting_expand(const struct setting_value *value);
const char *setting_file_secret(const struct setting_value *value);
void setting_warn_exposed(const struct setting_value *value);

/* settings_url.c */
bool setting_url_read(struct setting_value *value);
bool setting_address_read(struct setting_value *value);
