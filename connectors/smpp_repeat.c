#include "smpp_repeat.h"

#include <stddef.h>

enum {
	PROBES = 16,
	SURE_MS = 30 * 1000, /* an answer this old came through before the connection was lost */
	SLOW_MS = 10 * 1000, /* an answer slower than this was perhaps no longer waited for */
};

static bool is_free(const struct smpp_repeat *row, int64_t now_ms)
{
	return row->at_ms == 0 || now_ms - row->at_ms > SMPP_REPEAT_MS;
}

/* The row of that content; else the one to be used for it: free, or the oldest near. */
static struct smpp_repeat *row_of(struct smpp_repeats *repeats, uint64_t content, int64_t now_ms)
{
	struct smpp_repeat *best = NULL;

	for (unsigned i = 0; i < PROBES; i++) {
		struct smpp_repeat *row = &repeats->rows[(content + i) % SMPP_REPEATS];
		bool is_better = !best || (is_free(row, now_ms) && !is_free(best, now_ms)) ||
				 (!is_free(best, now_ms) && row->at_ms < best->at_ms);

		if (row->content == content && !is_free(row, now_ms))
			return row;
		if (is_better)
			best = row;
	}
	return best;
}

unsigned smpp_repeat_copy(struct smpp_repeats *repeats, uint64_t content, unsigned link,
			  uint32_t sequence, int64_t now_ms)
{
	struct smpp_repeat *row = row_of(repeats, content, now_ms);
	bool is_same = row->content == content && !is_free(row, now_ms);
	bool is_resent = is_same && (row->answered_ms == 0 ||
				     (row->link == link && row->sequence == sequence));

	if (is_resent)
		return row->copy;
	*row = (struct smpp_repeat){
		.content = content,
		.at_ms = now_ms,
		.link = link,
		.sequence = sequence,
		.copy = is_same ? row->copy + 1 : 0,
	};
	return row->copy;
}

void smpp_repeat_answered(struct smpp_repeats *repeats, uint64_t content, unsigned link,
			  int64_t now_ms)
{
	struct smpp_repeat *row = row_of(repeats, content, now_ms);

	if (row->content != content || is_free(row, now_ms) || now_ms - row->at_ms > SLOW_MS)
		return;
	row->answered_ms = now_ms;
	row->link = link;
}

void smpp_repeat_lost(struct smpp_repeats *repeats, unsigned link, int64_t now_ms)
{
	for (unsigned i = 0; i < SMPP_REPEATS; i++) {
		struct smpp_repeat *row = &repeats->rows[i];

		if (row->link == link && row->answered_ms > 0 &&
		    now_ms - row->answered_ms < SURE_MS)
			row->answered_ms = 0;
	}
}
