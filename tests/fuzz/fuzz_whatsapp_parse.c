#include "fuzz_parse.h"

FUZZ_CONNECTOR("whatsapp",
	       "{\"phone_number_id\":\"106540352242922\",\"app_secret\":\"s3\",\"verify_token\":"
	       "\"v\",\"access_token\":\"a\",\"api_version\":\"v25.0\"}")
