#include "admit/admit.h"
#include "store/store.h"
