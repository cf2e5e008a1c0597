#include "history/words.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "history/history.h"

struct renewal {
	struct history *history;
	bool has_begun;
};

static void on_some(struct json_object *answer, const struct error *err, void *context)
{
	struct renewal *renewal = context;

	if (err == NULL && json_bool(answer, "more", false)) {
		if (!renewal->has_begun)
			log_info("history", "event=search_rebuilding place=%s",
				 history_place(renewal->history));
		renewal->has_begun = true;
		history_tell(renewal->history, "words", "", NULL, on_some, renewal);
		return;
	}
	if (err == NULL && renewal->has_begun)
		log_info("history", "event=search_rebuilt place=%s",
			 history_place(renewal->history));
	free(renewal);
}

void words_renew(struct history *history)
{
	struct renewal *renewal = memory_new(sizeof(*renewal));

	renewal->history = history;
	history_tell(history, "words", "", NULL, on_some, renewal);
}
