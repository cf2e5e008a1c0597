/* What a history says of itself: its table `history`, names and values. */
#pragma once

#include <stddef.h>

#include "workers/history_sql.h"

enum { HISTORY_FACT_BYTES = 400 };

/* "" where there is none. */
int history_fact_read(struct sql *sql, const char *name, char ret[HISTORY_FACT_BYTES],
		      struct error *err);
int history_fact_put(struct sql *sql, const char *name, const char *value, struct error *err);
int history_fact_drop(struct sql *sql, const char *name, struct error *err);
