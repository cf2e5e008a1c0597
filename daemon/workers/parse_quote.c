/* Where the quoted mail begins. Only what is shown folds; the text is kept. */
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

enum {
	LINE_MAX_LOOKED = 400,   /* bytes of a line that matter */
	HEADER_LINES_LOOKED = 5, /* after "From:" */
};

struct line {
	const char *p;
	size_t len; /* without its end and trailing space */
	const char *next;
};

static struct line line_at(const char *p, const char *end)
{
	const char *stop = memchr(p, '\n', (size_t)(end - p));
	struct line line = { .p = p, .next = stop == NULL ? end : stop + 1 };

	stop = stop == NULL ? end : stop;
	while (stop > p && (stop[-1] == ' ' || stop[-1] == '\r' || stop[-1] == '\t'))
		stop--;
	line.len = (size_t)(stop - p);
	return line;
}

static struct line trimmed(struct line line)
{
	while (line.len > 0 && (*line.p == ' ' || *line.p == '\t' || *line.p == '*')) {
		line.p++;
		line.len--;
	}
	return line;
}

static bool starts(const struct line *line, const char *text)
{
	size_t len = strlen(text);

	return line->len >= len && strncasecmp(line->p, text, len) == 0;
}

static bool ends(const struct line *line, const char *text)
{
	size_t len = strlen(text);

	return line->len >= len && strncasecmp(line->p + line->len - len, text, len) == 0;
}

static bool has(const struct line *line, const char *text)
{
	return memmem(line->p, line->len < LINE_MAX_LOOKED ? line->len : LINE_MAX_LOOKED, text,
		      strlen(text)) != NULL;
}

/* A line of at least 8 of one of "-_=" around, or nothing but, one of the words. */
static bool is_banner(const struct line *line)
{
	static const char *const words[] = {
		"original message",
		"reply above this line",
		"forwarded message",
		"原始邮件",
		"原始郵件",
		"转发邮件",
		"轉發郵件",
		"回复的原邮件",
		"转发的原邮件",
		"在此线上方回复",
		"ursprüngliche nachricht",
		"message d'origine",
		"元のメッセージ",
	};
	char lower[LINE_MAX_LOOKED + 1];

	if (line->len < 8 || line->len > LINE_MAX_LOOKED || !starts(line, "--"))
		return false;
	for (size_t i = 0; i < line->len; i++)
		lower[i] = (char)(line->p[i] >= 'A' && line->p[i] <= 'Z' ? line->p[i] | 0x20
									 : line->p[i]);
	lower[line->len] = '\0';
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strstr(lower, words[i]) != NULL)
			return true;
	return false;
}

static bool is_rule(const struct line *line)
{
	size_t count = 0;

	while (count < line->len && line->p[count] == '_')
		count++;
	return count >= 20 && count == line->len;
}

static bool ends_attribution(const struct line *line)
{
	static const char *const endings[] = { "wrote:",   "写道：",    "写道:",
					       "寫道：",   "寫道:",     "writes:",
					       "schrieb:", "a écrit :", "escribió:" };

	for (size_t i = 0; i < COUNT_OF(endings); i++)
		if (ends(line, endings[i]))
			return true;
	return false;
}

/* "On <date>, <name> wrote:", "在 ... 写道：", "At 2026-..., x wrote:", on one line or wrapped over
 * two. */
static bool is_attribution(struct line line, const char *end)
{
	struct line second;

	if (!starts(&line, "On ") && !starts(&line, "At ") && !starts(&line, "在") &&
	    !starts(&line, "于") && !starts(&line, "Am ") && !starts(&line, "Le ") &&
	    !starts(&line, "El ") && !has(&line, "@") && !has(&line, "&lt;"))
		return false;
	if (line.len > LINE_MAX_LOOKED)
		return false;
	if (ends_attribution(&line))
		return true;
	if (line.next >= end || line.len < 10)
		return false;
	second = line_at(line.next, end);
	return second.len > 0 && second.len < LINE_MAX_LOOKED && ends_attribution(&second) &&
	       (starts(&line, "On ") || starts(&line, "在") || starts(&line, "At "));
}

static bool is_field(const struct line *line, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (starts(line, names[i]))
			return true;
	return false;
}

