#include "fuzz_parse.h"

FUZZ_CONNECTOR("wecom",
	       "{\"corp_id\":\"ww0123456789abcdef\",\"app_secret\":\"s\",\"token\":\"kfToken1\","
	       "\"encoding_aes_key\":\"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C\"}")
