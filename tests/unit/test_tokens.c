/* Words of a text, as both databases index them. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/tokens.h"

static const struct {
	const char *text;
	const char *tokens; /* parted by spaces; phone numbers as +digits */
} table[] = {
	/* Latin */
	{ "Hello, World!", "hello world" },
	{ "Caf\u00e9 CR\u00c8ME br\u00fbl\u00e9e", "cafe creme brulee" },
	{ "cafe\u0301", "cafe" },
	{ "Stra\u00dfe \u00c6r\u00f8 \u0141\u00f3d\u017a \u0130stanbul",
	  "strasse aero lodz istanbul" },
	{ "\uff28\uff45\uff4c\uff4c\uff4f\u3000\uff11\uff12", "hello 12" },
	{ "\ufb01ne \u2460 m\u00b2", "fine 1 m 2" },
	{ "don't re\u00adfund", "don t refund" },
	{ "\u041f\u0440\u0438\u0432\u0435\u0442, \u0401\u043b\u043a\u0430",
	  "\u043f\u0440\u0438\u0432\u0435\u0442 \u0435\u043b\u043a\u0430" },
	{ "\u039f\u03b4\u03cc\u03c2", "\u03bf\u03b4\u03bf\u03c3" },
	/* numbers, ids, addresses */
	{ "iPhone15 256GB", "iphone 15 256 gb" },
	{ "wrk_01J8XK #42", "wrk 01 j 8 xk 42" },
	{ "Ada.Lovelace@Example.com", "ada lovelace example com" },
	{ "+86 138-0013 8000", "86 138 0013 8000 +8613800138000" },
	{ "13800138000", "13800138000 +13800138000" },
	{ "2026-11-23, 12:30", "2026 11 23 12 30 +20261123" },
	{ "123456", "123456" },
	{ "(010) 6552 9988x7", "010 6552 9988 x 7 +01065529988" },
	{ "\u0661\u0662\u0663", "123" },
	/* Han */
	{ "\u6211\u8981\u9000\u6b3e", "\u6211 \u8981 \u9000 \u6b3e" },
	{ "\u6211\u8981\u9000\u6b3e\uff0c\u8b1d\u8b1d\u3002",
	  "\u6211 \u8981 \u9000 \u6b3e \u8c22 \u8c22" },
	{ "\u767c\u9aee \u53f0\u7063 \u8457\u6025", "\u53d1 \u53d1 \u53f0 \u6e7e \u7740 \u6025" },
	{ "\u4e70iPhone\u624b\u6a5f2\u53f0", "\u4e70 iphone \u624b \u673a 2 \u53f0" },
	{ "\uf900\u2f00\u3231", "\u5c82 \u4e00 \u682a" },
	{ "\u4e8c\u3007\u4e8c\u516d", "\u4e8c \u3007 \u4e8c \u516d" },
	/* kana, Hangul, Thai */
	{ "\u30ac\u30e9\u30b9\u3068\u30ab\u30ae", "\u30ac \u30e9 \u30b9 \u3068 \u30ab \u30ae" },
	{ "\uff76\uff9e\uff97\uff7d", "\u30ac \u30e9 \u30b9" },
	{ "\u304b\u3099", "\u304c" },
	{ "\ud658\ubd88 \uc694\uccad", "\ud658 \ubd88 \uc694 \uccad" },
	{ "\u0e04\u0e37\u0e19", "\u0e04 \u0e37 \u0e19" },
	/* nothing */
	{ "", "" },
	{ " \t\n-- ... \xf0\x9f\x98\x80 \ue000\ue001", "" },
	{ "a\xff"
	  "b\xe4\xb8",
	  "a b" },
};

static void write_tokens(const struct tokens *tokens, struct buf *out)
{
	for (size_t i = 0; i < tokens->count; i++) {
		if (i > 0)
			buf_byte(out, ' ');
		if (tokens->items[i].kind == TOKEN_PHONE)
			buf_byte(out, '+');
		buf_text(out, token_text(tokens, i));
		cr_expect_eq(strlen(token_text(tokens, i)), tokens->items[i].len);
	}
}

