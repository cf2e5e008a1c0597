/* GET /v1/me/offers: what is held out to the caller. */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/text.h"
#include "parts.h"
#include "store/store.h"

/* Places in a row of offers_read.lua. */
enum { ID, KIND, WORK_ITEM, QUEUE, CREATED, UNTIL, FROM, REASON, SUMMARY, LEVEL };

static const char *at(const struct store_reply *row, size_t place)
{
	const char *text = reply_text(reply_item(row, place), NULL);

	return text == NULL ? "" : text;
}

static void text_if(struct json_out *out, const char *key, const char *text)
{
	if (*text != '\0')
		jw_text(out, key, text);
}

static void write_offer(struct json_out *out, const struct store_reply *row)
{
	int64_t level = strtoll(at(row, LEVEL), NULL, 10);

	jw_object(out, NULL);
	jw_text(out, "id", at(row, ID));
	jw_text(out, "kind", at(row, KIND));
	jw_text(out, "work_item", at(row, WORK_ITEM));
	jw_text(out, "queue", at(row, QUEUE));
	jw_time(out, "created_at", strtoll(at(row, CREATED), NULL, 10));
	jw_time(out, "deadline_at", strtoll(at(row, UNTIL), NULL, 10));
	text_if(out, "from_agent", at(row, FROM));
	text_if(out, "reason", at(row, REASON));
	text_if(out, "summary", at(row, SUMMARY));
	if (level > 0)
		jw_int(out, "level", level);
	jw_object_end(out);
}

static void on_offers(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	if (err != NULL) {
		api_fail(call, err);
		return;
	}
	page_start(&out, &body);
	for (size_t i = 0; i < reply_count(reply); i++)
		write_offer(&out, reply_item(reply, i));
	page_end_whole(call, &out, &body);
}

void handle_my_offers(struct api_call *call)
{
	struct store_call *read = store_script("offers_read", call->who.workspace);

	store_arg_text(read, call->who.agent);
	store_read(call->parts->store, read, on_offers, call);
}
