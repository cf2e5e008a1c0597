#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_bed.h"

static struct config *parse(const char *text, struct problems *problems)
{
	return config_parse(TEST_DATA "/config/inline.yaml", text, strlen(text), &bed_registry,
			    problems);
}

static void settle(void)
{
	unsetenv("INVOCATION_ID");
	unsetenv("STATE_DIRECTORY");
	unsetenv("CONVERGE_TEST_UNSET");
	setenv("CONVERGE_TEST_EMPTY", "", 1);
	setenv("CONVERGE_TEST_SECRET", "from the environment", 1);
}

/* The first error's line, or "" without one; warnings are passed over. */
static void first_error(struct problems *problems, char *out, size_t room)
{
	const struct problem *problem;

	out[0] = '\0';
	for (size_t i = 0; (problem = problem_at(problems, i)) != NULL; i++) {
		if (problem->severity != PROBLEM_ERROR)
			continue;
		problem_format(problem, out, room);
		return;
	}
}

static void expect_no_secret(const char *name, struct problems *problems)
{
	const struct problem *problem;
	char line[2048];

	for (size_t i = 0; (problem = problem_at(problems, i)) != NULL; i++) {
		problem_format(problem, line, sizeof(line));
		cr_expect_null(strstr(line, "hunter2"), "%s: %s", name, line);
		cr_expect_null(strstr(line, "s3cr3t"), "%s: %s", name, line);
	}
}

static void expect_broken(const char *name, const char *place, const char *text, const char *hint)
{
	struct problems *problems = problems_new();
	char path[400], line[2048], start[500];
	struct config *config;

	snprintf(path, sizeof(path), TEST_DATA "/config/%s.yaml", name);
	snprintf(start, sizeof(start), "%s:%s: error: ", path, place);
	config = config_load_with(path, &bed_registry, problems);
	first_error(problems, line, sizeof(line));
	cr_expect_null(config, "%s was taken", name);
	cr_expect(strncmp(line, start, strlen(start)) == 0, "%s: wanted %s, got %s", name, place,
		  line);
	cr_expect(strstr(line, text) != NULL, "%s: no \"%s\" in %s", name, text, line);
	cr_expect(strstr(line, hint) != NULL, "%s: no \"%s\" in %s", name, hint, line);
	expect_no_secret(name, problems);
	config_free(&config);
	problems_free(&problems);
}

Test(config, says_where_each_broken_file_is_wrong_and_how_to_mend_it)
{
	FILE *table = fopen(TEST_DATA "/config/expected.txt", "r");
	char row[512];
	size_t count = 0;

	cr_assert_not_null(table);
	settle();
	while (fgets(row, sizeof(row), table) != NULL) {
		char none[] = "";
		char *fields[4] = { row, none, none, none };

		row[strcspn(row, "\n")] = '\0';
		if (row[0] == '#')
			continue;
		for (size_t i = 1; i < 4; i++) {
			char *bar = strstr(fields[i - 1], " | ");

			if (bar == NULL)
				break;
			*bar = '\0';
			fields[i] = bar + 3;
		}
		expect_broken(fields[0], fields[1], fields[2], fields[3]);
		count++;
	}
	fclose(table);
	cr_expect_geq(count, 80);
}

Test(config, loads_the_documented_shape)
{
	static const char text[] =
		"state_dir: ./var\n"
		"listen: { http: 127.0.0.1:8080, lmtp: 127.0.0.1:2424 }\n"
		"store: embedded\n"
		"channels:\n"
		"  - { name: shop, connector: webhook, secret: \"whsec_...\", deliver_url: "
		"\"http://127.0.0.1:9000/out\", allow_private_urls: true }\n"
		"  - { name: site, connector: webchat }\n"
		"  - name: support\n"
		"    connector: email\n"
		"    address: support@example.test\n"
		"    imap: { url: \"imap://127.0.0.1:1143\", user: support, password_file: "
		"ok-secret.txt, folder: INBOX, poll: 5s }\n"
		"    smtp: { url: \"smtp://127.0.0.1:1025\" }\n";
	struct problems *problems = problems_new();
	struct config *config;
	const struct bed_webhook *shop;
	const struct bed_email *support;

	settle();
	config = parse(text, problems);
	cr_assert_eq(problems_errors(problems), 0);
	cr_assert_not_null(config);
	cr_expect_str_eq(config->state_dir, TEST_DATA "/config/var");
	cr_expect_str_eq(config->listen.http, "127.0.0.1:8080");
	cr_expect_str_eq(config->listen.lmtp, "127.0.0.1:2424");
	cr_expect_str_eq(config->store.url, "embedded");
	cr_expect_str_eq(config_ack_text(config), "local");
	cr_assert_eq(config->channel_count, 3);
	shop = config->channels[0].settings;
	cr_expect_str_eq(config->channels[0].name, "shop");
	cr_expect_str_eq(config->channels[0].workspace, "main");
	cr_expect_str_eq(shop->secret, "whsec_...");
	cr_expect(shop->allow_private_urls, "the connector's row of that name is filled");
	cr_expect(config->channels[0].allow_private_urls, "and so is the common one");
	support = config->channels[2].settings;
	cr_expect_str_eq(support->imap.password, "hunter2");
	cr_expect_eq(support->imap.poll_ms, 5000);
	cr_expect_str_eq(support->imap.folder, "INBOX");
	cr_expect_null(support->smtp.user);
	config_free(&config);
	problems_free(&problems);
}

