#include "base/yaml_scan.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

static const char missing_space[] = "no space after the colon\twrite \"key: value\"";
static const char wide_colon[] = "full-width colon \"：\"\ttype an ASCII \":\" and a space";

struct scan {
	const char *file;
	const char *p;
	const char *end;
	unsigned line;
	unsigned column;
	unsigned depth; /* of flow maps and lists */
	uint64_t maps;  /* a bit for each level: it is a map */
	char quote;
	long block; /* indent of what a block scalar hangs on; -1: none */
	bool key;   /* a key may start here */
	struct problems *problems;
	struct scan_slips *slips;
};

/* Full-width characters that stand for structure, where they are none of the text. */
struct wide {
	uint32_t codepoint;
	const char *text;
};

static const struct wide wide_openers[] = {
	{ 0x201c, "full-width quote \"“\"\ttype an ASCII quote" },
	{ 0x201d, "full-width quote \"”\"\ttype an ASCII quote" },
	{ 0x2018, "full-width quote \"‘\"\ttype an ASCII quote" },
	{ 0x2019, "full-width quote \"’\"\ttype an ASCII quote" },
	{ 0xff02, "full-width quote \"＂\"\ttype an ASCII quote" },
	{ 0xff5b, "full-width brace \"｛\"\ttype an ASCII \"{\"" },
	{ 0xff3b, "full-width bracket \"［\"\ttype an ASCII \"[\"" },
	{ 0xff03, "full-width hash \"＃\"\ttype an ASCII \"#\"" },
	{ 0xff0d, "full-width dash \"－\"\ttype an ASCII \"-\"" },
	{ 0x3000, "full-width space\ttype an ASCII space" },
	{ 0x00a0, "no-break space\ttype an ASCII space" },
	{ 0xfeff, "byte order mark inside the file\tremove it" },
	{ 0, NULL },
};

static const struct wide wide_in_flow[] = {
	{ 0xff0c, "full-width comma \"，\"\ttype an ASCII \",\", or put the text in quotes" },
	{ 0xff5d, "full-width brace \"｝\"\ttype an ASCII \"}\"" },
	{ 0xff3d, "full-width bracket \"］\"\ttype an ASCII \"]\"" },
	{ 0, NULL },
};

static const struct wide wide_between[] = {
	{ 0xff1a, "full-width colon \"：\"\ttype an ASCII \":\"" },
	{ 0xff0c, "full-width comma \"，\"\ttype an ASCII \",\"" },
	{ 0x3002, "full-width stop \"。\"\ttype an ASCII \".\"" },
	{ 0xff0e, "full-width stop \"．\"\ttype an ASCII \".\"" },
	{ 0xff0f, "full-width slash \"／\"\ttype an ASCII \"/\"" },
	{ 0, NULL },
};

static const char *wide_text(const struct wide *table, uint32_t codepoint)
{
	for (; table->text != NULL; table++) {
		if (table->codepoint == codepoint)
			return table->text;
	}
	return NULL;
}

static char byte_at(const struct scan *scan, size_t offset)
{
	return (size_t)(scan->end - scan->p) > offset ? scan->p[offset] : '\0';
}

