/* /healthz and /readyz. */
#include "api/handlers.h"
#include "history/history.h"
#include "parts.h"
#include "store/store.h"

void handle_health(struct api_call *call)
{
	api_answer_text(call, 200, "{\"status\":\"ok\"}");
}

void handle_ready(struct api_call *call)
{
	const struct parts *parts = call->parts;
	struct buf body = { 0 };
	struct json_out out;
	bool ready = store_is_up(parts->store) && !parts->draining && parts->listening;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_text(&out, "status", ready ? "ready" : "not ready");
	jw_object(&out, "checks");
	jw_bool(&out, "store", store_is_up(parts->store));
	jw_bool(&out, "listeners", parts->listening);
	jw_bool(&out, "draining", parts->draining);
	/* It holds nothing up before the log is full: said, and not judged. */
	jw_bool(&out, "history",
		!history_is_kept(parts->history) || history_stats(parts->history).is_up);
	jw_object_end(&out);
	jw_object_end(&out);
	api_answer(call, ready ? 200 : 503, &body);
}
