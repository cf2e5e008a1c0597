/* rules test, rules lint, and the warnings of apply. */
#include <string.h>

#include "base/text.h"
#include "business/business.h"
#include "ctl.h"

/* The file's rules as a member "rules" of an open object; nothing without a file. */
static void add_rules(struct json_out *json, const struct business *business)
{
	size_t count;
	const struct business_object *rules = business_objects(business, "rules", &count);
	jw_array(json, "rules");
	for (size_t i = 0; i < count; i++)
		jw_raw(json, NULL, rules[i].json, strlen(rules[i].json));
	jw_array_end(json);
}

/* NULL without a --file, or after its problems were printed: then *ret_code is set. */
static struct business *file_read(struct call *call, int *ret_code)
{
	const char *file = call_option(call, "--file");
	*ret_code = EXIT_DONE;
	if (file == NULL)
		return NULL;
	struct problems *problems = problems_new();
	struct business *business = business_read(file, problems);
	problems_print(problems, stderr);
	problems_free(&problems);
	if (business == NULL)
		*ret_code = EX_CONFIG;
	return business;
}

static struct json_object *lint_ask(struct call *call, const struct business *business,
				    int *ret_code)
{
	struct buf body = { 0 };
	struct json_out json;
	jw_start(&json, &body);
	jw_object(&json, NULL);
	if (business != NULL)
		add_rules(&json, business);
	jw_object_end(&json);
	struct json_object *answer = call_request(call, "POST", "/v1/rules/lint", &body, ret_code);
	buf_clear(&body);
	return answer;
}

static const struct place *rule_place(const struct business *business, const char *name)
{
	static const struct place nowhere = { "rules", 0, 0 };
	size_t count = 0;
	const struct business_object *rules =
		business == NULL ? NULL : business_objects(business, "rules", &count);
	for (size_t i = 0; i < count; i++)
		if (text_equal(rules[i].id, name))
			return &rules[i].at;
	return &nowhere;
}

static size_t findings_print(struct json_object *answer, const struct business *business, FILE *out)
{
	struct json_object *findings = json_at(answer, "findings");
	struct problems *problems = problems_new();
	for (size_t i = 0; i < json_count(findings); i++) {
		struct json_object *finding = json_item(findings, i);
		const char *rule = json_text(finding, "rule");
		problem_warn(problems, rule_place(business, rule), "rule \"%s\": %s", rule,
			     json_text(finding, "text.en"));
	}
	problems_print(problems, out);
	problems_free(&problems);
	return json_count(findings);
}

int rules_warn(struct call *call, const struct business *business)
{
	size_t count = 0;
	int code = EXIT_DONE;
	business_objects(business, "rules", &count);
	if (count == 0)
		return EXIT_DONE;
	struct json_object *answer = lint_ask(call, business, &code);
	findings_print(answer, business, stderr);
	json_free(&answer);
	return code;
}

int run_rules_lint(struct call *call)
{
	int code;
	size_t found = 0;
	struct business *business = file_read(call, &code);
	struct json_object *answer = code == EXIT_DONE ? lint_ask(call, business, &code) : NULL;
	if (code == EXIT_DONE && call->form == OUTPUT_JSON)
		output_object(call, answer);
	else if (code == EXIT_DONE)
		found = findings_print(answer, business, stdout);
	if (code == EXIT_DONE && call->form == OUTPUT_TABLE)
		printf("%lld rules, %zu warnings\n", (long long)json_int(answer, "rules", 0),
		       found);
	json_free(&answer);
	business_free(&business);
	return code;
}

static void add_facts(struct json_out *json, struct call *call)
{
	const struct choice_option *rows = call->command->options;
	const char *attachment = call_option(call, "--attachment");
	const char *attribute = call_option(call, "--attribute");
	for (size_t i = 0; rows[i].name != NULL; i++)
		if (rows[i].field != NULL && call->options[i] != NULL)
			jw_text(json, rows[i].field, call->options[i]);
	if (attachment != NULL) {
		jw_array(json, "attachments");
		jw_text(json, NULL, attachment);
		jw_array_end(json);
	}
	if (attribute != NULL && strchr(attribute, '=') != NULL) {
		size_t len = strcspn(attribute, "=");
		jw_object(json, "attributes");
		jw_text(json, arena_copy(call->arena, attribute, len), attribute + len + 1);
		jw_object_end(json);
	}
}

static void print_outcome(struct json_object *answer)
{
	static const char *const outputs[] = { "queue", "type", "topic", "urgency" };
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		char path[32];
		snprintf(path, sizeof(path), "given_by.%s", outputs[i]);
		const char *value = json_text(answer, outputs[i]);
		const char *rule = json_text(answer, path);
		printf("%-8s %s%s%s%s\n", outputs[i], value == NULL || *value == '\0' ? "-" : value,
		       rule == NULL ? "" : "  (rule \"", rule == NULL ? "" : rule,
		       rule == NULL ? "" : "\")");
	}
	if (json_text(answer, "stopped") != NULL)
		printf("stopped  the pattern of rule \"%s\" took too long on this text\n",
		       json_text(answer, "stopped"));
}

static void print_trial(struct json_object *answer)
{
	struct json_object *rules = json_at(answer, "rules");
	for (size_t i = 0; i < json_count(rules); i++) {
		struct json_object *rule = json_item(rules, i);
		struct json_object *gave = json_at(rule, "gave");
		printf("%s %s", json_bool(rule, "fired", false) ? "+" : "-",
		       json_text(rule, "name"));
		if (!json_bool(rule, "fired", false))
			printf(": %s", json_text(rule, "text.en"));
		for (size_t j = 0; j < json_count(gave); j++)
			printf("%s%s", j == 0 ? ": gives " : ", ", json_string(json_item(gave, j)));
		if (json_bool(rule, "fired", false) && json_count(gave) == 0)
			printf(": gives nothing that an earlier rule has not given");
		putchar('\n');
	}
	putchar('\n');
	print_outcome(answer);
}

int run_rules_test(struct call *call)
{
	struct buf body = { 0 };
	struct json_out json;
	int code;
	struct business *business = file_read(call, &code);
	if (code != EXIT_DONE)
		return code;
	jw_start(&json, &body);
	jw_object(&json, NULL);
	add_facts(&json, call);
	if (business != NULL)
		add_rules(&json, business);
	jw_object_end(&json);
	struct json_object *answer = call_request(call, "POST", call_path(call), &body, &code);
	if (code == EXIT_DONE && call->form == OUTPUT_JSON)
		output_object(call, answer);
	else if (code == EXIT_DONE)
		print_trial(answer);
	json_free(&answer);
	buf_clear(&body);
	business_free(&business);
	return code;
}
