/* argon2id (the only libsodium file). Jobs: 'h' password -> hash;
 * 'v' hash NUL password -> "1" or "0". */
#include <sodium.h>
#include <string.h>

#include "base/memory.h"
#include "workers/sandbox.h"
#include "workers/worker.h"

enum {
	ADDRESS_SPACE = 1024 * 1024 * 1024,
	DESCRIPTORS = 64,
};

int password_start(struct error *err)
{
	if (sandbox_limits(ADDRESS_SPACE, DESCRIPTORS, err) < 0)
		return -1;
	if (sodium_init() < 0)
		return error_set(err, ERROR_PERMANENT, "libsodium does not start");
	return sandbox_compute(err);
}

static int hash(const char *password, size_t len, struct buf *answer, struct error *err)
{
	char text[crypto_pwhash_STRBYTES];

	if (crypto_pwhash_str(text, password, len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
			      crypto_pwhash_MEMLIMIT_INTERACTIVE) < 0)
		return error_set(err, ERROR_TEMPORARY, "no memory to hash a password");
	buf_text(answer, text);
	return 0;
}

static int verify(const char *job, size_t len, struct buf *answer, struct error *err)
{
	const char *end = memchr(job, '\0', len);
	const char *password;

	if (end == NULL)
		return error_set(err, ERROR_MISUSE, "a job without a hash");
	password = end + 1;
	/* says -1 for a wrong password and for lack of memory alike; both are a no */
	buf_byte(answer,
		 crypto_pwhash_str_verify(job, password, len - (size_t)(password - job)) == 0
			 ? '1'
			 : '0');
	return 0;
}

int password_handle(const char *job, size_t len, struct buf *answer, struct error *err)
{
	if (len > 0 && job[0] == 'h')
		return hash(job + 1, len - 1, answer, err);
	if (len > 0 && job[0] == 'v')
		return verify(job + 1, len - 1, answer, err);
	return error_set(err, ERROR_MISUSE, "an unknown password job");
}
