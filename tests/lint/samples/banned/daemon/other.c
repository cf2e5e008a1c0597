/* TODO: later */
int other(void)
{
	return 1; /* not main */
}
