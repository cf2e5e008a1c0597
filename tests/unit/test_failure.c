#include <criterion/criterion.h>
#include <string.h>

#include "base/memory.h"
#include "store/failure.h"
#include "store/reply.h"

Test(failure, says_of_every_error_of_redis_what_to_do)
{
	static const struct {
		const char *text;
		enum failure_advice advice;
		enum error_kind kind;
	} rows[] = {
		{ "NOSCRIPT No matching script.", FAILURE_RELOAD, ERROR_TEMPORARY },
		{ "OOM command not allowed when used memory > 'maxmemory'.", FAILURE_ANSWER,
		  ERROR_TEMPORARY },
		{ "MISCONF Errors writing to the AOF file: No space left on device", FAILURE_ANSWER,
		  ERROR_TEMPORARY },
		{ "READONLY You can't write against a read only replica.", FAILURE_RECONNECT,
		  ERROR_TEMPORARY },
		{ "LOADING Redis is loading the dataset in memory", FAILURE_ANSWER,
		  ERROR_TEMPORARY },
		{ "MASTERDOWN Link with MASTER is down", FAILURE_RECONNECT, ERROR_TEMPORARY },
		{ "NOREPLICAS Not enough good replicas to write.", FAILURE_ANSWER,
		  ERROR_TEMPORARY },
		{ "BUSY Redis is busy running a script.", FAILURE_ANSWER, ERROR_TEMPORARY },
		{ "CLUSTERDOWN Hash slot not served", FAILURE_ANSWER, ERROR_TEMPORARY },
		{ "NOPERM this user has no permissions", FAILURE_ANSWER, ERROR_PERMANENT },
		{ "WRONGTYPE Operation against a key", FAILURE_ANSWER, ERROR_PERMANENT },
		{ "ERR unknown command", FAILURE_ANSWER, ERROR_PERMANENT },
		{ "BUSYKEY Target key name already exists.", FAILURE_ANSWER, ERROR_PERMANENT },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct store_reply reply = { .kind = REPLY_TEXT,
					     .is_error = true,
					     .len = strlen(rows[i].text),
					     .as.text = rows[i].text };
		struct error err;

		cr_expect_eq(failure_read(&reply, "admit", &err), rows[i].advice, "%s",
			     rows[i].text);
		cr_expect_eq(err.kind, rows[i].kind, "%s", rows[i].text);
		cr_expect_eq(strncmp(err.text, "admit: ", 7), 0, "%s", err.text);
	}
}