Test(config, fills_in_what_is_not_written)
{
	struct problems *problems = problems_new();
	struct config *config;

	settle();
	setenv("STATE_DIRECTORY", "/run/state:/other", 1);
	config = parse("lame_duck: 1500ms\n", problems);
	cr_assert_not_null(config);
	cr_expect_str_eq(config->state_dir, "/run/state");
	cr_expect_str_eq(config->listen.http, "127.0.0.1:8080");
	cr_expect_null(config->listen.lmtp);
	cr_expect_eq(config->listen.header_timeout_ms, 10000);
	cr_expect_eq(config->limits.body, 1024 * 1024);
	cr_expect_eq(config->log.level, 2);
	cr_expect_eq(config->lame_duck_ms, 1500);
	cr_expect_null(config->history.url);
	config_free(&config);
	problems_free(&problems);
}

Test(config, takes_long_and_short_forms_variables_and_relative_paths)
{
	struct problems *problems = problems_new();
	struct config *config;

	settle();
	config = parse("store: { url: \"redis://u:${env:CONVERGE_TEST_UNUSED}@h:6379/2\" }\n",
		       problems);
	cr_expect_null(config, "an unset variable in a URL");
	problems_free(&problems);
	problems = problems_new();
	setenv("CONVERGE_TEST_WORD", "pw", 1);
	config = parse(
		"store: { url: \"redis://u:${env:CONVERGE_TEST_WORD}@h:6379/2\" }\n"
		"blobs: file:./blobs\nhistory: sqlite:///var/h.db\ndefault_region: cn\n"
		"public_url: https://in.example/base\n"
		"channels:\n"
		"  - name: shop\n    connector: webhook\n    secret: ${env:CONVERGE_TEST_SECRET}\n"
		"  - name: shop\n    workspace: two\n    connector: webchat\n"
		"    default_region: de\n    remember: 2h\n",
		problems);
	cr_assert_not_null(config);
	cr_expect_str_eq(config->store.url, "redis://u:pw@h:6379/2");
	cr_expect_str_eq(config->blobs.url, "file:" TEST_DATA "/config/blobs");
	cr_expect_str_eq(config->history.url, "sqlite:/var/h.db");
	cr_expect_str_eq(config->default_region, "CN");
	cr_expect_str_eq(config->channels[0].default_region, "CN");
	cr_expect_str_eq(config->channels[1].default_region, "DE");
	cr_expect_str_eq(config->channels[1].public_url, "https://in.example/base");
	cr_expect_eq(config->channels[1].remember_ms, 7200000);
	cr_expect_str_eq(((const struct bed_webhook *)config->channels[0].settings)->secret,
			 "from the environment");
	config_free(&config);
	problems_free(&problems);
}

Test(config, shows_every_error_at_once_in_order)
{
	static const char text[] = "stroe: embedded\n"
				   "listen: { http: 8080, reuse_port: maybe, nonsense: 1 }\n"
				   "lame_duck: 30\n"
				   "channels:\n"
				   "  - { name: A, connector: webhook }\n"
				   "  - { name: b, connector: pigeon }\n";
	static const char *const want[] = { ":1:1: ",  ":2:17: ", ":2:35: ", ":2:42: ",
					    ":3:12: ", ":5:5: ",  ":5:13: ", ":6:27: " };
	struct problems *problems = problems_new();
	char line[1024];

	settle();
	cr_assert_null(parse(text, problems));
	cr_expect_eq(problems_errors(problems), 8);
	for (size_t i = 0; i < 8 && problem_at(problems, i) != NULL; i++) {
		problem_format(problem_at(problems, i), line, sizeof(line));
		cr_expect_not_null(strstr(line, want[i]), "%s in %s", want[i], line);
	}
	problems_free(&problems);
}

