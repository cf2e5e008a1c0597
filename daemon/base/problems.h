/* What is wrong with a file somebody wrote: all of it at once, each at its own
 * place, so that editors can jump there. Texts never hold a secret's value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct problems;

enum problem_severity { PROBLEM_ERROR, PROBLEM_WARNING };

/* A place in a file as its reader names it: lines and columns (in characters)
 * count from 1; line 0 where the input has no lines. */
struct place {
	const char *file;
	unsigned line;
	unsigned column;
};

struct problem {
	struct place at;
	enum problem_severity severity;
	const char *text; /* one phrase */
	const char *hint; /* how to mend it; NULL: nothing to add */
};

enum { PROBLEMS_MAX = 50 }; /* kept; more are only counted */

struct problems *problems_new(void);
void problems_free(struct problems **problems);

/* The text is "text" or "text\thint"; hints with values use the same format arguments. Place and
 * text are copied. One error is kept for a place, and none on a line with a syntax error. */
void problem_error(struct problems *problems, const struct place *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void problem_warn(struct problems *problems, const struct place *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An error after which the rest of its line cannot be judged. */
void problem_syntax(struct problems *problems, const struct place *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds all of `from`, under the same rules. */
void problems_join(struct problems *problems, const struct problems *from);

size_t problems_errors(const struct problems *problems);
size_t problems_warnings(const struct problems *problems);
/* In the order of their places; NULL past the end. */
const struct problem *problem_at(struct problems *problems, size_t index);
/* "FILE:line:column: error: text (hint)", one line each. */
void problem_format(const struct problem *problem, char *out, size_t room);
void problems_print(struct problems *problems, FILE *out);
