/* A history moved into another database, of the other kind or of the same: rows as they are, words
 * made anew, then both compared row by row. The target is the history only once all of it is there
 * and the same; the source, which stays whole, is none from then on. Whatever moment a crash takes,
 * moving again goes on. Nobody may write into the source meanwhile. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "workers/history_sql.h"

struct history_move {
	struct sql_place from;
	struct sql_place to; /* empty, or where a move of this source was broken off */
	bool starts_anew;    /* what a broken move left there is thrown away */
	/* How far it is: rows of a table; phase is "copied", "words" or "compared". */
	void (*told)(const char *phase, const char *table, int64_t rows, void *context);
	void *context;
};

/* 0, or -1 with err: ERROR_MISUSE where the target is another history or of another version,
 * ERROR_PERMANENT where they differ at the end. Moved already: 0. */
int history_move_run(const struct history_move *move, struct error *err);

/* Tables and how many rows each has in the source, by told ("found"); nothing is written. */
int history_move_look(const struct history_move *move, struct error *err);
