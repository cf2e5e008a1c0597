/* SMPP gives what comes in no id, so a message that comes a second time looks like one that a
 * person wrote twice. The difference: it comes a second time only while our answer to the first
 * cannot have arrived. This table remembers which answers surely have. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SMPP_REPEATS = 4096, SMPP_REPEAT_MS = 10 * 60 * 1000 };

struct smpp_repeat {
	uint64_t content;
	int64_t at_ms;       /* first seen; 0: free */
	int64_t answered_ms; /* 0: not yet, or nobody knows whether the answer came through */
	unsigned link;       /* the connection that was answered on */
	uint32_t sequence;
	unsigned copy; /* how many times it was truly sent before */
};

struct smpp_repeats {
	struct smpp_repeat rows[SMPP_REPEATS];
};

/* A message came: which copy of this content it is. The same number again means that it is a
 * repetition. */
unsigned smpp_repeat_copy(struct smpp_repeats *repeats, uint64_t content, unsigned link,
			  uint32_t sequence, int64_t now_ms);
/* It was acknowledged on that connection. */
void smpp_repeat_answered(struct smpp_repeats *repeats, uint64_t content, unsigned link,
			  int64_t now_ms);
/* The connection is gone: what was acknowledged last may not have arrived. */
void smpp_repeat_lost(struct smpp_repeats *repeats, unsigned link, int64_t now_ms);
