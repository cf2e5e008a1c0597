/* Stage six: which conversation a mail belongs to (HAS_EMAIL_THREADS channels
 * only). Looks up what the connector's hint names, lets conversation/threading.h
 * decide, and writes score and reason into the message's extra:
 * "thread":{"score","reason","related"}. */
#pragma once

#include "pipeline.h"

enum stage_result thread_stage(struct flight *flight);
