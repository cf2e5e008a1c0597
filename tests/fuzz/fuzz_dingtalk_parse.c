#include "fuzz_parse.h"

FUZZ_CONNECTOR(
	"dingtalk",
	"{\"app_key\":\"ding12345678901234567890123456789012\",\"app_secret\":\"s\",\"token\":"
	"\"another\",\"encoding_aes_key\":\"TXpRMU5qYzRPVEF4TWpNME5UWTNPRGt3TVRJek5EVTI\"}")
