/* import zendesk: its Support API v2, or a folder with the same answers saved (also one object a
 * line, as its own export has it): users*.json, tickets*.json, comments-<ticket>.json,
 * macros*.json. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "import.h"

static const char *const user_keys[] = { "users", NULL };
static const char *const ticket_keys[] = { "tickets", NULL };
static const char *const macro_keys[] = { "macros", NULL };

/* Who is staff: comments of others are the customer's. */
static bool is_end_user(struct json_object *user)
{
	const char *role = json_text(user, "role");

	return role == NULL || text_equal(role, "end-user");
}

/* ---- people ---- */

struct attributes {
	struct json_out *out;
	struct arena *arena;
};

static void attribute_write(const char *key, struct json_object *value, void *context)
{
	struct attributes *attributes = context;
	const char *text = import_scalar(attributes->arena, value);

	if (text != NULL && *text != '\0')
		jw_text(attributes->out, key, text);
}

static void tags_write(struct json_out *out, struct json_object *tags)
{
	jw_array(out, "tags");
	for (size_t i = 0; i < json_count(tags); i++)
		if (json_string(json_item(tags, i)) != NULL)
			jw_text(out, NULL, json_string(json_item(tags, i)));
	jw_array_end(out);
}

static void note_write(struct json_out *out, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	jw_object(out, NULL);
	jw_text(out, "text", text);
	jw_object_end(out);
}

static void user_import(struct import_run *run, struct json_object *user, const char *at)
{
	struct json_out *out;
	struct attributes attributes;

	if (!is_end_user(user))
		return;
	if (json_at(user, "id") == NULL) {
		import_refuse(run, at, "a user without an id");
		return;
	}
	out = import_begin(run, "customers", at);
	attributes = (struct attributes){ out, import_arena(run) };
	jw_text(out, "external_id", import_scalar(attributes.arena, json_at(user, "id")));
	jw_text(out, "name", json_text(user, "name"));
	jw_text(out, "created_at", json_text(user, "created_at"));
	tags_write(out, json_at(user, "tags"));
	jw_object(out, "attributes");
	json_each_field(json_at(user, "user_fields"), attribute_write, &attributes);
	attribute_write("external_id", json_at(user, "external_id"), &attributes);
	jw_object_end(out);
	jw_array(out, "identifiers");
	import_identifier(out, "email", json_text(user, "email"));
	import_identifier(out, "phone", json_text(user, "phone"));
	jw_array_end(out);
	jw_array(out, "notes");
	note_write(out, json_text(user, "notes"));
	note_write(out, json_text(user, "details"));
	jw_array_end(out);
	import_end(run);
}

/* ---- tickets ---- */

static void comment_write(struct import_run *run, struct json_out *out, struct json_object *comment,
			  const char *requester)
{
	struct arena *arena = import_arena(run);
	const char *author = import_scalar(arena, json_at(comment, "author_id"));
	bool is_customer = text_equal(author, requester);
	const char *text = json_text(comment, "plain_body");

	if (text == NULL)
		text = json_text(comment, "body");
	jw_object(out, NULL);
	jw_text(out, "external_id", import_scalar(arena, json_at(comment, "id")));
	jw_text(out, "direction", is_customer ? "in" : "out");
	jw_text(out, "kind", json_bool(comment, "public", true) ? "text" : "note");
	jw_text(out, "text", text == NULL ? "" : text);
	jw_text(out, "author_type", is_customer ? "customer" : "agent");
	jw_text(out, "author_name", NULL);
	jw_text(out, "created_at", json_text(comment, "created_at"));
	jw_object_end(out);
}

/* Pages of comments as they are asked for: the first, then what each says is next. */
static struct json_object *comments_page(struct import_run *run, const char *ticket,
					 const char *after, struct error *err)
{
	struct json_object *page;
	struct buf target = { 0 };
	char name[128];

	if (!import_source_is_api(import_from(run))) {
		snprintf(name, sizeof(name), "comments-%s.json", ticket);
		return import_saved(import_from(run), name, err);
	}
	buf_format(&target, "/api/v2/tickets/%s/comments.json?page%%5Bsize%%5D=100", ticket);
	if (after != NULL) {
		buf_text(&target, "&page%5Bafter%5D=");
		text_percent(&target, after, strlen(after));
	}
	page = import_get(import_from(run), buf_string(&target), err);
	buf_clear(&target);
	return page;
}

static int comments_write(struct import_run *run, struct buf *into, struct json_object *ticket,
			  struct error *err)
{
	struct arena *arena = import_arena(run);
	const char *id = import_scalar(arena, json_at(ticket, "id"));
	const char *requester = import_scalar(arena, json_at(ticket, "requester_id"));
	const char *after = NULL;
	bool has_more = true;
	struct json_out out;

	jw_start(&out, into);
	while (has_more) {
		struct json_object *page = comments_page(run, id, after, err);
		struct json_object *list =
			json_kind(page) == JSON_ARRAY ? page : json_at(page, "comments");

		if (page == NULL)
			return -1;
		for (size_t i = 0; i < json_count(list); i++)
			comment_write(run, &out, json_item(list, i), requester);
		after = json_text_copy(page, "meta.after_cursor", arena);
		has_more = json_bool(page, "meta.has_more", false) && after != NULL &&
			   import_source_is_api(import_from(run));
		json_free(&page);
	}
	return 0;
}

