/* The body of a multipart/form-data upload (RFC 7578), for providers that take files so. */
#pragma once

#include "converge/connector.h"

struct multipart_file {
	const char *field; /* the part's name */
	const char *name;  /* of the file; "" becomes "file" */
	const char *type;
	const void *bytes;
	size_t len;
};

struct multipart {
	const char *content_type; /* with the boundary */
	const char *body;
	size_t len;
};

/* In the arena. fields: name, value ..., NULL. */
struct multipart multipart_build(const struct host *host, struct arena *arena,
				 const char *const *fields, const struct multipart_file *file);
