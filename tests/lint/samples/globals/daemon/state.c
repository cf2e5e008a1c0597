#include <stdio.h>

extern int shared;
extern const struct connector *const connectors[];
extern const struct connector mail_connector;
extern char **environ;
int counter;
char *name = "x";
const char *also_writable = "x";
static int own;
static struct { int a; } state = { .a = 1 };
const int limits[] = { 1, 2 };
struct point { int x; };
struct point;
enum { A, B };
typedef int done_fn(void);
done_fn finish;
struct point origin = { 1 };
int function(int a);
const struct connector mail_connector = {
	.name = "mail",
};

int function(int a)
{
	int local = 1;
	return local + a;
}

struct point *after_a_function;
