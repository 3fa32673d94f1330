/* SPDX-License-Identifier: MIT */
/* What is no bug of the caller, though it is odd, has an answer: negative times, sums that overflow, numbers beyond reason,
 * and who waits for itself. */
#include <errno.h>

#include <eff.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static struct eff_sup sup;
static struct eff_child child = {.name = "child"};

static eff_exit nothing(void *arg)
{
	return eff_ok(arg);
}

static eff_exit sleeps(void *arg)
{
	(void)arg;
	return eff_exit_of(eff_sleep(EFF_FOREVER));
}

static eff_exit negative_times(void *arg)
{
	struct eff_sched at_once = eff_spaced(-1);
	struct eff_sched_state state = {0};
	struct eff_scope within;
	eff_ns delay = 1;

	ck_assert_int_eq(eff_sleep(-1), 0);
	ck_assert_int_eq(eff_sleep(INT64_MIN), 0);
	ck_assert_int_eq(eff_sleep_until(-EFF_S(1)), 0);
	ck_assert_int_eq(eff_timeout(-1, EFF(sleeps, arg)).code, ETIMEDOUT);
	ck_assert_int_eq(eff_timeout(INT64_MIN, EFF(sleeps, arg)).code, ETIMEDOUT);
	eff_scope_open(&within);
	eff_scope_limit(&within, INT64_MIN);
	ck_assert_int_eq(eff_sleep(1), -ETIMEDOUT);
	ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
	ck_assert(eff_sched_ask(&at_once, &state, NULL, &delay));
	ck_assert_int_eq(delay, 0);
	ck_assert_int_eq(eff_testclock_advance(run_clock, -1), -EINVAL);
	ck_assert_int_eq(eff_now(), 0);
	return eff_ok(NULL);
}

START_TEST(a_negative_time_has_passed)
{
	run_ok(negative_times, NULL);
	ck_assert_int_eq(eff_testclock_set(run_clock, -1), -EINVAL);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, -1), 0);
}
END_TEST

static eff_exit overflowing_times(void *arg)
{
	struct eff_scope within;

	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	ck_assert(eff_is_ok(eff_timeout(EFF_FOREVER, EFF(nothing, NULL))));
	ck_assert_int_eq(eff_timeout(EFF_S(1), EFF(sleeps, NULL)).code, ETIMEDOUT);
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), EFF_FOREVER));
	ck_assert_int_eq(eff_sleep(EFF_H(1)), 0);
	ck_assert_int_eq(eff_scope_close(&within), 0);
	ck_assert_int_eq(eff_now(), EFF_S(2) + EFF_H(1));
	return eff_ok(arg);
}

START_TEST(a_time_that_overflows_never_comes)
{
	struct eff_rt_stats stats;

	run_ok(overflowing_times, NULL);
	eff_rt_stats(run_rt, &stats);
	ck_assert_uint_eq(stats.timers_armed, 0);
	ck_assert_int_eq(eff_testclock_advance(run_clock, EFF_FOREVER), 0);
	ck_assert_int_eq(eff_now(), EFF_FOREVER);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, EFF_FOREVER), 0);
}
END_TEST

static eff_exit ends(void *arg)
{
	++*(int *)arg;
	return eff_fail(1);
}

/* Intensity that is none: neither crashes nor takes memory by the gigabyte. */
static eff_exit restarts_without_end(void *arg)
{
	static const struct eff_sup_opts opts[] = {{.max_restarts = 1, .period = -1},
		{.max_restarts = UINT32_MAX, .period = EFF_H(1)}};
	struct eff_scope scope;
	int n = 0;

	for (int i = 0; i < 2; i++) {
		struct eff_child failing = {.run = EFF(ends, &n),
			.policy = {.restart = EFF_ALWAYS,
				.backoff = eff_spaced(EFF_S(1)),
				.max_restarts = UINT32_MAX}};

		eff_scope_open(&scope);
		ck_assert_int_eq(eff_sup_open(&sup, &opts[i]), 0);
		eff_sup_add(&sup, &failing);
		ck_assert_int_eq(eff_sup_start(&sup), 0);
		ck_assert_int_eq(eff_sleep(EFF_S(10) - 1), 0);
		ck_assert_int_eq(sup.end, EFF_SUP_GOES_ON);
		ck_assert_uint_eq(eff_sup_restarts(&sup), 0);
		(void)eff_scope_close(&scope);
		ck_assert_int_eq(n, i ? 20 : 10);
	}
	return eff_ok(arg);
}

START_TEST(an_intensity_without_a_period_or_a_number_is_none)
{
	run_ok(restarts_without_end, NULL);
}
END_TEST

static eff_exit stops_itself(void *arg)
{
	eff_masked masked = eff_mask();

	*(int *)arg = eff_child_stop(&child);
	eff_unmask(masked);
	return eff_ok(NULL);
}

static eff_exit awaits_itself(void *arg)
{
	int r = 0;

	(void)eff_sup_open(&sup, &(struct eff_sup_opts){0});
	eff_sup_add(&sup, &child);
	child.run = EFF(stops_itself, &r);
	ck_assert_int_eq(eff_child_start(&child), 0);
	ck_assert_int_eq(eff_child_await_rest(&child), 0);
	ck_assert_int_eq(r, -EDEADLK);
	ck_assert_int_eq(child.rest, EFF_REST_STOPPED);
	ck_assert_int_eq(eff_await(eff_self(), NULL), -EDEADLK);
	return eff_ok(arg);
}

START_TEST(who_awaits_itself_is_told_and_a_child_that_stops_itself_stops)
{
	run_ok(awaits_itself, NULL);
}
END_TEST

static eff_exit beyond_reason(void *arg)
{
	eff e = {.fn = nothing, .stack_bytes = SIZE_MAX};

	ck_assert_int_eq(eff_fork(e, NULL), -ENOMEM);
	e.stack_bytes = SIZE_MAX / 2;
	ck_assert_int_eq(eff_fork(e, NULL), -ENOMEM);
	return eff_ok(arg);
}

START_TEST(a_stack_beyond_reason_is_a_fork_without_memory)
{
	run_ok(beyond_reason, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("odd_numbers");
	TCase *tcase = tcase_create("odd_numbers");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, a_negative_time_has_passed);
	tcase_add_test(tcase, a_time_that_overflows_never_comes);
	tcase_add_test(tcase, an_intensity_without_a_period_or_a_number_is_none);
	tcase_add_test(tcase, who_awaits_itself_is_told_and_a_child_that_stops_itself_stops);
	tcase_add_test(tcase, a_stack_beyond_reason_is_a_fork_without_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
