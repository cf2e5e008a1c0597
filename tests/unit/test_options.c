#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static int parse(struct options *options, struct error *err, const char *a, const char *b)
{
	char *argv[4] = { (char *)(size_t) "converged", (char *)(size_t)a, (char *)(size_t)b,
			  NULL };

	unsetenv("CONVERGE_CONFIG");
	memset(options, 0, sizeof(*options));
	return options_parse(a == NULL ? 1 : b == NULL ? 2 : 3, argv, options, err);
}

Test(options, takes_every_spelling)
{
	struct options options;
	struct error err;

	cr_expect_eq(parse(&options, &err, NULL, NULL), 0);
	cr_expect_str_eq(options.config, OPTIONS_CONFIG_DEFAULT);
	cr_expect_not(options.is_config_given);
	cr_expect_eq(options.log_level, -1);
	cr_expect_eq(parse(&options, &err, "-tc", "a.yaml"), 0);
	cr_expect(options.test && options.is_config_given);
	cr_expect_str_eq(options.config, "a.yaml");
	cr_expect_eq(parse(&options, &err, "-ca.yaml", "--demo"), 0);
	cr_expect_str_eq(options.config, "a.yaml");
	cr_expect(options.demo);
	cr_expect_eq(parse(&options, &err, "--config=b.yaml", "-V"), 0);
	cr_expect_str_eq(options.config, "b.yaml");
	cr_expect(options.version);
	cr_expect_eq(parse(&options, &err, "--worker=parse", "-h"), 0);
	cr_expect_str_eq(options.worker, "parse");
	cr_expect(options.help);
	cr_expect_eq(parse(&options, &err, "--log-level", "debug"), 0);
	cr_expect_eq(options.log_level, 3);
}

Test(options, falls_back_to_the_environment)
{
	struct options options;
	struct error err;
	char *argv[] = { (char *)(size_t) "converged", NULL };

	setenv("CONVERGE_CONFIG", "/x.yaml", 1);
	cr_expect_eq(options_parse(1, argv, &options, &err), 0);
	cr_expect_str_eq(options.config, "/x.yaml");
	cr_expect(options.is_config_given);
}

Test(options, says_what_is_wrong)
{
	static const char *const rows[][3] = {
		{ "--tset-config", NULL,
		  "unknown option --tset-config (did you mean --test-config?)" },
		{ "--colour", NULL, "unknown option --colour (see --help)" },
		{ "-x", NULL, "unknown option -x (see --help)" },
		{ "-c", NULL, "option --config needs a value: FILE" },
		{ "--config=", NULL, "option --config needs a value: FILE" },
		{ "--demo=yes", NULL, "option --demo takes no value" },
		{ "file.yaml", NULL, "unexpected \"file.yaml\" (see --help)" },
		{ "--log-level", "loud",
		  "option --log-level is \"loud\" (it may be error, warn, info, debug)" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options options;
		struct error err = { 0 };

		cr_expect_lt(parse(&options, &err, rows[i][0], rows[i][1]), 0, "%s", rows[i][0]);
		cr_expect_str_eq(err.text, rows[i][2]);
	}
}

static const char *one(void)
{
	return "1.2.3";
}

Test(options, help_and_version_show_all_of_it)
{
	static const struct options_library libraries[] = { { "libyaml", one }, { NULL, NULL } };
	struct buf out = { 0 };

	options_help(&out);
	cr_expect_not_null(strstr(buf_string(&out), "  -c, --config FILE"));
	cr_expect_not_null(strstr(buf_string(&out), "      --demo"));
	cr_expect_null(strstr(buf_string(&out), "--worker"));
	buf_reset(&out);
	options_version(&out, libraries);
	cr_expect_str_eq(buf_string(&out), "converged " CONVERGE_VERSION "\nlibyaml 1.2.3\n");
	buf_clear(&out);
}
