#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/settings_value.h"
#include "base/text.h"

static const char *const web_schemes[] = { "http", "https", NULL };
/* What follows these is a path of this machine. */
static const char *const path_schemes[] = { "unix", "file", "sqlite", NULL };

static bool is_among(const char *word, size_t len, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strlen(*words) == len && memcmp(*words, word, len) == 0)
			return true;
	}
	return false;
}

static const char *const *schemes_of(const struct setting *row)
{
	return row->choices != NULL ? row->choices : web_schemes;
}

static const char *scheme_list(struct arena *arena, const char *const *schemes)
{
	const char *list = "";

	for (; *schemes != NULL; schemes++) {
		const char *scheme = *schemes;
		const char *tail = "://";

		if (*scheme == '!')
			continue;
		if (*scheme == '=' || is_among(scheme, strlen(scheme), path_schemes))
			tail = *scheme == '=' ? "" : ":";
		list = arena_format(arena, "%s%s%s%s", list, *list == '\0' ? "" : ", ",
				    scheme + (*scheme == '='), tail);
	}
	return list;
}

static bool wrong_scheme(const struct setting_value *value, size_t len)
{
	const char *const *schemes = schemes_of(value->row);
	struct arena *arena = value->source->arena;
	char *scheme = arena_copy(arena, value->text, len);
	const char *list = scheme_list(arena, schemes);
	const char *near;

	for (size_t i = 0; schemes[i] != NULL; i++) {
		if (schemes[i][0] != '!' || strcmp(schemes[i] + 1, scheme) != 0)
			continue;
		problem_error(
			value->source->problems, &value->at,
			"\"%s\": %s is known, but this program was built without it\tuse one of "
			"%s",
			value->name, scheme, list);
		return false;
	}
	near = settings_nearest(scheme, schemes);
	if (near != NULL && strcmp(near, scheme) != 0)
		problem_error(
			value->source->problems, &value->at,
			"\"%s\" does not begin with a scheme it knows\tdid you mean \"%s\"? It "
			"may be %s",
			value->name, near + (*near == '='), list);
	else
		problem_error(value->source->problems, &value->at,
			      "\"%s\" does not begin with a scheme it knows\tit may be %s",
			      value->name, list);
	return false;
}

static bool bad(const struct setting_value *value, const char *what, const char *hint)
{
	problem_error(value->source->problems, &value->at, "\"%s\" %s\t%s", value->name, what,
		      hint);
	return false;
}

static bool has_bad_bytes(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return true;
	}
	return false;
}

/* The end of "host" or "[v6]"; NULL where it is neither. */
static const char *host_end(const char *p)
{
	const char *start = p;

	if (*p == '[') {
		p++;
		while (isxdigit((unsigned char)*p) || *p == ':' || *p == '.' || *p == '%')
			p++;
		return *p == ']' && p - start > 2 ? p + 1 : NULL;
	}
	while (isalnum((unsigned char)*p) || *p == '.' || *p == '-' || *p == '_' ||
	       (*p & 0x80) != 0)
		p++;
	return p > start ? p : NULL;
}

static bool port_is_fine(const char *text, size_t len, uint64_t min)
{
	uint64_t port;

	return text_uint(text, len, &port) && port >= min && port <= 65535;
}

static bool authority_is_fine(const struct setting_value *value, const char *start)
{
	size_t len = strcspn(start, "/?#");
	char *authority = arena_copy(value->source->arena, start, len);
	const char *at = strrchr(authority, '@');
	const char *host = at == NULL ? authority : at + 1;
	const char *end = host_end(host);

	if (end == NULL)
		return bad(value, "has no host", "write scheme://host:port");
	if (*end == ':' && !port_is_fine(end + 1, strlen(end + 1), 1))
		return bad(value, "has no port from 1 to 65535 after the host",
			   "write scheme://host:port");
	if (*end != ':' && *end != '\0')
		return bad(value, "has a character in its host that cannot be there",
			   "write scheme://host:port, an IPv6 address in [ ]");
	if (at != NULL && memchr(authority, ':', (size_t)(at - authority)) != NULL)
		setting_warn_exposed(value);
	return true;
}

static bool path_url(struct setting_value *value, size_t scheme)
{
	const char *path = value->text + scheme + 1;

	if (text_starts(path, "//"))
		path += 2;
	if (*path == '\0')
		return bad(value, "has no path", "write the path after the colon");
	value->text = arena_format(value->source->arena, "%.*s:%s", (int)scheme, value->text,
				   settings_path(value->source, path));
	return true;
}

static bool is_word(const struct setting_value *value)
{
	const char *const *schemes = schemes_of(value->row);

	for (; *schemes != NULL; schemes++) {
		if (**schemes == '=' && strcmp(*schemes + 1, value->text) == 0)
			return true;
	}
	return false;
}

bool setting_url_read(struct setting_value *value)
{
	struct setting_value raw = *value;
	const char *text = setting_expand(value);
	size_t scheme;

	if (text == NULL)
		return false;
	value->text = text;
	if (is_word(value))
		return true;
	if (has_bad_bytes(text))
		return bad(value, "has a space in it", "write a space as %20");
	scheme = strcspn(text, ":");
	if (!is_among(text, scheme, schemes_of(value->row)) || text[scheme] == '\0')
		return wrong_scheme(value, scheme);
	if (is_among(text, scheme, path_schemes))
		return path_url(value, scheme);
	if (!text_starts(text + scheme, "://"))
		return bad(value, "has no \"//\" after the scheme", "write scheme://host:port");
	raw.text = strstr(raw.text, "${env:") != NULL ? raw.text : text;
	return authority_is_fine(&raw, text + scheme + 3);
}

static bool bad_address(const struct setting_value *value)
{
	const char *text = value->text;
	const char *shown = settings_shown(value->source->arena, text);

	if (strspn(text, "0123456789") == strlen(text))
		return bad(value, "has no host",
			   arena_format(value->source->arena,
					"write 127.0.0.1:%s, or 0.0.0.0:%s for every address",
					shown, shown));
	if (*text == ':' && strspn(text + 1, "0123456789") == strlen(text + 1))
		return bad(value, "has no host",
			   arena_format(value->source->arena,
					"write 127.0.0.1%s, or 0.0.0.0%s for every address", shown,
					shown));
	if (strstr(text, "://") != NULL)
		return bad(value, "must be an address, not a URL", "write host:port");
	if (*text != '[' && strchr(text, ':') != strrchr(text, ':'))
		return bad(value, "has an IPv6 address without brackets",
			   "write \"[address]:port\", in quotes");
	return bad(value, arena_format(value->source->arena, "is \"%s\", not an address", shown),
		   "write host:port, \"[v6]:port\" or unix:/path");
}

bool setting_address_read(struct setting_value *value)
{
	const char *end;

	if (text_starts(value->text, "unix:"))
		return path_url(value, strlen("unix"));
	end = host_end(value->text);
	if (end == NULL || *end != ':')
		return strchr(value->text, ':') == NULL && end != NULL && *end == '\0' &&
				       strspn(value->text, "0123456789") != strlen(value->text)
			       ? bad(value, "has no port", "write host:port")
			       : bad_address(value);
	if (strchr(end + 1, ':') != NULL)
		return bad_address(value);
	if (!port_is_fine(end + 1, strlen(end + 1), 0))
		return bad(value, "has no port from 0 to 65535", "write host:port");
	return true;
}
