#include "store/failure.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "store/reply.h"

static const struct failure {
	const char *code;
	enum failure_advice advice;
	enum error_kind kind;
	const char *text;
} failures[] = {
	{ "NOSCRIPT", FAILURE_RELOAD, ERROR_TEMPORARY, "the store lost its scripts" },
	{ "OOM", FAILURE_ANSWER, ERROR_TEMPORARY, "the store is full (maxmemory)" },
	{ "MISCONF", FAILURE_ANSWER, ERROR_TEMPORARY, "the store cannot write to its disk" },
	{ "READONLY", FAILURE_RECONNECT, ERROR_TEMPORARY, "the store is a read-only replica" },
	{ "LOADING", FAILURE_ANSWER, ERROR_TEMPORARY, "the store is still loading" },
	{ "MASTERDOWN", FAILURE_RECONNECT, ERROR_TEMPORARY,
	  "the store is a replica without its master" },
	{ "NOREPLICAS", FAILURE_ANSWER, ERROR_TEMPORARY, "not enough replicas" },
	{ "BUSY", FAILURE_ANSWER, ERROR_TEMPORARY, "the store is busy with a slow script" },
	{ "CLUSTERDOWN", FAILURE_ANSWER, ERROR_TEMPORARY, "the store's cluster is down" },
	{ "TRYAGAIN", FAILURE_ANSWER, ERROR_TEMPORARY, "the workspace is moving" },
	{ "NOAUTH", FAILURE_RECONNECT, ERROR_TEMPORARY, "the store asks for a password" },
	{ "NOPERM", FAILURE_ANSWER, ERROR_PERMANENT, "the store's user may not do that" },
};

static const struct failure *failure_find(const char *text)
{
	size_t len = strcspn(text, " ");

	for (size_t i = 0; i < COUNT_OF(failures); i++)
		if (strlen(failures[i].code) == len && strncmp(failures[i].code, text, len) == 0)
			return &failures[i];
	return NULL;
}

enum failure_advice failure_read(const struct store_reply *reply, const char *call,
				 struct error *err)
{
	const char *text = reply_text(reply, NULL);
	const struct failure *failure = failure_find(text);

	if (failure != NULL) {
		error_set(err, failure->kind, "%s: %s", call, failure->text);
		return failure->advice;
	}
	log_error("store", "event=mistake call=%s error=%s", call, log_quote(text));
	error_set(err, ERROR_PERMANENT, "%s: %s", call, text);
	return FAILURE_ANSWER;
}
