/* The committed sample, tables and man pages are what the rows generate. To write them anew:
 * UPDATE_GENERATED=1 build/dev/tests/test_config_doc */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_bed.h"
#include "config_doc.h"
#include "options.h"

static const char begin[] = "<!-- generated: begin -->\n";
static const char end[] = "<!-- generated: end -->\n";

static void file_read(const char *path, struct buf *out)
{
	FILE *in = fopen(path, "r");
	char bytes[4096];
	size_t len;

	while (in != NULL && (len = fread(bytes, 1, sizeof(bytes), in)) > 0)
		buf_add(out, bytes, len);
	if (in != NULL)
		fclose(in);
}

static void expect_file(const char *path, const struct buf *want)
{
	struct buf have = { 0 };
	FILE *out;

	if (getenv("UPDATE_GENERATED") != NULL) {
		out = fopen(path, "w");
		cr_assert_not_null(out);
		fwrite(want->data, 1, want->len, out);
		fclose(out);
	}
	file_read(path, &have);
	cr_expect(strcmp(buf_string(&have), buf_string(want)) == 0,
		  "%s is not what the rows generate; UPDATE_GENERATED=1 writes it anew", path);
	buf_clear(&have);
}

/* A document with the generated part between its markers. */
static void expect_part(const char *path, const struct buf *part)
{
	struct buf have = { 0 }, want = { 0 };
	const char *from, *to;

	file_read(path, &have);
	from = strstr(buf_string(&have), begin);
	to = strstr(buf_string(&have), end);
	cr_assert(from != NULL && to != NULL, "%s has no markers", path);
	buf_add(&want, have.data, (size_t)(from - have.data) + strlen(begin));
	buf_add(&want, part->data, part->len);
	buf_text(&want, to);
	expect_file(path, &want);
	buf_clear(&have);
	buf_clear(&want);
}

Test(config_doc, the_sample_file_is_generated)
{
	struct buf sample = { 0 };

	config_write_sample(&sample, NULL);
	expect_file(SOURCE_DIR "/conf/converged.yaml", &sample);
	buf_clear(&sample);
}

Test(config_doc, the_tables_of_both_documents_are_generated)
{
	struct buf tables = { 0 };

	config_write_tables(&tables, NULL);
	expect_part(SOURCE_DIR "/docs/configuration.md", &tables);
	expect_part(SOURCE_DIR "/docs/configuration.zh-CN.md", &tables);
	buf_clear(&tables);
}

Test(config_doc, the_man_pages_are_generated)
{
	struct buf page = { 0 };

	config_write_man(&page);
	expect_file(SOURCE_DIR "/docs/man/converged.yaml.5.scd", &page);
	buf_reset(&page);
	options_man(&page);
	expect_file(SOURCE_DIR "/docs/man/converged.8.scd", &page);
	buf_clear(&page);
}

Test(config_doc, the_sample_says_what_no_setting_says)
{
	struct problems *problems = problems_new();
	struct buf sample = { 0 };
	struct config *written, *unwritten;
	struct config_diff *diff;

	unsetenv("STATE_DIRECTORY");
	config_write_sample(&sample, &bed_registry);
	written = config_parse("/x/f", sample.data, sample.len, &bed_registry, problems);
	unwritten = config_parse("/x/f", "lame_duck: 10s\n", 15, &bed_registry, problems);
	problems_print(problems, stderr);
	cr_assert(written != NULL && unwritten != NULL);
	diff = config_diff(written, unwritten);
	cr_expect_eq(diff->count, 0, "%s", diff->count > 0 ? diff->changes[0].key : "");
	config_diff_free(&diff);
	config_free(&written);
	config_free(&unwritten);
	problems_free(&problems);
	buf_clear(&sample);
}

/* Uncomments every setting: all of them must be known where they stand. */
Test(config_doc, every_commented_setting_is_known)
{
	struct problems *problems = problems_new();
	struct buf sample = { 0 }, bare = { 0 };
	const struct problem *problem;
	char line[2048];

	config_write_sample(&sample, NULL);
	for (const char *p = sample.data; *p != '\0'; p++) {
		if (*p == '#' && p[1] != ' ')
			continue;
		buf_byte(&bare, *p);
	}
	config_parse("/x/f", bare.data, bare.len, &bed_registry, problems);
	cr_expect_gt(problems_errors(problems), 0, "the values are only examples");
	for (size_t i = 0; (problem = problem_at(problems, i)) != NULL; i++) {
		problem_format(problem, line, sizeof(line));
		cr_expect_null(strstr(line, "unknown key"), "%s", line);
	}
	problems_free(&problems);
	buf_clear(&sample);
	buf_clear(&bare);
}
