/* A connector's verify() and parse() of one golden request, and json-c's bare
 * parse of the same body, in alternated rounds.
 *
 * parsing CONNECTOR CASE.json ROUNDS MS prints one line of JSON: nanoseconds of each, medians. */
#include "../contract/fixture.h"
#include "common.h"
#include "parsing_bare.h"

enum { BATCH = 200, ROUNDS_MAX = 99 };

struct subject {
	struct fixture fixture;
	const struct connector *connector;
	struct request_view view;
	struct inbound in;
};

static void fail(const char *why)
{
	fprintf(stderr, "parsing: %s\n", why);
	exit(1);
}

static void prepare(struct subject *subject, const char *connector, const char *path)
{
	char *text = fixture_read_file(path);
	struct json_object *golden = text == NULL ? NULL : json_read(text, strlen(text), NULL);
	struct json_object *request = golden == NULL ? NULL : json_at(golden, "request");
	struct buf settings = { 0 };
	const char *target;

	if (request == NULL)
		fail("the golden case cannot be read");
	fixture_start(&subject->fixture);
	json_append(json_at(golden, "settings"), &settings);
	if (fixture_open(&subject->fixture, connector, buf_string(&settings)) != 0)
		fail("the channel does not open");
	buf_clear(&settings);
	target = json_text(request, "target");
	subject->connector = connector_find(connector);
	subject->view = (struct request_view){ fixture_field, fixture_query, request };
	subject->in = (struct inbound){ .method = "POST",
					.target = target,
					.public_url = json_text(request, "public_url"),
					.body = json_text(request, "body"),
					.body_len = strlen(json_text(request, "body")),
					.now_s = json_int(request, "now_s", 0),
					.request = &subject->view };
	free(text);
}

static void read_once(struct subject *subject)
{
	struct arena *arena = arena_new(0);
	struct channel *channel = subject->fixture.channel;
	struct parsed parsed = { 0 };
	const char *why = "";

	if (subject->connector->verify(channel, &subject->in, arena, &parsed) != VERIFIED)
		fail("the golden case is not verified");
	if (subject->connector->parse(channel, &subject->in, arena, &parsed, &why) != 0 ||
	    parsed.message_count == 0)
		fail(why);
	arena_free(&arena);
}

static void bare_once(struct subject *subject)
{
	parsing_bare(subject->in.body, subject->in.body_len);
}

static double ns_each(struct subject *subject, void (*once)(struct subject *), double seconds)
{
	double start = now_s();
	double now = start;
	long times = 0;

	while (now < start + seconds) {
		for (int i = 0; i < BATCH; i++)
			once(subject);
		times += BATCH;
		now = now_s();
	}
	return (now - start) / (double)times * 1e9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), by_size);
	return values[count / 2];
}

int main(int argc, char **argv)
{
	static struct subject subject;
	double ours[ROUNDS_MAX];
	double bare[ROUNDS_MAX];
	int rounds = argc == 5 ? atoi(argv[3]) : 0;
	double seconds = argc == 5 ? atof(argv[4]) / 1e3 : 0;

	if (rounds < 1 || rounds > ROUNDS_MAX)
		fail("needs a connector, a golden case, a number of rounds and milliseconds");
	prepare(&subject, argv[1], argv[2]);
	for (int i = 0; i < rounds; i++) {
		bare[i] = ns_each(&subject, bare_once, seconds);
		ours[i] = ns_each(&subject, read_once, seconds);
	}
	printf("{\"bytes\":%zu,\"ours_ns\":%.0f,\"bare_ns\":%.0f}\n", subject.in.body_len,
	       middle(ours, rounds), middle(bare, rounds));
	return 0;
}
