/* Any bytes are tokens within their bounds, which stay what they are when read again. */
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "workers/tokens.h"

static void check_token(const struct tokens *tokens, size_t index, size_t len)
{
	const struct token *token = &tokens->items[index];
	const char *text = token_text(tokens, index);

	MUST(token->len > 0 && token->len <= TOKEN_BYTES_MAX);
	MUST(strlen(text) == token->len && text_is_utf8(text, token->len));
	MUST(token->from < token->to && token->to <= len);
	MUST(strpbrk(text, " '\"\\:&|!<>*()\t\n") == NULL);
	if (index > 0 && token->kind != TOKEN_PHONE)
		MUST(token->from >= tokens->items[index - 1].from);
}

static void check_again(const struct tokenizer *tokenizer, const struct tokens *tokens)
{
	struct tokens again = { 0 };

	for (size_t i = 0; i < tokens->count && i < 50; i++) {
		tokens_read(tokenizer, token_text(tokens, i), tokens->items[i].len, &again);
		MUST((again.count > 0 && again.items[0].kind == tokens->items[i].kind) ||
		     tokens->items[i].kind == TOKEN_PHONE);
		MUST(strcmp(token_text(&again, 0), token_text(tokens, i)) == 0);
	}
	tokens_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tokenizer *tokenizer;
	struct tokens tokens = { 0 };

	if (tokenizer == NULL)
		tokenizer = tokenizer_new();
	tokens_read(tokenizer, (const char *)data, size, &tokens);
	for (size_t i = 0; i < tokens.count; i++)
		check_token(&tokens, i, size);
	check_again(tokenizer, &tokens);
	tokens_clear(&tokens);
	return 0;
}
