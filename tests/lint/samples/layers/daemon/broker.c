#include "admit/admit.h"
#include "base/low.h"