static void ticket_write(struct import_run *run, struct json_object *ticket,
			 const struct buf *comments, const char *at)
{
	struct json_out *out = import_begin(run, "conversations", at);
	struct arena *arena = import_arena(run);

	jw_text(out, "external_id", import_scalar(arena, json_at(ticket, "id")));
	jw_text(out, "customer", import_scalar(arena, json_at(ticket, "requester_id")));
	jw_text(out, "subject", json_text(ticket, "subject"));
	jw_text(out, "origin", json_text(ticket, "via.channel"));
	jw_text(out, "created_at", json_text(ticket, "created_at"));
	tags_write(out, json_at(ticket, "tags"));
	jw_array(out, "messages");
	jw_raw(out, NULL, buf_string(comments), comments->len);
	jw_array_end(out);
	import_end(run);
}

/* Only what is over: open tickets go on where they are. */
static void ticket_import(struct import_run *run, struct json_object *ticket, const char *at)
{
	const char *status = json_text(ticket, "status");
	struct buf comments = { 0 };
	struct error err = { 0 };

	if (!text_equal(status, "solved") && !text_equal(status, "closed"))
		return;
	if (json_at(ticket, "id") == NULL || json_at(ticket, "requester_id") == NULL)
		import_refuse(run, at, "a ticket without an id or a requester");
	else if (comments_write(run, &comments, ticket, &err) == 0)
		ticket_write(run, ticket, &comments, at);
	else if (import_source_is_api(import_from(run)))
		import_fail(run, EX_UNAVAILABLE, &err);
	else
		import_refuse(run, at, err.text);
	buf_clear(&comments);
}

/* A macro is more than a text; its text is what becomes a canned reply. */
static void macro_take(struct import_run *run, struct json_object *macro, const char *at)
{
	struct json_object *actions = json_at(macro, "actions");
	const char *title = json_text(macro, "title");

	(void)at;
	if (!json_bool(macro, "active", true))
		return;
	for (size_t i = 0; i < json_count(actions); i++) {
		struct json_object *action = json_item(actions, i);
		const char *field = json_text(action, "field");
		const char *text = json_text(action, "value");

		if (!text_equal(field, "comment_value") && !text_equal(field, "comment_value_html"))
			continue;
		if (text == NULL) /* ["channel:all", "the text"] */
			text = json_string(json_item(json_at(action, "value"), 1));
		import_canned(run,
			      arena_format(import_arena(run), "zendesk-%s",
					   import_scalar(import_arena(run), json_at(macro, "id"))),
			      title == NULL ? "" : title, text == NULL ? "" : text);
		return;
	}
}

/* ---- everything, people first ---- */

static int pages_each(struct import_run *run, const char *path, const char *const *keys,
		      import_object_fn *fn, struct error *err)
{
	struct buf target = { 0 };
	bool has_more = true;
	int number = 0;

	buf_format(&target, "%s%spage%%5Bsize%%5D=100", path,
		   strchr(path, '?') == NULL ? "?" : "&");
	while (has_more && !import_is_over(run)) {
		struct json_object *page = import_get(import_from(run), buf_string(&target), err);
		const char *after;
		char at[128];

		if (page == NULL)
			break;
		snprintf(at, sizeof(at), "%s, page %d", keys[0], ++number);
		import_list_each(run, page, keys, at, fn);
		after = json_text(page, "meta.after_cursor");
		has_more = json_bool(page, "meta.has_more", false) && after != NULL;
		buf_reset(&target);
		buf_format(&target, "%s%spage%%5Bsize%%5D=100&page%%5Bafter%%5D=", path,
			   strchr(path, '?') == NULL ? "?" : "&");
		if (after != NULL)
			text_percent(&target, after, strlen(after));
		json_free(&page);
	}
	buf_clear(&target);
	return has_more && !import_is_over(run) ? -1 : 0;
}

static int all_of_api(struct import_run *run, struct error *err)
{
	if (pages_each(run, "/api/v2/users.json?role%5B%5D=end-user", user_keys, user_import, err) <
		    0 ||
	    pages_each(run, "/api/v2/tickets.json", ticket_keys, ticket_import, err) < 0)
		return -1;
	return pages_each(run, "/api/v2/macros.json", macro_keys, macro_take, err);
}

static int all_of_folder(struct import_run *run, struct error *err)
{
	int people = import_folder_each(run, "users", user_keys, user_import, err);
	int tickets = people < 0
			      ? -1
			      : import_folder_each(run, "tickets", ticket_keys, ticket_import, err);
	int macros =
		tickets < 0 ? -1 : import_folder_each(run, "macros", macro_keys, macro_take, err);

	if (macros < 0)
		return -1;
	if (people + tickets + macros == 0)
		return error_set(err, ERROR_MISUSE,
				 "the folder holds neither users*.json, tickets*.json nor "
				 "macros*.json");
	return 0;
}

int import_zendesk(struct import_run *run)
{
	bool is_api = import_source_is_api(import_from(run));
	struct error err = { 0 };
	int result = is_api ? all_of_api(run, &err) : all_of_folder(run, &err);

	if (result < 0)
		import_fail(run, is_api ? EX_UNAVAILABLE : EX_DATAERR, &err);
	return result;
}
