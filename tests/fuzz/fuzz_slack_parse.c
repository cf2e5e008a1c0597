#include "fuzz_parse.h"

FUZZ_CONNECTOR("slack",
	       "{\"signing_secret\":\"8f742231b10e8888abcd99yyyzzz85a5\",\"bot_token\":\"t\"}")
