/* The entry point: options, then either a worker process or the daemon. */
#include <stdio.h>

int main(void)
{
	puts("converged " CONVERGE_VERSION);
	return 0;
}
