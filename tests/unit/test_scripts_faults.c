#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "redis_child.h"
#include "script_harness.h"
#include "store/scripts.h"

static bool is_script(const char *name)
{
	for (const struct script_text *row = script_texts; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return true;
	return false;
}

static char *read_text(const char *path)
{
	struct buf text = { 0 };
	char block[4096];
	size_t len;
	FILE *file = fopen(path, "r");

	cr_assert_not_null(file, "%s", path);
	while ((len = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(&text, block, len);
	fclose(file);
	return text.data;
}

Test(scripts, are_untouched_or_complete_whichever_call_fails)
{
	struct redis_child child;
	glob_t files;
	char why[512];

	redis_child_start(&child, NULL);
	cr_assert_eq(glob(TEST_DATA "/scripts/*.txt", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		cr_expect(scenario_run(&child, files.gl_pathv[i], why, sizeof(why)), "%s: %s",
			  strrchr(files.gl_pathv[i], '/') + 1, why);
	globfree(&files);
	redis_child_stop(&child);
}

Test(scripts, have_a_scenario_each)
{
	for (const struct script_text *row = script_texts; row->name != NULL; row++) {
		char pattern[512];
		glob_t files;
		bool is_found;

		snprintf(pattern, sizeof(pattern), TEST_DATA "/scripts/%s.txt", row->name);
		is_found = glob(pattern, 0, NULL, &files) == 0;
		globfree(&files);
		cr_expect(is_found, "%s.lua has no tests/data/scripts/%s.txt", row->name,
			  row->name);
	}
}

Test(scripts, have_no_scenario_without_a_script)
{
	glob_t files;
	char name[64];

	cr_assert_eq(glob(TEST_DATA "/scripts/*.txt", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		cr_expect(scenario_script(files.gl_pathv[i], name, sizeof(name)) && is_script(name),
			  "%s belongs to no script", files.gl_pathv[i]);
	globfree(&files);
}

Test(scripts, keep_the_rules_of_form)
{
	char *readme = read_text(SOURCE_DIR "/daemon/store/scripts/README.md");

	for (const struct script_text *row = script_texts; row->name != NULL; row++) {
		char name[80];
		const char *line = strchr(row->text, '\n');

		snprintf(name, sizeof(name), "`%s`", row->name);
		cr_expect(strncmp(row->text, "#!lua\n", 6) == 0 ||
				  strncmp(row->text, "#!lua flags=allow-oom\n", 22) == 0 ||
				  strncmp(row->text, "#!lua flags=no-writes\n", 22) == 0,
			  "%s: first line", row->name);
		cr_expect(line != NULL && strncmp(line, "\n-- ", 4) == 0,
			  "%s: the comment comes second", row->name);
		cr_expect(strstr(readme, name) != NULL, "%s is not in the README", row->name);
		cr_expect(strstr(row->text, "cjson") == NULL, "%s: no JSON in Lua", row->name);
		cr_expect(strstr(row->text, "redis.pcall") == NULL, "%s: pcall hides failures",
			  row->name);
	}
	free(readme);
}

/* What renews, commits, finishes, trims or erases has to work while the store is full. */
Test(scripts, that_drain_a_full_store_may_write_to_it)
{
	static const char *const drains[] = {
		"bell_sleep",    "boot",         "cancel",
		"claim_end",     "close",        "config_delete",
		"cursor_put",    "decline",      "disconnect_grace",
		"extend",        "format_set",   "gen_next",
		"instance_beat", "lease_drop",   "lease_expire",
		"lease_renew",   "lease_take",   "log_trim",
		"offer_end",     "resolve",      "send_begin",
		"send_end",      "send_recover", "session_delete",
		"session_touch", "token_delete", "transfer_end",
		"wrap_end",
	};

	for (size_t i = 0; i < sizeof(drains) / sizeof(drains[0]); i++) {
		const struct script_text *row = script_texts;

		while (row->name != NULL && strcmp(row->name, drains[i]) != 0)
			row++;
		cr_assert_not_null(row->name, "no script %s", drains[i]);
		cr_expect_eq(strncmp(row->text, "#!lua flags=allow-oom\n", 22), 0, "%s", drains[i]);
	}
}
