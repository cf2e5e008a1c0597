#include "fuzz_parse.h"

FUZZ_CONNECTOR("aliyun_sms", "{\"access_key_id\":\"ak\",\"access_key_secret\":\"sk\",\"sign_name\":"
			     "\"s\",\"push_token\":\"0123456789abcdef\"}")
