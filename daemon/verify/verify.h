/* Stage two: the connector's judgement over the raw bytes. Polled bytes and
 * messages of a visitor's session were proved by how they came. */
#pragma once

#include "pipeline.h"

enum stage_result verify_run(struct flight *flight);
