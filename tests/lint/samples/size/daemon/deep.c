int three_is_fine(int a)
{
	for (;;) {
		if (a)
			while (a)
				a--;
		else if (a > 1)
			do
				a++;
			while (a);
	}
	switch (a) {
	case 1:
		if (a)
			return 1;
		break;
	default:
		break;
	}
}

int four_is_not(int a)
{
	if (a)
		for (;;)
			TAILQ_FOREACH(x, y, z) {
				if ("}" + '{')
					return 1;
			}
	return 0;
}

#define MACRO(x) \
	do { \
	} while (0)

int six(int a, int b, int c, int d, int e, int (*f)(int, int))
{
	return (struct x){ .a = a }.a;
}

int five(int a, int b, int c, int d, done_fn *done, void *context, struct error *err)
{
	return 0;
}
