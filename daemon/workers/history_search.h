/* The index of search inside the history's database. */
#pragma once

#include <stdint.h>

#include "workers/history.h"
#include "workers/search.h"

enum { HISTORY_SEARCH_BITS = 16 }; /* of a document's number below its time */

/* Of this process. */
const struct tokenizer *history_search_tokenizer(void);
enum search_dialect history_search_dialect(struct sql *sql);

/* The tables, for the list of history_schema.c. */
extern const char history_search_sqlite[];
extern const char history_search_postgres[];
extern const char history_search_gathers[];

/* One thing that can be found; row as in search.h. Put again it is replaced, and nothing is written
 * where its words are the same. Inside the transaction that writes the row itself. */
struct history_found {
	const char *type;
	const char *id;
	int64_t at_ms; /* its place in the order: when it was made */
	struct json_object *row;
	bool may_shrink; /* a message: there may be parts too many; else they are looked for */
};
int history_search_put(struct history_job *job, const struct history_found *found,
		       struct error *err);
int history_search_drop(struct history_job *job, const char *type, const char *id,
			struct error *err);
/* Words of what was dropped leave the index's files too. Outside a transaction; takes as long as
 * writing the whole index again. */
int history_search_purge(struct sql *sql, struct error *err);

/* {workspace, q, types[], channel, agent, queue, customer, from, to (ms), after, skip, ascending,
 * limit} -> {as_of, data[], last} or {problem, position} */
history_op_fn history_op_search;
history_op_fn history_op_search_purge;
/* history_words.c: {} -> {more}. Called until there is no more, after the tokenizer changed. */
history_op_fn history_op_words;
