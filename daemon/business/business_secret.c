/* Secrets in objects: kept as written, shown by a fingerprint. */
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "business/business_field.h"

enum {
	SECRET_BYTES = 32,
	SECRET_TEXT_BYTES = 64,
	PREVIOUS_MS = 24 * 3600 * 1000, /* how long the one before signs as well */
};

static const char prefix[] = "set:";
static const char secret_prefix[] = "whsec_";

static bool is_secret(const struct business_kind *kind, const char *field)
{
	for (const struct business_field *row = kind->fields; row->row.name != NULL; row++)
		if (row->is_secret && text_equal(row->row.name, field))
			return true;
	return false;
}

bool business_has_secrets(const char *kind)
{
	const struct business_kind *known = business_kind(kind);

	for (const struct business_field *row = known == NULL ? NULL : known->fields;
	     row != NULL && row->row.name != NULL; row++)
		if (row->is_secret)
			return true;
	return false;
}

void business_secret_show(const char *secret, char out[BUSINESS_SHOWN_BYTES])
{
	unsigned char digest[SHA256_BYTES];

	crypto_sha256(secret, strlen(secret), digest);
	snprintf(out, BUSINESS_SHOWN_BYTES, "%s%02x%02x%02x%02x", prefix, digest[0], digest[1],
		 digest[2], digest[3]);
}

struct copying {
	const struct business_kind *kind;
	const char *shown; /* a secret that is not masked; NULL: none */
	struct json_out out;
};

static void copy(struct copying *copying, const char *key, struct json_object *value)
{
	struct buf text = { 0 };

	json_append(value, &text);
	jw_raw(&copying->out, key, text.data, text.len);
	buf_clear(&text);
}

static void mask_field(const char *key, struct json_object *value, void *context)
{
	struct copying *copying = context;
	char shown[BUSINESS_SHOWN_BYTES];

	if (!is_secret(copying->kind, key) || json_string(value) == NULL ||
	    text_equal(key, copying->shown)) {
		copy(copying, key, value);
		return;
	}
	business_secret_show(json_string(value), shown);
	jw_text(&copying->out, key, shown);
}

static void mask(const char *kind, struct json_object *object, const char *shown, struct buf *out)
{
	struct copying copying = { .kind = business_kind(kind), .shown = shown };

	jw_start(&copying.out, out);
	jw_object(&copying.out, NULL);
	json_each_field(object, mask_field, &copying);
	jw_object_end(&copying.out);
}

void business_mask(const char *kind, struct json_object *object, struct buf *out)
{
	mask(kind, object, NULL, out);
}

/* Those that are given; the others follow. */
static void given_field(const char *key, struct json_object *value, void *context)
{
	struct copying *copying = context;
	const char *text = json_string(value);
	bool is_new = text != NULL && !text_starts(text, prefix);

	if (!is_secret(copying->kind, key) || is_new)
		copy(copying, key, value);
}

struct leaving {
	struct copying *copying;
	struct json_object *given;
};

/* Stored secrets that no new one replaces. */
static void unless_given(const char *key, struct json_object *value, void *context)
{
	struct leaving *leaving = context;
	const char *text = json_text(leaving->given, key);

	if (is_secret(leaving->copying->kind, key) && (text == NULL || text_starts(text, prefix)))
		copy(leaving->copying, key, value);
}

void business_keep_secrets(const char *kind, struct json_object *given, struct json_object *stored,
			   struct buf *out)
{
	struct copying copying = { .kind = business_kind(kind) };
	struct leaving leaving = { &copying, given };

	jw_start(&copying.out, out);
	jw_object(&copying.out, NULL);
	json_each_field(given, given_field, &copying);
	json_each_field(stored, unless_given, &leaving);
	jw_object_end(&copying.out);
}

/* ---- secrets that are made ---- */

static const char *rolled_field(const char *kind)
{
	const struct business_kind *known = business_kind(kind);

	for (const struct business_field *row = known == NULL ? NULL : known->fields;
	     row != NULL && row->row.name != NULL; row++)
		if (row->is_rolled)
			return row->row.name;
	return NULL;
}

void business_show_made(const char *kind, struct json_object *object, struct buf *out)
{
	mask(kind, object, rolled_field(kind), out);
}

struct rolling {
	struct copying copying;
	const char *field;
	bool drops_previous;
};

static void roll_field(const char *key, struct json_object *value, void *context)
{
	struct rolling *rolling = context;

	if (text_equal(key, rolling->field) ||
	    (rolling->drops_previous &&
	     (text_equal(key, "secret_previous") || text_equal(key, "previous_until"))))
		return;
	copy(&rolling->copying, key, value);
}

static void secret_make(char out[SECRET_TEXT_BYTES])
{
	unsigned char bytes[SECRET_BYTES];

	crypto_random(bytes, sizeof(bytes));
	memcpy(out, secret_prefix, sizeof(secret_prefix));
	text_base64(bytes, sizeof(bytes), out + sizeof(secret_prefix) - 1);
	explicit_bzero(bytes, sizeof(bytes));
}

/* What was said of the last secret still holds where nothing new is said of it. */
static void previous_write(struct rolling *rolling, struct json_object *given,
			   struct json_object *stored, int64_t now_ms)
{
	const char *until = json_text(given, "previous_until");
	const char *last = json_text(stored, rolling->field);
	char text[32];

	if (rolling->drops_previous && last != NULL) {
		text_format_time(now_ms + PREVIOUS_MS, text);
		jw_text(&rolling->copying.out, "secret_previous", last);
		jw_text(&rolling->copying.out, "previous_until", text);
	} else if (until == NULL && json_has(given, "secret_previous") &&
		   json_has(stored, "previous_until")) {
		jw_text(&rolling->copying.out, "previous_until",
			json_text(stored, "previous_until"));
	}
}

bool business_roll_secret(const char *kind, struct json_object *given, struct json_object *stored,
			  int64_t now_ms, struct buf *out)
{
	struct rolling rolling = { .copying.kind = business_kind(kind),
				   .field = rolled_field(kind) };
	const char *secret = rolling.field == NULL ? NULL : json_text(given, rolling.field);
	const char *last = rolling.field == NULL ? NULL : json_text(stored, rolling.field);
	bool is_made = rolling.field != NULL &&
		       (!json_has(given, rolling.field) || text_equal(secret, "new"));
	char made[SECRET_TEXT_BYTES];

	rolling.drops_previous = last != NULL && (is_made || !text_equal(secret, last));
	jw_start(&rolling.copying.out, out);
	jw_object(&rolling.copying.out, NULL);
	json_each_field(given, roll_field, &rolling);
	if (is_made) {
		secret_make(made);
		jw_text(&rolling.copying.out, rolling.field, made);
	} else if (rolling.field != NULL) {
		copy(&rolling.copying, rolling.field, json_at(given, rolling.field));
	}
	if (rolling.field != NULL)
		previous_write(&rolling, given, stored, now_ms);
	jw_object_end(&rolling.copying.out);
	explicit_bzero(made, sizeof(made));
	return is_made;
}
