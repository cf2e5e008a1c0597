#include "api/order_hooks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/sign.h"
#include "base/text.h"
#include "config.h"
#include "identity/order.h"
#include "parts.h"
#include "services/loop.h"
#include "services/transfer.h"
#include "store/store.h"

enum { ANSWER_MAX = 256 * 1024, AGAIN_MS = 10000, STATUS_OK = 200, STATUS_LAST = 299 };

struct hook {
	const char *id;
	const char *name;
	const char *url;
	const char *secret;
	int64_t timeout_ms;
	int64_t cache_ms;
};

/* One question on its way; it outlives the request that began it. */
struct asking {
	struct parts *parts;
	struct arena *arena;
	const char *workspace;
	const char *customer;
	struct hook hook;
	struct buf body;
};

static void asking_free(struct asking *asking)
{
	struct arena *arena = asking->arena;

	buf_clear(&asking->body);
	arena_free(&arena);
}

static void on_kept(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)err; /* it is asked again when somebody looks again */
	asking_free(context);
}

static void keep(struct asking *asking, const struct buf *orders)
{
	struct store_call *end = store_script("order_hook_end", asking->workspace);

	store_key(end, "uh:%s", asking->customer);
	store_arg_text(end, asking->customer);
	store_arg_text(end, asking->hook.id);
	store_arg(end, orders->data, orders->len);
	store_run(asking->parts->store, end, on_kept, asking);
}

static void on_answer(const struct transfer_answer *answer, void *context)
{
	struct asking *asking = context;
	struct buf orders = { 0 };
	struct error err = { 0 };

	if (answer->error != NULL)
		err = *answer->error;
	else if (answer->status < STATUS_OK || answer->status > STATUS_LAST)
		error_set(&err, ERROR_TEMPORARY, "HTTP %ld", answer->status);
	else
		orders_check(answer->body, answer->body_len, &orders, &err);
	if (err.kind == ERROR_NONE) {
		keep(asking, &orders);
	} else {
		log_warn(asking->customer, "event=order_hook_failed hook=%s error=%s",
			 asking->hook.id, log_quote(err.text));
		asking_free(asking);
	}
	buf_clear(&orders);
}

static void ask(struct asking *asking)
{
	int64_t now_s = loop_unix_ms(asking->parts->loop) / 1000;
	char timestamp[24];
	char signature[SIGNATURE_TEXT_BYTES];
	const struct transfer_field fields[] = {
		{ "Content-Type", "application/json" },
		{ "webhook-id", asking->customer },
		{ "webhook-timestamp", timestamp },
		{ "webhook-signature", signature },
	};
	const struct transfer_options options = {
		.url = asking->hook.url,
		.method = "POST",
		.fields = fields,
		.field_count = COUNT_OF(fields),
		.body = asking->body.data,
		.body_len = asking->body.len,
		.allow_private = asking->parts->config->limits.private_order_hooks,
		.timeout_ms = asking->hook.timeout_ms,
		.connect_ms = asking->hook.timeout_ms,
		.answer_max = ANSWER_MAX,
	};

	snprintf(timestamp, sizeof(timestamp), "%" PRId64, now_s);
	if (sign_webhook(asking->hook.secret, asking->customer, now_s, &asking->body, signature) !=
	    0)
		asking_free(asking);
	else
		transfer_start(asking->parts->transfers, &options, NULL, on_answer, asking);
}

static void on_begun(const struct store_reply *reply, const struct error *err, void *context)
{
	if (err == NULL && reply_is(reply, "ok"))
		ask(context);
	else
		asking_free(context);
}

