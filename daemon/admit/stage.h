/* The last stage: every message of the flight through admit.lua, every receipt
 * through admit_receipt.lua. The flight is durable when all are. */
#pragma once

#include "pipeline.h"

enum stage_result admit_stage(struct flight *flight);