static bool is_gap(char byte)
{
	return byte == '\0' || byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool at_line_end(const struct scan *scan)
{
	return scan->p >= scan->end || *scan->p == '\n' ||
	       (*scan->p == '\r' && byte_at(scan, 1) == '\n');
}

static uint32_t peek(const struct scan *scan, size_t *ret_len)
{
	uint32_t codepoint = 0;
	size_t len = text_character(scan->p, (size_t)(scan->end - scan->p), &codepoint);

	*ret_len = len == 0 ? 1 : len;
	return codepoint;
}

static void step(struct scan *scan)
{
	size_t len;

	peek(scan, &len);
	scan->p += len;
	scan->column++;
}

static void skip_to(struct scan *scan, const char *to)
{
	while (scan->p < to && !at_line_end(scan))
		step(scan);
}

static void report(struct scan *scan, const char *text)
{
	struct place at = { scan->file, scan->line, scan->column };
	const char *hint = strchr(text, '\t');

	problem_syntax(scan->problems, &at, "%.*s%s", (int)(hint - text), text, hint);
}

static void remember_slip(struct scan *scan, size_t offset, const char *text)
{
	struct scan_slip *slip;

	if (scan->slips->count == SCAN_SLIPS_MAX)
		return;
	slip = &scan->slips->items[scan->slips->count++];
	slip->at.file = scan->file;
	slip->at.line = scan->line;
	slip->at.column = scan->column + (unsigned)offset;
	slip->text = text;
}

static bool in_map(const struct scan *scan)
{
	return scan->depth > 0 && ((scan->maps >> ((scan->depth - 1) & 63)) & 1) != 0;
}

static void open_flow(struct scan *scan, bool map)
{
	uint64_t bit = UINT64_C(1) << (scan->depth & 63);

	scan->maps = map ? scan->maps | bit : scan->maps & ~bit;
	scan->depth++;
	scan->key = map;
	step(scan);
}

static size_t word_length(const char *p, const char *end)
{
	const char *start = p;

	if (p < end && (isalpha((unsigned char)*p) || *p == '_')) {
		while (p < end && (isalnum((unsigned char)*p) || *p == '_' || *p == '-'))
			p++;
	}
	return (size_t)(p - start);
}

/* A key's word and what follows it at once: is that a colon gone wrong? */
static const char *colon_slip(const char *after, const char *end)
{
	size_t left = (size_t)(end - after);

	if (left >= 3 && memcmp(after, "：", 3) == 0)
		return wide_colon;
	if (left < 2 || *after != ':' || is_gap(after[1]) || strchr("/:,]}", after[1]) != NULL)
		return NULL;
	return missing_space;
}

static void check_key(struct scan *scan)
{
	size_t word = word_length(scan->p, scan->end);
	const char *slip = word == 0 ? NULL : colon_slip(scan->p + word, scan->end);

	if (slip != NULL)
		remember_slip(scan, word, slip);
}

/* "[::1]:8080" starts a list for YAML. */
static const char *bracketed_address_end(const struct scan *scan)
{
	const char *p = scan->p + 1;
	unsigned colons = 0;

	while (p < scan->end && (isxdigit((unsigned char)*p) || *p == ':' || *p == '.'))
		colons += *p++ == ':';
	if (colons < 2 || scan->end - p < 3 || p[0] != ']' || p[1] != ':' ||
	    !isdigit((unsigned char)p[2]))
		return NULL;
	p += 2;
	while (p < scan->end && isdigit((unsigned char)*p))
		p++;
	return p;
}

/* In flow style "${env:NAME}" ends at its own braces. True when it was handled. */
static bool scan_variable(struct scan *scan)
{
	const char *close;

	if (*scan->p != '$' || byte_at(scan, 1) != '{')
		return false;
	if (scan->depth > 0)
		report(scan, "\"${...}\" inside { } or [ ]\tput the value in quotes");
	close = scan->p;
	while (close < scan->end && *close != '}' && *close != '\n')
		close++;
	skip_to(scan, close < scan->end && *close == '}' ? close + 1 : close);
	return true;
}

static void scan_quoted(struct scan *scan)
{
	while (!at_line_end(scan)) {
		char byte = *scan->p;

		if (byte == '\\' && scan->quote == '"') {
			step(scan);
			if (!at_line_end(scan))
				step(scan);
			continue;
		}
		step(scan);
		if (byte != scan->quote)
			continue;
		if (byte == '\'' && byte_at(scan, 0) == '\'') {
			step(scan);
			continue;
		}
		scan->quote = '\0';
		return;
	}
}

static bool ends_plain(const struct scan *scan)
{
	char byte = *scan->p;

	if (byte == ':')
		return is_gap(byte_at(scan, 1)) ||
		       (scan->depth > 0 && strchr(",]}[{", byte_at(scan, 1)) != NULL);
	return scan->depth > 0 && strchr(",]}[{", byte) != NULL;
}

static void check_wide(struct scan *scan, char before)
{
	size_t len;
	uint32_t codepoint = peek(scan, &len);
	const char *text = NULL;

	if (scan->depth > 0)
		text = wide_text(wide_in_flow, codepoint);
	if (text == NULL && isalnum((unsigned char)before) &&
	    isalnum((unsigned char)byte_at(scan, len)))
		text = wide_text(wide_between, codepoint);
	if (text != NULL)
		report(scan, text);
}

/* A plain scalar up to what ends it; spaces inside belong to it. */
static void scan_plain(struct scan *scan)
{
	char before = '\0';

	while (!at_line_end(scan) && !ends_plain(scan)) {
		if (*scan->p == '#' && before != '\0' && is_gap(before))
			return;
		if (scan_variable(scan)) {
			before = '}';
			continue;
		}
		if ((*scan->p & 0x80) != 0 && before != '\0')
			check_wide(scan, before);
		before = *scan->p;
		step(scan);
	}
}

static void scan_structure(struct scan *scan)
{
	switch (*scan->p) {
	case ',':
		scan->key = in_map(scan);
		break;
	case '}':
	case ']':
		scan->depth -= scan->depth > 0;
		scan->key = false;
		break;
	default:
		scan->key = false;
		break;
	}
	step(scan);
}

static void scan_value(struct scan *scan)
{
	const char *address_end = *scan->p == '[' ? bracketed_address_end(scan) : NULL;
	size_t len;
	const char *wide = wide_text(wide_openers, peek(scan, &len));

	if (wide != NULL) {
		report(scan, wide);
		step(scan);
	} else if (address_end != NULL) {
		report(scan, "an IPv6 address in brackets\tput the address in quotes");
		skip_to(scan, address_end);
	} else if (scan->depth > 0 && *scan->p == ':' && byte_at(scan, 1) == ':') {
		report(scan, "an IPv6 address inside { } or [ ]\tput the address in quotes");
		scan_plain(scan);
	} else if (*scan->p == '{' || *scan->p == '[') {
		open_flow(scan, *scan->p == '{');
	} else if (*scan->p == '"' || *scan->p == '\'') {
		scan->quote = *scan->p;
		step(scan);
		scan_quoted(scan);
	} else if (ends_plain(scan)) {
		scan_structure(scan);
	} else {
		if (scan->key)
			check_key(scan);
		scan->key = false;
		scan_plain(scan);
	}
}

static void scan_indent(struct scan *scan)
{
	const char *p = scan->p;

	while (p < scan->end && (*p == ' ' || *p == '\t'))
		p++;
	while (scan->p < p) {
		if (*scan->p == '\t' && scan->depth == 0)
			report(scan, "a tab in the indentation\tindent with spaces");
		step(scan);
	}
}

/* "- " in front of a list's items; returns the column what follows hangs on, from 0. */
static long scan_dashes(struct scan *scan)
{
	long hangs = (long)scan->column - 1;

	while (*scan->p == '-' && (byte_at(scan, 1) == ' ' || byte_at(scan, 1) == '\t')) {
		hangs = (long)scan->column - 1;
		step(scan);
		while (!at_line_end(scan) && (*scan->p == ' ' || *scan->p == '\t'))
			step(scan);
		if (at_line_end(scan))
			return hangs;
		if (*scan->p != '|' && *scan->p != '>')
			hangs = (long)scan->column - 1;
	}
	return hangs;
}

/* Does the line end in "|", ">-" and so on? */
static bool opens_block(const char *start, const char *end)
{
	const char *p = end;

	while (p > start && (p[-1] == ' ' || p[-1] == '\r'))
		p--;
	while (p > start && (p[-1] == '+' || p[-1] == '-' || isdigit((unsigned char)p[-1])))
		p--;
	if (p == start || (p[-1] != '|' && p[-1] != '>'))
		return false;
	p--;
	return p == start || p[-1] == ' ';
}

/* Up to the end of the line or a comment. */
static void scan_rest(struct scan *scan)
{
	const char *start = scan->p;

	while (!at_line_end(scan)) {
		if (*scan->p == '#' && (scan->p == start || is_gap(scan->p[-1])))
			return;
		if (*scan->p == ' ' || *scan->p == '\t')
			step(scan);
		else
			scan_value(scan);
	}
}

static void scan_line(struct scan *scan)
{
	const char *start;
	long hangs = 0;

	if (scan->quote != '\0') {
		scan_quoted(scan);
	} else {
		scan_indent(scan);
		scan->key = scan->depth == 0 || scan->key;
		if (!at_line_end(scan) && scan->depth == 0)
			hangs = scan_dashes(scan);
	}
	start = scan->p;
	scan_rest(scan);
	if (scan->depth == 0 && scan->quote == '\0' && opens_block(start, scan->p))
		scan->block = hangs;
	while (!at_line_end(scan))
		step(scan);
}

/* Is this line the text of a block scalar? */
static bool in_block(struct scan *scan)
{
	const char *p = scan->p;

	if (scan->block < 0)
		return false;
	while (p < scan->end && *p == ' ')
		p++;
	if (p >= scan->end || *p == '\n' || *p == '\r' || p - scan->p > scan->block)
		return true;
	scan->block = -1;
	return false;
}

void yaml_scan(const char *file, const char *bytes, size_t len, struct problems *problems,
	       struct scan_slips *ret_slips)
{
	struct scan scan = { .file = file,
			     .p = bytes,
			     .end = bytes + len,
			     .line = 1,
			     .column = 1,
			     .block = -1,
			     .problems = problems,
			     .slips = ret_slips };

	ret_slips->count = 0;
	while (scan.p < scan.end) {
		if (in_block(&scan)) {
			while (!at_line_end(&scan))
				step(&scan);
		} else {
			scan_line(&scan);
		}
		while (scan.p < scan.end && *scan.p == '\r')
			scan.p++;
		if (scan.p < scan.end && *scan.p == '\n')
			scan.p++;
		scan.line++;
		scan.column = 1;
	}
}

long yaml_scan_colon(const char *text, const char **ret_text)
{
	const char *end = text + strlen(text);
	size_t word = word_length(text, end);
	const char *slip = word == 0 ? NULL : colon_slip(text + word, end);

	if (slip == NULL)
		return -1;
	*ret_text = slip;
	return (long)word;
}
