#include "fuzz_parse.h"

FUZZ_CONNECTOR("http_sms",
	       "{\"callback_secret\":\"s3cr3t\",\"send\":{\"url\":\"https://gateway.example/\"},"
	       "\"incoming\":{\"message_if\":\"type=message\"},"
	       "\"receipts\":{\"receipt_if\":\"type=report\",\"code\":\"error\"}}")
