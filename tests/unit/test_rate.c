#include <criterion/criterion.h>
#include <stdio.h>

#include "api/rate.h"

Test(rate, gives_a_second_s_worth_at_once_and_then_as_time_passes)
{
	struct rates *rates = rates_new();

	for (int i = 0; i < 10; i++)
		cr_assert_eq(rate_take(rates, "a", 10, 1000), 0, "request %d", i);
	cr_assert_eq(rate_take(rates, "a", 10, 1000), 100);
	cr_assert_eq(rate_take(rates, "a", 10, 1099), 1);
	cr_assert_eq(rate_take(rates, "a", 10, 1100), 0);
	cr_assert_eq(rate_take(rates, "a", 10, 1100), 100);
	cr_assert_eq(rate_take(rates, "b", 10, 1100), 0, "others have their own");
	rates_free(&rates);
	rates_free(&rates);
}

Test(rate, never_holds_more_than_one_second_s_worth)
{
	struct rates *rates = rates_new();
	int given = 0;

	cr_assert_eq(rate_take(rates, "a", 3, 0), 0);
	while (rate_take(rates, "a", 3, 1000000000000) == 0)
		given++;
	cr_assert_eq(given, 3);
	cr_assert_gt(rate_take(rates, "a", 3, 1000000000000 - 5000), 0, "a clock that goes back");
	rates_free(&rates);
}

Test(rate, forgets_old_ones_rather_than_growing)
{
	struct rates *rates = rates_new();
	char whose[20];

	for (int i = 0; i < 30000; i++) {
		snprintf(whose, sizeof(whose), "t%d", i);
		cr_assert_eq(rate_take(rates, whose, 1, 0), 0);
	}
	rates_free(&rates);
}
