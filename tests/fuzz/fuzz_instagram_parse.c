#include "fuzz_parse.h"

FUZZ_CONNECTOR("instagram", "{\"page_id\":\"17841400000000001\",\"app_secret\":\"s3\",\"verify_"
			    "token\":\"v\",\"access_token\":\"a\",\"api_version\":\"v25.0\"}")
