/* The stage before admit, for channels whose conversations follow evidence:
 * looks up what a mail's token and references name, chooses by
 * conversation/threading.h, and gives a mail that matches nothing a thread of
 * its own. The choice and its reason go into the message's extra. */
#pragma once

#include "pipeline.h"

enum stage_result admit_thread(struct flight *flight);
