int tidy(void)
{
	return 1;
}

int  loose(void) {
  return 1;
}
