/* The entry point: options, then either a worker process or the daemon. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/worker.h"

int main(int argc, char **argv)
{
	static const char worker_option[] = "--worker=";

	if (argc == 2 && strncmp(argv[1], worker_option, strlen(worker_option)) == 0)
		_exit(worker_main(argv[1] + strlen(worker_option)));
	puts("converged " CONVERGE_VERSION);
	return 0;
}
