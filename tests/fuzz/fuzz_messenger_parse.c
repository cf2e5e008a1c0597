#include "fuzz_parse.h"

FUZZ_CONNECTOR("messenger", "{\"page_id\":\"1001\",\"app_secret\":\"s3\",\"verify_token\":\"v\","
			    "\"access_token\":\"a\",\"api_version\":\"v25.0\"}")
