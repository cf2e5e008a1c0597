#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/xml.h"

struct xml_case {
	char in[400];
	char out[200]; /* JSON, or a part of the error */
};

ParameterizedTestParameters(xml, reads)
{
	static struct xml_case cases[] = {
		{ "<xml><A><![CDATA[<b>&]]></A><B>2</B></xml>", "{\"A\":\"<b>&\",\"B\":\"2\"}" },
		{ "<xml>\n <A/> \n<B> x </B></xml>", "{\"A\":\"\",\"B\":\" x \"}" },
		{ "<x><i>1</i><n>n</n><i>2</i></x>", "{\"i\":[\"1\",\"2\"],\"n\":\"n\"}" },
		{ "<x><l><i><a>1</a></i></l></x>", "{\"l\":{\"i\":{\"a\":\"1\"}}}" },
		{ "<x><a k=\"v\">\xe4\xbd\xa0&amp;&#x597d;</a></x>",
		  "{\"a\":\"\xe4\xbd\xa0&\xe5\xa5\xbd\"}" },
		{ "<x>text</x>", "no children" },
		{ "<x><a>1</x>", "mismatched" },
		{ "", "no element" },
		{ "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x><a>&e;</a></x>",
		  "document type" },
		{ "<x><a>&e;</a></x>", "undefined entity" },
		{ "<x><a>\xff</a></x>", "token" },
		{ "<a><b><c><d><e><f><g><h><i><j><k><l><m><n><o><p><q>1</q></p></o></n></m></l>"
		  "</k></j></i></h></g></f></e></d></c></b></a>",
		  "levels" },
	};

	return cr_make_param_array(struct xml_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct xml_case *c, xml, reads)
{
	struct error err = { 0 };
	OWNED(json_free) struct json_object *value = xml_read(c->in, strlen(c->in), &err);
	OWNED(buf_clear) struct buf text = { 0 };

	if (c->out[0] != '{') {
		cr_assert_null(value, "%s", c->in);
		cr_assert(strstr(err.text, c->out), "%s: %s", c->in, err.text);
		return;
	}
	cr_assert_not_null(value, "%s: %s", c->in, err.text);
	json_append(value, &text);
	cr_assert_str_eq(buf_string(&text), c->out);
}

Test(xml, refuses_what_is_too_long)
{
	static char bytes[XML_MAX_BYTES + 1];
	struct error err = { 0 };

	memset(bytes, ' ', sizeof(bytes));
	cr_assert_null(xml_read(bytes, sizeof(bytes), &err));
	cr_assert(strstr(err.text, "more than"));
}