/* What the shop may know: proved identifiers of one person. */
static size_t body_write(struct asking *asking, const struct customer *customer)
{
	struct json_out out;
	size_t count = 0;

	jw_start(&out, &asking->body);
	jw_object(&out, NULL);
	jw_text(&out, "type", "customer.orders");
	jw_time(&out, "timestamp", loop_unix_ms(asking->parts->loop));
	jw_object(&out, "data");
	jw_text(&out, "customer", customer->id);
	jw_array(&out, "identifiers");
	for (size_t i = 0; i < customer->identifier_count; i++) {
		const struct customer_identifier *one = &customer->identifiers[i];

		if (!one->proved || one->is_shared)
			continue;
		count++;
		jw_object(&out, NULL);
		jw_text(&out, "kind", one->kind);
		jw_text(&out, "scope", one->scope);
		jw_text(&out, "value", one->value);
		jw_object_end(&out);
	}
	jw_array_end(&out);
	jw_object_end(&out);
	jw_object_end(&out);
	return count;
}

static void refresh(struct api_call *call, const struct hook *hook, const struct customer *customer)
{
	struct arena *arena = arena_new(0);
	struct asking *asking = arena_alloc(arena, sizeof(*asking));
	struct store_call *begin;

	asking->parts = call->parts;
	asking->arena = arena;
	asking->workspace = arena_text(arena, call->who.workspace);
	asking->customer = arena_text(arena, customer->id);
	asking->hook = *hook;
	asking->hook.id = arena_text(arena, hook->id);
	asking->hook.url = arena_text(arena, hook->url);
	asking->hook.secret = arena_text(arena, hook->secret);
	asking->hook.name = NULL;
	if (body_write(asking, customer) == 0) {
		asking_free(asking);
		return;
	}
	begin = store_script("order_hook_begin", asking->workspace);
	store_key(begin, "uh:%s", asking->customer);
	store_arg_text(begin, asking->hook.id);
	store_arg_int(begin, hook->timeout_ms + AGAIN_MS);
	store_run(call->parts->store, begin, on_begun, asking);
}

static const char *known_of(const struct customer *customer, const char *hook)
{
	for (size_t i = 0; i < customer->pulled_count; i++)
		if (text_equal(customer->pulled[i].id, hook))
			return customer->pulled[i].json;
	return NULL;
}

/* known: "<ms> <JSON list>" */
static void hook_write(struct api_call *call, struct json_out *out, const struct hook *hook,
		       const struct customer *customer)
{
	const char *known = known_of(customer, hook->id);
	const char *orders = known == NULL ? NULL : strchr(known, ' ');
	int64_t fetched_ms = orders == NULL ? 0 : strtoll(known, NULL, 10);
	int64_t age_ms = loop_unix_ms(call->parts->loop) - fetched_ms;
	bool is_stale = orders == NULL || age_ms > hook->cache_ms;

	jw_object(out, NULL);
	jw_text(out, "hook", hook->id);
	jw_text(out, "name", hook->name);
	jw_time(out, "fetched_at", fetched_ms);
	if (orders != NULL)
		jw_int(out, "age_s", age_ms < 0 ? 0 : age_ms / 1000);
	else
		jw_null(out, "age_s");
	jw_bool(out, "stale", is_stale);
	jw_raw(out, "orders", orders == NULL ? "[]" : orders + 1,
	       orders == NULL ? 2 : strlen(orders + 1));
	jw_object_end(out);
	if (is_stale)
		refresh(call, hook, customer);
}

void order_hooks_write(struct api_call *call, struct json_out *out, const struct customer *customer)
{
	jw_array(out, "pulled_orders");
	for (size_t i = 0; i < customer->hook_count; i++) {
		const char *text = customer->hooks[i];
		OWNED(json_free) struct json_object *json = json_read(text, strlen(text), NULL);
		const struct hook hook = {
			.id = json_text(json, "id"),
			.name = json_text(json, "name"),
			.url = json_text(json, "url"),
			.secret = json_text(json, "secret"),
			.timeout_ms = json_int(json, "timeout_ms", 5000),
			.cache_ms = json_int(json, "cache_ms", 300000),
		};

		if (hook.id != NULL && hook.url != NULL && hook.secret != NULL)
			hook_write(call, out, &hook, customer);
	}
	jw_array_end(out);
}
