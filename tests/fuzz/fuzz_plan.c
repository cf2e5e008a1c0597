/* A plan that is read has steps in order and needs that can be judged; one that is not says where.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "business/plan.h"
#include "fuzz/fuzz.h"

static int level(const char *skill, const void *context)
{
	(void)context;
	return (unsigned char)*skill % 6;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct error err = { 0 };
	struct plan *plan;

	memcpy(text, data, size);
	text[size] = '\0';
	plan = plan_parse(text, &err);
	MUST((plan == NULL) == (err.kind != ERROR_NONE));
	MUST(plan != NULL || text_starts(err.text, "column "));
	for (size_t i = 0; plan != NULL && i < plan_count(plan); i++) {
		const struct plan_step *step = plan_step(plan, i);

		MUST(i == 0 || plan_step(plan, i - 1)->until_ms <= step->until_ms);
		MUST(step->need != NULL || need_is_met(step->need, level, NULL));
		need_is_met(step->need, level, NULL);
	}
	MUST(plan == NULL || plan_at(plan, INT64_MAX) <= plan_count(plan));
	plan_free(&plan);
	free(text);
	return 0;
}
