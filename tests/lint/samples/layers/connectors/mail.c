#include "mail_shared.h"
#include <openssl/evp.h>
#include <string.h>
#include "base/json.h"
#include "converge/connector.h"
