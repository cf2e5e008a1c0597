/* Secrets in objects: kept as written, shown by a fingerprint. */
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "business/business_field.h"

static const char prefix[] = "set:";

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

	if (!is_secret(copying->kind, key) || json_string(value) == NULL) {
		copy(copying, key, value);
		return;
	}
	business_secret_show(json_string(value), shown);
	jw_text(&copying->out, key, shown);
}

void business_mask(const char *kind, struct json_object *object, struct buf *out)
{
	struct copying copying = { .kind = business_kind(kind) };

	jw_start(&copying.out, out);
	jw_object(&copying.out, NULL);
	json_each_field(object, mask_field, &copying);
	jw_object_end(&copying.out);
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
