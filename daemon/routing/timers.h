/* The steward's clock: fires what is due in {ws}:timers through the scripts
 * that check it again. */
#pragma once

#include "parts.h"

struct timers;
struct workspace;

struct timers *timers_new(struct parts *parts, struct workspace *workspace, const char *fence);
void timers_free(struct timers **timers);
