#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "services/file_link.h"

#define BLOB "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

Test(file_link, is_good_until_its_time_and_for_its_file_only)
{
	struct mac *mac = mac_new("0123456789abcdef", 16);
	struct mac *other = mac_new("0123456789abcdeF", 16);
	struct buf link = { 0 };
	char signature[64], changed[] = BLOB;

	file_link_write(mac, BLOB, 2000, &link);
	cr_assert_eq(
		sscanf(buf_string(&link), "/files/" BLOB "?expires=2000&signature=%63s", signature),
		1, "%s", buf_string(&link));
	cr_expect(file_link_ok(mac, BLOB, "2000", signature, 1999));
	cr_expect(!file_link_ok(mac, BLOB, "2000", signature, 2000));
	cr_expect(!file_link_ok(mac, BLOB, "2001", signature, 1999));
	cr_expect(!file_link_ok(mac, BLOB, "02000", signature, 1999));
	cr_expect(!file_link_ok(other, BLOB, "2000", signature, 1999));
	changed[0] = '1';
	cr_expect(!file_link_ok(mac, changed, "2000", signature, 1999));
	signature[strlen(signature) - 1] ^= 1;
	cr_expect(!file_link_ok(mac, BLOB, "2000", signature, 1999));
	cr_expect(!file_link_ok(mac, BLOB, "2000", "", 1999));
	cr_expect(!file_link_ok(mac, BLOB, "2000", NULL, 1999));
	cr_expect(!file_link_ok(mac, BLOB, NULL, signature, 1999));
	cr_expect(!file_link_ok(mac, "..", "2000", signature, 1999));
	buf_clear(&link);
	mac_free(&mac);
	mac_free(&other);
}