/* "From:" or "发件人：" with Sent, Date, To or Subject within five lines. */
static bool is_header_block(const struct line *line, const char *end)
{
	static const char *const first[] = { "From:",   "发件人：", "发件人:", "寄件者：",
					     "寄件者:", "Von:",     "差出人:", "发件人 :" };
	static const char *const later[] = {
		"Sent:",   "Date:",  "To:",       "Subject:", "发送时间：", "发送时间:", "收件人：",
		"收件人:", "主题：", "主题:",     "日期：",   "日期:",      "发送日期",  "寄件日期",
		"收件者",  "主旨",   "Gesendet:", "Betreff:", "送信日時",   "件名",
	};
	struct line next = *line;

	if (!is_field(line, first, COUNT_OF(first)))
		return false;
	for (int i = 0; i < HEADER_LINES_LOOKED && next.next < end; i++) {
		next = trimmed(line_at(next.next, end));
		if (is_field(&next, later, COUNT_OF(later)))
			return true;
	}
	return false;
}

/* Only quoted and empty lines from here to the end? */
static bool is_quoted_to_end(struct line line, const char *end)
{
	if (line.len == 0 || line.p[0] != '>')
		return false;
	while (line.next < end) {
		line = line_at(line.next, end);
		if (line.len > 0 && line.p[0] != '>')
			return false;
	}
	return true;
}

static bool is_signature(const struct line *line)
{
	/* "-- " exactly; the space may have been eaten on the way */
	return line->len == 2 && line->p[0] == '-' && line->p[1] == '-';
}

static bool has_words(const char *p, const char *end)
{
	for (; p < end; p++)
		if ((unsigned char)*p > ' ')
			return true;
	return false;
}

size_t quote_cut(const char *text, size_t len)
{
	const char *end = text + len;
	bool quoted_tail_judged = false;

	for (const char *p = text; p < end;) {
		struct line line = line_at(p, end);
		struct line inner = trimmed(line);
		bool cut = is_banner(&inner) || is_rule(&inner) || is_signature(&line) ||
			   is_attribution(inner, end) || is_header_block(&inner, end);

		/* judged once for a run: each judgement reads to the end of the text */
		if (!cut && line.len > 0 && line.p[0] == '>' && !quoted_tail_judged) {
			quoted_tail_judged = true;
			cut = is_quoted_to_end(line, end);
		} else if (line.len > 0 && line.p[0] != '>') {
			quoted_tail_judged = false;
		}
		if (cut && has_words(text, p)) {
			while (p > text && (unsigned char)p[-1] <= ' ')
				p--;
			return (size_t)(p - text);
		}
		p = line.next;
	}
	return len;
}

/* ---- format=flowed ---- */

static size_t quote_depth(const char *p, size_t len)
{
	size_t depth = 0;

	while (depth < len && p[depth] == '>')
		depth++;
	return depth;
}

struct flow {
	struct buf *out;
	size_t depth; /* of the line before */
	bool open;    /* the line before ended in a space */
	bool delete_space;
};

static void flow_line(struct flow *flow, const char *p, size_t len)
{
	size_t depth = quote_depth(p, len);
	bool goes_on = flow->open && depth == flow->depth;

	if (flow->open && !goes_on)
		buf_byte(flow->out, '\n');
	if (!goes_on)
		buf_add(flow->out, p, depth);
	p += depth;
	len -= depth;
	if (len > 0 && *p == ' ' && (depth == 0 || goes_on)) { /* stuffed */
		p++;
		len--;
	}
	flow->open = len > 0 && p[len - 1] == ' ' && !(len == 3 && memcmp(p, "-- ", 3) == 0);
	flow->depth = depth;
	buf_add(flow->out, p, flow->open && flow->delete_space ? len - 1 : len);
	if (!flow->open)
		buf_byte(flow->out, '\n');
}

void flowed_join(const char *text, size_t len, bool delete_space, struct buf *out)
{
	struct flow flow = { .out = out, .delete_space = delete_space };
	const char *end = text + len;
	const char *next;

	for (const char *p = text; p < end; p = next) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		next = stop == NULL ? end : stop + 1;
		stop = stop == NULL ? end : stop;
		if (stop > p && stop[-1] == '\r')
			stop--;
		flow_line(&flow, p, (size_t)(stop - p));
	}
	if (flow.open)
		buf_byte(out, '\n');
}
