#include <criterion/criterion.h>

#include "base/sign.h"

/* The example of standardwebhooks.com. */
Test(sign, signs_as_the_standard_says)
{
	struct buf body = { 0 };
	char signature[SIGNATURE_TEXT_BYTES];

	buf_text(&body, "{\"test\": 2432232314}");
	cr_assert_eq(sign_webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
				  "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, &body, signature),
		     0);
	cr_assert_str_eq(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	cr_assert_eq(sign_webhook("whsec_", "a", 1, &body, signature), -1);
	cr_assert_eq(sign_webhook(NULL, "a", 1, &body, signature), -1);
	buf_clear(&body);
}
