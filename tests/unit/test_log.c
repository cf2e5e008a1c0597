#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"

static char captured[8192];
static int lines;

static void keep(const char *line, void *context)
{
	(void)context;
	lines++;
	snprintf(captured, sizeof(captured), "%s", line);
}

/* The line without its time. */
static const char *without_time(void)
{
	static char text[8192];
	const char *ts = strstr(captured, "ts=");

	cr_assert_not_null(ts, "%s", captured);
	snprintf(text, sizeof(text), "%.*s%s", (int)(ts - captured), captured, ts + 28);
	return text;
}

static void start(enum log_level level, bool json)
{
	lines = 0;
	captured[0] = '\0';
	log_setup(level, json);
	log_capture(keep, NULL);
}

Test(log, writes_the_id_before_the_pairs)
{
	start(LOG_INFO, false);
	log_info("01J8XK", "stage=admit channel=%s result=stored ms=%d", "shop", 3);
	cr_assert_str_eq(without_time(),
			 "level=info id=01J8XK stage=admit channel=shop result=stored ms=3");
	log_warn(NULL, "event=start");
	cr_assert_str_eq(without_time(), "level=warn event=start");
	cr_assert_null(strchr(captured, '\n'));
}

Test(log, says_nothing_below_its_level)
{
	start(LOG_WARN, false);
	log_info("x", "a=1");
	log_debug("x", "a=1");
	cr_assert_eq(lines, 0);
	log_error("x", "a=1");
	log_warn("x", "a=1");
	cr_assert_eq(lines, 2);
}

Test(log, writes_json_lines)
{
	struct json_object *value;

	start(LOG_DEBUG, true);
	log_debug("01J8XK",
		  "stage=deliver ms=12 ratio=-0.5 flag channel=shop-1 error=%s version=1.2.3",
		  log_quote("HTTP 503 from \"api\"\n退款"));
	value = json_read(captured, strlen(captured), NULL);
	cr_assert_not_null(value, "%s", captured);
	cr_assert_str_eq(json_text(value, "level"), "debug");
	cr_assert_str_eq(json_text(value, "id"), "01J8XK");
	cr_assert_str_eq(json_text(value, "stage"), "deliver");
	cr_assert_eq(json_int(value, "ms", 0), 12);
	cr_assert_eq(json_kind(json_at(value, "ratio")), JSON_NUMBER);
	cr_assert(json_bool(value, "flag", false));
	cr_assert_str_eq(json_text(value, "channel"), "shop-1");
	cr_assert_str_eq(json_text(value, "version"), "1.2.3");
	cr_assert_str_eq(json_text(value, "error"), "HTTP 503 from \"api\"\n退款");
	cr_assert_eq(strlen(json_text(value, "ts")), 24);
	json_free(&value);
}

Test(log, writes_json_whatever_the_pairs_are)
{
	static const char *const odd[] = {
		"",       " ",       "=",          "==",     "a=",   "a=\"", "a=\"open",
		"a=\"\\", "=b",      "a=\"x\"y=1", "a=\xff", "a=1e", "a=-",  "a={}",
		"a=[",    "a  =  b", "a=\"\\x\"",  "a=\"\\", "a=01",
	};

	start(LOG_INFO, true);
	for (size_t i = 0; i < COUNT_OF(odd); i++) {
		log_info("id", "%s", odd[i]);
		cr_assert_eq(json_check(captured, strlen(captured), NULL), 0, "%s: %s", odd[i],
			     captured);
	}
}

Test(log, keeps_one_line_one_line)
{
	start(LOG_INFO, false);
	log_info("id", "a=%s", "x\nlevel=error forged=1\r\x1b");
	cr_assert_str_eq(without_time(), "level=info id=id a=x level=error forged=1  ");
}

Test(log, bounds_a_line)
{
	char *text = memory_new(10001);

	memset(text, 'x', 10000);
	start(LOG_INFO, false);
	log_info("id", "a=%s", text);
	cr_assert_lt(strlen(captured), 4200);
	cr_assert_gt(strlen(captured), 4000);
	free(text);
}

Test(log, quotes_and_bounds_values)
{
	char text[1001];
	const char *quoted;

	cr_assert_str_eq(log_quote("a b"), "\"a b\"");
	cr_assert_str_eq(log_quote("a\"b\\c\n"), "\"a\\\"b\\\\c\\n\"");
	cr_assert_str_eq(log_quote("\xff"), "\"\xef\xbf\xbd\"");
	cr_assert_str_eq(log_quote(NULL), "\"\"");
	memset(text, 'x', 1000);
	text[1000] = '\0';
	memcpy(text + 598, "退", 3);
	quoted = log_quote(text);
	cr_assert_eq(strlen(quoted), 598 + 5);
	cr_assert_str_eq(quoted + 599, "…\"");
	cr_assert_str_eq(log_quote("退款"), "\"退款\"");
}

Test(log, keeps_several_quoted_values_of_one_line)
{
	start(LOG_INFO, false);
	log_info("id", "a=%s b=%s c=%s", log_quote("1"), log_quote("2"), log_address("a@b.cn"));
	cr_assert_str_eq(without_time(), "level=info id=id a=\"1\" b=\"2\" c=a***@b.cn");
}

struct address_case {
	const char *address;
	const char *shown;
};

static const struct address_case addresses[] = {
	{ "ann@example.com", "a***@example.com" },
	{ "@example.com", "***@example.com" },
	{ "13800138000", "138****8000" },
	{ "+8613800138000", "+86****8000" },
	{ "12345678", "12****78" },
	{ "123456", "***" },
	{ "", "***" },
	{ NULL, "***" },
	{ "\"a b\"@x y=1\n.com", "?***@x?y?1?.com" },
	{ "a@b@c.com", "a***@c.com" },
	{ "张三@例.cn", "?***@???.cn" },
};

Test(log, masks_addresses)
{
	char text[300] = "a@";

	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		cr_assert_str_eq(log_address(addresses[i].address), addresses[i].shown);
	memset(text + 2, 'x', 250);
	cr_assert_str_eq(log_address(text), "a***");
}

static size_t read_back(int fd, char *out, size_t room)
{
	ssize_t n = pread(fd, out, room - 1, 0);

	cr_assert_gt(n, 0);
	out[n] = '\0';
	return (size_t)n;
}

Test(log, writes_to_stderr_with_a_priority_only_for_the_journal)
{
	char template[] = "/tmp/converge-log-XXXXXX";
	int fd = mkstemp(template);
	char stream[64];
	char text[512];
	struct stat info;

	cr_assert_geq(fd, 0);
	unlink(template);
	cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	cr_assert_eq(fstat(fd, &info), 0);
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_setup(LOG_INFO, false);
	log_error("id", "a=1");
	cr_assert(read_back(fd, text, sizeof(text)) > 0);
	cr_assert_eq(strncmp(text, "level=error ts=", 15), 0, "%s", text);
	cr_assert_str_eq(strchr(text, '\n'), "\n");
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)info.st_dev, (uintmax_t)info.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_setup(LOG_INFO, false);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	log_error("id", "a=1");
	read_back(fd, text, sizeof(text));
	cr_assert_eq(strncmp(text, "<3>level=error ts=", 18), 0, "%s", text);
	close(fd);
}