Test(config, keeps_fifty_problems_and_counts_the_rest)
{
	struct problems *problems = problems_new();
	char text[4096] = "", *end = text;

	for (int i = 0; i < 60; i++)
		end += sprintf(end, "zzzzzzzz%d: x\n", i);
	settle();
	cr_assert_null(parse(text, problems));
	cr_expect_eq(problems_errors(problems), 60);
	cr_expect_not_null(problem_at(problems, 49));
	cr_expect_null(problem_at(problems, 50));
	problems_free(&problems);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *out = fopen(path, "w");

	fputs(text, out);
	fclose(out);
	chmod(path, mode);
}

static size_t count_of(const char *path, bool errors)
{
	struct problems *problems = problems_new();
	struct config *config = config_load_with(path, &bed_registry, problems);
	size_t count = errors ? problems_errors(problems) : problems_warnings(problems);

	config_free(&config);
	problems_free(&problems);
	return count;
}

Test(config, judges_secrets_that_others_can_read)
{
	char folder[] = "/tmp/config-XXXXXX", inline_file[64], named[64], secret[64];

	settle();
	cr_assert_not_null(mkdtemp(folder));
	snprintf(inline_file, sizeof(inline_file), "%s/inline.yaml", folder);
	snprintf(named, sizeof(named), "%s/named.yaml", folder);
	snprintf(secret, sizeof(secret), "%s/secret", folder);
	write_file(inline_file, "channels: [ { name: a, connector: webhook, secret: x } ]\n", 0644);
	write_file(named, "channels: [ { name: a, connector: webhook, secret_file: secret } ]\n",
		   0644);
	write_file(secret, "x\n", 0644);
	cr_expect_eq(count_of(inline_file, false), 1, "an inline secret in a readable file");
	cr_expect_eq(count_of(inline_file, true), 0);
	cr_expect_eq(count_of(named, false), 1, "a readable secret file");
	cr_expect_eq(count_of(named, true), 0);
	setenv("INVOCATION_ID", "1", 1);
	cr_expect_eq(count_of(named, true), 1, "a readable secret file of a service");
	chmod(secret, 0600);
	chmod(inline_file, 0600);
	cr_expect_eq(count_of(named, true) + count_of(named, false), 0);
	cr_expect_eq(count_of(inline_file, true) + count_of(inline_file, false), 0);
	unlink(secret);
	unlink(named);
	unlink(inline_file);
	rmdir(folder);
}

Test(config, accepts_crlf_and_a_byte_order_mark)
{
	struct problems *problems = problems_new();
	struct config *config;

	settle();
	config = parse("\xef\xbb\xbfstore: unix:/run/r.sock\r\nlog:\r\n  level: debug\r\n",
		       problems);
	cr_assert_not_null(config);
	cr_expect_str_eq(config->store.url, "unix:/run/r.sock");
	cr_expect_eq(config->log.level, 3);
	config_free(&config);
	problems_free(&problems);
}

static const char *change_of(const struct config_diff *diff, const char *key)
{
	for (size_t i = 0; i < diff->count; i++) {
		if (strcmp(diff->changes[i].key, key) == 0)
			return diff->changes[i].is_reloadable ? "reload" : "restart";
	}
	return "same";
}

Test(config, tells_what_a_reload_changes)
{
	struct problems *problems = problems_new();
	struct config *old, *new;
	struct config_diff *diff;

	settle();
	old = parse("store: unix:/a\nlog: { level: info }\nlisten: { trusted_proxies: [\"::1\"] }\n"
		    "channels:\n  - { name: a, connector: webhook, secret: x }\n"
		    "  - { name: b, connector: webchat }\n  - { name: c, connector: webchat }\n",
		    problems);
	new = parse(
		"store: unix:/b\nlog: { level: debug }\nlisten: { trusted_proxies: [\"::2\"] }\n"
		"channels:\n  - { name: a, connector: webhook, secret: y }\n"
		"  - { name: c, connector: webchat }\n  - { name: d, connector: webchat }\n",
		problems);
	cr_assert(old != NULL && new != NULL);
	diff = config_diff(old, new);
	cr_expect_str_eq(change_of(diff, "store.url"), "restart");
	cr_expect_str_eq(change_of(diff, "log.level"), "reload");
	cr_expect_str_eq(change_of(diff, "listen.trusted_proxies"), "restart");
	cr_expect_str_eq(change_of(diff, "listen.http"), "same");
	cr_expect_str_eq(change_of(diff, "channels.a"), "reload");
	cr_expect_str_eq(change_of(diff, "channels.b"), "reload");
	cr_expect_str_eq(change_of(diff, "channels.c"), "same");
	cr_expect_str_eq(change_of(diff, "channels.d"), "reload");
	cr_expect_eq(diff->count, 6);
	config_diff_free(&diff);
	diff = config_diff(old, old);
	cr_expect_eq(diff->count, 0);
	config_diff_free(&diff);
	config_free(&old);
	config_free(&new);
	problems_free(&problems);
}
