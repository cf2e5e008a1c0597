#include "fuzz_parse.h"

FUZZ_CONNECTOR(
	"feishu",
	"{\"app_id\":\"cli_demo\",\"app_secret\":\"shh\",\"verification_token\":\"another\"}")
