/* What Redis' own error replies mean to us. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct store_reply;

enum failure_advice {
	FAILURE_ANSWER,    /* tell the caller */
	FAILURE_RELOAD,    /* scripts are gone: connect again, send again */
	FAILURE_RECONNECT, /* tell the caller and look for the store anew */
};

/* Sets err (naming the call) and says what the connection should do. A
 * programmer's mistake (WRONGTYPE, an error inside a script) is logged here. */
enum failure_advice failure_read(const struct store_reply *reply, const char *call,
				 struct error *err);
