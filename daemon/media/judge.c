#include "media/judge.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { TYPE_BYTES = 128 };

static void decide(struct media_verdict *verdict, enum media_decision decision, const char *format,
		   ...) __attribute__((format(printf, 3, 4)));

static void decide(struct media_verdict *verdict, enum media_decision decision, const char *format,
		   ...)
{
	va_list args;

	verdict->verdict = decision;
	va_start(args, format);
	vsnprintf(verdict->why, sizeof(verdict->why), format, args);
	va_end(args);
}

static bool is_allowed(const char *type, const struct setting_texts *types)
{
	for (size_t i = 0; i < types->count; i++) {
		const char *allowed = types->items[i];
		size_t len = strlen(allowed);

		if (strcasecmp(allowed, type) == 0 ||
		    (strncasecmp(allowed, type, len) == 0 && type[len] == '/'))
			return true;
	}
	return types->count == 0;
}

static bool status_may_change(long status)
{
	return status == 408 || status == 425 || status == 429 || status >= 500;
}

/* An expired link often answers a page: it is not what the customer sent. */
static bool is_a_page_instead(const char *answered, const char *declared)
{
	return strcasecmp(answered, "text/html") == 0 && strcasecmp(declared, "text/html") != 0 &&
	       strcasecmp(declared, "application/octet-stream") != 0;
}

static void judge_type(const struct transfer_answer *answer, const char *declared,
		       const struct setting_texts *types, struct media_verdict *ret)
{
	char type[TYPE_BYTES];

	if (transfer_header(answer, "content-type", type, sizeof(type)))
		type[strcspn(type, "; \t")] = '\0';
	else
		snprintf(type, sizeof(type), "%s", declared);
	if (is_a_page_instead(type, declared))
		decide(ret, MEDIA_REFUSE, "the provider answered a web page, not %.80s", declared);
	else if (!is_allowed(type, types) || !is_allowed(declared, types))
		decide(ret, MEDIA_REFUSE,
		       "files of type %.80s are not taken here (limits.media_types)",
		       is_allowed(type, types) ? declared : type);
}

void media_judge(const struct transfer_answer *answer, const char *declared,
		 const struct setting_texts *types, struct media_verdict *ret)
{
	*ret = (struct media_verdict){ .verdict = MEDIA_KEEP };
	if (answer->error != NULL)
		decide(ret, answer->error->kind == ERROR_TEMPORARY ? MEDIA_AGAIN : MEDIA_REFUSE,
		       "%s", answer->error->text);
	else if (answer->status != 200)
		decide(ret, status_may_change(answer->status) ? MEDIA_AGAIN : MEDIA_REFUSE,
		       "the provider answered %ld", answer->status);
	else
		judge_type(answer, declared, types, ret);
}
