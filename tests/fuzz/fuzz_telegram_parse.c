#include "fuzz_parse.h"

FUZZ_CONNECTOR("telegram",
	       "{\"bot_token\":\"123456:ABC-DEF\",\"secret_token\":\"s3cr3t-Token_01\"}")
