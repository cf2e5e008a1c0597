/* Loop prevention (RFC 3834, and the headers that mailers use in its place). */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

static bool has_auto_submitted(const struct fields *fields, struct arena *arena)
{
	const char *value = fields_get(fields, "Auto-Submitted");

	return value != NULL && strcmp(header_token(arena, value), "no") != 0;
}

static bool has_null_sender(const struct fields *fields, const struct parse_options *options)
{
	const char *path = fields_get(fields, "Return-Path");

	if (options->envelope_from != NULL)
		return options->envelope_from[0] == '\0' ||
		       strcmp(options->envelope_from, "<>") == 0;
	if (path == NULL)
		return false;
	path += strspn(path, " \t");
	return path[0] == '<' && path[1 + strspn(path + 1, " \t")] == '>';
}

static bool has_precedence(const struct fields *fields, struct arena *arena)
{
	static const char *const automatic[] = { "bulk", "junk", "list", "auto_reply" };
	char *value = header_token(arena, fields_get(fields, "Precedence"));

	for (size_t i = 0; i < COUNT_OF(automatic); i++)
		if (strcmp(value, automatic[i]) == 0)
			return true;
	return false;
}

static bool has_list(const struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strncasecmp(fields->items[i].name, "List-", 5) == 0)
			return true;
	return false;
}

static bool has_suppress(const struct fields *fields)
{
	static const char *const words[] = { "All", "AutoReply", "DR", "OOF", "RN", "NRN" };
	const char *value = fields_get(fields, "X-Auto-Response-Suppress");

	for (const char *p = value; p != NULL && *p != '\0';) {
		size_t len;

		p += strspn(p, " ,\t");
		len = strcspn(p, " ,\t");
		for (size_t i = 0; i < COUNT_OF(words); i++)
			if (len == strlen(words[i]) && strncasecmp(p, words[i], len) == 0)
				return true;
		p += len;
	}
	return false;
}

static bool has_autoreply(const struct fields *fields)
{
	static const char *const names[] = {
		"X-Autoreply", "X-Autorespond",    "X-Autoresponse",
		"X-Loop",      "X-Mail-Autoreply", "X-Auto-Reply-From"
	};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (fields_get(fields, names[i]) != NULL)
			return true;
	return false;
}

static bool is_report(const struct fields *fields, struct arena *arena)
{
	char *type = header_token(arena, fields_get(fields, "Content-Type"));

	return strcmp(type, "multipart/report") == 0 ||
	       strcmp(type, "message/delivery-status") == 0 ||
	       strcmp(type, "text/delivery-status") == 0;
}

static bool is_machine(const char *from)
{
	static const char *const whole[] = { "mailer-daemon", "postmaster", "no-reply", "noreply",
					     "do-not-reply",  "donotreply", "no_reply" };
	size_t len = from == NULL ? 0 : strcspn(from, "@");

	for (size_t i = 0; i < COUNT_OF(whole); i++)
		if (len == strlen(whole[i]) && strncasecmp(from, whole[i], len) == 0)
			return true;
	return len >= 6 && strncasecmp(from, "bounce", 6) == 0;
}

static bool is_own(const struct mail_texts *own, const char *address)
{
	for (size_t i = 0; i < own->count; i++)
		if (address_equal(own->items[i], address))
			return true;
	return false;
}

/* support+token@example.com is support@example.com. */
static bool is_own_plus(const struct mail_texts *own, const char *address, struct arena *arena)
{
	const char *plus = strchr(address, '+');
	const char *at = strrchr(address, '@');

	if (is_own(own, address))
		return true;
	if (plus == NULL || at == NULL || plus > at)
		return false;
	return is_own(own, arena_format(arena, "%.*s%s", (int)(plus - address), address, at));
}

static bool is_addressed(const struct fields *fields, const struct parse_options *options,
			 struct arena *arena)
{
	static const char *const names[] = { "To", "Cc" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct mail_addresses list = { 0 };

		addresses_read(arena, fields_get(fields, names[i]), LIMIT_MAIL_ADDRESSES, &list);
		for (size_t j = 0; j < list.count; j++)
			if (is_own_plus(&options->own, list.items[j].address, arena))
				return true;
	}
	return false;
}

const char *automatic_reason(const struct fields *fields, const struct parse_options *options,
			     const char *from, struct arena *arena)
{
	if (has_auto_submitted(fields, arena))
		return "auto_submitted";
	if (has_null_sender(fields, options))
		return "null_sender";
	if (has_precedence(fields, arena))
		return "precedence";
	if (has_list(fields))
		return "list";
	if (has_suppress(fields))
		return "suppress";
	if (has_autoreply(fields))
		return "autoreply";
	if (is_report(fields, arena))
		return "report";
	if (is_machine(from))
		return "machine";
	if (from != NULL && is_own_plus(&options->own, from, arena))
		return "own_address";
	if (options->own.count > 0 && !is_addressed(fields, options, arena))
		return "not_addressed";
	return NULL;
}
