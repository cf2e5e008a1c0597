/* system("comment") */
static void run(struct x *x)
{
	system("ls");
	x->system("ls");
	snprintf(a, 1, "sprintf(");
	sprintf(a, "%s", b);
	exit(2);
	_exit(127);
}

int main(void)
{
	strcpy(a, b);
	if (strtok(a, b))
		return 1;
	return EX_USAGE;
}
