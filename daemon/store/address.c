#include "store/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static int refuse_scheme(const char *url, struct error *err)
{
	if (strncasecmp(url, "rediss://", 9) == 0)
		return error_set(
			err, ERROR_MISUSE,
			"rediss:// is not supported by this build (its hiredis has no "
			"TLS); run stunnel beside the daemon and name its socket: unix:/path "
			"or redis://127.0.0.1:port");
	if (strncasecmp(url, "sentinel://", 11) == 0 || strncasecmp(url, "cluster://", 10) == 0)
		return error_set(err, ERROR_MISUSE,
				 "%.*s is not supported by this build; it supports embedded, "
				 "unix:/path and redis://[user:password@]host:port[/db]",
				 (int)(strchr(url, '/') - url + 2), url);
	return error_set(err, ERROR_MISUSE,
			 "store URL is not understood; use embedded, unix:/path or "
			 "redis://[user:password@]host:port[/db]");
}

static int unpercent(struct arena *arena, const char *from, size_t len, const char **ret_text,
		     struct error *err)
{
	char *text = arena_alloc(arena, len + 1);
	long used = text_unpercent(from, len, false, text, len + 1);

	if (used < 0)
		return error_set(err, ERROR_MISUSE, "store URL has a bad %% escape");
	text[used] = '\0';
	*ret_text = text;
	return 0;
}

/* [user][:password] */
static int parse_user(struct address *address, const char *from, size_t len, struct arena *arena,
		      struct error *err)
{
	const char *colon = memchr(from, ':', len);
	size_t user_len = colon == NULL ? len : (size_t)(colon - from);

	if (user_len > 0 && unpercent(arena, from, user_len, &address->user, err) < 0)
		return -1;
	if (colon == NULL)
		return error_set(err, ERROR_MISUSE,
				 "store URL names a user without a password "
				 "(redis://user:password@host:port)");
	return unpercent(arena, colon + 1, len - user_len - 1, &address->password, err);
}

static int parse_number(const char *from, size_t len, uint64_t max, int *ret_number)
{
	uint64_t number;

	if (!text_uint(from, len, &number) || number > max)
		return -1;
	*ret_number = (int)number;
	return 0;
}

/* host[:port], IPv6 in brackets */
static int parse_host(struct address *address, const char *from, size_t len, struct arena *arena,
		      struct error *err)
{
	const char *end = from + len;
	const char *host = from;
	const char *stop;

	if (len > 0 && *from == '[') {
		host++;
		stop = memchr(host, ']', len - 1);
		if (stop == NULL)
			return error_set(err, ERROR_MISUSE, "store URL has a [ without its ]");
		from = stop + 1;
	} else {
		stop = memchr(host, ':', len);
		from = stop == NULL ? end : stop;
	}
	if (stop == NULL)
		stop = end;
	if (stop == host || (from < end && *from != ':'))
		return error_set(err, ERROR_MISUSE, "store URL has no host");
	address->host = arena_copy(arena, host, (size_t)(stop - host));
	address->port = 6379;
	if (from < end &&
	    (parse_number(from + 1, (size_t)(end - from - 1), 65535, &address->port) < 0 ||
	     address->port == 0))
		return error_set(err, ERROR_MISUSE, "store URL has a bad port");
	return 0;
}

static int parse_redis(struct address *address, const char *rest, struct arena *arena,
		       struct error *err)
{
	size_t len = strcspn(rest, "/");
	const char *at = memrchr(rest, '@', len);

	if (rest[len] == '/' && rest[len + 1] != '\0' &&
	    parse_number(rest + len + 1, strlen(rest + len + 1), 1000000, &address->database) < 0)
		return error_set(err, ERROR_MISUSE,
				 "store URL must end in /NUMBER, the database (a slash in a "
				 "password is written %%2F)");
	if (at != NULL) {
		if (parse_user(address, rest, (size_t)(at - rest), arena, err) < 0)
			return -1;
		len -= (size_t)(at + 1 - rest);
		rest = at + 1;
	}
	if (parse_host(address, rest, len, arena, err) < 0)
		return -1;
	address->shown = arena_format(arena, "redis://%s:%d/%d", address->host, address->port,
				      address->database);
	return 0;
}

int address_parse(const char *url, struct arena *arena, struct address *ret_address,
		  struct error *err)
{
	struct address address = { 0 };

	if (strncmp(url, "unix:", 5) == 0) {
		const char *path = url + 5;

		if (strncmp(path, "//", 2) == 0)
			path += 2;
		if (*path != '/')
			return error_set(err, ERROR_MISUSE,
					 "store URL needs an absolute path: unix:/path");
		if (strlen(path) > 107)
			return error_set(err, ERROR_MISUSE,
					 "store URL: a socket's path has at most 107 bytes");
		address.path = arena_text(arena, path);
		address.shown = arena_format(arena, "unix:%s", path);
	} else if (strncmp(url, "redis://", 8) == 0) {
		if (parse_redis(&address, url + 8, arena, err) < 0)
			return -1;
	} else {
		return refuse_scheme(url, err);
	}
	*ret_address = address;
	return 0;
}
