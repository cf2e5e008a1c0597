#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/arena.h"
#include "channel.h"
#include "routing/opt_words.h"

struct word_case {
	char text[64];
	int word;
};

ParameterizedTestParameters(opt_words, whole_messages_only)
{
	static struct word_case cases[] = {
		{ "STOP", OPT_OUT },        { "stop", OPT_OUT },
		{ "  Stop.  ", OPT_OUT },   { "ＳＴＯＰ！", OPT_OUT },
		{ "\"stop\"", OPT_OUT },    { "StopAll", OPT_OUT },
		{ "unsubscribe", OPT_OUT }, { "Cancel", OPT_OUT },
		{ "END", OPT_OUT },         { "quit\r\n", OPT_OUT },
		{ "td", OPT_OUT },          { "Ｔ", OPT_OUT },
		{ "t。", OPT_OUT },         { "退订", OPT_OUT },
		{ "【退订】", OPT_OUT },    { "退订！！", OPT_OUT },
		{ "退訂", OPT_OUT },        { "lass das", OPT_OUT },
		{ "Lass  das", OPT_NONE },  { "start", OPT_IN },
		{ "Yes!", OPT_IN },         { "UNSTOP", OPT_IN },
		{ "恢复。", OPT_IN },       { "WEITER", OPT_IN },
		{ "help?", OPT_HELP },      { "帮助", OPT_HELP },
		{ "Hilfe", OPT_HELP },      { "", OPT_NONE },
		{ "...", OPT_NONE },        { "please stop", OPT_NONE },
		{ "stop it", OPT_NONE },    { "stopp", OPT_NONE },
		{ "T 恤", OPT_NONE },       { "T1", OPT_NONE },
		{ "t 😀", OPT_NONE },        { "我要退订这个月的套餐", OPT_NONE },
		{ "yes please", OPT_NONE },
	};

	return cr_make_param_array(struct word_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct word_case *c, opt_words, whole_messages_only)
{
	static char last[] = "Lass das!", on[] = "weiter", aid[] = "ＨＩＬＦＥ";
	static char *out[] = { last };
	static char *in[] = { on };
	static char *help[] = { aid };
	const struct sending_rules rules = { .opt_out_words = { out, 1 },
					     .opt_in_words = { in, 1 },
					     .help_words = { help, 1 } };
	struct arena *arena = arena_new(0);

	cr_expect_eq((int)opt_word_of(c->text, &rules, arena), c->word, "%s", c->text);
	arena_free(&arena);
}

Test(opt_words, what_is_too_long_is_no_word)
{
	const struct sending_rules rules = { 0 };
	struct arena *arena = arena_new(0);
	char text[400];

	for (size_t i = 0; i < sizeof(text) - 5; i++)
		text[i] = ' ';
	for (size_t i = 0; i < 5; i++)
		text[sizeof(text) - 5 + i] = "STOP"[i];
	cr_expect_eq(opt_word_of(text, &rules, arena), OPT_NONE);
	arena_free(&arena);
}
