/* apply: brings the workspace's business configuration to what a file says. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "business/business.h"
#include "ctl.h"
#include "present.h"

struct apply {
	struct call *call;
	bool is_dry;
	bool is_pruning;
	int created, changed, same, deleted, extra;
	struct buf puts; /* the items of the one request that does it all */
	struct buf deletes;
};

struct comparison {
	struct json_object *present;
	struct buf difference; /* "name capacity": fields that differ */
};

struct member_search {
	const char *key;
	struct json_object *value;
};

static void match_member(const char *key, struct json_object *value, void *context)
{
	struct member_search *search = context;
	if (strcmp(key, search->key) == 0)
		search->value = value;
}

/* A key may hold a dot (skills are free texts), so it cannot be looked up as a path. */
static struct json_object *member_find(struct json_object *object, const char *key)
{
	struct member_search search = { .key = key };
	json_each_field(object, match_member, &search);
	return search.value;
}

static bool is_same(struct json_object *a, struct json_object *b);

struct member_check {
	struct json_object *other;
	bool is_same;
	size_t count;
};

static void check_member(const char *key, struct json_object *value, void *context)
{
	struct member_check *check = context;
	check->count++;
	check->is_same = check->is_same && is_same(value, member_find(check->other, key));
}

static void count_member(const char *key, struct json_object *value, void *context)
{
	(void)key;
	(void)value;
	++*(size_t *)context;
}

/* Objects by their members in any order, all else by its text. */
static bool is_same(struct json_object *a, struct json_object *b)
{
	if (json_kind(a) != json_kind(b))
		return false;
	if (json_kind(a) == JSON_OBJECT) {
		struct member_check check = { .other = b, .is_same = true };
		size_t count = 0;
		json_each_field(a, check_member, &check);
		json_each_field(b, count_member, &count);
		return check.is_same && check.count == count;
	}
	struct buf first = { 0 }, second = { 0 };
	json_append(a, &first);
	json_append(b, &second);
	bool same = text_equal(buf_string(&first), buf_string(&second));
	buf_clear(&first);
	buf_clear(&second);
	return same;
}

/* A daemon shows a secret by its fingerprint. */
static bool is_secret_shown(const char *key, struct json_object *wanted, struct json_object *have)
{
	char shown[BUSINESS_SHOWN_BYTES];
	if (strcmp(key, "secret") != 0 || json_string(wanted) == NULL || json_string(have) == NULL)
		return false;
	business_secret_show(json_string(wanted), shown);
	return text_equal(shown, json_string(have));
}

static void compare_field(const char *key, struct json_object *wanted, void *context)
{
	struct comparison *comparison = context;
	struct json_object *have = json_at(comparison->present, key);
	if (is_same(wanted, have) || is_secret_shown(key, wanted, have))
		return;
	buf_format(&comparison->difference, "%s%s: ", comparison->difference.len > 0 ? ", " : "",
		   key);
	if (strcmp(key, "secret") == 0) {
		buf_text(&comparison->difference, "(another one)");
		return;
	}
	json_append(have, &comparison->difference);
	buf_text(&comparison->difference, " -> ");
	json_append(wanted, &comparison->difference);
}

static void list_item(struct buf *list, const char *kind, struct json_out *out)
{
	if (list->len > 0)
		buf_byte(list, ',');
	jw_start(out, list);
	jw_object(out, NULL);
	jw_text(out, "kind", kind);
}

static void put(struct apply *apply, const char *kind, const struct business_object *object)
{
	struct json_out out;
	list_item(&apply->puts, kind, &out);
	jw_raw(&out, "object", object->json, strlen(object->json));
	jw_object_end(&out);
}

static void apply_object(struct apply *apply, const char *kind,
			 const struct business_object *object, const struct present *present)
{
	struct comparison comparison = { .present = present_find(present, object->id) };
	struct json_object *wanted = json_read(object->json, strlen(object->json), NULL);
	json_each_field(wanted, compare_field, &comparison);
	json_free(&wanted);
	if (comparison.present != NULL && comparison.difference.len == 0) {
		apply->same++;
	} else {
		apply->created += comparison.present == NULL;
		apply->changed += comparison.present != NULL;
		printf("%s %s/%s%s%s\n", comparison.present == NULL ? "+" : "~", kind, object->id,
		       comparison.present == NULL ? "" : "  ",
		       comparison.present == NULL ? "" : buf_string(&comparison.difference));
		put(apply, kind, object);
	}
	buf_clear(&comparison.difference);
}

