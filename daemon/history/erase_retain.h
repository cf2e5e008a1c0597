/* A job of retention: rule by rule, page by page, what is due goes as in an erasure; what a legal
 * hold is on is passed by. */
#pragma once

#include "history/erase_talk.h"

/* Runs the job in hand, of which so much was done before a death; ends in erase_finish(),
 * erase_done() or erase_retry(). */
void erase_retain(struct erase *erase, int64_t taken, bool has_taken);
void erase_retain_clear(struct erase *erase); /* harmless where there is none */
