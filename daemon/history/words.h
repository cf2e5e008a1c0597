/* The index of words, made anew behind everything else that is to be written, where it is of
 * another tokenizer than this build's. */
#pragma once

struct history;

/* Once the database was opened; does nothing where the index is as it should be. After an error it
 * goes on where it was at the next call. */
void words_renew(struct history *history);
