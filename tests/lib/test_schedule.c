/* SPDX-License-Identifier: MIT */
/* Schedules: the k-th delay. */
#include <check.h>

#include <eff/schedule.h>

Suite *test_suite(void);

static eff_ns delay_at(struct eff_sched s, int64_t k, double random)
{
	struct eff_sched_state state = {.k = k};
	eff_ns delay = -1;

	ck_assert(eff_sched_next(&s, &state, random, &delay));
	ck_assert_int_eq(state.k, k == INT64_MAX ? k : k + 1);
	return delay;
}

START_TEST(spaced_is_always_the_same)
{
	for (int64_t k = 0; k < 5; k++)
		ck_assert_int_eq(delay_at(eff_spaced(EFF_S(3)), k, 0.7), EFF_S(3));
	ck_assert_int_eq(delay_at(eff_spaced(EFF_FOREVER), 1, 0), EFF_FOREVER);
}
END_TEST

START_TEST(exponential_multiplies_each_time)
{
	struct eff_sched s = eff_exponential(EFF_MS(100), 2);

	ck_assert_int_eq(delay_at(s, 0, 0.5), EFF_MS(100));
	ck_assert_int_eq(delay_at(s, 1, 0.5), EFF_MS(200));
	ck_assert_int_eq(delay_at(s, 10, 0.5), EFF_MS(102400));
	ck_assert_int_eq(delay_at(eff_exponential(EFF_MS(100), 1.5), 2, 0), EFF_MS(225));
	ck_assert_int_eq(delay_at(eff_exponential(EFF_S(8), 0.5), 3, 0), EFF_S(1));
}
END_TEST

START_TEST(what_grows_too_large_saturates)
{
	struct eff_sched s = eff_exponential(EFF_S(1), 2);

	ck_assert_int_eq(delay_at(s, 5000, 0), EFF_FOREVER);
	ck_assert_int_eq(delay_at(s, INT64_MAX, 0), EFF_FOREVER);
	ck_assert_int_eq(delay_at(eff_sched_cap(s, EFF_M(5)), INT64_MAX, 0), EFF_M(5));
	ck_assert_int_eq(delay_at(eff_exponential(0, 2), INT64_MAX, 0), 0);
	ck_assert_int_eq(delay_at(eff_exponential(EFF_S(1), 0), 1, 0), 0);
	ck_assert_int_eq(delay_at(eff_exponential(EFF_S(1), -1), 1, 0), 0);
	ck_assert_int_eq(delay_at(eff_exponential(EFF_S(1), 1), INT64_MAX, 0), EFF_S(1));
}
END_TEST

START_TEST(a_cap_holds_and_jitter_after_it_spreads_at_the_ceiling)
{
	struct eff_sched s = eff_sched_cap(eff_exponential(EFF_S(1), 2), EFF_S(10));

	ck_assert_int_eq(delay_at(s, 3, 0), EFF_S(8));
	ck_assert_int_eq(delay_at(s, 4, 0), EFF_S(10));
	s = eff_sched_jitter(s, 0.5, 1.5);
	ck_assert_int_eq(delay_at(s, 4, 0), EFF_S(5));
	ck_assert_int_eq(delay_at(s, 4, 0.5), EFF_S(10));
	ck_assert_int_eq(delay_at(s, 4, 0.75), EFF_MS(12500));
}
END_TEST

START_TEST(a_cap_after_jitter_holds_for_what_the_jitter_made)
{
	struct eff_sched s = eff_sched_cap(
		eff_sched_jitter(eff_spaced(EFF_S(10)), 0.5, 1.5), EFF_S(11));

	ck_assert_int_eq(delay_at(s, 0, 0), EFF_S(5));
	ck_assert_int_eq(delay_at(s, 0, 0.5), EFF_S(10));
	ck_assert_int_eq(delay_at(s, 0, 0.9), EFF_S(11));
}
END_TEST

START_TEST(the_tighter_of_two_caps_counts)
{
	ck_assert_int_eq(delay_at(eff_sched_cap(eff_sched_cap(eff_spaced(9), 3), 5), 0, 0), 3);
	ck_assert_int_eq(delay_at(eff_sched_cap(eff_sched_cap(eff_spaced(9), 5), 3), 0, 0), 3);
}
END_TEST

START_TEST(times_ends_a_schedule)
{
	struct eff_sched s = eff_sched_times(eff_spaced(7), 2);
	struct eff_sched_state state = {0};
	eff_ns delay;

	ck_assert(eff_sched_next(&s, &state, 0, &delay));
	ck_assert(eff_sched_next(&s, &state, 0, &delay));
	ck_assert(!eff_sched_next(&s, &state, 0, &delay));
	ck_assert_int_eq(state.k, 2);
	s = eff_sched_times(s, 0);
	state.k = 0;
	ck_assert(!eff_sched_next(&s, &state, 0, &delay));
}
END_TEST

START_TEST(durations_saturate_in_sums_and_products)
{
	ck_assert_int_eq(eff_ns_add(EFF_FOREVER, 1), EFF_FOREVER);
	ck_assert_int_eq(eff_ns_add(INT64_MIN, -1), INT64_MIN);
	ck_assert_int_eq(eff_ns_add(5, -7), -2);
	ck_assert_int_eq(eff_ns_scale(EFF_FOREVER, 1), EFF_FOREVER);
	ck_assert_int_eq(eff_ns_scale(10, 0.0 / 0.0), 0);
	ck_assert_int_eq(eff_ns_scale(10, -1), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("schedule");
	TCase *tcase = tcase_create("schedule");

	tcase_add_test(tcase, spaced_is_always_the_same);
	tcase_add_test(tcase, exponential_multiplies_each_time);
	tcase_add_test(tcase, what_grows_too_large_saturates);
	tcase_add_test(tcase, a_cap_holds_and_jitter_after_it_spreads_at_the_ceiling);
	tcase_add_test(tcase, a_cap_after_jitter_holds_for_what_the_jitter_made);
	tcase_add_test(tcase, the_tighter_of_two_caps_counts);
	tcase_add_test(tcase, times_ends_a_schedule);
	tcase_add_test(tcase, durations_saturate_in_sums_and_products);
	suite_add_tcase(suite, tcase);
	return suite;
}