static bool is_wanted(const struct business_object *objects, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal(objects[i].id, id))
			return true;
	return false;
}

static void prune_object(struct apply *apply, const char *kind, const char *id)
{
	struct json_out out;
	apply->extra += !apply->is_pruning;
	apply->deleted += apply->is_pruning;
	printf("%s %s/%s%s\n", apply->is_pruning ? "-" : "?", kind, id,
	       apply->is_pruning ? "" : "  not in the file (--prune deletes it)");
	if (!apply->is_pruning)
		return;
	list_item(&apply->deletes, kind, &out);
	jw_text(&out, "id", id);
	jw_object_end(&out);
}

static int apply_kind(struct apply *apply, const char *kind, const struct business_object *objects,
		      size_t count)
{
	struct present present = { 0 };
	int code = present_fetch(apply->call, kind, &present);
	for (size_t i = 0; code == EXIT_DONE && i < count; i++)
		apply_object(apply, kind, &objects[i], &present);
	for (size_t i = 0; i < present.page_count; i++) {
		struct json_object *data = json_at(present.pages[i], "data");
		for (size_t j = 0; code == EXIT_DONE && j < json_count(data); j++) {
			const char *id = json_text(json_item(data, j), "id");
			if (id != NULL && !is_wanted(objects, count, id))
				prune_object(apply, kind, id);
		}
	}
	present_clear(&present);
	return code;
}

/* All or none: a file is never in force by half. */
static int apply_send(struct apply *apply)
{
	struct buf body = { 0 };
	int code = EXIT_DONE;
	if (apply->is_dry || (apply->puts.len == 0 && apply->deletes.len == 0))
		return EXIT_DONE;
	buf_format(&body, "{\"put\":[%s],\"delete\":[%s]}", buf_string(&apply->puts),
		   buf_string(&apply->deletes));
	struct json_object *answer =
		call_request(apply->call, "POST", "/v1/configuration", &body, &code);
	json_free(&answer);
	buf_clear(&body);
	if (code != EXIT_DONE)
		fprintf(stderr, "convergectl: nothing was changed\n");
	return code;
}

static int apply_all(struct apply *apply, const struct business *business)
{
	int code = EXIT_DONE;
	for (const struct business_kind *kind = business_kinds;
	     code == EXIT_DONE && kind->key != NULL; kind++) {
		size_t count = 0;
		const struct business_object *objects =
			business_objects(business, kind->key, &count);
		if (objects != NULL)
			code = apply_kind(apply, kind->store, objects, count);
	}
	if (code == EXIT_DONE)
		code = apply_send(apply);
	if (code == EXIT_DONE)
		printf("%s%d new, %d changed, %d as they were, %d deleted, %d not in the file\n",
		       apply->is_dry ? "nothing done; would be: " : "", apply->created,
		       apply->changed, apply->same, apply->deleted, apply->extra);
	return code;
}

int run_apply(struct call *call)
{
	struct apply apply = { .call = call,
			       .is_dry = call_option(call, "--dry-run") != NULL,
			       .is_pruning = call_option(call, "--prune") != NULL };
	struct problems *problems = problems_new();
	struct business *business = business_read(call_option(call, "--file"), problems);
	problems_print(problems, stderr);
	problems_free(&problems);
	int code = business == NULL ? EX_CONFIG : call_enter_workspace(call);
	if (code == EXIT_DONE)
		code = apply_check_names(call, business, apply.is_pruning);
	if (code == EXIT_DONE)
		code = rules_warn(call, business);
	if (code == EXIT_DONE)
		code = apply_all(&apply, business);
	buf_clear(&apply.puts);
	buf_clear(&apply.deletes);
	business_free(&business);
	return code;
}
