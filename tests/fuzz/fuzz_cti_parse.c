#include "fuzz_parse.h"

FUZZ_CONNECTOR("cti", "{\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}")
