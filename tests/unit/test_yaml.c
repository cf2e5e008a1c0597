#include <criterion/criterion.h>
#include <string.h>

#include "base/yaml.h"

struct slip {
	const char *name;
	const char *text;
	const char *want; /* the start of the first problem; NULL: none */
};

static const struct slip slips[] = {
	{ "a plain map", "a: 1\nb: { c: 127.0.0.1:80, d: [x, y] }\n", NULL },
	{ "wide colon in a block", "store：embedded\nlisten: {}\n",
	  "f:1:6: error: full-width colon" },
	{ "wide colon in a flow map", "a: { name：shop }\n", "f:1:10: error: full-width colon" },
	{ "wide comma in a flow map", "a: { b: c， d: e }\n", "f:1:10: error: full-width comma" },
	{ "wide quotes", "a: “b”\n", "f:1:4: error: full-width quote" },
	{ "wide brace", "a: ｛ b: c ｝\n", "f:1:4: error: full-width brace" },
	{ "wide stop in an address", "a: 127。0.0.1\n", "f:1:7: error: full-width stop" },
	{ "wide space", "a:\n  b: 1\n　c: 2\n", "f:3:1: error: full-width space" },
	{ "wide characters count as one column", "退款: “x”\n", "f:1:5: error: full-width quote" },
	{ "wide text is text", "a: 张三（北京），你好。\n", NULL },
	{ "wide text in quotes", "a: { b: \"“好”，：\" }\n", NULL },
	{ "wide text in a comment", "a: 1 # “好”，：\n# ：“\n", NULL },
	{ "wide text in a block scalar", "a: |\n  “好”，：\n  store：x\nb: 1\n", NULL },
	{ "a block scalar in a list", "a:\n- t: |\n    “好”\n  u: “x”\n",
	  "f:4:6: error: full-width quote" },
	{ "a tab that indents", "a:\n\tb: 1\n", "f:2:1: error: a tab in the indentation" },
	{ "a comment right after a list", "a: []#]\n", NULL },
	{ "a tab before a comment", "a: 1\n\t# x\n", "f:2:1: error: a tab in the indentation" },
	{ "a tab in an empty line", "a: 1\n\t\nb: 2\n", "f:2:1: error: a tab in the indentation" },
	{ "no space, block", "a: 1\nstore:embedded\nb: 2\n",
	  "f:2:6: error: no space after the colon" },
	{ "no space, flow", "a: { http:x }\n", "f:1:10: error: no space after the colon" },
	{ "a URL is no key", "a: [http://x, unix:/y]\n", NULL },
	{ "a variable in a flow map", "a: { b: ${env:X} }\n", "f:1:9: error: \"${...}\" inside" },
	{ "a variable in a block", "a: ${env:X}\n", NULL },
	{ "IPv6 in a flow map", "a: { b: [::1]:80 }\n", "f:1:9: error: an IPv6 address" },
	{ "IPv6 in a block", "a: [fe80::1]:80\n", "f:1:4: error: an IPv6 address" },
	{ "IPv6 in quotes", "a: \"[::1]:80\"\n", NULL },
	{ "duplicate key", "a: 1\nb: 2\na: 3\n", "f:3:1: error: duplicate key \"a\"" },
	{ "anchor", "a: &x 1\n", "f:1:4: error: an anchor" },
	{ "alias", "a: *x\n", "f:1:4: error: an alias" },
	{ "tag", "a: !!int 1\n", "f:1:4: error: a tag" },
	{ "two documents", "a: 1\n---\nb: 2\n", "f:2:1: error: a second document" },
	{ "not a map", "- a\n", "f:1:1: error: the file must be a map" },
	{ "empty", "", "f:1:1: error: the file is empty" },
	{ "only comments", "# x\n", "f:1:1: error: the file is empty" },
	{ "open quote", "a: \"b\n", "f:2:1: error: found unexpected end" },
	{ "open brace", "a: { b: c\n", "f:2:1: error: did not find expected" },
	{ "not UTF-8", "a: 1\nb: \xff\n", "f:2:4: error: not UTF-8" },
	{ "escaped NUL", "a: \"x\\0y\"\n", "f:1:4: error: a NUL" },
	{ "CRLF", "a: 1\r\nb:\r\n  c: |\r\n    x\r\n", NULL },
	{ "BOM",
	  "\xef\xbb\xbf"
	  "a: 1\n",
	  NULL },
	{ "BOM inside",
	  "a: 1\n\xef\xbb\xbf"
	  "b: 1\n",
	  "f:2:1: error: byte order mark" },
	{ "UTF-16",
	  "\xff\xfe"
	  "a\x01",
	  "f:1:1: error: the file is UTF-16" },
};

