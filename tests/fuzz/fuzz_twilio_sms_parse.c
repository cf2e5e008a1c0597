#include "fuzz_parse.h"

FUZZ_CONNECTOR(
	"twilio_sms",
	"{\"account_sid\":\"AC01\",\"auth_token\":\"twilio_auth_token_0001\",\"number\":\"+1\"}")
