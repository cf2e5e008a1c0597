#include "base/low.h"
#include "services/loop.h"
/* #include "services/comment.h" */
