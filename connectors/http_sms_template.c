#include "http_sms_template.h"

#include <string.h>

/* The length of a {name} that begins here, braces included; 0: it is none. */
static size_t name_len(const char *at)
{
	size_t len = at[0] == '{' ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;

	return len > 0 && at[len + 1] == '}' ? len + 2 : 0;
}

static const char *value_of(const struct host_pair *values, const char *at, size_t len)
{
	for (; values->name; values++)
		if (strlen(values->name) == len - 2 && strncmp(values->name, at + 1, len - 2) == 0)
			return values->value;
	return NULL;
}

const char *sms_template_unknown(const struct host *host, struct arena *arena, const char *template,
				 const struct host_pair *values)
{
	size_t len;

	for (; *template; template += len > 0 ? len : 1) {
		len = name_len(template);
		if (len > 0 && !value_of(values, template, len))
			return host->copy(arena, template, len);
	}
	return NULL;
}

static const char *escape_xml(const struct host *host, struct arena *arena, const char *text)
{
	char *out = host->alloc(arena, strlen(text) * 6 + 1);
	size_t len = 0;

	for (; *text; text++) {
		const char *word = *text == '<'   ? "&lt;"
				   : *text == '>' ? "&gt;"
				   : *text == '&' ? "&amp;"
				   : *text == '"' ? "&quot;"
						  : NULL;

		if (word)
			for (; *word; word++)
				out[len++] = *word;
		else if ((unsigned char)*text >= ' ' || *text == '\n' || *text == '\t')
			out[len++] = *text; /* XML has no other control characters */
	}
	return out;
}

static const char *plain(const struct host *host, struct arena *arena, const char *text)
{
	char *out = host->alloc(arena, strlen(text) + 1);
	size_t len = 0;

	for (; *text; text++)
		if ((unsigned char)*text >= ' ' && *text != 0x7f)
			out[len++] = *text;
	return out;
}

static const char *escaped(const struct host *host, struct arena *arena, enum sms_escape escape,
			   const char *text)
{
	const char *quoted;

	switch (escape) {
	case SMS_ESCAPE_JSON:
		quoted = host->json_quote(arena, text);
		return host->copy(arena, quoted + 1, strlen(quoted) - 2);
	case SMS_ESCAPE_FORM:
		return host->url_escape(arena, text);
	case SMS_ESCAPE_XML:
		return escape_xml(host, arena, text);
	default:
		return plain(host, arena, text);
	}
}

/* Called twice: for the length, then for the bytes. */
static size_t fill(char *out, const char *template, const char *const *pieces)
{
	size_t used = 0;
	size_t piece = 0;
	size_t len;

	for (; *template; template += len > 0 ? len : 1) {
		const char *from = template;
		size_t count = 1;

		len = name_len(template);
		if (len > 0) {
			from = pieces[piece++];
			count = strlen(from);
		}
		if (out)
			memcpy(out + used, from, count);
		used += count;
	}
	return used;
}

const char *sms_template_fill(const struct host *host, struct arena *arena, const char *template,
			      enum sms_escape escape, const struct host_pair *values)
{
	const char **pieces;
	size_t count = 0;
	char *out;

	for (const char *at = template; *at; at++)
		count += name_len(at) > 0;
	pieces = host->alloc(arena, (count + 1) * sizeof(*pieces));
	count = 0;
	for (const char *at = template; *at; at++) {
		size_t len = name_len(at);
		const char *value = len > 0 ? value_of(values, at, len) : NULL;

		if (len > 0)
			pieces[count++] = escaped(host, arena, escape, value ? value : "");
	}
	out = host->alloc(arena, fill(NULL, template, pieces) + 1);
	fill(out, template, pieces);
	return out;
}
