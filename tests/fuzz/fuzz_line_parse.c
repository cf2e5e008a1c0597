#include "fuzz_parse.h"

FUZZ_CONNECTOR(
	"line",
	"{\"channel_secret\":\"8c570fa6dd201bb328f1c1eac23a96d8\",\"channel_access_token\":\"t\"}")
