#include "fuzz_parse.h"

FUZZ_CONNECTOR("twilio_voice",
	       "{\"account_sid\":\"AC01\",\"auth_token\":\"twilio_auth_token_0001\"}")
