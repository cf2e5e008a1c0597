/* Any bytes are a configuration file, and a business file: read or refused with a reason, never
 * more, and what a business file gives is JSON. */
#include <string.h>

#include "../unit/config_bed.h"
#include "base/json.h"
#include "business/business.h"
#include "fuzz/fuzz.h"

static void look_at(struct problems *problems, bool is_read)
{
	char line[2048];

	MUST(is_read == (problems_errors(problems) == 0));
	for (size_t i = 0; problem_at(problems, i) != NULL; i++) {
		problem_format(problem_at(problems, i), line, sizeof(line));
		MUST(strchr(line, '\n') == NULL && problem_at(problems, i)->at.line > 0);
	}
}

static void read_config(const char *bytes, size_t len)
{
	struct problems *problems = problems_new();
	struct config *config = config_parse("fuzz", bytes, len, &bed_registry, problems);

	look_at(problems, config != NULL);
	config_free(&config);
	problems_free(&problems);
}

static void read_business(const char *bytes, size_t len)
{
	struct problems *problems = problems_new();
	struct business *business = business_parse("fuzz", bytes, len, problems);

	look_at(problems, business != NULL);
	for (const struct business_kind *kind = business_kinds; kind->key != NULL; kind++) {
		size_t count = 0;
		const struct business_object *objects =
			business == NULL ? NULL : business_objects(business, kind->key, &count);

		for (size_t i = 0; i < count; i++)
			MUST(json_check(objects[i].json, strlen(objects[i].json), NULL) == 0);
	}
	business_free(&business);
	problems_free(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_config((const char *)data, size);
	read_business((const char *)data, size);
	return 0;
}
