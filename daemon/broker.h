/* The daemon as a whole: start order, reload, drain. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct broker_options {
	const char *config_file; /* NULL with demo: one is made */
	int log_level;           /* enum log_level; -1: the file says */
	bool demo;               /* demo agents and queues in an empty store; logins are printed */
	bool simulator;          /* with demo: simulated customers write */
};

/* Runs until SIGTERM or SIGINT has been obeyed; a sysexits status. */
int broker_run(const struct broker_options *options);
