/* POST /chat/{channel}/attributes: what the page says of its visitor (an order, a plan). The page's
 * script runs in the visitor's browser, so it proves nothing: it is shown beside the conversation
 * and never becomes a fact of the customer. */
#include <string.h>

#include "api/chat.h"
#include "api/handlers.h"
#include "api/visitor.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/text.h"
#include "parts.h"
#include "store/store.h"

enum { ATTRIBUTES_MAX = 20, NAME_MAX = 40, VALUE_MAX = 200 };

struct reading {
	struct json_out out;
	struct arena *arena;
	size_t count;
	const char *name; /* of the first bad one */
	const char *problem;
};

static void complain(struct reading *reading, const char *name, const char *problem)
{
	if (reading->problem != NULL)
		return;
	reading->name = arena_text(reading->arena, name);
	reading->problem = problem;
}

static bool is_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t len = strlen(name);

	return len >= 1 && len <= NAME_MAX && strspn(name, allowed) == len;
}

static void attribute_read(const char *name, struct json_object *value, void *context)
{
	struct reading *reading = context;
	const char *text = json_string(value);
	struct buf bare = { 0 };

	if (++reading->count > ATTRIBUTES_MAX) {
		complain(reading, "", "at most 20 attributes");
	} else if (!is_name(name)) {
		complain(reading, "",
			 "a name has 1 to 40 letters, digits, dots, hyphens and underscores");
	} else if (text != NULL && text_characters(text, strlen(text)) <= VALUE_MAX) {
		jw_text(&reading->out, name,
			text_clean_line(reading->arena, text, strlen(text), strlen(text)));
	} else if (json_kind(value) == JSON_NUMBER || json_kind(value) == JSON_BOOL) {
		json_append(value, &bare);
		jw_raw(&reading->out, name, bare.data, bare.len);
	} else {
		complain(reading, name,
			 "must be a text of at most 200 characters, a number, or true or false");
	}
	buf_clear(&bare);
}

static void on_told(const struct store_reply *reply, const struct error *err, void *context)
{
	struct api_call *call = context;

	if (err != NULL)
		api_fail(call, err);
	else if (reply_is(reply, "ok"))
		api_empty(call, 204);
	else
		api_problem(
			call, 404, "no_such_conversation",
			"this session has no conversation yet: tell it after the first message");
}

struct telling {
	char conversation[ID_BYTES];
	const char *json;
};

static void page_tell(struct api_call *call)
{
	const struct chat_call *chat = call->state;
	const struct telling *telling = chat->own;
	struct store_call *tell = store_script("page_tell", channel_workspace(chat->channel));

	store_key(tell, "c:%s", telling->conversation);
	store_arg_text(tell, telling->conversation);
	store_arg_text(tell, telling->json);
	store_run(call->parts->store, tell, on_told, call);
}

/* As they are kept; NULL after having answered. */
static const char *attributes_json(struct api_call *call)
{
	struct reading reading = { .arena = call->arena };
	struct buf json = { 0 };
	const char *copy;

	jw_start(&reading.out, &json);
	jw_object(&reading.out, NULL);
	json_each_field(json_at(call->body, "attributes"), attribute_read, &reading);
	jw_object_end(&reading.out);
	copy = arena_text(call->arena, buf_string(&json));
	buf_clear(&json);
	if (reading.problem == NULL)
		return copy;
	api_invalid(call,
		    *reading.name == '\0'
			    ? "#/body/attributes"
			    : arena_format(call->arena, "#/body/attributes/%s", reading.name),
		    "%s", reading.problem);
	return NULL;
}

void handle_chat_page(struct api_call *call)
{
	struct chat_call *chat = chat_call_visitor(call);
	struct telling *telling = arena_alloc(call->arena, sizeof(*telling));

	if (chat == NULL)
		return;
	telling->json = attributes_json(call);
	if (telling->json == NULL)
		return;
	if (!visitor_conversation(call->parts->key, chat->channel, &chat->visitor, call->arena,
				  telling->conversation)) {
		api_problem(call, 404, "no_such_conversation", "this session has no conversation");
		return;
	}
	chat->own = telling;
	chat_rate(call, page_tell);
}
