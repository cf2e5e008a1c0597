/* HTML to the text that people read. Deep nesting is counted before gumbo sees
 * it: gumbo frees its tree by recursion. What is too deep loses its tags only. */
#include <gumbo.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

enum {
	DEPTH_MAX = 400,
	TAGS_MAX = 100 * 1000,
	HTML_MAX = 2 * 1024 * 1024,
	HREF_MAX = 500,
};

enum block { INLINE, LINE, PARAGRAPH, HIDDEN };

static const struct {
	GumboTag tag;
	enum block block;
} blocks[] = {
	{ GUMBO_TAG_P, PARAGRAPH },     { GUMBO_TAG_H1, PARAGRAPH },
	{ GUMBO_TAG_H2, PARAGRAPH },    { GUMBO_TAG_H3, PARAGRAPH },
	{ GUMBO_TAG_H4, PARAGRAPH },    { GUMBO_TAG_H5, PARAGRAPH },
	{ GUMBO_TAG_H6, PARAGRAPH },    { GUMBO_TAG_UL, PARAGRAPH },
	{ GUMBO_TAG_OL, PARAGRAPH },    { GUMBO_TAG_PRE, PARAGRAPH },
	{ GUMBO_TAG_TABLE, LINE },      { GUMBO_TAG_BLOCKQUOTE, LINE },
	{ GUMBO_TAG_DIV, LINE },        { GUMBO_TAG_TR, LINE },
	{ GUMBO_TAG_LI, LINE },         { GUMBO_TAG_DL, LINE },
	{ GUMBO_TAG_DT, LINE },         { GUMBO_TAG_DD, LINE },
	{ GUMBO_TAG_SECTION, LINE },    { GUMBO_TAG_ARTICLE, LINE },
	{ GUMBO_TAG_HEADER, LINE },     { GUMBO_TAG_FOOTER, LINE },
	{ GUMBO_TAG_CENTER, LINE },     { GUMBO_TAG_FORM, LINE },
	{ GUMBO_TAG_ADDRESS, LINE },    { GUMBO_TAG_SCRIPT, HIDDEN },
	{ GUMBO_TAG_STYLE, HIDDEN },    { GUMBO_TAG_HEAD, HIDDEN },
	{ GUMBO_TAG_TITLE, HIDDEN },    { GUMBO_TAG_TEMPLATE, HIDDEN },
	{ GUMBO_TAG_NOSCRIPT, HIDDEN }, { GUMBO_TAG_SVG, HIDDEN },
	{ GUMBO_TAG_OBJECT, HIDDEN },   { GUMBO_TAG_SELECT, HIDDEN },
	{ GUMBO_TAG_IFRAME, HIDDEN },
};

struct writer {
	struct buf *out;
	size_t start;
	int newlines; /* wanted before the next word */
	bool space;   /* likewise */
	size_t cut;   /* SIZE_MAX: no quoted mail yet */
};

static void write_pending(struct writer *writer)
{
	bool at_start = writer->out->len == writer->start;

	for (int i = 0; i < writer->newlines && !at_start; i++)
		buf_byte(writer->out, '\n');
	if (writer->newlines == 0 && writer->space && !at_start)
		buf_byte(writer->out, ' ');
	writer->newlines = 0;
	writer->space = false;
}

static void want_lines(struct writer *writer, int count)
{
	if (writer->newlines < count)
		writer->newlines = count;
}

/* Length of what HTML calls space at p, a no-break space included; 0: a word. */
static size_t space_length(const char *p)
{
	if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || *p == '\f')
		return 1;
	if (strncmp(p, "\xc2\xa0", 2) == 0)
		return 2;
	return strncmp(p, "\xe2\x80\x8b", 3) == 0 ? 3 : 0; /* zero width */
}

static void write_text(struct writer *writer, const char *text)
{
	while (*text != '\0') {
		size_t len = space_length(text);

		if (len > 0) {
			writer->space = true;
			text += len;
			continue;
		}
		write_pending(writer);
		do
			len++;
		while (text[len] != '\0' && space_length(text + len) == 0);
		buf_add(writer->out, text, len);
		text += len;
	}
}

static void write_preformatted(struct writer *writer, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n') {
			writer->newlines++;
			writer->space = false;
		} else if (*text != '\r') {
			write_pending(writer);
			buf_byte(writer->out, *text);
		}
	}
}

static const char *attribute(const GumboNode *node, const char *name)
{
	GumboAttribute *found = gumbo_get_attribute(&node->v.element.attributes, name);

	return found == NULL ? NULL : found->value;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	while (words != NULL && *words != '\0') {
		size_t step = strcspn(words, " \t\n");

		if (step == len && strncasecmp(words, word, len) == 0)
			return true;
		words += step;
		words += strspn(words, " \t\n");
	}
	return false;
}

/* The elements that mail programs put around or before what they quote. */
static bool is_quote(const GumboNode *node)
{
	static const char *const classes[] = { "gmail_quote",      "gmail_quote_container",
					       "moz-cite-prefix",  "yahoo_quoted",
					       "protonmail_quote", "ntes-mailmaster-quote" };
	static const char *const ids[] = { "divRplyFwdMsg", "appendonsend", "isReplyContent",
					   "ntes-pcmac-signature-quote",
					   "mail-editor-reference-message-container" };
	const char *class = attribute(node, "class");
	const char *id = attribute(node, "id");

	if (node->v.element.tag == GUMBO_TAG_BLOCKQUOTE &&
	    (has_word(attribute(node, "type"), "cite") || has_word(id, "isReplyContent")))
		return true;
	if (has_word(class, "includetail") ||
	    has_word(attribute(node, "name"), "messageReplySection"))
		return true;
	/* QQ writes <includetail> as an element of its own */
	if (node->v.element.tag == GUMBO_TAG_UNKNOWN &&
	    strncasecmp(node->v.element.original_tag.data, "<includetail", 12) == 0)
		return true;
	for (size_t i = 0; i < COUNT_OF(classes); i++)
		if (has_word(class, classes[i]))
			return true;
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		if (has_word(id, ids[i]))
			return true;
	return false;
}

