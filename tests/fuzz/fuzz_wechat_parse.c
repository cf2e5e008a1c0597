#include "fuzz_parse.h"

FUZZ_CONNECTOR("wechat",
	       "{\"app_id\":\"wxb11529c136998cb6\",\"app_secret\":\"s\",\"token\":\"pamtest\"}")
