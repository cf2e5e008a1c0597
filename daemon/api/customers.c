/* /v1/customers?identifier=: finding. */
#include "api/find.h"
#include "api/handlers.h"
#include "api/page.h"

static void write_found(struct json_out *out, const struct page_row *row)
{
	jw_object(out, NULL);
	jw_text(out, "id", row->id);
	jw_object_end(out);
}

/* Ids are in the order of creation. */
static void on_found(const char *const *ids, size_t count, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct page_row rows[FOUND_MAX];

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct page_row){ .id = ids[i] };
	page_answer(call, rows, count, write_found);
}

void handle_customer_find(struct api_call *call)
{
	if (!customers_find(call, api_query(call, "identifier"), on_found, call))
		api_problem(call, 400, "bad_identifier",
			    "identifier must be kind:value, such as email:a@example.com or "
			    "phone:%%2B8613800138000");
}