static void first_problem(const char *bytes, size_t len, char *out, size_t room)
{
	struct arena *arena = arena_new(0);
	struct problems *problems = problems_new();
	struct yaml_node *root = yaml_parse("f", bytes, len, arena, problems);
	const struct problem *problem = problem_at(problems, 0);

	snprintf(out, room, "%s", root == NULL ? "no tree" : "");
	if (problem != NULL)
		problem_format(problem, out, room);
	problems_free(&problems);
	arena_free(&arena);
}

Test(yaml, points_at_each_slip_at_its_own_place)
{
	char line[600];

	for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++) {
		const char *want = slips[i].want == NULL ? "" : slips[i].want;

		first_problem(slips[i].text, strlen(slips[i].text), line, sizeof(line));
		cr_expect(strncmp(line, want, *want == '\0' ? 1 : strlen(want)) == 0,
			  "%s: wanted \"%s\", got \"%s\"", slips[i].name, want, line);
	}
}

Test(yaml, refuses_a_nul_byte_and_too_deep_a_file)
{
	char line[600], deep[200];

	first_problem("a: 1\nb: \0\n", 10, line, sizeof(line));
	cr_expect(strncmp(line, "f:2:4: error: a NUL byte", 24) == 0, "%s", line);
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "a: ", 3);
	first_problem(deep, sizeof(deep), line, sizeof(line));
	cr_expect(strncmp(line, "f:1:35: error: nested deeper", 28) == 0, "%s", line);
}

Test(yaml, keeps_every_scalar_as_written)
{
	static const char text[] = "country: NO\ntime: 22:30\nversion: 1.10\nquoted: \"x\"\nnone:\n"
				   "listen: { http: 127.0.0.1:8080, lmtp: 127.0.0.1:2424 }\n";
	struct arena *arena = arena_new(0);
	struct problems *problems = problems_new();
	struct yaml_node *root = yaml_parse("f", text, strlen(text), arena, problems);
	struct yaml_node *listen;

	cr_assert_not_null(root);
	cr_assert_eq(problems_errors(problems), 0);
	cr_expect_str_eq(yaml_find(root, "country")->text, "NO");
	cr_expect_str_eq(yaml_find(root, "time")->text, "22:30");
	cr_expect_str_eq(yaml_find(root, "version")->text, "1.10");
	cr_expect(yaml_find(root, "quoted")->quoted);
	cr_expect(yaml_is_empty(yaml_find(root, "none")));
	listen = yaml_find(root, "listen");
	cr_expect_str_eq(yaml_find(listen, "http")->text, "127.0.0.1:8080");
	cr_expect_eq(yaml_find(listen, "lmtp")->at.column, 39);
	cr_expect_null(yaml_find(listen, "smtp"));
	problems_free(&problems);
	arena_free(&arena);
}

Test(yaml, reads_a_file_and_says_why_it_cannot)
{
	struct arena *arena = arena_new(0);
	struct problems *problems = problems_new();
	char line[600];

	cr_assert_null(yaml_read("/nonexistent/x.yaml", arena, problems));
	problem_format(problem_at(problems, 0), line, sizeof(line));
	cr_expect_str_eq(line, "/nonexistent/x.yaml:1:1: error: the file cannot be read: No such "
			       "file or directory (check its name and mode)");
	problems_free(&problems);
	problems = problems_new();
	cr_assert_null(yaml_read("/", arena, problems));
	cr_expect_eq(problems_errors(problems), 1);
	problems_free(&problems);
	arena_free(&arena);
}