Test(tokens, are_those_of_the_table)
{
	OWNED(tokenizer_free) struct tokenizer *tokenizer = tokenizer_new();
	struct tokens tokens = { 0 };

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct buf out = { 0 };

		tokens_read(tokenizer, table[i].text, strlen(table[i].text), &tokens);
		write_tokens(&tokens, &out);
		cr_expect_str_eq(buf_string(&out), table[i].tokens, "row %zu \"%s\": %s", i,
				 table[i].text, buf_string(&out));
		buf_clear(&out);
	}
	tokens_clear(&tokens);
}

static void expect_part(const struct tokens *tokens, const char *text, size_t index,
			const char *part)
{
	const struct token *token = &tokens->items[index];

	cr_assert_lt(index, tokens->count);
	cr_expect_eq(token->to - token->from, strlen(part));
	cr_expect_eq(strncmp(text + token->from, part, strlen(part)), 0, "token %zu is \"%.*s\"",
		     index, (int)(token->to - token->from), text + token->from);
}

Test(tokens, say_where_in_the_original_they_stand)
{
	OWNED(tokenizer_free) struct tokenizer *tokenizer = tokenizer_new();
	struct tokens tokens = { 0 };
	const char *text = "\u8b1d\uff21\uff23\uff11 cafe\u0301s \ufb01n \u3231 138 0013 8000.";

	tokens_read(tokenizer, text, strlen(text), &tokens);
	expect_part(&tokens, text, 0, "\u8b1d");
	expect_part(&tokens, text, 1, "\uff21\uff23");
	expect_part(&tokens, text, 2, "\uff11");
	expect_part(&tokens, text, 3, "cafe\u0301s");
	expect_part(&tokens, text, 4, "\ufb01n");
	expect_part(&tokens, text, 5, "\u3231");
	expect_part(&tokens, text, 8, "8000");
	expect_part(&tokens, text, 9, "138 0013 8000");
	tokens_clear(&tokens);
}

Test(tokens, of_a_long_word_are_several_of_bounded_length)
{
	OWNED(tokenizer_free) struct tokenizer *tokenizer = tokenizer_new();
	struct tokens tokens = { 0 };
	struct buf text = { 0 };

	for (int i = 0; i < 100; i++)
		buf_text(&text, "\u00e4\u043f");
	tokens_read(tokenizer, text.data, text.len, &tokens);
	cr_expect_gt(tokens.count, 4);
	for (size_t i = 0; i < tokens.count; i++) {
		cr_expect_leq(tokens.items[i].len, TOKEN_BYTES_MAX);
		cr_expect_eq(tokens.items[i].from, i == 0 ? 0 : tokens.items[i - 1].to);
	}
	tokens_clear(&tokens);
	buf_clear(&text);
}

/* What is compared stays what it is when it is read again. */
Test(tokens, of_every_character_are_stable)
{
	OWNED(tokenizer_free) struct tokenizer *tokenizer = tokenizer_new();
	struct tokens once = { 0 }, twice = { 0 };

	for (uint32_t c = 1; c < 0x32000; c++) {
		char bytes[4];
		size_t n = text_encode(c, bytes);

		if (c >= 0xd800 && c < 0xe000)
			continue;
		tokens_read(tokenizer, bytes, n, &once);
		for (size_t i = 0; i < once.count; i++) {
			tokens_read(tokenizer, token_text(&once, i), once.items[i].len, &twice);
			cr_assert_eq(twice.count, 1, "U+%04X: \"%s\"", c, token_text(&once, i));
			cr_assert_str_eq(token_text(&twice, 0), token_text(&once, i), "U+%04X", c);
		}
	}
	tokens_clear(&once);
	tokens_clear(&twice);
}
