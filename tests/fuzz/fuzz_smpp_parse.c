#include "fuzz_parse.h"

FUZZ_CONNECTOR("smpp", "{\"host\":\"127.0.0.1\",\"system_id\":\"esme1\"}")
