/* Subjects and file names: what people see of a header. */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

static const char *const subject_prefixes[] = {
	"re",   "fw",   "fwd",  "aw",   "wg",   "sv",   "vs",   "vb",   "antw", "tr",
	"rv",   "res",  "enc",  "odp",  "pd",   "ynt",  "ref",  "rif",  "回复", "回覆",
	"答复", "答覆", "转发", "轉發", "返信", "转寄", "轉寄", "回信",
};

/* After a prefix: "[2]" or "(2)", space, and a colon of either width; 0: no. */
static size_t colon_length(const char *p)
{
	size_t at = 0;

	if (p[at] == '[' || p[at] == '(') {
		at += 1 + strspn(p + 1, "0123456789");
		if (p[at] != ']' && p[at] != ')')
			return 0;
		at++;
	}
	at += strspn(p + at, " ");
	if (p[at] == ':')
		return at + 1;
	return strncmp(p + at, "：", strlen("：")) == 0 ? at + strlen("：") : 0;
}

static size_t prefix_length(const char *subject)
{
	for (size_t i = 0; i < COUNT_OF(subject_prefixes); i++) {
		size_t len = strlen(subject_prefixes[i]);
		size_t colon;

		if (strncasecmp(subject, subject_prefixes[i], len) != 0)
			continue;
		colon = colon_length(subject + len);
		if (colon > 0)
			return len + colon;
	}
	return 0;
}

const char *subject_base(const char *subject)
{
	size_t len;

	subject += strspn(subject, " ");
	while ((len = prefix_length(subject)) > 0) {
		subject += len;
		subject += strspn(subject, " ");
	}
	return subject;
}

/* Keeps the ending of a name that is too long. */
static char *shorten(struct arena *arena, const char *name)
{
	enum { ENDING_MAX = 16 };
	const char *dot = strrchr(name, '.');
	const char *ending = dot != NULL && strlen(dot) <= ENDING_MAX ? dot : "";
	size_t keep = text_prefix(name, strlen(name), LIMIT_NAME_BYTES - strlen(ending));

	return arena_format(arena, "%.*s%s", (int)keep, name, ending);
}

char *file_name_clean(struct arena *arena, const char *name)
{
	char *clean;
	size_t len;

	if (name == NULL)
		return arena_text(arena, "");
	for (const char *p = name; *p != '\0'; p++)
		if (*p == '/' || *p == '\\')
			name = p + 1;
	clean = text_clean_line(arena, name, strlen(name), 4 * LIMIT_NAME_BYTES);
	clean += strspn(clean, ". ");
	len = strlen(clean);
	while (len > 0 && (clean[len - 1] == ' ' || clean[len - 1] == '.'))
		clean[--len] = '\0';
	for (char *p = clean; *p != '\0'; p++)
		if (strchr("<>:\"|?*", *p) != NULL || *p == 0x7f)
			*p = '_';
	return len > LIMIT_NAME_BYTES ? shorten(arena, clean) : clean;
}
