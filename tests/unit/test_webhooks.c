#include <criterion/criterion.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "business/business_field.h"
#include "events/expand.h"
#include "events/webhook.h"

static const char *const none[] = { NULL };

Test(webhooks, an_endpoint_is_told_of_what_it_wants)
{
	static const char *const types[] = { "work_item.state", "sla.state", NULL };
	static const char *const queues[] = { "support", NULL };
	struct webhook all = { .types = none, .queues = none, .is_enabled = true };
	struct webhook some = { .types = types, .queues = queues, .is_enabled = true };

	cr_expect(webhook_wants(&all, "customer.updated", NULL));
	cr_expect(webhook_wants(&all, "work_item.state", "money"));
	cr_expect(webhook_wants(&some, "work_item.state", "support"));
	cr_expect(webhook_wants(&some, "sla.state", "support"));
	cr_expect_not(webhook_wants(&some, "work_item.created", "support"));
	cr_expect_not(webhook_wants(&some, "work_item.state", "money"));
	cr_expect_not(webhook_wants(&some, "work_item.state", NULL));
	all.is_enabled = false;
	cr_expect_not(webhook_wants(&all, "customer.updated", NULL));
}

/* Ten attempts, three days in all, each delay at most a tenth off. */
Test(webhooks, waits_longer_after_each_attempt_and_ends)
{
	int64_t whole = 0;

	cr_expect_eq(webhook_retry_ms(0, 0), -1);
	cr_expect_eq(webhook_retry_ms(1, 0), 4500);
	cr_expect_eq(webhook_retry_ms(1, 500), 5000);
	cr_expect_lt(webhook_retry_ms(1, 999), 5500);
	cr_expect_eq(webhook_retry_ms(2, 1500), 300000);
	for (int64_t i = 1; i < 10; i++) {
		int64_t delay = webhook_retry_ms(i, 500);

		cr_expect_gt(delay, i == 1 ? 0 : webhook_retry_ms(i - 1, 500), "attempt %d",
			     (int)i);
		cr_expect_eq(webhook_retry_ms(i, 0), delay - delay / 10, "attempt %d", (int)i);
		whole += delay;
	}
	cr_expect_eq(whole / 3600000, 75);
	cr_expect_eq(webhook_retry_ms(10, 0), -1);
}

Test(webhooks, leaves_an_endpoint_alone_that_fails_again_and_again)
{
	static const int64_t want[] = {
		0, 0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000
	};

	for (size_t i = 0; i < COUNT_OF(want); i++)
		cr_expect_eq(webhook_hold_ms((int64_t)i), want[i], "after %zu", i);
	cr_expect_eq(webhook_hold_ms(INT64_MAX), 60000);
}

Test(webhooks, signs_with_the_secret_before_until_its_time_is_over)
{
	struct webhook webhook = { .secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
				   .secret_previous = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
				   .previous_until_ms = 1614265331000 };
	static const char first[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
	static const char id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
	char out[WEBHOOK_SIGNATURE_BYTES];
	char alone[WEBHOOK_SIGNATURE_BYTES];
	struct buf body = { 0 };

	buf_text(&body, "{\"test\": 2432232314}");
	cr_assert_eq(webhook_sign(&webhook, id, 1614265330000, &body, out), 0);
	cr_expect(text_starts(out, first) && out[strlen(first)] == ' ', "%s", out);
	cr_expect_eq(strlen(out), 2 * strlen(first) + 1);
	webhook.secret = webhook.secret_previous;
	webhook.secret_previous = NULL;
	cr_assert_eq(webhook_sign(&webhook, id, 1614265330000, &body, alone), 0);
	cr_expect_str_eq(out + strlen(first) + 1, alone);
	webhook.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
	webhook.secret_previous = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
	webhook.previous_until_ms = 1614265330000;
	cr_assert_eq(webhook_sign(&webhook, id, 1614265330000, &body, out), 0);
	cr_expect_str_eq(out, first);
	webhook.secret = "no secret";
	cr_expect_eq(webhook_sign(&webhook, id, 1614265330000, &body, out), -1);
	buf_clear(&body);
}

/* What may be asked for is what there is; "typing" and "viewing" are in no log. */
Test(webhooks, knows_every_type_of_event)
{
	size_t at = 0;

	for (size_t i = 0; event_types[i] != NULL; i++)
		if (!text_equal(event_types[i], "typing") && !text_equal(event_types[i], "viewing"))
			cr_expect_str_eq(webhook_types[at++], event_types[i]);
	cr_expect_null(webhook_types[at]);
}