static enum block block_of(const GumboNode *node)
{
	for (size_t i = 0; i < COUNT_OF(blocks); i++)
		if (blocks[i].tag == node->v.element.tag)
			return blocks[i].block;
	return INLINE;
}

static bool is_hidden(const GumboNode *node)
{
	const char *style = attribute(node, "style");

	return block_of(node) == HIDDEN || attribute(node, "hidden") != NULL ||
	       (style != NULL && (strcasestr(style, "display:none") != NULL ||
				  strcasestr(style, "display: none") != NULL));
}

static void enter(struct writer *writer, const GumboNode *node)
{
	GumboTag tag = node->v.element.tag;

	if (writer->cut == SIZE_MAX && is_quote(node))
		writer->cut = writer->out->len;
	want_lines(writer, (int)block_of(node));
	if (tag == GUMBO_TAG_BR) {
		writer->newlines = writer->newlines < 2 ? writer->newlines + 1 : 2;
	} else if (tag == GUMBO_TAG_LI) {
		write_pending(writer);
		buf_text(writer->out, "- ");
	} else if (tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH) {
		writer->space = true;
	} else if (tag == GUMBO_TAG_HR) {
		want_lines(writer, 1);
		write_pending(writer);
		buf_text(writer->out, "--------");
		want_lines(writer, 1);
	} else if (tag == GUMBO_TAG_IMG && attribute(node, "alt") != NULL) {
		write_text(writer, attribute(node, "alt"));
	}
}

/* The address of a link stays readable, unless its text is the address. */
static void leave(struct writer *writer, const GumboNode *node, size_t text_start)
{
	const char *href = node->v.element.tag == GUMBO_TAG_A ? attribute(node, "href") : NULL;

	want_lines(writer, (int)block_of(node));
	if (href == NULL || strlen(href) > HREF_MAX || strncasecmp(href, "http", 4) != 0 ||
	    writer->out->len == text_start)
		return;
	if (strstr(writer->out->data + text_start, href) == NULL) {
		buf_text(writer->out, " <");
		buf_text(writer->out, href);
		buf_byte(writer->out, '>');
	}
}

static bool is_element(const GumboNode *node)
{
	return node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE;
}

/* Recursive: the depth was bounded before. */
static void walk(struct writer *writer, const GumboNode *node, bool preformatted)
{
	size_t text_start = writer->out->len;
	const GumboVector *children;

	if (node->type == GUMBO_NODE_WHITESPACE && !preformatted)
		writer->space = true;
	else if (node->type != GUMBO_NODE_COMMENT && !is_element(node) && preformatted)
		write_preformatted(writer, node->v.text.text);
	else if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_CDATA)
		write_text(writer, node->v.text.text);
	if (!is_element(node) || is_hidden(node))
		return;
	enter(writer, node);
	preformatted = preformatted || node->v.element.tag == GUMBO_TAG_PRE;
	children = &node->v.element.children;
	for (unsigned i = 0; i < children->length; i++)
		walk(writer, children->data[i], preformatted);
	leave(writer, node, text_start);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bounds what gumbo may build: elements without an end tag count as nested. */
static bool is_tame(const char *html, size_t len)
{
	static const char *const empty[] = { "br", "hr", "img", "meta", "link", "input", "col",
					     "p",  "li", "td",  "tr",   "th",   "area",  "wbr" };
	const char *end = html + len;
	long depth = 0;
	size_t tags = 0;

	for (const char *p = html; p + 2 < end && (p = memchr(p, '<', (size_t)(end - p) - 2));
	     p++) {
		bool counts = true;

		if (p[1] == '/')
			depth -= depth > 0;
		if (!is_letter(p[1]))
			continue;
		for (size_t i = 0; i < COUNT_OF(empty); i++) {
			size_t n = strlen(empty[i]);

			if ((size_t)(end - p) > n + 1 && strncasecmp(p + 1, empty[i], n) == 0 &&
			    !is_letter(p[1 + n]))
				counts = false;
		}
		depth += counts;
		if (++tags > TAGS_MAX || depth > DEPTH_MAX)
			return false;
	}
	return true;
}

static void strip_tags(struct writer *writer, const char *html, size_t len)
{
	bool in_tag = false;

	for (size_t i = 0; i < len; i++) {
		char one[2] = { html[i], '\0' };

		if (html[i] == '<') {
			in_tag = true;
			writer->space = true;
		} else if (html[i] == '>' && in_tag) {
			in_tag = false;
		} else if (!in_tag && html[i] != '\0') {
			write_text(writer, one);
		}
	}
}

void html_to_text(const char *html, size_t len, struct buf *out, size_t *ret_cut)
{
	struct writer writer = { .out = out, .start = out->len, .cut = SIZE_MAX };
	GumboOptions options = kGumboDefaultOptions;

	len = text_prefix(html, len, HTML_MAX);
	buf_reserve(out, 1);
	if (is_tame(html, len)) {
		GumboOutput *tree = gumbo_parse_with_options(&options, html, len);

		walk(&writer, tree->root, false);
		gumbo_destroy_output(&options, tree);
	} else {
		strip_tags(&writer, html, len);
	}
	if (ret_cut != NULL)
		*ret_cut = writer.cut < out->len ? writer.cut : out->len;
}
