#include "base/low.h"
#include "converge/connector.h"
#include "store/store.h"
