/* One mail parsed and all its parts decoded by GMime, and nothing else.
 * gmime FILE TIMES prints one line of JSON: CPU microseconds a mail. */
#include <gmime/gmime.h>
#include <string.h>
#include <sys/resource.h>

#include "common.h"

static uint64_t decoded;

static void on_part(GMimeObject *parent, GMimeObject *part, gpointer context)
{
	GMimeDataWrapper *content;
	GMimeStream *out;

	(void)parent;
	(void)context;
	if (GMIME_IS_TEXT_PART(part)) {
		char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));

		decoded += text == NULL ? 0 : strlen(text);
		g_free(text);
		return;
	}
	if (!GMIME_IS_PART(part))
		return;
	content = g_mime_part_get_content(GMIME_PART(part));
	out = g_mime_stream_mem_new();
	g_mime_data_wrapper_write_to_stream(content, out);
	decoded += (uint64_t)g_mime_stream_length(out);
	g_object_unref(out);
}

static void parse_once(char *bytes, size_t len)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	g_mime_message_foreach(message, on_part, NULL);
	g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
}

static double cpu_s(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

int main(int argc, char **argv)
{
	int times = argc > 2 ? atoi(argv[2]) : 0;
	GError *problem = NULL;
	char *bytes;
	gsize len;
	double start;

	if (times <= 0 || !g_file_get_contents(argv[1], &bytes, &len, &problem)) {
		fprintf(stderr, "gmime: needs a mail and a number of times\n");
		return 64;
	}
	g_mime_init();
	parse_once(bytes, len);
	decoded = 0;
	start = cpu_s();
	for (int i = 0; i < times; i++)
		parse_once(bytes, len);
	printf("{\"bytes\":%zu,\"decoded\":%llu,\"cpu_us\":%.1f}\n", len,
	       (unsigned long long)decoded / (unsigned)times, (cpu_s() - start) / times * 1e6);
	return 0;
}
