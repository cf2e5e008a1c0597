/* Names that a provider tells only when it is asked. */
#pragma once

#include "pipeline.h"

struct admit_result;

/* After a message was admitted: nobody waits for it, and nothing depends on it. */
void find_name(const struct flight *flight, const struct message *message,
	       const struct admit_result *result);
