/* One pass over the attachments of one message: what is still pending is fetched, one after the
 * other, then written down. */
#pragma once

#include "parts.h"

struct media_start {
	struct parts *parts;
	const char *workspace;
	const char *fence;
	const char *member; /* of {ws}:md: conversation, message, index */
	/* Exactly once, never before media_job_start() returned. */
	void (*done)(const char *member, void *context);
	void *context;
};

void media_job_start(const struct media_start *start);
