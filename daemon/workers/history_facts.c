#include "workers/history_facts.h"

#include <stdio.h>

static int take_text(const struct sql_value *row, size_t columns, void *context)
{
	(void)columns;
	snprintf(context, HISTORY_FACT_BYTES, "%s", row[0].kind == SQL_TEXT ? row[0].text : "");
	return 1;
}

int history_fact_read(struct sql *sql, const char *name, char ret[HISTORY_FACT_BYTES],
		      struct error *err)
{
	const struct sql_value values[] = { sql_text(name) };
	const struct sql_query query = { .statement = "SELECT value FROM history WHERE name = $1",
					 .values = values,
					 .count = 1,
					 .on_row = take_text,
					 .context = ret };

	ret[0] = '\0';
	return sql_query(sql, &query, err);
}

int history_fact_put(struct sql *sql, const char *name, const char *value, struct error *err)
{
	const struct sql_value values[] = { sql_text(name), sql_text(value) };

	return sql_put(sql,
		       "INSERT INTO history (name, value) VALUES ($1, $2)"
		       " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		       values, 2, err);
}

int history_fact_drop(struct sql *sql, const char *name, struct error *err)
{
	const struct sql_value values[] = { sql_text(name) };

	return sql_put(sql, "DELETE FROM history WHERE name = $1", values, 1, err);
}
