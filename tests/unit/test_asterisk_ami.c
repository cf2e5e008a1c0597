#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../connectors/asterisk_private.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"

#define BLOCK "Event: AgentConnect\r\nQueue: support\r\nEmpty:\r\nNoSpace:x:y\r\n\r\n"

Test(asterisk_ami, reads_a_block_and_says_how_long_it_was)
{
	struct ami_block block;

	cr_assert_eq(ami_read(BLOCK "Event", sizeof(BLOCK) + 4, &block), AMI_BLOCK);
	cr_assert_eq(block.len, sizeof(BLOCK) - 1);
	cr_assert_eq(block.count, 4);
	cr_assert(ami_is(ami_value(&block, "queue"), "support"));
	cr_assert(ami_is(ami_value(&block, "NoSpace"), "x:y"));
	cr_assert(ami_is(ami_value(&block, "Empty"), ""));
	cr_assert_null(ami_value(&block, "Absent").bytes);
}

Test(asterisk_ami, waits_wherever_the_bytes_end)
{
	struct ami_block block;

	for (size_t len = 0; len < sizeof(BLOCK) - 1; len++) {
		char *exact = memory_copy(BLOCK, len);

		cr_assert_eq(ami_read(exact, len, &block), AMI_MORE, "%zu", len);
		free(exact);
	}
}

Test(asterisk_ami, leaves_out_a_block_that_it_cannot_read)
{
	static const char *const bad[] = {
		"no colon\r\n\r\n",
		"Key: a\r\nstill none\r\nOther: b\r\n\r\n",
		"\r\n",
		": no name\r\n\r\n",
		"Na\tme: x\r\n\r\n",
	};
	struct ami_block block;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		cr_expect_eq(ami_read(bad[i], strlen(bad[i]), &block), AMI_BAD, "%s", bad[i]);
		cr_expect_eq(block.len, strlen(bad[i]), "%s", bad[i]);
	}
	cr_expect_eq(ami_read("Key: a\0b\r\n\r\n", 12, &block), AMI_BAD);
}

static char *repeated(const char *text, size_t times)
{
	size_t len = strlen(text);
	char *all = memory_new(len * times + 3);

	for (size_t i = 0; i < times; i++)
		memcpy(all + i * len, text, len);
	return all;
}

Test(asterisk_ami, gives_up_on_what_is_no_ami_or_too_much)
{
	struct ami_block block;
	char *many = repeated("Key: v\r\n", AMI_FIELDS_MAX + 1);
	char *endless = repeated("Key: v\r\n", AMI_BLOCK_MAX);
	char *line = repeated("x", AMI_LINE_MAX + 1);

	strcat(many, "\r\n");
	cr_expect_eq(ami_read(many, strlen(many), &block), AMI_BAD);
	cr_expect_eq(ami_read(endless, strlen(endless), &block), AMI_BROKEN);
	cr_expect_eq(ami_read(line, strlen(line), &block), AMI_BROKEN);
	cr_expect_eq(ami_read("Key: v\n\r\n", 9, &block), AMI_BROKEN, "a line ends in CRLF");
	free(many);
	free(endless);
	free(line);
}

Test(asterisk_ami, knows_its_banner)
{
	static const char banner[] = "Asterisk Call Manager/8.0.1\r\nEvent";
	size_t len = 0;

	cr_expect_eq(ami_read_banner(banner, sizeof(banner) - 1, &len), AMI_BLOCK);
	cr_expect_eq(len, 29);
	for (size_t i = 1; i < 28; i++)
		cr_expect_eq(ami_read_banner(banner, i, &len), AMI_MORE, "%zu", i);
	cr_expect_eq(ami_read_banner("SSH-2.0-OpenSSH\r\n", 17, &len), AMI_BROKEN);
	cr_expect_eq(ami_read_banner("Asterisk Call Manager/1\n", 24, &len), AMI_BROKEN);
}

/* vectors.json, ami-md5-login */
Test(asterisk_ami, answers_a_challenge)
{
	static const char text[] = "125065091"
				   "amisecret";
	unsigned char hash[MD5_BYTES];
	char hex[2 * MD5_BYTES + 1];

	crypto_md5(text, sizeof(text) - 1, hash);
	text_hex(hash, sizeof(hash), hex);
	cr_assert_str_eq(hex, "12af562f9443aa94d24c7b3ea281e004");
}

static struct ami_text text_of(const char *text)
{
	return (struct ami_text){ text, strlen(text) };
}

Test(asterisk_ami, keeps_the_calls_that_are_not_over)
{
	struct asterisk_calls calls = { 0 };
	struct asterisk_call *call;

	asterisk_calls_read(&calls, "1.10,1.10,0 1.20,1.21,1 broken,, x");
	cr_assert_eq(calls.count, 2);
	call = asterisk_call_find(&calls, text_of("1.21"));
	cr_assert(call && call->is_answered);
	cr_assert_str_eq(call->id, "1.20");
	cr_assert_eq(asterisk_call_of(&calls, text_of("1.20")), call);
	cr_assert_eq(asterisk_call_add(&calls, text_of("9"), text_of("1.21")), call);
	cr_assert_null(asterisk_call_add(&calls, text_of("9"), text_of("a b")));
	cr_assert_null(asterisk_call_add(&calls, text_of(""), text_of("9")));
	asterisk_call_drop(&calls, asterisk_call_find(&calls, text_of("1.10")));
	cr_assert_null(asterisk_call_find(&calls, text_of("1.10")));
	cr_assert_eq(calls.count, 1);
	for (int i = 0; i < ASTERISK_CALLS_MAX; i++) {
		char id[16];

		snprintf(id, sizeof(id), "c%d", i);
		call = asterisk_call_add(&calls, text_of(id), text_of(id));
	}
	cr_assert_null(call, "there is an end of it");
	cr_assert_eq(calls.count, ASTERISK_CALLS_MAX);
	free(calls.list);
}
