#include <stdio.h>
#include <string.h>

#include "multipart.h"

/* A quote, a backslash or a line end would leave the header. */
static char *quotable(const struct host *host, struct arena *arena, const char *text)
{
	char *copy = host->text(arena, text && text[0] ? text : "file");

	for (char *at = copy; *at; at++)
		if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ' || *at == 0x7f)
			*at = '_';
	return copy;
}

static const char *heads_of(const struct host *host, struct arena *arena, const char *boundary,
			    const char *const *fields)
{
	const char *heads = "";

	for (; fields && fields[0]; fields += 2)
		heads = host->format(arena,
				     "%s--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n"
				     "\r\n%s\r\n",
				     heads, boundary, fields[0], fields[1]);
	return heads;
}

struct multipart multipart_build(const struct host *host, struct arena *arena,
				 const char *const *fields, const struct multipart_file *file)
{
	unsigned char random[16];
	const char *boundary, *head, *tail;
	struct multipart ret;
	char *body;

	host->random(random, sizeof(random));
	boundary = host->format(arena, "converge-%s", host->hex(arena, random, sizeof(random)));
	head = host->format(arena,
			    "%s--%s\r\nContent-Disposition: form-data; name=\"%s\"; "
			    "filename=\"%s\"\r\nContent-Type: %s\r\n\r\n",
			    heads_of(host, arena, boundary, fields), boundary, file->field,
			    quotable(host, arena, file->name),
			    file->type && file->type[0] ? file->type : "application/octet-stream");
	tail = host->format(arena, "\r\n--%s--\r\n", boundary);
	ret.len = strlen(head) + file->len + strlen(tail);
	body = host->alloc(arena, ret.len + 1);
	memcpy(body, head, strlen(head));
	if (file->len)
		memcpy(body + strlen(head), file->bytes, file->len);
	memcpy(body + strlen(head) + file->len, tail, strlen(tail));
	ret.body = body;
	ret.content_type = host->format(arena, "multipart/form-data; boundary=%s", boundary);
	return ret;
}
