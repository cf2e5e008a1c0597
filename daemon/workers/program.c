/* converged-worker: the program of the worker processes. Apart from the daemon so
 * that what only they need (GMime, libesmtp, ...) is not loaded there. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "services/worker.h"

int main(int argc, char **argv)
{
	static const char option[] = "--worker=";

	if (argc == 2 && strncmp(argv[1], option, strlen(option)) == 0)
		return worker_main(argv[1] + strlen(option));
	fprintf(stderr, "converged-worker: started by converged, not by hand\n");
	return EX_USAGE;
}
