#include <curl/curl.h>
#include <json-c/json.h>
#include <zlib.h>
// #include <yaml.h>
#include "services/transfer_curl.h"
