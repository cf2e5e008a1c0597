/* Stage one: may this be taken at all? Store up and not too full, the
 * workspace's configuration read, the channel open. */
#pragma once

#include "pipeline.h"

enum stage_result receive_run(struct flight *flight);
