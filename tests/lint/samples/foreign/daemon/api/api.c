#include <curl/curl.h>
#include <json-c/json.h>
#include <sqlite3.h>
// #include <yaml.h>
#include "services/transfer_curl.h"
