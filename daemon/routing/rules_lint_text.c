#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "routing/pattern.h"
#include "routing/rules_lint.h"
#include "routing/script.h"

enum { PROBE_BYTES = 3000, PROBE_LETTERS = 12 };

static bool runs_on(uint32_t codepoint)
{
	enum script script = script_of(codepoint);

	return script == SCRIPT_HAN || script == SCRIPT_KANA || script == SCRIPT_THAI;
}

static bool runs_on_at(const char *text, const char *end)
{
	uint32_t codepoint = 0;

	return text < end && text_character(text, (size_t)(end - text), &codepoint) > 0 &&
	       runs_on(codepoint);
}

static const char *character_before(const char *start, const char *at)
{
	while (at > start && ((unsigned char)*--at & 0xc0) == 0x80)
		;
	return at;
}

/* \b asks for the edge of a word, and Chinese has none between its characters. Brackets between
 * are passed over: \b(退款|refund)\b. */
static bool has_lost_boundary(const char *pattern)
{
	const char *end = pattern + strlen(pattern);

	for (const char *at = pattern; (at = strstr(at, "\\b")) != NULL; at += 2) {
		const char *after = at + 2 + strspn(at + 2, "(?:");
		const char *before = at;

		while (before > pattern && strchr("()?:", before[-1]) != NULL)
			before--;
		if (runs_on_at(after, end) ||
		    (before > pattern && runs_on_at(character_before(pattern, before), end)))
			return true;
	}
	return false;
}

static bool is_stopped_by(struct pattern *pattern, const char *letter, size_t len)
{
	char probe[PROBE_BYTES + 8];
	size_t at = 0;

	for (; at + len < PROBE_BYTES; at += len)
		memcpy(probe + at, letter, len);
	memcpy(probe + at, "\x01!", 3);
	return pattern_match(pattern, probe) == PATTERN_STOPPED;
}

/* Patterns that go back again and again show it on a long run of one of their own letters. */
static bool is_slow(const char *text)
{
	struct error err;
	struct pattern *pattern = pattern_new(text, &err);
	static const char *const common[] = { "a", "0", " ", "A", ".", "\xe7\x9a\x84" };
	bool is_stopped = false;
	size_t letters = 0;
	size_t size;

	if (pattern == NULL)
		return false;
	for (size_t i = 0; i < COUNT_OF(common) && !is_stopped; i++)
		is_stopped = is_stopped_by(pattern, common[i], strlen(common[i]));
	for (const char *at = text; *at != '\0' && !is_stopped; at += size) {
		uint32_t codepoint = 0;

		size = text_character(at, strlen(at), &codepoint);
		size = size == 0 ? 1 : size;
		if (script_of(codepoint) != SCRIPT_NONE && letters++ < PROBE_LETTERS)
			is_stopped = is_stopped_by(pattern, at, size);
	}
	pattern_free(&pattern);
	return is_stopped;
}

static void lint_pattern(struct rule_findings *findings, struct json_object *rule, const char *text)
{
	if (text == NULL)
		return;
	if (has_lost_boundary(text))
		lint_add(findings, rule, "word_boundary",
			 "\\b beside a Chinese character: there is no edge of a word inside a "
			 "sentence, so it will hardly ever match. Leave \\b out, or use keywords.",
			 "\\b 紧挨汉字：句子里的汉字之间没有词边界，几乎不会匹配。请去掉 "
			 "\\b，或改用 keywords。");
	if (is_slow(text))
		lint_add(findings, rule, "slow_pattern",
			 "Its pattern takes too long on some texts and is stopped there, as if it "
			 "did not match. Avoid a repeat inside a repeat, such as (a+)+.",
			 "该正则在某些文本上耗时过长，会被中止并视为不匹配。请避免重复套重复，例如 "
			 "(a+)+。");
}

static bool is_short(const char *word)
{
	uint32_t codepoint = 0;
	size_t len = word == NULL ? 0 : strlen(word);

	return len > 0 && text_character(word, len, &codepoint) == len && script_is_word(codepoint);
}

static void lint_keywords(struct rule_findings *findings, struct json_object *rule,
			  struct json_object *words)
{
	size_t count = json_kind(words) == JSON_ARRAY ? json_count(words) : words != NULL;

	for (size_t i = 0; i < count; i++) {
		const char *word =
			json_string(json_kind(words) == JSON_ARRAY ? json_item(words, i) : words);

		if (is_short(word))
			lint_add(findings, rule, "short_keyword",
				 arena_format(findings->arena,
					      "The keyword \"%s\" is a single letter: it is found "
					      "in too many texts.",
					      word),
				 arena_format(findings->arena,
					      "关键词“%s”只有一个字母，会命中过多文本。", word));
	}
}

static void lint_groups(struct rule_findings *findings, struct json_object *rule,
			struct json_object *groups)
{
	for (size_t i = 0; i < json_count(groups); i++)
		lint_texts(findings, rule, json_item(groups, i));
}

/* Groups are as deep as JSON may be, which is bounded. */
void lint_texts(struct rule_findings *findings, struct json_object *rule, struct json_object *when)
{
	if (when == NULL)
		return;
	lint_pattern(findings, rule, json_text(when, "text"));
	lint_keywords(findings, rule, json_at(when, "keywords"));
	lint_groups(findings, rule, json_at(when, "all"));
	lint_groups(findings, rule, json_at(when, "any"));
	if (json_has(when, "not"))
		lint_texts(findings, rule, json_at(when, "not"));
}
