/* The configuration with the connectors that are built in. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "config_doc.h"

static char folder[] = "/tmp/config-file-XXXXXX";
static char file[64];

static void write_config(const char *text)
{
	FILE *out;

	unsetenv("INVOCATION_ID");
	if (file[0] == '\0') {
		cr_assert_not_null(mkdtemp(folder));
		snprintf(file, sizeof(file), "%s/c.yaml", folder);
	}
	out = fopen(file, "w");
	fputs(text, out);
	fclose(out);
	chmod(file, 0600);
}

static void remove_config(void)
{
	unlink(file);
	rmdir(folder);
}

Test(config_file, prints_what_a_connector_refuses_at_its_setting, .init = cr_redirect_stderr,
     .fini = remove_config)
{
	char line[256];

	write_config("channels:\n  - name: shop\n    connector: webhook\n"
		     "    secret: hunter2\n    deliver_url: https://shop.example/\n");
	cr_expect_eq(config_test(file), 78);
	snprintf(line, sizeof(line),
		 "%s:4:13: error: secret must be whsec_ and the base64 of 24 to 64 bytes (see the "
		 "options of the webhook connector)\n",
		 file);
	fflush(stderr);
	cr_expect_stderr_eq_str(line);
}

Test(config_file, takes_a_fine_file, .init = cr_redirect_stdout, .fini = remove_config)
{
	char line[256];

	write_config("state_dir: ./var\nlisten: { http: 127.0.0.1:8080, lmtp: 127.0.0.1:2424 }\n"
		     "store: embedded\nchannels:\n"
		     "  - { name: shop, connector: webhook, secret: "
		     "\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\", deliver_url: "
		     "\"http://127.0.0.1:9000/out\", allow_private_urls: true }\n");
	cr_expect_eq(config_test(file), 0);
	snprintf(line, sizeof(line), "%s: fine\n", file);
	fflush(stdout);
	cr_expect_stdout_eq_str(line);
}

Test(config_file, names_the_connectors_that_there_are, .init = cr_redirect_stderr,
     .fini = remove_config)
{
	struct buf out = { 0 };

	write_config("channels: [ { name: shop, connector: webhok } ]\n");
	cr_expect_eq(config_test(file), 78);
	config_print_tables(&out);
	cr_expect_not_null(strstr(buf_string(&out), "### channels[] with connector: webhook"));
	buf_reset(&out);
	config_print_sample(&out);
	cr_expect_not_null(strstr(buf_string(&out), "  #- name: my-webhook\n"));
	buf_clear(&out);
}
