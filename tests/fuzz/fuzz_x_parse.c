#include "fuzz_parse.h"

FUZZ_CONNECTOR("x", "{\"app_secret\":\"consumer_secret_0123456789\",\"access_token\":\"t\"}")
