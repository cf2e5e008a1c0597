#include "services/s3_place.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { PART_BYTES = 300 };

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

struct parts {
	char bucket[64];
	char prefix[PART_BYTES]; /* without slashes at its ends */
	char endpoint[PART_BYTES];
	char region[41];
	char style[16];
};

static int bad(struct error *err, const char *what)
{
	return error_set(err, ERROR_MISUSE, "%s", what);
}

/* Characters that need no escape, so that nobody can escape them otherwise. */
static bool is_plain_path(const char *text)
{
	return text[strspn(text, LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "._-/")] == '\0' &&
	       strstr(text, "//") == NULL && strstr(text, "..") == NULL;
}

static bool is_host(const char *text)
{
	return *text != '\0' &&
	       text[strspn(text, LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS ".-[:]")] == '\0';
}

static int path_read(const char *path, size_t len, struct parts *ret, struct error *err)
{
	size_t bucket = 0;

	while (bucket < len && path[bucket] != '/')
		bucket++;
	if (bucket < 3 || bucket >= sizeof(ret->bucket))
		return bad(err, "the bucket's name has 3 to 63 characters");
	memcpy(ret->bucket, path, bucket);
	while (bucket < len && path[bucket] == '/')
		bucket++;
	while (len > bucket && path[len - 1] == '/')
		len--;
	if (len - bucket >= sizeof(ret->prefix))
		return bad(err, "the prefix is too long");
	memcpy(ret->prefix, path + bucket, len - bucket);
	if (strchr(ret->bucket, '_') != NULL || !is_plain_path(ret->bucket) ||
	    !is_plain_path(ret->prefix))
		return bad(err, "bucket and prefix may hold letters, digits, \".\" and \"-\", the "
				"prefix also \"/\" and \"_\"");
	return 0;
}

static int option_read(const char *text, size_t len, struct parts *ret, struct error *err)
{
	const struct {
		const char *name;
		char *out;
		size_t room;
	} options[] = {
		{ "endpoint=", ret->endpoint, sizeof(ret->endpoint) },
		{ "region=", ret->region, sizeof(ret->region) },
		{ "style=", ret->style, sizeof(ret->style) },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		size_t name = strlen(options[i].name);

		if (len < name || memcmp(text, options[i].name, name) != 0)
			continue;
		if (text_unpercent(text + name, len - name, false, options[i].out,
				   options[i].room) < 0)
			return bad(err, "an option after \"?\" is too long or badly escaped");
		return 0;
	}
	return bad(err, "after \"?\" there may be endpoint, region and style");
}

static int options_read(const char *text, struct parts *ret, struct error *err)
{
	int rc = 0;

	while (rc == 0 && *text != '\0') {
		size_t len = strcspn(text, "&");

		rc = option_read(text, len, ret, err);
		text += len + (text[len] == '&');
	}
	return rc;
}

static int endpoint_judge(struct parts *parts, struct error *err)
{
	const char *host = strstr(parts->endpoint, "://");
	size_t len = strlen(parts->endpoint);

	if (len > 0 && parts->endpoint[len - 1] == '/')
		parts->endpoint[len - 1] = '\0';
	if (parts->region[0] == '\0' ||
	    parts->region[strspn(parts->region, LETTERS DIGITS "-")] != '\0')
		return bad(err, "region has lower-case letters, digits and \"-\"");
	if (parts->endpoint[0] == '\0')
		snprintf(parts->endpoint, sizeof(parts->endpoint), "https://s3.%s.amazonaws.com%s",
			 parts->region, text_starts(parts->region, "cn-") ? ".cn" : "");
	else if (host == NULL || !is_host(host + 3) ||
		 (!text_starts(parts->endpoint, "https://") &&
		  !text_starts(parts->endpoint, "http://")))
		return bad(err, "endpoint is https://host, or https://host:port");
	if (!text_equal(parts->style, "path") && !text_equal(parts->style, "virtual"))
		return bad(err, "style is path or virtual");
	return 0;
}

int s3_place_read(const char *url, struct s3_place *ret, struct error *err)
{
	struct parts parts = { .region = "us-east-1", .style = "path" };
	const char *path = url + strlen("s3://");
	const char *host;
	size_t len;

	if (!text_starts(url, "s3://"))
		return bad(err, "not an s3:// URL");
	len = strcspn(path, "?");
	if (path_read(path, len, &parts, err) < 0 ||
	    (path[len] == '?' && options_read(path + len + 1, &parts, err) < 0) ||
	    endpoint_judge(&parts, err) < 0)
		return -1;
	*ret = (struct s3_place){ .is_plain = text_starts(parts.endpoint, "http://") };
	host = strstr(parts.endpoint, "://") + 3;
	snprintf(ret->region, sizeof(ret->region), "%s", parts.region);
	snprintf(ret->name, sizeof(ret->name), "s3://%s/%s%s%s", host, parts.bucket,
		 parts.prefix[0] == '\0' ? "" : "/", parts.prefix);
	if (text_equal(parts.style, "virtual"))
		snprintf(ret->base, sizeof(ret->base), "%.*s%s.%s/", (int)(host - parts.endpoint),
			 parts.endpoint, parts.bucket, host);
	else
		snprintf(ret->base, sizeof(ret->base), "%s/%s/", parts.endpoint, parts.bucket);
	snprintf(ret->bucket, sizeof(ret->bucket), "%s", ret->base);
	len = strlen(ret->base);
	if (parts.prefix[0] != '\0') {
		snprintf(ret->base + len, sizeof(ret->base) - len, "%s/", parts.prefix);
		snprintf(ret->prefix, sizeof(ret->prefix), "%s/", parts.prefix);
	}
	return 0;
}
