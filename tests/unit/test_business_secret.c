#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "business/business.h"

static const char first[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char second[] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
static const int64_t now_ms = 1700000000000;
static const char tomorrow[] = "2023-11-15T22:13:20.000Z";

static struct json_object *object_of(const char *text)
{
	return json_read(text, strlen(text), NULL);
}

/* What is stored after `given` came while `stored` was there ("": nothing). */
static struct json_object *rolled(const char *given, const char *stored, bool makes)
{
	struct json_object *was = *stored == '\0' ? NULL : object_of(stored);
	struct json_object *asked = object_of(given);
	struct json_object *kept, *result;
	struct buf text = { 0 };

	business_keep_secrets("webhooks", asked, was, &text);
	kept = json_read(text.data, text.len, NULL);
	buf_reset(&text);
	cr_expect_eq(business_roll_secret("webhooks", kept, was, now_ms, &text), makes, "%s",
		     given);
	result = json_read(text.data, text.len, NULL);
	cr_assert_not_null(result, "%s", given);
	buf_clear(&text);
	json_free(&was);
	json_free(&asked);
	json_free(&kept);
	return result;
}

Test(business_secret, one_is_made_where_none_is_given)
{
	struct json_object *object = rolled("{\"id\":\"crm\"}", "", true);
	struct json_object *other = rolled("{\"id\":\"crm\"}", "", true);

	cr_expect_eq(strlen(json_text(object, "secret")), 6 + 44);
	cr_expect(text_starts(json_text(object, "secret"), "whsec_"));
	cr_expect_str_neq(json_text(object, "secret"), json_text(other, "secret"));
	cr_expect_not(json_has(object, "secret_previous"));
	json_free(&object);
	json_free(&other);
}

Test(business_secret, one_that_is_given_or_kept_is_not_made)
{
	char given[200];
	struct json_object *object;

	snprintf(given, sizeof(given), "{\"id\":\"crm\",\"secret\":\"%s\"}", first);
	object = rolled(given, "", false);
	cr_expect_str_eq(json_text(object, "secret"), first);
	json_free(&object);
	object = rolled("{\"id\":\"crm\",\"secret\":\"set:01020304\"}", given, false);
	cr_expect_str_eq(json_text(object, "secret"), first);
	cr_expect_not(json_has(object, "secret_previous"));
	json_free(&object);
	object = rolled("{\"id\":\"crm\"}", given, false);
	cr_expect_str_eq(json_text(object, "secret"), first);
	json_free(&object);
}

Test(business_secret, the_last_one_stays_for_a_day)
{
	char stored[300], given[200];
	struct json_object *object;

	snprintf(stored, sizeof(stored), "{\"id\":\"crm\",\"secret\":\"%s\"}", first);
	object = rolled("{\"id\":\"crm\",\"secret\":\"new\"}", stored, true);
	cr_expect_str_neq(json_text(object, "secret"), first);
	cr_expect_str_eq(json_text(object, "secret_previous"), first);
	cr_expect_str_eq(json_text(object, "previous_until"), tomorrow);
	json_free(&object);
	snprintf(given, sizeof(given), "{\"id\":\"crm\",\"secret\":\"%s\"}", second);
	object = rolled(given, stored, false);
	cr_expect_str_eq(json_text(object, "secret"), second);
	cr_expect_str_eq(json_text(object, "secret_previous"), first);
	cr_expect_str_eq(json_text(object, "previous_until"), tomorrow);
	json_free(&object);
	/* What was said of it holds until something else is said. */
	snprintf(stored, sizeof(stored),
		 "{\"id\":\"crm\",\"secret\":\"%s\",\"secret_previous\":\"%s\",\"previous_until\":"
		 "\"%s\"}",
		 second, first, "2023-11-15T00:00:00Z");
	object = rolled("{\"id\":\"crm\",\"name\":\"CRM\"}", stored, false);
	cr_expect_str_eq(json_text(object, "secret_previous"), first);
	cr_expect_str_eq(json_text(object, "previous_until"), "2023-11-15T00:00:00Z");
	json_free(&object);
}

Test(business_secret, other_kinds_are_as_they_were_given)
{
	struct json_object *given = object_of("{\"id\":\"llm\",\"secret\":\"new\"}");
	struct buf text = { 0 };

	cr_expect_not(business_roll_secret("classifiers", given, NULL, now_ms, &text));
	cr_expect_str_eq(buf_string(&text), "{\"id\":\"llm\",\"secret\":\"new\"}");
	buf_clear(&text);
	json_free(&given);
}

Test(business_secret, what_was_made_is_shown_and_nothing_else)
{
	char stored[300];
	struct json_object *object;
	struct buf text = { 0 };

	snprintf(stored, sizeof(stored),
		 "{\"id\":\"crm\",\"secret\":\"%s\",\"secret_previous\":\"%s\"}", second, first);
	object = object_of(stored);
	business_show_made("webhooks", object, &text);
	cr_expect_not_null(strstr(buf_string(&text), second));
	cr_expect_null(strstr(buf_string(&text), first));
	buf_reset(&text);
	business_mask("webhooks", object, &text);
	cr_expect_null(strstr(buf_string(&text), second));
	buf_clear(&text);
	json_free(&object);
}
