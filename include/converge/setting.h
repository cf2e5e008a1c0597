/* The typed settings row: a module or a connector describes its options as a
 * table of rows over a struct of its own; the loader fills the struct, and the
 * same rows generate the sample file, --help, the man page and
 * docs/configuration.md. A table ends with a row without a name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_kind {
	SETTING_BOOL,    /* bool */
	SETTING_COUNT,   /* int64_t: a plain number */
	SETTING_SIZE,    /* int64_t bytes: 64k, 25M, 1G */
	SETTING_TIME,    /* int64_t milliseconds: 500ms, 5s, 3m, 2h, 1d */
	SETTING_TEXT,    /* char * */
	SETTING_CHOICE,  /* int: index into choices */
	SETTING_URL,     /* char *, scheme one of choices */
	SETTING_ADDRESS, /* char *: host:port, [v6]:port or unix:/path */
	SETTING_PATH,    /* char *: absolute after loading (relative to the file that names it) */
	SETTING_SECRET,  /* char *: inline, ${env:NAME}, or by the sibling <name>_file */
	SETTING_LIST,    /* struct setting_texts: a list of texts */
	SETTING_GROUP,   /* a nested struct with rows of its own */
};

enum setting_flags {
	SETTING_REQUIRED = 1,
	SETTING_RELOADABLE = 2, /* SIGHUP applies it; others are reported as "needs a restart" */
	SETTING_HIDDEN = 4,     /* not in the sample file */
	SETTING_ABSENT = 8,     /* known, but of a part this program was built without: an error */
	SETTING_SHORT = 16,     /* of a GROUP: a plain value stands for its first row */
};

struct setting_texts {
	char **items;
	size_t count;
};

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;
	const char *fallback; /* as it would be written; NULL: none */
	int64_t min;
	int64_t max; /* bounds of COUNT, SIZE, TIME, of the length of TEXT; 0,0: none */
	/* NULL-terminated: CHOICE values, a LIST's allowed texts, URL schemes (none: http, https).
	 * Among schemes "=word" is a whole value without a URL, and "!scheme" one that is known but
	 * that this program was built without. */
	const char *const *choices;
	unsigned flags;
	const char *text;           /* one sentence of help */
	const struct setting *rows; /* of a GROUP, ended by a row without a name */
	/* Judges the finished text of TEXT, URL, ADDRESS, PATH, SECRET or of one item of a LIST:
	 * NULL when it will do, else a static phrase, "must ...", that does not repeat the value.
	 */
	const char *(*check)(const char *text);
};

/* SETTING_ROW("poll", TIME, struct imap_settings, poll_ms, "30s", .min = 1000, .text = "..."),
 * fills poll_ms. The struct's member has the C type named beside the kind above. */
#define SETTING_ROW(row_name, row_kind, type, member, row_fallback, ...)                           \
	{                                                                                          \
		.name = (row_name), .kind = SETTING_##row_kind, .offset = offsetof(type, member),  \
		.fallback = (row_fallback), __VA_ARGS__                                            \
	}
#define SETTING_END                                                                                \
	{                                                                                          \
		.name = NULL                                                                       \
	}
