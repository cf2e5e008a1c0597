/* Words by which people end, take up again or ask about the messages they get: a message that is
 * nothing but such a word. */
#pragma once

#include "base/arena.h"

struct sending_rules;

enum opt_word { OPT_NONE, OPT_OUT, OPT_IN, OPT_HELP };

/* Case, width, the space and the punctuation around do not count. The usual words are 退订, TD, T,
 * STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT; START, YES, UNSTOP, 恢复; HELP, 帮助; with the
 * rules' beside them. */
enum opt_word opt_word_of(const char *text, const struct sending_rules *rules, struct arena *arena);
