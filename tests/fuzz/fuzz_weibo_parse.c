#include "fuzz_parse.h"

FUZZ_CONNECTOR("weibo", "{\"app_secret\":\"another\",\"access_token\":\"t\"}")
