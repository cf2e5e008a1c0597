#include "base/problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"

struct kept {
	struct problem problem;
	size_t order;
	bool syntax;
};

struct problems {
	struct arena *arena;
	struct kept items[PROBLEMS_MAX];
	size_t count;
	size_t errors;
	size_t warnings;
	bool sorted;
};

struct problems *problems_new(void)
{
	struct problems *problems = memory_new(sizeof(*problems));

	problems->arena = arena_new(0);
	return problems;
}

void problems_free(struct problems **problems)
{
	if (*problems == NULL)
		return;
	arena_free(&(*problems)->arena);
	free(*problems);
	*problems = NULL;
}

static bool is_known(const struct problems *problems, const struct place *at,
		     enum problem_severity severity)
{
	if (at->line == 0)
		return false;
	for (size_t i = 0; i < problems->count; i++) {
		const struct kept *kept = &problems->items[i];

		if (kept->problem.at.line != at->line ||
		    strcmp(kept->problem.at.file, at->file) != 0)
			continue;
		if (kept->syntax)
			return true;
		if (kept->problem.at.column == at->column && kept->problem.severity == severity)
			return true;
	}
	return false;
}

static struct kept *keep(struct problems *problems, const struct place *at,
			 enum problem_severity severity)
{
	struct kept *kept;

	if (is_known(problems, at, severity))
		return NULL;
	if (severity == PROBLEM_ERROR)
		problems->errors++;
	else
		problems->warnings++;
	if (problems->count == PROBLEMS_MAX)
		return NULL;
	kept = &problems->items[problems->count];
	kept->problem.at = *at;
	kept->problem.at.file = arena_text(problems->arena, at->file);
	kept->problem.severity = severity;
	kept->order = problems->count++;
	problems->sorted = false;
	return kept;
}

__attribute__((format(printf, 3, 0))) static void fill(struct problems *problems, struct kept *kept,
						       const char *format, va_list args)
{
	char line[1024];
	char *tab;

	vsnprintf(line, sizeof(line), format, args);
	tab = strchr(line, '\t');
	if (tab != NULL) {
		*tab = '\0';
		kept->problem.hint = arena_text(problems->arena, tab + 1);
	}
	kept->problem.text = arena_text(problems->arena, line);
}

void problem_error(struct problems *problems, const struct place *at, const char *format, ...)
{
	struct kept *kept = keep(problems, at, PROBLEM_ERROR);
	va_list args;

	if (kept == NULL)
		return;
	va_start(args, format);
	fill(problems, kept, format, args);
	va_end(args);
}

void problem_warn(struct problems *problems, const struct place *at, const char *format, ...)
{
	struct kept *kept = keep(problems, at, PROBLEM_WARNING);
	va_list args;

	if (kept == NULL)
		return;
	va_start(args, format);
	fill(problems, kept, format, args);
	va_end(args);
}

void problem_syntax(struct problems *problems, const struct place *at, const char *format, ...)
{
	struct kept *kept = keep(problems, at, PROBLEM_ERROR);
	va_list args;

	if (kept == NULL)
		return;
	kept->syntax = true;
	va_start(args, format);
	fill(problems, kept, format, args);
	va_end(args);
}

void problems_join(struct problems *problems, const struct problems *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct kept *one = &from->items[i];
		struct kept *kept = keep(problems, &one->problem.at, one->problem.severity);

		if (kept == NULL)
			continue;
		kept->syntax = one->syntax;
		kept->problem.text = arena_text(problems->arena, one->problem.text);
		kept->problem.hint = arena_text(problems->arena, one->problem.hint);
	}
}

size_t problems_errors(const struct problems *problems)
{
	return problems->errors;
}

size_t problems_warnings(const struct problems *problems)
{
	return problems->warnings;
}

static int by_place(const void *a, const void *b)
{
	const struct kept *one = a, *two = b;
	int file = strcmp(one->problem.at.file, two->problem.at.file);

	if (file != 0)
		return file;
	if (one->problem.at.line != two->problem.at.line)
		return one->problem.at.line < two->problem.at.line ? -1 : 1;
	if (one->problem.at.column != two->problem.at.column)
		return one->problem.at.column < two->problem.at.column ? -1 : 1;
	return one->order < two->order ? -1 : 1;
}

const struct problem *problem_at(struct problems *problems, size_t index)
{
	if (!problems->sorted) {
		qsort(problems->items, problems->count, sizeof(problems->items[0]), by_place);
		problems->sorted = true;
	}
	return index < problems->count ? &problems->items[index].problem : NULL;
}

void problem_format(const struct problem *problem, char *out, size_t room)
{
	snprintf(out, room, "%s:%u:%u: %s: %s%s%s%s", problem->at.file, problem->at.line,
		 problem->at.column, problem->severity == PROBLEM_ERROR ? "error" : "warning",
		 problem->text, problem->hint == NULL ? "" : " (",
		 problem->hint == NULL ? "" : problem->hint, problem->hint == NULL ? "" : ")");
}

void problems_print(struct problems *problems, FILE *out)
{
	size_t total = problems->errors + problems->warnings;
	const struct problem *problem;
	char line[2048];

	for (size_t i = 0; (problem = problem_at(problems, i)) != NULL; i++) {
		problem_format(problem, line, sizeof(line));
		fprintf(out, "%s\n", line);
	}
	if (total > problems->count)
		fprintf(out, "... and %zu more\n", total - problems->count);
}
