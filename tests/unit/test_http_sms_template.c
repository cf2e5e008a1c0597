/* Values find their places, and never leave them. */
#include <criterion/criterion.h>

#include "../../connectors/http_sms_template.h"
#include "base/arena.h"
#include "host/host_private.h"

extern const struct host host_services;

static const struct host_pair values[] = { { "to", "+86 1" },
					   { "text", "a\"b\\c\n<&>{to}" },
					   { NULL, NULL } };

static void expect(const char *template, enum sms_escape escape, const char *filled)
{
	struct arena *arena = arena_new(0);

	cr_expect_str_eq(sms_template_fill(&host_services, arena, template, escape, values),
			 filled);
	arena_free(&arena);
}

Test(http_sms_template, escapes_for_the_place)
{
	expect("{\"to\":\"{to}\",\"x\":\"{text}\"}", SMS_ESCAPE_JSON,
	       "{\"to\":\"+86 1\",\"x\":\"a\\\"b\\\\c\\n<&>{to}\"}");
	expect("?to={to}&x={text}", SMS_ESCAPE_FORM,
	       "?to=%2B86%201&x=a%22b%5Cc%0A%3C%26%3E%7Bto%7D");
	expect("<t>{text}</t>", SMS_ESCAPE_XML, "<t>a&quot;b\\c\n&lt;&amp;&gt;{to}</t>");
	expect("X-To: {to}{text}", SMS_ESCAPE_TEXT, "X-To: +86 1a\"b\\c<&>{to}");
}

Test(http_sms_template, leaves_other_braces_alone)
{
	expect("{}{ to}{to }{{to}}{TO}{to", SMS_ESCAPE_TEXT, "{}{ to}{to }{+86 1}{TO}{to");
	expect("", SMS_ESCAPE_JSON, "");
}

Test(http_sms_template, names_what_it_does_not_know)
{
	struct arena *arena = arena_new(0);

	cr_expect_str_eq(sms_template_unknown(&host_services, arena, "{to}{txt}{text}", values),
			 "{txt}");
	cr_expect_null(sms_template_unknown(&host_services, arena, "{\"a\":{}}{to}", values));
	arena_free(&arena);
}
