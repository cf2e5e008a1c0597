#include "identity/phones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "identity/address.h"

enum {
	KEPT_MAX = 1024,
	QUEUE_MAX = 500,
	DEADLINE_MS = 10 * 1000,
	REGION_BYTES = 2,
	JOB_BYTES = REGION_BYTES + 1 + ADDRESS_PHONE_BYTES,
};

struct phones {
	struct loop *loop;
	const char *executable;
	struct worker_pool *pool; /* NULL until the first question */
	struct map *kept;         /* job -> answer */
};

struct question {
	struct phones *phones;
	phones_fn *done;
	void *context;
	char job[JOB_BYTES];
};

struct phones *phones_new(struct loop *loop, const char *executable)
{
	struct phones *phones = memory_new(sizeof(*phones));

	phones->loop = loop;
	phones->executable = executable;
	phones->kept = map_new();
	return phones;
}

static void kept_drop(struct phones *phones)
{
	size_t at = 0;
	char *answer;

	while ((answer = map_next(phones->kept, &at, NULL)) != NULL)
		free(answer);
	map_free(&phones->kept);
}

void phones_free(struct phones **ref)
{
	struct phones *phones = *ref;

	if (phones == NULL)
		return;
	worker_pool_free(&phones->pool);
	kept_drop(phones);
	free(phones);
	*ref = NULL;
}

static void job_write(const char *region, const char *number, char job[JOB_BYTES])
{
	bool is_region = region != NULL && strlen(region) == REGION_BYTES;

	snprintf(job, JOB_BYTES, "%s %s", is_region ? region : "ZZ", number);
}

const char *phones_known(struct phones *phones, const char *region, const char *number)
{
	char job[JOB_BYTES];

	/* Without a country nobody can say what it is. */
	if (region == NULL && number[0] != '+')
		return "";
	job_write(region, number, job);
	return map_get(phones->kept, job);
}

/* All are forgotten at once: the same few countries and people come again. */
static void answer_keep(struct phones *phones, const char *job, const char *e164)
{
	if (map_get(phones->kept, job) != NULL)
		return;
	if (map_count(phones->kept) == KEPT_MAX) {
		kept_drop(phones);
		phones->kept = map_new();
	}
	map_put(phones->kept, job, memory_text(e164));
}

static void on_answer(const void *answer, size_t len, const struct error *err, void *context)
{
	struct question *question = context;
	char e164[ADDRESS_PHONE_BYTES] = "";

	if (err == NULL && len > 0 && len < sizeof(e164))
		memcpy(e164, answer, len);
	if (err != NULL && err->kind == ERROR_TEMPORARY) {
		question->done(NULL, err, question->context);
	} else {
		answer_keep(question->phones, question->job, e164);
		question->done(e164, NULL, question->context);
	}
	free(question);
}

static void pool_start(struct phones *phones)
{
	struct worker_options options = { .name = "phone",
					  .processes = 1,
					  .queue_max = QUEUE_MAX,
					  .deadline_ms = DEADLINE_MS,
					  .executable = phones->executable };

	phones->pool = worker_pool_new(phones->loop, &options);
}

int phones_read(struct phones *phones, const char *region, const char *number, phones_fn *done,
		void *context, struct error *err)
{
	struct question *question = memory_new(sizeof(*question));

	if (phones->pool == NULL)
		pool_start(phones);
	*question = (struct question){ .phones = phones, .done = done, .context = context };
	job_write(region, number, question->job);
	if (worker_submit(phones->pool, 0, question->job, strlen(question->job), on_answer,
			  question, err) == 0)
		return 0;
	free(question);
	return -1;
}

struct worker_stats phones_stats(const struct phones *phones)
{
	return phones->pool == NULL ? (struct worker_stats){ 0 } : worker_stats(phones->pool);
}
